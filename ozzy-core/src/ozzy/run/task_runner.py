"""The loop of a run that several workers share: what they made of each task is joined, in the order of the source, in this process alone.

A task counts from the moment it is joined: its output is appended to the staged files, its bad records are judged, its counts are booked.
A checkpoint stands between two tasks, and says where the next one begins. So what a killed run had begun and not joined is done again, and
neither how many workers there were nor how often they were lost can be seen in the outcome.
"""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from ozzy.contracts.decoder import Range
from ozzy.contracts.engine import BaseEngine, Task, Work
from ozzy.contracts.file_writer import BaseFileWriter
from ozzy.contracts.module import blamed_on
from ozzy.errors import DestinationError, OzzyError, PluginError
from ozzy.run.places import moved
from ozzy.run.runner import Place, Runner
from ozzy.run.tasks import TASK_BYTES, TaskDone, kept_in, tasks_from
from ozzy.staging.disk import at_destination


class LostTrace(Exception):  # noqa: N818  (it is where an error comes from, and never raised itself)
    """Where in a worker an error was raised."""

    def __str__(self) -> str:
        return f"in a worker:\n{self.args[0]}"


@attrs.define(eq=False, repr=False)
class TaskRunner(Runner):
    """Drives a run whose tasks an engine does. `task_bytes` is the size of ranges, None where splits are read whole."""

    engine: BaseEngine = attrs.field(kw_only=True)
    work: Work = attrs.field(kw_only=True)
    task_bytes: int | None = TASK_BYTES
    _do: Callable[[Task], TaskDone] | None = attrs.field(default=None, init=False)

    def run(self) -> None:
        self.records_before = self.books.stages["reader"].records_out
        offset = (self.place.position or {}).get("offset", 0)
        tasks = tasks_from(self.reader, self.splits, self.place.split, offset, self.task_bytes)
        with closing(self.engine.run(self.work, tasks, self.workers)) as outcomes:
            while (outcome := self._next_outcome(outcomes)) is not _END:
                if outcome is None:
                    if self.stop.is_set():
                        self._stop(None)
                    continue
                self._join(*outcome)
        self.place.finished = True

    def facts(self) -> dict[str, Any]:
        return {"tasks": {"bytes": self.task_bytes}}

    def _next_outcome(self, outcomes: Generator[tuple[Task, TaskDone] | None]) -> Any:
        with blamed_on("engine", self.engine, PluginError):
            return next(outcomes, _END)

    def _join(self, task: Task, done: TaskDone) -> None:
        before, staged = self._times(), self._staged()
        if self.place.split != task.place:
            self.place = Place(task.place)
        known = self.place.position or {"rows": 0, "lines": 0}
        rows, lines, reached = known["rows"], known["lines"], known.get("reached", 0)
        done = self._from(reached, task, done)
        if done.refused is not None:
            self._judge(done.refused, task, rows, lines)
        if done.error is not None:
            raise _placed(done.error, done.trace, task, rows, lines)
        for outlet in self.outlets:
            began = time.perf_counter()
            assert isinstance(outlet.writer, BaseFileWriter)
            with blamed_on(outlet.label, outlet.writer, DestinationError):
                outlet.writer.join(done.pieces[outlet.label])
            outlet.seconds += time.perf_counter() - began
        self.books.add(done.books)
        self._add_seconds(done.seconds)
        self.bytes_read += done.bytes_read
        if task.last or task.part is None:
            self.place = Place(task.place + 1)
        else:
            self.place.position = {"rows": rows + done.rows, "lines": lines + done.lines, "offset": task.part.end}
            if done.ended is not None or reached:
                self.place.position["reached"] = max(reached, done.ended or 0)
        self.schedule.add(done.records, self._staged() - staged)
        self.listener.batch_done(self.progress())
        self._checkpoint_if_due()
        self._report(before)

    def _from(self, reached: int, task: Task, done: TaskDone) -> TaskDone:
        """What became of a task that began where the one before it ended: done again, in this process, where a worker began elsewhere."""
        if done.begun is None or task.part is None or done.begun == reached:
            return done
        for path in (done.refused, *(piece.path for piece in done.pieces.values())):
            if path is not None:
                with at_destination(Path(path)):
                    Path(path).unlink()
        if self._do is None:
            self._do = self.work.begin()
        again: TaskDone = self._do(attrs.evolve(task, part=Range(reached, max(reached, task.part.end), exact=True)))
        return again

    def _judge(self, path: str, task: Task, rows: int, lines: int) -> None:
        """Do with what a worker refused as the policy says: where a limit is passed, the run ends with the record that passes it."""
        for kept in kept_in(path):
            refused = kept.refused(moved(kept.where, task.split.id, rows, lines), rows)
            self.errors.reject(
                refused.stage,
                refused.rejected,
                error=refused.error,
                split=refused.split,
                kept=refused.kept,
                writer=refused.writer,
                group=refused.group,
            )
        with at_destination(Path(path)):
            Path(path).unlink()

    def _add_seconds(self, seconds: dict[str, float]) -> None:
        """Time that workers spent at once counts once for each of them."""
        self.read_seconds += seconds["reader"]
        for stage in self.working():
            stage.seconds += seconds[stage.name]
        for outlet in self.outlets:
            outlet.seconds += seconds[outlet.label]


def _placed(error: OzzyError, trace: str, task: Task, rows: int, lines: int) -> OzzyError:
    """The error that ended a task, as it would be without workers."""
    error.message = moved(error.message, task.split.id, rows, lines)
    error.__cause__ = LostTrace(trace)
    return error


_END: Any = object()
