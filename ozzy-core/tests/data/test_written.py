"""Rows as they stand in their source go with the rows that are chosen, and are gone where others are made of them."""

from ozzy import Batch
from ozzy.builtin.transforms.drop import DropTransform
from ozzy.data.written import Written, csv_form

FORM = csv_form(["a"], ",", '"', None, doublequote=True)


def batch():
    return Batch.from_records([{"a": number} for number in range(4)], written=Written(FORM, [b"0", b"1.0", b'"2"', b"3"]))


def test_chosen_rows_keep_their_bytes():
    assert batch().where([True, False, True, False]).written.rows == [b"0", b'"2"']
    assert batch().where([True] * 4).written.rows == [b"0", b"1.0", b'"2"', b"3"]
    assert batch().take([3, 0]).written.rows == [b"3", b"0"]
    assert batch().take(range(1, 3)).where([False, True]).written.rows == [b'"2"']


def test_changed_and_remade_rows_have_none():
    assert batch().changed().written is None
    assert DropTransform({"options": {"fields": ["b"]}}).transform_batch(batch()).written is None
    assert Batch.from_records([{"a": 1}]).where([False]).written is None


def test_rows_of_one_form_are_joined():
    other = Batch.from_records([{"a": 9}], written=Written(csv_form(["a"], ";", '"', None, doublequote=True), [b"9"]))

    assert Batch.joined([batch().take([0]), batch().take([1])]).written.rows == [b"0", b"1.0"]
    assert Batch.joined([batch(), other]).written is None
    assert Batch.joined([batch(), Batch.from_records([{"a": 1}])]).written is None
    assert Batch.joined([]).written is None


def test_forms_are_told_apart_by_columns_and_signs():
    assert csv_form(("a",), ",", '"', None, doublequote=True) == FORM
    assert csv_form(["b"], ",", '"', None, doublequote=True) != FORM
    assert csv_form(["a"], ",", None, None, doublequote=True) != FORM
