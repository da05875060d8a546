"""`flatten` opens nested objects, loses nothing, and says what happens to two fields of one name."""

import pytest

from ozzy import Batch, ConfigError, DataError
from ozzy.builtin.transforms.flatten import FlattenTransform


def flatten(**options):
    return FlattenTransform({"options": options})


NESTED = {"a": {"b": 1, "c": {"d": None, "e": []}}, "f": [{"g": 1}, [2]], "h": {}, "i": "x"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"a.b": 1, "a.c.d": None, "a.c.e": [], "f": [{"g": 1}, [2]], "h": {}, "i": "x"}),
        ({"separator": "__"}, {"a__b": 1, "a__c__d": None, "a__c__e": [], "f": [{"g": 1}, [2]], "h": {}, "i": "x"}),
        ({"max_depth": 1}, {"a.b": 1, "a.c": {"d": None, "e": []}, "f": [{"g": 1}, [2]], "h": {}, "i": "x"}),
        ({"lists": "index"}, {"a.b": 1, "a.c.d": None, "a.c.e": [], "f.0.g": 1, "f.1.0": 2, "h": {}, "i": "x"}),
        ({"lists": "index", "max_depth": 1}, {"a.b": 1, "a.c": {"d": None, "e": []}, "f.0": {"g": 1}, "f.1": [2], "h": {}, "i": "x"}),
        ({"lists": "json"}, {"a.b": 1, "a.c.d": None, "a.c.e": "[]", "f": '[{"g":1},[2]]', "h": {}, "i": "x"}),
        ({"lists": "json", "max_depth": 1}, {"a.b": 1, "a.c": {"d": None, "e": []}, "f": '[{"g":1},[2]]', "h": {}, "i": "x"}),
    ],
)
def test_options(made, options, expected):
    assert repr(made(flatten(**options), NESTED)) == repr([expected])


def test_values_keep_their_bytes_and_flat_lines_all_of_them(new_lines):
    lines = ['{"a":{"b": 1.50 ,"c":"\\u0061"}, "d":[1 , 2]}', '{ "d" : [1 , {"a":1}], "e":{} }']

    assert new_lines(flatten(), *lines) == ['{"a.b":1.50,"a.c":"\\u0061","d":[1 , 2]}', lines[1]]


def test_lists_as_json_are_the_same_text_from_lines_and_records(made):
    assert made(flatten(lists="json"), {"a": [1.5, "é", 2**70, {"b": [None]}]}) == [{"a": '[1.5,"é",1180591620717411303424,{"b":[null]}]'}]


@pytest.mark.parametrize(("policy", "expected"), [("first", [("a.b", 1), ("c", 3)]), ("last", [("a.b", 2), ("c", 3)])])
def test_collisions(made, policy, expected):
    record = {"a.b": 1, "a": {"b": 2}, "c": 3}

    assert [list(one.items()) for one in made(flatten(on_collision=policy), record)] == [expected]
    for batch in (Batch.from_records([{}, record]), Batch.from_lines([b"{}", b'{"a.b":1,"a":{"b":2}}'])):
        with pytest.raises(DataError, match=r"two fields would be called 'a.b'") as raised:
            flatten().transform_batch(batch)
        assert raised.value.row == 1


def test_256_levels_are_opened(made):
    record = {"x": 1}
    for _ in range(255):
        record = {"a": record}

    assert made(flatten(), record) == [{"a." * 255 + "x": 1}]


def test_names_without_letters(made):
    assert made(flatten(), {"": {"": 1}, "é": {"日": 2}}) == [{".": 1, "é.日": 2}]


@pytest.mark.parametrize("options", [{"separator": ""}, {"max_depth": 0}, {"lists": "join"}, {"on_collision": "merge"}])
def test_mistakes(options):
    with pytest.raises(ConfigError):
        flatten(**options)
