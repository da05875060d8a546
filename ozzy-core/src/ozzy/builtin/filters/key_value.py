"""Filters by the values of fields."""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, ClassVar, Final

from ozzy import BaseFilter, Batch, Problem, option, options
from ozzy.builtin.filters.column_tests import Condition, mask_of
from ozzy.builtin.filters.operators import OPERATORS, check, make_column_test
from ozzy.data.field_path import FieldPath, roots
from ozzy.data.json_text import MISSING
from ozzy.data.table import Mask, Table

_COMPARED: Final = frozenset({"==", ">", ">=", "<", "<=", "in"})
_MANY: Final = 8
"""Texts of a list that are looked for one by one."""


@options
class KeyValue:
    """One condition: the field's name, the value to compare with, and how."""

    name: str = option(help="The field; nested ones with the separator between the names.", example="address.city")
    value: Any = option(factory=lambda: MISSING, help="What to compare with. It has to be given, but for exists, where it is true if not.")
    operator: str = option(
        default="==",
        choices=OPERATORS,
        help="==, !=: the field is the value, or is another; >, >=, <, <=: the field is greater or less; a number and a text pass none of "
        "these; in, not_in: the field is one of the values, or none of them; contains: the value is in the field; re_match: the field "
        "begins with a match of the pattern; exists: with the value true the field is there, null included, with false it is not.",
    )

    def wanted(self, operator: str) -> Any:
        """What an operator compares with; `MISSING` where nothing is given."""
        return True if operator == "exists" and self.value is MISSING else self.value


@options
class KeyValueOptions:
    """Options of the filters by values."""

    keys: list[KeyValue] = option(help="Conditions; a record is kept where all of them hold.", example=[{"name": "country", "value": "es"}])
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")


class KeyValueFilter(BaseFilter):
    """Keeps records whose fields have the given values.

    A record without the field is not kept, except by `exists: false`. Values are equal as in JSON: 1 is 1.0, true is not 1, a text is
    never a number, a null is a value. `>`, `>=`, `<` and `<=` compare numbers with numbers and texts with texts, which they order by
    their characters, so dates and times compare where they are written alike (ISO 8601, one offset); between a number and a text, and
    for true, false, null, lists and mappings, there is no order, and the record is not kept. `in` and `not_in` want a list, a text (the
    field is a part of it) or a mapping (the field is one of its keys); `contains` looks into lists, texts and keys of mappings the
    same way. `re_match` looks at texts as they are, at other values as JSON, and at null never.
    """

    Options: ClassVar[type] = KeyValueOptions
    independent = True
    only_operator: ClassVar[str | None] = None
    """The operator of every condition, None for the one that each names."""

    @classmethod
    def check_options(cls, options: KeyValueOptions) -> Iterator[Problem]:
        """Values that an operator can do nothing with, such as patterns that are none."""
        for number, entry in enumerate(options.keys):
            operator = cls.only_operator or entry.operator
            yield from check(operator, entry.wanted(operator), f"keys.{number}.value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        separator = self.options.nested_field_separator
        operators = [self.only_operator or entry.operator for entry in self.options.keys]
        wanted = [entry.wanted(operator) for entry, operator in zip(self.options.keys, operators, strict=True)]
        self._conditions = [Condition(*pair) for pair in zip(operators, wanted, strict=True)]
        paths = [FieldPath.parse(entry.name, separator) for entry in self.options.keys]
        self._tests = [(path, condition.test) for path, condition in zip(paths, self._conditions, strict=True)]
        self._columns = [make_column_test(condition.operator, condition.wanted) for condition in self._conditions]
        self._fields = roots([path for path, _ in self._tests])
        self.total = all(condition.operator != "re_match" for condition in self._conditions)
        self.reads = self._fields

    def filter(self, item: Any) -> bool:
        return all(test(path.get(item)) for path, test in self._tests)

    def mask(self, batch: Batch) -> Sequence[bool]:
        if not self._tests:
            return [True] * len(batch)
        if batch.table is not None:
            return self._mask_of_columns(batch.table)
        packed = [_told(batch, path, one) for (path, _), one in zip(self._tests, self._conditions, strict=True)]
        known = [mask for mask in packed if mask is not None]
        return reduce(_both, known if len(known) == len(packed) else self._masks_of_values(batch))

    def _masks_of_values(self, batch: Batch) -> Iterator[Sequence[bool]]:
        columns = dict(zip(self._fields, batch.columns(self._fields), strict=True))
        for (path, _), test in zip(self._tests, self._columns, strict=True):
            values = columns[path.root]
            yield test(values if len(path.steps) == 1 else list(map(path.within, values)))

    def _mask_of_columns(self, table: Table) -> Mask:
        kept = Mask.all(truth=True, count=table.num_rows)
        for (path, _), condition in zip(self._tests, self._conditions, strict=True):
            if not kept.kept:
                break
            kept = kept.both(mask_of(table, path, condition))
        return kept


def _told(batch: Batch, path: FieldPath, condition: Condition) -> Sequence[bool] | None:
    """What a condition says of each row, where that can be told without making values."""
    operator, wanted = condition.operator, condition.wanted
    if len(path.steps) > 1 or operator not in _COMPARED:
        return None
    if operator != "in":
        return batch.compared(path.root, operator, wanted)
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= _MANY or not all(isinstance(one, str) for one in wanted):
        return None
    found = [batch.compared(path.root, "==", one) for one in wanted]
    known = [mask for mask in found if mask is not None]
    return reduce(_either, known) if len(known) == len(found) else None


def _either(one: Sequence[bool], other: Sequence[bool]) -> list[bool]:
    return list(map(or_, one, other))


def _both(one: Sequence[bool], other: Sequence[bool]) -> list[bool]:
    return list(map(and_, one, other))


class KeyValueRegexFilter(KeyValueFilter):
    """Keeps records whose fields begin with a match of the given patterns, whatever `operator` says.

    A record without the field, or where it is null, is not kept. Values that are no text are looked at as JSON.
    """

    only_operator = "re_match"
