"""What a replay reads: the quarantine of an earlier run, batch by batch, each bound for the stage that refused its records."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from ozzy.contracts.decoder import HEAD, decoded
from ozzy.contracts.grouper import GroupKey
from ozzy.contracts.reader import BaseReader, BaseStreamReader, Split
from ozzy.data.batch import Batch, Rejected
from ozzy.data.codecs import open_decompressed
from ozzy.data.json_text import check_line
from ozzy.errors import DataError, SourceError
from ozzy.plan.several_readers import SeveralReaders
from ozzy.run.marks import Marks
from ozzy.run.quarantine import FILE, Cause, Entry, lines_of

MOST_ROWS = 1000
MOST_BYTES = 1 << 20


class Returned(Batch):
    """Rows out of a quarantine that all go to one `stage`, and from there to one `writer` (None: to all).

    `groups` holds the group of each row where it was known, `ends` where each ends in the file.
    """

    __slots__ = ("ends", "groups", "stage", "writer")

    def __init__(self, *, stage: str, writer: str | None, groups: Sequence[GroupKey], ends: Sequence[int], **more: Any) -> None:
        super().__init__(**more)
        self.stage = stage
        self.writer = writer
        self.groups = groups
        self.ends = ends

    def _chosen(self, choose: Callable[[Sequence[Any]], list[Any]], *faces: Any, **more: Any) -> Batch:
        chosen = super()._chosen(choose, *faces, **more)
        return Returned(
            stage=self.stage,
            writer=self.writer,
            groups=choose(self.groups),
            ends=choose(self.ends),
            lines=chosen.lines if "lines" in chosen.faces else None,
            records=chosen.records if "records" in chosen.faces else None,
            split=chosen.split,
            position=chosen.position,
            origin=chosen.origin,
        )


class QuarantineReader(BaseReader):
    """Reads what is left in the quarantine of a run, of one cause or of all; `source` is the pipeline's reader, for what it rejected.

    A position is how much of the file is done with. `replay` is the id of the run that reads it: its own mark counts for nothing here.
    """

    def __init__(self, folder: Path, run: str, cause: int | None, source: BaseReader, replay: str = "") -> None:
        super().__init__({}, source.metadata)
        self.replay = replay
        self.folder = folder
        self.run = run
        self.cause = cause
        self.source = source

    def splits(self) -> tuple[Split]:
        size = (self.folder / FILE).stat().st_size if (self.folder / FILE).exists() else -1
        return (Split(f"quarantine of {self.run}", str(size), size),)

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        draft: _Draft | None = None
        done = position["at"] if position else 0
        for end, cause, entry in self._wanted(done):
            parts = list(self._parts(cause, entry))
            if draft is not None and not draft.takes(parts):
                yield draft.batch(done)
                draft = None
            draft = draft or _Draft(parts[0])
            for part in parts:
                draft.add(part, end)
            done = end
        if draft is not None:
            yield draft.batch(done)

    def end_of(self, split: Split, position: Any, rows: int) -> int:
        """How much of the file is done with where a run stands at a position and so many rows after it."""
        done: int = position["at"] if position else 0
        if rows:
            batch = next(self.read(split, position), None)
            assert isinstance(batch, Returned)
            done = batch.ends[rows - 1]
        return done

    def count(self, end: int | None = None) -> int:
        """How many records there are for this reader, before `end` where that is given."""
        return sum(end is None or at <= end for at, _, _ in self._wanted(0))

    def close(self) -> None:
        self.source.close()

    def _wanted(self, start: int) -> Iterator[tuple[int, Cause, Entry]]:
        """The records that are to be replayed and begin at `start` or later, each with its end and its cause."""
        marks, causes, at = Marks.of(self.folder).without(self.replay), {}, 0
        for end, line in lines_of(self.folder / FILE):
            begun, at = at, end
            if isinstance(line, Cause):
                causes[line.number] = line
            elif begun >= start and line.replayable and self.cause in {None, line.cause} and marks.left(line, begun):
                yield end, causes[line.cause], line

    def _parts(self, cause: Cause, entry: Entry) -> Iterator["_Part"]:
        row = None if entry.record is None else entry.record - 1
        as_it_was = entry.raw if entry.value is None else entry.record_again
        for one in self._read_again(entry, row) if cause.stage == "reader" else [as_it_was]:
            yield _Part(one, cause.stage, cause.writer, entry.split, entry.group, row)

    def _read_again(self, entry: Entry, row: int | None) -> list[Any]:
        """What the reader makes of what it had rejected: lines or records, or the row rejected again."""
        line = entry.raw
        head = entry.head.encode()
        source = self.source.reader_of(entry.split) if isinstance(self.source, SeveralReaders) else self.source

        def rejected(message: str) -> Rejected:
            return Rejected(entry.where, message, line, row=row, head=head)

        try:
            if not isinstance(source, BaseStreamReader):
                check_line(line)
                return [line]
            text = b"\n".join([*filter(None, [head]), line]) + b"\n"
            stream = open_decompressed(io.BytesIO(text), "none", name=entry.split)
            found: list[Any] = []
            batches = list(decoded(source.decoder(entry.split, stream.head(HEAD)), stream, None))
            lines = all("lines" in batch.faces for batch in batches)
            for batch in batches:
                found += batch.lines if lines else batch.records
                found += [rejected(one.message) for one in batch.rejected]
        except (DataError, SourceError) as error:
            return [rejected(error.message)]
        return found or [rejected("it holds no record")]


@attrs.frozen
class _Part:
    """One row on its way: a line, a record or a rejected row, and where it is bound."""

    what: Any
    stage: str
    writer: str | None
    split: str
    group: GroupKey
    row: int | None

    @property
    def bound(self) -> tuple[object, ...]:
        """What rows of one batch have in common."""
        return self.stage, self.writer, self.split, self.row is None


class _Draft:
    """The batch to come: rows that are bound for the same stage, come from the same split and have the same face."""

    def __init__(self, first: _Part) -> None:
        self.first = first
        self.face: str | None = None
        self.rows: list[Any] = []
        self.rejected: list[Rejected] = []
        self.groups: list[GroupKey] = []
        self.origin: list[int | None] = []
        self.ends: list[int] = []
        self.size = 0

    def takes(self, parts: list[_Part]) -> bool:
        """Whether what became of one record can go with this batch: it stays together, since a position lies between two records."""
        if len(self.rows) + len(self.rejected) >= MOST_ROWS or self.size >= MOST_BYTES:
            return False
        faces = {_face(part.what) for part in parts if not isinstance(part.what, Rejected)}
        return parts[0].bound == self.first.bound and faces <= {self.face or next(iter(faces), None)}

    def add(self, part: _Part, end: int) -> None:
        if isinstance(part.what, Rejected):
            self.rejected.append(part.what)
            return
        self.face = _face(part.what)
        self.rows.append(part.what)
        self.groups.append(part.group)
        self.origin.append(part.row)
        self.ends.append(end)
        self.size += len(part.what) if isinstance(part.what, bytes) else 1

    def batch(self, at: int) -> Returned:
        return Returned(
            stage=self.first.stage,
            writer=self.first.writer,
            groups=self.groups,
            ends=self.ends,
            split=self.first.split,
            position={"at": at},
            rejected=self.rejected,
            origin=None if self.first.row is None else self.origin,
            **{self.face or "lines": self.rows},
        )


def _face(what: Any) -> str:
    return "lines" if isinstance(what, bytes) else "records"
