"""Formatter `csv`: a table in text, with a column for each field."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final, Literal

from ozzy.builtin.formatters.csv_cells import cell_of, rows_of, rows_of_spans, rows_of_texts
from ozzy.builtin.formatters.csv_columns import rows_of as rows_of_table
from ozzy.builtin.formatters.csv_dialect import LINE_ENDS, Dialect, Quoting, neutral
from ozzy.builtin.formatters.discovery import discovered
from ozzy.contracts.formatter import BaseExportFormatter, staged_lines
from ozzy.data.batch import Batch
from ozzy.data.written import csv_form
from ozzy.errors import DataError, Problem
from ozzy.options.option import option, options

COLUMNS_LIMIT: Final = 10_000
"""How many columns may be discovered in a file."""


@options
class CSVOptions:
    """Options of the formatter `csv`."""

    show_titles: bool = option(default=True, help="Begin each file with the names of the columns.")
    fields: list[str] = option(default=[], help="The columns, in order: names of top-level fields.", example=["id", "name"])
    schema: dict[str, Any] = option(default={}, help="A JSON Schema: its properties, by name, are the columns where `fields` is empty.")
    discover: bool = option(
        default=False,
        help="Add a column for each further field of the records of a file, in the order in which they are first seen. The file is made "
        "when all its records are known.",
    )
    delimiter: str = option(default=",", minimum=1, maximum=1, help="What separates two cells.")
    quotechar: str = option(default='"', minimum=1, maximum=1, help="What a quoted cell stands between.")
    doublequote: bool = option(default=True, help="Write a quote inside a cell twice; false: write `escapechar` before it.")
    escapechar: str | None = option(
        default=None, minimum=1, maximum=1, help="What takes the next character its meaning; it is written twice itself.", example="\\"
    )
    quoting: Quoting = option(
        default="strings",
        help="What is quoted: strings (texts and nested values), all (every cell), minimal (only where a cell needs it), none (what "
        "needs quotes is escaped; without `escapechar` its record is a bad one), kept (a row of CSV that no stage has changed stays as it "
        "came, where it has the same columns and signs; any other is as with minimal).",
    )
    line_end: Literal["lf", "crlf"] = option(default="lf", help="How rows end.")
    neutralise_formulas: bool = option(
        default=False,
        help="Put an apostrophe before texts that a spreadsheet would run as a formula: those that begin with = + - @ or a control "
        "character. It changes the data, so it is off.",
    )


class CSVExportFormatter(BaseExportFormatter):
    """Writes records as CSV in UTF-8: texts and titles quoted, numbers and booleans bare, null and missing empty, nested values as JSON.

    Each row ends with a line feed, the last one too; quotes are doubled, and line ends within a text stay. Numbers of lines that no stage
    has decoded keep their spelling (`1.50`). Fields that are no column are left out, unless `discover` makes columns of them. In a row
    whose only cell is empty stands `""`, since many programs skip an empty line.
    """

    Options = CSVOptions
    independent = True
    options: CSVOptions
    file_extension = "csv"
    item_separator = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = tuple(_columns(self.options))
        self.reads = None if self.options.discover else self.columns
        self.appendable = not self.options.discover
        self.dialect = _dialect(self.options)
        self.by_columns = self.dialect.usual and not self.options.neutralise_formulas
        self.tokens = self.columns if self.by_columns and not self.options.discover else ()
        self._form = _form(self.options, self.columns)

    @classmethod
    def check_options(cls, options: CSVOptions) -> Iterable[str | Problem]:
        """What is wrong with the columns and the dialect."""
        columns = _columns(options)
        if not columns and not options.discover:
            wanted = "expected fields, or a schema with properties: the columns have to come from one of them"
            yield Problem("", wanted, "or set discover, to have all fields that there are")
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            yield Problem("fields", f"{', '.join(map(repr, twice))} stands there twice")
        if options.delimiter.isalnum() or options.delimiter in "\r\n+-. ":
            yield Problem("delimiter", f"{options.delimiter!r} may be part of a cell; use one such as ',', ';', '|' or a tab")
        for name, sign in (("quotechar", options.quotechar), ("escapechar", options.escapechar)):
            if sign is not None and (sign.isalnum() or sign in "\r\n+-. "):
                yield Problem(name, f"{sign!r} may be part of a cell; use a sign")
            elif sign == options.delimiter:
                yield Problem(name, "is the delimiter too")
        if options.quotechar == options.escapechar:
            yield Problem("escapechar", "is the quotechar too", "doublequote is what you want")
        if not options.doublequote and options.escapechar is None:
            yield Problem("doublequote", "without it a quote in a cell needs an escapechar")
        if options.discover and options.quoting == "none":
            yield Problem("quoting", "columns that are discovered need quotes")

    @property
    def assembles(self) -> bool:
        return self.options.discover

    def read_as(self) -> dict[str, Any] | None:
        read: dict[str, Any] = {name: getattr(self.options, name) for name in _USUAL if getattr(self.options, name) != _USUAL[name]}
        if self.options.quoting == "none":
            read["quotechar"] = None
        if not self.options.show_titles and not self.options.discover:
            read["fields"] = list(self.columns)
        return {"name": "csv", "options": read} if read else None

    def header(self) -> bytes:
        return b"" if self.assembles else self._titles(self.columns)

    def format_rows(self, batch: Batch) -> Sequence[bytes]:
        if self._form is not None and batch.written is not None and batch.written.form == self._form:
            return batch.written.ended(self.dialect.end)
        if not self.assembles:
            return self._rows(batch, self.columns)
        return staged_lines(batch)

    def assemble(self, rows: Callable[[], Iterator[Batch]], target: BinaryIO) -> None:
        columns = discovered(rows, self.columns, COLUMNS_LIMIT)
        target.write(self._titles(columns) if columns else b"")
        target.writelines(b"".join(self._rows(batch, columns)) for batch in rows())

    def _titles(self, columns: Sequence[str]) -> bytes:
        if not self.options.show_titles:
            return b""
        titles = [neutral(title) for title in columns] if self.options.neutralise_formulas else columns
        return self.dialect.line(titles)

    def _rows(self, batch: Batch, columns: tuple[str, ...]) -> Sequence[bytes]:
        if not self.by_columns or not columns:
            rows = batch.select(columns)
            return self._lines([tuple(map(neutral, row)) for row in rows] if self.options.neutralise_formulas else rows)
        end, delimiter = self.dialect.end, self.options.delimiter
        try:
            if batch.table is not None:
                lines = rows_of_table(batch.table, columns, delimiter, end)
            elif len(columns) > 1 and (packed := batch.packed_columns(columns)) is not None:
                return rows_of_spans(*packed, len(batch), delimiter.encode(), end)
            elif len(columns) > 1 and (texts := batch.packed_texts(columns)) is not None:
                return rows_of_texts(texts, len(batch), delimiter.encode(), end)
            else:
                lines = rows_of(batch.column_tokens(columns), delimiter.encode(), end)
        except DataError:
            raise _located(batch.select(columns)) from None
        return [line if line != end else b'""' + end for line in lines] if len(columns) == 1 else lines

    def _lines(self, rows: list[tuple[Any, ...]]) -> list[bytes]:
        lines = []
        for row, values in enumerate(rows):
            try:
                lines.append(self.dialect.line(values))
            except DataError as error:
                error.row = row
                raise
        return lines


def _dialect(options: CSVOptions) -> Dialect:
    return Dialect(
        options.delimiter, options.quotechar, options.escapechar, options.doublequote, options.quoting, LINE_ENDS[options.line_end]
    )


def _form(options: CSVOptions, columns: Sequence[str]) -> Hashable:
    """The form of the rows that may stay as they came, None where none may."""
    if options.quoting != "kept" or options.discover or options.neutralise_formulas:
        return None
    return csv_form(columns, options.delimiter, options.quotechar, options.escapechar, doublequote=options.doublequote)


def _columns(options: CSVOptions) -> list[str]:
    properties = options.schema.get("properties")
    return list(options.fields) or (sorted(map(str, properties)) if isinstance(properties, Mapping) else [])


def _located(rows: list[tuple[Any, ...]]) -> DataError:
    """The error of the first row that has no form in CSV, with its row and without its neighbours."""
    for row, values in enumerate(rows):
        for value in values:
            try:
                cell_of(value)
            except DataError as error:
                error.row = row
                return error
    return DataError("a row failed to be formatted once, and then did not")


_USUAL = {"delimiter": ",", "quotechar": '"', "doublequote": True, "escapechar": None}
