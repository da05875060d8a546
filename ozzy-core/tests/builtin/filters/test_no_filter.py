import pytest

from ozzy import Batch
from ozzy.builtin.filters.no_filter import NoFilter


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_every_row_stays(rows):
    assert NoFilter().mask(Batch.from_records([{"n": n} for n in range(rows)])) == [True] * rows


def test_lines_are_not_decoded():
    batch = Batch.from_lines([b"not even JSON"])
    kept = batch.where(NoFilter().mask(batch))
    assert kept is batch
    assert kept.faces == ("lines",)


def test_a_single_record_stays():
    assert NoFilter().filter({}) is True


def test_it_looks_at_no_field():
    assert NoFilter.reads == ()
