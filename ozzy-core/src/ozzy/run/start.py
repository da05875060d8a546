"""How a run begins: a new one, one that is gone on with, or one that is given up."""

import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from ozzy.contracts.lease import AnyLease
from ozzy.contracts.persistence import StateLocation
from ozzy.errors import ConfigError, Interrupted, OzzyError, StateError
from ozzy.log import reason
from ozzy.plan.config import Config, load_config
from ozzy.plan.guarantee import demand
from ozzy.plan.pipeline import Pipeline, build, metadata_of
from ozzy.plan.registry import Registry
from ozzy.plan.signature import harmless, signature, stored, versions
from ozzy.plan.workers import demand_workers
from ozzy.run.bookmarks import IncrementalRun, move_if_all_arrived
from ozzy.run.checkpoint import published_files
from ozzy.run.execution import Execution
from ozzy.run.listener import Listener, Stop
from ozzy.run.reservoir import forget_samples
from ozzy.run.result import FileResult, Result, StageResult
from ozzy.run.runs import RunRecord, StateFolder, forget_stages, identity_of, state_root
from ozzy.run.shared import state_of
from ozzy.run.shared_bookmarks import bookmarks_of

if TYPE_CHECKING:
    from ozzy.plan.changes import Standing
    from ozzy.run.replay import Replay

PUBLISHED_SHOWN = 10
"""How many files of an abandoned run are named."""


@attrs.define(eq=False, repr=False)
class Start:
    """What a run begins with; `go` decides between a new run and an old one.

    `built` is the pipeline of the config where it is made already: a new run takes it, one that is gone on with has its own.
    """

    config: Config
    overrides: Mapping[str, str]
    state_dir: str | Path | None
    limit: int | None
    listener: Listener | None
    stop: Stop | None
    registry: Registry | None
    accept_changes: bool = False
    allow_code: bool = False
    replay: "Replay | None" = None
    built: Pipeline | None = None
    identity: str = attrs.field(init=False)
    epoch: int = attrs.field(default=0, init=False)

    def go(self, asked: bool | str, *, fresh: bool = False, dry_run: bool = False, record: RunRecord | None = None) -> Result:
        known = record.facts["pipeline"] if record is not None else identity_of(self.config.name, self.config.file)
        if known is None and asked is True:
            raise ConfigError("a config that is no file needs a `name` to be resumed", hint='Add "name": "…" to it.')
        registry = self.registry or Registry.load()
        pipeline = self._pipeline(registry, datetime.now().astimezone())
        state = self._state(pipeline)
        try:
            if dry_run:
                incremental = self._incremental(pipeline, state, known or "unnamed", self.limit)
                return self._execute(Execution(pipeline, known or "unnamed", limit=self.limit, incremental=incremental))
            if known is None:
                return self._unnamed(pipeline)
            self.identity = known
            return self._go_on(pipeline, state, registry, asked, fresh=fresh, record=record)
        finally:
            state.close()

    def _go_on(
        self, pipeline: Pipeline, state: StateFolder, registry: Registry, asked: bool | str, *, fresh: bool, record: RunRecord | None
    ) -> Result:
        with_lease = state.lease(self.identity, self._pause).take()
        self.epoch = with_lease.epoch
        try:
            last = record or state.last(self.identity, *with_lease.before)
            last = state.again(last) if last is not None else None
            if self.replay is not None:
                see_that_it_has_ended(last)
                return self._with_state(self._pipeline(registry, self.replay.named_by), state, with_lease, None)
            old = self._to_resume(last, asked, fresh=fresh)
            if old is not None and not old.unfinished:
                return _as_it_was(old, self.config.notices)
            if old is not None:
                from ozzy.run.replay import Replay, named_by

                self._stand_where_it_began(old)
                self.replay = Replay.going_on(old)
                pipeline = self._pipeline(registry, named_by(old))
            elif last is not None and last.unfinished:
                self._abandon(last, state, registry)
            return self._with_state(pipeline, state, with_lease, old)
        finally:
            with_lease.release()

    def _stand_where_it_began(self, old: RunRecord) -> None:
        """Relative paths of a run belong to the working folder that it began in; with shared state, each machine has one of its own."""
        began_in = Path(old.facts["working_folder"])
        if not old.shared and began_in != self.config.working_folder and began_in.is_dir():
            self.config = attrs.evolve(self.config, working_folder=began_in)
            self.config.notices.append(f"relative paths belong to {began_in}, where run {old.id} began")

    def give_up(self, record: RunRecord) -> None:
        """Abandon a run that is not to be gone on with; nothing happens to one that has ended."""
        registry = self.registry or Registry.load()
        state = self._state(self._pipeline(registry, datetime.now().astimezone()))
        lease = state.lease(record.facts["pipeline"], self._pause).take(record.id)
        self.epoch = lease.epoch
        try:
            again = state.again(record)
            if again.unfinished:
                self._abandon(again, state, registry)
        finally:
            lease.release()
            state.close()

    def _pipeline(self, registry: Registry, started: datetime, config: Config | None = None) -> Pipeline:
        built, self.built = self.built, None
        config = config or self.config
        pipeline = built or build(config, registry, metadata_of(config, started, allow_code=self.allow_code))
        demand(pipeline)
        demand_workers(pipeline)
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

    def _with_state(self, pipeline: Pipeline, state: StateFolder, lease: AnyLease, old: RunRecord | None) -> Result:
        config, left_out = stored(self.config, pipeline)
        facts: dict[str, Any] = {
            "config": config,
            "left_out": left_out,
            "set": {path: text for path, text in self.overrides.items() if path not in left_out},
            "config_file": str(self.config.file.resolve()) if self.config.file is not None else None,
            "signature": signature(self.config, pipeline),
            "versions": versions(pipeline),
            **({"replay": self.replay.facts()} if self.replay is not None else {}),
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
            began = datetime.now().astimezone() if self.replay is not None else pipeline.metadata.start_time
            record = state.new(self.identity, began, facts | kept)
        lease.name(record.id)
        limit = self.limit if old is None else record.facts["limit"]
        incremental = self._incremental(pipeline, state, self.identity, limit) if self.replay is None else None
        if self.replay is not None:
            self.replay.take_over(pipeline, record.id)
        execution = Execution(
            pipeline,
            self.identity,
            record,
            lease,
            resumed=old is not None,
            limit=limit,
            incremental=incremental,
            accept_changes=self.accept_changes,
            replay=self.replay,
        )
        return self._execute(execution)

    def _state(self, pipeline: Pipeline) -> StateFolder:
        return state_of([part.resolved for part in pipeline.parts], self.config, self.state_dir)

    def _pause(self, seconds: float) -> None:
        """Wait for a lease, unless asked to stop."""
        if self.stop is not None and self.stop.is_set():
            raise Interrupted("stopped as asked, while waiting for the lease of the pipeline", code=self.stop.code)
        time.sleep(seconds)

    def _incremental(self, pipeline: Pipeline, state: StateFolder, identity: str, limit: int | None) -> IncrementalRun | None:
        if not self.config.bookmark:
            return None
        if limit is not None:
            self.config.notices.append("a run with a limit leaves the bookmark where it was")
        return IncrementalRun(bookmarks_of(state, identity), pipeline.reader_name, kept=limit is None)

    def _changes(self, old: RunRecord, facts: Mapping[str, Any], pipeline: Pipeline) -> list[str]:
        """What has changed since a run began, with what it went on with before. Raises StateError where it may not go on."""
        before, now = old.facts["signature"], facts["signature"]
        was, are = old.facts.get("versions", {}), facts["versions"]
        told: list[str] = list(old.facts.get("changes", []))
        if before == now and was == are:
            return told
        from ozzy.plan.changes import Standing, changed_values, changed_versions, decide

        moved = [change for change in changed_values(before, now, Standing()) if change.path.startswith("persistence.")]
        standing = Standing() if moved else self._standing(old, pipeline.metadata.start_time)
        telling = {part.resolved.found.package for part in pipeline.parts if harmless(f"{part.stage}.")}
        working = {part.resolved.found.package for part in pipeline.parts if not harmless(f"{part.stage}.")}
        changes = [*changed_values(before, now, standing), *changed_versions(was, are, telling - working)]
        went_on = [str(change) for change in decide(changes, old.id, accepted=self.accept_changes)]
        self.config.notices.extend(f"changed since the run began: {change}" for change in went_on)
        return [*told, *went_on]

    def _standing(self, old: RunRecord, started: datetime) -> "Standing":
        """What a run has behind it, seen through a pipeline of its own that is closed again."""
        from ozzy.plan.changes import Standing

        pipeline = self._pipeline(self.registry or Registry.load(), started)
        try:
            pipeline.metadata.run_id = old.id
            pipeline.start_writers(old.id, started, old.folder, epoch=self.epoch)
            pipeline.persistence.open(StateLocation(old.folder, old.id, self.identity, self.epoch))
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
        if pipeline.quarantines:
            raise ConfigError("a config that is no file needs a `name` to have a quarantine", hint='Add "name": "…" to it.')
        state = StateFolder(state_root(self.state_dir, None, self.config.working_folder))
        record = state.new(
            f"unnamed {secrets.token_hex(4)}", pipeline.metadata.start_time, {"signature": {}, "limit": self.limit, "ended": None}
        )
        lease = record.lease().take(record.id)
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
        return _tidied(execution.record, _closed_after_success(execution.pipeline, result))

    def _abandon(self, old: RunRecord, state: StateFolder, registry: Registry) -> None:
        """Give an unfinished run up: what it staged is deleted, what it had published is left and named."""
        from ozzy.run.replay import Replay, named_by

        started = named_by(old)
        pipeline = self._pipeline(registry, started, self._config_of(old))
        pipeline.metadata.run_id = old.id
        pipeline.start_writers(old.id, started, old.folder, epoch=self.epoch)
        pipeline.persistence.open(StateLocation(old.folder, old.id, old.facts["pipeline"], self.epoch))
        pipeline.fence(self.epoch)
        document, published, unknown = None, [], ""
        try:
            document = pipeline.persistence.get_last_position()
            published = published_files(document, pipeline.writers)
        except StateError as error:
            unknown = f"; what it had published is not known: {error.message}"
        replay = Replay.going_on(old)
        if replay is not None:
            replay.take_over(pipeline, old.id)
            replay.give_up(old, pipeline)
        elif move_if_all_arrived(bookmarks_of(state, old.facts["pipeline"]), old, document, pipeline):
            self.config.notices.append(f"all that run {old.id} had read was published, so the bookmark moved on to it")
        for writer in pipeline.writers.values():
            writer.abandon()
        pipeline.close()
        forget_stages(old)
        forget_samples(old.folder)
        old.save(state="abandoned")
        old.tidy()
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


def start_again(
    record: RunRecord, config: str | Path | Mapping[str, Any] | None, given: Mapping[str, str], registry: Registry | None
) -> Start:
    """What an old run began with, from its state, or from the config where one is given. Of a damaged one that raises StateError."""
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
    return Start(loaded, overrides, record.folder.parent.parent, facts["limit"], None, None, registry)


def see_that_it_has_ended(last: RunRecord | None) -> None:
    """Raises StateError where the last run of a pipeline is unfinished, and so comes before a replay."""
    if last is not None and last.unfinished:
        raise StateError(f"the last run of this pipeline, {last.id}, is unfinished", hint=f"Go on with it first: ozzy resume {last.id}")


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
        summaries=facts.get("summaries", {}),
        bypassed=facts.get("bypassed", {}),
        declined=facts.get("declined", {}),
    )


def _closed_after_success(pipeline: Pipeline, result: Result) -> Result:
    """Close what the run no longer needs: all is published by then, so that whoever can't close is a notice, not a failure."""
    try:
        pipeline.close()
    except Exception as error:
        told = error.message if isinstance(error, OzzyError) else reason(error)
        return attrs.evolve(result, notices=[*result.notices, f"all is done, but a module could not be closed: {told}"])
    return result


def _tidied(record: RunRecord | None, result: Result) -> Result:
    """Delete what stages kept on disk; where that fails, the run has succeeded all the same."""
    try:
        if record is not None:
            forget_stages(record)
    except StateError as error:
        return attrs.evolve(result, notices=[*result.notices, f"all is done, but something is left: {error.message}"])
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
