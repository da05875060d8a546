"""Field paths lead through mappings and nowhere else."""

import pytest

from ozzy.data.field_path import FieldPath, roots
from ozzy.data.json_text import MISSING


@pytest.mark.parametrize(
    ("text", "separator", "expected"),
    [
        ("city", ".", ("city",)),
        ("address.city", ".", ("address", "city")),
        ("address.city", "/", ("address.city",)),
        ("address->city", "->", ("address", "city")),
        ("address.city", "", ("address.city",)),
        ("", ".", ("",)),
        ("a..b", ".", ("a", "", "b")),
        ("ciudad.münchen", ".", ("ciudad", "münchen")),
    ],
)
def test_parse_cuts_at_the_separator(text, separator, expected):
    assert expected == FieldPath.parse(text, separator).steps


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"a": {"b": 1}}, 1),
        ({"a": {"b": None}}, None),
        ({"a": {"b": {}}}, {}),
        ({"a": {}}, MISSING),
        ({"a": None}, MISSING),
        ({"a": "b"}, MISSING),
        ({"a": ["b"]}, MISSING),
        ({"a": 0}, MISSING),
        ({}, MISSING),
        ({"a.b": 1}, MISSING),
    ],
)
def test_get_and_within_find_the_same(record, expected):
    path = FieldPath.parse("a.b")

    assert expected == path.get(record)
    assert expected == path.within(record.get("a", MISSING))
    assert (7 if expected is MISSING else expected) == path.get(record, default=7)
    assert (7 if expected is MISSING else expected) == path.within(record.get("a", MISSING), default=7)


def test_a_single_step_is_the_field_itself():
    path = FieldPath.parse("a")

    assert path.within(None) is None
    assert path.within([1]) == [1]
    assert path.within(MISSING) is MISSING


def test_roots_are_named_once_in_order():
    paths = [FieldPath.parse(text) for text in ("b.x", "a", "b.y", "c.z.z")]

    assert roots(paths) == ("b", "a", "c")
    assert str(paths[3]) == "c.z.z"
