"""The filter that keeps everything."""

from collections.abc import Sequence
from typing import Any

from ozzy import BaseFilter, Batch


class NoFilter(BaseFilter):
    """Keeps every record, and looks at none."""

    idle = True
    independent = True
    reads = ()

    def filter(self, item: Any) -> bool:
        return True

    def mask(self, batch: Batch) -> Sequence[bool]:
        return [True] * len(batch)
