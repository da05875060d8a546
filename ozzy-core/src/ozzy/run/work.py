"""What a worker does: one task after the other goes through the stages of a pipeline of its own, and comes out as pieces."""

import os
import traceback
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from ozzy.contracts.decoder import Range
from ozzy.contracts.engine import Task
from ozzy.contracts.file_writer import BaseFileWriter
from ozzy.contracts.reader import Split
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, OzzyError
from ozzy.log import reason
from ozzy.options.settings import CheckpointSettings
from ozzy.plan.config import Config
from ozzy.plan.pipeline import Pipeline, build, metadata_of
from ozzy.plan.registry import Registry
from ozzy.run.books import Books
from ozzy.run.listener import Listener, Stop
from ozzy.run.outlets import Outlet
from ozzy.run.recording import Recording
from ozzy.run.routing import Routing
from ozzy.run.runner import Runner
from ozzy.run.schedule import Schedule, SplitList
from ozzy.run.stages import GroupStage, stages_of
from ozzy.run.tasks import TaskDone
from ozzy.staging.pieces import PieceMaker


@attrs.define(eq=False, repr=False)
class PipelineWork:
    """The work of a run: what it takes to build its pipeline again elsewhere.

    `folders` says where the pieces of each writer are put, `token` is in their names. `registry` is None where that of the environment
    is meant. `let_go` is called in a fork: it gives nothing back, and holds nothing any more.
    """

    config: Config
    registry: Registry | None
    started: datetime
    allow_code: bool
    run_id: str
    folders: dict[str, Path]
    token: str
    let_go: Callable[[], None] | None = None

    def forked(self) -> None:
        """Let go of what belongs to the process that was forked."""
        if self.let_go is not None:
            self.let_go()

    def begin(self) -> Callable[[Task], TaskDone]:
        """Build the pipeline, connected to nothing yet."""
        registry = self.registry or Registry.load()
        pipeline = build(self.config, registry, metadata_of(self.config, self.started, allow_code=self.allow_code))
        pipeline.metadata.run_id = self.run_id
        pipeline.start_writers(self.run_id, self.started, next(iter(self.folders.values())))
        makers = {}
        for label, writer in pipeline.writers.items():
            assert isinstance(writer, BaseFileWriter)
            makers[label] = writer.files = PieceMaker(writer.codec, writer.files.separator)  # type: ignore[assignment]
        return _Worker(self, pipeline, makers)

    def __reduce__(self) -> Any:
        """Without what only a fork can have. Raises ConfigError where nothing else will do."""
        if self.registry is None or not self.registry.installed:
            raise ConfigError(
                "engine: workers can't have the modules of this program's own registry, since they can't be forked here",
                hint="Use one worker, or offer the modules in a plugin that is installed.",
            )
        return PipelineWork, (self.config, None, self.started, self.allow_code, self.run_id, self.folders, self.token)


@attrs.define(eq=False, repr=False)
class _PartRunner(Runner):
    """Drives one task: a split, or a range of one."""

    part: Range | None = None

    def _batches(self, split: Split) -> Generator[Batch]:
        yield from self.reader.read(split, None) if self.part is None else self.reader.read_range(split, self.part)


class _Orphaned(Stop):
    """Asks to stop once the process that gave the task is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.parent = os.getppid()

    def is_set(self) -> bool:
        return os.getppid() != self.parent


@attrs.frozen
class _Worker:
    work: PipelineWork
    pipeline: Pipeline
    makers: dict[str, PieceMaker]

    def __call__(self, task: Task) -> TaskDone:
        pipeline, books = self.pipeline, Books()
        errors = Recording(
            pipeline.config.errors.policy,
            stages=pipeline.stage_errors,
            keep=_written_down,
            reader_of=pipeline.reader_stage,
            path=self._path("refused", task),
        )
        books.open("reader")
        stages = stages_of(pipeline, books, errors)
        grouper = GroupStage("grouper", pipeline.grouper, books, errors) if pipeline.grouper is not None else None
        routing = Routing(pipeline.routes, pipeline.writers, books, errors) if pipeline.routes else None
        runner = _PartRunner(
            reader=pipeline.reader,
            splits=SplitList.make([task.split], None),
            stages=stages,
            grouper=grouper,
            outlets=[Outlet(label, writer, books, errors) for label, writer in pipeline.writers.items()],
            books=books,
            errors=errors,
            schedule=Schedule(CheckpointSettings(), light=True),
            checkpoint=None,
            listener=Listener(),
            stop=_Orphaned(),
            routing=routing,
            part=task.part,
        )
        for label, maker in self.makers.items():
            maker.begin(self._path("piece", task, label))
        error: OzzyError | None = None
        trace, pieces = "", {}
        try:
            runner.run()
            pieces = {label: maker.end() for label, maker in self.makers.items()}
        except Exception as raised:
            error, trace, pieces = _told(raised), traceback.format_exc(), {}
        position = runner.place.position if task.part is not None and runner.place.position is not None else {}
        return TaskDone(
            rows=position.get("rows", 0),
            lines=position.get("lines", 0),
            records=books.stages["reader"].records_out,
            bytes_read=runner.bytes_read,
            books=books.to_dict(),
            seconds=runner.seconds(),
            pieces=pieces,
            refused=errors.end(),
            error=error,
            trace=trace,
            begun=position.get("begun"),
            ended=position.get("ended"),
        )

    def _path(self, what: str, task: Task, label: str | None = None) -> Path:
        folder = self.work.folders[label] if label is not None else next(iter(self.work.folders.values()))
        return folder / f"{what}-{self.work.token}-{task.number}-{os.getpid()}"


def _told(error: Exception) -> OzzyError:
    """An error that can be sent to another process: one that no module was blamed for is told as text."""
    return error if isinstance(error, OzzyError) else OzzyError(f"a worker failed: {type(error).__name__}: {reason(error)}")


def _written_down(_refused: Any) -> None:
    """For a policy that writes down all that is refused, whatever is to become of it."""
