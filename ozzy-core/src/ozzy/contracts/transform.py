"""Transforms: records in, records out."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ozzy.contracts.module import BaseModule
from ozzy.data.batch import Batch


class BaseTransform(BaseModule):
    """Changes records, drops them, or makes several of one.

    Write `transform_batch(batch)`: yield records (a batch iterates as its records, which may be changed in place), or return a
    new `Batch`.

    >>> class Shout(BaseTransform):
    ...     one_to_one = True
    ...     def transform_batch(self, batch):
    ...         for item in batch:
    ...             item["name"] = item["name"].upper()
    ...             yield item
    >>> list(Shout().transform_batch(Batch.from_records([{"name": "ozzy"}])))
    [{'name': 'OZZY'}]
    """

    kind: ClassVar[str] = "transform"
    reads: Sequence[str] | None = None
    writes: Sequence[str] | None = None
    one_to_one: bool = False
    """Whether each record gives exactly one, in the same order; the books hold it to that."""

    at_most_one: bool = False
    """Whether each record gives one at the most, in the same order; the books count those that give none as filtered."""

    leaves_input: bool = False
    """Whether the records it is given stay as they are, because it makes new ones. Where bad records are passed over, such a transform
    is given whole batches, others are given records one by one."""

    patches: bool = False
    """Whether it only adds fields to lines or leaves some out, so that all else stays as it was read: of a batch without records it makes
    a new one."""

    def transform_batch(self, batch: Batch) -> Batch | Iterable[Any]:
        """The records after the change. Called once for each batch that is not empty.

        The batch itself may be returned: its records count as changed where they were asked for, unless `writes` is empty.
        """
        raise NotImplementedError(f"{type(self).__name__} has no transform_batch()")
