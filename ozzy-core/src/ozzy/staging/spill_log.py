"""The spill log: where the rows of very many groups wait, so that memory and open files stay bounded.

Rows are collected in memory and written as runs: blocks of one group's rows, in the order of the groups' numbers. To make the files,
all runs are merged, group by group; the rows of a group come in the order in which they were added. The log only grows, so a checkpoint
is one fsync and a length, and a resumed run cuts it back.

    run     its length in bytes, then blocks
    block   number of the group, number of rows, bytes of the rows; the length of each row; the rows
"""

import heapq
import os
import struct
import tempfile
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from ozzy.data.rows import Rows
from ozzy.errors import StateError
from ozzy.staging.disk import at_destination, make_folder, read_exactly, size_of, write_all

MEMORY = 16 << 20
"""Bytes of rows that are held in memory before they become a run, what Python needs for each row included."""

FAN_IN = 256
"""Runs that are merged at a time."""

_BLOCK = 64 << 10
_BLOCK_ROWS = 8 << 10
_READ = 64 << 10
_WRITE = 1 << 20
_ROW_COST = 4
_TEXT_COST = 48
_GROUP_COST = 350
_LENGTH = struct.Struct("<Q")
_HEAD = struct.Struct("<QQQ")


@attrs.define(eq=False, repr=False)
class _Held:
    """Rows of one group in memory."""

    texts: list[bytes] = attrs.field(factory=list)
    lengths: "array[int]" = attrs.field(factory=lambda: array("I"))


@attrs.define(eq=False, repr=False)
class SpillLog:
    """Rows by the numbers of their groups. Without a `path` it is a file without a name, for a run that leaves no trace.

    `rows` and `size` count all rows and their bytes, `length` and `crc32` what was written of them.
    """

    path: Path | None
    memory: int = MEMORY
    fan_in: int = FAN_IN
    rows: int = 0
    size: int = 0
    length: int = 0
    crc32: int = 0
    _held: dict[int, _Held] = attrs.field(factory=dict, init=False, repr=False)
    _cost: int = attrs.field(default=0, init=False)
    _dirty: bool = attrs.field(default=False, init=False)
    _nameless: Any = attrs.field(default=None, init=False, repr=False)

    def add(self, group: int, rows: Sequence[bytes]) -> None:
        """Take rows of the group with this number."""
        rows = Rows.of(rows)
        held = self._held.get(group)
        if held is None:
            held = self._held[group] = _Held()
            self._cost += _GROUP_COST
        held.texts.append(rows.text)
        held.lengths += rows.lengths
        self.rows += len(rows)
        self.size += rows.size
        self._cost += rows.size + _TEXT_COST + _ROW_COST * len(rows)
        if self._cost >= self.memory:
            self._flush()

    def sync(self) -> None:
        """Put all rows on disk."""
        self._flush()
        if self._dirty:
            with self._guarded(), self._opened("rb") as file:
                os.fsync(file.fileno())
            self._dirty = False

    def facts(self) -> dict[str, Any]:
        """What a receipt says of a log that is synced."""
        name = self.path.name if self.path is not None else ""
        return {"log": name, "length": self.length, "crc32": self.crc32, "rows": self.rows, "size": self.size}

    def go_back(self, facts: dict[str, Any]) -> None:
        """Stand where a receipt was made. Raises StateError where the log is not what it says."""
        assert self.path is not None
        crc32 = 0
        with self._guarded(), self.path.open("r+b") as file:
            for piece in read_exactly(file, facts["length"]):
                crc32 = zlib.crc32(piece, crc32)
            if crc32 != facts["crc32"]:
                raise StateError(f"the staged rows in {self.path} are not what the checkpoint says", hint="Start again with --fresh.")
            file.truncate(facts["length"])
            os.fsync(file.fileno())
        self.length, self.crc32, self.rows, self.size = facts["length"], crc32, facts["rows"], facts["size"]

    def groups(self) -> Iterator[tuple[int, Rows]]:
        """All rows, in pieces: the groups in the order of their numbers, the rows of each in the order in which they were added."""
        self._flush()
        runs = self._runs() if self.length else []
        if len(runs) > self.fan_in:
            fewer = self._with_fewer_runs(runs)
            yield from fewer.groups()
            fewer.delete()
            return
        if runs:
            with self._guarded(), self._opened("rb") as file:
                for group, block in self._merged(file, runs):
                    yield group, _rows(block)

    def write_run(self, length: int, blocks: Iterable[bytes]) -> None:
        """Append one run of blocks, so many bytes in all."""
        with self._guarded(), self._opened("ab") as file:
            waiting = bytearray(_LENGTH.pack(length))
            for block in blocks:
                waiting += block
                if len(waiting) >= _WRITE:
                    self._append(file, waiting)
            self._append(file, waiting)
        self._dirty = True

    def delete(self) -> None:
        """The rows are not needed any more."""
        self._held.clear()
        if self._nameless is not None:
            self._nameless.close()
        elif self.path is not None:
            with self._guarded():
                self.path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._held:
            blocks = [(group, part) for group in sorted(self._held) for part in _parts(self._held[group])]
            length = sum(_HEAD.size + len(part) * _LENGTH.size + part.size for _, part in blocks)
            self.write_run(length, (_block(group, part) for group, part in blocks))
            self._held.clear()
            self._cost = 0

    def _with_fewer_runs(self, runs: list[tuple[int, int]]) -> "SpillLog":
        fewer = SpillLog(self.path and self.path.with_name(f"{self.path.name}-merged"), self.memory, self.fan_in)
        with self._guarded(), self._opened("rb") as file:
            for at in range(0, len(runs), self.fan_in):
                some = runs[at : at + self.fan_in]
                fewer.write_run(sum(end - start for start, end in some), (block for _, block in self._merged(file, some)))
        return fewer

    def _append(self, file: BinaryIO, data: bytearray) -> None:
        write_all(file.fileno(), data)
        self.length += len(data)
        self.crc32 = zlib.crc32(data, self.crc32)
        data.clear()

    def _runs(self) -> list[tuple[int, int]]:
        """Where the blocks of each run begin and end."""
        runs, at = [], 0
        with self._guarded(), self._opened("rb") as file:
            while at < self.length:
                (length,) = _LENGTH.unpack(self._read(file, _LENGTH.size, at))
                start = at + _LENGTH.size
                at = start + length
                runs.append((start, at))
        return runs

    def _merged(self, file: BinaryIO, runs: list[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
        return heapq.merge(*(self._blocks(file, start, end) for start, end in runs), key=itemgetter(0))

    def _blocks(self, file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, bytes]]:
        """The blocks of one run, each with the number of its group."""
        held, done = b"", 0
        while at < end or done < len(held):
            wanted = _HEAD.size
            for _ in range(2):
                missing = wanted - (len(held) - done)
                if missing > 0:
                    more = self._read(file, min(max(missing, _READ), end - at), at)
                    held, done, at = held[done:] + more, 0, at + len(more)
                group, rows, size = _HEAD.unpack_from(held, done)
                wanted = _HEAD.size + rows * _LENGTH.size + size
            yield group, held[done : done + wanted]
            done += wanted

    def _read(self, file: BinaryIO, size: int, at: int) -> bytes:
        pieces = []
        while size:
            piece = os.pread(file.fileno(), size, at)
            if not piece:
                raise StateError(f"the staged rows in {self.path} end too early", hint="Start again with --fresh.")
            pieces.append(piece)
            size, at = size - len(piece), at + len(piece)
        return b"".join(pieces)

    def _opened(self, mode: str) -> AbstractContextManager[BinaryIO]:
        if self.path is not None:
            if mode == "ab":
                make_folder(self.path.parent, private=2)
            return self.path.open(mode, buffering=0)  # type: ignore[return-value]
        if self._nameless is None:
            self._nameless = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (closed by delete)
        return nullcontext(self._nameless)

    def _guarded(self) -> at_destination:
        return at_destination(self.path or Path(tempfile.gettempdir()))


def holds_log(folder: Path, facts: dict[str, Any]) -> bool:
    """Whether the log that a receipt speaks of is there, and not shorter than it says."""
    return size_of(folder / facts["log"]) >= int(facts["length"])


def _parts(held: _Held) -> Iterator[Rows]:
    """The rows in parts small enough to be read back at once."""
    rows = Rows(b"".join(held.texts), held.lengths)
    if rows.size < _BLOCK and len(rows) <= _BLOCK_ROWS:
        yield rows
        return
    start = done = 0
    while start < len(rows):
        end = min(bisect_left(rows.ends, done + _BLOCK, lo=start) + 1, start + _BLOCK_ROWS, len(rows))
        yield rows[start:end]
        start, done = end, rows.ends[end - 1]


def _block(group: int, rows: Rows) -> bytes:
    return b"".join([_HEAD.pack(group, len(rows), rows.size), struct.pack(f"<{len(rows)}Q", *rows.lengths), rows.text])


def _rows(block: bytes) -> Rows:
    _, count, _ = _HEAD.unpack_from(block)
    lengths = array("I", struct.unpack_from(f"<{count}Q", block, _HEAD.size))
    return Rows(block[_HEAD.size + count * _LENGTH.size :], lengths)
