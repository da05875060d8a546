"""A grouper is one method of three."""

import pytest

from ozzy import BaseGrouper, Batch, DataError
from ozzy.contracts.grouper import membership

RECORDS = [{"a": "x"}, {"a": None}, {"a": 5}]


class ByKey(BaseGrouper):
    def key(self, item):
        return item["a"]


class ByTwoKeys(BaseGrouper):
    def key(self, item):
        return item["a"], True


class ByBatch(BaseGrouper):
    """The inherited way."""

    def group_batch(self, batch):
        for item in batch:
            item.group_key = ["a"]
            item.group_membership = (item["a"],)
            yield item


@pytest.mark.parametrize(
    ("grouper", "expected"),
    [
        (ByKey, [("x",), ("unknown",), ("5",)]),
        (ByTwoKeys, [("x", "true"), ("unknown", "true"), ("5", "true")]),
        (ByBatch, [("x",), ("unknown",), ("5",)]),
    ],
)
def test_each_way_gives_texts_for_each_row(grouper, expected):
    assert grouper().keys(Batch.from_records(list(RECORDS))) == expected
    assert grouper().keys(Batch.from_lines([b'{"a":"x"}', b'{"a":null}', b'{"a":5}'])) == expected


def test_group_batch_is_there_for_one_with_a_key():
    grouped = list(ByKey().group_batch(Batch.from_records(list(RECORDS))))

    assert [item.group_membership for item in grouped] == [("x",), ("unknown",), ("5",)]
    assert grouped == RECORDS


def test_one_that_loses_records_is_found_out():
    class Losing(BaseGrouper):
        def group_batch(self, batch):
            next(batch)
            return batch

    with pytest.raises(DataError, match="Losing was given 3 records and gave back 2"):
        Losing().keys(Batch.from_records(list(RECORDS)))


def test_a_grouper_without_a_method_says_so():
    with pytest.raises(NotImplementedError, match="BaseGrouper has no key"):
        BaseGrouper().keys(Batch.from_records([{}]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", ("x",)),
        ("", ("",)),
        (None, ("unknown",)),
        (True, ("true",)),
        (1.0, ("1.0",)),
        ({"é": 1}, ('{"é":1}',)),
        (("a", 1), ("a", "1")),
        (["a", ["b"]], ("a", '["b"]')),
        ((), ()),
    ],
)
def test_membership_is_texts(value, expected):
    assert membership(value) == expected
