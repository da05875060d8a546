"""What filters, groupers, transforms and formatters have in common: they are given batches, cut anyhow and with any face."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import accumulate
from typing import Any

import pytest

from ozzy import Batch, OzzyError
from ozzy.data.json_text import encode_record
from ozzy.testing.module import ModuleContract
from ozzy.testing.samples import cuts, huge_record, odd_records, plain_records
from ozzy.testing.verdict import as_text, difference, plain, shown

Record = dict[str, Any]


class BatchContract(ModuleContract):
    """The base of the suites for modules that are given batches.

    `records` are samples of what the module is made for, a list or a fixture; unless given, records of an everyday kind with an `id`.
    Records with missing fields, nulls and odd values are derived from the first of them: the module handles them, or refuses them
    with a DataError.
    """

    records: Any = None
    samples: list[Record]

    @pytest.fixture(autouse=True)
    def with_samples(self, request: pytest.FixtureRequest, in_a_place_of_its_own: None) -> None:
        """The sample records."""
        given = self.value(request, "records")
        self.samples = plain_records() if given is None else [plain(record) for record in given]
        if not self.samples:
            self.broken("`records` is empty: give one record at least")

    def outcome(self, module: Any, batch: Batch) -> Sequence[Any]:
        """What the module makes of a batch, as plain values."""
        raise NotImplementedError(f"{type(self).__name__} has no outcome()")

    def exercise(self, module: Any) -> Any:
        return self.outcome(module, self.batch(self.samples))

    def batch(self, records: Sequence[Mapping[str, Any]], face: str = "records", first: int = 0) -> Batch:
        """A batch of copies of these records with one face, or with `both`."""
        copies: list[Any] = [plain(record) for record in records]
        more: dict[str, Any] = {"split": "sample", "origin": range(first, first + len(copies))}
        if face == "records":
            return Batch.from_records(copies, **more)
        lines = [encode_record(record) for record in copies]
        return Batch.from_lines(lines, **more) if face == "lines" else Batch(lines=lines, records=copies, **more)

    def whole(self) -> Sequence[Any]:
        """What a new module makes of all samples at once."""
        return self.outcome(self.make(), self.batch(self.samples))

    def same(self, expected: Sequence[Any], got: Sequence[Any], what: str) -> None:
        """Fail where two outcomes differ, with the first row that does."""
        for row, (one, other) in enumerate(zip(expected, got, strict=False), 1):
            if as_text(one) != as_text(other):
                self.broken(f"{what}: row {row} is {shown(other)} instead of {shown(one)}")
        if len(expected) != len(got):
            self.broken(f"{what}: there are {len(got)} rows instead of {len(expected)}")

    def test_lines_and_records_are_the_same_to_it(self) -> None:
        """A batch of lines gives what a batch of the same records gives, odd ones included."""
        self._same_as_lines("the samples", self.samples)
        for what, record in odd_records(self.samples):
            self._same_as_lines(what, [record])

    def _same_as_lines(self, what: str, records: list[Record]) -> None:
        as_records, as_lines = self._told(records, "records"), self._told(records, "lines")
        if as_records != as_lines:
            self.broken(f"{what}: as records it gives {shown(as_records)}, as lines {shown(as_lines)}")

    def _told(self, records: list[Record], face: str) -> Any:
        try:
            return [shown(one, 100_000) for one in self.outcome(self.make(), self.batch(records, face))]
        except OzzyError:
            return "an error"

    def test_it_does_not_matter_how_records_are_cut_into_batches(self) -> None:
        """One by one, all at once, or in between: what comes out is the same."""
        expected = self.whole()
        for sizes in cuts(len(self.samples)):
            module = self.make()
            got: list[Any] = []
            for end, size in zip(accumulate(sizes), sizes, strict=True):
                got += self.outcome(module, self.batch(self.samples[end - size : end], first=end - size))
            self.same(expected, got, f"in batches of {', '.join(map(str, sizes))}")

    def test_a_second_time_it_does_the_same(self) -> None:
        """A run that is resumed does some records again, with a new module."""
        self.same(self.whole(), self.whole(), "a second module does otherwise with the same records")

    def test_lines_are_left_as_they_are(self) -> None:
        """The lines of a batch are what was read; nobody writes into them."""
        batch = self.batch(self.samples, "both")
        before = list(batch.lines)
        lines = batch.lines
        list(self.outcome(self.make(), batch))
        if lines != before:
            self.broken(f"it changes the lines of the batch it is given: {difference(before, lines)}")

    def test_odd_records_are_handled_or_refused(self) -> None:
        """Missing fields, nulls, other types: an outcome, or a DataError that says so; never another exception."""
        for what, record in odd_records(self.samples):
            try:
                list(self.outcome(self.make(), self.batch([record])))
            except OzzyError as error:
                if not error.message.strip():
                    self.broken(f"{what} is refused without a word")
            except Exception as error:
                self.broken(f"{what} makes it raise {type(error).__name__} ({error}): handle it, or raise a DataError")

    def test_a_huge_record_is_handled_or_refused(self) -> None:
        """A text of 1 MiB is a text."""
        self.test_one(huge_record(self.samples))

    def test_one(self, record: Record | None = None) -> None:
        """A batch of one record is a batch."""
        try:
            list(self.outcome(self.make(), self.batch([record or self.samples[0]])))
        except OzzyError as error:
            if record is None:
                self.broken(f"it refuses the first sample record: {error}")
        except Exception as error:
            self.broken(f"a record makes it raise {type(error).__name__} ({error}) instead of a DataError")

    def reads_only(self, module: Any) -> list[Record] | None:
        """The samples without the fields that the module says it does not read; None where it says nothing."""
        if module.reads is None:
            return None
        return [{name: value for name, value in record.items() if name in module.reads} for record in deepcopy(self.samples)]
