"""One staged file: a row of members on disk, and a tail that is still raw.

A member is collected raw, ends at the row end that reaches the codec's member size, and is compressed in one call; it never ends at a
checkpoint, so the bytes do not depend on when checkpoints were taken. An archive such as a zip is made of the whole content at the end.
"""

import hashlib
import os
import posixpath
from bisect import bisect_left
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import attrs

from ozzy.data.codecs import Codec, Raw
from ozzy.staging.assembly import SUFFIX, Assembly
from ozzy.staging.disk import at_destination, changed_meanwhile, make_folder, read_exactly, sync_file, write_all, write_behind
from ozzy.staging.spill import GroupKey


@attrs.define
class StagedFile:
    """One file being made: `length` compressed bytes are in `path`, `tail` is still raw, `rows` counts both.

    Where there is an `assembly`, these are lines, of which the file itself is made when it is finished; the lines stay.
    """

    path: Path
    name: str
    group: GroupKey
    codec: Codec
    digests: tuple[str, ...] = ("sha256",)
    separator: bytes = b""
    rows: int = 0
    length: int = 0
    tail: bytearray = attrs.field(factory=bytearray, repr=False)
    skipped: bool = False
    dry: bool = False
    dirty: bool = False
    assembly: Assembly | None = None
    hashes: dict[str, Any] = attrs.field(init=False, repr=False)
    _unnamed: IO[bytes] | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.hashes = self._new_hashes()

    def _new_hashes(self) -> dict[str, Any]:
        return {name: hashlib.new(name, usedforsecurity=False) for name in self.digests}

    def append(self, rows: Any, *, stop_at: int | None) -> int:
        """Take Rows until the file is `stop_at` compressed bytes long where a member ends; returns how many were taken."""
        if self.skipped:
            self.rows += len(rows)
            return len(rows)
        if self.separator:
            rows = rows.separated(self.separator, first=bool(self.rows))
        count, text, before = len(rows), rows.text, self.rows
        start = done = 0
        while (needed := self.codec.member_size - len(self.tail)) <= len(text) - done and start < count:
            last = bisect_left(rows.ends, done + needed, lo=start)
            start, begin, done = last + 1, done, rows.ends[last]
            self.rows = before + start
            self._end_member(memoryview(text)[begin:done])
            if stop_at is not None and self.length >= stop_at:
                return start
        self.tail += memoryview(text)[done:] if start else text
        self.rows = before + count
        return count

    def append_members(self, members: Iterable[Raw], rows: int) -> None:
        """Take rows that are compressed already, as whole members, in parts of any size; what is still raw ends as a member before them."""
        self.rows += rows
        if self.skipped:
            return
        if self.tail:
            self._end_member()
        self._put(members)

    def finish(self, footer: bytes) -> None:
        """End the last member with the footer. A file with nothing in it stays one empty member."""
        self.tail += footer
        if self.tail or not self.length:
            self._end_member()
        codec = self.codec
        if self.assembly is not None:
            codec = self.assembly.codec
            if not self.dry:
                lines, self.path, self.hashes = self.path, self.path.with_suffix(SUFFIX), self._new_hashes()
                self.length = self.assembly.run(lines, self.path, self.hashes)
                self.dirty = True
        if codec.pack is not None and not (self.dry and self.assembly is not None):
            self._pack(codec.pack, codec.suffix)

    def _pack(self, pack: Callable[[IO[bytes], str, IO[bytes]], None], suffix: str) -> None:
        """Put the archive in the place of the content."""
        packed = self.path.with_suffix(".packed")
        member = posixpath.basename(self.name).removesuffix(suffix)
        self.hashes = self._new_hashes()
        with at_destination(self.path), self._content() as content, _opened(None if self.dry else packed) as target:
            pack(content, member, target)
            self.length = target.seek(0, os.SEEK_END)
            target.seek(0)
            for piece in read_exactly(target, self.length):
                for digest in self.hashes.values():
                    digest.update(piece)
        if not self.dry:
            with at_destination(self.path):
                packed.replace(self.path)
            self.dirty = True

    def _content(self) -> IO[bytes]:
        return self._unnamed if self._unnamed is not None else self.path.open("rb")

    def _end_member(self, last: Raw = b"") -> None:
        """End a member with what is raw still, and this."""
        raw = self.tail + last if self.tail else last
        member = self.codec.compress(raw)
        self.tail = bytearray()
        self._put((member,))

    def _put(self, members: Iterable[Raw]) -> None:
        """Put bytes at the end of the file; each part is done with before the next one is asked for."""
        hashes = list(self.hashes.values()) if self.codec.pack is None else []
        if not self.dry and not self.length:
            make_folder(self.path.parent, private=2)
        descriptor = None if self.dry else self._at_end()
        try:
            for member in members:
                for digest in hashes:
                    digest.update(member)
                if descriptor is not None:
                    with at_destination(self.path):
                        write_all(descriptor, member)
                        write_behind(descriptor, self.length, self.length + len(member))
                elif self.codec.pack is not None:
                    self._unnamed = self._unnamed or _opened(None)
                    self._unnamed.write(member)
                self.length += len(member)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _at_end(self) -> int:
        """The file, open to be written on. Raises DestinationError where it is not what was written so far."""
        with at_destination(self.path):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self.length else os.O_TRUNC), 0o666)
        if os.fstat(descriptor).st_size != self.length:
            os.close(descriptor)
            raise changed_meanwhile(self.path)
        self.dirty = True
        return descriptor

    def sync(self) -> None:
        """Put what was written on disk."""
        if self.dirty:
            sync_file(self.path)
            self.dirty = False

    def reopen(self, length: int, tail: bytes) -> None:
        """Go back to `length` bytes and this tail: whatever was written later is forgotten."""
        self.length = length
        self.tail = bytearray(tail)
        with at_destination(self.path):
            if not length:
                self.path.unlink(missing_ok=True)
                return
            with self.path.open("r+b") as file:
                for piece in read_exactly(file, length):
                    for digest in self.hashes.values():
                        digest.update(piece)
                file.truncate(length)
                os.fsync(file.fileno())

    def closed(self) -> dict[str, Any]:
        """The facts of a finished file, for a receipt."""
        facts = {"staged": self.path.name, "name": self.name, "group": list(self.group), "rows": self.rows, "size": self.length}
        return facts | {name: digest.hexdigest() for name, digest in self.hashes.items()}


def _opened(path: Path | None) -> IO[bytes]:
    """A new file to write and read; without a path one that has no name."""
    return TemporaryFile() if path is None else path.open("w+b")
