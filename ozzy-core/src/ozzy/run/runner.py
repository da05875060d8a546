"""The loop: batches of one split after another go through the stages to the outlets, with a checkpoint where one is due."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from copy import deepcopy
from typing import Any

import attrs

from ozzy.contracts.module import blamed_on
from ozzy.contracts.reader import BaseReader, BaseStreamReader, Split
from ozzy.data.batch import Batch
from ozzy.errors import Interrupted, PluginError, SourceError
from ozzy.run.books import Books
from ozzy.run.bypassing import Bypassing, Turn
from ozzy.run.error_policy import ErrorPolicy
from ozzy.run.listener import Listener, Progress, Stop
from ozzy.run.outlets import Outlet
from ozzy.run.routing import Routing
from ozzy.run.schedule import Schedule, SplitList
from ozzy.run.stages import GroupStage, Stage
from ozzy.run.wanted import columns_wanted, wanted_fields

INHERITED_TIMES = {
    "reader": "read",
    "filter_before": "filtered",
    "transform": "transformed",
    "filter_after": "filtered_after",
    "grouper": "grouped",
    "bypass": "written",
}


@attrs.define
class Place:
    """Where a run stands: in which split, at which position in it, and how many rows of the batch after that are done with.

    `finished` once there is nothing more to read.
    """

    split: int = 0
    position: Any = None
    rows: int = 0
    finished: bool = False


@attrs.define(eq=False, repr=False)
class Runner:
    """Drives one run from a place to the end of its splits.

    `checkpoint(kind, place)` takes a checkpoint; None where the run leaves no trace. `report(times)` is told the seconds of each batch.
    """

    reader: BaseReader
    splits: SplitList
    stages: list[Stage]
    grouper: GroupStage | None
    outlets: list[Outlet]
    books: Books
    errors: ErrorPolicy
    schedule: Schedule
    checkpoint: Callable[[str, Place], None] | None
    listener: Listener
    stop: Stop
    place: Place = attrs.field(factory=Place)
    limit: int | None = None
    report: Callable[[dict[str, float]], None] | None = None
    routing: Routing | None = None
    bypassing: Bypassing | None = None
    bypass_seconds: float = 0.0
    read_seconds: float = 0.0
    persist_seconds: float = 0.0
    bytes_read: int = 0
    began: float = attrs.field(factory=time.perf_counter)
    ended_early: bool = False
    records_before: int = 0
    workers: int = 1

    def run(self) -> None:
        """Read to the end, to a limit, or until asked to stop (Interrupted)."""
        self.records_before = self.books.stages["reader"].records_out
        if self.listener.profile is not None:
            self.listener.profile.watch(self.reader)
        if isinstance(self.reader, BaseStreamReader):
            self.reader.wanted, self.reader.wanted_tokens = wanted_fields(self.working(), self.outlets)
            self.reader.wants_columns = columns_wanted(self.outlets)
        with closing(self._turns()) as turns:
            for number, split, turn in turns:
                if number != self.place.split:
                    self.place = Place(number)
                if turn is not None and self._past_the_stages(split, turn):
                    continue
                if self._split(split):
                    self.ended_early = True
                    break
        self.place.finished = True

    def _turns(self) -> Generator[tuple[int, Split, Turn | None]]:
        splits = self.splits.after(self.place.split)
        if self.bypassing is None:
            return ((number, split, None) for number, split in splits)
        return self.bypassing.turns(splits, begun=self.place.position is not None or self.place.rows > 0)

    def _past_the_stages(self, split: Split, turn: Turn) -> bool:
        """Let a bypass have copied a split; False where it has to go through the stages. Its records are booked in each, where known."""
        assert self.bypassing is not None
        before, staged, began = self._times(), self._staged(), time.perf_counter()
        while not self.bypassing.ready(turn):
            if self.stop.is_set():
                self._stop(None)
        receipt = self.bypassing.received(split, turn)
        if receipt is not None:
            self.bypassing.take(split, turn, receipt)
        self.bypass_seconds += time.perf_counter() - began
        if receipt is None:
            return False
        rows = receipt["rows"] or 0
        for name in ("reader", *(stage.name for stage in self.working())):
            self.books.enter(name, rows, rows)
        for outlet in self.outlets:
            self.books.stages[outlet.label].records_in += rows
        self.bytes_read += receipt["size"]
        self.place = Place(self.place.split + 1)
        self.schedule.add(rows, self._staged() - staged)
        self.listener.batch_done(self.progress())
        self._checkpoint_if_due()
        self._report(before)
        return True

    @property
    def cut_short(self) -> bool:
        """Whether some of the source was not read, or did not get to every writer, because of a limit."""
        return self.ended_early or any(self.books.stages[outlet.label].reasons["limited"] for outlet in self.outlets)

    def _split(self, split: Split) -> bool:
        """Run one split; True where nothing more is wanted of any."""
        with closing(self._batches(split)) as batches:
            while (batch := self._next(batches, split)) is not None:
                if self._batch(batch):
                    return True
        return False

    def _batches(self, split: Split) -> Generator[Batch]:
        yield from self.reader.read(split, deepcopy(self.place.position))

    def _batch(self, batch: Batch) -> bool:
        before = self._times()
        staged = self._staged()
        done, position = self.place.rows, batch.position
        self._refuse_repeated(batch)
        left = max(0, done - len(batch))
        batch, cut = self._enter(batch, done)
        rows_read = len(batch)
        self.bytes_read += batch.size
        taken = self.through(batch)
        if taken is not None or cut is not None:
            self.place.rows = done + min(rows for rows in (taken, cut) if rows is not None)
        else:
            self.place.position, self.place.rows = position, left
        self.schedule.add(rows_read, self._staged() - staged)
        self.listener.batch_done(self.progress())
        ended = cut is not None or (bool(self.outlets) and all(outlet.full for outlet in self.outlets))
        if not ended:
            self._checkpoint_if_due()
        self._report(before)
        return ended

    def _refuse_repeated(self, batch: Batch) -> None:
        if len(batch) and batch.position is not None and batch.position == self.place.position and self.reader.resumable:
            raise PluginError(
                f"{type(self.reader).__name__} gave {len(batch)} records of {batch.split} with the position that stood before them",
                hint="A resumed run would read them again. The position of a batch has to be the one after it.",
            )

    def _enter(self, batch: Batch, done: int) -> tuple[Batch, int | None]:
        """Book what was read, without the rows that are done already, and cut off at the limit of the run."""
        if done:
            batch = batch.take(range(min(done, len(batch)), len(batch)))
        counts = self.books.stages["reader"]
        counts.records_in += len(batch) + len(batch.rejected) + batch.blank
        counts.records_out += len(batch)
        if batch.blank:
            counts.reasons["blank"] += batch.blank
        for rejected in batch.rejected:
            counts.reasons[self.errors.reject("reader", rejected, split=batch.split)] += 1
        if self.limit is None or counts.records_out < self.limit:
            return batch, None
        kept = len(batch) - (counts.records_out - self.limit)
        counts.records_in -= len(batch) - kept
        counts.records_out = self.limit
        return batch.take(range(kept)), kept

    def through(self, batch: Batch) -> int | None:
        """Send a batch through the stages to the outlets; None, or the rows of it that are done where a writer's limit cut it."""
        return self.send(batch, self.stages)

    def send(self, batch: Batch, stages: Sequence[Stage]) -> int | None:
        """Send a batch through some last stages, the grouper and to the outlets. Returns the same as `through`."""
        entered = batch
        saw = self.listener.profile.saw if self.listener.profile is not None else _nobody
        saw("reader", batch)
        for stage in stages:
            given, batch = batch, stage(batch)
            saw(stage.name, given)
        if self.grouper is not None:
            batch = self.grouper(batch)
            saw(self.grouper.name, batch)
        keys = self.grouper.keys if self.grouper is not None and len(batch) else None
        if not len(batch):
            return None
        routed = self.routing(batch, keys) if self.routing is not None else {}
        cuts = []
        for outlet in self.outlets:
            cuts.append(outlet.write(batch, keys, routed.get(outlet.label)))
            saw(outlet.label, batch)
        if not cuts or any(cut is None for cut in cuts):
            return None
        last = max(cut for cut in cuts if cut is not None)
        if not last:
            return 0
        if batch.origin is None or entered.origin is None:
            return len(entered)
        return list(entered.origin).index(batch.origin[last - 1]) + 1

    def _checkpoint_if_due(self) -> None:
        kind = self.schedule.due(self._staged()) if self.checkpoint is not None and self.reader.resumable else None
        if self.stop.is_set():
            self._stop(kind)
        if kind is not None:
            self.take(kind)

    def _staged(self) -> int:
        return sum(outlet.writer.staged_bytes() for outlet in self.outlets)

    def take(self, kind: str) -> None:
        """Take a checkpoint where the run stands."""
        assert self.checkpoint is not None
        began = time.perf_counter()
        self.checkpoint(kind, self.place)
        seconds = time.perf_counter() - began
        self.persist_seconds += seconds
        self.schedule.done(kind, seconds)

    def _stop(self, due: str | None) -> None:
        """Stop after a light checkpoint, or the full one that is due here: the resumed run would take it elsewhere."""
        if self.checkpoint is not None and self.schedule.light and self.reader.resumable:
            self.take("full" if due == "full" else "light")
        raise Interrupted("stopped as asked, between two batches", code=self.stop.code)

    def _next(self, batches: Iterator[Batch], split: Split) -> Batch | None:
        began = time.perf_counter()
        try:
            with blamed_on(f"reading {split.id}", self.reader, SourceError):
                return next(batches, None)
        finally:
            self.read_seconds += time.perf_counter() - began

    def working(self) -> list[Stage]:
        """The stages between reader and writers, in order."""
        routes = self.routing.routes.values() if self.routing is not None else ()
        return [*self.stages, *([self.grouper] if self.grouper is not None else []), *routes]

    def seconds(self) -> dict[str, float]:
        """Seconds spent in each stage since the run began, the reader's and the checkpoints' among them."""
        named = {"reader": self.read_seconds}
        named |= {stage.name: stage.seconds for stage in self.working()}
        named |= {outlet.label: outlet.seconds for outlet in self.outlets}
        if self.bypassing is not None and self.bypassing.bypasses:
            named["bypass"] = self.bypass_seconds
        return named | {"checkpoints": self.persist_seconds}

    def progress(self) -> Progress:
        """How far the run is."""
        written = sum(outlet.given for outlet in self.outlets)
        files = sum(outlet.writer.files.next_file for outlet in self.outlets if hasattr(outlet.writer, "files"))
        seconds = time.perf_counter() - self.began
        return Progress(self.books.stages["reader"].records_out, written, self.bytes_read, files, seconds, self.records_before)

    def facts(self) -> dict[str, Any]:
        """What a checkpoint says of how the run is driven."""
        return {}

    def _times(self) -> dict[str, float]:
        return self.seconds() if self.report is not None else {}

    def _report(self, before: dict[str, float]) -> None:
        if self.report is None:
            return
        times = dict.fromkeys((*INHERITED_TIMES.values(), "written", "persisted"), 0.0)
        labels = {outlet.label for outlet in self.outlets}
        routes = self.routing.seconds() if self.routing is not None else {}
        for name, seconds in self.seconds().items():
            spent = seconds - before[name]
            if name in routes:
                times["filtered_after"] += spent
                continue
            inherited = "written" if name in labels else "persisted" if name == "checkpoints" else INHERITED_TIMES[name.partition(".")[0]]
            times[inherited] += spent
        self.report(times)


def _nobody(_stage: str, _batch: Batch) -> None:
    """Looks at what a stage got where no profile is wanted."""
