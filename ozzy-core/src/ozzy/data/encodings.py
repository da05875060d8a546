"""Text in any encoding as UTF-8, piece by piece: what decoders read is always UTF-8."""

import codecs
from typing import Any, BinaryIO, Final

from ozzy.data.codecs import ByteStream
from ozzy.errors import DataError

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8: Final = ("utf-8", "utf-8-sig")
_NO_TEXT: Final = ("idna", "punycode", "raw_unicode_escape", "raw-unicode-escape", "undefined", "unicode_escape", "unicode-escape")
_HINT: Final = "Set the option `encoding` of the deserializer, such as utf-8, utf-16, latin-1 or cp1252."


def wrong_encoding(name: str) -> str | None:
    """What is wrong with the name of an encoding, None for one that texts can be in.

    >>> wrong_encoding("latin-1"), wrong_encoding("klingon")
    (None, "'klingon' is no encoding that Python knows")
    """
    try:
        found = codecs.lookup(name)
        "".encode(name)
    except (LookupError, ValueError):
        return f"{name!r} is no encoding that Python knows"
    return f"{name!r} is no encoding of texts" if found.name in _NO_TEXT or found.incrementaldecoder is None else None


def encoding_of(head: bytes) -> str | None:
    r"""The encoding that a byte order mark of UTF-16 or UTF-32 tells, None where there is no such mark.

    >>> encoding_of("a".encode("utf-16-be")), encoding_of(b"\xfe\xff\x00a")
    (None, 'utf-16-be')
    """
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def as_utf8(stream: ByteStream, encoding: str | None = None) -> ByteStream:
    """A stream's text in UTF-8; the stream itself where it is in that already.

    Without `encoding` a byte order mark tells, and where there is none it is UTF-8. A mark at the beginning is no part of the text;
    `utf-16` and `utf-32` without one are little-endian. Offsets then count bytes of UTF-8. Raises DataError, when it is read, with line
    and byte of what can't be decoded.
    """
    marked = encoding_of(stream.head(4))
    name = codecs.lookup(encoding).name if encoding else marked or "utf-8"
    if name in {"utf-16", "utf-32"}:
        name = marked if marked and marked.startswith(name) else f"{name}-le"
    if name in _UTF8:
        return stream
    made = ByteStream(_Transcoded(stream, name), name=stream.name)
    made.encoding = name
    return made


class _Transcoded:
    """What is decoded from another stream, encoded as UTF-8."""

    def __init__(self, stream: ByteStream, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._decoder: Any = codecs.getincrementaldecoder(encoding)()
        self._ready = b""
        self._begun = self._ended = False
        self._line = 1

    def piece(self, size: int) -> bytes:
        while not self._ready and not self._ended:
            self._ready = self._next(size)
        piece, self._ready = self._ready[:size], self._ready[size:]
        return piece

    def jump(self, offset: int) -> bool:
        """Text is decoded from its beginning."""
        return False

    def whole(self) -> BinaryIO | None:
        """There is no file of decoded text."""
        return None

    def _next(self, size: int) -> bytes:
        pending = len(self._decoder.getstate()[0])
        before = self._stream.offset - pending
        data = self._stream.read(size)
        self._ended = not data
        try:
            text: str = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            line = self._line + error.object[: error.start].decode(self._encoding, errors="ignore").count("\n")
            raise DataError(
                f"{self._stream.name}, line {line}: byte {before + error.start} can't be decoded as {self._encoding}: {error.reason}",
                hint=_HINT,
            ) from error
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix("\ufeff")
        self._line += text.count("\n")
        return text.encode()
