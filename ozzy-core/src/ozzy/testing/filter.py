"""The suites of filters and groupers, which look at records and never change them."""

from collections.abc import Sequence
from typing import Any

from ozzy import Batch, DataError
from ozzy.testing.remembering import RememberingContract
from ozzy.testing.verdict import difference, plain, shown


class _LookingContract(RememberingContract):
    """What filters and groupers promise alike."""

    def test_records_are_left_as_they_are(self) -> None:
        """It looks, and changes nothing."""
        batch = self.batch(self.samples)
        list(self.outcome(self.make(), batch))
        problem = difference(self.samples, [plain(record) for record in batch.records])
        if problem:
            self.broken(f"it changes the records it only looks at: {problem}")

    def test_it_reads_what_it_says(self) -> None:
        """Without the fields that `reads` leaves out, the outcome is the same."""
        records = self.reads_only(self.make())
        if records is not None:
            self.same(self.whole(), self.outcome(self.make(), self.batch(records)), "without the fields it says it does not read")


class FilterContract(_LookingContract):
    """What a filter promises: a truth for each row, whatever face and batch it comes in, and nothing changed.

        class TestDripping(FilterContract):
            module = DrippingFilter
            options = {"litres": 3}
            records = [{"tap": "kitchen", "litres": 5}, {"tap": "bath", "litres": 0}]

    Samples that are not given are made up.
    """

    def outcome(self, module: Any, batch: Batch) -> Sequence[Any]:
        mask = module.mask(batch)
        if len(mask) != len(batch):
            self.broken(f"mask() gives {len(mask)} truths for a batch of {len(batch)} rows")
        for row, truth in enumerate(mask):
            if truth not in (True, False):
                self.broken(f"mask() gives {truth!r} for row {row + 1}: a truth is True or False")
        return [bool(truth) for truth in mask]


class GrouperContract(_LookingContract):
    """What a grouper promises: for each row the values of its group, as many for each, and nothing lost or changed.

        class TestByTap(GrouperContract):
            module = TapGrouper
            records = [{"tap": "kitchen", "litres": 5}, {"tap": "bath", "litres": 0}]

    Samples that are not given are made up.
    """

    def outcome(self, module: Any, batch: Batch) -> Sequence[Any]:
        count = len(batch)
        try:
            keys = module.keys(batch)
        except DataError as error:
            if count > 1 and error.row is None and "gave back" in error.message:
                self.broken(f"it loses records or makes some up: {error.message}")
            raise
        if len(keys) != count:
            self.broken(f"keys() gives {len(keys)} groups for a batch of {count} rows")
        for row, key in enumerate(keys):
            if not isinstance(key, tuple) or not all(isinstance(value, str) for value in key):
                self.broken(f"keys() gives {shown(key)} for row {row + 1}: a group is a tuple of texts")
        return list(keys)

    def test_every_group_has_as_many_values(self) -> None:
        """A filebase counts on `{groups[1]}` being there for each record."""
        keys = self.whole()
        for row, key in enumerate(keys):
            if len(key) != len(keys[0]):
                self.broken(f"the group of row {row + 1} has {len(key)} values, that of row 1 has {len(keys[0])}")
