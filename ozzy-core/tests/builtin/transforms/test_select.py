"""`select` keeps what is named, in the order of naming, byte for byte."""

import pytest

from ozzy import ConfigError
from ozzy.builtin.transforms.select import SelectTransform


def select(*fields, **options):
    return SelectTransform({"options": {"fields": list(fields), **options}})


def test_fields_come_in_the_order_in_which_they_are_named(made):
    (record,) = made(select("c", "a"), {"a": 1, "b": 2, "c": None})

    assert list(record.items()) == [("c", None), ("a", 1)]


def test_missing_fields_are_left_out(made):
    assert made(select("a", "x"), {"a": 1}, {"b": 1}, {}) == [{"a": 1}, {}, {}]


def test_values_keep_their_bytes(new_lines):
    line = '{"x":0, "n" : 12345678901234567890123456789012345678901.50 ,"s":"\\u0061\\/é","f":1E5,"l":[1 , 2.0],"d":1,"d":-0}'

    assert new_lines(select("s", "n", "f", "l", "d"), line) == [
        '{"s":"\\u0061\\/é","n":12345678901234567890123456789012345678901.50,"f":1E5,"l":[1 , 2.0],"d":-0}'
    ]


def test_names_that_only_a_mapping_can_have(made, new_lines):
    record = {'"': 1, "a\\b": 2, "\n": 3, "": 4, "é": 5, "b": 6}

    assert made(select("\n", '"', "", "é"), record) == [{"\n": 3, '"': 1, "": 4, "é": 5}]
    assert new_lines(select('"', "b"), '{"b":1.0,"\\"":2.50}') == ['{"\\"":2.50,"b":1.0}']


def test_nested_fields_in_the_order_of_naming(made):
    record = {"a": {"b": 1, "c": {"d": 2, "e": 3}, "f": 4}, "g": 5}

    assert repr(made(select("a.f", "g", "a.c.d", "a.x"), record)) == repr([{"a": {"f": 4, "c": {"d": 2}}, "g": 5}])


def test_a_whole_field_makes_what_is_in_it_needless(made):
    record = {"a": {"b": 1, "c": {"d": 2}}}

    assert made(select("a", "a.b"), record) == made(select("a.b", "a"), record) == [record]
    assert made(select("a.c", "a.c.d.e"), record) == [{"a": {"c": {"d": 2}}}]


def test_lists_give_what_is_named_of_each_of_their_objects(made):
    record = {"a": [{"b": 1, "c": 2}, 3, [{"b": 4}], {}, None, "b"]}

    assert made(select("a.b"), record) == [{"a": [{"b": 1}, [{"b": 4}], {}]}]


@pytest.mark.parametrize("value", [None, 1, "b", True])
def test_a_path_through_something_else_finds_nothing(made, value):
    assert made(select("a.b", "c"), {"a": value, "c": 1}) == [{"c": 1}]


def test_separators(made):
    record = {"a.b": 1, "a": {"b": 2}}

    assert made(select("a.b", nested_field_separator=""), record) == [{"a.b": 1}]
    assert made(select("a/b", nested_field_separator="/"), record) == [{"a": {"b": 2}}]


def test_what_it_says_of_itself():
    transform = select("a.b", "c", "a.d")

    assert (transform.reads, transform.face, transform.one_to_one) == (("a", "c"), "fields a, c", True)


def test_no_fields_are_a_mistake():
    with pytest.raises(ConfigError, match="fields"):
        select()
