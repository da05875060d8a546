"""Rows are what a list of bytes is, however they were made."""

from array import array
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozzy import Rows

LISTS = st.lists(st.binary(max_size=6), max_size=12)
BOUNDS = st.none() | st.integers(-15, 15)


def of_text(rows: list[bytes]) -> Rows:
    return Rows(b"".join(rows), array("I", map(len, rows)))


def of_list(rows: list[bytes]) -> Rows:
    return Rows.of(rows)


def of_ends(rows: list[bytes]) -> Rows:
    """Rows that share an end, which the list leaves out."""
    return Rows.of([row.removesuffix(b"\n") for row in rows], b"\n")


MAKES = pytest.mark.parametrize("make", [of_text, of_list, of_ends])


def given_rows(make, rows):
    """The rows as this way of making them has them."""
    return [row.removesuffix(b"\n") + b"\n" for row in rows] if make is of_ends else rows


def assert_same(expected: list[bytes], actual: Rows) -> None:
    assert actual.text == b"".join(expected)
    assert actual.lengths == array("I", map(len, expected))
    assert actual.ends == list(accumulate(map(len, expected)))
    assert actual.size == sum(map(len, expected))
    assert len(actual) == len(expected)
    assert list(actual) == expected
    assert actual == expected
    assert expected == actual


@MAKES
@given(rows=LISTS)
def test_text_lengths_and_ends_are_those_of_the_list(make, rows):
    expected = given_rows(make, rows)
    assert_same(expected, make(rows))
    assert [make(rows)[at] for at in range(-len(rows), len(rows))] == expected * 2


@MAKES
@given(LISTS, BOUNDS, BOUNDS, st.sampled_from([None, 1, 2, -1, -3]))
def test_a_slice_is_rows(make, rows, start, stop, step):
    assert_same(given_rows(make, rows)[start:stop:step], make(rows)[start:stop:step])


@MAKES
@given(LISTS, st.data())
def test_rows_are_taken_in_the_order_of_their_indices(make, rows, data):
    indices = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=20) if rows else st.just([]))
    expected, made = given_rows(make, rows), make(rows)
    assert_same([expected[at] for at in indices], made.take(indices))
    assert_same(expected, made)
    assert_same(expected[2:5], made.take(range(len(rows)))[2:5])


@MAKES
@given(LISTS, st.binary(max_size=3), st.booleans())
def test_separators_stand_between_rows(make, rows, separator, first):
    expected = given_rows(make, rows)
    assert_same([separator + row if at or first else row for at, row in enumerate(expected)], make(rows).separated(separator, first=first))


@MAKES
def test_an_index_beyond_them_is_an_error(make):
    for at in (2, -3):
        with pytest.raises(IndexError):
            make([b"a\n", b"b\n"])[at]


def test_rows_stay_what_they_are():
    rows = of_text([b"a", b"b"])
    assert Rows.of(rows) is rows
    assert_same([b"a;", b"b;"], Rows.of(rows, b";"))


@MAKES
def test_other_rows_are_not_equal(make):
    assert make([b"a\n", b"b\n"]) != [b"a\n", b"c\n"]
    assert make([b"a\n", b"b\n"]) != make([b"a\n"])
    assert make([b"a\n"]) != (b"a\n",)
    assert repr(make([b"a\n"])) == r"Rows.of([b'a\n'])"
