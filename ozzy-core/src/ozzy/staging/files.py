"""Files on their way to a destination: written, durable, and invisible until they are published.

What is not yet compressed (the tails of all open files) goes into one file a checkpoint. Everything here is local disk; who publishes
is the writer.

Up to `group_limit` groups have an open file each. The rows of further ones wait in a spill log, and their files are made, one after the
other and with the same bytes, where all files are finished. What would make a receipt long is kept in a journal.
"""

import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from ozzy.data.batch import Batch
from ozzy.data.codecs import Codec, Raw
from ozzy.data.rows import Rows
from ozzy.errors import StateError
from ozzy.staging.assembly import LINES, Assembly
from ozzy.staging.disk import at_destination, make_folder, size_of, sync_files, sync_folder, sync_path, write_all
from ozzy.staging.epochs import by_epoch, copied_file, moved_folder, own_copies
from ozzy.staging.journal import Journal
from ozzy.staging.sinks import Sink, SinkFile
from ozzy.staging.spill import GroupKey, SpilledGroups
from ozzy.staging.staged_file import StagedFile

OPEN_GROUPS = 256
"""How many groups have a staged file each."""

RECEIPT_ENTRIES = 1000
"""Files and groups that a receipt names itself; where there are more, a journal does."""

_SYNC_AT = 4096


@attrs.define
class StagedFiles:
    """All the files of one writer: one open file a group, rolled by rows and bytes, finished files waiting to be published.

    `begin(group)` gives a new file its final name and says whether its rows are to be skipped. `rows_limit` and `size_limit` (compressed
    bytes) end a file, None never does. With an `assembly` rows are lines, of which a file is made when it is finished; its size is then
    that of its lines, compressed. With `open_sink` files are written by sinks, which take batches; rows that wait in the log are lines to
    them. A `dry` one counts and names, and leaves nothing on disk. `journal_path` is the path of the list of
    files, which outlives the folder; beside the folder unless given.
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
    group_limit: int = OPEN_GROUPS
    receipt_limit: int = RECEIPT_ENTRIES
    journal_path: Path | None = None
    dry: bool = False
    assembly: Assembly | None = None
    open_sink: Callable[[BinaryIO], Sink] | None = None
    open: dict[GroupKey, StagedFile] = attrs.field(factory=dict, init=False)
    closed: list[dict[str, Any]] = attrs.field(factory=list, init=False)
    published: list[dict[str, Any]] = attrs.field(factory=list, init=False)
    serial: int = attrs.field(default=0, init=False)
    written: int = attrs.field(default=0, init=False)
    ignored: int = attrs.field(default=0, init=False)
    next_file: int = attrs.field(default=0, init=False)
    numbers: dict[GroupKey, int] = attrs.field(factory=dict, init=False)
    journal: Journal = attrs.field(init=False)
    journaled: bool = attrs.field(default=False, init=False)
    spilled: SpilledGroups = attrs.field(init=False)
    _unsynced: list[Path] | None = attrs.field(default=None, init=False)
    _published_length: int = attrs.field(default=0, init=False)
    _groups_from: int = attrs.field(default=0, init=False)
    _closed_bytes: int = attrs.field(default=0, init=False)
    _path_synced: bool = attrs.field(default=False, init=False)
    _begun_as: Path | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.journal = Journal(self.journal_path or self.folder.with_name(f"{self.folder.name}.files"))
        self.spilled = SpilledGroups(self.folder, self.dry)

    def write(self, group: GroupKey, rows: Sequence[bytes]) -> None:
        """Append formatted rows to the group's file, rolling it where a limit is reached."""
        if self.waits(group):
            self._spill(group, Rows.of(rows))
        else:
            self._append(group, Rows.of(rows))

    def waits(self, group: GroupKey) -> bool:
        """Whether rows of this group wait in the log."""
        return group not in self.open and (group in self.spilled.groups or len(self.open) >= self.group_limit)

    def write_members(self, group: GroupKey, members: Iterable[Raw], rows: int) -> None:
        """Append rows that are compressed already, as whole members, to the file of a group whose rows don't wait."""
        file = self.open.get(group) or self._open(group)
        file.append_members(members, rows)
        if file.skipped:
            self.ignored += rows
        else:
            self.written += rows

    def write_batch(self, group: GroupKey, batch: Batch) -> None:
        """As `write`, for files that are written by sinks."""
        if self.waits(group):
            self._spill(group, Rows.of(batch.lines, b"\n"))
        else:
            self._append(group, batch)

    def count(self, key: GroupKey, number: int) -> None:
        """The next file of this name is to have this number."""
        self.numbers[key] = number
        if self.journaled:
            self.journal.add({"number": [*key, number]})

    def add(self, name: str, content: bytes) -> None:
        """Stage a whole small file of no rows and without compression, such as a list of checksums."""
        file = self._new((), name)
        file.codec, file.assembly = attrs.evolve(file.codec, compress=bytes, pack=None), None
        file.finish(content)
        self._keep(file)

    def adopt(self, group: GroupKey, copied: dict[str, Any]) -> None:
        """Take a file that was copied into the folder for the next file of this group; its rows may be None, unknown.

        One with a `source` has no file here: the destination itself copies it from there, and its checksums may be None too.
        """
        name, skipped = self.begin(group)
        facts = {key: copied[key] for key in ("rows", "size", *self.digests)}
        if "source" in copied:
            facts["source"] = copied["source"]
        path = self.folder / copied["copy"] if "copy" in copied else None
        if skipped:
            self.ignored += copied["rows"]
            if path is not None and not self.dry:
                with at_destination(path):
                    path.unlink()
            return
        staged = f"{self.next_file:06d}.part"
        self.next_file += 1
        if path is not None and not self.dry:
            with at_destination(path):
                path.rename(self.folder / staged)
        entry = {"staged": staged, "name": name, "group": list(group), **facts, "bypass": copied["bypass"]}
        self._list(entry)
        self.written += copied["rows"] or 0
        self._closed_bytes += copied["size"]

    def staged_bytes(self) -> int:
        """Bytes that wait for the next full checkpoint. Grows where a member ends, falls where files are published."""
        return sum(file.length for file in self.open.values()) + self._closed_bytes + self.spilled.size

    def close_all(self) -> None:
        """Finish every file: those that are open, then those whose rows were spilled."""
        self._close_open()
        if self.spilled.groups:
            self._make_spilled()

    def prepare(self, *, final: bool) -> dict[str, Any]:
        """Make all that was written durable and say what it is; `final` finishes every open file first."""
        self.serial += 1
        if final:
            self.close_all()
        for file in self.open.values():
            file.sync()
        entries, tails = self._write_tails()
        spilled = self.spilled.sync(self.serial) if not self.dry else None
        if not self.dry and self.folder.is_dir():
            self._sync_folder()
            (self.folder / f"tails-{self.serial - 2}").unlink(missing_ok=True)
        if not self.dry and len(self.closed) + len(self.published) + len(self.numbers) > self.receipt_limit:
            self._begin_journal()
        receipt = {
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
        if self.journaled:
            self.journal.sync()
            length, crc32 = self.journal.length, self.journal.crc32
            receipt["journal"] = {"published": self._published_length, "length": length, "crc32": crc32}
        if self.spilled.groups:
            receipt["spilled"] = {"groups_from": self._groups_from, "log": spilled}
        return receipt

    def finished(self, receipt: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The entries of all files that a receipt is to publish, those in the journal too."""
        yield from receipt["closed"]
        if "journal" in receipt:
            yield from self._entries(receipt["journal"]["published"], receipt["journal"]["length"])

    def before(self, receipt: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The entries of all files that were published before this receipt."""
        yield from receipt["published"]
        if "journal" in receipt:
            yield from self._entries(0, receipt["journal"]["published"])

    def all_finished(self) -> Iterator[dict[str, Any]]:
        """The entries of all files that were finished so far, published or not."""
        yield from self.published
        yield from self.closed
        if self.journaled:
            yield from self._entries(0, self.journal.length)

    def lists(self, receipt: dict[str, Any]) -> bool:
        """Whether the files of this receipt are known: a journal that it speaks of is there."""
        return "journal" not in receipt or self.journal.holds(receipt["journal"]["length"], receipt["journal"]["crc32"])

    def mark_published(self, receipt: dict[str, Any]) -> None:
        """The finished files of this receipt are at their place."""
        if "journal" in receipt:
            self._published_length = receipt["journal"]["length"]
        done = {entry["staged"] for entry in receipt["closed"]}
        self.published += [entry for entry in self.closed if entry["staged"] in done]
        self._set_closed([entry for entry in self.closed if entry["staged"] not in done])
        if self.assembly is not None and not self.dry:
            self._delete_lines()

    def move_away(self, epoch: int) -> None:
        """Go on under a name of one's own: who staged here under an older epoch, and may still be at work, spoils nothing any more."""
        if not self.dry:
            self._begun_as = self.folder
            self.folder = moved_folder(self.folder, epoch)
            self.journal = Journal(copied_file(self.journal.path, epoch))
            self.spilled = SpilledGroups(self.folder)

    def resume(self, receipt: dict[str, Any] | None) -> None:
        """Go on from a receipt: open files are cut back to it, and whatever else lies in the folder is deleted."""
        if self.dry:
            return
        if receipt is None or "journal" not in receipt:
            self.journal.delete()
        keep = set() if receipt is None else self._take_over(receipt)
        if self.folder.is_dir():
            with at_destination(self.folder):
                for path in self.folder.iterdir():
                    if path.name not in keep:
                        path.unlink()

    def holds(self, receipt: dict[str, Any]) -> bool:
        """Whether everything a light receipt speaks of is still here."""
        if not self.lists(receipt):
            return False
        begun = all(size_of(self.folder / entry["staged"]) >= entry["length"] for entry in receipt["open"] if entry["length"])
        done = all("source" in entry or size_of(self.folder / entry["staged"]) == entry["size"] for entry in self.finished(receipt))
        rows = "spilled" not in receipt or self.spilled.holds(receipt["spilled"]["log"])
        return begun and done and rows and self._tails(receipt) is not None

    def remove(self, *, others: bool = True) -> None:
        """Delete the staging folder and all that is in it, and the one above where nothing else is left there.

        With `others` also what holders of other epochs have left.
        """
        if self.dry:
            return
        with at_destination(self.folder):
            for folder in (self.folder, *(by_epoch(self._begun_as) if self._begun_as is not None and others else ())):
                if folder.is_dir():
                    shutil.rmtree(folder)
            above = self.folder.parent
            if above.is_dir() and not any(above.iterdir()):
                above.rmdir()

    def _append(self, group: GroupKey, rows: Rows | Batch) -> None:
        """Append rows to the group's open file, or a new one."""
        at, count = 0, len(rows)
        while at < count:
            file = self.open.get(group) or self._open(group)
            room = count - at if self.rows_limit is None else self.rows_limit - file.rows
            taken = file.append(_cut(rows, at, at + room) if at or room < count else rows, stop_at=self.size_limit)
            at += taken
            if file.skipped:
                self.ignored += taken
            else:
                self.written += taken
            if file.rows == self.rows_limit or (self.size_limit is not None and not file.tail and file.length >= self.size_limit):
                self._close(group)

    def _spill(self, group: GroupKey, rows: Rows) -> None:
        """Let rows wait in the log; where all rows of a group are to be skipped, only count them."""
        if not rows:
            return
        waiting = self.spilled.groups.get(group)
        if waiting is None:
            if not self.dry:
                self._begin_journal()
            if not self.spilled.groups:
                self._groups_from = self.journal.length
            name, skipped = self.begin(group)
            waiting = self.spilled.enter(group, name, skipped=skipped)
            if self.journaled:
                self.journal.add({"group": [list(group), name, skipped]})
        if waiting.skipped and self.rows_limit is None:
            self.ignored += len(rows)
        else:
            self.spilled.add(waiting, rows)
            self.written += len(rows)

    def _make_spilled(self) -> None:
        """Make the files of the groups in the log, one after the other, as if the rows of each had come alone."""
        self.written -= self.spilled.rows
        self._unsynced = []
        for group, rows in self.spilled.drain():
            if group not in self.open:
                self._close_open()
            self._append(group, rows)
            if len(self._unsynced) >= _SYNC_AT:
                sync_files(self._unsynced)
                self._unsynced.clear()
        self._close_open()
        sync_files(self._unsynced)
        self._unsynced = None

    def _begin_journal(self) -> None:
        """From now on the journal names files and numbers, and first those there are."""
        if self.journaled:
            return
        self.journaled = True
        for entry in self.published:
            self.journal.add({"file": entry})
        self._published_length = self.journal.length
        for entry in self.closed:
            self.journal.add({"file": entry})
        for key, number in self.numbers.items():
            self.journal.add({"number": [*key, number]})
        self.published, self.closed = [], []

    def _entries(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        return (line["file"] for line in self.journal.lines(start, end) if "file" in line)

    def _delete_lines(self) -> None:
        """Delete the lines that files were made of, which stayed while a checkpoint might have gone on with them."""
        for path in self.folder.glob("*.part"):
            path.unlink()

    def _close_open(self) -> None:
        for group in list(self.open):
            self._close(group)

    def _open(self, group: GroupKey) -> StagedFile:
        waiting = self.spilled.groups.get(group)
        if waiting is None or waiting.begun:
            name, skipped = self.begin(group)
        else:
            name, skipped, waiting.begun = waiting.name, waiting.skipped, True
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
        if self.open_sink is not None:
            return SinkFile(self.folder / staged, name, group, self.codec, self.digests, dry=self.dry, open_sink=self.open_sink)
        codec = self.codec if self.assembly is None else LINES
        return StagedFile(self.folder / staged, name, group, codec, self.digests, self.separator, dry=self.dry, assembly=self.assembly)

    def _close(self, group: GroupKey) -> None:
        file = self.open.pop(group)
        if not file.skipped:
            file.finish(self.footer())
            self._keep(file)

    def _keep(self, file: StagedFile) -> None:
        if self._unsynced is None:
            file.sync()
        elif file.dirty:
            self._unsynced.append(file.path)
        self._list(file.closed())
        self._closed_bytes += file.length

    def _list(self, entry: dict[str, Any]) -> None:
        if self.journaled:
            self.journal.add({"file": entry})
        else:
            self.closed.append(entry)

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
        if "journal" in receipt:
            self._take_over_journal(receipt)
        if receipt["final"]:
            self.published += receipt["closed"]
            return set()
        self._set_closed(list(receipt["closed"]))
        content = self._tails(receipt)
        if content is None:
            raise StateError(f"the staged data in {self.folder} is not what the checkpoint says", hint="Start again with --fresh.")
        if self._begun_as is not None:
            own_copies(self.folder, _written_again(receipt))
        for entry in receipt["open"]:
            file = self._new(tuple(entry["group"]), entry["name"], entry["staged"])
            start, size = entry["tail"]
            file.rows, file.skipped = entry["rows"], entry["skipped"]
            file.reopen(entry["length"], content[start : start + size])
            self.open[file.group] = file
        kept = {entry["staged"] for entry in receipt["open"]}
        for entry in self.finished(receipt):
            kept.add(entry["staged"])
        if "journal" in receipt:
            self._closed_bytes = sum(entry["size"] for entry in self.finished(receipt))
        if "spilled" in receipt:
            kept |= self.spilled.resume(receipt["spilled"]["log"], self.serial)
        return kept | {receipt["tails"]["file"]} if receipt["tails"] else kept

    def _take_over_journal(self, receipt: dict[str, Any]) -> None:
        facts = receipt["journal"]
        self.journal.go_back(facts["length"], facts["crc32"])
        self.journaled = True
        self._published_length = facts["length"] if receipt["final"] else facts["published"]
        for line in self.journal.lines(0, facts["length"]):
            if "number" in line:
                *key, number = line["number"]
                self.numbers[tuple(key)] = number
        if "spilled" in receipt:
            self._groups_from = receipt["spilled"]["groups_from"]
            for line in self.journal.lines(self._groups_from, facts["length"]):
                if "group" in line:
                    group, name, skipped = line["group"]
                    self.spilled.enter(tuple(group), name, skipped=skipped)


def _written_again(receipt: dict[str, Any]) -> list[str]:
    """The names of the staged files that writing goes on in."""
    log = (receipt.get("spilled") or {}).get("log")
    return [entry["staged"] for entry in receipt["open"] if entry["length"]] + ([log["log"]] if log is not None else [])


def _cut(rows: Rows | Batch, start: int, end: int) -> Rows | Batch:
    return rows.take(range(start, min(end, len(rows)))) if isinstance(rows, Batch) else rows[start:end]
