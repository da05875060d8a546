"""The JSON Schema of a config knows the options of every module that is installed."""

# ruff: noqa: RUF012 - inherited modules declare their options like this

import enum
import json
import sys
import types
from pathlib import Path
from typing import Any, Literal, NewType

import pytest

from ozzy.contracts.reader import BaseReader
from ozzy.contracts.transform import BaseTransform
from ozzy.contracts.writer import BaseWriter
from ozzy.hookspecs import Module, hookimpl
from ozzy.options.option import ByteSize, Option, dict_list, int_list, option, options, str_list
from ozzy.options.schema import json_schema, option_schema, options_schema, type_schema
from ozzy.options.settings import KEYS
from ozzy.plan.registry import Registry

VARIABLE = {"$ref": "#/$defs/variable"}


class Colour(enum.Enum):
    RED = "red"


@options
class Inner:
    a: int = option()


@options
class ReaderOptions:
    host: str = option(help="Where it is.", example="db", env="HOST")
    batch_size: int = option(default=10, minimum=1, maximum=99)
    password: str = option(default="hunter2", example="hunter2", secret=True)
    mode: str = option(default="a", choices=("a", "b"))
    inner: Inner | None = option(default=None)


class Tap(BaseReader):
    """Reads from a tap.

    And more.
    """

    Options = ReaderOptions


class Sink(BaseWriter):
    supported_options = {"filebase": {"type": str}, "tags": {"type": (str, list), "default": None}}


class Same(BaseTransform):
    """Leaves all as it is."""


class Plugin:
    @hookimpl
    def ozzy_read(self):
        return {"tap": Module("tap_for_schema:Tap", "", ("old_tap",)), "broken": Module("nowhere.at.all:Gone", "Gone.")}

    @hookimpl
    def ozzy_write(self):
        return {"sink": "tap_for_schema:Sink"}

    @hookimpl
    def ozzy_transform(self):
        return {"same": "tap_for_schema:Same"}


class Other:
    @hookimpl
    def ozzy_transform(self):
        return {"same": "tap_for_schema:Same"}


@pytest.fixture
def schema(monkeypatch):
    module = types.ModuleType("tap_for_schema")
    module.__dict__.update(Tap=Tap, Sink=Sink, Same=Same)
    monkeypatch.setitem(sys.modules, "tap_for_schema", module)
    registry = Registry()
    registry.register(Plugin(), package="ozzy-tap", version="1")
    registry.register(Other(), package="ozzy-other", version="1")
    return json_schema(registry)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (int, {"type": "integer"}),
        (bool, {"type": "boolean"}),
        (float, {"type": "number"}),
        (str, {"type": "string"}),
        (Path, {"type": "string"}),
        (Any, {}),
        (object, {}),
        (None, {"type": "null"}),
        (list, {"type": "array"}),
        (list[Any], {"type": "array"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (tuple[int, str], {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2}),
        (set[str], {"type": "array", "items": {"type": "string"}}),
        (dict, {"type": "object"}),
        (dict[str, Any], {"type": "object"}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (str | Any, {}),
        ((str, list), {"anyOf": [{"type": "string"}, {"type": "array"}]}),
        ((str,), {"type": "string"}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Colour, {"enum": ["red"]}),
        (str_list, {"type": "array"}),
        (int_list | dict_list, {"type": "array"}),
        (complex, {}),
        (NewType("Number", int), {}),
    ],
)
def test_types(kind, expected):
    assert type_schema(kind) == expected


def test_a_nested_class_has_its_own_options():
    found = type_schema(Inner)
    assert found["properties"]["a"] == {"anyOf": [{"type": "integer"}, VARIABLE]}
    assert found["additionalProperties"] is False


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"type": int, "minimum": 1, "default": 5}, {"default": 5, "anyOf": [{"type": "integer", "minimum": 1}, VARIABLE]}),
        ({"type": str, "minimum": 2, "maximum": 3}, {"anyOf": [{"type": "string", "minLength": 2, "maxLength": 3}, VARIABLE]}),
        ({"type": list[str], "minimum": 1}, {"anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, VARIABLE]}),
        ({"type": dict, "minimum": 1}, {"anyOf": [{"type": "object", "minProperties": 1}, VARIABLE]}),
        ({"type": str}, {"type": "string"}),
        ({"type": str, "default": None}, {"default": None, "anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"type": int | None, "maximum": 5}, {"anyOf": [{"type": "integer", "maximum": 5}, {"type": "null"}, VARIABLE]}),
        ({"type": str, "choices": ("a", "b")}, {"anyOf": [{"enum": ["a", "b"]}, VARIABLE]}),
        ({"type": list[str], "choices": ("a",)}, {"anyOf": [{"type": "array", "items": {"enum": ["a"]}}, VARIABLE]}),
        ({"type": Any, "help": "Words."}, {"description": "Words."}),
        ({"type": str, "help": "Words.", "env": "X"}, {"description": "Words. Environment: X.", "type": "string"}),
        ({"type": str, "kind_of": "writer"}, {"description": "Names a writer.", "type": "string"}),
        ({"type": str, "example": "e"}, {"examples": ["e"], "type": "string"}),
        ({"type": str, "secret": True, "default": "hunter2", "example": "hunter2"}, {"writeOnly": True, "type": "string"}),
    ],
)
def test_options(declared, expected):
    assert option_schema(Option(name="x", **declared)) == expected


def test_a_size_may_have_a_unit():
    (whole, text, variable) = option_schema(Option(name="x", type=ByteSize, minimum=1))["anyOf"]
    assert whole == {"type": "integer", "minimum": 1}
    assert "pattern" in text
    assert variable == VARIABLE


def test_required_options_may_come_from_a_variable():
    found = options_schema(Inner)
    assert found["allOf"] == [{"anyOf": [{"required": ["a"]}, {"required": ["from_env"], "properties": {"from_env": {"required": ["a"]}}}]}]
    assert found["properties"]["from_env"]["properties"] == {"a": {"type": "string", "minLength": 1}}
    assert "allOf" not in options_schema(ReaderOptions)


def test_an_option_called_from_env_is_the_modules_own():
    @options
    class Own:
        from_env: int = option(default=1)

    assert options_schema(Own)["properties"]["from_env"]["default"] == 1


def test_no_options():
    assert options_schema(Same) == {"type": "object", "properties": {}, "additionalProperties": False}


class TestWhole:
    def test_is_json_and_says_its_dialect(self, schema):
        assert json.loads(json.dumps(schema)) == schema
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["required"] == ["reader", "writer"]

    def test_has_every_key_of_a_config(self, schema):
        assert set(schema["properties"]) == set(KEYS)
        assert schema["else"] == {"propertyNames": {"enum": list(schema["properties"])}}

    def test_every_reference_leads_somewhere(self, schema):
        def references(value):
            if isinstance(value, dict):
                yield from ([value["$ref"]] if "$ref" in value else [])
                for one in value.values():
                    yield from references(one)
            elif isinstance(value, list):
                for one in value:
                    yield from references(one)

        names = {"#/$defs/" + name.replace("~", "~0").replace("/", "~1") for name in schema["$defs"]}
        assert set(references(schema)) <= names

    def test_no_secret_default_is_in_it(self, schema):
        assert "hunter2" not in json.dumps(schema)

    def test_a_module_is_there_with_its_options_and_aliases(self, schema):
        tap = schema["$defs"]["reader.tap"]
        assert (tap["title"], tap["description"]) == ("tap", "Reads from a tap.")
        assert list(tap["properties"]) == ["host", "batch_size", "password", "mode", "inner", "from_env"]
        bare, whole = schema["$defs"]["reader"]["oneOf"]
        assert bare["anyOf"][0] == {"enum": ["broken", "tap", "old_tap"]}
        assert whole["properties"]["name"]["anyOf"][0] == {"enum": ["broken", "tap", "old_tap"]}
        assert whole["allOf"] == [
            {
                "if": {"properties": {"name": {"enum": ["tap", "old_tap"]}}},
                "then": {"properties": {"options": {"$ref": "#/$defs/reader.tap"}}},
            }
        ]

    def test_a_module_that_needs_options_has_no_bare_name(self, schema):
        bare, whole = schema["$defs"]["writer"]["oneOf"]
        assert bare["anyOf"][0] == {"enum": []}
        assert whole["allOf"][0]["then"]["required"] == ["options"]
        assert "label" in whole["properties"]

    def test_modules_that_clash_are_known_by_their_full_name(self, schema):
        assert {name for name in schema["$defs"] if name.startswith("transform.")} == {
            "transform.ozzy-other/same",
            "transform.ozzy-tap/same",
        }
        refs = [rule["then"]["properties"]["options"]["$ref"] for rule in schema["$defs"]["transform"]["oneOf"][1]["allOf"]]
        assert refs == ["#/$defs/transform.ozzy-other~1same", "#/$defs/transform.ozzy-tap~1same"]

    def test_a_kind_without_modules_takes_class_paths_still(self, schema):
        bare, whole = schema["$defs"]["notifications"]["oneOf"]
        assert bare["anyOf"][0] == {"enum": []}
        assert "allOf" not in whole


class TestWithAValidator:
    """What the schema accepts and refuses, where a validator is installed."""

    CASES = [
        ({"reader": "tap", "writer": {"name": "sink", "options": {"filebase": "x"}}}, True),
        ({"reader": "old_tap", "writer": {"name": "sink", "options": {"from_env": {"filebase": "X"}}}}, True),
        ({"reader": {"name": "tap", "options": {"batch_size": "${N}", "mode": "b"}}, "writer": "a.b:C"}, True),
        ({"reader": "tap", "writer": ["a.b:C", {"name": "a.b:D", "label": "d"}], "transform": []}, True),
        ({"reader": "tap", "writer": "a.b:C", "errors": "skip", "checkpoint": {"every_bytes": "64 MiB"}}, True),
        ({"reader": "tap", "writer": "a.b:C", "exporter_options": {"formatter": "a.b:C", "resume": False}, "label": 1}, True),
        ({"reader": "tap", "writer": "a.b:C", "label": 1}, False),
        ({"reader": "tap"}, False),
        ({"reader": "tap", "writer": "sink"}, False),
        ({"reader": "tap", "writer": {"name": "sink"}}, False),
        ({"reader": {"name": "tap", "options": {"batch_size": "5"}}, "writer": "a.b:C"}, False),
        ({"reader": {"name": "tap", "options": {"batch_size": 0}}, "writer": "a.b:C"}, False),
        ({"reader": {"name": "tap", "options": {"batchsize": 1}}, "writer": "a.b:C"}, False),
        ({"reader": {"name": "tapp"}, "writer": "a.b:C"}, False),
        ({"reader": "tap", "writer": []}, False),
        ({"reader": [{"name": "tap", "label": "a"}, "tap"], "writer": "a.b:C"}, True),
        ({"reader": {"name": "tap", "label": "a"}, "writer": "a.b:C"}, False),
        ({"reader": {"name": "tap", "deserializer": "a.b:C"}, "writer": "a.b:C"}, False),
        ({"reader": [{"name": "tap", "deserializer": "a.b:C"}], "writer": "a.b:C"}, True),
        ({"reader": "tap", "writer": "a.b:C", "filter": {"name": "a.b:C", "errors": "skip"}}, True),
        ({"reader": "tap", "writer": "a.b:C", "filter": [{"name": "a.b:C", "errors": "skip"}]}, False),
        ({"reader": "tap", "writer": "a.b:C", "filter": {"not": {"name": "a.b:C", "errors": "skip"}}}, False),
        ({"reader": "tap", "writer": "a.b:C", "delivery": "twice"}, False),
        ({"reader": "tap", "writer": "a.b:C", "checkpoint": {"every_bytes": "lots"}}, False),
    ]

    def test_it_is_a_schema(self, schema):
        jsonschema = pytest.importorskip("jsonschema")
        jsonschema.Draft202012Validator.check_schema(schema)

    @pytest.mark.parametrize(("config", "valid"), CASES)
    def test_configs(self, schema, config, valid):
        jsonschema = pytest.importorskip("jsonschema")
        errors = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(config)]
        assert (errors == []) is valid
