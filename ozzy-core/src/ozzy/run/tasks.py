"""The tasks that several workers share: what there is to do from a place of a run on, and what became of one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

from ozzy.contracts.engine import Task
from ozzy.contracts.module import blamed_on
from ozzy.contracts.reader import BaseReader
from ozzy.data.batch import Rejected
from ozzy.errors import OzzyError, SourceError, StateError
from ozzy.run.error_policy import Refused
from ozzy.run.schedule import SplitList
from ozzy.staging.disk import at_destination
from ozzy.staging.pieces import Piece

TASK_BYTES: Final = 8 * 1024 * 1024
"""The size of a range. What comes out of a compressed file ends a member where a range ends, so a run keeps the size it began with."""


def tasks_from(reader: BaseReader, splits: SplitList, split: int, offset: int, size: int | None) -> Iterator[Task]:
    """The tasks from this byte of this split on; each split in ranges of `size` bytes, where there is one and it can be cut.

    Raises SourceError.
    """
    number = 0
    for place, one in splits.after(split):
        begun = offset if place == split else 0
        with blamed_on(f"looking at {one.id}", reader, SourceError):
            parts = iter(reader.ranges(one, size) if size is not None else ())
            part = next((part for part in parts if part.start >= begun), None)
            if part is None and begun:
                raise StateError(f"{one.id} can't be read from byte {begun} on any more", hint="Start a new run with --fresh.")
            while True:
                following = next(parts, None)
                yield Task(number, place, one, part, following is None)
                number += 1
                if following is None:
                    break
                part = following


@attrs.frozen
class TaskDone:
    """What a worker made of a task.

    `rows` and `lines` are how many the range has, `books` the counts of each stage, `seconds` what each took, `pieces` the output by the
    label of its writer. `refused` is the path of a file of the records that were refused, in order, None where there are none. `error` is
    what ended the task after those; `trace` shows where. `begun` is the byte at which the first row was taken to begin, where that was a
    guess, and `ended` the one behind the last row.
    """

    rows: int
    lines: int
    records: int
    bytes_read: int
    books: dict[str, Any]
    seconds: dict[str, float]
    pieces: dict[str, Piece]
    refused: str | None = None
    error: OzzyError | None = None
    trace: str = ""
    begun: int | None = None
    ended: int | None = None


class Kept(msgspec.Struct, omit_defaults=True):
    """A refused record in a file, with its place counted from the beginning of its range."""

    stage: str
    where: str
    message: str
    line: bytes | None
    row: int | None
    head: bytes
    whole: bool
    error: str
    split: str
    kept: dict[str, Any] | None
    writer: str | None
    group: tuple[str, ...]

    def refused(self, where: str, rows: int) -> Refused:
        """The record as it was refused, at this place, with so many rows before the range."""
        row = None if self.row is None else self.row + rows
        kept = self.kept
        return Refused(
            self.stage,
            Rejected(where, self.message, self.line, row, self.head, self.whole),
            self.error,
            self.split,
            None if kept is None else lambda: kept,
            self.writer,
            self.group,
        )


def kept_in(path: str) -> Iterator[Kept]:
    """The refused records of a file, one by one. Raises DestinationError."""
    with at_destination(Path(path)), Path(path).open("rb") as file:
        for line in file:
            yield _decoder.decode(line)


_decoder = msgspec.json.Decoder(Kept)
