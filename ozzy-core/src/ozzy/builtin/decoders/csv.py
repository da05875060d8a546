"""Comma- and tab-separated values."""

import csv
from collections.abc import Iterator
from typing import ClassVar, Final

from ozzy import BaseDecoder, Batch, DataError, Rejected
from ozzy.builtin.decoders.pieces import pieces
from ozzy.data.codecs import ByteStream

BATCH_BYTES: Final = 1024 * 1024
"""A batch ends with the row that reaches this many bytes of the stream, if it has not ended before."""

CELL_LIMIT: Final = 16 * 1024 * 1024
"""How many characters a cell has at the most; Python's own limit for all of a process is raised to it."""


class CSVDecoder(BaseDecoder):
    """Comma-separated values in UTF-8; the first row names the fields, every value is a text.

    Quotes are as in RFC 4180: a cell in quotes may hold line ends, commas and doubled quotes. A row that has not as many cells as the
    header, or is quoted wrongly, is rejected with its line; blank lines are counted and passed over. A header with an empty name or
    one name twice is a DataError, as is a quote that is never closed.
    """

    delimiter: ClassVar[str] = ","

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        stream.skip_mark()
        csv.field_size_limit(max(csv.field_size_limit(), CELL_LIMIT))
        rows = _Rows(stream, self.delimiter)
        header = rows.header()
        if header is None:
            return
        records: list[dict[str, str]] = []
        rejected: list[Rejected] = []
        origin: list[int] = []
        number = blank = begun = 0
        for row, wrong in rows.each(header):
            if wrong is not None:
                rejected.append(wrong)
            elif row:
                records.append(dict(zip(header, row, strict=True)))
                origin.append(number)
            else:
                blank += 1
            number += bool(row) or wrong is not None
            if len(records) + len(rejected) + blank == self.options.batch_size or rows.size - begun >= BATCH_BYTES:
                begun = rows.size
                yield Batch.from_records(records, rejected=rejected, blank=blank, origin=origin)
                records, rejected, origin, blank = [], [], [], 0
        if records or rejected or blank:
            yield Batch.from_records(records, rejected=rejected, blank=blank, origin=origin)


class TSVDecoder(CSVDecoder):
    """Tab-separated values in UTF-8, otherwise the same as `csv`, quotes included."""

    delimiter = "\t"


class _Rows:
    """The rows of a stream; `size` counts the bytes of the lines read for them."""

    def __init__(self, stream: ByteStream, delimiter: str) -> None:
        self.size = 0
        self._name = stream.name
        self._stream = stream
        self._suspect = False
        self._lines: list[str] = []
        self._reader = csv.reader(self._each_line(), delimiter=delimiter, strict=True)

    def header(self) -> list[str] | None:
        """The names of the fields, None where there is no row at all."""
        names: list[str] = []
        while not names:
            try:
                names = next(self._reader)
            except StopIteration:
                return None
            except csv.Error as error:
                raise DataError(f"{self._name}, line {self._reader.line_num}: the header can't be read: {_told(error)}") from error
        wrong = self._unreadable(names)
        twice = {name for name in names if names.count(name) > 1}
        if not wrong and not all(names):
            wrong = "a name is empty"
        elif not wrong and twice:
            wrong = f"{min(twice)!r} stands there twice"
        if wrong:
            raise DataError(f"{self._name}: the header is bad: {wrong}", hint="The first row has to give each column a name of its own.")
        return names

    def each(self, header: list[str]) -> Iterator[tuple[list[str], Rejected | None]]:
        """Each row after the header, empty for a blank line, and why it is bad."""
        width = len(header)
        reader = self._reader
        while True:
            self._lines.clear()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._refuse_unclosed(error)
                yield [], self._rejected(_told(error))
                continue
            wrong = self._unreadable(row) if self._suspect else ""
            if not wrong and row and len(row) != width:
                wrong = f"{len(row)} cells where the header has {width}"
            yield row, self._rejected(wrong) if wrong else None

    def _each_line(self) -> Iterator[str]:
        """The lines as texts; bytes that are no UTF-8 are kept as surrogates, and make the rows suspect from there on."""
        for piece in pieces(self._stream, CELL_LIMIT):
            text = b"\n".join(piece.lines)
            if piece.too_long:
                raise DataError(f"{self._name}, line {self._reader.line_num + 1}: longer than {CELL_LIMIT} bytes", hint=_QUOTES)
            self._suspect = self._suspect or b"\0" in text or not _is_utf8(text)
            begun = 0
            for line, end in zip(text.decode(errors="surrogateescape").split("\n"), piece.ends, strict=True):
                self.size += end - begun
                begun = end
                self._lines.append(line)
                yield line + "\n"

    def _refuse_unclosed(self, error: csv.Error) -> None:
        if "unexpected end of data" in str(error) or "field larger" in str(error):
            first = self._reader.line_num - len(self._lines) + 1
            what = f"a quote is never closed, or a cell has more than {CELL_LIMIT} characters"
            raise DataError(f"{self._name}, line {first}: {what}", hint=_QUOTES) from error

    def _unreadable(self, row: list[str]) -> str:
        for cell in row:
            if "\0" in cell:
                return "holds a NUL byte"
            if not _is_text(cell):
                return "not UTF-8"
        return ""

    def _rejected(self, message: str) -> Rejected:
        first = self._reader.line_num - len(self._lines) + 1
        return Rejected(f"{self._name}, line {first}", message, "\n".join(self._lines).encode(errors="surrogateescape"))


_QUOTES: Final = "Look for a quote that is never closed, or set another deserializer."


def _told(error: csv.Error) -> str:
    return "a carriage return inside a row" if "new-line character" in str(error) else str(error)


def _is_utf8(text: bytes) -> bool:
    try:
        text.isascii() or text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True
