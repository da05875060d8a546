"""Groups are the texts of some fields, the same from lines and from records."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import BaseRecord, Batch, ConfigError
from ozzy.builtin.groupers.file_key import FileKeyGrouper


def grouper(*keys):
    return FileKeyGrouper({"name": "file_key", "options": {"keys": list(keys)}})


def groups(grouper, *records):
    """The groups of some records: from lines, from records, and the inherited way, which all have to agree."""
    by_lines = list(grouper.keys(Batch.from_lines([json.dumps(record).encode() for record in records])))
    grouped = list(grouper.group_batch([BaseRecord(record) for record in records]))

    assert by_lines == list(grouper.keys(Batch.from_records(list(records))))
    assert by_lines == [record.group_membership for record in grouped]
    assert all(type(text) is str for group in by_lines for text in group)
    return by_lines


def test_a_group_is_the_values_of_fields():
    records = [{"country": "es", "city": {"name": "Cádiz"}}, {"country": "uk", "city": {"name": ""}}]

    assert groups(grouper("country"), *records) == [("es",), ("uk",)]
    assert groups(grouper("city.name", "country"), *records) == [("Cádiz", "es"), ("", "uk")]
    assert groups(grouper("country", "country"), *records) == [("es", "es"), ("uk", "uk")]


@pytest.mark.parametrize("record", [{}, {"a": None}, {"a": {}}, {"a": {"b": None}}, {"a": "b"}, {"a": ["b"]}, {"a": 5}, {"a.b": "x"}])
def test_what_is_not_there_is_unknown(record):
    assert groups(grouper("a.b"), record) == [("unknown",)]


def test_other_values_are_their_json():
    records = [{"a": value} for value in (1, True, 1.0, "1", 10**30, False, 0, "true", [1, "é"], {"b": None}, "unknown", None)]
    expected = ["1", "true", "1.0", "1", "1" + "0" * 30, "false", "0", "true", '[1,"é"]', '{"b":null}', "unknown", "unknown"]

    assert [group for (group,) in groups(grouper("a"), *records)] == expected
    assert [group for (group,) in groups(grouper("a"), *reversed(records))] == expected[::-1]


def test_values_of_different_types_stay_apart_once_they_are_known():
    one = grouper("a")

    assert groups(one, {"a": "1"}, {"a": 1}, {"a": True}) == [("1",), ("1",), ("true",)]
    assert groups(one, {"a": 1.0}, {"a": "1"}, {"a": 1}) == [("1.0",), ("1",), ("1",)]


def test_the_inherited_way_sets_key_and_membership():
    [record] = grouper("a.b", "c").group_batch([BaseRecord({"a": {"b": "x"}})])

    assert record.group_key == ["a.b", "c"]
    assert record.group_membership == ("x", "unknown")


def test_many_groups_are_not_all_remembered():
    one = grouper("a")
    for start in range(0, 30_000, 10_000):
        texts = [str(number) for number in range(start, start + 10_000)]
        assert groups(one, *({"a": text} for text in texts)) == [(text,) for text in texts]

    assert len(one._known) == 10_000


def test_a_grouper_tells_what_it_reads():
    assert grouper("a.b", "c", "a.d").reads == ("a", "c")


@pytest.mark.parametrize("options", [{}, {"keys": []}, {"keys": "a"}, {"keys": [1]}])
def test_wrong_keys_are_errors_of_the_config(options):
    with pytest.raises(ConfigError, match=r"grouper\.options\.keys"):
        FileKeyGrouper({"options": options})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200)
@given(
    records=st.lists(st.dictionaries(st.sampled_from(["a", "b"]), JSON, max_size=2), min_size=1, max_size=6),
    keys=st.lists(st.sampled_from(["a", "b", "a.b", "b.a.b", "c"]), min_size=1, max_size=3),
)
def test_lines_and_records_are_grouped_the_same(records, keys):
    assert len(groups(grouper(*keys), *records)) == len(records)
