"""The face of columns: rows as an Arrow table, of which each column is read when it is asked for, and chosen rows stay columns.

Nothing here is used unless somebody makes a table, and who does has pyarrow: it is imported inside functions, and nowhere else in the core.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final, Protocol, overload

from ozzy.errors import DataError

_POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"


@cache
def arrow() -> Any:
    """The library `pyarrow`, with jemalloc unless somebody asked otherwise: it takes less memory and time here than the other pools.

    The library chooses its pool where it first needs one, and only the environment can tell it which: what is set later is a pool for
    what Python makes, and readers, writers and functions of columns go on with the one chosen.
    """
    if _POOL in os.environ or "pyarrow" in sys.modules or sys.platform not in {"linux", "darwin"}:
        return import_module("pyarrow")
    os.environ[_POOL] = "jemalloc"
    try:
        library = import_module("pyarrow")
        library.default_memory_pool()
    finally:
        del os.environ[_POOL]
    return library


def part(name: str) -> Any:
    """A module of it: never before the library itself, which would then have chosen its pool."""
    arrow()
    return import_module(f"pyarrow.{name}")


def compute() -> Any:
    """Its functions on columns, `pyarrow.compute`: for those that take options, since its import costs as much as that of the library."""
    return part("compute")


def call(function: str, *columns: Any) -> Any:
    """What one of its functions on columns makes of these without options, by the name it has among them: `and`, `equal`, `filter`."""
    return _caller()(function, list(columns))


@cache
def _caller() -> Any:
    try:
        return part("_compute").call_function
    except ImportError:
        return compute().call_function


class Source(Protocol):
    """Where a table has its columns from."""

    @property
    def schema(self) -> Any:
        """The names and types of its columns, a `pyarrow.Schema`."""

    @property
    def num_rows(self) -> int:
        """How many rows it has."""

    def read(self, names: Sequence[str]) -> Any:
        """A `pyarrow.Table` with these columns at least, and all rows, not yet checked."""

    def check(self, table: Any) -> None:
        """Look at the values of some of its columns, in all rows or in those that were chosen. Raises DataError where they are damaged."""

    def bounds(self, name: str) -> tuple[Any, Any] | None:
        """Two values which no value of a column is less or greater than, or None where that is not known; nulls don't count."""


class Mask(Sequence[bool]):
    """A truth for each row, kept as a column of Arrow."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array.combine_chunks() if hasattr(array, "combine_chunks") else array

    @classmethod
    def of(cls, truths: Sequence[bool]) -> "Mask":
        """The same truths as a mask."""
        return truths if isinstance(truths, Mask) else cls(arrow().array([bool(truth) for truth in truths], arrow().bool_()))

    @classmethod
    def all(cls, truth: bool, count: int) -> "Mask":
        """The same truth for so many rows."""
        return cls(arrow().repeat(arrow().scalar(truth), count))

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> bool: ...
    @overload
    def __getitem__(self, index: slice) -> "Mask": ...
    def __getitem__(self, index: int | slice) -> "bool | Mask":
        return Mask(self.array[index]) if isinstance(index, slice) else bool(self.array[index].as_py())

    def __iter__(self) -> Iterator[bool]:
        return iter(self.array.to_pylist())

    @property
    def kept(self) -> int:
        """How many rows are true."""
        return int(self.array.true_count)

    def inverted(self) -> "Mask":
        """False where this is true."""
        return Mask(call("invert", self.array))

    def both(self, other: "Mask") -> "Mask":
        """True where this and another are."""
        return Mask(call("and", self.array, other.array))

    def refined(self, chosen: "Mask", truths: "Mask") -> "Mask":
        """The same truths but for the chosen rows, which have theirs from `truths`, one for each of them."""
        return Mask(call("replace_with_mask", self.array, chosen.array, truths.array))

    def rows(self) -> list[int]:
        """The rows that are true, by their indices."""
        found: list[int] = call("indices_nonzero", self.array).to_pylist()
        return found


class Chosen(Sequence[int]):
    """Some of the origins of a batch: counted when they are first asked for, which for most batches is never."""

    def __init__(self, origin: Sequence[int], mask: Mask) -> None:
        self._origin = origin
        self._mask = mask
        self._count = mask.kept
        self._found: list[int] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if self._found is None:
            self._found = [self._origin[row] for row in self._mask.rows()]
        return self._found[index]


class Table:
    """Columns of equal length, each read when it is first asked for.

    `renamed` maps the names that columns have here to those they have in the source, in order.
    """

    __slots__ = ("_checked", "_chosen", "_loaded", "_renamed", "_source", "num_rows")

    def __init__(self, source: Source, *, renamed: Mapping[str, str] | None = None, chosen: Any = None) -> None:
        self._source = source
        self._chosen = chosen
        self._loaded: dict[str, Any] = {}
        self._checked: set[str] = set()
        self._renamed = dict(renamed) if renamed is not None else {name: name for name in source.schema.names}
        self.num_rows: int = source.num_rows if chosen is None else chosen.kept if isinstance(chosen, Mask) else len(chosen)

    @classmethod
    def of(cls, table: Any) -> "Table":
        """A `pyarrow.Table` (or RecordBatch) as it is. Raises DataError where two columns have one name."""
        if not isinstance(table, arrow().Table):
            table = arrow().Table.from_batches([table])
        return cls(_Whole(checked_names(table)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self._renamed)

    @property
    def schema(self) -> Any:
        """Names and types of the columns, a `pyarrow.Schema`."""
        schema = self._source.schema
        fields = [schema.field(name).with_name(shown) for shown, name in self._renamed.items()]
        return arrow().schema(fields, metadata=schema.metadata)

    def type_of(self, name: str) -> Any:
        """The type of a column."""
        return self._source.schema.field(self._renamed[name]).type

    def column(self, name: str) -> Any:
        """One column, a `pyarrow.ChunkedArray`."""
        own = self._renamed[name]
        self._load([own])
        return self._loaded[own]

    def load(self, names: Sequence[str]) -> None:
        """Read these columns in one go, as far as there are such: for who will ask for them one by one."""
        self._load([self._renamed[name] for name in dict.fromkeys(names) if name in self._renamed])

    def bounds(self, name: str) -> tuple[Any, Any] | None:
        """Two values which no value of a column is less or greater than, where that is known without reading it."""
        return self._source.bounds(self._renamed[name])

    def arrow(self) -> Any:
        """All of it, a `pyarrow.Table`."""
        self._load(list(self._renamed.values()))
        return self._shown()

    def unchecked(self) -> Any:
        """All of it, which is not looked at: for who passes on a part of it, and checks that."""
        self._read(list(self._renamed.values()))
        return self._shown()

    def check(self, table: Any) -> None:
        """Check columns of it, as far as they were not checked before. Raises DataError where they are damaged."""
        names = {shown: self._renamed[shown] for shown in table.column_names if self._renamed[shown] not in self._checked}
        if names:
            self._source.check(table.select(list(names)).rename_columns(list(names.values())))

    def filter(self, mask: Mask) -> "Table":
        """The rows whose mask is true."""
        return self._of_rows(mask)

    def take(self, rows: Sequence[int]) -> "Table":
        """The rows at these indices, in that order."""
        return self._of_rows(rows)

    def select(self, names: Sequence[str]) -> "Table":
        """Only these columns, in this order."""
        return self._of_columns({name: self._renamed[name] for name in names})

    def rename(self, names: Mapping[str, str]) -> "Table":
        """Columns with other names, given as old to new ones: those that are named, in the order in which they are."""
        return self._of_columns({new: self._renamed[old] for old, new in names.items()})

    def _of_rows(self, chosen: Any) -> "Table":
        return Table(_Chosen(self), chosen=chosen)

    def _of_columns(self, renamed: dict[str, str]) -> "Table":
        made = Table(self._source, renamed=renamed, chosen=self._chosen)
        made._loaded, made._checked = self._loaded, self._checked
        return made

    def _shown(self) -> Any:
        wanted = list(self._renamed.values())
        if not wanted:
            return arrow().table({"": arrow().nulls(self.num_rows)}).select([])
        return arrow().Table.from_arrays([self._loaded[name] for name in wanted], schema=self.schema)

    def _load(self, names: Sequence[str]) -> None:
        self._read(names)
        new = [name for name in names if name not in self._checked]
        if new:
            self._source.check(arrow().table([self._loaded[name] for name in new], names=new))
            self._checked.update(new)

    def _read(self, names: Sequence[str]) -> None:
        missing = [name for name in names if name not in self._loaded]
        if missing:
            table = self._source.read(missing) if self.num_rows else self._source.schema.empty_table()
            if self.num_rows and isinstance(self._chosen, Mask):
                table = call("filter", table.select(missing), self._chosen.array)
            elif self.num_rows and self._chosen is not None:
                table = taken(table.select(missing), self._chosen)
            self._loaded.update((name, table.column(name)) for name in missing)


def taken(table: Any, rows: Sequence[int]) -> Any:
    """The rows at these indices of a table or a column of Arrow."""
    if isinstance(rows, range) and rows.step == 1:
        return table.slice(rows.start, len(rows))
    return call("take", table, arrow().array(rows, arrow().int64()))


class _Whole:
    """A table that is there as a whole."""

    def __init__(self, table: Any) -> None:
        self._table = table

    @property
    def schema(self) -> Any:
        return self._table.schema

    @property
    def num_rows(self) -> int:
        return int(self._table.num_rows)

    def read(self, names: Sequence[str]) -> Any:
        return self._table.select(names)

    def check(self, table: Any) -> None:
        pass

    def bounds(self, name: str) -> tuple[Any, Any] | None:
        return None


class _Chosen:
    """A table of which rows are chosen: its columns are those it has there, all of them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.schema = table.schema
        self.num_rows = table.num_rows

    def read(self, names: Sequence[str]) -> Any:
        return self._table.select(names).unchecked()

    def check(self, table: Any) -> None:
        self._table.check(table)

    def bounds(self, name: str) -> tuple[Any, Any] | None:
        return self._table.bounds(name)


def checked_names(table: Any) -> Any:
    """The table itself. Raises DataError where two columns have one name, since a record has a name once."""
    names = getattr(table, "schema_arrow", table.schema).names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"two columns are called {twice[0]!r}", hint="Give each column a name of its own.")
    return table


def joined(tables: Sequence[Table]) -> Table | None:
    """The rows of several tables, one after the other; None where their columns differ."""
    first = tables[0].schema
    if not all(table.schema.equals(first) for table in tables):
        return None
    return Table.of(arrow().concat_tables([table.arrow() for table in tables]))
