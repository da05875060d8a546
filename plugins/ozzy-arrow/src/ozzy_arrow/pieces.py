"""Rows that wait for their row group, as few of them copied as the same bytes allow."""

from typing import Any

from ozzy_arrow.library import pa


class Pieces:
    """Rows that wait, in the pieces of memory in which they came.

    What a file becomes must not depend on how its rows were cut into batches. A library that encodes so many rows at a time from the start
    of each piece, the `step`, makes the same of them all where pieces end at multiples of that: only the rows around the seams are copied.
    Without a step, and for columns of which rows are not encoded one by one, all rows are copied into one piece.
    """

    def __init__(self, step: int | None) -> None:
        self._step = step
        self._even: list[Any] = []
        self._odd: list[Any] = []
        self._odd_rows = 0
        self.rows = 0
        self.held = 0

    def add(self, table: Any) -> None:
        """Take rows."""
        self.rows += table.num_rows
        self.held += table.nbytes
        if self._step is None or not all(map(_is_flat, table.schema.types)):
            self._even.append(table)
            return
        if any(column.num_chunks > 1 for column in table.columns):
            table = table.combine_chunks()
        if self._odd_rows:
            table = self._closed(table, self._step)
        even = table.num_rows // self._step * self._step
        if even:
            self._even.append(table.slice(0, even))
        if even < table.num_rows:
            self._leave(table.slice(even))

    def take(self) -> Any:
        """All of them, which wait no longer: a table to be written by `written`."""
        parts = [*self._even, *self._joined()]
        self._even, self.rows, self.held = [], 0, 0
        return pa().concat_tables(parts)

    def written(self, table: Any) -> Any:
        """What was taken, as it is to be written; may be asked in another thread."""
        return table if self._step is not None and all(map(_is_flat, table.schema.types)) else _whole(table)

    def _closed(self, table: Any, step: int) -> Any:
        """The rows that are left when those that wait for the end of their step have got it."""
        missing = step - self._odd_rows
        self._leave(table.slice(0, missing))
        if self._odd_rows == step:
            self._even += self._joined()
        return table.slice(missing)

    def _leave(self, table: Any) -> None:
        if table.num_rows:
            self._odd.append(table)
            self._odd_rows += table.num_rows

    def _joined(self) -> list[Any]:
        odd, self._odd, self._odd_rows = self._odd, [], 0
        return [pa().concat_tables(odd).combine_chunks()] if odd else []


def _is_flat(kind: Any) -> bool:
    """Whether each row of a column is one value, encoded by itself."""
    types = pa().types
    return bool(types.is_primitive(kind) or types.is_decimal(kind) or any(test(kind) for test in _texts()))


def _texts() -> tuple[Any, ...]:
    types = pa().types
    return (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary, types.is_fixed_size_binary)


def _whole(table: Any) -> Any:
    """The same rows in one piece of memory of their own: what lies around a part of one would get into Arrow files."""
    return pa().concat_tables([table, table.schema.empty_table()]).combine_chunks()
