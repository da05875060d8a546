"""The suite of bypasses: what one copies is what the pipeline would have made."""

import io
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

import ozzy
from ozzy import BaseBypass, BypassContext, Declined, Interrupted, Listener, Pipeline, Registry, Result, Split
from ozzy.data.codecs import open_decompressed
from ozzy.log import reason
from ozzy.testing.found import records_in, visible
from ozzy.testing.module import ModuleContract
from ozzy.testing.modules import registry

NAME = "bypass_under_test"


class BypassContract(ModuleContract):
    """What a bypass promises: the outcome of the pipeline, nothing visible before its time, and no count that is a guess.

        class TestHose(BypassContract):
            module = HoseBypass
            reader = {"name": "tap", "options": {"tap": "kitchen"}}
            writer = {"name": "bucket", "options": {"filebase": "out/{source}"}}

    `reader` and `writer` are sections of a config, or fixtures that give one, of a pipeline in which the bypass copies at least one part of
    the source; give it parts that it declines too. `unfit` are changes of that config by path under which it may copy nothing. Relative
    paths belong to the folder of an attempt; where the destination is elsewhere, define `outcome(folder)`.
    """

    reader: Any = None
    writer: Any = None
    unfit: ClassVar[Mapping[str, Any]] = {
        "formatter": {"name": "json", "options": {"jsonlines": False}},
        "writer.options.compression": "bz2",
        "writer.options.filebase": "out/all",
        "writer.options.items_limit": 3,
        "filter": {"name": "python_exp", "options": {"python_expression": "item['id'] != 3"}},
    }

    def outcome(self, folder: Path) -> dict[str, bytes]:
        """What is at the destination: the decompressed content of each file, by its name."""
        return {name: _decompressed(name, content) for name, content in visible(folder, without=("state", "source")).items()}

    @pytest.fixture(autouse=True)
    def with_a_pipeline(self, request: pytest.FixtureRequest, in_a_place_of_its_own: None) -> None:
        """The sections of the pipeline."""
        self.sections = {"reader": self.value(request, "reader"), "writer": self.value(request, "writer")}
        if None in self.sections.values():
            pytest.fail(f"{type(self).__name__} needs a `reader` and a `writer`: sections of a config in which it copies", pytrace=False)

    def exercise(self, module: Any) -> Any:
        """Copies every part of the source that it does not decline."""
        return self._with_pipeline(self.folder, module, lambda pipeline: [_copied(module, split) for split in pipeline.reader.splits()])

    def _registry(self) -> Registry:
        return registry(**{NAME: self.module})

    def _config(self, *, bypass: bool, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        section = {"name": NAME, "options": self.given} if bypass else False
        config = deepcopy({"name": "suite", **self.sections, "bypass": section})
        for path, value in (more or {}).items():
            *steps, last = path.split(".")
            place = config
            for step in steps:
                place = place.setdefault(step, {})
            place[last] = value
        return config

    def _run(self, name: str, *, bypass: bool, more: Mapping[str, Any] | None = None, dry_run: bool = False) -> tuple[Path, Result]:
        folder = self.folder / name
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            config = self._config(bypass=bypass, more=more)
            return folder, ozzy.run(config, state_dir=folder / "state", registry=self._registry(), dry_run=dry_run)

    def _with_pipeline(self, folder: Path, module: BaseBypass, work: Callable[[Pipeline], Any]) -> Any:
        """What `work` makes of a pipeline that is built, and told of this bypass."""
        looker = _Looker(folder, module, work)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            try:
                ozzy.run(self._config(bypass=True), registry=self._registry(), dry_run=True, listener=looker)
            except Interrupted:
                if not looker.done:
                    raise
        return looker.outcome

    # The tests

    def test_the_outcome_is_that_of_the_pipeline(self) -> None:
        """The same files with the same content, whether it copies or not; and it copies something."""
        folder, result = self._run("copied", bypass=True)
        if not result.bypassed:
            self.broken(f"it copies nothing of this pipeline: {dict(result.declined) or result.notices}")
        self._compare(folder, self._run("calm", bypass=False)[0], "with it")

    def test_it_declines_where_the_outcome_would_differ(self) -> None:
        """With each change of `unfit` the pipeline alone does the work."""
        for number, (path, value) in enumerate(self.unfit.items()):
            change = {path: value}
            folder, result = self._run(f"unfit-{number}", bypass=True, more=change)
            if result.bypassed:
                self.broken(f"with {path}: {value} it copies {result.bypassed}")
            self._compare(folder, self._run(f"calm-{number}", bypass=False, more=change)[0], f"with {path}: {value}")

    def test_rows_are_true_or_unknown(self) -> None:
        """The rows of what was copied are those that are there, or None."""
        folder, result = self._run("rows", bypass=True)
        found = self.outcome(folder)
        for file in result.files:
            name = next((name for name in found if name.endswith(file.name)), None)
            if file.bypass is None or file.rows is None or name is None:
                continue
            rows = sum(1 for _ in records_in(_bare(name), found[name]))
            if rows != file.rows:
                self.broken(f"it says that {file.name} has {file.rows} records, and it has {rows}")

    def test_a_copy_is_invisible_until_it_is_published(self) -> None:
        """While it copies, nothing appears at the destination."""
        folder = self.folder / "invisible"
        folder.mkdir()

        def look(pipeline: Pipeline) -> None:
            for split in pipeline.reader.splits():
                _copied(module, split)
                if seen := sorted(self.outcome(folder)):
                    self.broken(f"copy() of {split.id} makes {seen[0]} visible before anything is published")

        with closing(self.make(folder=folder)) as module:
            self._with_pipeline(folder, module, look)

    def test_the_same_part_gets_the_same_answer(self) -> None:
        """Asked again, in another process too, it declines the same parts."""
        answers = []
        for number in range(2):
            folder = self.folder / f"asked-{number}"
            folder.mkdir()
            with closing(self.make(folder=folder)) as module:
                answers.append(self._with_pipeline(folder, module, partial(_answers, module)))
        again = Counter(answers[0])
        if answers[0] != answers[1] or any(count != 2 for count in again.values()):
            self.broken("asked twice whether it declines a part, it gives two answers: a resumed run would not be the same")

    def test_a_dry_run_leaves_no_trace(self) -> None:
        """In a dry run nothing is written, staged or visible."""
        folder, _ = self._run("dry", bypass=True, dry_run=True)
        left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and "source" not in path.parts)
        if left:
            self.broken(f"a dry run leaves {left[0]}")

    def _compare(self, folder: Path, calm: Path, when: str) -> None:
        try:
            found, expected = self.outcome(folder), self.outcome(calm)
        except ozzy.OzzyError as error:
            self.broken(f"{when}, what it has copied can't be read: {reason(error)}")
        for name in sorted({*found, *expected}):
            if name not in found or name not in expected:
                self.broken(f"{when}, {name} is {'missing' if name in expected else 'there, and the pipeline does not make it'}")
            if found[name] != expected[name]:
                self.broken(f"{when}, {name} does not hold what the pipeline writes")


class _Looker(Listener):
    """Does some work with the pipeline of a run, and ends that before it begins."""

    def __init__(self, folder: Path, module: BaseBypass, work: Callable[[Pipeline], Any]) -> None:
        self.folder = folder
        self.module = module
        self.work = work
        self.done = False
        self.outcome: Any = None

    def pipeline_built(self, pipeline: Pipeline) -> None:
        pipeline.start_writers("run", pipeline.metadata.start_time, self.folder / "state")
        [(label, writer)] = pipeline.writers.items()
        writer.resume(None)
        self.module.start(BypassContext(pipeline.reader, writer, pipeline.formatters[label]))
        self.outcome = self.work(pipeline)
        self.done = True
        raise Interrupted("seen")


def _copied(module: BaseBypass, split: Split) -> Any:
    """What a bypass says of a split, or of its copy."""
    why = module.declines(split)
    if why is not None:
        return why
    try:
        return module.copy(split)
    except Declined as declined:
        return str(declined)


def _answers(module: BaseBypass, pipeline: Pipeline) -> list[tuple[str, bool]]:
    return [(split.id, module.declines(split) is None) for split in list(pipeline.reader.splits()) * 2]


def _decompressed(name: str, content: bytes) -> bytes:
    stream = open_decompressed(io.BytesIO(content), "auto", name=name)
    return b"".join(iter(stream.read, b""))


def _bare(name: str) -> str:
    """A name without the suffix of its compression, whose content is decompressed already."""
    for suffix in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(suffix)
    return name
