"""Runs of bytes in one text: no object is made of any before somebody asks for it. They need the extension."""

from collections.abc import Sequence

from ozzy.data.native import native
from ozzy.data.rows import Rows

SPAN = 8
"""Bytes of a span, in a column of them."""


class Spans:
    """The rows that stand at these places in a text; `bounds` is a column as in the extension's `native.h`."""

    __slots__ = ("bounds", "text")

    def __init__(self, text: bytes, bounds: bytes) -> None:
        self.text = text
        self.bounds = bounds

    def __len__(self) -> int:
        return len(self.bounds) // SPAN

    def where(self, mask: Sequence[bool]) -> "Spans":
        """The rows whose mask is true."""
        [bounds] = native.chosen((self.bounds,), mask if isinstance(mask, list) else list(mask))
        return Spans(self.text, bounds)

    def take(self, indices: Sequence[int]) -> "Spans":
        """The rows at these indices, in that order."""
        [bounds] = columns_taken((self.bounds,), indices)
        return Spans(self.text, bounds)

    def cut(self) -> list[bytes]:
        """One run of bytes a row."""
        return native.cut(self.text, self.bounds)

    def rows(self, end: bytes) -> Rows:
        """The rows, each with this end."""
        return Rows.measured(*native.joined(self.text, self.bounds, end))


def columns_taken(columns: tuple[bytes, ...], indices: Sequence[int]) -> tuple[bytes, ...]:
    """Columns of spans with the rows at these indices."""
    if isinstance(indices, range) and indices.step == 1 and indices.start >= 0:
        return tuple([column[indices.start * SPAN : indices.stop * SPAN] for column in columns])
    return native.taken(columns, indices)
