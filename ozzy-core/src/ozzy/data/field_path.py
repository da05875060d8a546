"""Field paths: how a config names a value inside a record, such as `address.city`."""

from typing import Any, Final

import attrs

from ozzy.data.json_text import MISSING

SEPARATOR: Final = "."


@attrs.frozen
class FieldPath:
    """A way from a record to one of its values, a key a step.

    >>> path = FieldPath.parse("address.city")
    >>> path.get({"address": {"city": "Oz"}})
    'Oz'
    >>> path.get({"address": "unknown"}, default="nowhere")
    'nowhere'
    """

    steps: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, separator: str = SEPARATOR) -> "FieldPath":
        """The path that `text` names; with an empty separator, one key that is `text` itself."""
        return cls(tuple(text.split(separator)) if separator else (text,))

    @property
    def root(self) -> str:
        """The top-level field it begins with."""
        return self.steps[0]

    def get(self, record: Any, default: Any = MISSING) -> Any:
        """The value, or `default` where a step meets no mapping or no such key. A null at the end is a value: None."""
        value = record
        for step in self.steps:
            if not isinstance(value, dict) or step not in value:
                return default
            value = value[step]
        return value

    def within(self, value: Any, default: Any = MISSING) -> Any:
        """The value, from that of the root field; `MISSING` there is `default` here."""
        if value is MISSING:
            return default
        for step in self.steps[1:]:
            if not isinstance(value, dict) or step not in value:
                return default
            value = value[step]
        return value

    def __str__(self) -> str:
        return SEPARATOR.join(self.steps)


def roots(paths: "tuple[FieldPath, ...] | list[FieldPath]") -> tuple[str, ...]:
    """The top-level fields that these paths begin with, each once, in order: what to ask a batch to select."""
    return tuple(dict.fromkeys(path.root for path in paths))
