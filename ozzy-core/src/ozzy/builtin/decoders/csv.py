"""Comma- and tab-separated values."""

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Final

import attrs

from ozzy import BaseDecoder, Batch, DataError, Problem, Range, Rejected, SourceError, option, options
from ozzy.builtin.decoders.columns import Columns, ColumnType, types_of
from ozzy.builtin.decoders.csv_columns import CellColumns, CellTable, cell_columns
from ozzy.builtin.decoders.csv_packed import CellScan, PackedCells, packed_cells
from ozzy.builtin.decoders.csv_rows import CELL_LIMIT, Row, Rows, wrong_names
from ozzy.builtin.decoders.csv_start import first_row
from ozzy.builtin.decoders.csv_text import Text
from ozzy.contracts.decoder import HEAD, DecoderOptions
from ozzy.data.codecs import ByteStream
from ozzy.data.encodings import encoding_of
from ozzy.data.line_range import LineRange
from ozzy.data.written import Written, csv_form

BATCH_BYTES: Final = 1024 * 1024
"""A batch ends with the row that reaches this many bytes of the stream, or is the last to begin in a chunk, if it has not ended before."""


@options
class CSVOptions(DecoderOptions):
    """Options of the decoder `csv`."""

    batch_size: int = option(default=65_536, minimum=1, help="Records in a batch, at the most.")
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
        yield from (Problem("fields", wrong) for wrong in [wrong_names(options.fields)] if wrong)
        if options.fields:
            yield from (Problem(f"columns.{name}", "is none of `fields`") for name in options.columns if name not in options.fields)

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        stream.skip_mark()
        text = Text(stream, CELL_LIMIT)
        rows = Rows(text, stream.name, _dialect(self.options))
        header = self.options.fields or rows.header()
        if header is not None:
            yield from self._decoded(header, text, rows, stream.name)

    def ranges(self, stream: ByteStream, size: int) -> Iterator[Range]:
        head = stream.head(HEAD)
        if not stream.on_disk or self.read_option("encoding") is not None or encoding_of(head) is not None:
            return
        try:
            header = self._header(head, stream.name)
        except DataError:
            return
        if header is not None:
            with stream.as_file() as file:
                end = file.seek(0, io.SEEK_END)
            yield from (Range(start, min(start + size, end)) for start in range(0, end, size))

    def decode_range(self, stream: ByteStream, part: Range) -> Iterator[Batch]:
        header = self._header(stream.head(HEAD), stream.name)
        if header is None:
            raise SourceError(f"{stream.name} has no header any more", hint="It has changed since the run began. Start a new one.")
        with stream.as_file() as file:
            file.seek(max(part.start - 1, 0))
            lines = LineRange(file, part.start, part.end, name=stream.name)
            begun = lines.first
            if begun is None:
                return
            names, head = header
            text = Text(lines, CELL_LIMIT)
            rows = Rows(text, stream.name, _dialect(self.options), head)
            if not part.start:
                lines.skip_mark()
                if not self.options.fields:
                    rows.header()
            elif not part.exact:
                chunk = text.chunk()
                skipped = first_row(chunk, len(names), _dialect(self.options))
                text.give_back(chunk[skipped:])
                begun += skipped
            position = {"rows": 0, "lines": 0, "begun": begun}
            yield Batch.from_records([], position=position)
            for batch in self._decoded(names, text, rows, stream.name):
                position = batch.position = position | {"rows": position["rows"] + len(batch) + len(batch.rejected)}
                yield batch
            yield Batch.from_records([], position=position | {"lines": rows.lines, "ended": lines.at})

    def _header(self, head: bytes, name: str) -> tuple[list[str], bytes] | None:
        """The names of the columns and the row that gives them, by the beginning of a file; None where it has no row, or a longer one."""
        if self.options.fields:
            return self.options.fields, b""
        stream = LineRange(io.BytesIO(head), 0, len(head), name=name)
        stream.skip_mark()
        rows = Rows(Text(stream, CELL_LIMIT), name, _dialect(self.options))
        names = rows.header()
        return None if names is None or len(rows.head) + 1 >= len(head) == HEAD else (names, rows.head)

    def _decoded(self, header: list[str], text: Text, rows: Rows, name: str) -> Iterator[Batch]:
        for column in self.options.columns:
            if column not in header:
                raise DataError(f"{name} has no column {column!r}, which `columns` gives a type", hint=f"It has {', '.join(header)}.")
        types = types_of(self.options.schema) | dict(self.options.columns)
        columns = Columns(header, types, self.options.nulls)
        draft = _Draft(header, _form(self.options, header), self.options.batch_size)
        cells = self._cells(header, types, text)
        if cells is None:
            yield from self._by_rows(text, draft, rows, columns)
        else:
            yield from self._by_chunks(text, cells, draft, rows, columns)
        yield from draft.batches(rows.to_the_end(columns))

    def _cells(self, header: list[str], types: dict[str, str], text: Text) -> "CellScan | CellColumns | None":
        """What takes chunks apart: into columns where those are wanted or nobody else can, and there is enough text to be worth it."""
        scan = packed_cells(header, types, self.options, self.wanted)
        if scan is not None and not self.wants_columns:
            return scan
        return (cell_columns(header, types, self.options, self.wanted) if text.is_large() else None) or scan

    def _by_rows(self, text: Text, draft: "_Draft", rows: Rows, columns: Columns) -> Iterator[Batch]:
        """The batches of a text that is read row by row, chunk by chunk: they end where those of a text end that is read otherwise."""
        while chunk := text.chunk():
            text.give_back(chunk)
            yield from draft.batches(rows.of_one_chunk(columns))

    def _by_chunks(self, text: Text, cells: "CellScan | CellColumns", draft: "_Draft", rows: Rows, columns: Columns) -> Iterator[Batch]:
        """The batches of a text whose plain chunks are taken as they are, and others row by row. The next one is read meanwhile."""

        def ahead() -> "tuple[bytes, PackedCells | CellTable | None]":
            chunk = text.chunk()
            return chunk, cells.look(chunk) if chunk else None

        with ThreadPoolExecutor(1, "ozzy-csv") as beside:
            coming = beside.submit(ahead)
            while (found := coming.result())[0]:
                chunk, plain = found
                if plain is None:
                    text.give_back(chunk)
                    yield from draft.batches(rows.of_one_chunk(columns))
                    coming = beside.submit(ahead)
                else:
                    coming = beside.submit(ahead)
                    rows.pass_over(len(plain))
                    yield from draft.of_chunk(plain)


class TSVDecoder(CSVDecoder):
    """Tab-separated values, otherwise the same as `csv`, quotes included."""

    Options = TSVOptions


@attrs.define
class _Draft:
    """Makes batches; `number` rows were taken before. `form` is that of the rows as they stand there, None where they have none."""

    header: list[str]
    form: Any
    batch_size: int
    number: int = 0

    def batches(self, rows: Iterator[Row]) -> Iterator[Batch]:
        """Batches of records."""
        records: list[dict[str, Any]] = []
        written: list[bytes] = []
        rejected: list[Rejected] = []
        origin: list[int] = []
        size = blank = 0

        def batch() -> Batch:
            return Batch.from_records(records, rejected=rejected, blank=blank, origin=origin, written=self._as_written(written))

        for row in rows:
            size += row.size
            if row.rejected is not None:
                rejected.append(attrs.evolve(row.rejected, row=self.number))
            elif row.cells:
                records.append(dict(zip(self.header, row.cells, strict=True)))
                written.append(row.text)
                origin.append(self.number)
            else:
                blank += 1
            self.number += bool(row.cells) or row.rejected is not None
            if len(records) + len(rejected) + blank == self.batch_size or size >= BATCH_BYTES:
                yield batch()
                records, written, rejected, origin, size, blank = [], [], [], [], 0, 0
        if records or rejected or blank:
            yield batch()

    def of_chunk(self, found: "PackedCells | CellTable") -> Iterator[Batch]:
        """Batches of a chunk whose lines are its rows."""
        start = 0
        for count in found.batches(self.batch_size, BATCH_BYTES):
            part = found.take(range(start, start + count))
            origin = range(self.number, self.number + count)
            written = self._as_written(part.rows)
            start += count
            self.number += count
            if isinstance(part, PackedCells):
                yield Batch(packed=part, origin=origin, written=written)
            else:
                yield Batch.from_table(part.table, origin=origin, written=written)

    def _as_written(self, rows: Any) -> Written | None:
        return None if self.form is None else Written(self.form, rows)


def _dialect(options: CSVOptions) -> dict[str, Any]:
    """The dialect as Python's reader of CSV is told it."""
    return {
        "delimiter": options.delimiter,
        "quotechar": options.quotechar,
        "quoting": csv.QUOTE_NONE if options.quotechar is None else csv.QUOTE_MINIMAL,
        "doublequote": options.doublequote,
        "escapechar": options.escapechar,
        "skipinitialspace": options.skip_initial_space,
    }


def _form(options: CSVOptions, header: list[str]) -> Any:
    """The form of the rows: that of a writer whose columns and signs are the same."""
    if options.skip_initial_space:
        return None
    return csv_form(header, options.delimiter, options.quotechar, options.escapechar, doublequote=options.doublequote)
