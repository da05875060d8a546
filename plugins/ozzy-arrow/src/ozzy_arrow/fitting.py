"""Records as columns of given types: a value fits where the column holds exactly it, else its row is bad.

A text of a time, a decimal or bytes in Base64 is what a record has in the place of such a value. An integer fits a column of floats that
holds it exactly; a float never fits a column of integers, nor true or false one of numbers. A missing field is null in a column.
"""

import math
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from itertools import accumulate, chain
from typing import Any, Final, NoReturn

from ozzy import DataError
from ozzy.data.record import Record
from ozzy_arrow.library import pa, pc

_SHOWN: Final = 40


class Misfit(Exception):  # noqa: N818 - it never leaves this file
    """A value that does not fit, by its index."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row
        self.message = message


def fitted(records: Sequence[Record], schema: Any, *, drop_others: bool = False) -> Any:
    """A `pyarrow.Table` of these records. Raises DataError with the row that does not fit.

    A field that the schema does not name makes a row bad, unless `drop_others`.
    """
    if not drop_others:
        known = frozenset(schema.names)
        for row, record in enumerate(records):
            if not record.keys() <= known:
                other = next(name for name in record if name not in known)
                raise DataError(f"{other!r} is no column of the schema", row=row, hint="Name it in schema, or leave it out before.")
    arrays = [fitted_column([record.get(field.name) for record in records], field) for field in schema]
    if not arrays:
        return pa().table({"": pa().nulls(len(records))}).select([])
    return pa().Table.from_arrays(arrays, schema=schema)


def fitted_column(values: Sequence[Any], field: Any) -> Any:
    """A column of these values. Raises DataError with the row that does not fit."""
    try:
        return _field(values, field)
    except Misfit as misfit:
        raise DataError(f"{field.name}: {misfit.message}", row=misfit.row) from None


def _field(values: Sequence[Any], field: Any) -> Any:
    if not field.nullable and None in values:
        raise Misfit(next(row for row, value in enumerate(values) if value is None), "a value is missing")
    return _column(values, field.type)


def _column(values: Sequence[Any], kind: Any) -> Any:
    for names, make in _MAKERS:
        if _is(kind, names):
            return make(values, kind)
    raise Misfit(0, f"records can't be made into columns of the type {kind}")


def _checked(values: Sequence[Any], kind: Any, *classes: type) -> None:
    if not set(map(type, values)) <= {*classes, type(None)}:
        row = next(row for row, value in enumerate(values) if value is not None and type(value) not in classes)
        _refuse(row, values[row], kind)


def _refuse(row: int, value: Any, kind: Any) -> NoReturn:
    text = repr(value)
    raise Misfit(row, f"{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'} does not fit a column of the type {kind}") from None


def _made(values: Sequence[Any], kind: Any, make: Callable[[Sequence[Any]], Any]) -> Any:
    """What `make` makes of all values, with the first one that it refuses where it does."""
    try:
        return make(values)
    except (pa().ArrowException, ValueError, OverflowError, TypeError, ArithmeticError):
        pass
    for row, value in enumerate(values):
        try:
            make([value])
        except (pa().ArrowException, ValueError, OverflowError, TypeError, ArithmeticError):
            _refuse(row, value, kind)
    raise Misfit(0, f"together the values do not fit a column of the type {kind}")


def _plain(*classes: type) -> Callable[[Sequence[Any], Any], Any]:
    def make(values: Sequence[Any], kind: Any) -> Any:
        _checked(values, kind, *classes)
        return _made(values, kind, lambda some: pa().array(some, kind))

    return make


def _floats(values: Sequence[Any], kind: Any) -> Any:
    _checked(values, kind, float, int)
    if int in set(map(type, values)):
        values = [_float(row, value, kind) if type(value) is int else value for row, value in enumerate(values)]
    exact = pa().array(values, pa().float64())
    if pa().types.is_float64(kind):
        return exact
    made = exact.cast(kind, safe=False)
    back = made.cast(pa().float32()).cast(pa().float64())
    same = pc().or_(pc().equal(back, exact), pc().and_(pc().is_nan(back), pc().is_nan(exact))).fill_null(True)
    if same.false_count:
        row = same.to_pylist().index(False)
        _refuse(row, values[row], kind)
    return made


def _float(row: int, value: int, kind: Any) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number != value:
        _refuse(row, value, kind)
    return number


def _times(values: Sequence[Any], kind: Any) -> Any:
    """Times of any kind, out of texts in ISO 8601; a zone has to be there where the type has one, and nowhere else."""
    classes: tuple[type, ...] = (
        (str, datetime) if pa().types.is_timestamp(kind) else (str, time) if pa().types.is_time(kind) else (str, date)
    )
    _checked(values, kind, *classes)
    texts = [value.isoformat() if isinstance(value, (date, time)) else value for value in values]
    if pa().types.is_time(kind):
        return _made(texts, kind, lambda some: _at_dawn(some).cast(pa().timestamp(kind.unit)).cast(kind))
    return _made(texts, kind, lambda some: pa().array(some, pa().string()).cast(kind))


def _at_dawn(times: Sequence[str | None]) -> Any:
    """Times of day as texts of the first day that counts: Arrow reads times only together with a day."""
    return pa().array([None if one is None else f"1970-01-01T{one}" for one in times], pa().string())


def _durations(values: Sequence[Any], kind: Any) -> Any:
    _checked(values, kind, int, timedelta)
    if timedelta in set(map(type, values)):
        return _made(values, kind, lambda some: pa().array([_micros(one) for one in some], pa().duration("us")).cast(kind))
    return _made(values, kind, lambda some: pa().array(some, pa().int64()).cast(kind))


def _micros(value: Any) -> Any:
    return timedelta(microseconds=value) if isinstance(value, int) else value


def _decimals(values: Sequence[Any], kind: Any) -> Any:
    _checked(values, kind, str, int, float, Decimal)
    return _made(values, kind, lambda some: pa().array([None if one is None else _decimal(one) for one in some], kind))


def _decimal(value: Any) -> Decimal:
    try:
        number = Decimal(value if isinstance(value, (str, int, Decimal)) else repr(value))
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite():
        raise ValueError(value)
    return number


def _binaries(values: Sequence[Any], kind: Any) -> Any:
    _checked(values, kind, str, bytes)
    return _made(values, kind, lambda some: pa().array([_bytes(one) if isinstance(one, str) else one for one in some], kind))


def _bytes(text: str) -> bytes:
    data = b64decode(text, validate=True)
    if b64encode(data).decode() != text:
        raise ValueError(text)
    return data


def _dictionaries(values: Sequence[Any], kind: Any) -> Any:
    return _made(values, kind, lambda some: _column(some, kind.value_type).dictionary_encode().cast(kind))


def _structs(values: Sequence[Any], kind: Any) -> Any:
    _checked(values, kind, dict)
    names = frozenset(field.name for field in kind)
    members = []
    for row, value in enumerate(values):
        if value is not None and not value.keys() <= names:
            raise Misfit(row, f"{next(name for name in value if name not in names)!r} is no field of its type")
    there = [row for row, value in enumerate(values) if value is not None]
    for field in kind:
        inner = [None if value is None else value.get(field.name) for value in values]
        if not field.nullable and any(inner[row] is None for row in there):
            raise Misfit(next(row for row in there if inner[row] is None), f"{field.name}: a value is missing")
        try:
            members.append(_column(inner, field.type))
        except Misfit as misfit:
            raise Misfit(misfit.row, f"{field.name}: {misfit.message}") from None
    mask = pa().array([value is None for value in values], pa().bool_())
    return pa().StructArray.from_arrays(members, fields=list(kind), mask=mask)


def _lists(values: Sequence[Any], kind: Any) -> Any:
    _checked(values, kind, list, tuple)
    if pa().types.is_fixed_size_list(kind):
        return _equal_lists(values, kind)
    elements, offsets, mask = _flat(values, kind.value_field)
    if pa().types.is_large_list(kind):
        return pa().LargeListArray.from_arrays(pa().array(offsets, pa().int64()), elements, type=kind, mask=mask)
    return pa().ListArray.from_arrays(pa().array(offsets, pa().int32()), elements, type=kind, mask=mask)


def _equal_lists(values: Sequence[Any], kind: Any) -> Any:
    size = kind.list_size
    for row, value in enumerate(values):
        if value is not None and len(value) != size:
            _refuse(row, value, kind)
    field = kind.value_field
    elements, _, _ = _flat([[None] * size if value is None else value for value in values], field.with_nullable(nullable=True))
    if not field.nullable:
        _flat(values, field)
    return pa().FixedSizeListArray.from_arrays(elements, type=kind, mask=pa().array([value is None for value in values], pa().bool_()))


def _flat(values: Sequence[Any], field: Any) -> tuple[Any, list[int], Any]:
    """The elements of lists as one column, where each list begins, and which are null."""
    offsets = [0, *accumulate(0 if value is None else len(value) for value in values)]
    elements = list(chain.from_iterable(value for value in values if value is not None))
    try:
        made = _field(elements, field)
    except Misfit as misfit:
        raise Misfit(bisect_right(offsets, misfit.row) - 1, misfit.message) from None
    return made, offsets, pa().array([value is None for value in values], pa().bool_())


def _maps(values: Sequence[Any], kind: Any) -> Any:
    if _is_text(kind.key_type):
        _checked(values, kind, dict)
        pairs = [None if value is None else [{"key": key, "value": item} for key, item in value.items()] for value in values]
    else:
        _checked(values, kind, list)
        pairs = list(values)
    entries = pa().struct([kind.key_field.with_name("key"), kind.item_field.with_name("value")])
    elements, offsets, mask = _flat(pairs, pa().field("entry", entries))
    made = pa().MapArray.from_arrays(pa().array(offsets, pa().int32()), elements.field(0), elements.field(1), type=kind, mask=mask)
    made.validate(full=True)
    return made


def _nulls(values: Sequence[Any], kind: Any) -> Any:
    _checked(values, kind)
    return pa().nulls(len(values), kind)


def _is_text(kind: Any) -> bool:
    return _is(kind, ("string", "large_string", "string_view"))


def _is(kind: Any, names: Sequence[str]) -> bool:
    return any(getattr(pa().types, f"is_{name}")(kind) for name in names)


_MAKERS: Final[tuple[tuple[tuple[str, ...], Callable[[Sequence[Any], Any], Any]], ...]] = (
    (("string", "large_string", "string_view"), _plain(str)),
    (("boolean",), _plain(bool)),
    (("integer",), _plain(int)),
    (("floating",), _floats),
    (("date", "timestamp", "time"), _times),
    (("duration",), _durations),
    (("decimal",), _decimals),
    (("binary", "large_binary", "fixed_size_binary", "binary_view"), _binaries),
    (("dictionary",), _dictionaries),
    (("struct",), _structs),
    (("map",), _maps),
    (("list", "large_list", "fixed_size_list"), _lists),
    (("null",), _nulls),
)
