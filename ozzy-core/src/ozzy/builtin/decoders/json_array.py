"""JSON arrays, and objects one after the other, read as a stream."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from ozzy import BaseDecoder, Batch, DataError, Rejected, SourceError, option, options
from ozzy.contracts.decoder import DecoderOptions
from ozzy.data.codecs import ByteStream
from ozzy.data.json_text import bad_lines, compacted

BATCH_BYTES: Final = 1024 * 1024
"""A batch ends with the record that reaches this many bytes of the stream, if it has not ended before."""

_blanks = re.compile(rb"[ \t\r\n]*+")
_flat = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+', re.DOTALL)
_scalar = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_OPENING: Final = b"[{"
_QUOTE: Final = ord('"')


@options
class JsonOptions(DecoderOptions):
    """Options of the JSON decoder."""

    record_limit: int = option(default=256 * 1024 * 1024, minimum=1024, help="Bytes of a record, at the most.")


class JsonDecoder(BaseDecoder):
    """A JSON array of objects, or objects one after the other, in UTF-8; pretty-printed or not, of any size.

    The text of each record is kept; only where it holds line ends, the blanks between its tokens go. An element that is no object,
    or a bad one, is rejected with its number and place. A stream that ends inside a record or an array is a SourceError; one whose
    elements can't be told apart is a DataError.
    """

    Options: ClassVar[type] = JsonOptions

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        stream.skip_mark()
        texts: list[bytes] = []
        places: list[int] = []
        rows, begun = 0, stream.offset
        for text, place in _Elements(stream, self.options.record_limit).each():
            texts.append(text)
            places.append(place)
            if len(texts) == self.options.batch_size or place + len(text) - begun >= BATCH_BYTES:
                begun = place + len(text)
                yield _batch(stream.name, rows, texts, places)
                rows += len(texts)
                texts, places = [], []
        if texts:
            yield _batch(stream.name, rows, texts, places)


def _batch(name: str, rows: int, texts: list[bytes], places: list[int]) -> Batch:
    bad = bad_lines(texts)
    good = [row for row in range(len(texts)) if row not in bad] if bad else range(len(texts))
    lines = [texts[row] for row in good]
    if any(b"\n" in line or b"\r" in line for line in lines):
        lines = [compacted(line) if b"\n" in line or b"\r" in line else line for line in lines]
    rejected = [
        Rejected(f"{name}, record {rows + row + 1} at byte {places[row]}", message, texts[row], row=rows + row)
        for row, message in bad.items()
    ]
    return Batch.from_lines(lines, rejected=rejected, origin=[rows + row for row in good])


class _Elements:
    """The texts of the records of a stream, each with the byte where it begins."""

    def __init__(self, stream: ByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._text = b""
        self._at = 0
        self._base = stream.offset

    def each(self) -> Iterator[tuple[bytes, int]]:
        while (sign := self._next()) is not None:
            if sign == b"[":
                yield from self._array()
            elif sign == b"{":
                yield self._nested()
            else:
                raise self._wrong("an array or an object")

    def _array(self) -> Iterator[tuple[bytes, int]]:
        opened = self._base + self._at
        self._at += 1
        sign = self._sign(opened)
        while sign != b"]":
            yield self._nested() if sign in _OPENING else self._plain()
            sign = self._sign(opened)
            if sign == b",":
                self._at += 1
                if self._sign(opened) == b"]":
                    raise self._wrong("a value")
                sign = self._sign(opened)
            elif sign != b"]":
                raise self._wrong("a comma or the end of the array")
        self._at += 1

    def _next(self) -> bytes | None:
        """The next byte that is not blank, None at the end."""
        while True:
            self._at = _blanks.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at : self._at + 1]
            if not self._more(self._at):
                return None

    def _sign(self, opened: int) -> bytes:
        sign = self._next()
        if sign is None:
            raise self._cut_off("array", opened)
        return sign

    def _nested(self) -> tuple[bytes, int]:
        """An array or object, whatever is in it."""
        start, at, depth, text = self._at, self._at, 0, self._text
        while True:
            at = _flat.match(text, at).end()  # type: ignore[union-attr]
            if at == len(text) or text[at] == _QUOTE:
                at -= start
                if not self._more(start):
                    raise self._cut_off("record", self._base)
                start, text = 0, self._text
                continue
            depth += 1 if text[at] in _OPENING else -1
            at += 1
            if not depth:
                return self._taken(start, at)

    def _plain(self) -> tuple[bytes, int]:
        """A text, a number or a word."""
        start = self._at
        while True:
            end = _scalar.match(self._text, start).end()  # type: ignore[union-attr]
            if end < len(self._text) and self._text[end] != _QUOTE:
                break
            if not self._more(start):
                raise self._cut_off("value", self._base)
            start = 0
        if end == start:
            raise self._wrong("a value")
        text, place = self._taken(start, end)
        return text.rstrip(), place

    def _taken(self, start: int, end: int) -> tuple[bytes, int]:
        if end - start > self._limit:
            raise self._too_long(self._base + start)
        self._at = end
        return self._text[start:end], self._base + start

    def _more(self, start: int) -> bool:
        """Have more text, keeping it from `start` on; as much again as is kept, so that a large record is read in linear time."""
        kept = len(self._text) - start
        if kept > self._limit:
            raise self._too_long(self._base + start)
        parts = [self._text[start:]]
        gained = 0
        while gained <= kept and (piece := self._stream.read()):
            parts.append(piece)
            gained += len(piece)
        self._base += start
        self._text = b"".join(parts)
        self._at = 0
        return gained > 0

    def _cut_off(self, what: str, opened: int) -> SourceError:
        return SourceError(
            f"{self._stream.name} ends at byte {self._stream.offset}, inside the {what} that begins at byte {opened}",
            hint="The file is cut off, or a quote or bracket is never closed.",
        )

    def _wrong(self, expected: str) -> DataError:
        found = self._text[self._at : self._at + 16]
        return DataError(
            f"{self._stream.name}, byte {self._base + self._at}: expected {expected}, found {found!r}",
            hint="Is this JSON? For one object a line set deserializer to json_lines.",
        )

    def _too_long(self, place: int) -> DataError:
        return DataError(
            f"{self._stream.name}, byte {place}: a record is longer than {self._limit} bytes",
            hint="Raise record_limit of the deserializer, or look for a quote or bracket that is never closed.",
        )
