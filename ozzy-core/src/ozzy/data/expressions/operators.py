"""The operators, each guarded against results that are out of proportion, and paid for by the size of what they work on."""
# ruff: noqa: ARG005 - functions of expressions are all called alike, with the context first

import math
import operator
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from ozzy.data.expressions.context import INT_BITS, ROW_SHIFT, TEXT_SHIFT, Context, Function, LimitExceeded, effort
from ozzy.data.expressions.texts import percent
from ozzy.data.expressions.values import (
    DATES,
    MAPPINGS,
    NUMBERS,
    SETS,
    SIZED,
    VIEWS,
    hashable,
    iterable,
    name_of,
    weigh,
)

Binary = Callable[[Context, Any, Any], Any]

QUICK: Final = frozenset({*NUMBERS, *DATES})
_ROWS: Final = frozenset({list, tuple, *MAPPINGS, *SETS, *VIEWS})
_KEYED: Final = frozenset({*MAPPINGS, *SETS, type({}.keys())})


def pay(context: Context, *values: Any) -> None:
    """Pay for looking at the whole of some values, not at what is inside their members."""
    for value in values:
        kind = type(value)
        if kind is str or kind is bytes:
            context.spend(len(value) >> TEXT_SHIFT)
        elif kind in _ROWS:
            context.spend(len(value) >> ROW_SHIFT)


def bits(context: Context, wanted: int) -> None:
    """Refuse a whole number of more bits than one may have."""
    if wanted > INT_BITS:
        raise LimitExceeded(f"a whole number may have {INT_BITS:,} bits, about 4,200 digits")
    context.spend(wanted >> 7)


def add(context: Context, left: Any, right: Any) -> Any:
    """`left + right`."""
    if type(left) not in QUICK:
        pay(context, left, right)
    return left + right


def subtract(context: Context, left: Any, right: Any) -> Any:
    """`left - right`."""
    if type(left) not in QUICK:
        pay(context, left, right)
    return left - right


def multiply(context: Context, left: Any, right: Any) -> Any:
    """`left * right`."""
    if isinstance(left, int) and isinstance(right, int):
        bits(context, left.bit_length() + right.bit_length())
        return left * right
    for row, times in ((left, right), (right, left)):
        if type(row) in {str, bytes, list, tuple}:
            if not isinstance(times, int):
                raise TypeError(f"{name_of(row)} can't be multiplied by {name_of(times)}")
            shift = TEXT_SHIFT if type(row) in {str, bytes} else ROW_SHIFT
            context.spend(len(row) * max(times, 0) >> shift)
            return row * times
    return left * right


def modulo(context: Context, left: Any, right: Any) -> Any:
    """`left % right`."""
    if type(left) is str:
        return percent(context, left, right)
    if type(left) is bytes:
        raise TypeError("bytes have no formats here")
    if isinstance(left, int):
        context.spend(effort(left))
    return left % right


def power(context: Context, left: Any, right: Any, modulus: Any = None) -> Any:
    """`left ** right`, or `pow(left, right, modulus)`."""
    if modulus is not None:
        if max(abs(value) for value in (left, right, modulus)).bit_length() > 1024:
            raise LimitExceeded("the numbers of a power with a modulus may have 1,024 bits")
        context.spend(1000)
        return pow(left, right, modulus)
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left not in {-1, 0, 1}:
        bits(context, int(math.log2(abs(left)) * min(right, 1 << 40)) + 1)
    result = left**right
    if type(result) is complex:
        raise ValueError("the result is no real number")
    return result


def shift_left(context: Context, left: Any, right: Any) -> Any:
    """`left << right`."""
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        bits(context, left.bit_length() + right)
    return left << right


def _paid(work: Callable[[Any, Any], Any]) -> Binary:
    def run(context: Context, left: Any, right: Any) -> Any:
        if type(left) not in QUICK:
            pay(context, left, right)
        return work(left, right)

    return run


def _divided(work: Callable[[Any, Any], Any]) -> Binary:
    def run(context: Context, left: Any, right: Any) -> Any:
        if isinstance(left, int):
            context.spend(effort(left))
        return work(left, right)

    return run


BINARY: Final[dict[str, Binary]] = {
    "Add": add,
    "Sub": subtract,
    "Mult": multiply,
    "Div": _divided(operator.truediv),
    "FloorDiv": _divided(operator.floordiv),
    "Mod": modulo,
    "Pow": power,
    "LShift": shift_left,
    "RShift": _paid(operator.rshift),
    "BitAnd": _paid(operator.and_),
    "BitOr": _paid(operator.or_),
    "BitXor": _paid(operator.xor),
}

FAST: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
}
"""Operators that need no guard where the left value is a float."""

UNARY: Final[dict[str, Callable[[Any], Any]]] = {
    "UAdd": operator.pos,
    "USub": operator.neg,
    "Invert": operator.invert,
    "Not": operator.not_,
}


def _compared(work: Callable[[Any, Any], Any]) -> Binary:
    def run(context: Context, left: Any, right: Any) -> Any:
        if type(left) in QUICK or type(right) in QUICK:
            return work(left, right)
        if type(left) is str or type(right) is str:
            pay(context, left)
        else:
            weigh(context, left)
        return work(left, right)

    return run


def contains(context: Context, value: Any, container: Any) -> bool:
    """`value in container`."""
    kind = type(container)
    if kind is str:
        context.spend(len(container) >> TEXT_SHIFT)
        return value in container
    if kind in _KEYED:
        return hashable(context, value) in container
    if kind is range and type(value) is int:
        return value in container
    if kind is list or kind is tuple:
        size = len(container)
        if type(value) in QUICK:
            context.spend(size >> ROW_SHIFT)
        elif type(value) is str:
            context.spend((size >> ROW_SHIFT) + size * (len(value) >> 10))
        else:
            context.spend(size * weigh(context, value))
        return value in container
    if context.open and kind not in SIZED:
        return value in container
    return any(one is value or COMPARE["Eq"](context, one, value) for one in _spent(context, container))


def _spent(context: Context, values: Any) -> Any:
    for one in iterable(context, values):
        context.spend(1)
        yield one


COMPARE: Final[dict[str, Binary]] = {
    "Eq": _compared(operator.eq),
    "NotEq": _compared(operator.ne),
    "Lt": _compared(operator.lt),
    "LtE": _compared(operator.le),
    "Gt": _compared(operator.gt),
    "GtE": _compared(operator.ge),
    "Is": lambda context, left, right: left is right,
    "IsNot": lambda context, left, right: left is not right,
    "In": contains,
    "NotIn": lambda context, value, container: not contains(context, value, container),
}


def subscript(context: Context, value: Any, key: Any) -> Any:
    """`value[key]`."""
    kind = type(value)
    if kind in MAPPINGS:
        return value[hashable(context, key)]
    if kind in {list, tuple, str, bytes, range}:
        if type(key) is slice:
            found = value[key]
            if kind is not range:
                pay(context, found)
            return found
        return value[key]
    at = getattr(value, "at", None) if getattr(kind, "subscripted", False) else None
    if at is not None:
        return at(key)
    if context.open and not isinstance(value, Function):
        return value[key]
    raise TypeError(f"{name_of(value)} has no [ ]")


def unpacked(context: Context, value: Any, count: int) -> list[Any]:
    """A value taken apart into so many."""
    found = list(islice(_spent(context, value), count + 1))
    if len(found) != count:
        raise ValueError(f"expected {count} values, found {'more' if len(found) > count else len(found)}")
    return found
