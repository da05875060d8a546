"""`flatson` flattens by a JSON Schema: all of its fields, in its order."""

import pytest

from ozzy import Batch, ConfigError, DataError
from ozzy.builtin.transforms.flatson import FlatsonTransform


def flatson(properties, **more):
    return FlatsonTransform({"options": {"flatson_schema": {"type": "object", "properties": properties, **more}}})


def array(**serialize):
    return {"type": "array", **({"flatson_serialize": serialize} if serialize else {})}


SCHEMA = {
    "name": {"type": "string"},
    "address": {
        "type": "object",
        "properties": {"zip": {"type": "string"}, "city": {"type": "object", "properties": {"name": {}}}, "empty": {"type": "object"}},
    },
    "id": {"type": "integer"},
    "any": True,
}


def test_fields_of_the_schema_in_its_order(made):
    record = {"id": 1, "address": {"city": {"name": "Oz"}, "zip": None, "x": 1}, "name": "é", "more": 2, "any": {"left": ["alone"]}}

    assert repr(made(flatson(SCHEMA), record)) == repr(
        [{"name": "é", "address.zip": None, "address.city.name": "Oz", "id": 1, "any": {"left": ["alone"]}}]
    )


@pytest.mark.parametrize("address", [None, "text", [], 5, {}, {"city": None}, {"city": [1]}])
def test_what_is_not_there_is_null(made, address):
    assert (
        made(flatson(SCHEMA), {"address": address}, {})
        == [{"name": None, "address.zip": None, "address.city.name": None, "id": None, "any": None}] * 2
    )


def test_values_keep_their_bytes(new_lines):
    line = '{"n" : 1.50 ,"o":{"p": 12345678901234567890123 ,"q":"\\u0061"}}'

    assert new_lines(flatson({"o": {"type": "object", "properties": {"q": {}, "p": {}}}, "n": {}}), line) == [
        '{"o.q":"\\u0061","o.p":12345678901234567890123,"n":1.50}'
    ]


LIST = [{"name": "size", "value": "é"}, {"value": 2.0, "name": None, "a": [True, {"z": 1, "b": 2}]}]


@pytest.mark.parametrize(
    ("serialize", "value", "expected"),
    [
        ({}, LIST, '[{"name":"size","value":"é"},{"a":[true,{"b":2,"z":1}],"name":null,"value":2.0}]'),
        ({}, [], "[]"),
        ({}, None, None),
        ({}, 2**70, str(2**70)),
        ({}, "text", '"text"'),
        ({"method": "extract_first"}, LIST, LIST[0]),
        ({"method": "extract_first"}, [2**70, 1], 2**70),
        ({"method": "extract_first"}, [], None),
        ({"method": "extract_first"}, None, None),
        ({"method": "join_values"}, ["a", 1, 2.0, None, True, {"b": 1}], 'a,1,2.0,null,true,{"b":1}'),
        ({"method": "join_values", "separator": " | "}, ["a", "b"], "a | b"),
        ({"method": "join_values"}, [], ""),
        ({"method": "extract_key_values"}, [{"b": "x", "a": "y"}, {"c": 1}], "a:y,b:x;c:1"),
        ({"method": "extract_key_values", "separators": ["/", "-", "="]}, [{"b": "x", "a": "y"}, {"c": None}], "a=y-b=x/c=null"),
        ({"method": "extract_key_values"}, [], ""),
    ],
)
def test_lists(made, serialize, value, expected):
    assert repr(made(flatson({"l": array(**serialize)}), {"l": value})) == repr([{"l": expected}])


@pytest.mark.parametrize("method", ["extract_first", "join_values", "extract_key_values"])
@pytest.mark.parametrize("value", ["text", 5, {"a": 1}])
def test_a_method_for_lists_refuses_other_values(method, value):
    for batch in (Batch.from_records([{}, {"l": value}]), Batch.from_lines(Batch.from_records([{}, {"l": value}]).lines)):
        with pytest.raises(DataError, match="l is no list") as raised:
            flatson({"l": array(method=method)}).transform_batch(batch)
        assert raised.value.row == 1


def test_key_values_are_those_of_objects():
    with pytest.raises(DataError, match="extract_key_values wants a list of objects"):
        flatson({"l": array(method="extract_key_values")}).transform_batch(Batch.from_records([{"l": [{"a": "b"}, "c"]}]))


def test_names_with_dots_are_names(made):
    assert made(flatson({"a.b": {}, "c": {"type": "object", "properties": {"d.e": {}}}}), {"a.b": 1, "c": {"d.e": 2}}) == [
        {"a.b": 1, "c.d.e": 2}
    ]


def test_a_schema_without_fields_gives_empty_records(made):
    assert made(FlatsonTransform({"options": {"flatson_schema": {"type": "object"}}}), {"a": 1}) == [{}]


def test_what_it_says_of_itself():
    transform = flatson(SCHEMA)

    assert (transform.reads, transform.face, transform.one_to_one) == (
        ("name", "address", "id", "any"),
        "fields name, address, id, any",
        True,
    )


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({}, "type"),
        ({"type": "array"}, "type"),
        ({"type": "object", "properties": []}, "properties"),
        ({"type": "object", "properties": {"a": {"type": "object", "properties": 1}}}, "properties.a.properties"),
        ({"type": "object", "properties": {"a.b": {}, "a": {"type": "object", "properties": {"b": {}}}}}, ""),
        ({"type": "object", "properties": {"a": array(method="join")}}, "properties.a.flatson_serialize.method"),
        ({"type": "object", "properties": {"a": array(separator=",")}}, "properties.a.flatson_serialize.method"),
        ({"type": "object", "properties": {"a": array(method="join_values", separators=",")}}, "properties.a.flatson_serialize.separators"),
        ({"type": "object", "properties": {"a": array(method="join_values", separator=1)}}, "properties.a.flatson_serialize.separator"),
        (
            {"type": "object", "properties": {"a": array(method="extract_key_values", separators=[";", ","])}},
            "properties.a.flatson_serialize.separators",
        ),
        ({"type": "object", "properties": {"a": {"type": "array", "flatson_serialize": "join"}}}, "properties.a.flatson_serialize"),
    ],
)
def test_mistakes_in_a_schema(schema, path):
    with pytest.raises(ConfigError) as raised:
        FlatsonTransform({"options": {"flatson_schema": schema}})

    assert [problem.path for problem in raised.value.problems] == [f"transform.options.flatson_schema.{path}".rstrip(".")]
