"""JSON Schema (2020-12) of a whole config, with the options of every installed plugin: for editors, and for checks elsewhere.

The schema knows forms, not files or services; `ozzy validate` knows more. A value may always be a text with `${VARIABLE}` in it.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, get_args

import attrs

from ozzy.errors import OzzyError
from ozzy.options.option import Option, options_of
from ozzy.options.secrets import json_like
from ozzy.options.settings import (
    COMPRESSIONS,
    DELIVERIES,
    JUDGING,
    PLACES,
    POLICIES,
    CheckpointSettings,
    ErrorSettings,
    ExporterOptions,
    NotifyWhen,
    Place,
    StageErrorSettings,
)
from ozzy.options.structure import FROM_ENV
from ozzy.options.values import ByteSize, ListOf, is_list, is_literal, is_mapping, is_union, members, outer

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
REFERENCE: Schema = {"$ref": "#/$defs/variable"}


class _Row(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str | None: ...

    @property
    def package(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def error(self) -> str | None: ...


class _Module(Protocol):
    @property
    def aliases(self) -> tuple[str, ...]: ...


class _Found(Protocol):
    @property
    def cls(self) -> type: ...

    @property
    def module(self) -> _Module: ...


class Modules(Protocol):
    """What a schema asks of a registry."""

    def rows(self, kind: str | None = None) -> Sequence[_Row]: ...

    def resolve(self, kind: str, name: str) -> _Found: ...


def json_schema(registry: Modules) -> Schema:
    """The schema of a config for what a registry offers. Every module is imported for it; one that can't be is known by name alone."""
    definitions: dict[str, Schema] = {
        "variable": {"type": "string", "pattern": r"\$\{[A-Za-z_]", "description": "${VARIABLE} or ${VARIABLE:-default}"}
    }
    kinds = dict.fromkeys(place.kind for key, place in PLACES.items() if key != "decompressor")
    for kind in kinds:
        definitions |= _modules(registry, kind)
    properties: dict[str, Schema] = {
        "name": {"type": "string", "minLength": 1, "description": "What the pipeline is called: its state belongs to this name."},
        **{key: _place(key, place) for key, place in PLACES.items()},
        "errors": _errors(ErrorSettings),
        "checkpoint": settings_schema(CheckpointSettings),
        "exporter_options": _inherited_options(),
        "delivery": {"enum": list(DELIVERIES), "description": "A guarantee without which the pipeline refuses to start."},
        "bookmark": {"anyOf": [{"type": "boolean"}, REFERENCE], "description": "Read only what is new since the last run that succeeded."},
    }
    return {
        "$schema": DIALECT,
        "title": "ozzy pipeline",
        "type": "object",
        "required": ["reader", "writer"],
        "properties": properties,
        "if": {"required": ["exporter_options"]},
        "else": {"propertyNames": {"enum": list(properties)}},
        "$defs": definitions,
    }


def options_schema(module_class: type) -> Schema:
    """The schema of a module's options, as they stand below `options`."""
    declared = options_of(module_class)
    properties = {name: option_schema(one) for name, one in declared.items()}
    if FROM_ENV not in declared and declared:
        properties[FROM_ENV] = {
            "type": "object",
            "description": "Options that environment variables give, where they are set: option to variable.",
            "properties": {name: {"type": "string", "minLength": 1} for name in declared},
            "additionalProperties": False,
        }
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if needed := [name for name, one in declared.items() if one.required]:
        schema["allOf"] = [_given(name) for name in needed]
    return schema


def settings_schema(settings_class: type) -> Schema:
    """The schema of settings, with what their class says of them."""
    return {"description": _first_line(settings_class), **options_schema(settings_class)}


def option_schema(one: Option) -> Schema:
    """The schema of one option: its type, bounds and choices, what it is for, and its default unless it is secret."""
    schema = _bounded(one, type_schema(one.type))
    if one.choices is not None:
        choices = {"enum": [json_like(choice) for choice in one.choices]}
        schema = {"type": "array", "items": choices} if is_list(one.type) else choices
    if one.has_default and one.default is None:
        schema = _any_of([schema, {"type": "null"}])
    if schema and not _takes_any_text(schema):
        schema = _any_of([schema, REFERENCE])
    words = [one.help, f"Names a {one.kind_of}." if one.kind_of else "", f"Environment: {one.env}." if one.env else ""]
    told: Schema = {"description": " ".join(filter(None, words))} if any(words) else {}
    if one.tells_default and not isinstance(one.default, attrs.Factory):  # type: ignore[arg-type]
        told["default"] = json_like(one.default)
    if one.example is not None and not one.secret:
        told["examples"] = [json_like(one.example)]
    if one.secret:
        told["writeOnly"] = True
    return {**told, **schema}


def type_schema(kind: Any) -> Schema:
    """The schema of a type; that of anything is empty."""
    if is_union(kind):
        return _any_of([type_schema(part) for part in members(kind)])
    if is_literal(kind):
        return {"enum": list(get_args(kind))}
    if kind is None or kind is type(None):
        return {"type": "null"}
    if kind is ByteSize:
        return _any_of([{"type": "integer"}, {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*([KMGTkmgt]?[Ii]?[Bb])?\s*$|\$\{"}])
    bare = outer(kind)
    if not isinstance(bare, type):
        return {}
    if issubclass(bare, Enum):
        return {"enum": [json_like(one.value) for one in bare]}
    if attrs.has(bare):
        return options_schema(bare)
    if is_list(bare):
        return _list_schema(kind, bare)
    if is_mapping(bare):
        inner = get_args(kind)
        values = type_schema(inner[1]) if len(inner) == 2 else {}
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    words = {bool: "boolean", int: "integer", float: "number", str: "string", Path: "string"}
    word = next((word for type_, word in words.items() if issubclass(bare, type_)), None)
    return {"type": word} if word else {}


def _list_schema(kind: Any, bare: type) -> Schema:
    if issubclass(bare, ListOf):
        return {"type": "array"}
    inner = get_args(kind)
    if bare is tuple and inner and Ellipsis not in inner:
        return {"type": "array", "prefixItems": [type_schema(one) for one in inner], "minItems": len(inner), "maxItems": len(inner)}
    items = type_schema(inner[0]) if inner else {}
    return {"type": "array", "items": items} if items else {"type": "array"}


def _bounded(one: Option, schema: Schema) -> Schema:
    """The schema with bounds on numbers, and on the length of texts and lists."""
    words = {"integer": ("minimum", "maximum"), "number": ("minimum", "maximum"), "string": ("minLength", "maxLength")}
    words |= {"array": ("minItems", "maxItems"), "object": ("minProperties", "maxProperties")}
    if "anyOf" in schema:
        return {"anyOf": [part if "pattern" in part else _bounded(one, part) for part in schema["anyOf"]]}
    lower, upper = words.get(schema.get("type", ""), ("", ""))
    bounds = {lower: one.minimum, upper: one.maximum}
    return {**schema, **{word: bound for word, bound in bounds.items() if word and bound is not None}}


def _any_of(parts: Iterable[Schema]) -> Schema:
    flat: list[Schema] = []
    for part in parts:
        flat += [one for one in part.get("anyOf", [part]) if one not in flat]
    if {} in flat:
        return {}
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def _takes_any_text(schema: Schema) -> bool:
    return any(part in ({}, {"type": "string"}) for part in schema.get("anyOf", [schema]))


def _given(name: str) -> Schema:
    """An option is given in the config, or by a variable."""
    return {"anyOf": [{"required": [name]}, {"required": [FROM_ENV], "properties": {FROM_ENV: {"required": [name]}}}]}


def _modules(registry: Modules, kind: str) -> dict[str, Schema]:
    """The definition of a section of one kind, and one for the options of each module."""
    found: dict[str, Schema] = {}
    rules: list[Schema] = []
    names: list[str] = []
    bare: list[str] = []
    for row in registry.rows(kind):
        name = f"{row.package}/{row.name}" if row.error else row.name
        try:
            module = registry.resolve(kind, name)
            options = options_schema(module.cls)
        except OzzyError:
            names.append(name)
            bare.append(name)
            continue
        found[f"{kind}.{name}"] = {"title": name, "description": row.summary or _first_line(module.cls), **options}
        rule: Schema = {"properties": {"options": {"$ref": f"#/$defs/{_pointer(f'{kind}.{name}')}"}}}
        called = [name, *(() if row.error else module.module.aliases)]
        names += called
        if "allOf" in options:
            rule["required"] = ["options"]
        else:
            bare += called
        rules.append({"if": {"properties": {"name": {"enum": called}}}, "then": rule})
    return {kind: _section(kind, names, bare, rules), **found}


def _section(kind: str, names: list[str], bare: list[str], rules: list[Schema]) -> Schema:
    elsewhere: Schema = {
        "type": "string",
        "pattern": r"[.:/]|\$\{",
        "description": "package/name, package.module:Class, or an inherited class path",
    }
    properties: dict[str, Schema] = {
        "name": {"anyOf": [{"enum": list(dict.fromkeys(names))}, elsewhere]},
        "options": {"type": ["object", "null"]},
        "log_level": {"type": "string"},
        "logger_name": {"type": "string"},
    }
    if kind in JUDGING:
        properties["errors"] = _errors(StageErrorSettings)
    if kind in {"reader", "writer"}:
        properties["label"] = {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
            "description": f"What tells it from other {kind}s.",
        }
    if kind == "reader":
        properties |= {key: _place(key, PLACES[key]) for key in ("deserializer", "decompressor")}
    if kind == "writer":
        properties["when"] = {"description": "Which records it gets: a filter; without one, all.", "$ref": "#/$defs/filter"}
    if kind == "notifications":
        thresholds = {**settings_schema(NotifyWhen), "minProperties": 1}
        properties["when"] = {"description": "Of which runs it is told; without this, of each.", "oneOf": [{"const": "failed"}, thresholds]}
    whole: Schema = {"type": "object", "required": ["name"], "properties": properties, "additionalProperties": False}
    if rules:
        whole["allOf"] = rules
    forms = [{"anyOf": [{"enum": list(dict.fromkeys(bare))}, elsewhere]}, whole]
    return {"oneOf": [*forms, *(_chains() if kind == "filter" else ())]}


def _chains() -> list[Schema]:
    """The forms of a chain of filters."""
    one: Schema = {"$ref": "#/$defs/filter", "not": _with_any("errors")}
    several: Schema = {"type": "array", "items": one, "minItems": 1}
    told = {"and": "All have to pass.", "or": "One has to pass.", "not": "It must not pass."}
    joined = [
        {
            "type": "object",
            "required": [word],
            "properties": {word: {"description": text, **(one if word == "not" else several)}},
            "additionalProperties": False,
        }
        for word, text in told.items()
    ]
    return [{"description": "All of them have to pass.", **several}, *joined]


def _with_any(*keys: str) -> Schema:
    """An object with any of these keys."""
    return {"type": "object", "anyOf": [{"required": [key]} for key in keys]}


def _errors(settings: type) -> Schema:
    """Settings of bad records, or the policy alone."""
    return {"oneOf": [{"enum": list(POLICIES)}, settings_schema(settings)], "description": _first_line(settings)}


def _place(key: str, place: Place) -> Schema:
    if key == "decompressor":
        named = {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "options": {"type": ["object", "null"]}},
        }
        return {"description": place.help, "oneOf": [{"enum": list(COMPRESSIONS)}, named]}
    one: Schema = {"$ref": f"#/$defs/{place.kind}"}
    if not place.several:
        return {"description": place.help, **one}
    listed: Schema = {"type": "array", "items": one}
    if key == "reader":
        one = {**one, "not": _with_any("label", "deserializer", "decompressor")}
    if key == "bypass":
        return {"description": place.help, "oneOf": [one, listed, {"type": "boolean"}]}
    if key in {"reader", "writer"}:
        listed["minItems"] = 1
    return {"description": place.help, "oneOf": [one, listed]}


def _inherited_options() -> Schema:
    schema = settings_schema(ExporterOptions)
    schema["properties"]["formatter"] = _place("formatter", PLACES["formatter"])
    schema["properties"]["notifications"] = _place("notifications", PLACES["notifications"])
    return schema


def _pointer(name: str) -> str:
    """A key as it stands in a JSON pointer inside a URI."""
    return name.replace("~", "~0").replace("/", "~1")


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]
