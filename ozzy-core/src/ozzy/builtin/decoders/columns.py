"""Types of the columns of a table in text: what a cell becomes, and when it does not fit."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec

ColumnType = Literal["str", "int", "float", "number", "bool", "date", "datetime", "json"]

_INT: Final = re.compile(r"[+-]?[0-9]+")
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BOOLS: Final = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}
_OF_SCHEMA: Final = {"integer": "int", "number": "number", "boolean": "bool", "object": "json", "array": "json"}
_FORMATS: Final = {"date": "date", "date-time": "datetime"}
_SHOWN: Final = 40


class Columns:
    """Makes values of the cells of a row, in place.

    `types` gives columns by name their type, `nulls` lists texts that mean null in every column. A cell that is empty, or blank, is null
    in every column that is no text.
    """

    def __init__(self, header: Sequence[str], types: Mapping[str, str], nulls: Sequence[str]) -> None:
        self.width = len(header)
        self._nulls = frozenset(nulls)
        self._typed = [
            (at, name, types[name], _CONVERTERS[types[name]]) for at, name in enumerate(header) if types.get(name, "str") != "str"
        ]
        self.any = bool(self._typed or nulls)

    def convert(self, row: list[Any]) -> str:
        """Put values in the place of cells; what is wrong, or nothing."""
        if self._nulls:
            row[:] = [None if cell in self._nulls else cell for cell in row]
        for at, name, kind, converter in self._typed:
            cell = row[at]
            if cell is None:
                continue
            text = cell.strip()
            try:
                row[at] = converter(text) if text else None
            except (ValueError, RecursionError):
                shown = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…"
                return f"{name}: {shown!r} is no {kind}"
        return ""


def value_maker(kind: str, nulls: Sequence[str]) -> Callable[[str], Any]:
    """What makes the value of one cell, as `Columns` does. It raises ValueError or RecursionError where the cell does not fit."""
    known, converter = frozenset(nulls), _CONVERTERS.get(kind)

    def value(cell: str) -> Any:
        if cell in known:
            return None
        if converter is None:
            return cell
        text = cell.strip()
        return converter(text) if text else None

    return value


def types_of(schema: Mapping[str, Any]) -> dict[str, str]:
    """The types of columns that a JSON Schema gives its properties; one with several types is JSON, or a text where it may be one.

    >>> types_of({"properties": {"a": {"type": ["integer", "null"]}, "b": {"type": "string", "format": "date"}, "c": {}}})
    {'a': 'int', 'b': 'date', 'c': 'str'}
    """
    properties = schema.get("properties")
    return {str(name): _type_of(one) for name, one in properties.items()} if isinstance(properties, Mapping) else {}


def _type_of(schema: Any) -> str:
    given = schema.get("type") if isinstance(schema, Mapping) else None
    kinds = {kind for kind in (given if isinstance(given, list) else [given]) if kind != "null"}
    if not kinds or not kinds <= _OF_SCHEMA.keys():
        return _FORMATS.get(schema["format"], "str") if kinds == {"string"} and "format" in schema else "str"
    if len(kinds) == 1:
        return _OF_SCHEMA[str(kinds.pop())]
    return "number" if kinds == {"integer", "number"} else "json"


def _int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    value = float(text) if _FLOAT.fullmatch(text) else math.inf
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _number(text: str) -> int | float:
    return int(text) if _INT.fullmatch(text) else _float(text)


def _bool(text: str) -> bool:
    if text.lower() not in _BOOLS:
        raise ValueError(text)
    return _BOOLS[text.lower()]


def _date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    date.fromisoformat(text)
    return text


def _datetime(text: str) -> str:
    if not _DATE.match(text) or len(text) == len("2026-01-01"):
        raise ValueError(text)
    datetime.fromisoformat(text)
    return text


_CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "int": _int,
    "float": _float,
    "number": _number,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "json": msgspec.json.decode,
}
