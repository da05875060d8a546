"""The sentences in which a broken promise is told."""

import pytest

from ozzy.testing.samples import cuts
from ozzy.testing.verdict import as_text, broken, difference, plain, shown


@pytest.mark.parametrize(
    ("expected", "got", "before", "words"),
    [
        ([1, 2], [1, 2], [], ""),
        ([], [], [], ""),
        ([3, 4], [2, 3, 4], [1, 2], "record 2 came twice (2)"),
        ([1, 2], [1, 2, 2], [], "record 2 came twice (2)"),
        ([1, 2, 3], [1, 3], [], "record 2 is lost (2)"),
        ([3, 4], [], [1, 2], "record 3 is lost (3)"),
        ([1, 2], [2, 1], [], "record 1 is 2 instead of 1"),
        ([1, 2], [1, 5], [], "record 2 is 5 instead of 2"),
        ([1], [1, 5], [], "record 2 is 5 instead of nothing"),
        ([1, 2, 3], [1, 5], [], "record 2 is lost (2)"),
        ([1], [True], [], "record 1 is true instead of 1"),
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}], [], 'record 1 is {"b": 2, "a": 1} instead of {"a": 1, "b": 2}'),
        ([1.0], [1], [], "record 1 is 1 instead of 1.0"),
    ],
)
def test_the_first_thing_that_differs_is_told(expected, got, before, words):
    assert difference(expected, got, before=before) == words


def test_long_values_are_cut():
    assert difference(["x" * 500], []) == f'record 1 is lost ("{"x" * 159}…)'
    assert shown(b"y" * 500) == f"b'{'y' * 158}…"
    assert shown({"a": (1, 2)}) == '{"a": [1, 2]}'


def test_what_has_no_form_in_json_is_shown_as_it_is():
    assert as_text({1}) == "{1}"


def test_a_broken_promise_fails_the_test_with_the_name_of_the_module():
    with pytest.raises(pytest.fail.Exception, match=r"^TapReader: it drips$"):
        broken("TapReader", "it drips")


def test_a_plain_copy_shares_nothing():
    record = {"a": [1]}
    copy = plain(record)
    copy["a"].append(2)

    assert record == {"a": [1]}


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_all_ways_to_cut_hold_all_rows(count):
    assert {sum(sizes) for sizes in cuts(count)} == {count}
    assert min(size for sizes in cuts(count) for size in sizes) == 1
