"""Files of the local file system."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO, ClassVar

from ozzy import BaseStreamReader, Batch, Listed, Problem, Range, SourceError, Split, Stream, option, options
from ozzy.builtin.readers.file_marks import beside, mark_of, only_believed, same
from ozzy.contracts.reader import StreamReaderOptions
from ozzy.data.zip_archive import parts_of


@options
class FSUnit:
    """One place where files are: a folder, named or pointed to, and which of its files count."""

    dir: str | None = option(default=None, help="A folder; its files and those of all folders in it are read.")
    dir_pointer: str | None = option(default=None, help="A file whose content is the path of such a folder.")
    pattern: str | None = option(
        default=None, help="A regular expression; files are read whose path has a match somewhere.", example=r"\.jsonl\.gz$"
    )
    include_dot_files: bool = option(default=False, help="Read files and folders whose name begins with a dot, in archives too.")


@options
class FSReaderOptions(StreamReaderOptions):
    """Options of the reader of files."""

    input: str | FSUnit | list[str | FSUnit] = option(
        help="What to read: the path of a file or folder, a unit {dir | dir_pointer, pattern, include_dot_files}, or a list of these.",
        example={"dir": "data", "pattern": r"\.jsonl\.gz$"},
    )


class FSReader(BaseStreamReader):
    """Reads files, each once, in the order of their paths.

    A path that is missing or can't be read is a SourceError; a folder where nothing matches gives no records and a warning. Links to
    files are followed, links to folders inside a folder are not. Each member of a file whose name ends in `.zip` is read as a file of
    its own, `archive.zip!member`, in the order of the archive. A file that changes between the run's start and the end of its
    reading is a SourceError.

    With `bookmark: true` only new and changed files are read, a changed one from its beginning. A file is told by its absolute path, its
    size and the checksums of its first and its last 64 KiB.
    """

    Options: ClassVar[type] = FSReaderOptions

    @classmethod
    def check_options(cls, options: FSReaderOptions) -> Iterator[Problem]:
        """What is wrong with the units."""
        several = isinstance(options.input, list)
        for number, unit in enumerate(_units(options)):
            path = f"input.{number}" if several else "input"
            if isinstance(unit, str):
                if not unit:
                    yield Problem(path, "the path is empty")
                continue
            if bool(unit.dir) == bool(unit.dir_pointer):
                yield Problem(path, "expected exactly one of dir and dir_pointer")
            try:
                re.compile(unit.pattern or "")
            except re.error as error:
                yield Problem(f"{path}.pattern", f"not a regular expression: {error}")

    def get_read_streams(self) -> Iterator[Stream]:
        for name in sorted(self._found().values()):
            status = self._status_of_file(name)
            yield Stream(name, status.st_size, fingerprint=_fingerprint(status))

    def splits_since(self, bookmark: Iterator[Any]) -> Iterator[Listed]:
        """New and changed files. A file that is gone is forgotten, unless its folder has no files at all now, as when a disk is missing."""
        empty: list[str] = []
        found = self._found(empty)
        for path, name, before in beside(sorted(found.items()), bookmark):
            if name is not None:
                status = self._status_of_file(name)
                mark = mark_of(path, status, before)
                new = not same(before, mark)
                if not new and only_believed(before, mark):
                    self.logger.warning(
                        f"{name} was touched since it was read; its size, beginning and end are the same, so it is not read again"
                    )
                splits = list(self.parts(Stream(name, status.st_size, fingerprint=_fingerprint(status)))) if new else []
                yield from map(Listed, splits[:-1])
                yield Listed(splits[-1] if splits else None, mark)
            elif any(Path(path).is_relative_to(folder) for folder in empty):
                yield Listed(mark=before)

    def _found(self, empty: list[str] | None = None) -> dict[str, str]:
        """The files by their absolute paths, as they are named; folders where there is none are added to `empty`."""
        found: dict[str, str] = {}
        for unit in _units(self.options):
            for name in self._of_unit(unit, [] if empty is None else empty):
                found.setdefault(self._absolute(name), name)
        return found

    def _status_of_file(self, name: str) -> os.stat_result:
        status = self._status(name)
        if not S_ISREG(status.st_mode):
            raise SourceError(
                f"{name} is neither a file nor a folder", hint="Pipes and devices can't be read twice; put the data in a file."
            )
        return status

    def stream(self, split: Split) -> Stream:
        return Stream(split.id, split.size, fingerprint=split.fingerprint)

    def open_stream(self, stream: Stream) -> BinaryIO:
        self._refuse_changed(stream.filename, stream.fingerprint)
        try:
            return self._place(stream.filename).open("rb", buffering=0)
        except OSError as error:
            raise _unreadable(stream.filename, error) from error

    def open_stream_at(self, stream: Stream, offset: int) -> BinaryIO:
        raw = self.open_stream(stream)
        try:
            raw.seek(offset)
        except OSError as error:
            raw.close()
            raise _unreadable(stream.filename, error) from error
        return raw

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        return self._unchanged(split, super().read(split, position))

    def read_range(self, split: Split, part: Range) -> Iterator[Batch]:
        return self._unchanged(split, super().read_range(split, part))

    def _unchanged(self, split: Split, batches: Iterator[Batch]) -> Iterator[Batch]:
        """These batches of a file, with an error where it changes before their end."""
        name = parts_of(split.id)[0]
        self._refuse_changed(name, split.fingerprint)
        try:
            yield from batches
        except SourceError:
            self._refuse_changed(name, split.fingerprint)
            raise
        self._refuse_changed(name, split.fingerprint)

    @property
    def reads_hidden(self) -> bool:
        return any(isinstance(unit, FSUnit) and unit.include_dot_files for unit in _units(self.options))

    def _of_unit(self, unit: str | FSUnit, empty: list[str]) -> Iterable[str]:
        if isinstance(unit, str):
            name = _expanded(unit)
            return self._walk(name, FSUnit(), empty) if self._place(name).is_dir() else [name]
        folder = _expanded(unit.dir or self._pointed(unit.dir_pointer or ""))
        if not self._place(folder).is_dir():
            self._status(folder)
            raise SourceError(f"{folder} is no folder", hint="To read one file, give its path as the input.")
        return self._walk(folder, unit, empty)

    def _pointed(self, pointer: str) -> str:
        name = _expanded(pointer)
        try:
            folder = self._place(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(name, error) from error
        if not folder:
            raise SourceError(f"the pointer file {name} is empty", hint="It has to hold the path of a folder.")
        return folder

    def _walk(self, folder: str, unit: FSUnit, empty: list[str]) -> Iterator[str]:
        wanted = re.compile(unit.pattern or "")
        folders, matches = [folder], 0
        while folders:
            try:
                with os.scandir(self._place(folders[-1])) as entries:
                    inside = [(str(Path(folders[-1]) / entry.name), entry) for entry in entries]
            except OSError as error:
                raise _unreadable(folders[-1], error) from error
            folders.pop()
            for name, entry in inside:
                if entry.name.startswith(".") and not unit.include_dot_files:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                elif self._leads_to_folder(name, entry):
                    self.logger.warning(f"{name} is a link to a folder and is not followed")
                elif not entry.is_file() and not entry.is_symlink():
                    self.logger.warning(f"{name} is neither a file nor a folder and is not read")
                elif wanted.search(name):
                    matches += 1
                    yield name
        if not matches:
            what = f"no file in {folder} matches {unit.pattern!r}" if unit.pattern else f"there are no files in {folder}"
            self.logger.warning(f"{what}: nothing is read from there")
            empty.append(self._absolute(folder))

    def _leads_to_folder(self, name: str, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir()
        except OSError as error:
            raise _unreadable(name, error) from error

    def _place(self, name: str) -> Path:
        return self.metadata.working_folder / name

    def _absolute(self, name: str) -> str:
        return os.path.normpath(self._place(name).absolute())

    def _status(self, name: str) -> os.stat_result:
        try:
            name.encode()
            status = self._place(name).stat()
        except UnicodeEncodeError as error:
            raise SourceError(f"the name of {name!r} is not UTF-8", hint="Rename the file.") from error
        except (OSError, ValueError) as error:
            raise _unreadable(name, error) from error
        return status

    def _refuse_changed(self, name: str, fingerprint: str) -> None:
        if fingerprint and _fingerprint(self._status(name)) != fingerprint:
            raise SourceError(
                f"{name} has changed since the run began",
                hint="What was read of it before may no longer be true. Start a new run with --fresh, once nothing writes to it.",
            )


def _units(options: FSReaderOptions) -> list[str | FSUnit]:
    return options.input if isinstance(options.input, list) else [options.input]


def _expanded(text: str) -> str:
    try:
        return str(Path(text).expanduser())
    except RuntimeError as error:
        raise SourceError(f"{text}: {error}") from error


def _fingerprint(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def _unreadable(name: str, error: Exception) -> SourceError:
    if isinstance(error, FileNotFoundError):
        hint = (
            "To read the files of a folder that match, give {dir: …, pattern: …} with a regular expression."
            if set(name) & set("*?[")
            else None
        )
        return SourceError(f"{name} does not exist", hint=hint)
    return SourceError(f"{name} can't be read: {getattr(error, 'strerror', None) or error}")
