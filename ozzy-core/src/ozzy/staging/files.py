"""Files on their way to a destination: written, durable, and invisible until they are published.

A staged file is a row of members. A member is collected raw, ends at the row end that reaches the codec's member size, and is
compressed in one call; it never ends at a checkpoint, so the bytes do not depend on when checkpoints were taken. What is not yet
compressed (the tails of all open files) goes into one file a checkpoint. Everything here is local disk; who publishes is the writer.
"""

import hashlib
import os
import shutil
import zlib
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import attrs

from ozzy.data.codecs import Codec
from ozzy.errors import DestinationError, StateError
from ozzy.staging.disk import at_destination, make_folder, read_exactly, size_of, sync_file, sync_folder, sync_path, write_all

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
        for digest in self.hashes.values():
            digest.update(member)
        if not self.dry:
            if not self.length:
                make_folder(self.path.parent, private=2)
            with at_destination(self.path), self.path.open("ab" if self.length else "wb", buffering=0) as file:
                write_all(file.fileno(), member)
            self.dirty = True
        self.length += len(member)

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
    open: dict[GroupKey, StagedFile] = attrs.field(factory=dict, init=False)
    closed: list[dict[str, Any]] = attrs.field(factory=list, init=False)
    published: list[dict[str, Any]] = attrs.field(factory=list, init=False)
    serial: int = attrs.field(default=0, init=False)
    written: int = attrs.field(default=0, init=False)
    ignored: int = attrs.field(default=0, init=False)
    next_file: int = attrs.field(default=0, init=False)
    _closed_bytes: int = attrs.field(default=0, init=False)
    _path_synced: bool = attrs.field(default=False, init=False)

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
        """Stage a whole small file of no rows and without compression, such as a list of checksums."""
        file = self._new((), name)
        file.codec = attrs.evolve(file.codec, compress=bytes)
        file.finish(content)
        self._keep(file)

    def staged_bytes(self) -> int:
        """Bytes that wait for the next full checkpoint. Grows where a member ends, falls where files are published."""
        return sum(file.length for file in self.open.values()) + self._closed_bytes

    def close_all(self) -> None:
        """Finish every open file."""
        for group in list(self.open):
            self._close(group)

    def prepare(self, *, final: bool) -> dict[str, Any]:
        """Make all that was written durable and say what it is; `final` finishes every open file first."""
        self.serial += 1
        if final:
            self.close_all()
        for file in self.open.values():
            file.sync()
        entries, tails = self._write_tails()
        if not self.dry and self.folder.is_dir():
            self._sync_folder()
            (self.folder / f"tails-{self.serial - 2}").unlink(missing_ok=True)
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
        self._set_closed([entry for entry in self.closed if entry["staged"] not in done])

    def resume(self, receipt: dict[str, Any] | None) -> None:
        """Go on from a receipt: open files are cut back to it, and whatever else lies in the folder is deleted."""
        if self.dry:
            return
        keep = set() if receipt is None else self._take_over(receipt)
        if self.folder.is_dir():
            with at_destination(self.folder):
                for path in self.folder.iterdir():
                    if path.name not in keep:
                        path.unlink()

    def holds(self, receipt: dict[str, Any]) -> bool:
        """Whether everything a light receipt speaks of is still here."""
        begun = all(size_of(self.folder / entry["staged"]) >= entry["length"] for entry in receipt["open"] if entry["length"])
        done = all(size_of(self.folder / entry["staged"]) == entry["size"] for entry in receipt["closed"])
        return begun and done and self._tails(receipt) is not None

    def remove(self) -> None:
        """Delete the staging folder and all that is in it, and the one above where nothing else is left there."""
        if self.dry:
            return
        with at_destination(self.folder):
            if self.folder.is_dir():
                shutil.rmtree(self.folder)
            above = self.folder.parent
            if above.is_dir() and not any(above.iterdir()):
                above.rmdir()

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

    def _new(self, group: GroupKey, name: str, staged: str = "") -> StagedFile:
        if not staged:
            staged = f"{self.next_file:06d}.part"
            self.next_file += 1
        return StagedFile(self.folder / staged, name, group, self.codec, self.digests, self.separator, dry=self.dry)

    def _close(self, group: GroupKey) -> None:
        file = self.open.pop(group)
        if not file.skipped:
            file.finish(self.footer())
            self._keep(file)

    def _keep(self, file: StagedFile) -> None:
        file.sync()
        self.closed.append(file.closed())
        self._closed_bytes += file.length

    def _set_closed(self, entries: list[dict[str, Any]]) -> None:
        self.closed = entries
        self._closed_bytes = sum(entry["size"] for entry in entries)

    def _sync_folder(self) -> None:
        if self._path_synced:
            sync_folder(self.folder)
        else:
            sync_path(self.folder)
            self._path_synced = True

    def _write_tails(self) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        entries, size, crc = [], 0, 0
        for file in self.open.values():
            entry = {"staged": file.path.name, "name": file.name, "group": list(file.group), "rows": file.rows, "length": file.length}
            entries.append(entry | {"tail": [size, len(file.tail)], "skipped": file.skipped})
            size += len(file.tail)
            crc = zlib.crc32(file.tail, crc)
        if not size or self.dry:
            return entries, None
        path = self.folder / f"tails-{self.serial}"
        make_folder(self.folder, private=2)
        with at_destination(path), path.open("wb", buffering=0) as tails:
            for file in self.open.values():
                write_all(tails.fileno(), file.tail)
            os.fsync(tails.fileno())
        return entries, {"file": path.name, "crc32": crc}

    def _tails(self, receipt: dict[str, Any]) -> bytes | None:
        tails = receipt["tails"]
        if tails is None:
            return b""
        try:
            content = (self.folder / tails["file"]).read_bytes()
        except FileNotFoundError:
            return None
        return content if zlib.crc32(content) == tails["crc32"] else None

    def _take_over(self, receipt: dict[str, Any]) -> set[str]:
        """Stand where a receipt was made; returns the names in the folder that belong to it."""
        self.serial, self.next_file = receipt["serial"], receipt["next_file"]
        self.written, self.ignored = receipt["written"], receipt["ignored"]
        self.published = list(receipt["published"])
        if receipt["final"]:
            self.published += receipt["closed"]
            return set()
        self._set_closed(list(receipt["closed"]))
        content = self._tails(receipt)
        if content is None:
            raise StateError(f"the staged data in {self.folder} is not what the checkpoint says", hint="Start again with --fresh.")
        for entry in receipt["open"]:
            file = self._new(tuple(entry["group"]), entry["name"], entry["staged"])
            start, size = entry["tail"]
            file.rows, file.skipped = entry["rows"], entry["skipped"]
            file.reopen(entry["length"], content[start : start + size])
            self.open[file.group] = file
        kept = {entry["staged"] for entry in (*receipt["open"], *receipt["closed"])}
        return kept | {receipt["tails"]["file"]} if receipt["tails"] else kept
