"""`drop` leaves out what is named; the rest stays byte for byte."""

import pytest

from ozzy import ConfigError
from ozzy.builtin.transforms.drop import DropTransform


def drop(*fields, **options):
    return DropTransform({"options": {"fields": list(fields), **options}})


def test_what_is_named_goes_and_the_rest_keeps_its_order(made):
    assert repr(made(drop("b", "x"), {"c": 1, "b": 2, "a": None})) == repr([{"c": 1, "a": None}])
    assert made(drop("a"), {"a": 1}, {}) == [{}, {}]


def test_values_keep_their_bytes_and_untouched_lines_all_of_them(new_lines):
    changed, untouched = '{"b": 1, "n" : 1.50 ,"s":"\\u0061", "o":{ "x" : 9007199254740993 }}', '{ "n" : 1.50, "n":2 }'

    assert new_lines(drop("b"), changed, untouched) == ['{"n":1.50,"s":"\\u0061","o":{ "x" : 9007199254740993 }}', untouched]


def test_nested_fields_and_lists(made, new_lines):
    record = {"a": {"b": 1, "c": [{"d": 1, "e": 2}, {"e": 3}, 4, [{"d": 5}]]}, "d": 6}

    assert made(drop("a.c.d", "a.b"), record) == [{"a": {"c": [{"e": 2}, {"e": 3}, 4, [{}]]}, "d": 6}]
    assert new_lines(drop("a.b", "x.y"), '{"a":{"c": 1.50 , "b":2}, "x":[{"z": 1}]}') == ['{"a":{"c":1.50},"x":[{"z": 1}]}']
    assert new_lines(drop("x.y"), '{"x" :[{"z": 1}]}') == ['{"x" :[{"z": 1}]}']


def test_a_whole_field_goes_with_all_that_is_in_it(made):
    assert made(drop("a.b", "a"), {"a": {"b": 1, "c": 2}, "d": 3}) == [{"d": 3}]


@pytest.mark.parametrize("value", [None, 1, "b", [], {}])
def test_a_path_that_leads_nowhere_changes_nothing(made, value):
    assert made(drop("a.b"), {"a": value}) == [{"a": value}]


def test_separators(made):
    record = {"a.b": 1, "a": {"b": 2}}

    assert made(drop("a.b", nested_field_separator=""), record) == [{"a": {"b": 2}}]
    assert made(drop("a/b", nested_field_separator="/"), record) == [{"a.b": 1, "a": {}}]


def test_what_it_says_of_itself():
    transform = drop("a.b", "c")

    assert (transform.reads, transform.writes, transform.face) == (("a", "c"), ("a", "c"), "tokens")


def test_no_fields_are_a_mistake():
    with pytest.raises(ConfigError, match="fields"):
        drop()
