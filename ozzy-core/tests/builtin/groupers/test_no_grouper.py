import pytest

from ozzy import BaseRecord, Batch
from ozzy.builtin.groupers.no_grouper import NoGrouper


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_every_row_has_the_empty_group(rows):
    batch = Batch.from_lines([b"not even JSON"] * rows)
    assert NoGrouper().keys(batch) == [()] * rows
    assert batch.faces == ("lines",)


def test_the_inherited_way_gives_the_same():
    grouped = list(NoGrouper().group_batch([BaseRecord(n=1)]))
    assert [record.group_membership for record in grouped] == [()]
