"""The values of expressions: what they cost, what may be iterated, and what may become a part of a record."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta, timezone
from time import struct_time
from types import GeneratorType
from typing import Any, Final

from ozzy.data.expressions.context import ROW_SHIFT, TEXT_SHIFT, Context, Function, effort
from ozzy.data.json_text import DEPTH_LIMIT
from ozzy.data.record import BaseRecord

NUMBERS: Final = frozenset({int, float, bool, type(None)})
DATES: Final = frozenset({datetime, date, time, timedelta})
PLAIN: Final = frozenset({*NUMBERS, *DATES, str})
"""Types whose values hold no others, and can be written as JSON."""

MAPPINGS: Final = frozenset[type]((dict, BaseRecord))
SETS: Final = frozenset({set, frozenset})
VIEWS: Final = frozenset({type({}.keys()), type({}.values()), type({}.items())})
FLEETING: Final = frozenset({GeneratorType, Function, slice, struct_time, timezone, *SETS, *VIEWS})
"""Types whose values have no text that is the same in every run, or none at all that could be meant."""

SIZED: Final = frozenset({list, tuple, str, bytes, range, *MAPPINGS, *VIEWS})


_DEEPEST_KEY: Final = 50


def name_of(value: Any) -> str:
    """A value's type in words."""
    return {GeneratorType: "iterator", Function: "function", BaseRecord: "dict", type(None): "null"}.get(type(value), type(value).__name__)


def weigh(context: Context, value: Any, *, written: bool = False) -> int:
    """The number of values in a value, itself among them, long texts and numbers being more; they are paid for.

    What is there twice counts twice, so that a value which holds itself costs more than there is. `written` refuses what has no text
    that is the same in every run: sets, iterators, functions.
    """
    total = 0
    pending = [value]
    while pending:
        one = pending.pop()
        total += 1
        kind = type(one)
        if kind is str or kind is bytes:
            total += len(one) >> TEXT_SHIFT
        elif kind is int:
            total += effort(one)
        elif kind in MAPPINGS:
            pending += one
            pending += one.values()
        elif kind is list or kind is tuple or kind in VIEWS or (kind in SETS and not written):
            pending += one
        elif written and (kind in FLEETING or hasattr(kind, "subscripted")):
            raise TypeError(f"{name_of(one)} can't be made a text{_advice(kind)}")
        if total + len(pending) > context.left:
            context.spend(total + len(pending))
    context.spend(total)
    return total


def ordered(values: "set[Any] | frozenset[Any]") -> list[Any]:
    """The members of a set in an order that is the same in every run: by type, then by value."""
    kinds = {type(value) for value in values}
    if len(kinds) == 1 and kinds <= {str, int, float, bool, date}:
        return sorted(values)
    return sorted(values, key=lambda value: (type(value).__name__, repr(ordered(value) if type(value) in SETS else value)))


def sequence(context: Context, value: Any) -> Sequence[Any]:
    """All members of a value that may be iterated, at hand and paid for."""
    kind = type(value)
    if kind in SIZED:
        context.spend(len(value) >> ROW_SHIFT if kind is not range else len(value))
        return value if kind is list or kind is tuple or kind is str or kind is range else list(value)
    return list(steps(context, value))


def steps(context: Context, value: Any) -> Iterator[Any]:
    """The members of a value that may be iterated, each paid for when it is taken."""
    for one in iterable(context, value):
        context.spend(1)
        yield one


def iterable(context: Context, value: Any) -> Iterable[Any]:
    """What to go through for a value; whoever does pays for each member."""
    kind = type(value)
    if kind in SETS:
        weigh(context, value)
        return ordered(value)
    if kind not in SIZED and kind is not GeneratorType and (not context.open or kind is Function):
        raise TypeError(f"{name_of(value)} can't be iterated")
    found: Iterable[Any] = value
    return found


def lazily(context: Context, values: Iterable[Any], each: int = 1) -> Generator[Any, None, None]:
    """Members of an iterator, each paid for with `each` steps when it is taken."""
    for one in values:
        context.spend(each)
        yield one


def hashable(context: Context, value: Any) -> Any:
    """A value that is to be a key or a member of a set; those made of others are paid for."""
    if type(value) is tuple or type(value) is frozenset:
        weigh(context, value)
        _shallow(value)
    elif type(value) not in PLAIN and type(value) is not bytes and not context.open:
        raise TypeError(f"{name_of(value)} can't be a key")
    return value


def _shallow(value: Any, depth: int = 0) -> None:
    """Refuse a key that is nested deep: Python looks into it without counting."""
    if depth > _DEEPEST_KEY:
        raise ValueError(f"a key may be nested {_DEEPEST_KEY} deep")
    for one in value:
        if type(one) is tuple or type(one) is frozenset:
            _shallow(one, depth + 1)


def settled(context: Context, value: Any, depth: int = 1) -> Any:
    """A value as a part of a record: a copy that shares nothing, of texts, numbers, dates, lists, mappings, or what a reader gave.

    Tuples become lists. Raises TypeError or ValueError for what has no place there.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if hasattr(kind, "__len__"):
        context.spend(8 + (len(value) >> 2))
    if depth >= DEPTH_LIMIT:
        raise ValueError(f"nested deeper than {DEPTH_LIMIT} levels, or a part of itself")
    if kind is list or kind is tuple:
        return [settled(context, one, depth + 1) for one in value]
    if kind in MAPPINGS:
        for key in value:
            if type(key) is not str:
                raise TypeError(f"a field's name must be a text, not {name_of(key)} {key!r:.40}")
        return {key: settled(context, one, depth + 1) for key, one in value.items()}
    if kind in FLEETING or kind in {bytes, range} or hasattr(kind, "subscripted"):
        raise TypeError(f"{name_of(value)} can't be a part of a record{_advice(kind)}")
    return value


def _advice(kind: type) -> str:
    if kind in SETS:
        return "; use sorted()"
    if kind is GeneratorType or kind is range or kind in VIEWS:
        return "; use list()"
    advice = {bytes: "; use .decode()", Function: "; call it with ()", struct_time: "; use .isoformat()"}
    return advice.get(kind, "")
