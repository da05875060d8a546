"""Writers of files: rows are formatted, compressed, staged and named here; an author only puts a finished file at its place."""

import hashlib
import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

from ozzy.contracts.formatter import fitted_batch, formatted_rows
from ozzy.contracts.module import blamed_on
from ozzy.contracts.writer import BaseWriter, GroupKey, Outcome, Receipt, Staging, WriterContext, WriterOptions, no_room_for
from ozzy.data.batch import Batch
from ozzy.data.codecs import ARCHIVES, CODECS, Codec
from ozzy.data.rows import Rows
from ozzy.errors import ConfigError, DestinationError, Problem
from ozzy.options.option import option, options
from ozzy.staging.assembly import Assembly
from ozzy.staging.disk import at_destination, checksum, make_folder, size_of, sync_folder, write_all
from ozzy.staging.files import StagedFiles
from ozzy.staging.manifest import manifest_name, manifest_problems
from ozzy.staging.naming import FileNames, problems, source_name
from ozzy.staging.pieces import Piece, join
from ozzy.staging.whole_files import stage_copy

INHERITED_ROWS = 500_000
INHERITED_BYTES = 4_000_000_000


@options
class FileWriterOptions(WriterOptions):
    """Options of every writer of files."""

    compression: Literal["gz", "none", "bz2", "xz", "zst", "zip"] = option(
        default="gz",
        help="Compression of the files. A zip holds one member, is made at the end of its file, and can't be continued, so that every "
        "checkpoint is a full one. Formats that compress themselves (avro, xlsx) are left as they are.",
    )
    items_per_buffer_write: int = option(
        default=0, minimum=0, help="Records in a file before the next one is begun; 0 is no limit (500,000 in the inherited shape)."
    )
    size_per_buffer_write: int = option(
        default=0,
        minimum=0,
        help="Bytes of a file, compressed (of a zip: before that), before the next one is begun; 0 is no limit "
        "(4 GB in the inherited shape).",
    )
    check_consistency: bool = option(default=False, help="Read each published file back and compare size and checksum.")


@options
class NamedFileWriterOptions(FileWriterOptions):
    """Options of writers that name their files."""

    filebase: str = option(
        help="Where files go and what they are called: folders and a name with strftime codes, {groups[0]}, {file_number}, {source}.",
        example="out/%Y-%m-%d/{groups[0]}/part",
    )
    start_file_count: int = option(default=0, minimum=0, help="The number of the first file of each group.")
    generate_md5: bool = option(default=False, help="Publish md5checksum.md5 beside the files: a line `hash name` for each.")
    if_exists: Literal["fail", "overwrite", "number", "skip"] | None = option(
        default=None,
        help="What to do where a name is taken: fail, overwrite it, take the next free number, or skip the rows. "
        "Unset it is fail (overwrite in the inherited shape).",
    )
    manifest: str | None = option(
        default=None,
        help="A JSON file that lists what the run has published, with rows, bytes and checksums: a path below the fixed folder of the "
        "filebase, with strftime codes of the run's start. Published after the files, replaced whole at each full checkpoint.",
        example="manifest.json",
    )


class BaseFileWriter(BaseWriter):
    """Puts finished files at their place, exactly once.

    Write `write(dump_path, group_key=None)`: bring one finished file to the destination, whole or not at all. It may be called again
    with the same file after a crash. Everything else is inherited: formatting, compression, staging, rolling, checksums, recovery.
    """

    Options: ClassVar[type] = FileWriterOptions
    staging: Staging = Staging.DURABLE
    files: StagedFiles
    names: FileNames

    def write(self, dump_path: str, group_key: GroupKey | None = None) -> None:
        """Bring the file at `dump_path` to the destination, and leave it where it is.

        `self.entry` holds its facts: `name` (unique in the run), `rows`, `size`, `sha256`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no write()")

    def start(self, context: WriterContext) -> None:
        super().start(context)
        self.entry: dict[str, Any] = {}
        self._marked = True
        self.names = self.file_names()
        self.files = StagedFiles(
            folder=self.staging_folder(),
            codec=self.codec,
            header=context.formatter.header,
            footer=context.formatter.footer,
            separator=context.formatter.separator,
            begin=self.begin_file,
            rows_limit=min(filter(None, (self._rows_limit(), context.formatter.rows_limit)), default=None),
            size_limit=self.read_option("size_per_buffer_write") or (INHERITED_BYTES if context.inherited else None),
            digests=self.digests(),
            journal_path=context.staging_folder.with_name(f"{context.staging_folder.name}.files"),
            dry=context.dry_run,
            open_sink=context.formatter.open if context.formatter.sinks else None,
            assembly=Assembly(context.formatter.assemble, self.codec) if context.formatter.assembles else None,
        )

    def _rows_limit(self) -> int | None:
        given: int = self.read_option("items_per_buffer_write")
        return given or (INHERITED_ROWS if self.context.inherited else None)

    def fence(self, epoch: int) -> None:
        if self.context.contested:
            self.files.move_away(epoch)

    @property
    def codec(self) -> Codec:
        """How the files are compressed: not at all where their format does that itself."""
        name = "none" if self.context.formatter.compressed else self.read_option("compression", "gz")
        codecs = {**CODECS, **ARCHIVES}
        if name not in codecs:
            raise ConfigError(f"{type(self).__name__} asks for the compression {name}", hint=f"There are {', '.join(codecs)}.")
        return codecs[name]

    def file_names(self, filebase: str = "", start_file_count: int = 0) -> FileNames:
        """The names of the files: a number and the values of the group, where there is no filebase."""
        return FileNames(
            filebase,
            start=self.context.started,
            extension=self.context.formatter.file_extension,
            compression_suffix=self.codec.suffix,
            start_file_count=start_file_count,
            grouped=self.context.grouped,
        )

    def staging_folder(self) -> Path:
        """Where files are made: in the state folder, unless the destination has a better place."""
        return self.context.staging_folder

    def digests(self) -> tuple[str, ...]:
        """The checksums taken of each file."""
        return ("sha256",)

    def begin_file(self, group: GroupKey) -> tuple[str, bool]:
        """The name of a group's next file, and whether its rows are to be skipped."""
        number = self.files.numbers.get(group, 0)
        self.files.count(group, number + 1)
        return self.names.name(group, number), False

    def write_batch(self, batch: Batch, group_key: GroupKey | None = None) -> None:
        key = self.file_key(batch, group_key or ())
        if self.context.formatter.sinks:
            self.files.write_batch(key, fitted_batch(self.context.formatter, batch))
        else:
            self.files.write(key, self._formatted(batch))

    def write_groups(self, batch: Batch, groups: Mapping[GroupKey, Sequence[int]]) -> None:
        if self.context.formatter.sinks:
            fitted = fitted_batch(self.context.formatter, batch)
            for key, members in groups.items():
                self.files.write_batch(self.file_key(batch, key), fitted.take(members))
            return
        for key, rows in zip(groups, self._formatted(batch).grouped(groups.values()), strict=True):
            self.files.write(self.file_key(batch, key), rows)

    def join(self, piece: Piece) -> None:
        """Append what a worker has made of a part of the source. Called in the order of the source, between two checkpoints."""
        join(self.files, piece)

    def file_key(self, batch: Batch, group: GroupKey) -> GroupKey:
        """What tells the open files apart: the group, unless there is more to it."""
        return group

    def prepare(self, final: bool) -> Receipt:
        if self._marked and not self.files.dry:
            for mark in self.files.folder.glob("*.done"):
                mark.unlink()
            self._marked = False
        receipt = self.files.prepare(final=final)
        numbers = {} if self.files.journaled else self.files.numbers
        receipt["numbers"] = [[list(group), number] for group, number in numbers.items()]
        learnt = self.context.formatter.get_state()
        return receipt if learnt is None else receipt | {"formatter": learnt}

    def resume(self, state: Receipt | None) -> None:
        self.files.resume(state)
        if state is not None:
            self.files.numbers.update({tuple(group): number for group, number in state["numbers"]})
            if "formatter" in state:
                self.context.formatter.set_state(state["formatter"])

    def publish(self, receipt: Receipt) -> None:
        for entry in self.files.finished(receipt):
            self.place(entry)
        self.after_publishing(receipt)
        self._marked = True
        self.files.mark_published(receipt)

    def place(self, entry: dict[str, Any]) -> None:
        """Bring one finished file to its place, unless it is there. An empty file `.done` says so until the next checkpoint."""
        staged = self.files.folder / entry["staged"]
        mark = staged.with_suffix(".done")
        if mark.exists():
            return
        size = size_of(staged)
        if size != entry["size"]:
            raise DestinationError(
                f"the staged file {staged} is {'gone' if size < 0 else 'not what was written'}, and {entry['name']} was not published",
                hint="Go on with --resume: what is lost is read again, as far back as it takes.",
            )
        self.entry = entry
        self.write(str(staged), tuple(entry["group"]))
        with at_destination(mark):
            mark.touch()
            sync_folder(self.files.folder)
            staged.unlink(missing_ok=True)

    def after_publishing(self, receipt: Receipt) -> None:
        """Called once all files of a receipt are at their place, before it counts as published."""

    def recover(self, receipt: Receipt) -> Outcome:
        if not receipt["final"]:
            return Outcome.STAGED if self.files.holds(receipt) else Outcome.GONE
        if not self.files.lists(receipt):
            return Outcome.GONE
        outcomes = {self.recover_file(entry) for entry in self.files.finished(receipt)}
        if Outcome.GONE in outcomes:
            return Outcome.GONE
        return Outcome.STAGED if Outcome.STAGED in outcomes else Outcome.PUBLISHED

    def recover_file(self, entry: dict[str, Any]) -> Outcome:
        """What became of one finished file."""
        staged = self.files.folder / entry["staged"]
        if staged.with_suffix(".done").exists():
            return Outcome.PUBLISHED
        return Outcome.STAGED if same_content(staged, entry) else Outcome.GONE

    def discard(self, receipt: Receipt) -> None:
        for entry in self.files.finished(receipt) if self.files.lists(receipt) else ():
            (self.files.folder / entry["staged"]).unlink(missing_ok=True)

    def abandon(self) -> None:
        self.files.remove()

    def overtaken(self) -> None:
        if self.context.contested:
            self.files.remove(others=False)

    def staged_bytes(self) -> int:
        return self.files.staged_bytes()

    def results(self, receipt: Receipt) -> list[dict[str, Any]]:
        files = chain(self.files.before(receipt), self.files.finished(receipt) if receipt["final"] else ())
        return [{key: entry[key] for key in ("name", "rows", "size", "sha256", "bypass") if key in entry} for entry in files]

    def visible(self, receipt: Receipt) -> list[dict[str, Any]]:
        out = {entry["name"] for entry in self.files.before(receipt)}
        if receipt["final"]:
            out |= {entry["name"] for entry in self.files.finished(receipt) if self.is_out(entry)}
        return [file for file in self.results(receipt) if file["name"] in out]

    def is_out(self, entry: dict[str, Any]) -> bool:
        """Whether one finished file is at its place, staged still or not."""
        return self.recover_file(entry) is Outcome.PUBLISHED

    @property
    def resumable(self) -> bool:
        return self.context.formatter.resumable and self.codec.pack is None

    def _formatted(self, batch: Batch) -> Rows:
        return formatted_rows(self.context.formatter, batch)


class FedFiles(BaseFileWriter):
    """Feeds finished files to an inherited writer that has only `write(dump_path, group_key)`."""

    def __init__(self, writer: BaseWriter) -> None:
        super().__init__({}, writer.metadata)
        self.options = writer.options
        self.writer = writer

    def write(self, dump_path: str, group_key: GroupKey | None = None) -> None:
        write = getattr(self.writer, "write")  # noqa: B009  (not every writer has one)
        with blamed_on(self.context.label, self.writer, DestinationError):
            write(dump_path, group_key)

    def finish_writing(self) -> None:
        self.writer.flush()
        self.writer.finish_writing()

    def close(self) -> None:
        self.writer.close()


class BaseNamedFileWriter(BaseFileWriter):
    """A writer of files whose names follow a `filebase`.

    An author gives `taken(name)` beside `write`, or overrides `place` and `recover_file` where the destination can do better.
    """

    Options: ClassVar[type] = NamedFileWriterOptions

    @classmethod
    def check_options(cls, options: Any) -> list[Problem]:
        """What is wrong with the filebase, or with the name of the manifest."""
        wrong = [] if options.manifest is None else [Problem("manifest", problem) for problem in manifest_problems(options.manifest)]
        return [*(Problem("filebase", problem) for problem in problems(options.filebase)), *wrong]

    def start(self, context: WriterContext) -> None:
        super().start(context)
        self._split: str | None = None
        self._manifest: str | None = None
        asked = self.read_option("if_exists") or ("overwrite" if context.inherited else "fail")
        self.if_exists = "number" if context.beside else asked

    def file_names(self, filebase: str = "", start_file_count: int = 0) -> FileNames:
        return super().file_names(filebase or self.read_option("filebase"), start_file_count or self.read_option("start_file_count"))

    def digests(self) -> tuple[str, ...]:
        return ("sha256", "md5") if self.read_option("generate_md5") else ("sha256",)

    def taken(self, name: str) -> bool:
        """Whether something has this name at the destination."""
        return False

    def address(self, name: str) -> str:
        """What a file of this name is called in messages."""
        return name

    def example(self) -> str:
        """The address of a file as this writer would name it: two writers with the same one would meet at one place."""
        group = tuple(map(str, range(1000))) if self.context.grouped else ()
        return self.address(self.names.name(group, 0, "source", "split"))

    @property
    def by_split(self) -> bool:
        """Whether each part of the source gets files of its own, because the filebase names it."""
        return self.names.uses_source or self.names.uses_split

    def file_key(self, batch: Batch, group: GroupKey) -> GroupKey:
        if not self.by_split:
            return group
        self._turn_to(batch.split)
        return (*group, batch.split)

    def join(self, piece: Piece) -> None:
        if self.by_split and piece.groups:
            self._turn_to(next(iter(piece.groups))[-1])
        super().join(piece)

    def _turn_to(self, split: str) -> None:
        """Rows of this part of the source come; the files of another one are complete."""
        if self._split not in {None, split}:
            self.files.close_all()
        self._split = split

    def write_stream(self, stream: BinaryIO, name: str) -> Receipt:
        return stage_copy(stream, self.files.folder, self.files.digests, dry=self.files.dry)

    def take_stream(self, receipt: Receipt, name: str) -> None:
        if self._split not in {None, name}:
            self.files.close_all()
        self._split = name
        self.files.adopt((name,), receipt)

    @property
    def takes_streams(self) -> bool:
        return self.names.uses_source

    def prepare(self, final: bool) -> Receipt:
        receipt = super().prepare(final) | {"split": self._split}
        return receipt if self._manifest is None else receipt | {"manifest": self._manifest}

    def resume(self, state: Receipt | None) -> None:
        super().resume(state)
        self._split = state["split"] if state is not None else None
        if state is not None:
            self._manifest = state.get("manifest")
        elif self.read_option("manifest"):
            self._manifest = self._free_manifest(manifest_name(self.read_option("manifest"), self.context.started))

    def publish_manifest(self, receipt: Receipt, content: bytes) -> None:
        """Bring the manifest to its place by `write`, as a file is; its name was free, or may be overwritten, when the run began."""
        name = receipt["manifest"]
        staged = self.stage_manifest(content)
        self.entry = {"name": name, "rows": 0, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self.write(str(staged), ())
        with at_destination(staged):
            staged.unlink()

    def stage_manifest(self, content: bytes) -> Path:
        """Write a manifest durably into the staging folder, as a file of its own: the one before may be published by a link to it."""
        staged = self.files.folder / "manifest.new"
        make_folder(staged.parent, private=2)
        with at_destination(staged):
            staged.unlink(missing_ok=True)
        with at_destination(staged), staged.open("wb", buffering=0) as file:
            write_all(file.fileno(), content)
            os.fsync(file.fileno())
        return staged

    def _free_manifest(self, name: str) -> str:
        """The name itself where it may be used, else the next one with a number, where existing files are left alone."""
        if self.if_exists not in {"number", "skip"}:
            self._in_the_way(name)
            return name
        stem, ending = posixpath.splitext(name)
        number, chosen = 0, name
        while self.taken(chosen):
            number += 1
            chosen = f"{stem}-{number:04d}{ending}"
        return chosen

    def begin_file(self, group: GroupKey) -> tuple[str, bool]:
        if not self.files.numbers and self.read_option("generate_md5"):
            self._in_the_way(_md5_file(0))
        values, split = (group[:-1], group[-1]) if self.by_split else (group, "")
        source = source_name(split)
        counted = (*values, split if self.names.uses_split else source)
        name, number, skipped = self._choose(
            lambda number: self.names.name(values, number, source, split), self.files.numbers.get(counted, 0)
        )
        self.files.count(counted, number + 1)
        if name == self._manifest:
            raise DestinationError(
                f"{self.address(name)} is the name of the manifest and of an output", hint="Give the manifest another name."
            )
        return name, skipped

    def finish_writing(self) -> None:
        if not self.read_option("generate_md5"):
            return
        self.files.close_all()
        lines = b"".join(f"{entry['md5']} {entry['name']}\n".encode() for entry in self.files.all_finished())
        if lines:
            name, _, skipped = self._choose(_md5_file, 0)
            if not skipped:
                self.files.add(name, lines)

    def _choose(self, name_of: Callable[[int], str], number: int) -> tuple[str, int, bool]:
        """The first name from `number` on that may be used, its number, and whether what would go there is skipped."""
        while (taken := self._in_the_way(name_of(number))) and self.if_exists == "number":
            number += 1
        return name_of(number), number, taken

    def _in_the_way(self, name: str) -> bool:
        """Whether a name is taken and that matters. Raises DestinationError where it ends the run."""
        taken = self.if_exists != "overwrite" and self.taken(name)
        if taken and self.if_exists == "fail":
            raise no_room_for(self.address(name))
        return taken


def _md5_file(number: int) -> str:
    return f"md5checksum-{number:04d}.md5" if number else "md5checksum.md5"


def same_content(path: Path, entry: dict[str, Any]) -> bool:
    """Whether a file is the one a receipt speaks of, by size and checksum."""
    return size_of(path) == int(entry["size"]) and checksum(path) == entry["sha256"]
