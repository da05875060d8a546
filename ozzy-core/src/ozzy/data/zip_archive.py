"""Zip archives as a source: each member is a stream of its own, read forward in bounded memory."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from ozzy.data.codecs import PIECE
from ozzy.errors import SourceError

_ARCHIVE: Final = re.compile(r"(.*?\.zip)!(.*)", re.IGNORECASE | re.DOTALL)
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Other methods are rare, and Python unpacks them in one go, however much that makes."""
_DAMAGED: Final = (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error)
_ENCRYPTED: Final = 0x1
_AGAIN: Final = "Get it again from where it comes from."


def is_archive(name: str) -> bool:
    """Whether a file of this name is read as a zip archive.

    >>> is_archive("in/A.ZIP"), is_archive("a.zip.gz")
    (True, False)
    """
    return name.lower().endswith(".zip")


def member_name(archive: str, member: str) -> str:
    """What a member is called among all that is read.

    >>> member_name("in/a.zip", "b/c.jl"), parts_of("in/a.zip!b/c.jl"), parts_of("in/a.jl")
    ('in/a.zip!b/c.jl', ('in/a.zip', 'b/c.jl'), ('in/a.jl', None))
    """
    return f"{archive}!{member}"


def parts_of(name: str) -> tuple[str, str | None]:
    """The archive and the member that a name means; the name itself and None where it is no member's."""
    found = _ARCHIVE.fullmatch(name)
    return (found[1], found[2]) if found else (name, None)


class ZipArchive:
    """An open archive. Raises SourceError for what is no archive, is cut off, or comes from where there is no going back in the bytes."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        self.name = name
        self._raw = raw
        if not getattr(raw, "seekable", bool)():
            raise SourceError(
                f"{name} comes as a stream that is read forward only, and a zip archive has its list of members at the end",
                hint="Fetch it into a local file first, or have the data as gz or zst.",
            )
        try:
            self._archive = zipfile.ZipFile(raw)
        except _DAMAGED as error:
            raise SourceError(f"{name} can't be read as a zip archive: {error}", hint=_AGAIN) from error
        self._members = {info.filename: info for info in self._archive.infolist() if not info.is_dir()}

    def members(self, *, hidden: bool = False) -> Iterator[tuple[str, int]]:
        """Names and compressed sizes of the members that hold data, in the order of the archive.

        Folders are passed over, and so are members where a part of the path begins with a dot, unless `hidden`; `.` and `..` are no such
        parts, and lead nowhere, as nothing is unpacked. Raises SourceError for a member that is encrypted, compressed in a way that can't
        be read, or there twice.
        """
        seen = set()
        for info in self._archive.infolist():
            if info.is_dir() or (not hidden and any(map(_hides, info.filename.split("/")))):
                continue
            where = member_name(self.name, info.filename)
            if info.flag_bits & _ENCRYPTED:
                raise SourceError(f"{where} is encrypted", hint="ozzy reads no encrypted archives: unpack it first.")
            if info.compress_type not in _METHODS:
                raise SourceError(
                    f"{where} is compressed with method {info.compress_type}", hint="Pack it again with the usual method, deflate."
                )
            if info.filename in seen:
                raise SourceError(f"{where} is there twice", hint="Which one is meant? Pack the archive again.")
            seen.add(info.filename)
            yield info.filename, info.compress_size

    def open(self, member: str) -> BinaryIO:
        """The content of a member from its first byte, read forward. Raises SourceError."""
        where = member_name(self.name, member)
        if member not in self._members:
            raise SourceError(f"{where} is not there", hint="The archive has changed since the run began. Start a new run with --fresh.")
        try:
            return cast("BinaryIO", _Member(self._archive.open(self._members[member]), where))
        except _DAMAGED as error:
            raise SourceError(f"{where} can't be read: {error}", hint=_AGAIN) from error

    def close(self) -> None:
        """Let go of the archive and of what it was read from."""
        self._archive.close()
        self._raw.close()


def _hides(part: str) -> bool:
    return part.startswith(".") and part not in {".", ".."}


class _Member(io.RawIOBase):
    """A member's content, forward only: its checksum is looked at where it ends."""

    def __init__(self, content: Any, where: str) -> None:
        super().__init__()
        self._content = content
        self._where = where

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        try:
            data: bytes = self._content.read(min(size, PIECE) if size >= 0 else PIECE)
        except _DAMAGED as error:
            raise SourceError(f"{self._where} is damaged or cut off: {error}", hint=_AGAIN) from error
        return data

    def close(self) -> None:
        self._content.close()
        super().close()
