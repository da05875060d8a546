"""Where a run starts: the functions that `import ozzy` gives, and that the command is made of.

A library configures no logging, installs no signal handler and never exits: what goes wrong is raised as an OzzyError.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import attrs

from ozzy.contracts.module import Metadata, blamed_on
from ozzy.contracts.persistence import StateLocation
from ozzy.data.batch import Batch
from ozzy.data.record import Record
from ozzy.errors import ConfigError, OzzyError, SourceError, StateError
from ozzy.log import reason
from ozzy.plan.changes import Standing, changed_values, changed_versions, decide
from ozzy.plan.config import Config, load_config
from ozzy.plan.explain import Explanation, explained
from ozzy.plan.guarantee import demand
from ozzy.plan.pipeline import Pipeline, build
from ozzy.plan.registry import Registry
from ozzy.plan.resolution import Resolved, resolve
from ozzy.plan.signature import harmless, signature, stored, versions
from ozzy.run.bookmarks import BookmarkStore, IncrementalRun, move_if_all_arrived
from ozzy.run.books import Books
from ozzy.run.checkpoint import published_files
from ozzy.run.execution import Execution
from ozzy.run.listener import Listener, Stop
from ozzy.run.result import FileResult, Result, StageResult
from ozzy.run.runs import Lease, RunRecord, StateFolder, identity_of, state_root
from ozzy.run.stages import ErrorPolicy, FilterStage, Stage, TransformStage
from ozzy.run.verify import Verification, verified

__all__ = [
    "BasicExporter",
    "Explanation",
    "Listener",
    "Pipeline",
    "PreviewStage",
    "Result",
    "Stop",
    "Validation",
    "Verification",
    "abandon",
    "bookmark",
    "explain",
    "preview",
    "read",
    "resume",
    "run",
    "validate",
    "verify",
]

ConfigSource = str | Path | Mapping[str, Any]

PUBLISHED_SHOWN = 10
"""How many files of an abandoned run are named."""


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
    listener: Listener | None = None,
    stop: Stop | None = None,
    registry: Registry | None = None,
) -> Result:
    """Run a pipeline to its end.

    `config` is the path of a JSON, YAML or TOML file, or a mapping. `resume=True` goes on with the last run, which must have begun;
    `"auto"` goes on where it is unfinished, else starts a new one; `fresh` abandons an unfinished one. `set` overrides values by path
    (`{"writer.options.compression": "none"}`). `dry_run` reads and runs every stage and writes nothing; `limit` ends the run after so
    many records read. `accept_changes` lets a resumed run go on although config, versions or source are not as they were when it began.
    Raises OzzyError.
    """
    if resume and fresh:
        raise ConfigError("resume and fresh exclude each other")
    if accept_changes and not resume:
        raise ConfigError("accept_changes is about a run that is resumed")
    if limit is not None and limit < 1:
        raise ConfigError(f"limit must be at least 1, not {limit}")
    loaded = load_config(config, set=set or {})
    start = _Start(loaded, set or {}, state_dir, limit, listener, stop, registry, accept_changes)
    return start.go(resume, fresh=fresh, dry_run=dry_run)


def resume(
    run_id: str,
    *,
    config: ConfigSource | None = None,
    accept_changes: bool = False,
    set: Mapping[str, str] | None = None,
    state_dir: str | Path | None = None,
    listener: Listener | None = None,
    stop: Stop | None = None,
    registry: Registry | None = None,
) -> Result:
    """Go on with a run by its id, or the beginning of it. The config it was started with is in its state.

    Secrets are not: where one was written in the config, give `config` or `set` again. `accept_changes` goes on although something
    is not as it was when the run began. Raises OzzyError.
    """
    record = StateFolder(state_root(state_dir, None, Path.cwd())).find(run_id)
    start = _stored_start(record, config, set or {}, registry)
    start.listener, start.stop, start.accept_changes = listener, stop, accept_changes
    return start.go(True, record=record)


def abandon(
    run_id: str,
    *,
    config: ConfigSource | None = None,
    set: Mapping[str, str] | None = None,
    state_dir: str | Path | None = None,
    registry: Registry | None = None,
) -> None:
    """Give an unfinished run up, by its id: what it staged is deleted, what it had published stays. Raises OzzyError."""
    record = StateFolder(state_root(state_dir, None, Path.cwd())).find(run_id)
    _stored_start(record, config, set or {}, registry).give_up(record)


def _stored_start(record: RunRecord, config: ConfigSource | None, given: Mapping[str, str], registry: Registry | None) -> "_Start":
    """What an old run began with, from its state, or from the config where one is given."""
    if record.damage is not None:
        raise record.damage
    facts = record.facts
    overrides = {**facts["set"], **given}
    folder = Path(facts["working_folder"])
    if config is not None:
        loaded = load_config(config, set=overrides, working_folder=folder)
    else:
        missing = [path for path in facts["left_out"] if path not in overrides]
        if missing:
            raise ConfigError(
                f"run {record.id} needs {' and '.join(missing)}, which state never holds because it is secret",
                hint=f"Give it again: --config CONFIG, or --set {missing[0]}=…",
            )
        loaded = load_config(facts["config"], set=overrides, working_folder=folder)
        loaded = attrs.evolve(loaded, file=Path(facts["config_file"]) if facts["config_file"] else None)
    return _Start(loaded, overrides, record.folder.parent.parent, facts["limit"], None, None, registry)


@attrs.define
class _Start:
    """What a run begins with; `go` decides between a new run and an old one."""

    config: Config
    overrides: Mapping[str, str]
    state_dir: str | Path | None
    limit: int | None
    listener: Listener | None
    stop: Stop | None
    registry: Registry | None
    accept_changes: bool = False
    identity: str = attrs.field(init=False)

    def go(self, asked: bool | str, *, fresh: bool = False, dry_run: bool = False, record: RunRecord | None = None) -> Result:
        known = record.facts["pipeline"] if record is not None else identity_of(self.config.name, self.config.file)
        if known is None and asked is True:
            raise ConfigError("a config that is no file needs a `name` to be resumed", hint='Add "name": "…" to it.')
        registry = self.registry or Registry.load()
        pipeline = self._pipeline(registry, datetime.now().astimezone())
        if dry_run:
            incremental = self._incremental(pipeline, self._state(), known or "unnamed", self.limit)
            return self._execute(Execution(pipeline, known or "unnamed", limit=self.limit, incremental=incremental))
        if known is None:
            return self._unnamed(pipeline)
        self.identity = known
        state = self._state()
        with_lease = Lease(state.pipeline_folder(known)).take()
        try:
            last = record or next(iter(reversed(state.runs(known))), None)
            old = self._to_resume(last, asked, fresh=fresh)
            if old is not None and not old.unfinished:
                return _as_it_was(old, self.config.notices)
            if old is not None:
                pipeline = self._pipeline(registry, datetime.fromisoformat(old.facts["started"]))
            elif last is not None and last.unfinished:
                self._abandon(last, registry)
            return self._with_state(pipeline, state, with_lease, old)
        finally:
            with_lease.release()

    def give_up(self, record: RunRecord) -> None:
        """Abandon a run that is not to be gone on with; nothing happens to one that has ended."""
        lease = Lease(record.folder.parent).take(record.id)
        try:
            if record.unfinished:
                self._abandon(record, self.registry or Registry.load())
        finally:
            lease.release()

    def _pipeline(self, registry: Registry, started: datetime, config: Config | None = None) -> Pipeline:
        config = config or self.config
        metadata = Metadata(
            configuration=dict(config.raw), start_time=started, working_folder=config.working_folder, inherited=config.inherited
        )
        pipeline = build(config, registry, metadata)
        demand(pipeline)
        return pipeline

    def _to_resume(self, last: RunRecord | None, asked: bool | str, *, fresh: bool) -> RunRecord | None:
        if last is not None and last.damage is not None and not fresh:
            raise last.damage
        if asked is True:
            if last is None:
                raise StateError(f"no run of {self.identity} has begun, so there is none to resume", hint="Start one without --resume.")
            if last.facts["state"] == "abandoned":
                raise StateError(f"run {last.id} was abandoned and can't be resumed", hint="Start a new one without --resume.")
            return last
        if last is None or not last.unfinished or fresh:
            return None
        if asked == "auto":
            return last
        how = "it ended without warning" if last.facts["state"] == "running" else last.facts["state"]
        raise StateError(
            f"the last run of this pipeline, {last.id}, is unfinished ({how})",
            hint="Go on with it: --resume. Go on where there is something left, else start anew: --resume-auto.\n"
            "Give it up, delete what it staged and start anew: --fresh.",
        )

    def _with_state(self, pipeline: Pipeline, state: StateFolder, lease: Lease, old: RunRecord | None) -> Result:
        config, left_out = stored(self.config, pipeline)
        facts: dict[str, Any] = {
            "config": config,
            "left_out": left_out,
            "set": {path: text for path, text in self.overrides.items() if path not in left_out},
            "config_file": str(self.config.file.resolve()) if self.config.file is not None else None,
            "signature": signature(self.config, pipeline),
            "versions": versions(pipeline),
        }
        if old is not None:
            record = old
            changes = self._changes(old, facts, pipeline)
            record.save(state="running", ended=None, error=None, epoch=lease.epoch, **facts if changes else {}, changes=changes)
        else:
            kept = {
                "working_folder": str(self.config.working_folder),
                "limit": self.limit,
                "epoch": lease.epoch,
                "ended": None,
                "error": None,
            }
            record = state.new(self.identity, pipeline.metadata.start_time, facts | kept)
        lease.name(record.id)
        limit = self.limit if old is None else record.facts["limit"]
        incremental = self._incremental(pipeline, state, self.identity, limit)
        execution = Execution(
            pipeline,
            self.identity,
            record,
            lease,
            resumed=old is not None,
            limit=limit,
            incremental=incremental,
            accept_changes=self.accept_changes,
        )
        return self._execute(execution)

    def _state(self) -> StateFolder:
        return StateFolder(state_root(self.state_dir, self.config.file, self.config.working_folder))

    def _incremental(self, pipeline: Pipeline, state: StateFolder, identity: str, limit: int | None) -> IncrementalRun | None:
        if not self.config.bookmark:
            return None
        if limit is not None:
            self.config.notices.append("a run with a limit leaves the bookmark where it was")
        return IncrementalRun(BookmarkStore(state, identity), pipeline.part("reader").resolved.found.name, kept=limit is None)

    def _changes(self, old: RunRecord, facts: Mapping[str, Any], pipeline: Pipeline) -> list[str]:
        """What has changed since a run began, with what it went on with before. Raises StateError where it may not go on."""
        before, now = old.facts["signature"], facts["signature"]
        was, are = old.facts.get("versions", {}), facts["versions"]
        told: list[str] = list(old.facts.get("changes", []))
        if before == now and was == are:
            return told
        moved = [change for change in changed_values(before, now, Standing()) if change.path.startswith("persistence.")]
        standing = Standing() if moved else self._standing(old, pipeline.metadata.start_time)
        telling = {part.resolved.found.package for part in pipeline.parts if harmless(f"{part.stage}.")}
        working = {part.resolved.found.package for part in pipeline.parts if not harmless(f"{part.stage}.")}
        changes = [*changed_values(before, now, standing), *changed_versions(was, are, telling - working)]
        went_on = [str(change) for change in decide(changes, old.id, accepted=self.accept_changes)]
        self.config.notices.extend(f"changed since the run began: {change}" for change in went_on)
        return [*told, *went_on]

    def _standing(self, old: RunRecord, started: datetime) -> Standing:
        """What a run has behind it, seen through a pipeline of its own that is closed again."""
        pipeline = self._pipeline(self.registry or Registry.load(), started)
        try:
            pipeline.metadata.run_id = old.id
            pipeline.start_writers(old.id, started, old.folder)
            pipeline.persistence.open(StateLocation(old.folder, old.id, self.identity))
            document = pipeline.persistence.get_last_position()
            light = all(writer.resumable for writer in pipeline.writers.values())
        finally:
            pipeline.close()
        files = tuple(label for label, writer in pipeline.writers.items() if hasattr(writer, "files"))
        if document is None:
            return Standing(files=files, light=light)
        committed_full = document["kind"] == "full" and document["phase"] == "committed"
        return Standing(tuple(document["writers"]), files, staged=not committed_full, light=light)

    def _unnamed(self, pipeline: Pipeline) -> Result:
        """A mapping without a name can't be resumed: its state goes with it."""
        state = StateFolder(state_root(self.state_dir, None, self.config.working_folder))
        record = state.new(f"unnamed {id(self):x}", pipeline.metadata.start_time, {"signature": {}, "limit": self.limit, "ended": None})
        lease = Lease(record.folder.parent).take(record.id)
        try:
            return self._execute(Execution(pipeline, "unnamed", record, lease, limit=self.limit))
        except BaseException:
            for writer in pipeline.writers.values():
                writer.abandon()
            raise
        finally:
            lease.release()
            record.delete()
            _forget_folder(record.folder.parent)

    def _execute(self, execution: Execution) -> Result:
        if self.listener is not None:
            execution.listener = self.listener
        if self.stop is not None:
            execution.stop = self.stop
        try:
            result = execution.run()
        except BaseException:
            _close_after_failure(execution.pipeline)
            raise
        return _closed_after_success(execution.pipeline, result)

    def _abandon(self, old: RunRecord, registry: Registry) -> None:
        """Give an unfinished run up: what it staged is deleted, what it had published is left and named."""
        started = datetime.fromisoformat(old.facts["started"])
        pipeline = self._pipeline(registry, started, self._config_of(old))
        pipeline.metadata.run_id = old.id
        pipeline.start_writers(old.id, started, old.folder)
        pipeline.persistence.open(StateLocation(old.folder, old.id, old.facts["pipeline"]))
        document, published, unknown = None, [], ""
        try:
            document = pipeline.persistence.get_last_position()
            published = published_files(document, pipeline.writers)
        except StateError as error:
            unknown = f"; what it had published is not known: {error.message}"
        if move_if_all_arrived(old, document, pipeline):
            self.config.notices.append(f"all that run {old.id} had read was published, so the bookmark moved on to it")
        for writer in pipeline.writers.values():
            writer.abandon()
        pipeline.close()
        old.save(state="abandoned")
        told = f"run {old.id} was abandoned, and what it had staged is deleted{unknown}"
        if published:
            shown = ", ".join(published[:PUBLISHED_SHOWN])
            more = f" and {len(published) - PUBLISHED_SHOWN} more" if len(published) > PUBLISHED_SHOWN else ""
            told += f"; {len(published)} files that it had published are left: {shown}{more}"
        self.config.notices.append(told)

    def _config_of(self, old: RunRecord) -> Config:
        """The config an old run began with; secrets, which its state never holds, are taken from the present one, all if it is damaged."""
        if old.damage is not None:
            return self.config
        facts = old.facts
        secrets = {path: value for path in facts["left_out"] if (value := _at(self.config.raw, path)) is not None}
        loaded = load_config(facts["config"], set={**facts["set"], **secrets}, working_folder=Path(facts["working_folder"]))
        return attrs.evolve(loaded, file=Path(facts["config_file"]) if facts["config_file"] else None)


def _at(config: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(config, list):
            config = config[int(step)] if step.isdecimal() and int(step) < len(config) else None
        elif isinstance(config, Mapping):
            config = config.get(step)
        else:
            return None
    return config


def _as_it_was(record: RunRecord, notices: list[str]) -> Result:
    facts = record.facts
    return Result(
        run_id=record.id,
        pipeline=facts["pipeline"],
        state="already finished",
        counts={name: StageResult(**counts) for name, counts in facts["counts"].items()},
        files=[FileResult(**file) for file in facts["files"]],
        duration=facts["seconds"],
        records_read=facts["records_read"],
        records_written=facts["records_written"],
        notices=list(notices),
    )


def _closed_after_success(pipeline: Pipeline, result: Result) -> Result:
    """Close what the run no longer needs: all is published by then, so that whoever can't close is a notice, not a failure."""
    try:
        pipeline.close()
    except Exception as error:
        told = error.message if isinstance(error, OzzyError) else reason(error)
        return attrs.evolve(result, notices=[*result.notices, f"all is done, but a module could not be closed: {told}"])
    return result


def _close_after_failure(pipeline: Pipeline) -> None:
    """Close what can be closed: the error under way matters more than another one here, which is logged."""
    try:
        pipeline.close()
    except Exception as error:
        pipeline.reader.logger.warning("closing failed too", error=reason(error))


def _forget_folder(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def read(config: ConfigSource, *, set: Mapping[str, str] | None = None, registry: Registry | None = None) -> Iterator[Record]:
    """The records of a pipeline from its reader to `filter_after`, as dicts, one by one. No writer is needed, no state is kept.

    Raises OzzyError.
    """
    loaded = load_config(set=set or {}, source=config)
    pipeline = build(
        loaded, registry or Registry.load(), Metadata(working_folder=loaded.working_folder, inherited=loaded.inherited), needs_writer=False
    )
    errors = ErrorPolicy(loaded.errors.policy, loaded.errors.limit)
    return _records(pipeline, _stages(pipeline, errors), errors)


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
                    errors.reject("reader", rejected)
                yield batch


def _stages(pipeline: Pipeline, errors: ErrorPolicy) -> list[Stage]:
    books = Books()
    stages: list[Stage] = []
    if pipeline.filter_before is not None:
        stages.append(FilterStage("filter_before", pipeline.filter_before, books, errors))
    for i, transform in enumerate(pipeline.transforms):
        stages.append(TransformStage(f"transform.{i}" if len(pipeline.transforms) > 1 else "transform", transform, books, errors))
    if pipeline.filter_after is not None:
        stages.append(FilterStage("filter_after", pipeline.filter_after, books, errors))
    return stages


@attrs.frozen
class PreviewStage:
    """What left one stage of a preview: `records` has an entry for each record read, None where the stage kept it back.

    Where a transform makes records of its own, the entries are simply what it made.
    """

    name: str
    module: str
    records: list[Record | None]


def preview(
    config: ConfigSource, n: int = 5, *, set: Mapping[str, str] | None = None, registry: Registry | None = None
) -> list[PreviewStage]:
    """The first `n` records as they leave each stage. Nothing is written, no state is kept. Raises OzzyError."""
    loaded = load_config(config, set=set or {})
    pipeline = build(
        loaded, registry or Registry.load(), Metadata(working_folder=loaded.working_folder, inherited=loaded.inherited), needs_writer=False
    )
    errors = ErrorPolicy(loaded.errors.policy, loaded.errors.limit)
    try:
        first: list[Record] = []
        for batch in _batches(pipeline, errors):
            first += [dict(record) for record in batch.take(range(min(n - len(first), len(batch)))).records]
            if len(first) >= n:
                break
        batch = Batch.from_records([_copy(record) for record in first], origin=range(len(first)))
        seen = [PreviewStage("reader", type(pipeline.reader).__name__, list(first))]
        for stage in _stages(pipeline, errors):
            batch = stage(batch)
            seen.append(PreviewStage(stage.name, type(stage.module).__name__, _aligned(batch, len(first))))
        for label, chosen_by in pipeline.routes.items():
            route = FilterStage(f"{label}.when", chosen_by, Books(), errors)
            seen.append(PreviewStage(route.name, type(chosen_by).__name__, _aligned(route(batch), len(first))))
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


def validate(config: ConfigSource, *, set: Mapping[str, str] | None = None, registry: Registry | None = None) -> Validation:
    """Check a config without reading or connecting. Raises ConfigError or PluginError with everything that is wrong."""
    loaded = load_config(config, set=set or {})
    modules = resolve(loaded, registry or Registry.load())
    return Validation(loaded, modules, list(loaded.notices))


def explain(
    config: ConfigSource, *, set: Mapping[str, str] | None = None, state_dir: str | Path | None = None, registry: Registry | None = None
) -> Explanation:
    """What a run of this config would be: modules, faces, delivery guarantee, and where things go. Nothing is read or connected."""
    loaded = load_config(config, set=set or {})
    metadata = Metadata(working_folder=loaded.working_folder, inherited=loaded.inherited)
    pipeline = build(loaded, registry or Registry.load(), metadata)
    root = state_root(state_dir, loaded.file, loaded.working_folder)
    identity = identity_of(loaded.name, loaded.file)
    start = None
    if loaded.bookmark and identity is not None:
        start = str(BookmarkStore(StateFolder(root), identity).current() or "everything: no run has left a bookmark yet")
    return explained(pipeline, root, identity, start)


def bookmark(
    config: ConfigSource, *, set: Mapping[str, str] | None = None, state_dir: str | Path | None = None, registry: Registry | None = None
) -> BookmarkStore:
    """The bookmark of a pipeline: `current()` is what the next run starts from, `marks()` what was found then, `reset()` forgets it.

    Raises OzzyError.
    """
    loaded = load_config(config, set=set or {})
    resolve(loaded, registry or Registry.load(), needs_writer=False)
    identity = identity_of(loaded.name, loaded.file)
    if identity is None:
        raise ConfigError("a config that is no file needs a `name` to have a bookmark", hint='Add "name": "…" to it.')
    return BookmarkStore(StateFolder(state_root(state_dir, loaded.file, loaded.working_folder)), identity)


def verify(manifest: str | Path, *, rows: bool = False, strict: bool = False, registry: Registry | None = None) -> Verification:
    """Compare a destination with the manifest in it: each file's presence, size and checksum, offline.

    `rows` counts the rows of JSON and CSV files too; with `strict`, files that the manifest does not name are differences. What differs
    is in the outcome; DestinationError is raised for a manifest that is missing or damaged.
    """
    return verified(Path(manifest), rows=rows, strict=strict, registry=registry)


class BasicExporter:
    """The inherited way in.

    `BasicExporter.from_file_configuration("export.json").export()` runs a config as `ozzy.run` does; `metadata` holds the outcome.
    """

    def __init__(self, configuration: ConfigSource) -> None:
        self.configuration = configuration
        self.result: Result | None = None

    @classmethod
    def from_file_configuration(cls, filepath: str | Path) -> "BasicExporter":
        """An exporter for a config file."""
        return cls(Path(filepath))

    def export(self) -> Result:
        """Run it. Raises OzzyError."""
        self.result = run(self.configuration)
        return self.result
