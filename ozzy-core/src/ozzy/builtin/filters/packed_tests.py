"""The conditions of filters on lines that still lie in their text: told by how the values stand there, without making any."""

import math
from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from typing import Any, Final

from ozzy.builtin.filters.column_tests import Condition
from ozzy.data.field_path import FieldPath
from ozzy.data.json_text import encode_record
from ozzy.data.native import native
from ozzy.data.packed import PackedLines
from ozzy.errors import DataError

_LARGEST: Final = 2**53
_MANY: Final = 8
"""Texts of a list that are looked for one by one."""


def packed_mask(lines: PackedLines, path: FieldPath, condition: Condition) -> list[bool] | None:
    """What a condition says of each line; None where the values have to be looked at."""
    test = _TESTS.get(condition.operator)
    if test is None or len(path.steps) > 1:
        return None
    [spans] = lines.spans((path.root,))
    return test(lines.text, spans, condition.wanted)


def _equal(text: bytes, spans: bytes, wanted: Any) -> list[bool] | None:
    if _is_exact(wanted):
        return native.compared_numbers(text, spans, "=", wanted)
    token = _token(wanted) if isinstance(wanted, str) else None
    return None if token is None else native.equal_texts(text, spans, token)


def _among(text: bytes, spans: bytes, wanted: Any) -> list[bool] | None:
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= _MANY or not all(isinstance(one, str) for one in wanted):
        return None
    found = [_equal(text, spans, one) for one in wanted]
    known = [one for one in found if one is not None]
    return list(reduce(lambda one, other: list(map(or_, one, other)), known)) if len(known) == len(found) else None


def _order(operator: str) -> Callable[[bytes, bytes, Any], list[bool] | None]:
    return lambda text, spans, wanted: native.compared_numbers(text, spans, operator, wanted) if _is_exact(wanted) else None


def _is_exact(wanted: Any) -> bool:
    """Whether a value is a number that a double holds exactly."""
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float)):
        return False
    return math.isfinite(wanted) and (isinstance(wanted, float) or abs(wanted) <= _LARGEST)


def _token(wanted: str) -> bytes | None:
    """A text as it stands in a line where it has no escapes; None where it needs some."""
    try:
        token = encode_record(wanted)
    except DataError:
        return None
    return None if b"\\" in token else token


_TESTS: Final[Mapping[str, Callable[[bytes, bytes, Any], list[bool] | None]]] = {
    "==": _equal,
    "in": _among,
    ">": _order(">"),
    "<": _order("<"),
    ">=": _order("g"),
    "<=": _order("l"),
}
