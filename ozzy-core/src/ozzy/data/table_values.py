"""Columns as values: what each value is in a record, exactly.

Types that JSON has no values for become texts: times in ISO 8601 with as many digits as their type has, instants in UTC, so that the order
of the texts is the order of time; decimals with all their digits; bytes in Base64. Durations are whole numbers of their unit.
"""

from base64 import b64encode
from itertools import pairwise
from typing import Any

from ozzy.data.record import Record
from ozzy.data.table import Table, arrow, compute
from ozzy.errors import DataError


def records_of(table: Table) -> list[Record]:
    """One dict a row, with all columns, null where there is no value. Raises DataError, with the row where it is one row's fault."""
    if not table.names:
        return [{} for _ in range(table.num_rows)]
    whole = table.arrow()
    columns = [_named(name, whole.column(name)) for name in table.names]
    names = table.names
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def values_of(table: Table, name: str) -> list[Any]:
    """The values of one column. Raises DataError, with the row where it is one row's fault."""
    return _named(name, table.column(name))


def _named(name: str, column: Any) -> list[Any]:
    try:
        return _column(column)
    except UnicodeDecodeError:
        row = next(row for row in range(len(column)) if not _is_text(column.slice(row, 1)))
        raise DataError(f"{name}: not UTF-8", row=row) from None
    except DataError as error:
        raise DataError(f"{name}: {error.message}", row=error.row, hint=error.hint) from error


def _is_text(column: Any) -> bool:
    try:
        _column(column)
    except UnicodeDecodeError:
        return False
    return True


def _column(column: Any) -> list[Any]:
    return [value for chunk in column.chunks for value in _values(chunk)]


def plain(array: Any) -> Any:
    """A column (or a part of one) whose values need no more than `to_pylist`, where that can be made of it; else the very same one."""
    types = arrow().types
    kind = array.type
    if types.is_timestamp(kind):
        if kind.tz is not None:
            array = array.cast(arrow().timestamp(kind.unit, "UTC"))
        return compute().replace_substring(array.cast(arrow().string()), " ", "T", max_replacements=1)
    if types.is_date64(kind):
        array, kind = array.cast(arrow().date32()), arrow().date32()
    if types.is_date32(kind) or types.is_time(kind):
        return array.cast(arrow().string())
    if types.is_duration(kind):
        return array.cast(arrow().int64())
    if types.is_float16(kind):
        return array.cast(arrow().float32())
    if types.is_string_view(kind):
        return array.cast(arrow().large_string())
    if types.is_dictionary(kind):
        return plain(array.cast(kind.value_type))
    return array


def _values(given: Any) -> list[Any]:
    types = arrow().types
    if hasattr(given, "storage"):
        given = given.storage
    if types.is_run_end_encoded(given.type):
        given = compute().run_end_decode(given)
    array = plain(given)
    kind = array.type
    if _is_plain(kind):
        found: list[Any] = array.to_pylist()
        return found
    if types.is_decimal(kind):
        return [None if value is None else format(value, "f") for value in array.to_pylist()]
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind) or types.is_binary_view(kind):
        return [None if value is None else b64encode(value).decode() for value in array.to_pylist()]
    if types.is_struct(kind):
        return _structs(array)
    if types.is_map(kind):
        return _maps(array)
    if types.is_list(kind) or types.is_large_list(kind):
        return _cut(_values(_inner(array, array.values)), array)
    if types.is_list_view(kind) or types.is_large_list_view(kind):
        values, places = _values(array.values), zip(array.offsets.to_pylist(), array.sizes.to_pylist(), strict=True)
        return _where_valid([values[start : start + size] for start, size in places], array)
    if types.is_fixed_size_list(kind):
        size = kind.list_size
        values = _values(array.values.slice(array.offset * size, len(array) * size))
        return _where_valid([values[row * size : (row + 1) * size] for row in range(len(array))], array)
    raise DataError(f"values of the type {kind} have no form in a record", hint="Leave the column out, or cast it where the file is made.")


def _is_plain(kind: Any) -> bool:
    types = arrow().types
    numbers = types.is_integer(kind) or types.is_floating(kind)
    texts = types.is_string(kind) or types.is_large_string(kind)
    return bool(numbers or texts or types.is_boolean(kind) or types.is_null(kind))


def _structs(array: Any) -> list[Any]:
    names = [field.name for field in array.type]
    if len(set(names)) != len(names):
        raise DataError("two fields of an object have one name", hint="Give each field a name of its own.")
    members = [_values(member) for member in array.flatten()]
    rows = zip(*members, strict=True) if members else [()] * len(array)
    return _where_valid([dict(zip(names, row, strict=True)) for row in rows], array)


def _maps(array: Any) -> list[Any]:
    types = arrow().types
    kind = array.type.key_type
    keys, items = _values(_inner(array, array.keys)), _values(_inner(array, array.items))
    if types.is_string(kind) or types.is_large_string(kind):
        return [None if pairs is None else dict(pairs) for pairs in _cut(list(zip(keys, items, strict=True)), array)]
    return _cut([{"key": key, "value": item} for key, item in zip(keys, items, strict=True)], array)


def _inner(array: Any, values: Any) -> Any:
    """The part of the values of lists that these lists use."""
    offsets = array.offsets
    start = offsets[0].as_py()
    return values.slice(start, offsets[len(array)].as_py() - start)


def _cut(values: list[Any], array: Any) -> list[Any]:
    offsets = array.offsets.to_pylist()
    start = offsets[0]
    return _where_valid([values[begin - start : end - start] for begin, end in pairwise(offsets)], array)


def _where_valid(values: list[Any], array: Any) -> list[Any]:
    if not array.null_count:
        return values
    return [value if valid else None for value, valid in zip(values, array.is_valid().to_pylist(), strict=True)]
