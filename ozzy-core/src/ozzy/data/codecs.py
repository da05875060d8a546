"""Compression, both ways: streams of bytes that are read in bounded memory, and members that are written in one call each.

What is read may be a row of members (gzip, xz, bzip2) or frames (zstd) and ends where the last of them ends: a stream that breaks off,
fails a checksum or has anything after its last member is a SourceError that names the file and the place in it.
What is written is the same for the same input: no time, no name, and each member from one call.
"""

import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import IO, Any, BinaryIO, Final, Protocol

import attrs

from ozzy.data.temporary import temporary_copy
from ozzy.errors import ConfigError, DataError, PluginError, SourceError

PIECE: Final = 256 * 1024
"""How many bytes a piece of a stream has at the most where nothing else is asked for."""

_MARK: Final = b"\xef\xbb\xbf"
_OTHER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_INPUT: Final = 64 * 1024
_SIMPLE_GZ: Final = (b"\x00", b"\x04", b"\x08", b"\x10")
_GZ_HEADER: Final = 128 * 1024
"""A gzip header with several fields has to be whole when it is read: the decompressor mistakes one that comes in parts."""

_XZ_MEMORY: Final = 256 * 1024 * 1024
_XZ_WINDOW: Final = 1024 * 1024


def _zstd() -> ModuleType:
    from importlib import import_module

    try:
        return import_module("compression.zstd")
    except ImportError:
        return import_module("backports.zstd")


Raw = bytes | bytearray | memoryview
"""What can be compressed."""


@attrs.frozen
class Codec:
    """One way to compress what is written.

    `suffix` is the end of a file's name (empty for `none`), `member_size` how many raw bytes are collected for a member, and
    `compress` makes one complete member of its bytes; members one after the other are a valid file. Where there is a `pack`, the file is
    made of its whole content at its end: `pack(content, name, target)` reads one open file and writes the other.
    """

    name: str
    suffix: str
    member_size: int
    compress: Callable[[Raw], Raw]
    pack: Callable[[IO[bytes], str, IO[bytes]], None] | None = None

    @property
    def plain(self) -> bool:
        """Whether the file is what is written, so that it does not matter where members end."""
        return self.name == "none"


def _as_it_is(data: Raw) -> Raw:
    return data


def _gz(data: Raw) -> bytes:
    # ISA-L is faster still, but its output for the same input is not always the same; libdeflate's is.
    from deflate import gzip_compress

    return bytes(gzip_compress(data, 1))


def _bz2(data: Raw) -> bytes:
    import bz2

    return bz2.compress(data, 9)


def _xz(data: Raw) -> bytes:
    import lzma

    # A window larger than a member costs memory (94 MiB at this preset's own 8 MiB) and gains nothing.
    return lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": _XZ_WINDOW}])


def _zst(data: Raw) -> bytes:
    zstd = _zstd()
    parameter = zstd.CompressionParameter
    compressed: bytes = zstd.compress(data, options={parameter.compression_level: 3, parameter.checksum_flag: 1})
    return compressed


def _zip(content: IO[bytes], name: str, target: IO[bytes]) -> None:
    """An archive of one member, with the same time, rights and system whenever and wherever it is made."""
    import shutil
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    member = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.compress_type = ZIP_DEFLATED
    member.create_system = 3
    member.external_attr = 0o644 << 16
    member.file_size = content.seek(0, io.SEEK_END)
    content.seek(0)
    with ZipFile(target, "w") as archive, archive.open(member, "w") as file:
        shutil.copyfileobj(content, file, PIECE)


CODECS: Final[Mapping[str, Codec]] = {
    codec.name: codec
    for codec in (
        Codec("none", "", 128 * 1024, _as_it_is),
        Codec("gz", ".gz", 128 * 1024, _gz),
        Codec("bz2", ".bz2", 1024 * 1024, _bz2),
        Codec("xz", ".xz", 1024 * 1024, _xz),
        Codec("zst", ".zst", 128 * 1024, _zst),
    )
}
"""Codecs for writing, by name."""

ARCHIVES: Final[Mapping[str, Codec]] = {"zip": Codec("zip", ".zip", 1024 * 1024, _as_it_is, _zip)}
"""Codecs for writing that make one archive of the whole content, by name."""


class _Decompressor(Protocol):
    eof: bool
    needs_input: bool
    unused_data: bytes | None

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


def _read_gz() -> Any:
    from isal import igzip_lib

    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


def _read_zlib() -> Any:
    from isal import igzip_lib

    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_ZLIB)


def _read_bz2() -> Any:
    import bz2

    return bz2.BZ2Decompressor()


def _read_xz() -> Any:
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


def _read_zst() -> Any:
    return _zstd().ZstdDecompressor()


def _read_lz4() -> Any:
    from importlib import import_module

    try:
        return import_module("lz4.frame").LZ4FrameDecompressor()
    except ImportError as error:
        raise PluginError(
            "what is compressed with lz4 needs a library that is not installed", hint="pip install 'ozzy-core[lz4]'"
        ) from error


@attrs.frozen
class _Format:
    magics: tuple[bytes, ...]
    open: Callable[[], _Decompressor]


_FORMATS: Final[Mapping[str, _Format]] = {
    "gz": _Format((b"\x1f\x8b",), _read_gz),
    "zlib": _Format((b"x\x01", b"x\x9c", b"x\xda"), _read_zlib),
    "bz2": _Format((b"BZh",), _read_bz2),
    "xz": _Format((b"\xfd7zXZ\x00",), _read_xz),
    "zst": _Format((b"\x28\xb5\x2f\xfd", *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))), _read_zst),
    "lz4": _Format((b"\x04\x22\x4d\x18",), _read_lz4),
}
_ZIP: Final = b"PK\x03\x04"
_BEYOND_AUTO: Final = (
    (_ZIP, "a zip archive without .zip at the end of its name"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x02\x21\x4c\x18", "compressed with lz4 in its legacy format"),
    (b"\x1f\x9d", "compressed with compress (.Z)"),
)
_LOOK: Final = 256
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
COMPRESSIONS: Final = ("auto", "none", *_FORMATS)
"""Names of compressions that can be read."""


def open_decompressed(raw: BinaryIO, compression: str = "auto", *, name: str) -> "ByteStream":
    """The decompressed bytes of an open file.

    `compression` is one of `COMPRESSIONS`; `auto` goes by the first bytes and takes what it does not know as not compressed. `name`
    is how messages call the file. Closing `raw` stays with the caller. Raises SourceError when the file can't be read, is an archive
    of a kind ozzy does not read, is not compressed as said, or is named as compressed and begins like neither that nor text, and
    ConfigError for an unknown compression.
    """
    if compression not in COMPRESSIONS:
        raise ConfigError(f"{compression!r} is no compression that ozzy reads", hint=f"Use one of {', '.join(COMPRESSIONS)}.")
    beginning = b"".join(_pieces(raw, name, 8))
    if compression == "auto":
        compression = next((key for key, format in _FORMATS.items() if beginning.startswith(format.magics)), "none")
        for magic, kind in _BEYOND_AUTO:
            if beginning.startswith(magic) and magic == _ZIP and name.lower().endswith(".zip"):
                raise SourceError(f"{name} is a zip archive within another one", hint="Unpack the outer one, and read what it holds.")
            if beginning.startswith(magic):
                raise SourceError(
                    f"{name} is {kind}", hint="ozzy reads plain, gz, bz2, xz, zst and lz4 files, and zip files by their name."
                )
        if compression == "none" and (named := name.lower().rpartition(".")[2]) in _FORMATS:
            beginning += b"".join(_pieces(raw, name, _LOOK - len(beginning)))
            _refuse_damaged(beginning, named, name)
    elif compression != "none" and beginning and not beginning.startswith(_FORMATS[compression].magics):
        raise SourceError(f"{name} is not compressed as {compression}: it begins with {beginning!r}", hint="Leave the compression to auto.")
    if compression == "none":
        return ByteStream(_Plain(raw, name, beginning), name=name)
    return ByteStream(_Members(raw, name, beginning, compression), name=name, compression=compression)


def _refuse_damaged(beginning: bytes, named: str, name: str) -> None:
    """Refuse a file that has the name of a compressed one and begins like neither that nor text: read as lines, all of it would be bad."""
    if beginning and any(magic.startswith(beginning) for magic in _FORMATS[named].magics):
        raise SourceError(
            f"{name} ends at byte {len(beginning)}, in the middle of its {named} data",
            hint="The file is cut off. Get it again from where it comes from.",
        )
    if _CONTROL.search(beginning) and not beginning.startswith(_OTHER_MARKS):
        raise SourceError(
            f"{name} is named as {named} data, and begins with {beginning[:8]!r}, which is neither that nor text",
            hint="The file is damaged: get it again from where it comes from. If it was never compressed, say so: decompressor: none.",
        )


class _Source(Protocol):
    """Where a ByteStream has its bytes from: `piece` gives at least one and at most `size`, or none at the end."""

    def piece(self, size: int) -> bytes: ...

    def jump(self, offset: int) -> bool: ...

    def whole(self) -> BinaryIO | None: ...


class ByteStream:
    """Decompressed bytes, read forward.

    `offset` counts the bytes handed out; `row` and `line` count what stands before the place where reading began. `encoding` is what the
    bytes were in before they were made UTF-8, None where they are as they came. `compression` is how the file is compressed.
    """

    encoding: str | None = None

    def __init__(self, source: _Source, *, name: str, compression: str = "none") -> None:
        self._source = source
        self._ahead = b""
        self.name = name
        self.compression = compression
        self.offset = 0
        self.row = 0
        self.line = 0

    def head(self, n: int = 64) -> bytes:
        """The next `n` bytes, fewer only where the stream ends; they are still to be read."""
        while len(self._ahead) < n:
            piece = self._source.piece(n - len(self._ahead))
            if not piece:
                break
            self._ahead += piece
        return self._ahead[:n]

    def read(self, n: int = PIECE) -> bytes:
        """At least one and at most `n` bytes, or none at the end of the stream. Raises SourceError."""
        if self._ahead:
            piece, self._ahead = self._ahead[:n], self._ahead[n:]
        else:
            piece = self._source.piece(n)
        self.offset += len(piece)
        return piece

    @property
    def on_disk(self) -> bool:
        """Whether the content is a file that can seek, so that `as_file` copies nothing."""
        whole = self._source.whole()
        if whole is None:
            return False
        whole.close()
        return True

    def as_file(self) -> BinaryIO:
        """All of the content as an open file that can seek, for formats that are not read forward; nothing may have been read before.

        It is the file itself where that can be, else a temporary copy on disk; the caller closes it. Raises SourceError.
        """
        whole = self._source.whole()
        if whole is None:
            whole = temporary_copy(iter(self.read, b""), self.name)
        whole.seek(0)
        return whole

    def go_on(self) -> bool:
        """Have one line more, from behind the lines that were asked for of a file; False where there is none."""
        return False

    def skip_mark(self) -> None:
        """Go past a byte order mark, at the very beginning only. Raises DataError for one of another encoding than UTF-8."""
        if self.offset:
            return
        if self.head(2) in _OTHER_MARKS:
            raise DataError(f"{self.name} is encoded in UTF-16 or UTF-32", hint="ozzy reads UTF-8: convert it, for example with iconv.")
        if self.head(3) == _MARK:
            self.read(3)

    def skip_to(self, offset: int, row: int, line: int = 0) -> None:
        """Go forward to a place that an earlier run reached. Raises SourceError where the stream ends before it."""
        if offset < self.offset:
            raise SourceError(f"{self.name} is read forward only: it stands at byte {self.offset}, behind byte {offset}")
        if self._source.jump(offset):
            self._ahead = b""
            self.offset = offset
        while self.offset < offset:
            if not self.read(min(PIECE, offset - self.offset)):
                raise SourceError(
                    f"{self.name} ends at byte {self.offset} of its content, before byte {offset} that was read earlier",
                    hint="The file has changed since the run began. Start a new run with --fresh.",
                )
        self.row, self.line = row, line


class _Plain:
    """Bytes as they are."""

    def __init__(self, raw: BinaryIO, name: str, beginning: bytes) -> None:
        self._raw = raw
        self._name = name
        self._beginning = beginning

    def piece(self, size: int) -> bytes:
        if self._beginning:
            piece, self._beginning = self._beginning[:size], self._beginning[size:]
            return piece
        return _read(self._raw, self._name, size)

    def jump(self, offset: int) -> bool:
        """Go straight to a byte, where the file can do that and is long enough."""
        try:
            if not getattr(self._raw, "seekable", bool)() or self._raw.seek(0, io.SEEK_END) < offset:
                return False
            self._raw.seek(offset)
        except (OSError, ValueError) as error:
            raise SourceError(f"{self._name} can't be read from byte {offset}: {error}") from error
        self._beginning = b""
        return True

    def whole(self) -> BinaryIO | None:
        """The same file on disk once more, open for as long as somebody needs it."""
        if not isinstance(self._raw, (io.FileIO, io.BufferedReader)):
            return None
        try:
            return os.fdopen(os.dup(self._raw.fileno()), "rb", buffering=0) if self._raw.seekable() else None
        except (OSError, ValueError) as error:
            raise SourceError(f"{self._name} can't be read: {error}") from error


class _Members:
    """The content of one compressed member after the other."""

    def __init__(self, raw: BinaryIO, name: str, beginning: bytes, compression: str) -> None:
        self._raw = raw
        self._name = name
        self._compression = compression
        self._format = _FORMATS[compression]
        self._input = beginning
        self._taken = len(beginning)
        self._begun = 0
        self._member: _Decompressor | None = None

    def piece(self, size: int) -> bytes:
        while True:
            member = self._member or self._next()
            if member is None:
                return b""
            if member.needs_input and not self._input:
                self._input = _read(self._raw, self._name, _INPUT)
                self._taken += len(self._input)
                if not self._input:
                    raise self._broken(f"ends at byte {self._taken}, in the middle of its {self._compression} data", "The file is cut off.")
            before, self._input = self._input, b""
            try:
                piece = member.decompress(before, size)
            except Exception as error:
                what = f"holds {self._compression} data that can't be decompressed, before byte {self._taken}: {error}"
                raise self._broken(what, "The file needs too much memory." if "emory" in str(error) else "The file is damaged.") from error
            if member.eof:
                self._input = member.unused_data or b""
                self._member = None
            if piece:
                return piece

    def jump(self, offset: int) -> bool:
        """Compressed data is read from its beginning."""
        return False

    def whole(self) -> BinaryIO | None:
        """There is no file of decompressed bytes."""
        return None

    def _next(self) -> _Decompressor | None:
        self._gather(max(map(len, self._format.magics)))
        self._begun = self._taken - len(self._input)
        if not self._input:
            return None
        if not self._input.startswith(self._format.magics):
            if any(magic.startswith(self._input) for magic in self._format.magics):
                raise self._broken(f"ends at byte {self._taken}, in the middle of its {self._compression} data", "The file is cut off.")
            raise self._broken(f"holds something else than {self._compression} data from byte {self._begun} on", "The file is damaged.")
        if self._compression == "gz" and self._input[3:4] not in _SIMPLE_GZ:
            self._gather(_GZ_HEADER)
        self._member = self._format.open()
        return self._member

    def _gather(self, size: int) -> None:
        """Have this many bytes at hand, fewer only where the file ends."""
        for piece in _pieces(self._raw, self._name, size - len(self._input)):
            self._input += piece
            self._taken += len(piece)

    def _broken(self, what: str, hint: str) -> SourceError:
        where = f" (in the member that begins at byte {self._begun})" if self._begun and self._member else ""
        return SourceError(f"{self._name} {what}{where}", hint=f"{hint} Get it again from where it comes from.")


def _read(raw: BinaryIO, name: str, size: int) -> bytes:
    try:
        return raw.read(size) or b""
    except (OSError, ValueError) as error:
        raise SourceError(f"{name} can't be read: {error}") from error


def _pieces(raw: BinaryIO, name: str, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := _read(raw, name, size)):
        size -= len(piece)
        yield piece
