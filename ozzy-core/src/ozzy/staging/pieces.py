"""Pieces: what a worker makes of a part of the source for one writer, to be joined to the files of the run in the order of the source.

A piece is one file of segments: rows of one group that are formatted, without a header or footer. Where a group fills a member of its
codec, its segments are whole members, so that joining them is copying; the few rows of a group that does not are left as they are, and
are compressed with those of other pieces. Where the rows of a segment are to be told apart again, their lengths follow it. A piece need
not survive anything: one that was not joined before a kill is made again.
"""

import io
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import BinaryIO, Final

import attrs

from ozzy.data.codecs import Codec, open_decompressed
from ozzy.staging.disk import at_destination, write_all
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
    rows: list[bytes] = attrs.field(factory=list)
    size: int = 0
    segments: list[Segment] = attrs.field(factory=list)
    compressed: bool = False


class PieceMaker:
    """Takes the place of a writer's `StagedFiles` in a worker: rows that are written become pieces, one after the other.

    Rows with something between them (a `separator`) are never compressed here, since who joins them puts it there.
    """

    next_file = 0

    def __init__(self, codec: Codec, separator: bytes) -> None:
        self.codec = codec
        self.member_size = codec.member_size if not separator else None
        self._groups: dict[GroupKey, _Group] = {}
        self._path = Path()
        self._file: BinaryIO | None = None
        self._end = self._waiting = 0

    def begin(self, path: Path) -> None:
        """What comes now belongs to a piece at this path; one that was not ended is forgotten."""
        self._groups, self._path, self._end, self._waiting = {}, path, 0, 0
        self._close()

    def write(self, group: GroupKey, rows: list[bytes]) -> None:
        """Take formatted rows of a group. Raises DestinationError."""
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = _Group()
        before = found.size
        if self.member_size is None:
            found.rows += rows
            found.size += sum(map(len, rows))
        else:
            self._fill(group, found, rows, self.member_size)
        self._waiting += found.size - before
        if self._waiting > WAITING:
            for key, one in self._groups.items():
                self._put(key, one, compress=False)
            self._waiting = 0

    def end(self) -> Piece:
        """The piece: what waited is written too."""
        for key, one in self._groups.items():
            self._put(key, one, compress=one.compressed)
        self._close()
        piece = Piece(str(self._path) if self._end else None, {key: one.segments for key, one in self._groups.items()})
        self._groups = {}
        return piece

    def close_all(self) -> None:
        """Files are ended by who joins the pieces."""

    def staged_bytes(self) -> int:
        """Nothing of a piece waits to be published."""
        return 0

    def _fill(self, key: GroupKey, group: _Group, rows: list[bytes], member_size: int) -> None:
        """End a member at each row end that reaches the size of one."""
        ends = list(accumulate(map(len, rows)))
        start = done = 0
        while start < len(rows):
            last = bisect_left(ends, done + member_size - group.size, lo=start)
            group.rows += rows[start : last + 1] if start or last + 1 < len(rows) else rows
            end = ends[min(last, len(rows) - 1)]
            group.size += end - done
            if last < len(rows):
                self._put(key, group, compress=True)
            start, done = last + 1, end

    def _put(self, key: GroupKey, group: _Group, *, compress: bool) -> None:
        """Write the rows that wait as a segment."""
        if not group.rows:
            return
        raw = b"".join(group.rows)
        content = self.codec.compress(raw) if compress else raw
        apart = bool(key) or not compress
        lengths = array("I", map(len, group.rows)).tobytes() if apart else b""
        self._write(content + lengths if lengths else content)
        last = group.segments[-1] if group.segments else None
        if last is not None and not apart and last.compressed and last.start + last.size == self._end:
            group.segments[-1] = attrs.evolve(last, size=last.size + len(content), rows=last.rows + len(group.rows))
        else:
            group.segments.append(Segment(self._end, len(content), len(group.rows), compress, apart))
        self._end += len(content) + len(lengths)
        group.compressed = group.compressed or compress
        group.rows, group.size = [], 0

    def _write(self, content: bytes) -> None:
        with at_destination(self._path):
            if self._file is None:
                self._file = self._path.open("wb", buffering=0)
            write_all(self._file.fileno(), content)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def join(files: StagedFiles, piece: Piece) -> None:
    """Append a piece to the files of a writer, and delete it. Raises DestinationError."""
    if piece.path is None:
        return
    path = Path(piece.path)
    with at_destination(path), path.open("rb", buffering=0) as content:
        for group, segments in piece.groups.items():
            for segment in segments:
                if segment.compressed and not files.waits(group):
                    files.write_members(group, _content(content.fileno(), segment), segment.rows)
                else:
                    files.write(group, _rows(content, segment, files.codec))
        path.unlink()


def _content(descriptor: int, segment: Segment) -> Iterator[bytes]:
    at, end = segment.start, segment.start + segment.size
    while at < end:
        part = os.pread(descriptor, min(_COPIED, end - at), at)
        if not part:
            raise OSError("a piece is shorter than its worker said")
        yield part
        at += len(part)


def _rows(content: BinaryIO, segment: Segment, codec: Codec) -> list[bytes]:
    """The rows of a segment, one by one."""
    text = b"".join(_content(content.fileno(), segment))
    apart = Segment(segment.start + segment.size, segment.rows * array("I").itemsize, 0, compressed=False, apart=False)
    lengths = array("I", b"".join(_content(content.fileno(), apart)))
    if segment.compressed:
        stream = open_decompressed(io.BytesIO(text), codec.name, name="a piece")
        text = b"".join(iter(stream.read, b""))
    ends = list(accumulate(lengths, initial=0))
    return [text[start:end] for start, end in pairwise(ends)]
