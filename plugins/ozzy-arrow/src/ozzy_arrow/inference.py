"""Types of columns out of records, all of them: integers, floats, texts, true and false, lists and objects of those, and nothing guessed.

A text is a text, whatever it looks like. A number is a float where one of the column's numbers is one. Where all values of a column are
null, it is a column of texts.
"""

from collections.abc import Iterable
from typing import Any

from ozzy import DataError
from ozzy.data.record import Record
from ozzy_arrow.library import pa

HINT = "Give the formatter a schema, or cast the field before."

_NAMES = {bool: "true or false", int: "an integer", float: "a float", str: "a text", list: "a list", dict: "an object"}


class Shape:
    """What the values of one place have been so far. `kind` is None as long as all were null."""

    __slots__ = ("element", "kind", "members", "place", "row", "small")

    def __init__(self, place: str) -> None:
        self.place = place
        self.kind: type | None = None
        self.row = 0
        self.small = True
        self.element: Shape | None = None
        self.members: dict[str, Shape] = {}

    def add(self, value: Any, row: int) -> None:
        """Take one more value. Raises DataError where it is of another kind than those before."""
        if value is None:
            return
        kind = type(value)
        if kind is int and self.small and not -(2**63) <= value < 2**63:
            self.small = False
            self.row = row
        if kind is not self.kind:
            self._become(kind, value, row)
        if kind is list:
            if self.element is None:
                self.element = Shape(f"{self.place}[]")
            for one in value:
                self.element.add(one, row)
        elif kind is dict:
            for name, one in value.items():
                member = self.members.get(name)
                if member is None:
                    member = self.members[name] = Shape(f"{self.place}.{name}" if self.place else name)
                member.add(one, row)

    def column(self) -> Any:
        """The type that holds all of the values. Raises DataError where there is none."""
        if self.kind is dict:
            if not self.members:
                raise DataError(f"{self.place} is an empty object wherever it is there, and no column holds that", hint=HINT)
            return pa().struct([(name, member.column()) for name, member in self.members.items()])
        if self.kind is list:
            return pa().list_(self.element.column() if self.element is not None else pa().string())
        if self.kind is int and not self.small:
            raise DataError(f"{self.place} is an integer of more than 64 bits in record {self.row + 1} of the file", hint=HINT)
        named = {bool: pa().bool_, int: pa().int64, float: pa().float64}
        return named[self.kind]() if self.kind in named else pa().string()

    def _become(self, kind: type, value: Any, row: int) -> None:
        if self.kind is None:
            if kind not in _NAMES:
                raise DataError(f"{self.place} is a {kind.__name__}, for which there is no column", hint=HINT)
            self.kind, self.row = kind, row
        elif {kind, self.kind} == {int, float}:
            self.kind = float
        elif kind is not self.kind:
            was, now = _NAMES[self.kind], _NAMES.get(kind, kind.__name__)
            raise DataError(f"{self.place} is {was} in record {self.row + 1} of the file, and {now} in record {row + 1}", hint=HINT)


def inferred(records: Iterable[Record]) -> Any:
    """The `pyarrow.Schema` that holds all of these records, columns in the order in which they appear. Raises DataError."""
    whole = Shape("")
    for row, record in enumerate(records):
        whole.add(dict(record) if type(record) is not dict else record, row)
    return pa().schema([(name, member.column()) for name, member in whole.members.items()])
