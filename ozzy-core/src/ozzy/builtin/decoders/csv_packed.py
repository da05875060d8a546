"""CSV whose rows stay in their text: chunks of usual CSV are taken apart by the extension, with the very outcome of a row by row reading.

A chunk is not taken where one of its rows is not that plain: it is bad, has a line end in a cell, or a cell that does not fit its type.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ozzy.builtin.decoders.columns import value_maker
from ozzy.builtin.decoders.csv_rows import CELL_LIMIT
from ozzy.data.json_text import MISSING, encode_records
from ozzy.data.native import AVAILABLE, native
from ozzy.data.record import Record
from ozzy.data.spans import SPAN, Spans, columns_taken


def packed_cells(header: Sequence[str], types: Mapping[str, str], options: Any, wanted: Sequence[str]) -> "CellScan | None":
    """What finds the rows of CSV of this dialect; None where it is none that the extension knows, or that is not there."""
    signs = (options.delimiter, options.quotechar)
    usual = all(sign is None or "\0" < sign <= "\x7f" for sign in signs) and options.doublequote and options.escapechar is None
    if not AVAILABLE or not usual or options.skip_initial_space:
        return None
    return CellScan(header, types, options.nulls, signs, wanted)


class CellScan:
    """Finds the rows of chunks of CSV with these columns. `types` gives some their type, `nulls` are texts that mean null.

    `wanted` are the columns that will be asked for first.
    """

    def __init__(
        self, header: Sequence[str], types: Mapping[str, str], nulls: Sequence[str], signs: tuple[str, str | None], wanted: Sequence[str]
    ) -> None:
        delimiter, quotechar = signs
        self.header = tuple(header)
        self.typed = {name: kind for name in header if (kind := types.get(name, "str")) != "str"}
        self.double_quotes = quotechar in {'"', None}
        self._signs = (ord(delimiter), -1 if quotechar is None else ord(quotechar))
        self._places = {name: place for place, name in enumerate(header)}
        self._first = tuple(dict.fromkeys([*(name for name in wanted if name in self._places), *self.typed]))
        self.nulls = tuple([null.encode("utf-8", "surrogatepass") for null in nulls])
        self._makers = {name: value_maker(self.typed.get(name, "str"), nulls) for name in header}

    def look(self, chunk: bytes) -> "PackedCells | None":
        """The rows of a chunk; None where not all of them are plain."""
        if len(chunk) > CELL_LIMIT:
            return None
        found = native.scan_csv(chunk, len(self.header), self._at(self._first), *self._signs)
        if found is None:
            return None
        columns = dict(zip(self._first, found[1:], strict=True))
        try:
            for name in self.typed:
                native.csv_check(chunk, columns[name], *self._kind(name))
        except (ValueError, RecursionError):
            return None
        return PackedCells(self, chunk, found[0], columns)

    def spans(self, text: bytes, bounds: bytes, names: Sequence[str]) -> dict[str, bytes]:
        """Where these cells of rows stand."""
        found = native.csv_cells(text, bounds, len(self.header), self._at(names), *self._signs)
        return dict(zip(names, found, strict=True))

    def values(self, text: bytes, column: bytes, name: str) -> list[Any]:
        """The values of a column. Raises ValueError or RecursionError where a cell does not fit its type."""
        return native.csv_values(text, column, *self._kind(name))

    def compared(self, text: bytes, column: bytes, name: str, operator: str, wanted: Any) -> list[bool] | None:
        """Which values of a column pass a comparison; None where that has to be asked of the values."""
        return native.csv_mask(text, column, *self._kind(name), operator, wanted)

    def _kind(self, name: str) -> tuple[str, int, tuple[bytes, ...], Callable[[str], Any]]:
        return self.typed.get(name, "str"), self._signs[1], self.nulls, self._makers[name]

    def _at(self, names: Sequence[str]) -> tuple[int, ...]:
        return tuple([self._places[name] for name in names])


class PackedCells:
    """Rows of CSV in a text: `bounds` has the span of each, `columns` those of some of their cells; `names` are those that count."""

    __slots__ = ("_scan", "bounds", "columns", "names", "text")

    face = "cells"

    def __init__(self, scan: CellScan, text: bytes, bounds: bytes, columns: dict[str, bytes], names: tuple[str, ...] | None = None) -> None:
        self._scan = scan
        self.names = scan.header if names is None else names
        self.text = text
        self.bounds = bounds
        self.columns = columns

    def __len__(self) -> int:
        return len(self.bounds) // SPAN

    @property
    def size(self) -> int:
        """Bytes of all rows, as they stand in the text."""
        return native.size(self.bounds)

    @property
    def rows(self) -> Spans:
        """The rows as they stand in the text."""
        return Spans(self.text, self.bounds)

    def batches(self, most: int, size: int) -> Iterator[int]:
        """How many rows go into each batch: `most` at the most, and none after the one that reaches `size` bytes."""
        starts, start = memoryview(self.bounds).cast("I")[::2], 0
        while start < len(starts):
            end = min(bisect_left(starts, starts[start] + size, start), start + most)
            yield end - start
            start = end

    def where(self, mask: list[bool]) -> "PackedCells":
        """The rows whose mask is true."""
        return self._of(native.chosen((self.bounds, *self.columns.values()), mask))

    def take(self, indices: Sequence[int]) -> "PackedCells":
        """The rows at these indices, in that order."""
        return self._of(columns_taken((self.bounds, *self.columns.values()), indices))

    def _of(self, columns: tuple[bytes, ...]) -> "PackedCells":
        return PackedCells(self._scan, self.text, columns[0], dict(zip(self.columns, columns[1:], strict=True)), self.names)

    def project(self, fields: Sequence[str]) -> "PackedCells":
        """The rows with only these of their fields, in this order."""
        return PackedCells(self._scan, self.text, self.bounds, self.columns, tuple(fields))

    def texts(self, fields: Sequence[str]) -> tuple[bytes, list[bytes | list[Any]], tuple[bytes, ...]] | None:
        """These fields as cells: their text, and for each its spans there, or plain values where it has a type; then what means null."""
        if not self._scan.double_quotes:
            return None
        self._load([field for field in fields if field in self.names])
        texts: list[bytes | list[Any]] = [
            self.columns[field] if field in self.names and field not in self._scan.typed else self.values(field) for field in fields
        ]
        return self.text, texts, self._scan.nulls

    def values(self, field: str) -> list[Any]:
        """The values of a field, `MISSING` in every row where the file has no such column. They are made anew for each who asks."""
        return self._scan.values(self.text, self._column(field), field) if field in self.names else [MISSING] * len(self)

    def compared(self, field: str, operator: str, wanted: Any) -> list[bool] | None:
        """Which values of a field pass a comparison; None where that has to be asked of the values."""
        return self._scan.compared(self.text, self._column(field), field, operator, wanted) if field in self.names else None

    def _column(self, name: str) -> bytes:
        self._load((name,))
        return self.columns[name]

    def _load(self, names: Sequence[str]) -> None:
        missing = [name for name in dict.fromkeys(names) if name not in self.columns]
        if missing:
            self.columns |= self._scan.spans(self.text, self.bounds, missing)

    def records(self) -> list[Record]:
        """One dict a row."""
        self._load(self.names)
        if not self.names:
            return [{} for _ in range(len(self))]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*map(self.values, self.names), strict=True)]

    def lines(self) -> list[bytes]:
        """One document of JSON a row. Raises DataError with the row."""
        return encode_records(self.records())
