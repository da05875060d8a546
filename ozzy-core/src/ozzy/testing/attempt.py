"""One attempt at running a pipeline in a child process, with a kill at a step, at a moment, or none."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import attrs

import ozzy
from ozzy import Registry, Result, StateError
from ozzy.testing.modules import registry
from ozzy.testing.process import Ended, Freezing, in_child
from ozzy.testing.steps import Steps, freeze

_REPORT = "report.json"
_DOCUMENTS = "documents.jsonl"


@attrs.frozen
class Report:
    """What a run that came to its end tells of itself: its steps, the records it has read, and the seconds it took."""

    steps: list[str]
    records_read: int
    seconds: float


@attrs.frozen
class Job:
    """What the child does: run the config, or go on with it where it has begun. `document` stands in for the newest checkpoint.

    Before step `last` it is killed, or freezes.
    """

    config: dict[str, Any]
    modules: Mapping[str, type]
    folder: Path
    state: Path
    out: Path
    last: int = 0
    document: Any = None
    freezes: bool = False

    def __call__(self) -> None:
        """Run, and write down how it went."""
        os.chdir(self.folder)
        registry = registry_of(self.modules)
        steps = Steps(self.last, freeze) if self.freezes else Steps(self.last)
        modules = [registry.resolve(kind, name).cls for kind, name in sections(self.config)]
        with (self.out / _DOCUMENTS).open("a", encoding="utf-8") as kept, steps.watching(*modules), self._keeping(modules[-1], kept):
            result = self._run(registry)
        report = {"steps": steps.names, "records_read": result.records_read, "seconds": result.duration}
        (self.out / _REPORT).write_text(json.dumps(report), encoding="utf-8")

    def _run(self, registry: Registry) -> Result:
        try:
            return ozzy.run(self.config, resume=True, state_dir=self.state, registry=registry)
        except StateError as error:
            if "has begun" not in error.message:
                raise
        return ozzy.run(self.config, state_dir=self.state, registry=registry)

    @contextmanager
    def _keeping(self, persistence: Any, kept: Any) -> Iterator[None]:
        """Let every document that is committed be written down, and the one that was asked for be the newest."""
        commit, newest, document = persistence.commit_position, persistence.get_last_position, self.document

        def committing(module: Any, last_position: Any) -> None:
            commit(module, last_position)
            kept.write(json.dumps(last_position) + "\n")
            kept.flush()

        def finding(module: Any) -> Any:
            return document if newest(module) is not None else None

        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(persistence, "commit_position", committing))
            if document is not None:
                stack.enter_context(mock.patch.object(persistence, "get_last_position", finding))
            yield


@attrs.define
class Attempt:
    """Runs of one pipeline in a folder of their own, until it has come to its end. `{attempt}` in a text of the config is its name."""

    name: str
    config: dict[str, Any]
    modules: Mapping[str, type]
    base: Path
    fork: bool = True

    def __attrs_post_init__(self) -> None:
        for folder in (self.folder, self.out):
            folder.mkdir(parents=True, exist_ok=True)
        self.config = {**_named(self.config, self.name), "name": f"kill {self.name}"}

    @property
    def folder(self) -> Path:
        """Where the pipeline runs: relative paths of its config belong here."""
        return self.base / self.name / "here"

    @property
    def state(self) -> Path:
        """Its state folder."""
        return self.base / self.name / "state"

    @property
    def out(self) -> Path:
        """What the child tells of itself."""
        return self.base / self.name / "told"

    def go(self, *, last: int = 0, seconds: float | None = None, document: Any = None) -> Ended:
        """Run or go on, killed before step `last` or after so many seconds."""
        job = Job(self.config, self.modules, self.folder, self.state, self.out, last, document)
        return in_child(job, self.out / "child.log", seconds=seconds, fork=self.fork)

    def freeze(self, last: int) -> Freezing:
        """Run until it freezes before step `last`."""
        job = Job(self.config, self.modules, self.folder, self.state, self.base / self.name / "frozen", last, freezes=True)
        job.out.mkdir(exist_ok=True)
        return Freezing.start(job, job.out / "child.log", fork=self.fork)

    def report(self) -> Report:
        """What the run told when it came to its end."""
        return Report(**json.loads((self.out / _REPORT).read_text(encoding="utf-8")))

    def documents(self) -> list[Any]:
        """Every document that was committed, in order; a last line cut by a kill is left out."""
        path = self.out / _DOCUMENTS
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]


def registry_of(modules: Mapping[str, type]) -> Registry:
    """The registry with these modules, made once: forked children inherit it."""
    return _made(tuple(sorted(modules.items())))


@cache
def _made(modules: tuple[tuple[str, type], ...]) -> Registry:
    return registry(**dict(modules))


def sections(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Kind and name of the modules of a config whose calls are steps."""
    ends = [(kind, one) for kind in ("reader", "writer") for one in (config[kind] if isinstance(config[kind], list) else [config[kind]])]
    return [*((kind, _name(one)) for kind, one in ends), ("persistence", _name(config.get("persistence", "file")))]


def _name(section: Any) -> str:
    return str(section["name"] if isinstance(section, Mapping) else section)


def _named(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace("{attempt}", name)
    if isinstance(value, Mapping):
        return {key: _named(one, name) for key, one in value.items()}
    return [_named(one, name) for one in value] if isinstance(value, list) else value
