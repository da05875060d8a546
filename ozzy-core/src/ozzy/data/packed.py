"""Rows that still lie in the text they were read in: where each stands there, and where the values of its fields do.

No object is made of a row before somebody asks for it, so that rows that are only chosen, counted and written cost little.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, Protocol, Self

import msgspec

from ozzy.data.json_text import FAILURES, MISSING, data_error, decode_line, each, encode_record, select_fields
from ozzy.data.native import AVAILABLE, native
from ozzy.data.record import Record
from ozzy.data.rows import Rows
from ozzy.data.spans import SPAN, Spans, columns_taken
from ozzy.errors import DataError


class Packed(Protocol):
    """Rows in a text. `face` is what they count as: `lines` where each is a line of JSON."""

    face: str

    def __len__(self) -> int: ...

    @property
    def size(self) -> int:
        """Bytes of all rows, as they stand in the text."""

    def where(self, mask: list[bool]) -> Self:
        """The rows whose mask is true."""

    def take(self, indices: Sequence[int]) -> Self:
        """The rows at these indices, in that order."""

    def values(self, field: str) -> list[Any]:
        """The values of a field, `MISSING` where a row has none. Raises DataError, without a row."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """The fields of each row; None where rows need not have the same."""

    def project(self, fields: Sequence[str]) -> Self:
        """The rows with only these of their fields, in this order, where each row has the same."""

    def texts(self, fields: Sequence[str]) -> tuple[bytes, list[bytes | list[Any]], tuple[bytes, ...]] | None:
        """These fields as cells of CSV: their text, and for each its spans there, or plain values; then the cells that mean null.

        None where the rows are no CSV with double quotes.
        """

    def compared(self, field: str, operator: str, wanted: Any) -> list[bool] | None:
        """Which values of a field are `==`, `>`, `>=`, `<` or `<=` another, where that can be told without making them; else None."""

    def lines(self) -> list[bytes]:
        """One document of JSON a row. Raises DataError with the row."""

    def records(self) -> list[Record]:
        """One dict a row. Raises DataError with the row."""


class PackedLines:
    """Lines of JSON that are known to be good. `bounds` has the span of each in the text, `columns` those of the values of some fields."""

    __slots__ = ("bounds", "columns", "text")

    face = "lines"

    def __init__(self, text: bytes, bounds: bytes, columns: dict[str, bytes]) -> None:
        self.text = text
        self.bounds = bounds
        self.columns = columns

    @classmethod
    def scanned(cls, text: bytes, fields: Sequence[str], most: int) -> "tuple[PackedLines, int] | None":
        """The first lines of a text that holds whole ones, `most` at most, and where in it the next one begins.

        None where one of them is not plainly good, or nobody is here to tell.
        """
        if not AVAILABLE:
            return None
        names = tuple(dict.fromkeys(fields))
        found = native.scan_json(text, tuple(map(_utf8, names)), most)
        if found is None:
            return None
        end, (bounds, *columns) = found
        return cls(text, bounds, dict(zip(names, columns, strict=True))), end

    def __len__(self) -> int:
        return len(self.bounds) // SPAN

    @property
    def size(self) -> int:
        return native.size(self.bounds)

    def where(self, mask: list[bool]) -> "PackedLines":
        return self._of(native.chosen((self.bounds, *self.columns.values()), mask))

    def take(self, indices: Sequence[int]) -> "PackedLines":
        return self._of(columns_taken((self.bounds, *self.columns.values()), indices))

    def _of(self, columns: tuple[bytes, ...]) -> "PackedLines":
        return PackedLines(self.text, columns[0], dict(zip(self.columns, columns[1:], strict=True)))

    def spans(self, fields: Sequence[str]) -> list[bytes] | None:
        """Where the values of these fields stand in `text`, which may be another one after this; a column each.

        None where a line has one of them twice.
        """
        if not self.columns.keys() >= set(fields):
            text, _ = native.joined(self.text, self.bounds, b"\n")
            again = self.scanned(text, (*self.columns, *fields), len(self))
            if again is None:
                return None
            self.text, self.bounds, self.columns = text, again[0].bounds, again[0].columns
        return [self.columns[field] for field in fields]

    def values(self, field: str) -> list[Any]:
        spans = self.spans((field,))
        if spans is None:
            return [value for (value,) in select_fields(self.lines(), (field,))]
        try:
            return native.values(self.text, spans[0], _decode, MISSING)
        except FAILURES as error:
            raise data_error(error) from error

    @property
    def names(self) -> tuple[str, ...] | None:
        return None

    def project(self, fields: Sequence[str]) -> "PackedLines":
        raise NotImplementedError("lines need not have the same fields")

    def texts(self, fields: Sequence[str]) -> tuple[bytes, list[bytes | list[Any]], tuple[bytes, ...]] | None:
        return None

    def compared(self, field: str, operator: str, wanted: Any) -> list[bool] | None:
        spans = self.spans((field,))
        if spans is None:
            return None
        if _is_exact(wanted):
            return native.compared_numbers(self.text, spans[0], operator, wanted)
        token = _token(wanted) if operator == "==" and isinstance(wanted, str) else None
        return None if token is None else native.equal_texts(self.text, spans[0], token)

    def lines(self) -> list[bytes]:
        return Spans(self.text, self.bounds).cut()

    def rows(self, end: bytes) -> Rows:
        """The lines, each with this end."""
        return Spans(self.text, self.bounds).rows(end)

    def records(self) -> list[Record]:
        return each(decode_line, self.lines())


def _utf8(name: str) -> bytes:
    """A name as it stands in a line; one that can't stand there is as good as none."""
    return name.encode("utf-8", "surrogatepass")


def _is_exact(wanted: Any) -> bool:
    """Whether a value is a number that a double holds exactly."""
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float)):
        return False
    return math.isfinite(wanted) and (isinstance(wanted, float) or abs(wanted) <= _LARGEST)


def _token(wanted: str) -> bytes | None:
    """A text as it stands in a line where it has no escapes; None where it needs some."""
    try:
        token = encode_record(wanted)
    except DataError:
        return None
    return None if b"\\" in token else token


_LARGEST: Final = 2**53
_decode = msgspec.json.Decoder().decode
