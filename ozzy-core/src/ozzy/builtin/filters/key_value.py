"""Filters by the values of fields."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import eq, itemgetter
from typing import Any, ClassVar

from ozzy import BaseFilter, Batch, Problem, option, options
from ozzy.data.field_path import FieldPath, roots
from ozzy.data.json_text import MISSING, encode_record

Test = Callable[[Any], bool]


@options
class KeyValue:
    """One condition: the field's name, the value to compare with, and how."""

    name: str = option(help="The field; nested ones with the separator between the names.", example="address.city")
    value: Any = option(help="What to compare with.")
    operator: str = option(
        default="==",
        choices=("==", "in", "contains", "re_match"),
        help="==: the field is the value; in: the field is one of the values; contains: the value is in the field; re_match: the field "
        "begins with a match of the pattern.",
    )


@options
class KeyValueOptions:
    """Options of the filters by values."""

    keys: list[KeyValue] = option(help="Conditions; a record is kept where all of them hold.", example=[{"name": "country", "value": "es"}])
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")


class KeyValueFilter(BaseFilter):
    """Keeps records whose fields have the given values.

    A record without the field is not kept. Values are equal as in JSON: 1 is 1.0, true is not 1. `in` wants a list, a text (the field
    is a part of it) or a mapping (the field is one of its keys); `contains` looks into lists, texts and keys of mappings the same
    way. `re_match` looks at texts as they are, at other values as JSON, and at null never.
    """

    Options: ClassVar[type] = KeyValueOptions
    only_operator: ClassVar[str | None] = None
    """The operator of every condition, None for the one that each names."""

    @classmethod
    def check_options(cls, options: KeyValueOptions) -> Iterator[Problem]:
        """Patterns that are none, and containers that can hold nothing."""
        for number, entry in enumerate(options.keys):
            operator = cls.only_operator or entry.operator
            if operator == "re_match":
                yield from _check_pattern(f"keys.{number}.value", entry.value)
            elif operator == "in" and not isinstance(entry.value, (list, str, dict)):
                yield Problem(f"keys.{number}.value", f"expected a list, a text or a mapping for the operator in, given {entry.value!r}")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        separator = self.options.nested_field_separator
        self._tests = [
            (FieldPath.parse(entry.name, separator), _test(self.only_operator or entry.operator, entry.value))
            for entry in self.options.keys
        ]
        self._fields = roots([path for path, _ in self._tests])
        self.reads = self._fields

    def filter(self, item: Any) -> bool:
        return all(test(path.get(item)) for path, test in self._tests)

    def mask(self, batch: Batch) -> Sequence[bool]:
        if not self._tests:
            return [True] * len(batch)
        rows = batch.select(self._fields)
        masks = []
        for path, test in self._tests:
            values = map(itemgetter(self._fields.index(path.root)), rows)
            masks.append(list(map(test, values if len(path.steps) == 1 else map(path.within, values))))
        return masks[0] if len(masks) == 1 else list(map(all, zip(*masks, strict=True)))


class KeyValueRegexFilter(KeyValueFilter):
    """Keeps records whose fields begin with a match of the given patterns, whatever `operator` says.

    A record without the field, or where it is null, is not kept. Values that are no text are looked at as JSON.
    """

    only_operator = "re_match"


def _check_pattern(path: str, pattern: Any) -> Iterator[Problem]:
    if not isinstance(pattern, str):
        yield Problem(path, f"expected a regular expression, given {pattern!r}")
        return
    try:
        re.compile(pattern)
    except re.error as error:
        yield Problem(path, f"not a regular expression: {error}")


def _test(operator: str, wanted: Any) -> Test:
    """What a value must pass; `MISSING` passes no test."""
    if operator == "re_match":
        return partial(_matches, re.compile(wanted).match)
    if operator == "in" and isinstance(wanted, list) and all(isinstance(one, str) for one in wanted):
        return partial(_is_among, frozenset(wanted))
    if operator == "in":
        return partial(_holds, wanted)
    if operator == "contains":
        return partial(_is_held, wanted)
    if isinstance(wanted, str):
        return partial(eq, wanted)
    return partial(_same, wanted)


def _same(wanted: Any, value: Any) -> bool:
    """Equality as in JSON, at every depth."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(_same, wanted, value))
    if isinstance(wanted, dict):
        return isinstance(value, dict) and value.keys() == wanted.keys() and all(_same(one, value[key]) for key, one in wanted.items())
    return bool(wanted == value)


def _is_among(texts: frozenset[str], value: Any) -> bool:
    return isinstance(value, str) and value in texts


def _holds(container: Any, value: Any) -> bool:
    """Whether a value is in a list, is a part of a text, or a key of a mapping."""
    if isinstance(container, list):
        return any(_same(one, value) for one in container)
    return isinstance(container, (str, dict)) and isinstance(value, str) and value in container


def _is_held(value: Any, container: Any) -> bool:
    return _holds(container, value)


def _matches(match: Callable[[str], Any], value: Any) -> bool:
    if value is None or value is MISSING:
        return False
    return match(value if isinstance(value, str) else encode_record(value).decode()) is not None
