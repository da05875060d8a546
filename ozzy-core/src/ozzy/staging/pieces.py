"""Pieces: what a worker makes of a part of the source for one writer, to be joined to the files of the run in the order of the source.

A piece is one file of segments: rows of one group that are formatted, without a header or footer. Where a group fills a member of its
codec, or half of one, its segments are whole members, so that joining them is copying; the few rows of a group that does not are left as
they are, and are compressed with those of other pieces. Where the rows of a segment are to be told apart again, their lengths follow it.
A piece need not survive anything: one that was not joined before a kill is made again.
"""

import io
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final

import attrs

from ozzy.data.codecs import Codec, Raw, open_decompressed
from ozzy.data.rows import Rows
from ozzy.staging.disk import at_destination, write_parts
from ozzy.staging.files import StagedFiles
from ozzy.staging.spill import GroupKey

WAITING: Final = 16 * 1024 * 1024
"""Bytes of rows that wait for a member to be full, of all groups together, before they are written as they are."""

_COPIED = 1 << 20


@attrs.frozen
class Segment:
    """Rows of one group: `size` bytes from `start` on, as members of the codec or as they are; lengths of rows follow if `apart`."""

    start: int
    size: int
    rows: int
    compressed: bool
    apart: bool


@attrs.frozen
class Piece:
    """What there is in the file at `path` (None: nothing): the segments of each group, groups in the order of their first rows."""

    path: str | None
    groups: dict[GroupKey, list[Segment]]


@attrs.define
class _Group:
    waiting: list[Raw] = attrs.field(factory=list)
    lengths: "array[int]" = attrs.field(factory=lambda: array("I"))
    rows: int = 0
    size: int = 0
    segments: list[Segment] = attrs.field(factory=list)
    compressed: bool = False

    def take(self, text: Raw, rows: int) -> None:
        """Let rows wait."""
        if rows:
            self.waiting.append(text)
            self.rows += rows
            self.size += len(text)


class PieceMaker:
    """Takes the place of a writer's `StagedFiles` in a worker: rows that are written become pieces, one after the other.

    Rows with something between them (a `separator`) are never compressed here, since who joins them puts it there.
    """

    next_file = 0

    def __init__(self, codec: Codec, separator: bytes) -> None:
        self.codec = codec
        self.member_size = codec.member_size if not separator else None
        self._plain = codec.plain and not separator
        self._groups: dict[GroupKey, _Group] = {}
        self._path = Path()
        self._file: BinaryIO | None = None
        self._unwritten: list[Raw] = []
        self._end = self._written = self._waiting = 0

    def begin(self, path: Path) -> None:
        """What comes now belongs to a piece at this path; one that was not ended is forgotten."""
        self._groups, self._path, self._unwritten = {}, path, []
        self._end = self._written = self._waiting = 0
        self._close()

    def write(self, group: GroupKey, rows: Sequence[bytes]) -> None:
        """Take formatted rows of a group. Raises DestinationError."""
        rows = Rows.of(rows)
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = _Group()
        before = found.size
        self._fill(group, found, rows)
        self._waiting += found.size - before
        if self._waiting > WAITING:
            for key, one in self._groups.items():
                self._put(key, one, compress=self._plain and not key)
            self._waiting = 0

    def end(self) -> Piece:
        """The piece: what waited is written too."""
        for key, one in self._groups.items():
            self._put(key, one, compress=one.compressed or self._is_large(key, one))
        self._write()
        path = str(self._path) if self._file is not None else None
        self._close()
        piece = Piece(path, {key: one.segments for key, one in self._groups.items()})
        self._groups = {}
        return piece

    def close_all(self) -> None:
        """Files are ended by who joins the pieces."""

    def staged_bytes(self) -> int:
        """Nothing of a piece waits to be published."""
        return 0

    def _is_large(self, key: GroupKey, group: _Group) -> bool:
        """Whether rows that fill no member are worth one of their own, which what is not compressed has anyhow."""
        return self.member_size is not None and (group.size * 2 >= self.member_size or (self._plain and not key))

    def _fill(self, key: GroupKey, group: _Group, rows: Rows) -> None:
        """Let rows wait; at each row end that reaches the size of a member, end one. What is not compressed may end anywhere."""
        if self._plain:
            if key:
                group.lengths += rows.lengths
            group.take(rows.text, len(rows))
            if group.size >= _COPIED:
                self._put(key, group, compress=True)
            return
        text, count, start, done = rows.text, len(rows), 0, 0
        while self.member_size is not None and (needed := self.member_size - group.size) <= len(text) - done and start < count:
            last = bisect_left(rows.ends, done + needed, lo=start)
            end = rows.ends[last]
            group.lengths += rows.lengths[start : last + 1]
            group.take(memoryview(text)[done:end], last + 1 - start)
            self._put(key, group, compress=True)
            start, done = last + 1, end
        group.lengths += rows.lengths[start:] if start else rows.lengths
        group.take(memoryview(text)[done:] if start else text, count - start)

    def _put(self, key: GroupKey, group: _Group, *, compress: bool) -> None:
        """Write the rows that wait as a segment."""
        if not group.rows:
            return
        parts = group.waiting
        if compress and not self._plain:
            parts = [self.codec.compress(b"".join(parts) if len(parts) > 1 else parts[0])]
        size = sum(map(len, parts))
        apart = bool(key) or not compress
        lengths = group.lengths.tobytes() if apart else b""
        self._unwritten += [*parts, lengths] if lengths else parts
        last = group.segments[-1] if group.segments else None
        if last is not None and not apart and last.compressed and last.start + last.size == self._end:
            group.segments[-1] = attrs.evolve(last, size=last.size + size, rows=last.rows + group.rows)
        else:
            group.segments.append(Segment(self._end, size, group.rows, compress, apart))
        self._end += size + len(lengths)
        group.compressed = group.compressed or compress
        group.waiting, group.lengths, group.rows, group.size = [], array("I"), 0, 0
        if self._end - self._written >= _COPIED:
            self._write()

    def _write(self) -> None:
        """Write what is put."""
        if not self._unwritten:
            return
        with at_destination(self._path):
            if self._file is None:
                self._file = self._path.open("wb", buffering=0)
            write_parts(self._file.fileno(), self._unwritten)
        self._unwritten, self._written = [], self._end

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def join(files: StagedFiles, piece: Piece) -> None:
    """Append a piece to the files of a writer, and delete it. Raises DestinationError."""
    if piece.path is None:
        return
    path, room = Path(piece.path), memoryview(bytearray(_COPIED))
    with at_destination(path), path.open("rb", buffering=0) as content:
        for group, segments in piece.groups.items():
            for whole, run in groupby(segments, lambda segment: segment.compressed):
                if whole and not files.waits(group):
                    members = list(run)
                    files.write_members(group, _in_large_parts(content, members, room), sum(segment.rows for segment in members))
                else:
                    for segment in run:
                        files.write(group, _rows(content, segment, files.codec))
        path.unlink()


def _in_large_parts(content: BinaryIO, segments: Iterable[Segment], room: memoryview) -> Iterator[memoryview]:
    """The content of segments, as much at a time as there is room for it, each in the place of the one before."""
    filled = 0
    for segment in segments:
        content.seek(segment.start)
        missing = segment.size
        while missing:
            done = content.readinto(room[filled : filled + missing])  # type: ignore[attr-defined]
            if not done:
                raise OSError("a piece is shorter than its worker said")
            filled, missing = filled + done, missing - done
            if filled == len(room):
                yield room
                filled = 0
    if filled:
        yield room[:filled]


def _content(content: BinaryIO, start: int, size: int) -> bytes:
    """So many bytes from there on."""
    content.seek(start)
    found = content.read(size)
    if len(found) < size:
        raise OSError("a piece is shorter than its worker said")
    return found


def _rows(content: BinaryIO, segment: Segment, codec: Codec) -> Rows:
    """The rows of a segment, told apart."""
    text = _content(content, segment.start, segment.size)
    lengths = array("I", _content(content, segment.start + segment.size, segment.rows * array("I").itemsize))
    if segment.compressed:
        stream = open_decompressed(io.BytesIO(text), codec.name, name="a piece")
        text = b"".join(iter(stream.read, b""))
    return Rows(text, lengths)
