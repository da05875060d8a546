"""Where a run starts: the functions that `import ozzy` gives, and that the command is made of.

A library configures no logging, installs no signal handler and never exits: what goes wrong is raised as an OzzyError.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ozzy.contracts.filter_chain import called
from ozzy.contracts.module import blamed_on
from ozzy.contracts.reader import BaseReader
from ozzy.contracts.shared_persistence import BaseSharedPersistence
from ozzy.data.batch import Batch
from ozzy.data.record import Record
from ozzy.errors import ConfigError, SourceError
from ozzy.plan.config import Config, load_config
from ozzy.plan.guarantee import demand
from ozzy.plan.pipeline import Pipeline, build, metadata_of
from ozzy.plan.registry import Registry
from ozzy.plan.resolution import Resolved, resolve
from ozzy.run.bookmarks import BookmarkStore
from ozzy.run.books import Books
from ozzy.run.error_policy import ErrorPolicy
from ozzy.run.inherited_runs import inherited_config, resumed_inherited
from ozzy.run.listener import Listener, Stop
from ozzy.run.profile import Profile
from ozzy.run.result import Result
from ozzy.run.runs import RunRecord, StateFolder, identity_of, state_root
from ozzy.run.shared import found_run, root_of, state_of
from ozzy.run.shared_bookmarks import bookmarks_of
from ozzy.run.stages import FilterStage, Stage, stages_of
from ozzy.run.start import Start, see_that_it_has_ended, start_again

if TYPE_CHECKING:
    from ozzy.plan.explain import Explanation
    from ozzy.run.quarantined import Quarantined
    from ozzy.run.verify import Verification

__all__ = [
    "BasicExporter",
    "Listener",
    "Pipeline",
    "PreviewStage",
    "Result",
    "Stop",
    "Validation",
    "abandon",
    "bookmark",
    "discard",
    "explain",
    "preview",
    "quarantined",
    "read",
    "replay",
    "resume",
    "run",
    "validate",
    "verify",
]

ConfigSource = str | Path | Mapping[str, Any]


def run(
    config: ConfigSource,
    *,
    resume: bool | Literal["auto"] = False,
    fresh: bool = False,
    accept_changes: bool = False,
    set: Mapping[str, str] | None = None,
    state_dir: str | Path | None = None,
    dry_run: bool = False,
    limit: int | None = None,
    allow_code: bool = False,
    profile: bool = False,
    listener: Listener | None = None,
    stop: Stop | None = None,
    registry: Registry | None = None,
) -> Result:
    """Run a pipeline to its end.

    `config` is the path of a JSON, YAML or TOML file, or a mapping. `resume=True` goes on with the last run, which must have begun;
    `"auto"` goes on where it is unfinished, else starts a new one; `fresh` abandons an unfinished one. `set` overrides values by path
    (`{"writer.options.compression": "none"}`). `dry_run` reads and runs every stage and writes nothing; `limit` ends the run after so
    many records read. `accept_changes` lets a resumed run go on although config, versions or source are not as they were when it began.
    `allow_code` lets the config bring code of its own (the options `imports` and `code`). With `profile`, the result says where the time
    went. Raises OzzyError.
    """
    if resume and fresh:
        raise ConfigError("resume and fresh exclude each other")
    if accept_changes and not resume:
        raise ConfigError("accept_changes is about a run that is resumed")
    if limit is not None and limit < 1:
        raise ConfigError(f"limit must be at least 1, not {limit}")
    loaded = load_config(config, set=set or {})
    listener = listener or Listener()
    watching = listener.profile = Profile() if profile else None
    start = Start(loaded, set or {}, state_dir, limit, listener, stop, registry, accept_changes, allow_code)
    result = start.go(resume, fresh=fresh, dry_run=dry_run)
    return result if watching is None else attrs.evolve(result, profile=watching.report(result))


def resume(
    run_id: str,
    *,
    config: ConfigSource | None = None,
    accept_changes: bool = False,
    allow_code: bool = False,
    set: Mapping[str, str] | None = None,
    state_dir: str | Path | None = None,
    listener: Listener | None = None,
    stop: Stop | None = None,
    registry: Registry | None = None,
) -> Result:
    """Go on with a run by its id, the beginning of it, or its URI. The config it was started with is in its state.

    Secrets are not: where one was written in the config, give `config` or `set` again. Where the state is shared and `run_id` no URI,
    `config` says where it is. `accept_changes` goes on although something is not as it was when the run began; `allow_code` is asked for
    again. Raises OzzyError.

    A URI of a job of the inherited system (`pickle:PATH`) begins a run behind what that job had read, once `accept_changes` says that what
    the job had not written any more may be missing; given again, it goes on with that run.
    """
    inherited = inherited_config(run_id, registry)
    if inherited is not None:
        start = Start(
            load_config(inherited, set=set or {}), set or {}, state_dir, None, listener, stop, registry, accept_changes, allow_code
        )
        return resumed_inherited(start, run_id)
    loaded = load_config(config, set=set or {}) if config is not None else None
    with found_run(run_id, loaded, state_dir, registry) as (record, told):
        start = start_again(record, config, _with_told(record, told, set or {}), registry)
        start.listener, start.stop, start.accept_changes, start.allow_code = listener, stop, accept_changes, allow_code
        return start.go(True, record=record)


def _with_told(record: RunRecord, told: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Overrides, with those secrets of the persistence that a URI has told."""
    paths = {f"persistence.options.{name}": str(value) for name, value in told.items()}
    return {path: value for path, value in paths.items() if path in record.facts.get("left_out", ())} | dict(given)


def abandon(
    run_id: str,
    *,
    config: ConfigSource | None = None,
    allow_code: bool = False,
    set: Mapping[str, str] | None = None,
    state_dir: str | Path | None = None,
    registry: Registry | None = None,
) -> None:
    """Give an unfinished run up, as `resume` finds it: what it staged is deleted, what it had published stays. Raises OzzyError."""
    loaded = load_config(config, set=set or {}) if config is not None else None
    with found_run(run_id, loaded, state_dir, registry) as (record, told):
        start = start_again(record, config, _with_told(record, told, set or {}), registry)
        start.allow_code = allow_code
        start.give_up(record)


def quarantined(run: str | Result, *, state_dir: str | Path | None = None) -> "Quarantined":
    """What a run keeps in quarantine, by its id (or the beginning of it) or its result. Raises StateError.

    Iterating gives the records that are left; `causes` groups them.
    """
    from ozzy.run.quarantined import Quarantined

    return Quarantined.of(_record_of(run, state_dir))


def replay(
    run: str | Result,
    *,
    cause: int | None = None,
    config: ConfigSource | None = None,
    allow_code: bool = False,
    set: Mapping[str, str] | None = None,
    state_dir: str | Path | None = None,
    listener: Listener | None = None,
    stop: Stop | None = None,
    registry: Registry | None = None,
) -> Result:
    """Give what a run keeps in quarantine, of one cause or all, to the stages that refused it, once these were mended.

    This is a run of its own, with an id by which it is resumed: each record arrives once. `config` is by default the file that the run was
    started with, as it is now, else what its state holds. Raises OzzyError.
    """
    from ozzy.run.replay import Replay

    record = _record_of(run, state_dir)
    asked = Replay.start(record, cause)
    file = record.facts["config_file"]
    start = start_again(record, config if config is not None or not file or not Path(file).exists() else Path(file), set or {}, registry)
    if identity_of(start.config.name, start.config.file) != record.facts["pipeline"]:
        raise ConfigError(
            f"run {record.id} is of the pipeline {record.facts['pipeline']}, and this config is of another one",
            hint="Give it the same `name`.",
        )
    start.listener, start.stop, start.replay, start.limit, start.allow_code = listener, stop, asked, None, allow_code
    return start.go(False)


def discard(run: str | Result, *, cause: int | None = None, state_dir: str | Path | None = None) -> int:
    """Mark what a run keeps in quarantine, of one cause or all, as discarded; how many records that were. Raises StateError."""
    from ozzy.run.replay import discarded

    record = _record_of(run, state_dir)
    lease = record.lease().take(record.id)
    try:
        see_that_it_has_ended(next(iter(reversed(StateFolder(record.folder.parent.parent).runs(record.facts["pipeline"]))), None))
        return discarded(record, cause)
    finally:
        lease.release()


def _record_of(run: str | Result, state_dir: str | Path | None) -> RunRecord:
    return StateFolder(state_root(state_dir, None, Path.cwd())).find(run if isinstance(run, str) else run.run_id)


def read(
    config: ConfigSource, *, set: Mapping[str, str] | None = None, allow_code: bool = False, registry: Registry | None = None
) -> Iterator[Record]:
    """The records of a pipeline from its reader to `filter_after`, as dicts, one by one. No writer is needed, no state is kept.

    Raises OzzyError.
    """
    loaded = load_config(set=set or {}, source=config)
    pipeline = build(loaded, registry or Registry.load(), metadata_of(loaded, allow_code=allow_code), needs_writer=False)
    errors = ErrorPolicy(loaded.errors.policy, loaded.errors.limit, stages=pipeline.stage_errors, reader_of=pipeline.reader_stage)
    return _records(pipeline, stages_of(pipeline, Books(), errors), errors)


def _records(pipeline: Pipeline, stages: list[Stage], errors: ErrorPolicy) -> Iterator[Record]:
    try:
        for batch in _batches(pipeline, errors):
            for stage in stages:
                batch = stage(batch)  # noqa: PLW2901
            yield from batch.records
    finally:
        pipeline.close()


def _batches(pipeline: Pipeline, errors: ErrorPolicy) -> Iterator[Batch]:
    with blamed_on("reading the source", pipeline.reader, SourceError):
        for split in pipeline.reader.splits():
            for batch in pipeline.reader.read(split, None):
                for rejected in batch.rejected:
                    errors.reject("reader", rejected, split=batch.split)
                yield batch


@attrs.frozen
class PreviewStage:
    """What left one stage of a preview: `records` has an entry for each record read, None where the stage kept it back.

    Where a transform makes records of its own, the entries are simply what it made.
    """

    name: str
    module: str
    records: list[Record | None]


def preview(
    config: ConfigSource,
    n: int = 5,
    *,
    set: Mapping[str, str] | None = None,
    allow_code: bool = False,
    registry: Registry | None = None,
) -> list[PreviewStage]:
    """The first `n` records as they leave each stage. Nothing is written, no state is kept. Raises OzzyError."""
    loaded = load_config(config, set=set or {})
    pipeline = build(loaded, registry or Registry.load(), metadata_of(loaded, allow_code=allow_code), needs_writer=False)
    errors = ErrorPolicy(loaded.errors.policy, loaded.errors.limit, stages=pipeline.stage_errors, reader_of=pipeline.reader_stage)
    try:
        first: list[Record] = []
        for batch in _batches(pipeline, errors):
            first += [dict(record) for record in batch.take(range(min(n - len(first), len(batch)))).records]
            if len(first) >= n:
                break
        batch = Batch.from_records([_copy(record) for record in first], origin=range(len(first)))
        readers = ", ".join(type(part.module).__name__ for part in pipeline.parts if isinstance(part.module, BaseReader))
        seen = [PreviewStage("reader", readers, list(first))]
        for stage in stages_of(pipeline, Books(), errors):
            batch = stage(batch)
            seen.append(PreviewStage(stage.name, called(stage.module), _aligned(batch, len(first))))
        for label, chosen_by in pipeline.routes.items():
            route = FilterStage(f"{label}.when", chosen_by, Books(), errors)
            seen.append(PreviewStage(route.name, called(chosen_by), _aligned(route(batch), len(first))))
        return seen
    finally:
        pipeline.close()


def _aligned(batch: Batch, count: int) -> list[Record | None]:
    records = [_copy(record) for record in batch.records]
    if batch.origin is None:
        return list(records)
    by_row = dict(zip(batch.origin, records, strict=True))
    return [by_row.get(row) for row in range(count)]


def _copy(record: Record) -> Record:
    from copy import deepcopy

    return deepcopy(dict(record))


@attrs.frozen
class Validation:
    """A config that is right: its modules with the options of each and where every value came from, and what there is to say."""

    config: Config
    modules: list[Resolved]
    notices: list[str]


def validate(
    config: ConfigSource, *, set: Mapping[str, str] | None = None, allow_code: bool = False, registry: Registry | None = None
) -> Validation:
    """Check a config without reading or connecting. Raises ConfigError or PluginError with everything that is wrong."""
    loaded = load_config(config, set=set or {})
    pipeline = build(loaded, registry or Registry.load(), metadata_of(loaded, allow_code=allow_code))
    try:
        demand(pipeline)
    finally:
        pipeline.close()
    return Validation(loaded, pipeline.resolved, list(loaded.notices))


def explain(
    config: ConfigSource,
    *,
    set: Mapping[str, str] | None = None,
    state_dir: str | Path | None = None,
    allow_code: bool = False,
    registry: Registry | None = None,
    source: bool = False,
) -> "Explanation":
    """What a run of this config would be: modules, faces, delivery guarantee, and where things go. Nothing is read or connected.

    With `source` the source is listed too, and bypasses are asked for each part of it: `parts` then says what would be copied, and why the
    rest would not. They read what they have to read for that; nothing is written.
    """
    from ozzy.plan.explain import explained

    loaded = load_config(config, set=set or {})
    metadata = metadata_of(loaded, allow_code=allow_code)
    pipeline = build(loaded, registry or Registry.load(), metadata)
    root = root_of([part.resolved for part in pipeline.parts], loaded, state_dir)
    identity = identity_of(loaded.name, loaded.file)
    start = None
    if loaded.bookmark and identity is not None:
        start = _where_it_starts(pipeline, StateFolder(root), identity)
    told = explained(pipeline, root, identity, start)
    if not source:
        return told
    from ozzy.run.foreseen import foreseen

    return attrs.evolve(told, parts=foreseen(pipeline, root, told.past_the_stages))


def _where_it_starts(pipeline: Pipeline, state: StateFolder, identity: str) -> str:
    if isinstance(pipeline.persistence, BaseSharedPersistence):
        return f"what the bookmark says, which is in {pipeline.persistence.address()}"
    return str(BookmarkStore(state, identity).current() or "everything: no run has left a bookmark yet")


def bookmark(
    config: ConfigSource, *, set: Mapping[str, str] | None = None, state_dir: str | Path | None = None, registry: Registry | None = None
) -> BookmarkStore:
    """The bookmark of a pipeline: `current()` is what the next run starts from, `marks()` what was found then, `reset()` forgets it.

    Raises OzzyError.
    """
    loaded = load_config(config, set=set or {})
    resolved = resolve(loaded, registry or Registry.load(), needs_writer=False)
    identity = identity_of(loaded.name, loaded.file)
    if identity is None:
        raise ConfigError("a config that is no file needs a `name` to have a bookmark", hint='Add "name": "…" to it.')
    return bookmarks_of(state_of(resolved, loaded, state_dir), identity)


def verify(manifest: str | Path, *, rows: bool = False, strict: bool = False, registry: Registry | None = None) -> "Verification":
    """Compare a destination with the manifest in it: each file's presence, size and checksum, offline.

    `rows` counts the rows of JSON and CSV files too; with `strict`, files that the manifest does not name are differences. What differs
    is in the outcome; DestinationError is raised for a manifest that is missing or damaged.
    """
    from ozzy.run.verify import verified

    return verified(Path(manifest), rows=rows, strict=strict, registry=registry)


class BasicExporter:
    """The inherited way in.

    `BasicExporter.from_file_configuration("export.json").export()` runs a config as `ozzy.run` does; `metadata` holds the outcome.
    """

    def __init__(self, configuration: ConfigSource, *, allow_code: bool = False) -> None:
        self.configuration = configuration
        self.allow_code = allow_code
        self.result: Result | None = None

    @classmethod
    def from_file_configuration(cls, filepath: str | Path, *, allow_code: bool = False) -> "BasicExporter":
        """An exporter for a config file."""
        return cls(Path(filepath), allow_code=allow_code)

    def export(self) -> Result:
        """Run it. Raises OzzyError."""
        self.result = run(self.configuration, allow_code=self.allow_code)
        return self.result
