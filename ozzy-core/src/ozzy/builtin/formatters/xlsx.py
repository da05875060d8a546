"""Formatter `xlsx`: a workbook with one sheet, a row for each record. It needs the extra `ozzy-core[xlsx]`."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, BinaryIO, Final

from ozzy.builtin.formatters.discovery import discovered
from ozzy.contracts.formatter import BaseExportFormatter, staged_lines
from ozzy.data.batch import Batch
from ozzy.data.json_text import MISSING, encode_record
from ozzy.errors import DataError, PluginError, Problem
from ozzy.options.option import option, options

ROWS: Final = 1_048_576
COLUMNS: Final = 16_384
TEXT: Final = 32_767
"""What a sheet can hold: rows, columns, and characters of a cell."""

_DIGITS: Final = 10**15
_NO_SHEET: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]|^'|'$")


@options
class XLSXOptions:
    """Options of the formatter `xlsx`."""

    show_titles: bool = option(default=True, help="Begin the sheet with the names of the columns.")
    fields: list[str] = option(
        default=[],
        help="The columns, in order: names of top-level fields. Unset, all fields that a file's records have.",
        example=["id"],
    )
    sheet_name: str = option(default="records", minimum=1, maximum=31, help="What the sheet is called.")


class XLSXExportFormatter(BaseExportFormatter):
    """Writes records into workbooks for spreadsheet programs; a file with more than 1,048,576 rows is followed by a next one.

    A text is always a text, never a formula, a link or a number. Numbers are numbers as long as a sheet keeps each digit of them, else
    texts; nested values are JSON, null and missing are empty cells. A record with a text of more than 32,767 characters is a bad one; a
    file whose records have more than 16,384 fields is a DataError.
    """

    Options = XLSXOptions
    options: XLSXOptions
    file_extension = "xlsx"
    face = "records"
    item_separator = ""
    appendable = False
    compressed = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows_limit = ROWS - 1 if self.options.show_titles else ROWS
        self.reads = tuple(self.options.fields) or None

    @classmethod
    def check_options(cls, options: XLSXOptions) -> Iterator[Problem]:
        """What is wrong with the columns or the name of the sheet."""
        twice = sorted({name for name in options.fields if options.fields.count(name) > 1})
        if twice:
            yield Problem("fields", f"{', '.join(map(repr, twice))} stands there twice")
        if len(options.fields) > COLUMNS:
            yield Problem("fields", f"a sheet has {COLUMNS:,} columns at the most")
        if _NO_SHEET.search(options.sheet_name):
            yield Problem("sheet_name", "a sheet can't be called so: leave out [ ] : * ? / \\ and an apostrophe at either end")

    def format_rows(self, batch: Batch) -> Sequence[bytes]:
        _library()
        lines = staged_lines(batch)
        for row, record in enumerate(batch.records):
            wanted = self.options.fields or record
            for name in wanted:
                if len(str(name)) > TEXT or len(str(_shown(record.get(name)))) > TEXT:
                    raise DataError(f"{str(name)[:40]!r} is longer than the {TEXT:,} characters that a cell can hold", row=row)
        return lines

    def assemble(self, rows: Callable[[], Iterator[Batch]], target: BinaryIO) -> None:
        columns = tuple(self.options.fields) or discovered(rows, (), COLUMNS)
        settings = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        with _library().Workbook(target, settings) as book:
            book.set_properties({"created": datetime(1980, 1, 1)})  # noqa: DTZ001  (a fixed date, so that equal rows make equal files)
            sheet = book.add_worksheet(self.options.sheet_name)
            first = 0
            if self.options.show_titles:
                for at, title in enumerate(columns):
                    sheet.write_string(0, at, title)
                first = 1
            for batch in rows():
                for row, values in enumerate(batch.select(columns), first):
                    for at, value in enumerate(values):
                        _write(sheet, row, at, _shown(value))
                first += len(batch)


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif value is not None:
        sheet.write_number(row, column, value)


def _shown(value: Any) -> str | int | float | bool | None:
    """What stands in the cell of a value: a text where a sheet would change it."""
    if value is MISSING:
        return None
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int) and type(value) is int:
        return value if abs(value) < _DIGITS else str(value)
    if isinstance(value, float):
        return value if float(f"{value:.16G}") == value else repr(value)
    encoded = encode_record(value).decode()
    return None if encoded == "null" else encoded


def _library() -> Any:
    try:
        return import_module("xlsxwriter")
    except ImportError as error:
        raise PluginError("the formatter xlsx needs a library that is not installed", hint="pip install 'ozzy-core[xlsx]'") from error
