"""The operators of conditions: what a value has to pass.

Values are equal as in JSON: 1 is 1.0, true is not 1. A number and a text are never compared with each other, by `!=` neither. A missing
field passes `exists: false` and nothing else.
"""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import Any, Final

from ozzy import Problem
from ozzy.data.json_text import MISSING, encode_record

Test = Callable[[Any], bool]
ColumnTest = Callable[[Sequence[Any]], list[bool]]
Compare = Callable[[Any, Any], bool]

_ORDERS: Final[dict[str, Compare]] = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}

OPERATORS: Final = ("==", "!=", *_ORDERS, "in", "not_in", "contains", "re_match", "exists")


def check(name: str, wanted: Any, path: str) -> Iterator[Problem]:
    """What is wrong with the value that an operator is given."""
    if wanted is MISSING:
        yield Problem(path, f"missing; expected what the operator {name} compares with")
    elif name == "re_match":
        yield from _check_pattern(path, wanted)
    elif name in {"in", "not_in"} and not isinstance(wanted, (list, str, dict)):
        yield Problem(path, f"expected a list, a text or a mapping for the operator {name}, given {wanted!r}")
    elif name in _ORDERS and (not (isinstance(wanted, str) or _is_number(wanted)) or wanted != wanted):  # noqa: PLR0124 - NaN
        yield Problem(path, f"expected a number or a text for the operator {name}, given {wanted!r}")
    elif name == "exists" and not isinstance(wanted, bool):
        yield Problem(path, f"expected true or false for the operator exists, given {wanted!r}")


def make_test(name: str, wanted: Any) -> Test:
    """The test of an operator with this value, which `check` has nothing against."""
    if name == "==":
        return partial(operator.eq, wanted) if isinstance(wanted, str) else partial(same, wanted)
    if name in _ORDERS:
        return partial(_text_order if isinstance(wanted, str) else _number_order, _ORDERS[name], wanted)
    if name == "contains":
        return partial(_is_held, wanted)
    if name == "re_match":
        return partial(_matches, re.compile(wanted).match)
    if name == "exists":
        return partial(_is_there, wanted)
    if name == "!=":
        return partial(_is_another, wanted, make_test("==", wanted))
    if name == "not_in":
        return partial(_is_there_and_fails, make_test("in", wanted))
    if isinstance(wanted, list) and all(isinstance(one, str) for one in wanted):
        return partial(_is_among, frozenset(wanted))
    return partial(_holds, wanted)


def make_column_test(name: str, wanted: Any) -> ColumnTest:
    """The same test of many values at once; most operators need no call for each."""
    test = make_test(name, wanted)
    if isinstance(wanted, str):
        if name == "==":
            return lambda values: [value == wanted for value in values]
        if name in _ORDERS:
            return partial(_order_column, _ORDERS[name], wanted, _TEXTS, test)
    if wanted is None and name == "==":
        return lambda values: [value is None for value in values]
    if _is_number(wanted) and name == "==":
        return lambda values: [value == wanted for value in values] if _exact(values, bool) else list(map(test, values))
    if _is_number(wanted) and name in _ORDERS:
        return partial(_order_column, _ORDERS[name], wanted, _NUMBERS, test)
    if name == "exists":
        return lambda values: [(value is not MISSING) is wanted for value in values]
    if name == "!=":
        return partial(_other_column, wanted, make_column_test("==", wanted), test)
    if name == "not_in":
        passes = make_column_test("in", wanted)
        return lambda values: [not found and value is not MISSING for found, value in zip(passes(values), values, strict=True)]
    if name == "in" and isinstance(wanted, list) and all(isinstance(one, str) for one in wanted):
        texts = frozenset(wanted)
        return lambda values: [value in texts for value in values] if _exact(values, dict, list) else list(map(test, values))
    return lambda values: list(map(test, values))


def unlike(wanted: Any, value: Any) -> bool:
    """Whether one is a number and the other a text."""
    return (isinstance(wanted, str) and _is_number(value)) or (_is_number(wanted) and isinstance(value, str))


def same(wanted: Any, value: Any) -> bool:
    """Equality as in JSON, at every depth."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(same, wanted, value))
    if isinstance(wanted, dict):
        return isinstance(value, dict) and value.keys() == wanted.keys() and all(same(one, value[key]) for key, one in wanted.items())
    return bool(wanted == value)


def _check_pattern(path: str, pattern: Any) -> Iterator[Problem]:
    if not isinstance(pattern, str):
        yield Problem(path, f"expected a regular expression, given {pattern!r}")
        return
    try:
        re.compile(pattern)
    except re.error as error:
        yield Problem(path, f"not a regular expression: {error}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number_order(compare: Compare, wanted: Any, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and compare(value, wanted)


def _order_column(compare: Compare, wanted: Any, ordered: frozenset[type], test: Test, values: Sequence[Any]) -> list[bool]:
    kinds = set(map(type, values))
    if kinds <= ordered:
        return list(map(compare, values, repeat(wanted)))
    if kinds <= ordered | _NOTHING and ordered is _NUMBERS:
        numbers = [_NEVER if value is None or value is MISSING else value for value in values]
        return list(map(compare, numbers, repeat(wanted)))
    if kinds <= _EXACT:
        return [type(value) in ordered and compare(value, wanted) for value in values]
    return list(map(test, values))


def _other_column(wanted: Any, equal: ColumnTest, test: Test, values: Sequence[Any]) -> list[bool]:
    if not _exact(values):
        return list(map(test, values))
    passing = _EXACT - {type(MISSING)} - (_NUMBERS if isinstance(wanted, str) else _TEXTS if _is_number(wanted) else frozenset())
    return [not found and type(value) in passing for found, value in zip(equal(values), values, strict=True)]


def _exact(values: Sequence[Any], *without: type) -> bool:
    """Whether all values are as JSON gives them, and none of some types."""
    return set(map(type, values)) <= _EXACT.difference(without)


def _text_order(compare: Compare, wanted: Any, value: Any) -> bool:
    return isinstance(value, str) and compare(value, wanted)


def _is_there(wanted: bool, value: Any) -> bool:
    return (value is not MISSING) is wanted


def _is_another(wanted: Any, equal: Test, value: Any) -> bool:
    return value is not MISSING and not equal(value) and not unlike(wanted, value)


def _is_there_and_fails(test: Test, value: Any) -> bool:
    return value is not MISSING and not test(value)


def _is_among(texts: frozenset[str], value: Any) -> bool:
    return isinstance(value, str) and value in texts


def _holds(container: Any, value: Any) -> bool:
    """Whether a value is in a list, is a part of a text, or a key of a mapping."""
    if isinstance(container, list):
        return any(same(one, value) for one in container)
    return isinstance(container, (str, dict)) and isinstance(value, str) and value in container


def _is_held(value: Any, container: Any) -> bool:
    return _holds(container, value)


def _matches(match: Callable[[str], Any], value: Any) -> bool:
    if value is None or value is MISSING:
        return False
    return match(value if isinstance(value, str) else encode_record(value).decode()) is not None


_NUMBERS: Final[frozenset[type]] = frozenset({int, float})
_NOTHING: Final[frozenset[type]] = frozenset({type(None), type(MISSING)})
_NEVER: Final = float("nan")
"""Is neither less nor greater than any number, nor equal."""

_TEXTS: Final[frozenset[type]] = frozenset({str})
_EXACT: Final[frozenset[type]] = frozenset({str, int, float, bool, dict, list, type(None), type(MISSING)})
