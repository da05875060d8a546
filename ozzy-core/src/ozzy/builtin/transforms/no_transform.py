"""The transform that changes nothing."""

from ozzy import BaseTransform, Batch


class NoTransform(BaseTransform):
    """Leaves records as they are, in whichever form they come."""

    idle = True
    independent = True
    reads = ()
    writes = ()
    one_to_one = True

    def transform_batch(self, batch: Batch) -> Batch:
        return batch
