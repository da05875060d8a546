"""Columns as lines of JSON, without a dict for each row where no column holds lists or objects."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any, Final

import msgspec

from ozzy.data.json_text import encode_records, encode_rows
from ozzy.data.table import Table
from ozzy.data.table_values import records_of, values_of

_FLAT: Final = frozenset({str, int, bool, NoneType})


def lines_of(table: Table) -> list[bytes]:
    """One document a row, the very same that its record has. Raises DataError with the row that can't be encoded."""
    make = _maker(table.names)
    if make is not None:
        table.load(table.names)
        columns = [values_of(table, name) for name in table.names]
        if all(map(_is_flat, columns)):
            return encode_rows(make, columns)
    return encode_records(records_of(table))


def _is_flat(values: Sequence[Any]) -> bool:
    """Whether all of the values have a form in JSON without brackets."""
    kinds = set(map(type, values))
    if float not in kinds:
        return kinds <= _FLAT
    return kinds <= {float, NoneType} and all(map(math.isfinite, values if len(kinds) == 1 else [value or 0.0 for value in values]))


@lru_cache(maxsize=128)
def _maker(names: tuple[str, ...]) -> Callable[..., Any] | None:
    """What makes a row of these fields; None where there are none, or one has a name that a msgspec.Struct can't have."""
    fields = [(f"f{at}", Any, msgspec.field(name=name)) for at, name in enumerate(names)]
    try:
        return msgspec.defstruct("Row", fields, gc=False) if fields else None
    except ValueError:
        return None
