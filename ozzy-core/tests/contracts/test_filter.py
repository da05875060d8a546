"""A filter is one method."""

import pytest

from ozzy import BaseFilter, BaseRecord, Batch


class Even(BaseFilter):
    def filter(self, item):
        return item["n"] % 2 == 0 and "truthy, not True"


def test_a_mask_has_a_truth_for_each_row():
    assert Even().mask(Batch.from_records([{"n": 1}, {"n": 2}])) == [False, True]
    assert Even().mask(Batch.from_lines([b'{"n":2}', b'{"n":3}'])) == [True, False]


def test_items_are_records_with_a_group():
    class Seen(BaseFilter):
        def filter(self, item):
            return isinstance(item, BaseRecord) and item.group_membership == ()

    assert Seen().mask(Batch.from_lines([b"{}"])) == [True]


def test_a_filter_without_its_method_says_so():
    with pytest.raises(NotImplementedError, match="BaseFilter has no filter"):
        BaseFilter().mask(Batch.from_records([{}]))


def test_what_a_filter_reads_is_unknown_unless_said():
    assert Even().reads is None
