"""Files on their way to a destination: written, durable, and invisible until they are published.

A staged file is a row of members. A member is collected raw, ends at the row end that reaches the codec's member size, and is
compressed in one call; it never ends at a checkpoint, so the bytes do not depend on when checkpoints were taken. What is not yet
compressed (the tails of all open files) goes into one file a checkpoint. Everything here is local disk; who publishes is the writer.
"""

import errno
import hashlib
import os
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import attrs

from ozzy.data.codecs import Codec
from ozzy.errors import DestinationError, OzzyError, StateError

GroupKey = tuple[str, ...]


@attrs.define
class StagedFile:
    """One file being made: `length` compressed bytes are in `path`, `tail` is still raw, `rows` counts both."""

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
    hashes: dict[str, Any] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.hashes = {name: hashlib.new(name, usedforsecurity=False) for name in self.digests}

    def append(self, rows: list[bytes], *, stop_at: int | None) -> int:
        """Take rows until the file is `stop_at` compressed bytes long where a member ends; returns how many were taken."""
        if self.skipped:
            self.rows += len(rows)
            return len(rows)
        if self.separator:
            rows = [self.separator + row if self.rows or at else row for at, row in enumerate(rows)]
        ends = list(accumulate(map(len, rows)))
        start = 0
        while start < len(rows):
            done = ends[start - 1] if start else 0
            last = bisect_left(ends, done + self.codec.member_size - len(self.tail), lo=start)
            if last == len(rows):
                self.tail += b"".join(rows[start:])
                self.rows += len(rows) - start
                return len(rows)
            self.tail += b"".join(rows[start : last + 1])
            self.rows += last + 1 - start
            start = last + 1
            self._end_member()
            if stop_at is not None and self.length >= stop_at:
                break
        return start

    def finish(self, footer: bytes) -> None:
        """End the last member with the footer. A file with nothing in it stays one empty member."""
        self.tail += footer
        if self.tail or not self.length:
            self._end_member()

    def _end_member(self) -> None:
        member = self.codec.compress(bytes(self.tail))
        self.tail.clear()
        self.length += len(member)
        if self.dry:
            return
        with at_destination(self.path), self.path.open("ab", buffering=0) as file:
            write_all(file.fileno(), member)
        self.dirty = True
        for digest in self.hashes.values():
            digest.update(member)

    def sync(self) -> None:
        """Put what was written on disk."""
        if self.dirty:
            sync_file(self.path)
            self.dirty = False

    def reopen(self, length: int, tail: bytes) -> None:
        """Go back to `length` bytes and this tail: whatever was written later is forgotten."""
        self.length = length
        self.tail = bytearray(tail)
        if not length:
            self.path.unlink(missing_ok=True)
            return
        with self.path.open("r+b") as file:
            for chunk in read_chunks(file, length):
                for digest in self.hashes.values():
                    digest.update(chunk)
            file.truncate(length)
            os.fsync(file.fileno())

    def closed(self) -> dict[str, Any]:
        """The facts of a finished file, for a receipt."""
        facts = {"staged": self.path.name, "name": self.name, "group": list(self.group), "rows": self.rows, "size": self.length}
        return facts | {name: digest.hexdigest() for name, digest in self.hashes.items()}


@attrs.define
class StagedFiles:
    """All the files of one writer: one open file a group, rolled by rows and bytes, finished files waiting to be published.

    `begin(group)` gives a new file its final name and says whether its rows are to be skipped. `rows_limit` and `size_limit` (compressed
    bytes) end a file, None never does. A `dry` one counts and names, and touches no disk.
    """

    folder: Path
    codec: Codec
    header: Callable[[], bytes]
    footer: Callable[[], bytes]
    begin: Callable[[GroupKey], tuple[str, bool]]
    separator: bytes = b""
    rows_limit: int | None = None
    size_limit: int | None = None
    digests: tuple[str, ...] = ("sha256",)
    group_limit: int = 256
    dry: bool = False
    open: dict[GroupKey, StagedFile] = attrs.field(factory=dict)
    closed: list[dict[str, Any]] = attrs.field(factory=list)
    published: list[dict[str, Any]] = attrs.field(factory=list)
    serial: int = 0
    written: int = 0
    ignored: int = 0
    next_file: int = 0

    def write(self, group: GroupKey, rows: list[bytes]) -> None:
        """Append formatted rows to the group's file, rolling it where a limit is reached."""
        at = 0
        while at < len(rows):
            file = self.open.get(group) or self._open(group)
            room = len(rows) - at if self.rows_limit is None else self.rows_limit - file.rows
            taken = file.append(rows[at : at + room] if at or room < len(rows) else rows, stop_at=self.size_limit)
            at += taken
            if file.skipped:
                self.ignored += taken
            else:
                self.written += taken
            if file.rows == self.rows_limit or (self.size_limit is not None and not file.tail and file.length >= self.size_limit):
                self._close(group)

    def add(self, name: str, content: bytes) -> None:
        """Stage a whole small file of no rows, such as a list of checksums."""
        file = self._new((), name)
        file.codec = attrs.evolve(file.codec, compress=bytes)
        file.tail += content
        file.finish(b"")
        self.closed.append(file.closed())
        file.sync()

    def staged_bytes(self) -> int:
        """Bytes that wait for the next full checkpoint."""
        return sum(file.length for file in self.open.values()) + sum(int(entry["size"]) for entry in self.closed)

    def prepare(self, *, final: bool) -> dict[str, Any]:
        """Make all that was written durable and say what it is; `final` finishes every open file first."""
        self.serial += 1
        if final:
            self.close_all()
        for file in self.open.values():
            file.sync()
        tails, entries = self._write_tails()
        if self.folder.is_dir():
            sync_folder(self.folder)
        self._forget_tails(keep=(self.serial, self.serial - 1))
        return {
            "final": final,
            "folder": str(self.folder),
            "serial": self.serial,
            "open": entries,
            "tails": tails,
            "closed": list(self.closed),
            "published": list(self.published),
            "next_file": self.next_file,
            "written": self.written,
            "ignored": self.ignored,
        }

    def mark_published(self, receipt: dict[str, Any]) -> None:
        """The finished files of this receipt are at their place."""
        done = {entry["staged"] for entry in receipt["closed"]}
        self.published += [entry for entry in self.closed if entry["staged"] in done]
        self.closed = [entry for entry in self.closed if entry["staged"] not in done]

    def resume(self, receipt: dict[str, Any] | None) -> None:
        """Go on from a receipt: open files are cut back to it, and whatever else lies in the folder is deleted."""
        keep = set()
        if receipt is not None:
            self.serial = receipt["serial"]
            self.written, self.ignored, self.next_file = receipt["written"], receipt["ignored"], receipt["next_file"]
            self.published = list(receipt["published"])
            if receipt["final"]:
                self.published += receipt["closed"]
            else:
                self.closed = list(receipt["closed"])
                self._reopen(receipt)
                keep = {receipt["tails"]["file"]} if receipt["tails"] else set()
        keep |= {entry["staged"] for entry in self.closed} | {file.path.name for file in self.open.values()}
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.name not in keep:
                    path.unlink()

    def holds(self, receipt: dict[str, Any]) -> bool:
        """Whether everything a light receipt speaks of is still here."""
        sizes = [(entry["staged"], entry["length"]) for entry in receipt["open"] if entry["length"]]
        sizes += [(entry["staged"], entry["size"]) for entry in receipt["closed"]]
        return all(_size(self.folder / name) >= size for name, size in sizes) and self._tails(receipt) is not None

    def remove(self) -> None:
        """Delete the staging folder and all that is in it."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink()
            self.folder.rmdir()

    def _open(self, group: GroupKey) -> StagedFile:
        if len(self.open) >= self.group_limit:
            raise DestinationError(
                f"more than {self.group_limit} groups at a time, which this version can't write",
                hint="Group by a field with fewer values, or filter the records into several runs.",
            )
        name, skipped = self.begin(group)
        file = self._new(group, name)
        file.skipped = skipped
        if not skipped:
            file.tail += self.header()
        self.open[group] = file
        return file

    def _new(self, group: GroupKey, name: str) -> StagedFile:
        if not self.dry:
            make_folder(self.folder, private=True)
        path = self.folder / f"{self.next_file:06d}.part"
        self.next_file += 1
        return StagedFile(path, name, group, self.codec, self.digests, self.separator, dry=self.dry)

    def close_all(self) -> None:
        """Finish every open file."""
        for group in list(self.open):
            self._close(group)

    def _close(self, group: GroupKey) -> None:
        file = self.open.pop(group)
        if file.skipped:
            return
        file.finish(self.footer())
        file.sync()
        self.closed.append(file.closed())

    def _write_tails(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        entries, content = [], bytearray()
        for file in self.open.values():
            entry = {"staged": file.path.name, "name": file.name, "group": list(file.group), "rows": file.rows, "length": file.length}
            entries.append(entry | {"tail": [len(content), len(file.tail)], "skipped": file.skipped})
            content += file.tail
        if not entries or self.dry:
            return None, entries
        path = self.folder / f"tails-{self.serial}"
        with at_destination(path), path.open("wb", buffering=0) as tails:
            write_all(tails.fileno(), content)
            os.fsync(tails.fileno())
        return {"file": path.name, "size": len(content), "crc32": zlib.crc32(content)}, entries

    def _tails(self, receipt: dict[str, Any]) -> bytes | None:
        tails = receipt["tails"]
        if tails is None:
            return b""
        try:
            content = (self.folder / tails["file"]).read_bytes()
        except FileNotFoundError:
            return None
        return content if zlib.crc32(content) == tails["crc32"] else None

    def _reopen(self, receipt: dict[str, Any]) -> None:
        content = self._tails(receipt)
        if content is None:
            raise StateError(f"the staged data in {self.folder} is not what the checkpoint says")
        for entry in receipt["open"]:
            group = tuple(entry["group"])
            file = StagedFile(self.folder / entry["staged"], entry["name"], group, self.codec, self.digests, self.separator)
            start, size = entry["tail"]
            file.rows, file.skipped = entry["rows"], entry["skipped"]
            file.reopen(entry["length"], content[start : start + size])
            self.open[group] = file

    def _forget_tails(self, keep: tuple[int, ...]) -> None:
        if self.folder.is_dir():
            for path in self.folder.glob("tails-*"):
                if int(path.name.removeprefix("tails-")) not in keep:
                    path.unlink()


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file, as hexadecimal text."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        for chunk in read_chunks(file):
            digest.update(chunk)
    return digest.hexdigest()


def read_chunks(file: Any, size: int | None = None) -> Iterator[bytes]:
    """Up to `size` bytes of an open file, a mebibyte at a time. Raises StateError where it is shorter."""
    left = size
    while left is None or left:
        chunk = file.read(1 << 20 if left is None else min(left, 1 << 20))
        if not chunk:
            if left is None:
                return
            raise StateError(f"the staged file {getattr(file, 'name', '')} is shorter than the checkpoint says")
        if left is not None:
            left -= len(chunk)
        yield chunk


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """Write every byte, however many calls that takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_file(path: Path) -> None:
    """Put a file's content on disk."""
    with at_destination(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Put a folder's names on disk, where the system can do that."""
    if os.name == "nt":
        return
    sync_file(path)


def make_folder(path: Path, *, private: bool = False) -> None:
    """Make a folder and its parents, durably. A private one only its owner may read."""
    if path.is_dir():
        return
    with at_destination(path):
        if path.parent != path:
            make_folder(path.parent)
        path.mkdir(mode=0o700 if private else 0o777, exist_ok=True)
        sync_folder(path.parent)


class at_destination:  # noqa: N801  (reads as a phrase: with at_destination(path))
    """Turns an OSError into a DestinationError that names the place and what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError) and not isinstance(error, OzzyError):
            raise DestinationError(f"can't write {self.path}: {error.strerror or error}", hint=_advice(error)) from error


def _advice(error: OSError) -> str | None:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "Make room, then go on with --resume: nothing that was committed is lost."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "Choose a folder that may be written, or change its permissions."
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def forget(paths: Iterable[Path]) -> None:
    """Delete files that may be gone already."""
    for path in paths:
        path.unlink(missing_ok=True)
