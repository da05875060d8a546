"""Rows as the bytes that stand for them in their source: whoever writes the same format may write them as they came."""

from collections.abc import Callable, Hashable, Sequence
from itertools import compress
from typing import Any, Self

from ozzy.data.rows import Rows
from ozzy.data.spans import Spans
from ozzy.data.table import Mask, taken


class Written:
    """The bytes of each row, without the end of the line.

    `form` tells formats apart: a file of the same form may hold these rows. They are a list of bytes, spans, or a column of Arrow.
    """

    __slots__ = ("_rows", "form")

    def __init__(self, form: Hashable, rows: Any) -> None:
        self.form = form
        self._rows = rows

    @property
    def rows(self) -> list[bytes]:
        """One run of bytes a row."""
        if isinstance(self._rows, Spans):
            return self._rows.cut()
        return self._rows if isinstance(self._rows, list) else list(self._rows.to_pylist())

    def ended(self, end: bytes) -> Rows:
        """The rows, each with this end."""
        return self._rows.rows(end) if isinstance(self._rows, Spans) else Rows.of(self.rows, end)

    def where(self, mask: Sequence[bool]) -> Self:
        """The rows whose mask is true."""
        if isinstance(self._rows, Spans):
            return type(self)(self.form, self._rows.where(mask))
        return self._chosen(lambda rows: list(compress(rows, mask)), lambda rows: rows.filter(Mask.of(mask).array))

    def take(self, indices: Sequence[int]) -> Self:
        """The rows at these indices, in that order."""
        if isinstance(self._rows, Spans):
            return type(self)(self.form, self._rows.take(indices))
        return self._chosen(lambda rows: [rows[index] for index in indices], lambda rows: taken(rows, indices))

    def _chosen(self, of_list: Callable[[list[bytes]], list[bytes]], of_column: Callable[[Any], Any]) -> Self:
        return type(self)(self.form, of_list(self._rows) if isinstance(self._rows, list) else of_column(self._rows))

    @classmethod
    def joined(cls, parts: Sequence["Written | None"]) -> "Written | None":
        """The rows of several, one after the other; None where one of them is None, or of another form."""
        found = [part for part in parts if part is not None]
        if not found or len(found) < len(parts) or len({part.form for part in found}) > 1:
            return None
        return cls(found[0].form, [row for part in found for row in part.rows])


def csv_form(columns: Sequence[str], delimiter: str, quotechar: str | None, escapechar: str | None, *, doublequote: bool) -> Hashable:
    """The form of rows of CSV: what the cells are, and the signs around them."""
    return ("csv", tuple(columns), delimiter, quotechar, escapechar, doublequote)
