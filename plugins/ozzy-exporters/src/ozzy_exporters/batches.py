"""What inherited programs hand over as records."""

from collections.abc import Iterable
from typing import Any

from ozzy import Batch


def as_batch(records: Iterable[Any]) -> Batch:
    """Records, of whatever kind of iterable, as a batch."""
    return records if isinstance(records, Batch) else Batch.from_records(list(records))
