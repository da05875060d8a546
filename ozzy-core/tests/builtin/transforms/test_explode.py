"""`explode` makes a record of each element; the rest of the record stays as it is."""

import pytest

from ozzy import Batch, ConfigError, DataError
from ozzy.builtin.transforms.explode import ExplodeTransform


def explode(field="l", **options):
    return ExplodeTransform({"options": {"field": field, **options}})


def test_a_record_for_each_element_at_the_place_of_the_list(made):
    records = made(explode(), {"a": 1, "l": ["x", None, {"y": 1}, [2]], "b": 2}, {"l": [3]})

    assert repr(records) == repr(
        [{"a": 1, "l": "x", "b": 2}, {"a": 1, "l": None, "b": 2}, {"a": 1, "l": {"y": 1}, "b": 2}, {"a": 1, "l": [2], "b": 2}, {"l": 3}]
    )


EMPTY = [{"a": 1, "l": []}, {"a": 2, "l": None}, {"a": 3}]


def test_records_without_elements_are_dropped(made):
    assert made(explode(), *EMPTY) == []
    assert made(explode("l.m"), {"l": None}, {"l": {}}, {"l": {"m": []}}) == []


def test_or_kept(made):
    assert made(explode(keep_empty=True), *EMPTY) == [{"a": 1, "l": None}, {"a": 2, "l": None}, {"a": 3}]
    assert made(explode("l.m", keep_empty=True), {"l": None}, {"l": {}}, {"l": {"m": []}}) == [{"l": None}, {"l": {}}, {"l": {"m": None}}]


def test_the_number_of_an_element(made):
    assert made(explode(index_field="n", keep_empty=True), {"l": ["x", "y"], "a": 1}, {"a": 2}, {"l": []}) == [
        {"l": "x", "a": 1, "n": 0},
        {"l": "y", "a": 1, "n": 1},
        {"a": 2, "n": None},
        {"l": None, "n": None},
    ]


def test_a_number_has_no_place_where_a_field_has_its_name():
    for batch in (Batch.from_records([{}, {"l": [1], "n": 0}]), Batch.from_lines([b"{}", b'{"l":[1],"n":0}'])):
        with pytest.raises(DataError, match="the record has a field 'n' already") as raised:
            explode(index_field="n").transform_batch(batch)
        assert raised.value.row == 1


def test_nested_fields(made):
    record = {"o": {"t": 1, "p": {"l": [1, {"x": 2}], "u": 3}}, "a": 4}

    assert repr(made(explode("o.p.l"), record)) == repr(
        [{"o": {"t": 1, "p": {"l": 1, "u": 3}}, "a": 4}, {"o": {"t": 1, "p": {"l": {"x": 2}, "u": 3}}, "a": 4}]
    )


def test_values_keep_their_bytes(new_lines):
    line = '{"a": 1.50 ,"l":[ 1E5 , {"b" : 2}], "c":"\\u0061"}'

    assert new_lines(explode(), line) == ['{"a":1.50,"l":1E5,"c":"\\u0061"}', '{"a":1.50,"l":{"b" : 2},"c":"\\u0061"}']
    assert new_lines(explode(keep_empty=True), '{ "a" : 1.50 }') == ['{ "a" : 1.50 }']


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"l": {"m": 1}}, "l.m is neither a list nor null, but of type int"),
        ({"l": {"m": {}}}, "l.m is neither a list nor null, but of type dict"),
        ({"l": [{"m": []}]}, "l is neither an object nor null, but of type list"),
        ({"l": "text"}, "l is neither an object nor null, but of type str"),
    ],
)
def test_what_is_no_list_makes_a_record_bad(record, message):
    with pytest.raises(DataError) as raised:
        explode("l.m", keep_empty=True).transform_batch(Batch.from_records([{}, record]))

    assert (raised.value.message, raised.value.row) == (message, 1)


def test_a_list_that_is_too_long_makes_a_record_bad(made):
    assert len(made(explode(limit=3), {"l": [1, 2, 3]})) == 3
    with pytest.raises(DataError, match="l has 4 elements, and 3 are allowed"):
        explode(limit=3).transform_batch(Batch.from_records([{"l": [1, 2, 3, 4]}]))


def test_records_share_nothing():
    batch = explode(index_field="n").transform_batch(Batch.from_records([{"l": [1, 2, 3], "o": {"p": [{"q": 1}], "t": (1, 2)}}]))
    first, second, third = batch.records
    first["o"]["p"][0]["q"] = 2

    assert second["o"] == third["o"] == {"p": [{"q": 1}], "t": [1, 2]}


def test_separators(made):
    assert made(explode("a.b", nested_field_separator=""), {"a.b": [1]}) == [{"a.b": 1}]
    assert made(explode("a/b", nested_field_separator="/"), {"a": {"b": [1]}}) == [{"a": {"b": 1}}]


def test_the_number_needs_a_field_of_its_own():
    with pytest.raises(ConfigError, match="it is the field that is taken apart"):
        explode("l.m", index_field="l")


def test_what_it_says_of_itself():
    transform = explode("a.b", index_field="n")

    assert (transform.reads, transform.writes, transform.one_to_one, transform.face) == (("a", "n"), ("a", "n"), False, "tokens")
