"""The list of a writer's files, where it is too long for a checkpoint's document: a file of JSON lines that only grows.

A receipt holds how long it was and its checksum, so what is said at a checkpoint stays true whatever is appended later, and saving it
costs what is new. A resumed run cuts the file back to its receipt.
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import msgspec

from ozzy.errors import StateError
from ozzy.staging.disk import at_destination, changed_meanwhile, make_folder, sync_folder, write_all

_HELD = 1 << 20


@attrs.define(eq=False, repr=False)
class Journal:
    """JSON lines in a file of the run's state; `length` and `crc32` are of all that was added, on disk or not.

    `what` it holds is for messages.
    """

    path: Path
    length: int = 0
    crc32: int = 0
    what: str = "list of files"
    _held: bytearray = attrs.field(factory=bytearray, init=False, repr=False)
    _dirty: bool = attrs.field(default=False, init=False)

    def add(self, line: Any) -> None:
        """Append one line. It is durable after `sync`."""
        text = msgspec.json.encode(line) + b"\n"
        self._held += text
        self.length += len(text)
        self.crc32 = zlib.crc32(text, self.crc32)
        if len(self._held) >= _HELD:
            self._flush()

    def sync(self) -> None:
        """Put all that was added on disk."""
        self._flush()
        if self._dirty:
            with at_destination(self.path):
                with self.path.open("rb") as file:
                    os.fsync(file.fileno())
                sync_folder(self.path.parent)
            self._dirty = False

    def lines(self, start: int, end: int) -> Iterator[Any]:
        """The lines between two lengths. Raises StateError where they are not there."""
        self._flush()
        if start >= end:
            return
        decoder = msgspec.json.Decoder()
        try:
            with self.path.open("rb") as file:
                at = file.seek(start)
                while at < end:
                    line = file.readline()
                    at += len(line)
                    yield decoder.decode(line)
        except (OSError, msgspec.DecodeError) as error:
            raise self._damaged() from error

    def holds(self, length: int, crc32: int) -> bool:
        """Whether the file begins with what a receipt speaks of."""
        found = 0
        try:
            with self.path.open("rb") as file:
                while length and (piece := file.read(min(length, _HELD))):
                    length -= len(piece)
                    found = zlib.crc32(piece, found)
        except OSError:
            return False
        return not length and found == crc32

    def go_back(self, length: int, crc32: int) -> None:
        """Forget all that was added after a receipt was made. Raises StateError where the file is not what the receipt says."""
        if not self.holds(length, crc32):
            raise self._damaged()
        with at_destination(self.path), self.path.open("r+b") as file:
            file.truncate(length)
            os.fsync(file.fileno())
        self._held.clear()
        self.length, self.crc32 = length, crc32

    def delete(self) -> None:
        """Begin anew."""
        if self.path.exists():
            with at_destination(self.path):
                self.path.unlink()
        self._held.clear()
        self.length = self.crc32 = 0

    def _flush(self) -> None:
        if self._held:
            with at_destination(self.path):
                make_folder(self.path.parent, private=1)
                with self.path.open("ab", buffering=0) as file:
                    if file.tell() != self.length - len(self._held):
                        raise changed_meanwhile(self.path)
                    write_all(file.fileno(), self._held)
            self._held.clear()
            self._dirty = True

    def _damaged(self) -> StateError:
        return StateError(f"the {self.what} {self.path} is not what the checkpoint says", hint="Start again with --fresh.")
