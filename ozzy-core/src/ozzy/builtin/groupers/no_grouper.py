"""The grouper that makes one group of all."""

from collections.abc import Sequence
from typing import Any

from ozzy import BaseGrouper, Batch


class NoGrouper(BaseGrouper):
    """All records belong together: the group of each is empty."""

    idle = True
    independent = True
    reads = ()

    @classmethod
    def width(cls, options: Any) -> int:  # noqa: ARG003 - it has none
        return 0

    def key(self, item: Any) -> tuple[str, ...]:
        return ()

    def keys(self, batch: Batch) -> Sequence[tuple[str, ...]]:
        return [()] * len(batch)
