"""Formatter `csv`: a table in text, with a column for each field."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.data.batch import Batch
from ozzy.data.json_text import MISSING, encode_record, encode_values
from ozzy.errors import DataError, Problem
from ozzy.options.option import option, options


@options
class CSVOptions:
    """Options of the formatter `csv`."""

    show_titles: bool = option(default=True, help="Begin each file with the names of the columns.")
    fields: list[str] = option(default=[], help="The columns, in order: names of top-level fields.", example=["id", "name"])
    schema: dict[str, Any] = option(default={}, help="A JSON Schema: its properties, by name, are the columns where `fields` is empty.")
    delimiter: str = option(default=",", minimum=1, maximum=1, help="What separates two cells.")


class CSVExportFormatter(BaseExportFormatter):
    """Writes records as CSV in UTF-8: texts and titles quoted, numbers and booleans bare, null and missing empty, nested values as JSON.

    Each row ends with a line feed, the last one too; quotes are doubled, and line ends within a text stay. Fields that are no column
    are left out. In a row whose only cell is empty stands `""`, since many programs skip an empty line.
    """

    Options = CSVOptions
    options: CSVOptions
    file_extension = "csv"
    item_separator = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = tuple(_columns(self.options))
        self.reads = self.columns
        self._delimiter = self.options.delimiter.encode()

    @classmethod
    def check_options(cls, options: CSVOptions) -> Iterable[str | Problem]:
        """What is wrong with the columns and the delimiter."""
        columns = _columns(options)
        if not columns:
            yield "expected fields, or a schema with properties: the columns have to come from one of them"
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            yield Problem("fields", f"{', '.join(map(repr, twice))} stands there twice")
        if options.delimiter.isalnum() or options.delimiter in '"\r\n+-. ':
            yield Problem("delimiter", f"{options.delimiter!r} may be part of a cell; use one such as ',', ';', '|' or a tab")

    def header(self) -> bytes:
        return self._delimiter.join(map(_text, self.columns)) + b"\n" if self.options.show_titles else b""

    def format_rows(self, batch: Batch) -> list[bytes]:
        rows = batch.select(self.columns)
        try:
            cells = [_cells(column) for column in zip(*rows, strict=True)]
        except DataError:
            raise _located(rows) from None
        lines = [line + b"\n" for line in map(self._delimiter.join, zip(*cells, strict=True))]
        return [line if line != b"\n" else b'""\n' for line in lines] if len(cells) == 1 else lines


def _columns(options: CSVOptions) -> list[str]:
    properties = options.schema.get("properties")
    return list(options.fields) or (sorted(map(str, properties)) if isinstance(properties, Mapping) else [])


def _cells(column: tuple[Any, ...]) -> list[bytes]:
    """The cells of one column: at once where it holds nothing but texts or nothing but JSON, else one by one."""
    kinds = set(map(type, column))
    empty = bool(kinds & _EMPTY)
    if str in kinds and kinds <= _TEXTS:
        cells = _texts([value if type(value) is str else "" for value in column] if empty else column)
        if cells is not None:
            return [cell if type(value) is str else b"" for cell, value in zip(cells, column, strict=True)] if empty else cells
    elif kinds <= _JSON:
        cells = encode_values([None if value is MISSING else value for value in column] if type(MISSING) in kinds else column)
        if kinds & _NESTED:
            cells = b"\n".join(cells).replace(b'"', b'""').split(b"\n")
            cells = [b'"%b"' % cell if cell[:1] in _OPENING else cell for cell in cells]
        return [b"" if cell == b"null" else cell for cell in cells] if empty else cells
    return [_CELLS.get(type(value), _other)(value) for value in column]


def _texts(column: Sequence[str]) -> list[bytes] | None:
    """Texts in quotes, all in one go; None where one of them holds the NUL that goes between."""
    text = "\0".join(column)
    if text.count("\0") != len(column) - 1:
        return None
    quoted = text.replace('"', '""').replace("\0", '"\0"')
    return _utf8(f'"{quoted}"').split(b"\0")


def _located(rows: list[tuple[Any, ...]]) -> DataError:
    """The error of the first row that has no form in CSV, with its row and without its neighbours."""
    for row, values in enumerate(rows):
        for value in values:
            try:
                _CELLS.get(type(value), _other)(value)
            except DataError as error:
                error.row = row
                return error
    return DataError("a row failed to be formatted once, and then did not")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"a text can't be written as UTF-8: {error.reason}") from error


def _text(value: str) -> bytes:
    return b'"' + _utf8(value).replace(b'"', b'""') + b'"'


def _empty(_: Any) -> bytes:
    return b""


def _boolean(value: bool) -> bytes:
    return b"true" if value else b"false"


def _other(value: Any) -> bytes:
    """The cell of a number, a nested value, or anything else that has a form in JSON."""
    encoded = encode_record(value)
    if encoded[:1] == b'"':
        return _text(msgspec.json.decode(encoded, type=str))
    if encoded[:1] in _OPENING:
        return b'"' + encoded.replace(b'"', b'""') + b'"'
    return b"" if encoded == b"null" else encoded


_EMPTY = {type(None), type(MISSING)}
_NESTED = {dict, list}
_TEXTS = {str, *_EMPTY}
_JSON = {int, float, bool, *_NESTED, *_EMPTY}
_OPENING = (b"{", b"[")
_CELLS: Mapping[type, Callable[[Any], bytes]] = {str: _text, bool: _boolean, type(None): _empty, type(MISSING): _empty}
