"""Rows that are formatted: one text with all of them, or the list that a formatter gave, of which the text is made when it is asked for."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import overload

from ozzy.data.native import AVAILABLE, native


class Rows(Sequence[bytes]):
    """Formatted rows, each with its end: `text` holds them one after the other, `lengths` (unsigned ints) says how long each is.

    To who looks at them one by one they are a sequence of bytes; a slice of them is Rows again. They never change.
    """

    __slots__ = ("_end", "_ends", "_lengths", "_listed", "_text")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: bytes | None, lengths: "array[int] | None", listed: Sequence[bytes] | None = None, end: bytes = b"") -> None:
        self._text = text
        self._lengths = lengths
        self._listed = listed
        self._end = end
        self._ends: list[int] | None = None

    @classmethod
    def of(cls, rows: Sequence[bytes], end: bytes = b"") -> "Rows":
        """Rows from a list of them, each of which still gets its `end`. What are Rows already stay what they are."""
        return rows if isinstance(rows, Rows) and not end else cls(None, None, rows, end)

    @classmethod
    def measured(cls, text: bytes, lengths: bytes) -> "Rows":
        """Rows as the extension gives them: their text, and the bytes of their lengths."""
        sizes = array("I")
        sizes.frombytes(lengths)
        return cls(text, sizes)

    @property
    def text(self) -> bytes:
        """All rows, one after the other."""
        if self._text is None:
            rows = self._listed or ()
            self._text = self._end.join([*rows, b""]) if self._end else b"".join(rows)
        return self._text

    @property
    def lengths(self) -> "array[int]":
        """How many bytes each row has, its end included."""
        if self._lengths is None:
            rows, end = self._listed or (), len(self._end)
            self._lengths = array("I", [len(row) + end for row in rows] if end else map(len, rows))
        return self._lengths

    @property
    def ends(self) -> list[int]:
        """Where in the text each row ends."""
        if self._ends is None:
            self._ends = list(accumulate(self.lengths))
        return self._ends

    @property
    def size(self) -> int:
        """How many bytes all rows have."""
        return len(self.text)

    def take(self, indices: Sequence[int]) -> "Rows":
        """The rows at these indices, in their order."""
        if self._listed is None:
            self._listed = list(self)
        rows = self._listed
        return Rows(None, None, [rows[index] for index in indices], self._end)

    def grouped(self, groups: Iterable[Sequence[int]]) -> "list[Rows]":
        """The rows of each of these groups of indices."""
        if AVAILABLE and self._listed is None:
            return [Rows.measured(*pair) for pair in native.gathered(self.text, self.lengths, list(map(list, groups)))]
        return list(map(self.take, groups))

    def separated(self, separator: bytes, *, first: bool) -> "Rows":
        """The rows with a separator before each, before the first one only where `first` says so."""
        if not self:
            return self
        lengths = array("I", [length + len(separator) for length in self.lengths])
        if not first:
            lengths[0] -= len(separator)
        return Rows(separator.join(chain((b"",), self) if first else self), lengths)

    def __len__(self) -> int:
        return len(self.lengths if self._listed is None else self._listed)

    def __iter__(self) -> Iterator[bytes]:
        if self._listed is not None:
            return (row + self._end for row in self._listed) if self._end else iter(self._listed)
        return map(self.text.__getitem__, map(slice, chain((0,), self.ends), self.ends))

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> "Rows": ...

    def __getitem__(self, index: int | slice) -> "bytes | Rows":
        if not isinstance(index, slice):
            if self._listed is not None:
                return self._listed[index] + self._end
            at = range(len(self))[index]
            return self.text[self._begin(at) : self.ends[at]]
        if self._listed is not None:
            return Rows.of(self._listed[index], self._end)
        start, stop, step = index.indices(len(self))
        if step != 1:
            return self.take(range(start, stop, step))
        return Rows(self.text[self._begin(start) : self._begin(max(start, stop))], self.lengths[start:stop])

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (Rows, list)) else NotImplemented

    def __repr__(self) -> str:
        return f"Rows.of({list(self)!r})"

    def _begin(self, index: int) -> int:
        """Where the row at this index begins; that of the one after the last is the end."""
        return self.ends[index - 1] if index else 0
