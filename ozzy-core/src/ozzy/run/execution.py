"""One execution of a pipeline: from the checkpoint it starts at to the last one, and what is kept of it."""

import time
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from ozzy.contracts.lease import AnyLease
from ozzy.contracts.module import blamed_on
from ozzy.contracts.persistence import StateLocation
from ozzy.contracts.reader import Split
from ozzy.data.positions import pack, unpack
from ozzy.errors import DestinationError, Interrupted, OzzyError, PluginError, SourceError, StateError
from ozzy.log import reason, redact
from ozzy.plan.pipeline import Pipeline
from ozzy.run.bookmarks import IncrementalRun
from ozzy.run.books import Books
from ozzy.run.bypassing import Bypassing
from ozzy.run.checkpoint import Checkpoints, Document
from ozzy.run.ending import Ending
from ozzy.run.error_policy import ErrorPolicy, Refused, RejectionLog
from ozzy.run.listener import Listener, Stop
from ozzy.run.manifest import Manifests
from ozzy.run.outlets import Outlet, saved_samples
from ozzy.run.quarantine import FILE, Module, Quarantine
from ozzy.run.reporting import Reporting
from ozzy.run.reservoir import forget_samples, samples_of
from ozzy.run.result import Result
from ozzy.run.routing import Routing
from ozzy.run.runner import Place, Runner
from ozzy.run.runs import SPLITS, RunRecord, stage_folders
from ozzy.run.schedule import Schedule, SplitList
from ozzy.run.sharing import shared, work_of
from ozzy.run.source_changes import comparable, compared
from ozzy.run.stages import GroupStage, stages_of
from ozzy.run.states import restore_states, saved_states

if TYPE_CHECKING:
    from ozzy.run.replay import Replay


@attrs.define(eq=False, repr=False)
class Execution:
    """Runs a pipeline that is built, with or without a record of it: a dry run has none."""

    pipeline: Pipeline
    identity: str
    record: RunRecord | None = None
    lease: AnyLease | None = None
    resumed: bool = False
    limit: int | None = None
    incremental: IncrementalRun | None = None
    accept_changes: bool = False
    replay: "Replay | None" = None
    listener: Listener = attrs.field(factory=Listener)
    stop: Stop = attrs.field(factory=Stop)
    books: Books = attrs.field(factory=Books, init=False)
    errors: ErrorPolicy = attrs.field(init=False)
    quarantine: Quarantine | None = attrs.field(default=None, init=False)
    reporting: Reporting = attrs.field(init=False)
    ending: Ending = attrs.field(init=False)
    checkpoints: Checkpoints | None = attrs.field(default=None, init=False)
    splits: SplitList = attrs.field(init=False)
    runner: Runner = attrs.field(init=False)
    elapsed_before: float = attrs.field(default=0.0, init=False)
    began: float = attrs.field(factory=time.monotonic, init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.pipeline.config.errors
        self.errors = ErrorPolicy(
            settings.policy,
            settings.limit,
            on_reject=RejectionLog(self.pipeline.reader.logger),
            stages=self.pipeline.stage_errors,
            reader_of=self.pipeline.reader_stage,
        )
        if self.record is not None:
            self.quarantine = Quarantine(self.record.folder / FILE, self._module_of)
            self.errors.keep = self.quarantine.add
        told = zip(self.pipeline.notifiers, self.pipeline.told_when, strict=True) if self.record is not None else ()
        self.ending = Ending(self.pipeline, self.identity, self.books, recorded=self.record is not None)
        self.reporting = Reporting(self.pipeline.stats_manager, list(told), self.pipeline.metadata)

    def run(self) -> Result:
        """Run to the end. On failure the record says so, and what was committed stays for a resume."""
        try:
            return self._run()
        except Interrupted as error:
            self._ended("interrupted", error)
            raise
        except KeyboardInterrupt as error:
            self._ended("interrupted", error)
            raise
        except (SystemExit, GeneratorExit) as error:
            ended = PluginError(f"a module tried to end the program: {reason(error)}", hint="It has to raise an error of its own instead.")
            self._ended("failed", ended)
            raise ended from error
        except BaseException as error:
            self._ended("failed", error)
            trace = redact("".join(traceback.format_exception(error)))
            self.reporting.failed(redact(str(error)), trace, self.ending.told("failed", self._elapsed()))
            lost = self.lease.lost if self.lease is not None else None
            if lost is not None and lost is not error:
                raise lost from error
            raise

    def _run(self) -> Result:
        self.listener.pipeline_built(self.pipeline)
        metadata = self.pipeline.metadata
        run_id = self.record.id if self.record is not None else "dry-run"
        metadata.run_id, metadata.pipeline = run_id, self.identity
        folder = self.record.folder if self.record is not None else Path()
        self.pipeline.start_writers(
            run_id, metadata.start_time, folder, dry_run=self.record is None, beside=self.replay is not None, epoch=self._epoch
        )
        self.pipeline.give_state_folders(stage_folders(self.record) if self.record is not None else None)
        self.pipeline.keep_writers_apart()
        document = self._open_state()
        place = self._stand_at(document)
        if place.finished:
            return self._finished(already=True)
        self.listener.run_started(run_id, self.identity, resumed=self.resumed, prints=self.ending.prints)
        if not self.resumed:
            self.reporting.started()
        self.runner = self._runner(place, document)
        self.runner.run()
        if self.record is None:
            self._finish_dry()
        else:
            for outlet in self.runner.outlets:
                outlet.finish()
            for label, writer in self.pipeline.writers.items():
                with blamed_on(label, writer, DestinationError):
                    writer.finish_writing()
            self.runner.take("full")
        return self._finished()

    def _open_state(self) -> Document | None:
        if self.record is None:
            for writer in self.pipeline.writers.values():
                writer.resume(None)
            return None
        persistence = self.pipeline.persistence
        persistence.open(StateLocation(self.record.folder, self.record.id, self.identity, self._epoch))
        manifests = Manifests(self.pipeline, self.identity)
        self.checkpoints = Checkpoints(persistence, self.pipeline.writers, self._check_lease, manifests.publish)
        if not self.resumed:
            persistence.generate_new_job()
        self._check_lease()
        self.pipeline.fence(self._epoch)
        document = self.checkpoints.recover()
        if self.quarantine is not None:
            self.quarantine.stand_at(document.get("quarantine") if document is not None else None)
        if document is not None and document["kind"] == "full":
            self._acknowledge(unpack(document["place"]["position"]))
        return document

    def _stand_at(self, document: Document | None) -> Place:
        path = self.record.lists / SPLITS if self.record is not None else None
        if document is None:
            with blamed_on("listing the parts of the source", self.pipeline.reader, SourceError):
                splits = self._splits()
            self.splits = SplitList.make(splits, path)
            if self.record is not None:
                self.record.keep_list(SPLITS)
            self._tell_if_nothing_is_new()
            return Place()
        assert path is not None
        assert self.record is not None
        place = Place(**{**document["place"], "position": unpack(document["place"]["position"])})
        self.elapsed_before = document["seconds"]
        self.errors.restore(document["rejected"], document.get("rejected_by", {}))
        self.books.restore(document["books"])
        if self.incremental is not None:
            self.incremental.stand_at(document, self.record)
        if not place.finished:
            self.record.fetch_list(SPLITS, document["splits"])
            self.splits = SplitList.load(path, document["splits"])
            self._compare_source(place)
        return place

    def _splits(self) -> Iterable[Split]:
        if self.incremental is None:
            return self.pipeline.reader.splits()
        return self.incremental.splits(self.pipeline.reader, self.record)

    def _tell_if_nothing_is_new(self) -> None:
        before = self.incremental.before if self.incremental is not None else None
        if before is not None and not self.splits.count:
            self.pipeline.config.notices.append(f"nothing is new since run {before.run}, so nothing was read")

    def _compare_source(self, place: Place) -> None:
        """See whether what is still to be read is what was listed when the run began. Raises SourceError where it is not."""
        assert self.record is not None
        self.splits.accepted = dict(self.record.facts.get("source_changes", {}))
        if not comparable(self.splits):
            return
        try:
            now = list(self.pipeline.reader.splits())
        except SourceError as error:
            self.pipeline.config.notices.append(f"the source can't be listed again, and is taken as it was: {error.message}")
            return
        changes = compared(self.splits, now, place.split, begun=place.position is not None or place.rows > 0)
        if self.incremental is not None:
            changes.new.clear()
        told = changes.decide(self.record.id, accept=self.accept_changes, incremental=self.incremental is not None)
        self.pipeline.config.notices.extend(told)
        if changes.ahead:
            self.splits.accepted |= changes.accepted
            self.record.save(source_changes=self.splits.accepted)

    def _runner(self, place: Place, document: Document | None) -> Runner:
        pipeline, books, errors = self.pipeline, self.books, self.errors
        books.open("reader")
        stages = stages_of(pipeline, books, errors)
        grouper = GroupStage("grouper", pipeline.grouper, books, errors) if pipeline.grouper is not None else None
        routing = Routing(pipeline.routes, pipeline.writers, books, errors) if pipeline.routes else None
        folder = self.record.folder if self.record is not None else None
        samples = samples_of(pipeline.samples, pipeline.metadata.run_id, folder, document)
        outlets = [
            Outlet(label, writer, books, errors, dry_run=folder is None, sample=samples.get(label))
            for label, writer in pipeline.writers.items()
        ]
        light = self.checkpoints is not None and self.checkpoints.light_possible
        by_clock = not any(hasattr(writer, "files") for writer in pipeline.writers.values())
        bypassing = Bypassing.of(pipeline, self.stop, dry_run=folder is None, limit=self.limit, replay=self.replay is not None)
        bypassing.restore(document.get("bypassed") if document is not None else None)
        if pipeline.config.bypasses:
            pipeline.config.notices.extend(f"the bypass {name} copies nothing: {why}" for name, why in bypassing.unfit.items())
        schedule = Schedule(pipeline.config.checkpoint, light=light, clock=by_clock, endless=pipeline.reader.endless)
        if document is not None:
            schedule.full_records, schedule.full_bytes = document["since_full"]
        driven: Callable[..., Runner] = Runner
        if self.replay is not None:
            from ozzy.run.replay_runner import ReplayRunner

            driven = ReplayRunner
        sharing = shared(
            pipeline, self.splits, document, against=self._against_workers(bypassing), watched=self.listener.profile is not None
        )
        if sharing is not None:
            from ozzy.run.task_runner import TaskRunner

            work = work_of(pipeline, getattr(self.lease, "let_go", None))
            driven = partial(TaskRunner, engine=pipeline.engine, work=work, task_bytes=sharing.task_bytes, workers=sharing.workers)
        runner = driven(
            reader=pipeline.reader,
            splits=self.splits,
            stages=stages,
            grouper=grouper,
            outlets=outlets,
            books=books,
            errors=errors,
            schedule=schedule,
            checkpoint=self._checkpoint if self.record is not None else None,
            listener=self.listener,
            stop=self.stop,
            place=place,
            limit=self.limit,
            report=self._iteration,
            routing=routing,
            bypassing=bypassing,
        )
        if document is not None:
            restore_states(runner.working(), document["states"])
        return runner

    def _against_workers(self, bypassing: Bypassing) -> str | None:
        """Why several workers can't share this very run, whatever its pipeline."""
        if self.record is None:
            return "it is a dry run"
        if self.replay is not None:
            return "it is a replay"
        if self.limit is not None:
            return "it has a limit of records"
        return f"the bypass {next(iter(bypassing.bypasses))} may copy parts of the source" if bypassing.bypasses else None

    def _checkpoint(self, kind: str, place: Place) -> None:
        assert self.checkpoints is not None
        before = self.checkpoints.seconds

        def facts(receipts: dict[str, Any]) -> dict[str, Any]:
            for outlet in self.runner.outlets:
                outlet.settle(receipts[outlet.label])
            self.books.check()
            full = kind == "full"
            schedule = self.runner.schedule
            return {
                "run": self.record.id if self.record is not None else None,
                "epoch": self._epoch,
                "place": attrs.asdict(place) | {"position": pack(place.position)},
                "splits": self.splits.checksum,
                "books": self.books.to_dict(),
                "states": saved_states(self.runner.working()),
                "stage_folders": self._stage_folders(),
                "samples": saved_samples(self.runner.outlets),
                "rejected": self.errors.rejected,
                "rejected_by": dict(self.errors.by_stage),
                **self._kept(),
                **self.runner.facts(),
                "since_full": [0, 0] if full else [schedule.full_records, schedule.full_bytes],
                "seconds": self._elapsed(),
                "at": datetime.now().astimezone().isoformat(timespec="seconds"),
                **self._bookmark(place),
                **self._bypassed(),
            }

        document = self.checkpoints.take(kind, facts)
        if kind == "full":
            self._acknowledge(place.position)
        self.listener.checkpoint_committed(kind, document["number"], self.checkpoints.seconds - before)

    def _acknowledge(self, position: Any) -> None:
        with blamed_on("acknowledging what was committed", self.pipeline.reader, SourceError):
            self.pipeline.reader.acknowledge(position)

    def _bookmark(self, place: Place) -> dict[str, Any]:
        """What a checkpoint says of the bookmark; the last one names it only where it is to move."""
        if self.incremental is None or self.incremental.listed is None:
            return {}
        if place.finished and self.runner.cut_short:
            self.incremental.listed = None
            self.pipeline.config.notices.append("a writer's limit cut this run short, so the bookmark stays where it was")
            return {}
        return {"bookmark": self.incremental.listed}

    def _stage_folders(self) -> list[str]:
        """The folders in which stages remember something, by their names."""
        above = stage_folders(self.record) if self.record is not None else None
        return sorted(one.name for one in above.iterdir()) if above is not None and above.is_dir() else []

    def _bypassed(self) -> dict[str, Any]:
        """What a checkpoint says of what went past the stages."""
        bypassing = self.runner.bypassing
        return {"bypassed": bypassing.to_dict()} if bypassing is not None and bypassing.bypasses else {}

    def _kept(self) -> dict[str, Any]:
        """What a checkpoint says of the quarantine, which is on disk when this returns."""
        facts = self.quarantine.sync() if self.quarantine is not None else None
        return {} if facts is None else {"quarantine": facts}

    def _module_of(self, refused: Refused) -> Module:
        return self.pipeline.module_of(refused.stage, refused.split)

    def _finish_dry(self) -> None:
        for outlet in self.runner.outlets:
            if not outlet.counts_only:
                outlet.finish()
                outlet.writer.finish_writing()
            outlet.settle({} if outlet.counts_only else outlet.writer.prepare(final=True))
        self.books.check()

    @property
    def _epoch(self) -> int:
        return self.lease.epoch if self.lease is not None else 0

    def _check_lease(self) -> None:
        if self.lease is not None:
            self.lease.check()

    def _finished(self, *, already: bool = False) -> Result:
        result = self._result("dry run" if self.record is None else "already finished" if already else "finished")
        metadata = self.pipeline.metadata
        metadata.end_time = datetime.now().astimezone()
        metadata.elapsed_time = result.duration
        self.ending.keep_metadata(result)
        for writer in self.pipeline.writers.values():
            writer.abandon()
        if self.record is not None:
            forget_samples(self.record.folder)
            if self.incremental is not None:
                self._check_lease()
                self.incremental.move(self.record)
            if self.replay is not None and self.checkpoints is not None and self.checkpoints.committed is not None:
                self._check_lease()
                self.replay.mark(self.record.id, self.checkpoints.committed)
            self.record.save(
                state="finished",
                ended=metadata.end_time.isoformat(),
                seconds=result.duration,
                records_read=result.records_read,
                records_written=result.records_written,
                quarantined=result.quarantined,
                counts={name: attrs.asdict(counts) for name, counts in result.counts.items()},
                files=result.files,
                summaries=result.summaries,
                bypassed=result.bypassed,
                declined=result.declined,
                times=result.times,
                checkpoints=self._cost(),
                error=None,
            )
            self.record.tidy()
        self.reporting.completed(self.ending.told(result.state, self._elapsed(), result.files))
        result = attrs.evolve(result, notices=[*dict.fromkeys(self.pipeline.config.notices), *self.reporting.notices])
        self.listener.run_finished(result)
        return result

    def _result(self, state: str) -> Result:
        runner = getattr(self, "runner", None)
        return self.ending.result(
            state,
            self._receipts(),
            runner,
            seconds=self._elapsed(),
            checkpoints=sum(self.checkpoints.taken.values()) if self.checkpoints is not None else 0,
            resumed=self.resumed,
        )

    def _receipts(self) -> dict[str, Any]:
        """What the writers have made visible; in a dry run what they would have."""
        if self.checkpoints is not None and self.checkpoints.committed is not None:
            return dict(self.checkpoints.committed["writers"])
        if self.record is not None:
            return {}
        files = {label: writer for label, writer in self.pipeline.writers.items() if hasattr(writer, "files")}
        return {label: {"published": [], "closed": writer.files.closed, "final": True} for label, writer in files.items()}

    def _iteration(self, times: dict[str, float]) -> None:
        self.pipeline.metadata.per_module.setdefault("reader", {})["read_items"] = self.books.stages["reader"].records_out
        self.reporting.iteration(times)

    def _ended(self, state: str, error: BaseException) -> None:
        if self.record is None:
            return
        if not self._still_ours():
            for writer in self.pipeline.writers.values():
                writer.overtaken()
            return
        message = redact(str(error)) if isinstance(error, OzzyError) else reason(error)
        try:
            self._kept()
        except OzzyError as unkept:
            self.pipeline.reader.logger.warning("bad records since the last checkpoint can't be shown", error=unkept.message)
        try:
            ended = datetime.now().astimezone().isoformat()
            self.record.save(state=state, ended=ended, error=message, seconds=self._elapsed(), checkpoints=self._cost())
        except StateError as unsaved:
            self.pipeline.reader.logger.warning("what became of the run can't be saved", error=unsaved.message)
        if isinstance(error, OzzyError):
            error.run_id = self.record.id
            error.state_dir = str(self.record.folder.parent.parent)
            error.state_uri = self.record.uri if self.record.shared else None

    def _still_ours(self) -> bool:
        """Whether nobody has taken the lease over: else the record of the run, and what it has staged, are that one's."""
        try:
            self._check_lease()
        except StateError:
            return False
        return True

    def _cost(self) -> dict[str, Any]:
        return self.checkpoints.cost() if self.checkpoints is not None else {}

    def _elapsed(self) -> float:
        return self.elapsed_before + time.monotonic() - self.began
