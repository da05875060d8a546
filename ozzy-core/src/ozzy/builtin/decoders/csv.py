"""Comma- and tab-separated values."""

import csv
from collections.abc import Iterator
from typing import Any, ClassVar, Final

import attrs

from ozzy import BaseDecoder, Batch, DataError, Problem, Rejected, option, options
from ozzy.builtin.decoders.columns import Columns, ColumnType, types_of
from ozzy.builtin.decoders.pieces import pieces
from ozzy.contracts.decoder import DecoderOptions
from ozzy.data.codecs import ByteStream

BATCH_BYTES: Final = 1024 * 1024
"""A batch ends with the row that reaches this many bytes of the stream, if it has not ended before."""

CELL_LIMIT: Final = 16 * 1024 * 1024
"""How many characters a cell has at the most; Python's own limit for all of a process is raised to it."""


@options
class CSVOptions(DecoderOptions):
    """Options of the decoder `csv`."""

    delimiter: str = option(default=",", minimum=1, maximum=1, help="What separates two cells: one character.", example=";")
    quotechar: str | None = option(
        default='"', minimum=1, maximum=1, help="What a cell with delimiters or line ends in it stands between; null: there are no quotes."
    )
    doublequote: bool = option(default=True, help="Inside quotes the quote is written twice; false: it is written after `escapechar`.")
    escapechar: str | None = option(default=None, minimum=1, maximum=1, help="What takes the next character its meaning.", example="\\")
    skip_initial_space: bool = option(default=False, help="Pass over blanks after a delimiter.")
    fields: list[str] = option(
        default=[], help="The names of the columns of a file without a header: its first row is a record then.", example=["id", "name"]
    )
    columns: dict[str, ColumnType] = option(
        default={},
        help="Types of columns by name: str, int, float, number (int or float as it is written), bool (true, t, yes, 1, false, f, no, 0), "
        "date and datetime (ISO 8601; they stay texts), json. All others are texts. An empty cell is null; one that does not fit makes the "
        "record a bad one.",
        example={"id": "int", "price": "float"},
    )
    schema: dict[str, Any] = option(
        default={}, help="A JSON Schema: the types of its properties are those of the columns that `columns` does not name."
    )
    nulls: list[str] = option(default=[], help="Texts that mean null, in every column.", example=["NULL", "NA"])


@options
class TSVOptions(CSVOptions):
    """Options of the decoder `tsv`: those of `csv`, with another delimiter."""

    delimiter: str = option(default="\t", minimum=1, maximum=1, help="What separates two cells: one character.")


class CSVDecoder(BaseDecoder):
    """Comma-separated values; the first row names the fields, every value is a text unless `columns` or `schema` give it a type.

    Quotes are as in RFC 4180: a cell in quotes may hold line ends, commas and doubled quotes. A row that has not as many cells as the
    header, is quoted wrongly, or has a cell that does not fit its type is rejected with its line; blank lines are counted and passed over.
    A header with an empty name or one name twice, or without a column that `columns` names, is a DataError, as is a quote that is never
    closed.
    """

    Options: ClassVar[type] = CSVOptions
    options: CSVOptions

    @classmethod
    def check_options(cls, options: CSVOptions) -> Iterator[str | Problem]:
        """What is wrong with the dialect, the names of the columns, or the encoding."""
        yield from super().check_options(options)
        signs = {"delimiter": options.delimiter, "quotechar": options.quotechar, "escapechar": options.escapechar}
        for name, sign in signs.items():
            if sign is not None and sign in "\r\n":
                yield Problem(name, "a line end can't be one")
            if name != "delimiter" and sign == options.delimiter:
                yield Problem(name, "is the delimiter too")
        if options.quotechar is not None and options.quotechar == options.escapechar:
            yield Problem("escapechar", "is the quotechar too", "doublequote is what you want")
        yield from (Problem("fields", wrong) for wrong in [_wrong_names(options.fields)] if wrong)
        if options.fields:
            yield from (Problem(f"columns.{name}", "is none of `fields`") for name in options.columns if name not in options.fields)

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        stream.skip_mark()
        csv.field_size_limit(max(csv.field_size_limit(), CELL_LIMIT))
        rows = _Rows(stream, self.options)
        header = self.options.fields or rows.header()
        if header is None:
            return
        for name in self.options.columns:
            if name not in header:
                raise DataError(f"{stream.name} has no column {name!r}, which `columns` gives a type", hint=f"It has {', '.join(header)}.")
        columns = Columns(header, types_of(self.options.schema) | dict(self.options.columns), self.options.nulls)
        records: list[dict[str, Any]] = []
        rejected: list[Rejected] = []
        origin: list[int] = []
        number = blank = begun = 0
        for row, wrong in rows.each(len(header), columns):
            if wrong is not None:
                rejected.append(attrs.evolve(wrong, row=number))
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
    """Tab-separated values, otherwise the same as `csv`, quotes included."""

    Options = TSVOptions


class _Rows:
    """The rows of a stream; `size` counts the bytes of the lines read for them."""

    def __init__(self, stream: ByteStream, options: CSVOptions) -> None:
        self.size = 0
        self._name = stream.name
        self._stream = stream
        self._suspect = False
        self._head = b""
        self._lines: list[str] = []
        self._reader = csv.reader(
            self._each_line(),
            delimiter=options.delimiter,
            quotechar=options.quotechar,
            quoting=csv.QUOTE_NONE if options.quotechar is None else csv.QUOTE_MINIMAL,
            doublequote=options.doublequote,
            escapechar=options.escapechar,
            skipinitialspace=options.skip_initial_space,
            strict=True,
        )

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
        self._head = self._text()
        wrong = self._unreadable(names) or _wrong_names(names)
        if wrong:
            raise DataError(f"{self._name}: the header is bad: {wrong}", hint="The first row has to give each column a name of its own.")
        return names

    def each(self, width: int, columns: Columns) -> Iterator[tuple[list[Any], Rejected | None]]:
        """Each row of values after the header, empty for a blank line, and why it is bad."""
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
            if not wrong and row and columns.any:
                wrong = columns.convert(row)
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
        return Rejected(f"{self._name}, line {first}", message, self._text(), head=self._head)

    def _text(self) -> bytes:
        """The lines of the row at hand, as they were read."""
        return "\n".join(self._lines).encode(errors="surrogateescape")


_QUOTES: Final = "Look for a quote that is never closed, or set another deserializer."


def _wrong_names(names: list[str]) -> str:
    twice = {name for name in names if names.count(name) > 1}
    return "a name is empty" if not all(names) else f"{min(twice)!r} stands there twice" if twice else ""


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
