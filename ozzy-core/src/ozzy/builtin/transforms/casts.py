"""What casts to what: each function takes a value that is not null, gives back the very same one where it is of the type already."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from ozzy.data.json_text import encode_record

_WHOLE = re.compile(r"[+-]?[0-9]{1,4300}(?:\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?", re.ASCII)
_TOO_FINE = re.compile(r"[.,][0-9]{7}")
_SHOWN = 40
_LARGEST = 4300
"""Digits that an exact number may have, as many as Python reads of an integer."""

_TRUE = frozenset(("true", "yes", "on", "1", "t", "y"))
_FALSE = frozenset(("false", "no", "off", "0", "f", "n"))


class NoCast(ValueError):  # noqa: N818 - it never leaves the transform
    """A value that does not cast; the text says what it is."""


def _no(value: Any) -> NoCast:
    if isinstance(value, (dict, list)):
        return NoCast("it is an object" if isinstance(value, dict) else "it is a list")
    try:
        text = value if isinstance(value, str) else str(value)
    except ValueError:
        return NoCast("it is an integer of very many digits")
    return NoCast(f"{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'!r} ({type(value).__name__})")


def to_int(value: Any) -> int:
    """A whole number, of any size; true is 1. Raises NoCast for a fraction."""
    if type(value) is int:
        return value
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(text := value.strip()):
        return int(text.partition(".")[0])
    raise _no(value)


def to_float(value: Any) -> float:
    """A number as JSON reads one; an integer only where a float holds it exactly. Raises NoCast."""
    if type(value) is float:
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()) and not _WHOLE.fullmatch(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise _no(value)
        return number
    whole = to_int(value)
    try:
        number = float(whole)
    except OverflowError:
        raise _no(value) from None
    if number != whole:
        raise _no(value)
    return number


def to_str(value: Any) -> str:
    """A text; numbers, true and false as JSON writes them. Raises NoCast for lists and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        raise _no(value)
    text = encode_record(value).decode()
    return text.strip('"')


def to_bool(value: Any) -> bool:
    """True or false, out of their usual words and of 1 and 0. Raises NoCast."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise _no(value)


def to_decimal(value: Any) -> str:
    """An exact number as a text without an exponent; the digits of a text stay, a float has the fewest that tell it. Raises NoCast."""
    if isinstance(value, bool):
        raise _no(value)
    if isinstance(value, (int, float, Decimal)):
        text = encode_record(value).decode().strip('"')
    else:
        text = value.strip() if isinstance(value, str) else ""
    if not _NUMBER.fullmatch(text):
        raise _no(value)
    number = Decimal(text)
    if number.adjusted() > _LARGEST or len(number.as_tuple().digits) > _LARGEST or number.as_tuple().exponent < -_LARGEST:  # type: ignore[operator]
        raise _no(value)
    exact = format(number, "f")
    return value if exact == value else exact


def to_datetime(value: Any) -> str:
    """A point in time in ISO 8601, UTC as `Z`. Raises NoCast."""
    if isinstance(value, str):
        return _same(value, _iso(_read_iso(value)))
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, date):
        return _iso(datetime(value.year, value.month, value.day))  # noqa: DTZ001 - a date has no zone
    raise _no(value)


def to_date(value: Any) -> str:
    """A day in ISO 8601. Raises NoCast."""
    if isinstance(value, str):
        return _same(value, _iso(_read_iso(value).date()))
    if isinstance(value, datetime):
        return _iso(value.date())
    if isinstance(value, date):
        return _iso(value)
    raise _no(value)


def _read_iso(text: str) -> datetime:
    if not _TOO_FINE.search(text):
        try:
            return datetime.fromisoformat(text.strip())
        except ValueError:
            pass
    raise _no(text)


def _iso(value: date) -> str:
    return encode_record(value).decode().strip('"')


def _same(given: str, made: str) -> str:
    return given if given == made else made


def formatted_datetime(how: str, value: Any) -> str:
    """A point in time out of a text that is written so. Raises NoCast."""
    return _iso(_parsed(how, value)) if isinstance(value, str) else to_datetime(value)


def formatted_date(how: str, value: Any) -> str:
    """A day out of a text that is written so. Raises NoCast."""
    return _iso(_parsed(how, value).date()) if isinstance(value, str) else to_date(value)


def _parsed(how: str, text: str) -> datetime:
    try:
        return datetime.strptime(text.strip(), how)  # noqa: DTZ007 - a zone is the format's business
    except (ValueError, OverflowError):
        raise _no(text) from None


CASTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "int": to_int,
    "float": to_float,
    "str": to_str,
    "bool": to_bool,
    "date": to_date,
    "datetime": to_datetime,
    "decimal": to_decimal,
}

FORMATTED: Final[Mapping[str, Callable[[str, Any], Any]]] = {"date": formatted_date, "datetime": formatted_datetime}
"""Those that take the format of a text too."""
