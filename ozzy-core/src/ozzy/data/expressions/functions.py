"""The built-in functions that expressions know."""
# ruff: noqa: ARG001 - functions of expressions are all called alike, with the context first

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from ozzy.data.expressions.context import ROW_SHIFT, Context, Function, LimitExceeded, call
from ozzy.data.expressions.operators import BINARY, bits, power
from ozzy.data.expressions.texts import formatted, repr_of, text_of
from ozzy.data.expressions.values import (
    MAPPINGS,
    NUMBERS,
    SETS,
    SIZED,
    hashable,
    lazily,
    name_of,
    sequence,
    steps,
    weigh,
)

_LONGEST_NUMBER: Final = 4_300
_PLACES: Final = 400
_add = BINARY["Add"]


def _whole(context: Context, value: Any = 0, base: Any = None) -> int:
    if type(value) in {str, bytes} and len(value) > _LONGEST_NUMBER:
        raise LimitExceeded(f"a text of a number may have {_LONGEST_NUMBER:,} characters")
    _small(value)
    if type(value) is str:
        context.spend(len(value) >> 3)
    number = int(value) if base is None else int(value, base)
    bits(context, number.bit_length())
    return number


def _small(value: Any) -> None:
    """Refuse a decimal number of more digits than a whole one may have."""
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() > _LONGEST_NUMBER:
        raise LimitExceeded(f"a whole number may have {_LONGEST_NUMBER:,} digits")


def _float(context: Context, value: Any = 0.0) -> float:
    if type(value) in {str, bytes} and len(value) > _LONGEST_NUMBER:
        raise LimitExceeded(f"a text of a number may have {_LONGEST_NUMBER:,} characters")
    return float(value)


def _text(context: Context, value: Any = "", encoding: Any = None) -> str:
    if encoding is not None:
        raise TypeError("write value.decode(encoding)")
    if type(value) is bytes:
        raise TypeError("bytes become a text by .decode()")
    return text_of(context, value)


def _list(context: Context, values: Any = ()) -> list[Any]:
    return list(sequence(context, values))


def _tuple(context: Context, values: Any = ()) -> tuple[Any, ...]:
    return tuple(sequence(context, values))


def _set(context: Context, values: Any = ()) -> set[Any]:
    return {hashable(context, one) for one in steps(context, values)}


def _frozenset(context: Context, values: Any = ()) -> frozenset[Any]:
    return frozenset(_set(context, values))


def pairs(context: Context, values: Any) -> dict[Any, Any]:
    """What `dict(values)` is: from a mapping, or from pairs."""
    if type(values) in MAPPINGS:
        context.spend(len(values) >> ROW_SHIFT)
        return dict(values)
    found = {}
    for pair in steps(context, values):
        key, value = islice(steps(context, pair), 3)
        found[hashable(context, key)] = value
    return found


def _dict(context: Context, values: Any = (), /, **named: Any) -> dict[Any, Any]:
    return pairs(context, values) | named


def _from_keys(context: Context, keys: Any, value: Any = None) -> dict[Any, Any]:
    return {hashable(context, key): value for key in steps(context, keys)}


def _range(context: Context, *bounds: Any) -> range:
    return range(*bounds)


def _slice(context: Context, *bounds: Any) -> slice:
    return slice(*bounds)


def _len(context: Context, value: Any) -> int:
    if type(value) in SIZED or type(value) in SETS or context.open:
        return len(value)
    raise TypeError(f"{name_of(value)} has no length")


def _round(context: Context, value: Any, places: Any = None) -> Any:
    if type(places) is int and not -_PLACES <= places <= _PLACES:
        raise LimitExceeded(f"a number is rounded to at most {_PLACES} places")
    _small(value)
    return round(value, places)


def _sum(context: Context, values: Any, start: Any = 0) -> Any:
    total = start
    for value in steps(context, values):
        total = total + value if type(total) in NUMBERS and type(value) in NUMBERS else _add(context, total, value)
    return total


def _sorting(context: Context, values: Any, key: Any) -> list[Any]:
    """Values at hand for a comparison with each other, paid for as often as sorting may look at them."""
    found = list(sequence(context, values))
    context.spend(len(found))
    keys = found if key is None else [call(context, key, value) for value in found]
    weight = weigh(context, keys)
    context.spend(weight * max(len(keys).bit_length() - 1, 0) >> 2)
    return found if key is None else list(zip(keys, found, strict=True))


def _first(pair: Any) -> Any:
    return pair[0]


def _sorted(context: Context, values: Any, *, key: Any = None, reverse: Any = False) -> list[Any]:
    found = _sorting(context, values, key)
    if key is None:
        return sorted(found, reverse=bool(reverse))
    return [value for _, value in sorted(found, key=_first, reverse=bool(reverse))]


def sort(context: Context, values: list[Any], *, key: Any = None, reverse: Any = False) -> None:
    """`values.sort(…)`."""
    values[:] = _sorted(context, values, key=key, reverse=reverse)


_nothing: Final = object()


def _extreme(choose: Any) -> Any:
    def run(context: Context, *values: Any, key: Any = None, default: Any = _nothing) -> Any:
        found = _sorting(context, values[0] if len(values) == 1 else values, key)
        if not found and default is not _nothing:
            return default
        return choose(found) if key is None else choose(found, key=_first)[1]

    return run


def _all(context: Context, values: Any) -> bool:
    return all(steps(context, values))


def _any(context: Context, values: Any) -> bool:
    return any(steps(context, values))


def _enumerate(context: Context, values: Any, start: int = 0) -> Iterator[Any]:
    return lazily(context, enumerate(steps(context, values), start))


def _zip(context: Context, *several: Any, strict: Any = False) -> Iterator[Any]:
    return lazily(context, zip(*[steps(context, values) for values in several], strict=bool(strict)))


def _map(context: Context, function: Any, *several: Any) -> Iterator[Any]:
    return lazily(context, (call(context, function, *values) for values in zip(*[steps(context, one) for one in several], strict=False)))


def _filter(context: Context, function: Any, values: Any) -> Iterator[Any]:
    return (value for value in steps(context, values) if (value if function is None else call(context, function, value)))


def _reversed(context: Context, values: Any) -> Iterator[Any]:
    if type(values) not in SIZED:
        raise TypeError(f"{name_of(values)} can't be reversed")
    return lazily(context, reversed(values))


def _iter(context: Context, values: Any) -> Iterator[Any]:
    return steps(context, values)


def _next(context: Context, values: Any, *default: Any) -> Any:
    if not isinstance(values, Iterator):
        raise TypeError(f"{name_of(values)} is no iterator; use next(iter(…))")
    try:
        return next(values, *default)
    except StopIteration:
        raise ValueError("nothing is left; next(…, default) gives something else then") from None


def _isinstance(context: Context, value: Any, kinds: Any) -> bool:
    wanted = kinds if type(kinds) is tuple else (kinds,)
    found = []
    for kind in wanted:
        if type(kind) is not Function or kind.kind is None:
            raise TypeError("isinstance() takes a type, or a tuple of types")
        found.append(kind.kind)
    return isinstance(value, tuple(found))


def _divmod(context: Context, left: Any, right: Any) -> Any:
    return BINARY["FloorDiv"](context, left, right), BINARY["Mod"](context, left, right)


def _abs(context: Context, value: Any) -> Any:
    return abs(value)


def _bool(context: Context, value: Any = False) -> bool:
    return bool(value)


def _chr(context: Context, code: Any) -> str:
    return chr(code)


def _ord(context: Context, value: Any) -> int:
    return ord(value)


def _in_base(write: Any) -> Any:
    def run(context: Context, value: Any) -> str:
        bits(context, int(value).bit_length())
        return str(write(value))

    return run


def _maketrans(context: Context, *tables: Any) -> dict[int, Any]:
    for table in tables:
        weigh(context, table)
    return dict(str.maketrans(*tables))


BUILTINS: Final[dict[str, Function]] = {
    function.name: function
    for function in (
        Function("abs", _abs),
        Function("all", _all),
        Function("any", _any),
        Function("bin", _in_base(bin)),
        Function("bool", _bool, kind=bool),
        Function("chr", _chr),
        Function("dict", _dict, kind=dict, attributes={"fromkeys": Function("fromkeys", _from_keys)}),
        Function("divmod", _divmod),
        Function("enumerate", _enumerate),
        Function("filter", _filter),
        Function("float", _float, kind=float),
        Function("format", formatted),
        Function("frozenset", _frozenset, kind=frozenset),
        Function("hex", _in_base(hex)),
        Function("int", _whole, kind=int),
        Function("isinstance", _isinstance),
        Function("iter", _iter),
        Function("len", _len),
        Function("list", _list, kind=list),
        Function("map", _map),
        Function("max", _extreme(max)),
        Function("min", _extreme(min)),
        Function("next", _next),
        Function("oct", _in_base(oct)),
        Function("ord", _ord),
        Function("pow", power),
        Function("range", _range, kind=range),
        Function("repr", repr_of),
        Function("reversed", _reversed),
        Function("round", _round),
        Function("set", _set, kind=set),
        Function("slice", _slice),
        Function("sorted", _sorted),
        Function("str", _text, kind=str, attributes={"maketrans": Function("maketrans", _maketrans)}),
        Function("sum", _sum),
        Function("tuple", _tuple, kind=tuple),
        Function("zip", _zip),
    )
}

ABSENT: Final = {
    "basestring": "write str",
    "eval": "an expression can't run text",
    "exec": "an expression can't run text",
    "getattr": "attributes are written with a dot",
    "hash": "its outcome differs from run to run",
    "id": "its outcome differs from run to run",
    "long": "write int",
    "open": "an expression reaches no files",
    "print": "an expression prints nothing",
    "type": "write isinstance(value, str)",
    "unichr": "write chr",
    "unicode": "write str",
    "xrange": "write range",
}
"""Names that people look for, each with what to do instead."""
