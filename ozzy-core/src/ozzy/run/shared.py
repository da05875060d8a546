"""The state of pipelines in a store that several machines share: what `runs.py` does with files, done with documents.

- `PIPELINE/lease`: who may run it, with the epoch
- `PIPELINE/bookmark`, `PIPELINE/marks-RUN/…`: where the next run starts
- `PIPELINE/runs/RUN/run`, `…/checkpoint`, `…/splits.jsonl/EPOCH/…`: facts, checkpoint and lists of a run

A local folder holds only what work needs: copies of lists, and staged data of writers whose destination has no place for it.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ozzy.contracts.documents import Documents, lines_of
from ozzy.contracts.lease import TimedLease
from ozzy.contracts.module import Metadata
from ozzy.contracts.shared_persistence import BaseSharedPersistence, checkpoint_key, pipeline_key, run_key
from ozzy.errors import PluginError, StateError
from ozzy.log import redact
from ozzy.options.option import options_of
from ozzy.plan.config import Config
from ozzy.plan.registry import Registry
from ozzy.plan.resolution import Resolved, resolve
from ozzy.run.runs import RunRecord, StateFolder, begun, guessed, state_root
from ozzy.staging.disk import checksum


@attrs.define
class SharedRecord(RunRecord):
    """One run whose facts are in a shared store; `folder` is where work on it is done on this machine."""

    persistence: BaseSharedPersistence = attrs.field(kw_only=True, repr=False, eq=False)
    shared: ClassVar[bool] = True

    @property
    def pipeline(self) -> str:
        """The identity of its pipeline."""
        return str(self.facts["pipeline"])

    @property
    def documents(self) -> Documents:
        """The documents of the store."""
        return self.persistence.documents

    @property
    def held(self) -> bool:
        return bool(self.lease_facts()["held"])

    @property
    def lists(self) -> Path:
        return self.folder / f"epoch-{self.documents.epoch}"

    @property
    def place(self) -> str:
        return self.persistence.address()

    @property
    def uri(self) -> str:
        return self.persistence.uri(self.id)

    def lease(self) -> TimedLease:
        return self.persistence.lease(self.pipeline)

    def lease_facts(self) -> dict[str, Any]:
        return self.lease().noted()

    def checkpoint(self) -> Any:
        document = self.documents.read(checkpoint_key(self.pipeline, self.id))
        return document.content if document is not None else None

    def put_checkpoint(self, document: Any) -> None:
        self.documents.put(checkpoint_key(self.pipeline, self.id), document)

    def save(self, **facts: Any) -> None:
        self.facts.update(facts)
        self.documents.put(f"{self._key}/run", self.facts)

    def delete(self) -> None:
        for key in self.documents.keys(f"{self._key}/"):
            if key != f"{self._key}/run":
                self.documents.delete(key)
        self.documents.delete(f"{self._key}/run")
        self.tidy()

    def keep_list(self, name: str) -> None:
        self.documents.keep_file(f"{self._key}/{name}", self.lists / name)

    def fetch_list(self, name: str, sha256: str) -> None:
        path = self.lists / name
        if not path.exists() or checksum(path) != sha256:
            self.documents.fetch_file(f"{self._key}/{name}", path, sha256)

    def read_list(self, name: str, sha256: str) -> Iterator[bytes]:
        return lines_of(self.documents.file(f"{self._key}/{name}", sha256))

    def tidy(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent.is_dir() and not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()

    @property
    def _key(self) -> str:
        return run_key(self.pipeline, self.id)


@attrs.define
class SharedState(StateFolder):
    """The state of pipelines in the store of a persistence of its own, which `close` closes; `root` is the local folder for work."""

    persistence: BaseSharedPersistence = attrs.field(kw_only=True, repr=False)
    elsewhere: ClassVar[str] = "`ozzy runs list --config CONFIG` shows the runs."

    @property
    def documents(self) -> Documents:
        """The documents of the store."""
        return self.persistence.documents

    @property
    def place(self) -> str:
        return self.persistence.address()

    def lease(self, identity: str, pause: Callable[[float], None] = time.sleep) -> TimedLease:
        lease = self.persistence.lease(identity)
        lease.pause = pause
        return lease

    def new(self, identity: str, started: datetime, facts: dict[str, Any]) -> SharedRecord:
        known = begun(identity, started)
        record = self._record({**known, **facts})
        record.save(state="running")
        return record

    def again(self, record: RunRecord) -> RunRecord:
        if record.damage is not None:
            return record
        facts = self.documents.claim(f"{run_key(record.facts['pipeline'], record.id)}/run")
        if facts is None:
            raise StateError(f"run {record.id} was deleted meanwhile", hint="Start a new one without --resume.")
        return self._record(facts)

    def close(self) -> None:
        self.persistence.close()

    def _records(self, identity: str | None) -> Iterator[SharedRecord]:
        prefix = "" if identity is None else f"{pipeline_key(identity)}/runs/"
        for key in self.documents.keys(prefix):
            pipeline, _, rest = key.partition("/runs/")
            run, _, name = rest.partition("/")
            if name != "run":
                continue
            try:
                document = self.documents.read(key)
            except StateError as error:
                facts = guessed(run, identity or pipeline, error, datetime.now(UTC))
                yield SharedRecord(self.pipeline_folder(pipeline) / run, facts, error, persistence=self.persistence)
                continue
            if document is not None:
                yield self._record(document.content)

    def _record(self, facts: dict[str, Any]) -> SharedRecord:
        return SharedRecord(self.pipeline_folder(facts["pipeline"]) / facts["run"], facts, persistence=self.persistence)


def root_of(resolved: list[Resolved], config: Config, state_dir: str | Path | None) -> Path:
    """The local state folder of a config: as given, as its persistence names it, or the usual one."""
    found = next(one for one in resolved if one.section.kind == "persistence")
    named: str | None = found.found.cls.named_state_folder(found.options)  # type: ignore[attr-defined]
    return state_root(state_dir, config.file, config.working_folder, named)


def state_of(resolved: list[Resolved], config: Config, state_dir: str | Path | None) -> StateFolder:
    """Where the state of a config is: in the store of its persistence, where that is shared, else in the local state folder."""
    root = root_of(resolved, config, state_dir)
    found = next(one for one in resolved if one.section.kind == "persistence")
    if not issubclass(found.found.cls, BaseSharedPersistence):
        return StateFolder(root)
    metadata = Metadata(working_folder=config.working_folder, inherited=config.inherited)
    section = {"name": found.section.name, "options": found.options}
    return SharedState(root, persistence=found.found.cls(section, metadata))


@contextmanager
def state_of_config(config: Config | None, state_dir: str | Path | None, registry: Registry | None = None) -> Iterator[StateFolder]:
    """Where the state of a config is, without one the local folder; closed at the end. Raises ConfigError where the config is wrong."""
    if config is None:
        state = StateFolder(state_root(state_dir, None, Path.cwd()))
    else:
        resolved = resolve(config, registry or Registry.load(), needs_writer=False)
        state = state_of(resolved, config, state_dir)
    try:
        yield state
    finally:
        state.close()


@contextmanager
def found_run(
    given: str, config: Config | None, state_dir: str | Path | None, registry: Registry | None = None
) -> Iterator[tuple[RunRecord, dict[str, Any]]]:
    """A run by its id, the beginning of one, or its URI, and the options of its persistence as far as the URI says them.

    Where an id does not belong to the local state, `config` says where its state is.
    """
    local = _local_state_of_uri(given, registry) if ":" in given else None
    if local is not None:
        folder, run = local
        yield StateFolder(Path(folder)).find(run), {}
        return
    if "://" in given:
        state, run, options = _state_of_uri(given, state_dir, registry or Registry.load())
        try:
            yield state.find(run), options
        finally:
            state.close()
        return
    with state_of_config(config, state_dir, registry) as state:
        where = state if isinstance(state, SharedState) else StateFolder(state_root(state_dir, None, Path.cwd()))
        yield where.find(given), {}


def _secrets(persistence: BaseSharedPersistence) -> dict[str, Any]:
    """The secrets with which a store was found, wherever they came from: a run in it needs them too."""
    declared = options_of(type(persistence))
    found = {name: persistence.read_option(one.attribute) for name, one in declared.items() if one.secret}
    return {name: value for name, value in found.items() if value}


def _local_state_of_uri(uri: str, registry: Registry | None) -> tuple[str, str] | None:
    """The folder and the run that a URI of a persistence with state in a folder names."""
    registry = registry or Registry.load()
    for row in registry.rows("persistence"):
        try:
            found = registry.resolve("persistence", row.name).cls.run_of_uri(uri)  # type: ignore[attr-defined]
        except PluginError:
            continue
        if found is not None:
            return found  # type: ignore[no-any-return]
    return None


def _state_of_uri(uri: str, state_dir: str | Path | None, registry: Registry) -> tuple[StateFolder, str, dict[str, Any]]:
    for row in registry.rows("persistence"):
        try:
            cls = registry.resolve("persistence", row.name).cls
            options, run = cls.options_from_uri(uri) if issubclass(cls, BaseSharedPersistence) else ({}, "")
        except (PluginError, StateError):
            continue
        if run:
            persistence = cls({"name": row.name, "options": options}, Metadata(working_folder=Path.cwd()))
            return SharedState(state_root(state_dir, None, Path.cwd()), persistence=persistence), run, _secrets(persistence) | options
    raise StateError(f"no persistence that is installed knows {redact(uri)}", hint="`ozzy plugins list` shows which there are.")
