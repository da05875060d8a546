"""Groupers: which output file a record lands in."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ozzy.contracts.module import BaseModule, overrides
from ozzy.data.batch import Batch
from ozzy.data.json_text import encode_record
from ozzy.errors import DataError

GroupKey = tuple[str, ...]


class BaseGrouper(BaseModule):
    """Gives each record the values of its group.

    Write `key(item)`, which returns one value or several; or `group_batch(batch)`, which sets each record's `group_membership` and
    yields it; or, for speed, `keys(batch)`.

    >>> class ByCountry(BaseGrouper):
    ...     def key(self, item):
    ...         return item["country"]
    >>> ByCountry().keys(Batch.from_records([{"country": "es"}]))
    [('es',)]
    """

    kind: ClassVar[str] = "grouper"
    reads: Sequence[str] | None = None

    @classmethod
    def width(cls, options: Any) -> int | None:  # noqa: ARG003 - for those whose options decide
        """How many values a group has with these options, None where that depends on the records. Names of files are checked by it."""
        return None

    def key(self, item: Any) -> Any:
        """The group of one record: a value, or a tuple or list of them."""
        raise NotImplementedError(f"{type(self).__name__} has no key(), group_batch() or keys()")

    def group_batch(self, batch: Any) -> Iterable[Any]:
        """Set `group_membership` on each record and yield it, all of them and in order."""
        for item in batch:
            item.group_membership = membership(self.key(item))
            yield item

    def keys(self, batch: Batch) -> Sequence[GroupKey]:
        """The group of each row. Called once for each batch that is not empty."""
        if overrides(self, "group_batch", BaseGrouper):
            grouped = list(self.group_batch(iter(batch)))
            if len(grouped) != len(batch):
                raise DataError(f"{type(self).__name__} was given {len(batch)} records and gave back {len(grouped)}")
            return [membership(item.group_membership) for item in grouped]
        return [membership(self.key(item)) for item in batch]


def membership(value: Any) -> GroupKey:
    """Group values as texts: a text as it is, None as `unknown`, anything else as its JSON.

    >>> membership(["es", None, 5, True])
    ('es', 'unknown', '5', 'true')
    """
    values = value if isinstance(value, (tuple, list)) else (value,)
    return tuple(["unknown" if one is None else one if isinstance(one, str) else encode_record(one).decode() for one in values])
