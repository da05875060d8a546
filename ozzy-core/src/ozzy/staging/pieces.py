"""Pieces: what a worker makes of a part of the source for one writer, to be joined to the files of the run in the order of the source.

A piece is one file of segments: rows of one group that are formatted, without a header or footer. Where a group fills a member of its
codec, or half of one, its segments are whole members, so that joining them is copying; the few rows of a group that does not are left as
they are, and are compressed with those of other pieces. Where the rows of a segment are to be told apart again, their lengths follow it.
A piece need not survive anything: one that was not joined before a kill is made again.
"""

import io
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final

import attrs

from ozzy.data.codecs import Codec, Raw, open_decompressed
from ozzy.data.rows import Rows
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
    waiting: list[Raw] = attrs.field(factory=list)
    lengths: "array[int]" = attrs.field(factory=lambda: array("I"))
    size: int = 0
    segments: list[Segment] = attrs.field(factory=list)
    compressed: bool = False

    def take(self, text: memoryview, lengths: "array[int]") -> None:
        """Let rows wait."""
        if lengths:
            self.waiting.append(text)
            self.lengths += lengths
            self.size += len(text)


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
                self._put(key, one, compress=False)
            self._waiting = 0

    def end(self) -> Piece:
        """The piece: what waited is written too."""
        for key, one in self._groups.items():
            self._put(key, one, compress=one.compressed or self._is_large(one))
        self._close()
        piece = Piece(str(self._path) if self._end else None, {key: one.segments for key, one in self._groups.items()})
        self._groups = {}
        return piece

    def close_all(self) -> None:
        """Files are ended by who joins the pieces."""

    def staged_bytes(self) -> int:
        """Nothing of a piece waits to be published."""
        return 0

    def _is_large(self, group: _Group) -> bool:
        """Whether rows that fill no member are worth one of their own."""
        return self.member_size is not None and group.size * 2 >= self.member_size

    def _fill(self, key: GroupKey, group: _Group, rows: Rows) -> None:
        """Let rows wait; at each row end that reaches the size of a member, end one."""
        text, start, done = memoryview(rows.text), 0, 0
        while self.member_size is not None and (needed := self.member_size - group.size) <= len(text) - done and start < len(rows):
            last = bisect_left(rows.ends, done + needed, lo=start)
            end = rows.ends[last]
            group.take(text[done:end], rows.lengths[start : last + 1])
            self._put(key, group, compress=True)
            start, done = last + 1, end
        group.take(text[done:], rows.lengths[start:] if start else rows.lengths)

    def _put(self, key: GroupKey, group: _Group, *, compress: bool) -> None:
        """Write the rows that wait as a segment."""
        if not group.lengths:
            return
        raw = b"".join(group.waiting) if len(group.waiting) > 1 else group.waiting[0]
        content = self.codec.compress(raw) if compress else raw
        apart = bool(key) or not compress
        lengths = group.lengths.tobytes() if apart else b""
        self._write(b"".join((content, lengths)) if lengths else content)
        last = group.segments[-1] if group.segments else None
        if last is not None and not apart and last.compressed and last.start + last.size == self._end:
            group.segments[-1] = attrs.evolve(last, size=last.size + len(content), rows=last.rows + len(group.lengths))
        else:
            group.segments.append(Segment(self._end, len(content), len(group.lengths), compress, apart))
        self._end += len(content) + len(lengths)
        group.compressed = group.compressed or compress
        group.waiting, group.lengths, group.size = [], array("I"), 0

    def _write(self, content: Raw) -> None:
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
            for whole, run in groupby(segments, lambda segment: segment.compressed):
                if whole and not files.waits(group):
                    members = list(run)
                    files.write_members(group, _in_large_parts(content.fileno(), members), sum(segment.rows for segment in members))
                else:
                    for segment in run:
                        files.write(group, _rows(content, segment, files.codec))
        path.unlink()


def _in_large_parts(descriptor: int, segments: Iterable[Segment]) -> Iterator[bytes]:
    """The content of segments, a megabyte or so at a time."""
    parts: list[bytes] = []
    size = 0
    for segment in segments:
        for part in _content(descriptor, segment):
            parts.append(part)
            size += len(part)
            if size >= _COPIED:
                yield b"".join(parts)
                parts, size = [], 0
    if parts:
        yield b"".join(parts)


def _content(descriptor: int, segment: Segment) -> Iterator[bytes]:
    at, end = segment.start, segment.start + segment.size
    while at < end:
        part = os.pread(descriptor, min(_COPIED, end - at), at)
        if not part:
            raise OSError("a piece is shorter than its worker said")
        yield part
        at += len(part)


def _rows(content: BinaryIO, segment: Segment, codec: Codec) -> Rows:
    """The rows of a segment, told apart."""
    text = b"".join(_content(content.fileno(), segment))
    apart = Segment(segment.start + segment.size, segment.rows * array("I").itemsize, 0, compressed=False, apart=False)
    lengths = array("I", b"".join(_content(content.fileno(), apart)))
    if segment.compressed:
        stream = open_decompressed(io.BytesIO(text), codec.name, name="a piece")
        text = b"".join(iter(stream.read, b""))
    return Rows(text, lengths)
