"""The kill suite: a real run, killed anywhere and resumed, loses nothing and doubles nothing."""

import os
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import pytest

import ozzy
from ozzy.contracts.file_writer import BaseFileWriter
from ozzy.contracts.module import overrides
from ozzy.testing.attempt import Attempt, registry_of, sections
from ozzy.testing.found import ids_in, visible
from ozzy.testing.process import Ended
from ozzy.testing.steps import DECISIVE
from ozzy.testing.verdict import broken

ASKED = os.environ.get("OZZY_TEST_KILLS")
"""How many steps to kill at, a number or `all`: read when tests are loaded, since tests run in an environment without settings."""


class KillContract:
    """Runs a reader or a writer in a real pipeline in a child process, kills it with SIGKILL, resumes it, and looks at what arrived.

        class TestKillTap(KillContract):
            reader = {"name": "tap", "options": {"tap": "kitchen"}}

        class TestKillShelf(KillContract):
            writer = {"name": "shelf", "options": {"shelf": "out", "compression": "none"}}

    `reader`, `writer`, `persistence` and `bypass` are sections of a config, or fixtures that give one; `name` may be the class itself.
    What is left out is taken from the core and the kit: made-up records with an `id`, files in `out/`, state in files. `config` holds what
    else the config is to have. Each attempt runs in a folder of its own, to which relative paths belong; where the destination is
    elsewhere, put `{attempt}` into its name, and define `oracle()`: the ids of the records that a user finds there, each as often as
    it is there (`self.attempt` is the attempt's name, `self.here` its folder). A source that each attempt needs for itself is put
    there by `arrange`. `wanted` is the ids of all records that the source holds, where they are known: a reader that always loses some is
    found out by nothing else.

    A run is killed just before a step: a write, a sync, a rename, a request, before and after each call of the protocol. `kills` says
    before how many of them, spread over the run with those around prepare, commit and publish first; the environment variable
    OZZY_TEST_KILLS overrides it, `all` takes every one. `moments` is how many kills fall at random times. A pipeline that promises
    at least once (see `ozzy explain`) may double, and may not lose.
    """

    reader: Any = None
    writer: Any = None
    persistence: Any = None
    bypass: Any = None
    config: Any = None
    wanted: Any = None
    kills: ClassVar[int] = 20
    moments: ClassVar[int] = 3
    same_bytes: ClassVar[bool | None] = None
    """Whether local files have to be the same bytes as without a kill; unset, they do where `oracle` is the default."""
    fork: ClassVar[bool] = True
    """Whether children are forked. Set it to False for clients that do not bear that; children then start anew, which takes a second."""

    folder: Path
    here: Path
    attempt: str

    def oracle(self) -> Iterable[Any]:
        """The ids of the records at the destination, each as often as it is there."""
        return ids_in(self.here)

    def arrange(self, folder: Path) -> None:
        """Put what the pipeline needs into the folder of a new attempt: called before each."""

    # The pipeline

    @pytest.fixture(autouse=True)
    def with_a_pipeline(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The config, and the run that was never disturbed."""
        for name in [name for name in os.environ if name.startswith("OZZY_")]:
            monkeypatch.delenv(name)
        self.folder = tmp_path
        self.modules: dict[str, type] = {}
        given = {name: self._section(self._value(request, name), name) for name in ("reader", "writer", "persistence", "bypass")}
        if given["reader"] is None and given["writer"] is None and given["persistence"] is None:
            pytest.fail(
                f"{type(self).__name__} has no `reader` and no `writer`: give the section of a config for one of them", pytrace=False
            )
        self.name = next(self._called(given[name]) for name in ("writer", "reader", "persistence") if given[name] is not None)
        self.whole = {
            "reader": given["reader"] or {"name": "scripted", "options": {"count": 60, "batch_size": 7}},
            "writer": given["writer"] or {"name": "fs", "options": {"filebase": "out/part", "compression": "none"}},
            "checkpoint": {"every_records": 10, "full_every": {"records": 28}},
            **{name: given[name] for name in ("persistence", "bypass") if given[name] is not None},
            **{key: self._sections(value, key) for key, value in dict(self._value(request, "config") or {}).items()},
        }
        self.calm = self._calm("calm")
        self._all_wanted(self._value(request, "wanted"))

    def _value(self, request: pytest.FixtureRequest, name: str) -> Any:
        found = getattr(type(self), name)
        return found if found is None or isinstance(found, (Mapping, list, str, range, set, tuple)) else request.getfixturevalue(name)

    def _sections(self, value: Any, kind: str) -> Any:
        """Another part of the config, where classes may stand for names at any depth."""
        if isinstance(value, list):
            return [self._sections(one, f"{kind}_{number}") for number, one in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        whole = self._section(value, kind) if "name" in value else value
        return {key: self._sections(one, f"{kind}_{key}") for key, one in whole.items()}

    def _section(self, section: Any, kind: str) -> Any:
        """A section of a config; a class in it is registered under a name."""
        if section is None or isinstance(section, str):
            return section
        if isinstance(section, list):
            return [self._section(one, f"{kind}_{number}") for number, one in enumerate(section)]
        section = dict(section)
        if isinstance(section["name"], type):
            name = f"{kind}_under_test"
            self.modules[name] = section["name"]
            return deepcopy({key: value for key, value in section.items() if key != "name"}) | {"name": name}
        return deepcopy(section)

    def _called(self, section: Any) -> str:
        if isinstance(section, list):
            return " and ".join(self._called(one) for one in section)
        name = section if isinstance(section, str) else section["name"]
        return self.modules[name].__name__ if name in self.modules else str(name)

    def _new(self, name: str) -> Attempt:
        made = Attempt(name, self.whole, self.modules, self.folder, self.fork)
        self.attempt, self.here = name, made.folder
        self.arrange(made.folder)
        return made

    def _calm(self, name: str) -> "_Outcome":
        calm = self._new(name)
        self.may_double = self._promise(calm) != "exactly once"
        ended = calm.go()
        if ended.status:
            broken(self.name, f"a run that is not killed fails: {ended.reason}")
        found = Counter(map(str, self.oracle()))
        if not found:
            broken(self.name, "a run that is not killed leaves nothing at the destination: is `oracle()` right?")
        twice = [one for one, count in found.items() if count > 1]
        if twice:
            broken(self.name, f"a run that is not killed leaves {', '.join(twice[:5])} more than once: the oracle needs unique ids")
        self.steps = calm.report().steps
        self.seconds = calm.report().seconds
        return _Outcome(found, visible(calm.folder))

    def _all_wanted(self, wanted: Iterable[Any] | None) -> None:
        lost = Counter(map(str, wanted or ())) - self.calm.ids
        if lost:
            broken(self.name, f"in a run that is not killed, {_some(lost)} lost, of {self.calm.ids.total() + lost.total()}")

    def _promise(self, attempt: Attempt) -> str:
        return ozzy.explain(attempt.config, state_dir=attempt.state, registry=registry_of(self.modules)).guarantee.level

    # What is looked at

    def _look(self, attempt: Attempt, when: str) -> None:
        self.attempt, self.here = attempt.name, attempt.folder
        found = Counter(map(str, self.oracle()))
        lost, more = self.calm.ids - found, found - self.calm.ids
        strange = {one for one in more if one not in self.calm.ids}
        doubled = {one for one in more if one in self.calm.ids}
        if lost:
            self._broken(when, f"{_some(lost)} lost, of {self.calm.ids.total()}" + (f", and {_some(doubled)} doubled" if doubled else ""))
        if strange:
            self._broken(when, f"{_some(strange)} at the destination which a run that is not killed does not write")
        if doubled and not self.may_double:
            self._broken(when, f"{_some(doubled)} doubled, of {self.calm.ids.total()}")
        if not self.may_double and (self.same_bytes or (self.same_bytes is None and not overrides(self, "oracle", KillContract))):
            self._same_bytes(attempt, when)

    def _same_bytes(self, attempt: Attempt, when: str) -> None:
        files = visible(attempt.folder)
        for name in sorted({*files, *self.calm.files}):
            if name not in files:
                self._broken(when, f"the file {name} is missing")
            if name not in self.calm.files:
                self._broken(when, f"there is a file {name} which a run that is not killed does not make")
            if files[name] != self.calm.files[name]:
                self._broken(when, f"{name} is not, byte for byte, what a run that is not killed makes")
        hidden = [path.name for path in attempt.folder.rglob(".ozzy-*")]
        if hidden:
            self._broken(when, f"{hidden[0]} is left behind")

    def _nothing_half_made(self, attempt: Attempt, when: str) -> None:
        """Whoever looks at the destination after a kill finds whole files: a writer of files puts each there once and for all."""
        if self.may_double or self.same_bytes is False or overrides(self, "oracle", KillContract) or not self._writes_files():
            return
        for name, content in visible(attempt.folder).items():
            whole = self.calm.files.get(name, b"")
            if len(content) < len(whole) and whole.startswith(content):
                self._broken(
                    when, f"{name} is to be seen with {len(content):,} of its {len(whole):,} bytes: it was not put there in one step"
                )

    def _writes_files(self) -> bool:
        kinds = [registry_of(self.modules).resolve("writer", name).cls for kind, name in sections(self.whole) if kind == "writer"]
        return all(issubclass(one, BaseFileWriter) for one in kinds)

    def _broken(self, when: str, what: str) -> NoReturn:
        broken(self.name, f"{when}, {what}")

    def _finish(self, attempt: Attempt, when: str, document: Any = None) -> None:
        """Resume to the end, and look."""
        ended: Ended = attempt.go(document=document)
        if ended.status:
            self._broken(when, f"the run can't be resumed: {ended.reason}")
        self._look(attempt, when)

    # The tests

    def test_killed_before_any_step(self) -> None:
        """Killed just before a step, then again while it is resumed, then resumed to the end: the outcome is the same."""
        rnd = random.Random(len(self.steps))  # noqa: S311 - no secret hangs on it
        for number, step in enumerate(self._chosen()):
            attempt = self._new(f"step-{step}")
            ended = attempt.go(last=step)
            when = f"killed at step {step} of {len(self.steps)} ({self.steps[step - 1]}) and resumed"
            if ended.failed:
                self._broken(f"before step {step}", f"the run fails: {ended.reason}")
            self._nothing_half_made(attempt, f"killed at step {step} of {len(self.steps)} ({self.steps[step - 1]})")
            if number % 2 and ended.killed:
                again = rnd.randint(1, max(1, len(self.steps) - step + 10))
                ended = attempt.go(last=again)
                when = f"{when.removesuffix(' and resumed')}, again at step {again} of the resumed run, and resumed"
                if ended.failed:
                    self._broken(when, f"the run can't be resumed: {ended.reason}")
            self._finish(attempt, when)

    def test_killed_at_any_moment(self) -> None:
        """Killed from outside at random times, two times over."""
        rnd = random.Random(1)  # noqa: S311 - no secret hangs on it
        for number in range(self.moments):
            attempt = self._new(f"moment-{number}")
            moments = []
            for _ in range(2):
                moments.append(rnd.random() * (self.seconds * 1.2 + 0.02))
                ended = attempt.go(seconds=moments[-1])
                if ended.failed:
                    self._broken(f"killed after {moments[0]:.3f} s", f"the run can't be resumed: {ended.reason}")
            self._finish(attempt, f"killed after {' and '.join(f'{moment:.3f} s' for moment in moments)} and resumed")

    def test_resumed_from_every_checkpoint(self) -> None:
        """Where nothing was published since, every checkpoint that was ever committed is one to go on from."""
        self.whole |= {"checkpoint": {"every_records": 10}}
        self.calm = self._calm("calm-light")
        last = max((number for number, name in enumerate(self.steps, 1) if name == "before prepare()"), default=0)
        documents = self._killed(last, "documents").documents() if last else []
        allowed = [document for document in documents if document["kind"] == "light"]
        if not allowed:
            pytest.skip("every checkpoint publishes, so there is none but the newest to go on from")
        for number, document in enumerate(allowed, 1):
            attempt = self._killed(last, f"document-{number}")
            self._finish(attempt, f"resumed from checkpoint {number} of {len(allowed)}", document)

    def _killed(self, last: int, name: str) -> Attempt:
        attempt = self._new(name)
        ended = attempt.go(last=last)
        if not ended.killed:
            self._broken(f"at step {last}", f"the run was not killed: {ended.reason}")
        return attempt

    def _chosen(self) -> list[int]:
        """The numbers of the steps to kill before."""
        return self.spread_steps(ASKED or self.kills)

    def spread_steps(self, count: int | str, after: int = 0) -> list[int]:
        """The numbers of so many steps (`all`: of every one) behind step `after`, those around prepare, commit and publish first."""
        everyone = list(range(after + 1, len(self.steps) + 1))
        if count == "all" or int(count) >= len(everyone):
            return everyone
        chosen = {*self._decisive(everyone, int(count) // 2), *self._within_write(everyone, -(-int(count) // 4))}
        chosen |= set(_spread([number for number in everyone if number not in chosen], int(count) - len(chosen)))
        return sorted(chosen)

    def _decisive(self, numbers: list[int], count: int) -> list[int]:
        """So many steps around prepare, commit and publish: as many of each sort, since even distances alone might miss a sort."""
        chosen: list[int] = []
        for left, beginning in zip(range(len(DECISIVE), 0, -1), DECISIVE, strict=True):
            of_this_sort = [number for number in numbers if self.steps[number - 1].startswith(beginning)]
            chosen += _spread(of_this_sort, -(-(count - len(chosen)) // left))
        return chosen

    def _within_write(self, numbers: list[int], count: int) -> list[int]:
        """One step of each sort within an author's `write`, so many at the most: where it is not done in one step, that shows there."""
        sorts = {name: number for number in reversed(numbers) if (name := self.steps[number - 1]).endswith(", in write()")}
        return [sorts[name] for name in sorted(sorts, reverse=True)[:count]]


class _Outcome:
    def __init__(self, ids: "Counter[str]", files: dict[str, bytes]) -> None:
        self.ids = ids
        self.files = files


def _spread(numbers: list[int], count: int) -> list[int]:
    """So many of these numbers, the first and the last among them, at even distances."""
    if count >= len(numbers):
        return numbers
    return [numbers[at * (len(numbers) - 1) // max(1, count - 1)] for at in range(count)]


def _some(ids: Iterable[str]) -> str:
    names = sorted(ids, key=lambda one: (len(one), one))
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"record {shown} is" if len(names) == 1 else f"{len(names)} records ({shown}) are"
