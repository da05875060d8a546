"""The conditions of filters on columns: what `operators` says of each value, told of all at once where Arrow can do that exactly."""

import math
from collections.abc import Sequence
from functools import partial, reduce
from typing import Any, Final

import attrs

from ozzy.builtin.filters.operators import Test, make_test
from ozzy.data.field_path import FieldPath
from ozzy.data.json_text import MISSING
from ozzy.data.table import Mask, Table, arrow, call, compute
from ozzy.data.table_values import plain, values_of

_ORDERS: Final = {">": "greater", ">=": "greater_equal", "<": "less", "<=": "less_equal"}
_MANY: Final = 100
"""Values of a list that are compared one by one."""


@attrs.frozen
class Condition:
    """What a value has to pass: an operator, what to compare with, and the test of one value."""

    operator: str
    wanted: Any
    test: Test = attrs.field(init=False, eq=False)

    @test.default
    def _test(self) -> Test:
        return make_test(self.operator, self.wanted)


def mask_of(table: Table, path: FieldPath, condition: Condition) -> Mask:
    """What a condition says of each row, by the values at a path. Raises DataError with the row whose value has no form in a record."""
    root, operator, wanted = path.root, condition.operator, condition.wanted
    if root not in table.names:
        return Mask.all(bool(condition.test(MISSING)), table.num_rows)
    if len(path.steps) == 1:
        if operator == "exists":
            return Mask.all(wanted, table.num_rows)
        bounds = table.bounds(root)
        if bounds is not None and _never(operator, wanted, bounds):
            return Mask.all(truth=False, count=table.num_rows)
        found = _found(plain(table.column(root)), operator, wanted)
        if found is not None:
            return Mask(found)
    values = map(path.within, values_of(table, root))
    return Mask.of([bool(condition.test(value)) for value in values])


def _never(operator: str, wanted: Any, bounds: tuple[Any, Any]) -> bool:
    """Whether no value between two bounds passes, nor a null."""
    low, high = bounds
    if operator == "in" and isinstance(wanted, list):
        return all(_never("==", one, bounds) for one in wanted)
    both_texts = isinstance(wanted, str) and isinstance(low, str)
    if not both_texts and not (_is_number(wanted) and _is_number(low)):
        return False
    if operator == "==":
        return bool(wanted < low or wanted > high)
    if operator in {">", ">="}:
        return bool(high < wanted or (operator == ">" and high == wanted))
    return operator in {"<", "<="} and bool(low > wanted or (operator == "<" and low == wanted))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _found(column: Any, operator: str, wanted: Any) -> Any:
    """The truths of a column, None where its values have to be looked at one by one."""
    if operator == "!=" and _is_unlike(column.type, wanted):
        return call("is_null", column)
    if operator in {"!=", "not_in"}:
        found = _found(column, "==" if operator == "!=" else "in", wanted)
        return None if found is None else call("invert", found)
    if operator == "==":
        return _equal(column, wanted)
    if operator in _ORDERS:
        return _ordered(column, operator, wanted)
    if operator == "in" and isinstance(wanted, list):
        return _among(column, wanted)
    if operator == "contains" and isinstance(wanted, str) and _is_text(column.type) and _is_utf8(wanted):
        return _true(compute().match_substring(column, wanted))
    return None


def _among(column: Any, wanted: Sequence[Any]) -> Any:
    if _is_text(column.type):
        texts = [one for one in wanted if isinstance(one, str) and _is_utf8(one)]
        found = compute().is_in(column, arrow().array(texts, column.type), skip_nulls=True)
        return call("or", found, call("is_null", column)) if None in wanted else found
    if len(wanted) > _MANY:
        return None
    parts = [_equal(column, one) for one in wanted]
    return None if any(part is None for part in parts) else reduce(partial(call, "or"), parts, _none(column))


def _equal(column: Any, wanted: Any) -> Any:
    types, kind = arrow().types, column.type
    if wanted is None:
        return call("is_null", column)
    if _is_text(kind):
        return _compared("equal", column, wanted) if isinstance(wanted, str) and _is_utf8(wanted) else _none(column)
    if types.is_boolean(kind):
        return _compared("equal", column, wanted) if isinstance(wanted, bool) else _none(column)
    if types.is_integer(kind) or types.is_floating(kind):
        return _number(column, "==", wanted) if _is_number(wanted) else _none(column)
    return None


def _ordered(column: Any, operator: str, wanted: Any) -> Any:
    types, kind = arrow().types, column.type
    if _is_text(kind):
        return _compared(_ORDERS[operator], column, wanted) if isinstance(wanted, str) and _is_utf8(wanted) else None
    if types.is_integer(kind) or types.is_floating(kind):
        return _number(column, operator, wanted) if _is_number(wanted) else _none(column)
    return None


def _number(column: Any, operator: str, wanted: Any) -> Any:
    """A comparison of numbers that is exact: Arrow would make integers into floats first, which can change them."""
    if isinstance(wanted, float) and not math.isfinite(wanted):
        return None
    if arrow().types.is_floating(column.type):
        if abs(wanted) > 2**53 and isinstance(wanted, int):
            return None
        wide = column if column.type == arrow().float64() else column.cast(arrow().float64())
        return _compared(_ORDERS.get(operator, "equal"), wide, float(wanted))
    if isinstance(wanted, float) and not wanted.is_integer():
        if operator == "==":
            return _none(column)
        operator, wanted = (">", math.floor(wanted)) if operator[0] == ">" else ("<", math.ceil(wanted))
    bits, signed = column.type.bit_width, arrow().types.is_signed_integer(column.type)
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if not lowest <= wanted <= highest:
        return None
    return _compared(_ORDERS.get(operator, "equal"), column, int(wanted))


def _compared(function: str, column: Any, wanted: Any) -> Any:
    return _true(call(function, column, arrow().scalar(wanted, column.type)))


def _true(found: Any) -> Any:
    return call("coalesce", found, arrow().scalar(False))


def _none(column: Any) -> Any:
    return arrow().repeat(arrow().scalar(False), len(column))


def _is_unlike(kind: Any, wanted: Any) -> bool:
    """Whether a column has texts and the other value is a number, or the other way round."""
    numbers = arrow().types.is_integer(kind) or arrow().types.is_floating(kind) or arrow().types.is_decimal(kind)
    return (isinstance(wanted, str) and numbers) or (_is_number(wanted) and _is_text(kind))


def _is_text(kind: Any) -> bool:
    return bool(arrow().types.is_string(kind) or arrow().types.is_large_string(kind))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
