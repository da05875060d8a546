"""Types of columns as a config names them, and the schema that a dict of those is."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ozzy import ConfigError, Problem
from ozzy_arrow.library import pa

_UNIT: Final = r"(?:\[(s|ms|us|ns)\])?"
_SIMPLE: Final = {
    "bool": "bool_",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "int64": "int64",
    "uint8": "uint8",
    "uint16": "uint16",
    "uint32": "uint32",
    "uint64": "uint64",
    "float32": "float32",
    "float64": "float64",
    "string": "string",
    "binary": "binary",
    "date": "date32",
}
_PATTERNS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Any]], ...]] = (
    (re.compile(rf"timestamp{_UNIT}"), lambda found: pa().timestamp(found[1] or "us", "UTC")),
    (re.compile(rf"datetime{_UNIT}"), lambda found: pa().timestamp(found[1] or "us")),
    (re.compile(rf"duration{_UNIT}"), lambda found: pa().duration(found[1] or "us")),
    (re.compile(rf"time{_UNIT}"), lambda found: pa().time32(found[1]) if found[1] in {"s", "ms"} else pa().time64(found[1] or "us")),
    (re.compile(r"decimal\(([1-9][0-9]?), ?([0-9]{1,2})\)"), lambda found: _decimal(int(found[1]), int(found[2]))),
    (re.compile(r"dictionary"), lambda _: pa().dictionary(pa().int32(), pa().string())),
)
NAMES: Final = (
    f"{', '.join(_SIMPLE)}, timestamp and datetime (with and without a time zone), time, duration, decimal(DIGITS, PLACES), dictionary; "
    "[TYPE] for a list, {NAME: TYPE} for an object"
)
_REQUIRED: Final = " not null"


def problems(option: str, schema: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the types of a schema."""
    for name, given in schema.items():
        path = f"{option}.{name}"
        if isinstance(given, Mapping):
            if not given:
                yield Problem(path, "an object needs one field at least")
            yield from problems(path, given)
        elif isinstance(given, list):
            if len(given) != 1:
                yield Problem(path, "a list has one type for its elements")
            else:
                yield from problems(path, {"0": given[0]})
        elif not isinstance(given, str) or not _known(given.removesuffix(_REQUIRED)):
            yield Problem(path, f"{given!r} is no type of a column", f"There are {NAMES}.")


def schema_of(schema: Mapping[str, Any]) -> Any:
    """The `pyarrow.Schema` of names and types that `problems` has nothing against."""
    return pa().schema([_field(name, given) for name, given in schema.items()])


def _field(name: str, given: Any) -> Any:
    required = isinstance(given, str) and given.endswith(_REQUIRED)
    return pa().field(name, _type(given), nullable=not required)


def _known(text: str) -> bool:
    if text in _SIMPLE:
        return True
    found = next((match for pattern, _ in _PATTERNS if (match := pattern.fullmatch(text))), None)
    return found is not None and (not text.startswith("decimal") or int(found[2]) <= int(found[1]) <= 76)


def _type(given: Any) -> Any:
    if isinstance(given, Mapping):
        return pa().struct([_field(name, inner) for name, inner in given.items()])
    if isinstance(given, list):
        return pa().list_(_type(given[0]))
    text = given.removesuffix(_REQUIRED)
    if text in _SIMPLE:
        return getattr(pa(), _SIMPLE[text])()
    for pattern, make in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return make(match)
    raise ConfigError(f"{given!r} is no type of a column", hint=f"There are {NAMES}.")


def _decimal(digits: int, places: int) -> Any:
    return pa().decimal128(digits, places) if digits <= 38 else pa().decimal256(digits, places)
