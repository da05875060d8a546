"""Lines with fields that were added or left out, of which no new line is made before somebody wants lines.

A stage that sets one field and a formatter that picks some need no line in between: that is cheaper, and all other values keep their bytes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import compress, repeat
from typing import Any

from msgspec import Raw

from ozzy.data.batch import Batch
from ozzy.data.json_text import MISSING, encode_record
from ozzy.data.spans import SPAN
from ozzy.data.tokens import ABSENT, Change, Column, Tokens, Unfold, join_tokens, split_line
from ozzy.errors import DataError


class PatchedBatch(Batch):
    """The rows of a batch of lines, where `added` maps fields to their values in each row, and `dropped` names fields that are gone.

    A field that is added takes the place of the one of its name; where that is dropped too, it stands at the end.
    """

    __slots__ = ("_added", "_base", "_dropped")

    def __init__(self, base: Batch, added: Mapping[str, Sequence[Any]], dropped: Collection[str]) -> None:
        super().__init__(lines=[], split=base.split, position=base.position, origin=base.origin)
        self._lines = None
        self._base = base
        self._added = dict(added)
        self._dropped = frozenset(dropped)

    def __len__(self) -> int:
        return len(self._base)

    @property
    def faces(self) -> tuple[str, ...]:
        """`lines`, which are made when they are asked for, and `records` where those were."""
        return ("lines",) if self._records is None else ("lines", "records")

    @property
    def lines(self) -> list[bytes]:
        """The lines as they are now. Raises DataError with the row where a value can't be encoded."""
        if self._lines is None:
            self._lines = self._applied()
        return self._lines

    @property
    def records(self) -> list[dict[str, Any]]:
        """One dict a row. Raises DataError with the row that can't be encoded or decoded."""
        _ = self.lines
        return super().records

    def select(self, fields: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """As of any batch; what was added is given as it was added."""
        columns = self.columns(fields)
        return list(zip(*columns, strict=True)) if columns else [()] * len(self)

    def columns(self, fields: tuple[str, ...]) -> list[list[Any]]:
        """As of any batch; what was added is given as it was added."""
        if self._records is not None:
            return super().columns(fields)
        read = tuple(field for field in dict.fromkeys(fields) if field not in self._added and field not in self._dropped)
        known = dict(zip(read, self._base.columns(read), strict=True))
        missing = [MISSING] * len(self)
        return [list(self._added[field]) if field in self._added else known.get(field, missing) for field in fields]

    def column_tokens(self, fields: tuple[str, ...]) -> list[Column]:
        """As of any batch; what was added comes as the values it was added with."""
        read = tuple(field for field in fields if field not in self._added and field not in self._dropped)
        columns = dict(zip(read, self._base.column_tokens(read), strict=True))
        columns |= {field: list(values) for field, values in self._added.items()}
        absent = Tokens([ABSENT] * len(self))
        return [columns.get(field, absent) for field in fields]

    def packed_columns(self, fields: tuple[str, ...]) -> tuple[bytes, list[bytes | list[Any]]] | None:
        """As of any batch; what was added comes as the values it was added with."""
        read = tuple(field for field in fields if field not in self._added and field not in self._dropped)
        packed = self._base.packed_columns(read) if self._lines is None else None
        if packed is None:
            return None
        columns: dict[str, bytes | list[Any]] = dict(zip(read, packed[1], strict=True))
        columns |= {field: list(values) for field, values in self._added.items()}
        absent = bytes(SPAN * len(self))
        return packed[0], [columns.get(field, absent) for field in fields]

    def project(self, fields: tuple[str, ...]) -> Batch:
        _ = self.lines
        return super().project(fields)

    def rewrite(self, change: Change) -> Batch:
        _ = self.lines
        return super().rewrite(change)

    def unfold(self, unfold: Unfold) -> Batch:
        _ = self.lines
        return super().unfold(unfold)

    def where(self, mask: Sequence[bool]) -> Batch:
        if self._lines is not None or all(mask):
            return super().where(mask)
        return self._of(self._base.where(mask), lambda values: list(compress(values, mask)))

    def take(self, indices: Sequence[int]) -> Batch:
        if self._lines is not None:
            return super().take(indices)
        return self._of(self._base.take(indices), lambda values: [values[index] for index in indices])

    def _of(self, base: Batch, choose: Callable[[Sequence[Any]], list[Any]]) -> "PatchedBatch":
        """Some of the rows: `base` has those of the lines, `choose` gives those of a column."""
        chosen = PatchedBatch(base, {name: choose(values) for name, values in self._added.items()}, self._dropped)
        chosen.split, chosen.position = self.split, self.position
        chosen.origin = None if self.origin is None else choose(self.origin)
        return chosen

    def patched(self, added: Mapping[str, Sequence[Any]], dropped: Collection[str]) -> "PatchedBatch":
        """This batch with more fields added, and others dropped before."""
        kept = {name: values for name, values in self._added.items() if name not in dropped}
        new = PatchedBatch(self._base, {**kept, **added}, self._dropped.union(dropped))
        new.split, new.position, new.origin = self.split, self.position, self.origin
        return new

    def _applied(self) -> list[bytes]:
        keys = [encode_record(name) for name in self._added]
        touched = tuple(dict.fromkeys((*self._added, *self._dropped)))
        if not touched:
            return self._base.lines
        here = zip(*self._base.column_tokens(touched), strict=True)
        added = zip(*self._added.values(), strict=True) if keys else repeat(())
        lines: list[bytes] = []
        for line, tokens, values in zip(self._base.lines, here, added, strict=False):
            try:
                encoded = [encode_record(value) for value in values]
            except DataError as error:
                error.row = len(lines)
                raise
            known = any(token is not ABSENT for token in tokens)
            lines.append(self._rewritten(line, encoded) if known else _extended(line, keys, encoded))
        return lines

    def _rewritten(self, line: bytes, encoded: Sequence[bytes]) -> bytes:
        row = {name: token for name, token in split_line(line).items() if name not in self._dropped}
        return join_tokens(row | {name: Raw(value) for name, value in zip(self._added, encoded, strict=True)})


def patched(batch: Batch, added: Mapping[str, Sequence[Any]], dropped: Collection[str] = ()) -> PatchedBatch:
    """The rows of a batch with these fields added, a value for each row, and those dropped before; from lines none is made now.

    A field that is there keeps its place and gets the new value.
    """
    if isinstance(batch, PatchedBatch):
        return batch.patched(added, dropped)
    return PatchedBatch(batch, added, dropped)


def _extended(line: bytes, keys: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    """A line with more fields at its end."""
    if not keys:
        return line
    inside = line.rstrip()[:-1].rstrip()
    fields = b",".join(map(b"%b:%b".__mod__, zip(keys, values, strict=True)))
    return inside + (b"" if inside.endswith(b"{") else b",") + fields + b"}"
