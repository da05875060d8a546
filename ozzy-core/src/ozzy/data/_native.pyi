"""The extension, whose C is in `native/`. A span is a place in a text, a column the spans of one field: see `native.h`."""

from array import array
from collections.abc import Callable, Sequence
from typing import Any

def scan_json(text: bytes, names: tuple[bytes, ...], most: int, /) -> tuple[int, tuple[bytes, ...]] | None:
    """The columns of the first lines of a text of whole ones, `most` at most: the lines, then each of these top-level fields.

    The number before them is where the next line begins. None where a line is not plainly good.
    """

def values(text: bytes, column: bytes, other: Callable[[bytes], Any], missing: Any, /) -> list[Any]:
    """The values of a column of JSON; `other` is given each token that needs a closer look, `missing` stands where there is none."""

def size(column: bytes, /) -> int:
    """Bytes of all spans."""

def cut(text: bytes, column: bytes, /) -> list[bytes]:
    """Each span's bytes."""

def chosen(columns: tuple[bytes, ...], mask: list[bool], /) -> tuple[bytes, ...]:
    """The columns with only those rows whose mask is true."""

def taken(columns: tuple[bytes, ...], indices: Sequence[int], /) -> tuple[bytes, ...]:
    """The columns with the rows at these indices. Raises IndexError."""

def joined(text: bytes, column: bytes, end: bytes, /) -> tuple[bytes, bytes]:
    """Each span's bytes with `end` after it, in one text, and the lengths as uint32."""

def gathered(text: bytes, lengths: array[int], groups: list[list[int]], /) -> list[tuple[bytes, bytes]]:
    """Of rows that lie in a text with these lengths, those of each group of indices, as a text and its lengths. Raises IndexError."""

def equal_texts(text: bytes, column: bytes, token: bytes, /) -> list[bool] | None:
    """Which values stand there as this text does, with its quotes and without an escape; None where one has escapes."""

def compared_numbers(text: bytes, column: bytes, operator: str, wanted: float, /) -> list[bool] | None:
    """Which values are numbers that are `>`, `<`, `g` (>=), `l` (<=) or `=` another; None where one is not known exactly."""

def csv_rows(
    text: bytes, columns: tuple[bytes | list[bytes], ...], rows: int, delimiter: bytes, end: bytes, other: Callable[[bytes], bytes], /
) -> tuple[bytes, bytes]:
    """Rows of CSV of columns of JSON, or of cells that are made already, in one text, and their lengths as uint32.

    `other` makes the cell of each token that needs a closer look.
    """
