"""Filters, groupers and transforms that are wrong, each in one way."""
# ruff: noqa: E501, RUF012

import itertools

from ozzy import BaseFilter, BaseGrouper, BaseTransform, Batch, DataError
from ozzy.testing import FilterContract, GrouperContract, TransformContract


class ShortMask(BaseFilter):
    """Its mask has no truth for the last row."""

    def mask(self, batch):
        return [True] * (len(batch) - 1)


class TestShortMask(FilterContract):
    module = ShortMask
    says = {"test_one": r"mask\(\) gives 0 truths for a batch of 1 rows"}


class MaskOfOther(BaseFilter):
    """Its mask holds what is no truth."""

    def mask(self, batch):
        return [record.get("country") for record in batch]


class TestMaskOfOther(FilterContract):
    module = MaskOfOther
    says = {"test_one": r"mask\(\) gives 'es' for row 1: a truth is True or False"}


class ChangesRecords(BaseFilter):
    """Writes into the records it looks at."""

    def filter(self, item):
        item["seen"] = True
        return True


class TestChangesRecords(FilterContract):
    module = ChangesRecords
    says = {"test_records_are_left_as_they_are": r"it changes the records it only looks at: record 1 is .*\"seen\": true"}


class TrueIsOne(BaseFilter):
    """Takes text for truth where it looks at lines."""

    def mask(self, batch):
        if "records" in batch.faces:
            return [record.get("active") is True for record in batch.records]
        return [b'"active":true' in line or b'"active":1' in line for line in batch.lines]


class TestTrueIsOne(FilterContract):
    module = TrueIsOne
    says = {
        "test_lines_and_records_are_the_same_to_it": r"a record whose 'active' is 1: as records it gives \[\"false\"\], as lines \[\"true\"\]"
    }


class FirstOfEachBatch(BaseFilter):
    """Keeps the first record of each batch."""

    def mask(self, batch):
        return [row == 0 for row in range(len(batch))]


class TestFirstOfEachBatch(FilterContract):
    module = FirstOfEachBatch
    says = {"test_it_does_not_matter_how_records_are_cut_into_batches": r"in batches of 1, 1, 1.*: row 2 is true instead of false"}


class MissingField(BaseFilter):
    """Counts on a field."""

    def filter(self, item):
        return item["country"] == "es"


class TestMissingField(FilterContract):
    module = MissingField
    says = {
        "test_odd_records_are_handled_or_refused": r"a record without any field makes it raise KeyError \('country'\): handle it, or raise a DataError"
    }


class Forgetful(BaseFilter):
    """Counts in its class what it has seen, and keeps every fifth."""

    seen = itertools.count()

    def filter(self, item):
        return next(self.seen) % 5 == 0


class TestForgetful(FilterContract):
    module = Forgetful
    says = {"test_a_second_time_it_does_the_same": r"a second module does otherwise with the same records"}


class ReadsMore(BaseFilter):
    """Reads a field it does not speak of."""

    reads = ("id",)

    def filter(self, item):
        return item.get("country") == "es"


class TestReadsMore(FilterContract):
    module = ReadsMore
    says = {"test_it_reads_what_it_says": r"without the fields it says it does not read: row 1 is false instead of true"}


class DropsARecord(BaseGrouper):
    """Gives back fewer records than it was given."""

    def group_batch(self, batch):
        for number, item in enumerate(batch):
            item.group_membership = (str(item.get("country")),)
            if number != 3:
                yield item


class TestDropsARecord(GrouperContract):
    module = DropsARecord
    says = {"test_a_second_time_it_does_the_same": r"it loses records or makes some up: .* was given 12 records and gave back 11"}


class FewerKeys(BaseGrouper):
    """Has no group for the last row."""

    def keys(self, batch):
        return [("a",)] * (len(batch) - 1)


class TestFewerKeys(GrouperContract):
    module = FewerKeys
    says = {"test_one": r"keys\(\) gives 0 groups for a batch of 1 rows"}


class KeysOfOther(BaseGrouper):
    """Groups by numbers."""

    def keys(self, batch):
        return [(record.get("id"),) for record in batch]


class TestKeysOfOther(GrouperContract):
    module = KeysOfOther
    says = {"test_one": r"keys\(\) gives \[0\] for row 1: a group is a tuple of texts"}


class MoreOrLess(BaseGrouper):
    """Its groups have now one value, now two."""

    def key(self, item):
        return ("a",) if item.get("active") else ("a", "b")


class TestMoreOrLess(GrouperContract):
    module = MoreOrLess
    says = {"test_every_group_has_as_many_values": r"the group of row 2 has 1 values, that of row 1 has 2"}


class OneToOneAndDrops(BaseTransform):
    """Says that each record gives one, and drops some."""

    one_to_one = True

    def transform_batch(self, batch):
        for item in batch:
            if item.get("active"):
                yield item


class TestOneToOneAndDrops(TransformContract):
    module = OneToOneAndDrops
    says = {"test_one_to_one_is_kept": r"it says one_to_one, is given 12 records and gives 8"}


class OneToOneOutOfOrder(BaseTransform):
    """Says that each record gives one, and turns them around."""

    one_to_one = True

    def transform_batch(self, batch):
        return reversed(list(batch))


class TestOneToOneOutOfOrder(TransformContract):
    module = OneToOneOutOfOrder
    says = {"test_one_to_one_is_kept": r"it says one_to_one, but record 1 is .*\"id\": 11.* in a batch and .*\"id\": 0.* alone"}


class AtMostOneAndDoubles(BaseTransform):
    """Says at_most_one and doubles what is active."""

    at_most_one = True

    def transform_batch(self, batch):
        for item in batch:
            yield item
            if item.get("active") is True:
                yield dict(item)


class TestAtMostOneAndDoubles(TransformContract):
    module = AtMostOneAndDoubles
    says = {"test_at_most_one_is_kept": r"it says at_most_one and makes 2 records of "}


class LeavesInputAndChangesIt(BaseTransform):
    """Says leaves_input and changes a nested value."""

    leaves_input = True

    def transform_batch(self, batch):
        for item in batch:
            copy = dict(item)
            if isinstance(copy.get("address"), dict):
                copy["address"]["zip"] = "0"
            yield copy


class TestLeavesInputAndChangesIt(TransformContract):
    module = LeavesInputAndChangesIt
    says = {"test_what_it_is_given_is_left_alone": r"it says leaves_input, and changes what it is given: "}


class TheSameDict(BaseTransform):
    """Yields one dict again and again."""

    def transform_batch(self, batch):
        made = {}
        for item in batch:
            made.clear()
            made.update(item)
            yield made


class TestTheSameDict(TransformContract):
    module = TheSameDict
    says = {"test_every_record_is_one_of_its_own": r"it yields the same dict more than once: make a new one for each record"}


class NoJson(BaseTransform):
    """Puts into records what has no form in JSON."""

    def transform_batch(self, batch):
        for item in batch:
            yield {**item, "price": complex(1, 2)}


class TestNoJson(TransformContract):
    module = NoJson
    says = {"test_what_comes_out_can_be_written": r"record 1 that it gives can't be written as JSON"}


class NoMapping(BaseTransform):
    """Yields what is no record."""

    def transform_batch(self, batch):
        for item in batch:
            yield list(item.items())


class TestNoMapping(TransformContract):
    module = NoMapping
    says = {"test_one": r"transform_batch\(\) yields .* as record 1: a record is a mapping"}


class IntoTheLines(BaseTransform):
    """Writes into the lines of the batch it is given."""

    def transform_batch(self, batch):
        for row, line in enumerate(batch.lines):
            batch.lines[row] = line[:-1] + b',"seen":true}'
        return Batch.from_lines(list(batch.lines))


class TestIntoTheLines(TransformContract):
    module = IntoTheLines
    says = {"test_lines_are_left_as_they_are": r"it changes the lines of the batch it is given"}


class WritesMore(BaseTransform):
    """Changes a field it does not speak of."""

    one_to_one = True
    writes = ("total",)

    def transform_batch(self, batch):
        for item in batch:
            yield {**item, "total": 1, "name": "x"}


class TestWritesMore(TransformContract):
    module = WritesMore
    says = {"test_it_changes_what_it_says": r"it says that it writes total, and changes other fields: record 1"}


class CountsInABatch(BaseTransform):
    """Numbers the records of each batch from 0."""

    def transform_batch(self, batch):
        for number, item in enumerate(batch):
            yield {**item, "number": number}


class TestCountsInABatch(TransformContract):
    module = CountsInABatch
    says = {"test_it_does_not_matter_how_records_are_cut_into_batches": r"in batches of 1, 1"}


class RefusesWithoutAWord(BaseFilter):
    """Refuses odd records and does not say why."""

    def filter(self, item):
        if not isinstance(item.get("id"), int):
            raise DataError(" ")
        return True


class TestRefusesWithoutAWord(FilterContract):
    module = RefusesWithoutAWord
    says = {"test_odd_records_are_handled_or_refused": r"a record without any field is refused without a word"}


class RefusesEverything(BaseFilter):
    """Refuses what it is made for."""

    def filter(self, item):
        raise DataError("not this one")


class TestRefusesEverything(FilterContract):
    module = RefusesEverything
    says = {"test_one": r"it refuses the first sample record: not this one"}


class NothingHuge(BaseFilter):
    """Can't bear a large text."""

    def filter(self, item):
        return len(item.get("name") or "") < 1000 or item["no such field"]


class TestNothingHuge(FilterContract):
    module = NothingHuge
    says = {"test_a_huge_record_is_handled_or_refused": r"a record makes it raise KeyError \('no such field'\) instead of a DataError"}


class TestNoSamples(FilterContract):
    module = MissingField
    records = []
    says = {"test_one": r"`records` is empty: give one record at least"}


class KeepsTheLast(BaseTransform):
    """Keeps the last record of each batch."""

    def transform_batch(self, batch):
        return list(batch)[-1:]


class TestKeepsTheLast(TransformContract):
    module = KeepsTheLast
    says = {"test_it_does_not_matter_how_records_are_cut_into_batches": r"in batches of 1, 1, .*: (row 1 is|there are)"}


class TwoOfOne(BaseTransform):
    """Says one to one, and means it of whole batches only."""

    one_to_one = True

    def transform_batch(self, batch):
        records = list(batch)
        return records if len(records) > 1 else [*records, *records]


class TestTwoOfOne(TransformContract):
    module = TwoOfOne
    says = {"test_one_to_one_is_kept": r"it says one_to_one and makes 2 records of"}


class ReadsWhatItDoesNotSay(BaseTransform):
    """Reads a field it does not speak of."""

    one_to_one = True
    reads = ("id",)
    writes = ("label",)

    def transform_batch(self, batch):
        for item in batch:
            yield {**item, "label": f"{item.get('id')} {item.get('country')}"}


class TestReadsWhatItDoesNotSay(TransformContract):
    module = ReadsWhatItDoesNotSay
    says = {"test_it_reads_what_it_says": r"without the fields it says it does not read: row 1 is \{\"label\": \"0 None\"\} instead of"}
