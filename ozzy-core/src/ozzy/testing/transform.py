"""The suite of transforms."""

import contextlib
from collections.abc import Sequence
from typing import Any

from ozzy import Batch, DataError
from ozzy.contracts.stage import stateful
from ozzy.testing.remembering import RememberingContract
from ozzy.testing.samples import odd_records
from ozzy.testing.verdict import as_text, difference, plain, shown


class TransformContract(RememberingContract):
    """What a transform promises: records that do not depend on how they come, and one for one where it says so.

        class TestLitres(TransformContract):
            module = LitresTransform
            records = [{"gallons": 5}, {"gallons": 0.5}]

    Samples that are not given are made up.
    """

    def outcome(self, module: Any, batch: Batch) -> Sequence[Any]:
        given = module.transform_batch(batch)
        if isinstance(given, Batch):
            return [plain(record) for record in given.records]
        return [self._record(row, record) for row, record in enumerate(given)]

    def _record(self, row: int, record: Any) -> dict[str, Any]:
        if not isinstance(record, dict):
            self.broken(f"transform_batch() yields {shown(record)} as record {row + 1}: a record is a mapping")
        return plain(record)

    def test_one_to_one_is_kept(self) -> None:
        """Where it says `one_to_one`, each record gives exactly one, in the same order."""
        if not self.make().one_to_one:
            return
        whole = self.whole()
        if len(whole) != len(self.samples):
            self.broken(f"it says one_to_one, is given {len(self.samples)} records and gives {len(whole)}")
        module = self.make()
        for row, record in enumerate(self.samples):
            alone = self.outcome(module if stateful(module) else self.make(), self.batch([record]))
            if len(alone) != 1:
                self.broken(f"it says one_to_one and makes {len(alone)} records of {shown(record)}")
            if as_text(alone[0]) != as_text(whole[row]):
                self.broken(f"it says one_to_one, but record {row + 1} is {shown(whole[row])} in a batch and {shown(alone[0])} alone")

    def test_at_most_one_is_kept(self) -> None:
        """Where it says `at_most_one`, no record gives several."""
        if not self.make().at_most_one:
            return
        for record in self.samples:
            alone = self.outcome(self.make(), self.batch([record]))
            if len(alone) > 1:
                self.broken(f"it says at_most_one and makes {len(alone)} records of {shown(record)}")

    def test_what_it_is_given_is_left_alone(self) -> None:
        """Where it says `leaves_input`, the records it was given are afterwards what they were."""
        module = self.make()
        if not module.leaves_input:
            return
        for records in (self.samples, *([record] for _, record in odd_records(self.samples))):
            batch = self.batch(records)
            with contextlib.suppress(DataError):
                self.outcome(module, batch)
            problem = difference([plain(record) for record in records], [plain(record) for record in batch.records])
            if problem:
                self.broken(f"it says leaves_input, and changes what it is given: {problem}")

    def test_every_record_is_one_of_its_own(self) -> None:
        """Records that come out share no memory: who changes one changes no other."""
        given = self.make().transform_batch(self.batch(self.samples))
        records = list(given.records if isinstance(given, Batch) else given)
        if len({id(record) for record in records}) != len(records):
            self.broken("it yields the same dict more than once: make a new one for each record")

    def test_what_comes_out_can_be_written(self) -> None:
        """Every record that comes out has a form in JSON."""
        try:
            _ = Batch.from_records(list(self.whole())).lines
        except DataError as error:
            self.broken(f"record {(error.row or 0) + 1} that it gives {error.message}")

    def test_it_changes_what_it_says(self) -> None:
        """Fields that `writes` leaves out are left alone, where records are one to one."""
        module = self.make()
        if module.writes is None or not module.one_to_one:
            return
        untouched = [_without(record, module.writes) for record in self.samples]
        problem = difference(untouched, [_without(record, module.writes) for record in self.whole()])
        if problem:
            self.broken(f"it says that it writes {', '.join(module.writes)}, and changes other fields: {problem}")

    def test_it_reads_what_it_says(self) -> None:
        """Without the fields that `reads` leaves out, it writes the same."""
        module = self.make()
        records = self.reads_only(module)
        if records is None or module.writes is None or not module.one_to_one:
            return
        expected = [_only(record, module.writes) for record in self.whole()]
        got = [_only(record, module.writes) for record in self.outcome(self.make(), self.batch(records))]
        self.same(expected, got, "without the fields it says it does not read")


def _without(record: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in fields}


def _only(record: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name in fields}
