"""Grouping by the values of fields."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ozzy import BaseGrouper, Batch, option, options
from ozzy.contracts.grouper import GroupKey, membership
from ozzy.data.field_path import FieldPath, roots
from ozzy.data.json_text import MISSING

_KEPT = 10_000


@options
class FileKeyOptions:
    """Options of the grouper by fields."""

    keys: list[str] = option(
        minimum=1, help="Fields whose values make a group, nested ones with dots between the names.", example=["address.country"]
    )


class FileKeyGrouper(BaseGrouper):
    """A group for each combination of the values of some fields.

    A text is taken as it is, any other value as JSON; a missing field, a null, or no mapping on the way to a nested one is `unknown`.
    """

    Options: ClassVar[type] = FileKeyOptions
    independent = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._paths = [FieldPath.parse(key) for key in self.options.keys]
        self._fields = roots(self._paths)
        self._flat = self._fields == tuple(self.options.keys)
        self._known: dict[tuple[Any, ...], GroupKey] = {}
        self._single: dict[Any, GroupKey] = {}
        self.reads = self._fields

    @classmethod
    def width(cls, options: FileKeyOptions) -> int:
        return len(options.keys)

    def key(self, item: Any) -> tuple[Any, ...]:
        return tuple([path.get(item, None) for path in self._paths])

    def group_batch(self, batch: Any) -> Iterable[Any]:
        for item in batch:
            item.group_key = list(self.options.keys)
            item.group_membership = membership(self.key(item))
            yield item

    def keys(self, batch: Batch) -> Sequence[GroupKey]:
        if len(self._fields) == 1 and self._flat:
            return self._of_one(batch.columns(self._fields)[0])
        rows = batch.select(self._fields)
        if not self._flat:
            places = [(path, self._fields.index(path.root)) for path in self._paths]
            rows = [tuple([path.within(row[place], None) for path, place in places]) for row in rows]
        try:
            groups = list(map(self._known.get, rows))
        except TypeError:
            groups = [None] * len(rows)
        return [group or self._new(values) for group, values in zip(groups, rows, strict=True)]

    def _of_one(self, column: Sequence[Any]) -> Sequence[GroupKey]:
        try:
            return list(map(self._single.__getitem__, column))
        except (KeyError, TypeError):
            return [(self._single.get(value) if type(value) is str else None) or self._new((value,)) for value in column]

    def _new(self, values: tuple[Any, ...]) -> GroupKey:
        """The group of values; only texts are remembered, since 1, 1.0 and true are one key of a dict and three groups."""
        group = membership(tuple([None if value is MISSING else value for value in values]))
        if len(self._known) < _KEPT and all(isinstance(value, str) for value in values):
            self._known[values] = group
            if len(values) == 1:
                self._single[values[0]] = group
        return group
