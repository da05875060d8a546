"""CSV as columns: chunks of usual CSV are taken apart by Arrow, where that is installed, with the very outcome of a row by row reading.

A chunk that is not as plain as that in any of its rows is not taken: a bad row, a line end within a cell, a number that no column holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from struct import pack
from typing import Any, Final

from ozzy.data.table import Table, arrow, compute, taken

_BLANK: Final = "[ \t]*"
_DIGITS: Final = "-?[0-9]{1,30}"
_EXPONENT: Final = "[eE][+-]?[0-9]{1,2}"
_SPELLINGS: Final = {
    "int": "-?[0-9]{1,18}",
    "float": rf"{_DIGITS}(?:\.[0-9]{{1,30}})?(?:{_EXPONENT})?",
    "number": rf"{_DIGITS}(?:\.[0-9]{{1,30}}(?:{_EXPONENT})?|{_EXPONENT})",
    "bool": "(?i:true|t|yes|1|false|f|no|0)",
}
"""How values of each type are spelt that have a column of it; all others are left to who reads row by row."""

_MARK: Final = b"\xef\xbb\xbf"
"""Arrow passes over a byte order mark where it begins, and here that would be in the middle of a file."""

_TRUE: Final = ("true", "t", "yes", "1")


def cell_columns(header: Sequence[str], types: Mapping[str, str], options: Any, wanted: Sequence[str]) -> "CellColumns | None":
    """What makes tables of CSV of this dialect; None where it is none that Arrow knows, or Arrow is not installed."""
    signs = (options.delimiter, options.quotechar)
    usual = all(sign is None or sign.isascii() for sign in signs) and options.doublequote and options.escapechar is None
    typed = {types[name] for name in header if name in types} <= {"str", *_SPELLINGS}
    if not usual or not typed or options.skip_initial_space or find_spec("pyarrow") is None:
        return None
    return CellColumns(header, types, options.nulls, signs, wanted)


class _UnfitError(Exception):
    """Some cell does not have the plain form of its type."""


class CellColumns:
    """Makes tables of chunks of CSV with these columns; `types` gives those their type that are no text, `nulls` are texts that mean null.

    `wanted` are the columns that will be asked for first.
    """

    def __init__(
        self,
        header: Sequence[str],
        types: Mapping[str, str],
        nulls: Sequence[str],
        signs: tuple[str, str | None],
        wanted: Sequence[str],
    ) -> None:
        self._header = list(header)
        self._types = {name: kind for name, kind in types.items() if name in header and kind != "str"}
        self._nulls = list(nulls)
        delimiter, quotechar = signs
        self._parse = {"delimiter": delimiter, "quote_char": quotechar or False, "newlines_in_values": False}
        self._plain = _plain(delimiter, quotechar)
        self._first = tuple(dict.fromkeys([*(name for name in wanted if name in header), *self._types])) or self._header[:1]
        kinds = {"int": arrow().int64(), "float": arrow().float64(), "number": arrow().float64(), "bool": arrow().bool_()}
        self.schema = arrow().schema([(name, kinds.get(self._types.get(name, "str"), arrow().string())) for name in header])

    def look(self, chunk: bytes) -> "CellTable | None":
        """The rows of a chunk as columns, and each as it stands there; None where not all of them are plain."""
        whole = chunk
        if b"\r" in chunk and chunk.count(b"\r") == chunk.count(b"\r\n"):
            chunk = chunk.replace(b"\r\n", b"\n")
        text = chunk.removesuffix(b"\n")
        if not text or b"\r" in text or b"\0" in text or text.startswith(_MARK):
            return None
        lines = compute().split_pattern(_only(text), b"\n").values
        if not compute().min(compute().binary_length(lines)).as_py() or compute().match_substring_regex(lines, self._plain).false_count:
            return None
        table = Table(_Cells(self, text, len(lines)))
        try:
            lines.cast(arrow().string())
            table.load(self._first)
        except (_UnfitError, arrow().ArrowInvalid):
            return None
        return CellTable(table, lines, whole)

    def read(self, text: bytes, names: Sequence[str]) -> Any:
        """These columns of a text that is plain. Raises an error of Arrow, or _UnfitError."""
        reader = import_module("pyarrow.csv")
        columns = reader.read_csv(
            arrow().py_buffer(text),
            read_options=reader.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=self._header),
            parse_options=reader.ParseOptions(**self._parse),
            convert_options=reader.ConvertOptions(include_columns=list(names), column_types=dict.fromkeys(names, arrow().string())),
        )
        return arrow().table({name: self._typed(name, columns.column(name)) for name in names})

    def _typed(self, name: str, column: Any) -> Any:
        if self._nulls:
            known = compute().is_in(column, arrow().array(self._nulls, arrow().string()))
            column = compute().if_else(known, arrow().scalar(None, arrow().string()), column)
        kind = self._types.get(name)
        if kind is None:
            return column
        fits = compute().match_substring_regex(column, f"^{_BLANK}(?:{_SPELLINGS[kind]})?{_BLANK}$")
        if not compute().all(fits, min_count=0).as_py():
            raise _UnfitError(name)
        bare = compute().ascii_trim(column, " \t")
        bare = compute().if_else(compute().equal(bare, ""), arrow().scalar(None, arrow().string()), bare)
        if kind == "bool":
            truths = compute().is_in(compute().ascii_lower(bare), arrow().array(_TRUE, arrow().string()))
            return compute().if_else(compute().is_null(bare), arrow().scalar(None, arrow().bool_()), truths)
        return bare.cast(self.schema.field(name).type)


class CellTable:
    """Rows as columns, and `rows`, a column of them as they stand in the text, which is `chunk`."""

    def __init__(self, table: Table, rows: Any, chunk: bytes) -> None:
        self.table = table
        self.rows = rows
        self._chunk = chunk

    def __len__(self) -> int:
        return self.table.num_rows

    def take(self, indices: range) -> "CellTable":
        """Some of the rows."""
        return self if len(indices) == len(self) else CellTable(self.table.take(indices), taken(self.rows, indices), self._chunk)

    def batches(self, most: int, size: int) -> Iterator[int]:
        """How many rows go into each batch: `most` at the most, and none after the one that reaches `size` bytes."""
        start = 0
        while start < len(self._chunk):
            end = self._chunk.find(b"\n", start + size - 1) + 1 or len(self._chunk)
            count = self._chunk.count(b"\n", start, end) + (not self._chunk.endswith(b"\n", start, end))
            if count > most:
                end -= len(self._chunk[start:end].split(b"\n", most)[most])
                count = most
            yield count
            start = end


class _Cells:
    """Where the columns of a table of CSV come from: the text, which is read again for columns that nobody has asked for before."""

    def __init__(self, columns: CellColumns, text: bytes, num_rows: int) -> None:
        self._columns = columns
        self._text = text
        self.schema = columns.schema
        self.num_rows = num_rows

    def read(self, names: Sequence[str]) -> Any:
        return self._columns.read(self._text, names)

    def check(self, table: Any) -> None:
        pass

    def bounds(self, name: str) -> tuple[Any, Any] | None:
        return None


def _only(text: bytes) -> Any:
    """A column of this one value, which is not copied."""
    ends = arrow().py_buffer(pack("=ii", 0, len(text)))
    return arrow().Array.from_buffers(arrow().binary(), 1, [None, ends, arrow().py_buffer(text)])


def _plain(delimiter: str, quotechar: str | None) -> str:
    """The pattern of a line that is one row, and the same row to everyone: quotes stand around whole cells."""
    sign = f"\\x{ord(delimiter):02x}"
    quote = f"\\x{ord(quotechar):02x}" if quotechar else ""
    bare = f"[^{sign}{quote}][^{sign}]*"
    cell = f"(?:{quote}(?:[^{quote}]|{quote}{quote})*{quote}|{bare})?" if quote else f"(?:{bare})?"
    return f"^{cell}(?:{sign}{cell})*$"
