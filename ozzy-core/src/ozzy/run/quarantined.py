"""Looking at what a run keeps in quarantine."""

from collections.abc import Iterator
from typing import Any

import attrs

from ozzy.run.marks import Marks, counted, superseded
from ozzy.run.quarantine import FILE, Cause, Entry, lines_of
from ozzy.run.runs import RunRecord


@attrs.frozen
class QuarantinedCause:
    """Why some records are in quarantine: `number` is what `replay` and `discard` know it by.

    `records` says how many are left, `place` where the first of these came from. `writer` is set where one writer alone refused them.
    """

    number: int
    stage: str
    module: str
    package: str
    version: str
    error: str
    message: str
    records: int
    place: str | None = None
    writer: str | None = None


@attrs.frozen
class QuarantinedRecord:
    """One record in quarantine: which stage refused it and why, the place it came from, and its `text`.

    That is JSON, or what was read where the reader refused it; `replayable` is false for a record that can't be brought back.
    """

    cause: int
    stage: str
    place: str
    message: str
    text: str
    replayable: bool


@attrs.define(eq=False, repr=False)
class Quarantined:
    """The quarantine of one run. Iterating gives the records that are left, one by one; `len` counts them.

    `causes` groups them; `superseded` is true where the run was given up, so that its source was read again.
    """

    run: str
    pipeline: str
    causes: list[QuarantinedCause]
    superseded: bool
    became: list[dict[str, Any]]
    """What became of others: each replay and each time some were discarded, as JSON."""
    _record: RunRecord = attrs.field(alias="record", repr=False)

    @classmethod
    def of(cls, record: RunRecord) -> "Quarantined":
        """What is in the quarantine of a run. Raises StateError where that is damaged."""
        causes, left, places = counted(record.folder, torn=record.unfinished)
        found = [_cause(cause, left.get(number, 0), places.get(number)) for number, cause in causes.items()]
        became = [attrs.asdict(mark) for mark in Marks.of(record.folder).marks]
        return cls(record.id, record.facts["pipeline"], found, superseded(record), became, record)

    def __len__(self) -> int:
        return sum(cause.records for cause in self.causes)

    def __iter__(self) -> Iterator[QuarantinedRecord]:
        return self.records()

    def records(self, cause: int | None = None) -> Iterator[QuarantinedRecord]:
        """The records that are left, of one cause or of all."""
        path = self._record.folder / FILE
        if not path.exists():
            return
        marks, stages, start = Marks.of(self._record.folder), {one.number: one.stage for one in self.causes}, 0
        for end, line in lines_of(path, torn=self._record.unfinished):
            if isinstance(line, Cause):
                stages[line.number] = line.stage
            elif cause in {None, line.cause} and marks.left(line, start):
                yield _record(line, stages[line.cause])
            start = end


def _cause(cause: Cause, records: int, place: str | None) -> QuarantinedCause:
    facts = (cause.number, cause.stage, cause.module, cause.package, cause.version, cause.error, cause.message)
    return QuarantinedCause(*facts, records=records, place=place, writer=cause.writer)


def _record(entry: Entry, stage: str) -> QuarantinedRecord:
    import msgspec

    if entry.value is not None:
        text = msgspec.json.encode(entry.value).decode()
    else:
        text = entry.shown if entry.shown is not None else entry.raw.decode(errors="backslashreplace")
    return QuarantinedRecord(entry.cause, stage, entry.where or entry.split, entry.message, text, entry.replayable)
