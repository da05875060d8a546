"""Filters: which records go on."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ozzy.contracts.module import BaseModule
from ozzy.data.batch import Batch


class BaseFilter(BaseModule):
    """Decides for each record whether it goes on. A filter looks and never changes a record.

    Write `filter(item)`; or, for speed, `mask(batch)`, which asks the batch for the face it needs.

    >>> class Even(BaseFilter):
    ...     def filter(self, item):
    ...         return item["n"] % 2 == 0
    >>> Even().mask(Batch.from_records([{"n": 1}, {"n": 2}]))
    [False, True]
    """

    kind: ClassVar[str] = "filter"
    reads: Sequence[str] | None = None
    """The top-level fields it looks at, None for any: told by `ozzy explain`."""
    total: bool = False
    """Whether it judges any record whatever, remembers none, and does so cheaply by the batch: a chain may ask it of every record."""

    def filter(self, item: Any) -> bool:
        """True where the record goes on. Called once for each record, in order; an exception is an error of that record."""
        raise NotImplementedError(f"{type(self).__name__} has no filter()")

    def mask(self, batch: Batch) -> Sequence[bool]:
        """A truth for each row. Called once for each batch that is not empty."""
        return [bool(self.filter(item)) for item in batch]
