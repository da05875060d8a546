"""`rename` gives fields other names where they stand, all at once, and says what happens to two of one name."""

import pytest

from ozzy import Batch, ConfigError, DataError
from ozzy.builtin.transforms.rename import RenameTransform


def rename(fields, **options):
    return RenameTransform({"options": {"fields": fields, **options}})


def test_place_and_value_stay(made, new_lines):
    assert repr(made(rename({"b": "x"}), {"c": 1, "b": 2, "a": 3})) == repr([{"c": 1, "x": 2, "a": 3}])
    assert new_lines(rename({"b": 'é"'}), '{"b": 1.50, "c":"\\u0061"}', '{ "c":1 }') == ['{"é\\"":1.50,"c":"\\u0061"}', '{ "c":1 }']


def test_all_at_once(made):
    assert made(rename({"a": "b", "b": "a"}), {"a": 1, "b": 2}, {"a": 1}, {"b": 2}) == [{"b": 1, "a": 2}, {"b": 1}, {"a": 2}]
    assert made(rename({"a": "b", "b": "c"}), {"a": 1, "b": 2}) == [{"b": 1, "c": 2}]


def test_several_old_names_may_lead_to_the_same_new_one(made):
    assert made(rename({"mail": "email", "e_mail": "email"}), {"mail": 1}, {"e_mail": 2}, {}) == [{"email": 1}, {"email": 2}, {}]


def test_to_its_own_name_is_no_change(made):
    assert made(rename({"a": "a"}), {"a": 1, "b": 2}) == [{"a": 1, "b": 2}]


def test_nested_fields_stay_where_they_are(made):
    record = {"a": {"b": 1, "c": [{"d": 2}, {"d": 3, "e": 4}, 5, [{"d": 6}]]}, "b": 7}

    assert made(rename({"a.b": "x", "a.c.d": "y", "a": "z"}), record) == [
        {"z": {"x": 1, "c": [{"y": 2}, {"y": 3, "e": 4}, 5, [{"y": 6}]]}, "b": 7}
    ]
    assert made(rename({"a.c": "x", "a.c.d": "y"}), {"a": {"c": {"d": 1}}}) == [{"a": {"x": {"y": 1}}}]


@pytest.mark.parametrize("value", [None, 1, "b", [], {}, [1]])
def test_a_path_that_leads_nowhere_changes_nothing(made, value):
    assert made(rename({"a.b": "c", "a.x.y": "z"}), {"a": value}) == [{"a": value}]


RECORD = {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("fields", "replaced", "kept"),
    [
        ({"a": "c"}, [("c", 1), ("b", 2)], [("a", 1), ("b", 2), ("c", 3)]),
        ({"c": "a"}, [("b", 2), ("a", 3)], [("a", 1), ("b", 2), ("c", 3)]),
        ({"a": "x", "b": "x"}, [("x", 2), ("c", 3)], [("x", 1), ("b", 2), ("c", 3)]),
        ({"b": "x", "a": "x"}, [("x", 1), ("c", 3)], [("a", 1), ("x", 2), ("c", 3)]),
        ({"a": "c", "b": "a"}, [("c", 1), ("a", 2)], [("a", 1), ("b", 2), ("c", 3)]),
        ({"a": "b", "b": "c"}, [("b", 1), ("c", 2)], [("a", 1), ("b", 2), ("c", 3)]),
    ],
)
def test_collisions(made, fields, replaced, kept):
    assert [list(one.items()) for one in made(rename(fields, on_collision="replace"), RECORD)] == [replaced]
    assert [list(one.items()) for one in made(rename(fields, on_collision="keep"), RECORD)] == [kept]
    for batch in (Batch.from_records([{}, dict(RECORD)]), Batch.from_lines([b"{}", b'{"a":1,"b":2,"c":3}'])):
        with pytest.raises(DataError, match=r"'.' can't be renamed to '.': another field has that name then") as raised:
            rename(fields).transform_batch(batch)
        assert raised.value.row == 1


def test_a_collision_inside_a_field():
    with pytest.raises(DataError, match="'b' can't be renamed to 'c'"):
        rename({"a.b": "c"}).transform_batch(Batch.from_lines([b'{"a":{"b":1,"c":2}}']))


def test_a_new_name_is_no_path():
    with pytest.raises(ConfigError) as raised:
        rename({"a.b": "a.c", "x": "y.z"})

    assert [problem.path for problem in raised.value.problems] == ["transform.options.fields.a.b", "transform.options.fields.x"]


def test_separators(made):
    record = {"a.b": 1, "a": {"b": 2}}

    assert made(rename({"a.b": "x.y"}, nested_field_separator=""), record) == [{"x.y": 1, "a": {"b": 2}}]
    assert made(rename({"a/b": "x.y"}, nested_field_separator="/"), record) == [{"a.b": 1, "a": {"x.y": 2}}]


def test_what_it_says_of_itself():
    transform = rename({"a": "b", "c.d": "e"})

    assert (transform.reads, transform.writes, transform.face) == (("a", "c", "b"), ("a", "c", "b"), "tokens")


def test_nothing_to_rename_is_a_mistake():
    with pytest.raises(ConfigError, match="fields"):
        rename({})
