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
    """Which values are numbers that are `>`, `>=`, `<`, `<=` or `==` another; None where one is not known exactly."""

def csv_rows(
    text: bytes, columns: tuple[bytes | list[bytes], ...], rows: int, delimiter: bytes, end: bytes, other: Callable[[bytes], bytes], /
) -> tuple[bytes, bytes]:
    """Rows of CSV of columns of JSON, or of cells that are made already, in one text, and their lengths as uint32.

    `other` makes the cell of each token that needs a closer look.
    """

def csv_rows_of_cells(
    text: bytes, columns: tuple[bytes | list[bytes], ...], rows: int, delimiter: bytes, end: bytes, nulls: tuple[bytes, ...], /
) -> tuple[bytes, bytes]:
    """As `csv_rows`, of columns of CSV that are texts: each cell in quotes, which are `"` in the text too; one of `nulls` is empty."""

def scan_csv(text: bytes, count: int, wanted: tuple[int, ...], delimiter: int, quotechar: int, /) -> tuple[bytes, ...] | None:
    """The columns of a text of whole lines, each a row of `count` cells: the rows, then each wanted cell without its quotes.

    `quotechar` is -1 where there is none. None where a row is not plain.
    """

def csv_cells(text: bytes, rows: bytes, count: int, wanted: tuple[int, ...], delimiter: int, quotechar: int, /) -> tuple[bytes, ...]:
    """More cells of rows that `scan_csv` has found."""

def csv_values(
    text: bytes, column: bytes, kind: str, quotechar: int, nulls: tuple[bytes, ...], other: Callable[[str], Any], /
) -> list[Any]:
    """The values of a column of CSV whose type is `kind`; `other` is given each cell that needs a closer look.

    A cell that is one of `nulls` is None, and an empty one is where `kind` is no `str`.
    """

def csv_check(text: bytes, column: bytes, kind: str, quotechar: int, nulls: tuple[bytes, ...], other: Callable[[str], Any], /) -> None:
    """Raise what `other` raises of a cell in that column that is spelt in a way of its own."""

def csv_mask(
    text: bytes,
    column: bytes,
    kind: str,
    quotechar: int,
    nulls: tuple[bytes, ...],
    other: Callable[[str], Any],
    operator: str,
    wanted: Any,
    /,
) -> list[bool] | None:
    """Which values of a column of CSV are ==, >, >=, < or <= another; one that is None is not.

    None for any other operator, and where what is wanted is no text for a column of texts, no number for one of numbers.
    """
