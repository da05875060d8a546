"""The suite of persistences."""

import functools
from collections.abc import Mapping
from typing import Any

import pytest

from ozzy import BasePersistence, StateError, StateLocation
from ozzy.testing.module import ModuleContract
from ozzy.testing.process import in_child
from ozzy.testing.samples import HUGE, UNICODE
from ozzy.testing.steps import Steps
from ozzy.testing.verdict import as_text, shown

_DOCUMENT: Mapping[str, Any] = {
    "number": 3,
    "kind": "full",
    "place": {"split": 1, "position": {"$ozzy:tuple": [1, None]}, "rows": 0},
    "text": UNICODE,
    "values": [None, True, False, 0, -1, 1.5, 0.1, 2**53 - 1, "", [], {}, [[{}]]],
    "writers": {"writer": {"final": True, "written": 12}},
}


class PersistenceContract(ModuleContract):
    """What a persistence promises: the document last committed, whole and equal, or an error; never "nothing there" for something.

        class TestShelf(PersistenceContract):
            module = ShelfPersistence
            options = {"shelf": "cellar"}

    What it keeps below the folder it is given is cut and garbled by a test; a persistence that keeps its state elsewhere may define
    `garble()` to damage what is kept there, and returns True.
    """

    speaks_with = (StateError,)

    def garble(self) -> bool:
        """Damage the state that is kept; False where a test can't."""
        return False

    @pytest.fixture(autouse=True)
    def with_folders_of_runs(self, in_a_place_of_its_own: None) -> None:
        """The state folders of two runs."""
        for run in ("run-1", "run-2"):
            (self.folder / "state" / run).mkdir(parents=True)

    def opened(self, module: BasePersistence | None = None, run: str = "run-1") -> BasePersistence:
        """A persistence that was told where its state belongs."""
        persistence: BasePersistence = module or self.make()
        persistence.open(self.location(run))
        return persistence

    def location(self, run: str) -> StateLocation:
        """Where the state of a run belongs."""
        return StateLocation(self.folder / "state" / run, run, "pipeline")

    def new(self, module: BasePersistence | None = None) -> BasePersistence:
        """One that was made ready for a new run."""
        persistence = self.opened(module)
        persistence.generate_new_job()
        return persistence

    def exercise(self, module: Any) -> Any:
        persistence = self.new(module)
        persistence.commit_position(dict(_DOCUMENT))
        return persistence.get_last_position()

    def holds(self, expected: Any, when: str) -> None:
        """Fail where a new object does not find this document."""
        persistence = self.opened()
        found = persistence.get_last_position()
        persistence.close()
        if expected is not None and found is None:
            self.broken(f"{when}, it finds nothing: the run would begin again")
        if found != expected or as_text(found) != as_text(expected):
            self.broken(f"{when}, it gives {shown(found)} instead of {shown(expected)}")

    def test_a_new_run_has_no_document(self) -> None:
        """Before the first commit there is None."""
        persistence = self.new()
        found = persistence.get_last_position()
        persistence.close()
        if found is not None:
            self.broken(f"a new run has the document {shown(found)} before anything was committed")
        self.holds(None, "before anything was committed")

    def test_what_was_committed_is_found_by_another_process(self) -> None:
        """Equal, key order and Unicode included, by the object that wrote it and by a new one."""
        persistence = self.new()
        persistence.commit_position(dict(_DOCUMENT))
        if persistence.get_last_position() != _DOCUMENT:
            self.broken(f"it gives back {shown(persistence.get_last_position())} instead of {shown(_DOCUMENT)}")
        self.holds(_DOCUMENT, "asked by a new object while the old one is open")
        persistence.close()
        self.holds(_DOCUMENT, "asked by a new object")

    def test_the_last_document_counts(self) -> None:
        """Each commit replaces the one before, also one by another object, smaller or larger."""
        persistence = self.new()
        large = dict(_DOCUMENT) | {"text": "ü" * HUGE}
        for number, document in enumerate([large, dict(_DOCUMENT), {"number": 4}, large], 1):
            persistence.commit_position(document)
            self.holds(document, f"after {number} commits")
        persistence.close()
        other = self.opened()
        other.get_last_position()
        other.commit_position({"number": 5})
        other.close()
        self.holds({"number": 5}, "after another object went on with it")

    def test_runs_are_kept_apart(self) -> None:
        """One run never sees the document of another."""
        first, second = self.opened(run="run-1"), self.opened(run="run-2")
        for persistence in (first, second):
            persistence.generate_new_job()
        first.commit_position({"run": 1})
        if second.get_last_position() is not None:
            self.broken("a run finds the document of another one")
        second.commit_position({"run": 2})
        if first.get_last_position() != {"run": 1}:
            self.broken("a commit of one run changes the document of another")
        first.close()
        second.close()

    def test_what_has_no_form_in_json_is_refused(self) -> None:
        """The error is a StateError, and the old document stays."""
        persistence = self.new()
        persistence.commit_position({"number": 1})
        try:
            persistence.commit_position({"number": object()})
        except StateError:
            pass
        except Exception as error:
            self.broken(f"a document without a form in JSON makes it raise {type(error).__name__} ({error}) instead of StateError")
        else:
            self.broken("it accepts a document that has no form in JSON")
        persistence.close()
        self.holds({"number": 1}, "after a document was refused")

    def test_damaged_state_is_an_error(self) -> None:
        """Cut or garbled, state is a StateError or still the right document; never nothing, never something else."""
        persistence = self.new()
        persistence.commit_position({"number": 1})
        persistence.commit_position(dict(_DOCUMENT))
        persistence.close()
        kept = [path for path in (self.folder / "state" / "run-1").rglob("*") if path.is_file()]
        if not kept:
            if not self.garble():
                pytest.skip("it keeps its state elsewhere: define garble() to have this tested")
            self._error_or_document("its state was damaged")
        for path in kept:
            content = path.read_bytes()
            for what, damaged in _damages(content):
                path.write_bytes(damaged)
                self._error_or_document(f"{path.name} was {what}")
            path.write_bytes(content)

    def _error_or_document(self, when: str) -> None:
        persistence = self.opened()
        try:
            found = persistence.get_last_position()
        except StateError as error:
            if not error.message.strip():
                self.broken(f"{when}, and its StateError says nothing")
        except Exception as error:
            self.broken(f"{when}, and it raises {type(error).__name__} ({error}) instead of StateError")
        else:
            if found != _DOCUMENT:
                self.broken(f"{when}, and it gives {shown(found)} as if nothing had happened: raise a StateError")
        persistence.close()

    def test_a_kill_in_a_commit_leaves_the_old_or_the_new(self) -> None:
        """Killed before any step of a commit, the document is whole: the one before, or the new one."""
        old, new = dict(_DOCUMENT), {"number": 4, "text": "new" * 5000}
        persistence = self.new()
        persistence.commit_position({"number": 2})
        persistence.commit_position(old)
        persistence.close()
        log = self.folder / "child.log"
        for last in range(1, 200):
            ended = in_child(functools.partial(self._commit, new, last), log)
            if ended.failed:
                self.broken(f"a commit in a child process fails: {ended.reason}")
            after = self.opened()
            try:
                found = after.get_last_position()
            except Exception as error:
                self.broken(f"killed before step {last} of a commit, the state can't be read any more: {type(error).__name__}: {error}")
            if found not in (old, new):
                self.broken(f"killed before step {last} of a commit, the document is neither the old nor the new one: {shown(found)}")
            if not ended.killed:
                self.holds(new, "after a commit that was not killed")
                return
            after.commit_position(old)
            after.close()

    def _commit(self, document: Any, last: int) -> None:
        steps = Steps(last)
        persistence = self.opened()
        persistence.get_last_position()
        with steps.watching():
            persistence.commit_position(document)
        persistence.close()

    def test_it_can_be_found_by_its_uri(self) -> None:
        """Where it has a `uri_regex`, that is a pattern."""
        import re

        try:
            re.compile(self.module.uri_regex)
        except re.error as error:
            self.broken(f"its uri_regex {self.module.uri_regex!r} is no regular expression: {error}")


def _damages(content: bytes) -> list[tuple[str, bytes]]:
    half = len(content) // 2
    flipped = bytes([content[half] ^ 0x15]) if content else b"x"
    return [
        ("emptied", b""),
        ("cut in half", content[:half]),
        ("cut by a byte", content[:-2]),
        ("garbled", content[:half] + flipped + content[half + 1 :]),
        ("overwritten", b"\x00" * len(content)),
        ("replaced", b"{}"),
    ]
