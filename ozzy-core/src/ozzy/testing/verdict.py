"""How a suite says that a promise is broken: in one sentence, with the module, the place and the record."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import pytest


def broken(name: str, message: str) -> NoReturn:
    """Fail the test: `name` is the module's, `message` says which promise is broken and where."""
    pytest.fail(f"{name}: {message}", pytrace=False)


def shown(value: Any, limit: int = 160) -> str:
    """A value for a message, cut where it is long."""
    text = repr(value) if isinstance(value, (str, bytes)) else as_text(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def as_text(value: Any) -> str:
    """A value as JSON where it has such a form, else its repr: equal for equal values, key order included."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return repr(value)


def json_of(value: Any) -> Any:
    """A value as it comes back from JSON, None where it has no such form."""
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return None


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a record that shares nothing with it."""
    from copy import deepcopy

    return deepcopy(dict(record))


def difference(expected: Sequence[Any], got: Sequence[Any], *, before: Sequence[Any] = ()) -> str:
    """What is wrong with the records that came, empty where nothing is.

    `before` are those that had come earlier; records are counted from 1 over both.
    """
    wanted, came = [as_text(one) for one in expected], [as_text(one) for one in got]
    if wanted == came:
        return ""
    earlier = [as_text(one) for one in before]
    numbers = {text: number for number, text in reversed(list(enumerate([*earlier, *wanted], 1)))}
    known = Counter(wanted) + Counter(earlier)
    for text in (Counter(came) - Counter(wanted)).elements():
        if text in known:
            return f"record {numbers[text]} came twice ({_cut(text)})"
    for text in (Counter(wanted) - Counter(came)).elements():
        if len(came) < len(wanted):
            return f"record {numbers[text]} is lost ({_cut(text)})"
    number = next((at for at, (one, other) in enumerate(zip(wanted, came, strict=False)) if one != other), min(len(wanted), len(came)))
    is_now = _cut(came[number]) if number < len(came) else "nothing"
    was = _cut(wanted[number]) if number < len(wanted) else "nothing"
    return f"record {len(earlier) + number + 1} is {is_now} instead of {was}"


def _cut(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:160]}…"
