"""The methods and attributes of each type that expressions may use. What is not in these tables is not there."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from time import struct_time
from typing import Any, Final

from ozzy.data.expressions import patterns
from ozzy.data.expressions.context import ROW_SHIFT, TEXT_SHIFT, Context, LimitExceeded
from ozzy.data.expressions.functions import pairs, sort
from ozzy.data.expressions.operators import contains, pay
from ozzy.data.expressions.texts import WIDEST, date_format, fill
from ozzy.data.expressions.values import MAPPINGS, PLAIN, hashable, name_of, sequence, settled, steps, weigh
from ozzy.data.record import BaseRecord

Method = Callable[..., Any]

_CODECS: Final = frozenset(
    {"utf-8", "utf8", "ascii", "latin-1", "latin1", "iso-8859-1", "iso-8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"}
)
_ON_ERRORS: Final = frozenset({"strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace"})


def _paid(method: Callable[..., Any]) -> Method:
    """A method that looks at the whole of its object and arguments once."""

    def run(context: Context, value: Any, *arguments: Any, **named: Any) -> Any:
        pay(context, value, *arguments)
        return method(value, *arguments, **named)

    return run


def _from(kind: type, names: str) -> dict[str, Method]:
    return {name: _paid(getattr(kind, name)) for name in names.split()}


def _padded(name: str) -> Method:
    method = getattr(str, name)

    def run(context: Context, text: str, width: Any, *fill_character: Any) -> Any:
        if width > WIDEST:
            raise LimitExceeded(f"a text is padded to at most {WIDEST}")
        context.spend(len(text) + max(width, 0) >> TEXT_SHIFT)
        return method(text, width, *fill_character)

    return run


def _joined(context: Context, separator: str, values: Any) -> str:
    texts = sequence(context, values)
    if type(texts) is str:
        texts = list(texts)
    for text in texts:
        if type(text) is not str:
            raise TypeError(f"join() takes texts, not {name_of(text)}; use str()")
    context.spend(sum(map(len, texts)) + len(separator) * len(texts) >> TEXT_SHIFT)
    return separator.join(texts)


def _replaced(context: Context, text: str, old: str, new: str, count: int = -1) -> str:
    found = text.count(old) if count < 0 else min(text.count(old), count)
    context.spend(2 * len(text) + found * len(new) >> TEXT_SHIFT)
    return text.replace(old, new, count)


def _expanded(context: Context, text: str, tabsize: int = 8) -> str:
    if tabsize > WIDEST:
        raise LimitExceeded(f"a tab is at most {WIDEST} wide")
    context.spend(len(text) + text.count("\t") * max(tabsize, 0) >> TEXT_SHIFT)
    return text.expandtabs(tabsize)


def _translated(context: Context, text: str, table: Any) -> str:
    longest = max((len(value) for value in table.values() if type(value) is str), default=1)
    context.spend(len(table) + len(text) * max(longest, 8) >> TEXT_SHIFT)
    return text.translate(table)


def _formatted(context: Context, text: str, *values: Any, **named: Any) -> str:
    return fill(context, text, *values, **named)


def _formatted_map(context: Context, text: str, values: Any) -> str:
    if type(values) not in MAPPINGS:
        raise TypeError(f"format_map() takes a mapping, not {name_of(values)}")
    return fill(context, text, **values)


def _codec(encoding: Any, errors: Any) -> None:
    if str(encoding).lower().replace("_", "-") not in _CODECS:
        raise LimitExceeded(f"the encoding {str(encoding)[:40]!r} is not one of {', '.join(sorted(_CODECS))}")
    if errors not in _ON_ERRORS:
        raise ValueError(f"errors is one of {', '.join(sorted(_ON_ERRORS))}")


def _encoded(context: Context, text: str, encoding: Any = "utf-8", errors: Any = "strict") -> bytes:
    _codec(encoding, errors)
    context.spend(8 * len(text) >> TEXT_SHIFT)
    return text.encode(encoding, errors)


def _decoded(context: Context, value: bytes, encoding: Any = "utf-8", errors: Any = "strict") -> str:
    _codec(encoding, errors)
    context.spend(8 * len(value) >> TEXT_SHIFT)
    return value.decode(encoding, errors)


def _split(name: str) -> Method:
    method = getattr(str, name)

    def run(context: Context, text: str, *arguments: Any, **named: Any) -> Any:
        context.spend(len(text) >> TEXT_SHIFT)
        found = method(text, *arguments, **named)
        context.spend(len(found) >> ROW_SHIFT)
        return found

    return run


_TEXT_METHODS = (
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable "
    "isspace istitle isupper lower lstrip partition removeprefix removesuffix rfind rindex rpartition rstrip startswith strip swapcase "
    "title upper"
)

TEXT: Final[dict[str, Method]] = {
    **_from(str, _TEXT_METHODS),
    **{name: _padded(name) for name in ("center", "ljust", "rjust", "zfill")},
    **{name: _split(name) for name in ("rsplit", "split", "splitlines")},
    "encode": _encoded,
    "expandtabs": _expanded,
    "format": _formatted,
    "format_map": _formatted_map,
    "join": _joined,
    "replace": _replaced,
    "translate": _translated,
}


def _update(context: Context, mapping: dict[Any, Any], values: Any = (), /, **named: Any) -> None:
    found = pairs(context, values) | named
    for key, value in found.items():
        _set_item(context, mapping, key, value)


def _set_item(context: Context, mapping: Any, key: Any, value: Any) -> None:
    if type(key) is not (int if type(mapping) is list else str):
        raise TypeError(f"what is set has {'a number' if type(mapping) is list else 'a text'} as its key, not {name_of(key)}")
    mapping[key] = settled(context, value)


def _delete_item(context: Context, mapping: Any, key: Any) -> None:
    pay(context, mapping if type(mapping) is list else None)
    del mapping[key if type(key) is slice else hashable(context, key)]


def _get_item(context: Context, mapping: Any, key: Any) -> Any:
    return mapping[hashable(context, key)]


def _set_default(context: Context, mapping: dict[Any, Any], key: Any, default: Any = None) -> Any:
    if key not in mapping:
        _set_item(context, mapping, key, default)
    return mapping[key]


def _by_key(method: Callable[..., Any]) -> Method:
    def run(context: Context, mapping: Any, key: Any, *default: Any) -> Any:
        return method(mapping, hashable(context, key), *default)

    return run


def _copied(context: Context, value: Any) -> Any:
    pay(context, value)
    return dict(value) if type(value) in MAPPINGS else value.copy()


MAPPING: Final[dict[str, Method]] = {
    **_from(dict, "clear items keys popitem values"),
    "__delitem__": _delete_item,
    "__getitem__": _get_item,
    "__setitem__": _set_item,
    "copy": _copied,
    "get": _by_key(dict.get),
    "pop": _by_key(dict.pop),
    "setdefault": _set_default,
    "update": _update,
}


def _append(context: Context, values: list[Any], value: Any) -> None:
    values.append(settled(context, value))


def _insert(context: Context, values: list[Any], at: Any, value: Any) -> None:
    pay(context, values)
    values.insert(at, settled(context, value))


def _extend(context: Context, values: list[Any], more: Any) -> None:
    found = list(sequence(context, more))
    context.spend(len(found))
    values.extend([settled(context, value) for value in found])


def _searching(name: str) -> Method:
    def run(context: Context, values: Any, value: Any, *bounds: Any) -> Any:
        if type(value) not in PLAIN:
            weigh(context, values)
        contains(context, value, values)
        return getattr(values, name)(value, *bounds)

    return run


LIST: Final[dict[str, Method]] = {
    **_from(list, "clear pop reverse"),
    "__delitem__": _delete_item,
    "__getitem__": lambda _, values, key: values[key],
    "__setitem__": _set_item,
    "append": _append,
    "copy": _copied,
    "count": _searching("count"),
    "extend": _extend,
    "index": _searching("index"),
    "insert": _insert,
    "remove": _searching("remove"),
    "sort": sort,
}


def _sets(name: str) -> Method:
    method = getattr(set, name)

    def run(context: Context, value: Any, *others: Any) -> Any:
        pay(context, value)
        found = [{hashable(context, one) for one in steps(context, other)} for other in others]
        return method(set(value) if type(value) is frozenset else value, *found)

    return run


def _add(context: Context, values: set[Any], value: Any) -> None:
    values.add(hashable(context, value))


def _discard(context: Context, values: set[Any], value: Any) -> None:
    values.discard(hashable(context, value))


_SET_METHODS = "difference intersection isdisjoint issubset issuperset symmetric_difference union"

SET: Final[dict[str, Method]] = {
    **{name: _sets(name) for name in _SET_METHODS.split()},
    **{name: _sets(name) for name in ("difference_update", "intersection_update", "symmetric_difference_update", "update")},
    "add": _add,
    "clear": _paid(set.clear),
    "copy": _copied,
    "discard": _discard,
}


def _strftime(context: Context, moment: Any, pattern: Any) -> str:
    return str(moment.strftime(date_format(context, pattern)))


def _of_date(kind: type, names: str) -> dict[str, Method]:
    return _from(kind, names) | {"strftime": _strftime}


def _found(name: str) -> Method:
    method = patterns.METHODS[name]

    def run(context: Context, pattern: Any, text: Any) -> Any:
        return method(context, pattern, text)

    return run


def _cut(name: str) -> Method:
    method = patterns.METHODS[name]

    def run(context: Context, pattern: Any, *arguments: Any, **named: Any) -> Any:
        if len(arguments) > 3 or "flags" in named:
            raise TypeError(f"{name}() of a compiled pattern takes no flags")
        return method(context, pattern, *arguments, **named)

    return run


def _of_match(name: str) -> Method:
    method = getattr(patterns.Match, name)

    def run(context: Context, match: Any, *arguments: Any) -> Any:
        return method(match, context, *arguments)

    return run


_DATE_METHODS = "ctime isocalendar isoformat isoweekday replace timetuple toordinal weekday"

METHODS: Final[dict[type, dict[str, Method]]] = {
    str: TEXT,
    bytes: {**_from(bytes, "endswith find hex startswith strip"), "decode": _decoded},
    int: _from(int, "bit_count bit_length conjugate is_integer" if hasattr(int, "is_integer") else "bit_count bit_length conjugate"),
    float: _from(float, "as_integer_ratio hex is_integer"),
    dict: MAPPING,
    BaseRecord: MAPPING,
    list: LIST,
    tuple: {name: LIST[name] for name in ("count", "index")},
    set: SET,
    frozenset: {name: SET[name] for name in _SET_METHODS.split()},
    datetime: _of_date(datetime, f"{_DATE_METHODS} astimezone date dst time timestamp timetz tzname utcoffset utctimetuple"),
    date: _of_date(date, _DATE_METHODS),
    time: _of_date(time, "dst isoformat replace tzname utcoffset"),
    timedelta: _from(timedelta, "total_seconds"),
    timezone: _from(timezone, "tzname utcoffset"),
    patterns.Pattern: {
        **{name: _found(name) for name in ("findall", "finditer", "fullmatch", "match", "search")},
        **{name: _cut(name) for name in ("split", "sub", "subn")},
    },
    patterns.Match: {name: _of_match(name) for name in ("end", "expand", "group", "groupdict", "groups", "span", "start")},
}
METHODS[bool] = METHODS[int]

_date_parts = ("day", "month", "year")
_time_parts = ("fold", "hour", "microsecond", "minute", "second", "tzinfo")

ATTRIBUTES: Final[dict[type, frozenset[str]]] = {
    datetime: frozenset({*_date_parts, *_time_parts}),
    date: frozenset(_date_parts),
    time: frozenset(_time_parts),
    timedelta: frozenset({"days", "microseconds", "seconds"}),
    type(date(1, 1, 1).isocalendar()): frozenset({"week", "weekday", "year"}),
    struct_time: frozenset({f"tm_{part}" for part in ("hour", "isdst", "mday", "min", "mon", "sec", "wday", "yday", "year")}),
    patterns.Pattern: frozenset({"flags"}),
}
"""Attributes that are no methods."""

BY_NAME: Final[dict[str, dict[type, Method]]] = {
    name: {kind: methods[name] for kind, methods in METHODS.items() if name in methods}
    for name in sorted({name for methods in METHODS.values() for name in methods})
}
"""The methods by their names: what is looked up when an expression is compiled."""

KNOWN: Final[frozenset[str]] = frozenset(BY_NAME) | frozenset[str]().union(*ATTRIBUTES.values())
"""Every name that may stand behind a dot."""

_CHANGING = (
    "__delitem__ __setitem__ add append clear difference_update discard extend insert intersection_update pop popitem remove reverse "
    "setdefault shuffle sort symmetric_difference_update update"
)
CHANGING: Final = frozenset(_CHANGING.split())
"""Methods that change what they are called on."""
