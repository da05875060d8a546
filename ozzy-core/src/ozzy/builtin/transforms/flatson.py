"""The transform that flattens records by a JSON Schema."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Final

import attrs

from ozzy import BaseTransform, Batch, DataError, Problem, option, options
from ozzy.data.json_text import encode_record
from ozzy.data.tokens import Form, Row

_METHODS: Final[Mapping[str, frozenset[str]]] = {
    "extract_key_values": frozenset(("separators",)),
    "extract_first": frozenset(),
    "join_values": frozenset(("separator",)),
}
"""What lists may become, and the options of each."""


@options
class FlatsonOptions:
    """Options of flatson."""

    flatson_schema: dict[str, Any] = option(
        help="A JSON Schema of type object. Its `properties`, nested ones too, are the fields of the new records; of the rest only `type` "
        "and `flatson_serialize` count.",
        example={
            "type": "object",
            "properties": {
                "id": {"type": "integer"},
                "address": {"type": "object", "properties": {"city": {"type": "string"}}},
                "tags": {"type": "array", "flatson_serialize": {"method": "join_values", "separator": " "}},
            },
        },
    )


class FlatsonTransform(BaseTransform):
    """Flattens records by a JSON Schema: its fields, in its order, those of nested objects joined by `.`.

    Every record gets all fields of the schema, null where it has no such value; what the schema does not name is left out. A field of type
    array becomes a text that holds it as JSON, or what its `flatson_serialize` says: `{method: extract_first}` gives the first element,
    or null; `{method: join_values, separator: ","}` joins the elements; `{method: extract_key_values, separators: [";", ",", ":"]}`
    joins elements, the fields of each in the order of their names, and names with values. In what is joined, values that are no texts
    are written as JSON. A value other than a list or null where one of these methods expects a list makes a record bad.
    """

    Options: ClassVar[type] = FlatsonOptions
    independent = True
    one_to_one = True
    leaves_input = True

    @classmethod
    def check_options(cls, options: FlatsonOptions) -> Iterator[Problem]:
        """A schema of something else than objects, and serializations that make no sense."""
        schema = options.flatson_schema
        if schema.get("type") != "object":
            yield Problem("flatson_schema.type", "the schema of a record has the type object")
        yield from _problems(schema, "flatson_schema")
        columns = list(_columns(schema))
        names = [column.name for column in columns]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            yield Problem("flatson_schema", f"two of its fields would be called {name!r}")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._columns = list(_columns(self.options.flatson_schema))
        self.reads = tuple(dict.fromkeys(column.steps[0] for column in self._columns))
        self.face = f"fields {', '.join(self.reads)}"

    def transform_batch(self, batch: Batch) -> Batch:
        return batch.rewrite(self._change)

    def _change(self, row: Row, form: Form) -> Row:
        return {column.name: column.of(row, form) for column in self._columns}


Serialize = Callable[[list[Any]], Any]


@attrs.frozen
class _Column:
    """One field of the flat record, and the way to its value. Of a list, `serialize` makes what stands there; None leaves values alone."""

    steps: tuple[str, ...]
    serialize: Serialize | None
    as_json: bool = False
    name: str = attrs.field(default=attrs.Factory(lambda self: ".".join(self.steps), takes_self=True))

    def of(self, row: Row, form: Form) -> Any:
        """Its value in a row."""
        members: Row | None = row
        for step in self.steps[:-1]:
            members = form.members(members[step]) if members is not None and step in members else None
        if members is None or self.steps[-1] not in members:
            return form.made(None)
        value = members[self.steps[-1]]
        if self.serialize is None and not self.as_json:
            return value
        plain = form.plain(value)
        if plain is None:
            return value
        if self.serialize is None:
            return form.made(_json(_sorted(plain)))
        if not isinstance(plain, (list, tuple)):
            raise DataError(f"{self.name} is no list")
        return form.made(self.serialize(list(plain)))


def _columns(schema: Mapping[str, Any], around: tuple[str, ...] = ()) -> Iterator[_Column]:
    for name, below in _properties(schema).items():
        steps = (*around, name)
        if below.get("type") == "object":
            yield from _columns(below, steps)
        elif below.get("type") == "array":
            serialize = _serialization(below.get("flatson_serialize"))
            yield _Column(steps, serialize, as_json=serialize is None)
        else:
            yield _Column(steps, None)


def _properties(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The schemas of fields; those that are none (`true` is one that says nothing) count as empty."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {str(name): below if isinstance(below, Mapping) else {} for name, below in properties.items()}


def _serialization(asked: Any) -> Serialize | None:
    """What makes one value of a list; None for JSON, and where the options of it make no sense."""
    if not asked or any(_wrong(asked)):
        return None
    if asked["method"] == "extract_first":
        return lambda elements: elements[0] if elements else None
    if asked["method"] == "join_values":
        return partial(_join, asked.get("separator", ","))
    return partial(_key_values, *asked.get("separators", (";", ",", ":")))


def _join(separator: str, elements: list[Any]) -> str:
    return separator.join(map(_text, elements))


def _key_values(between_elements: str, between_fields: str, after_names: str, elements: list[Any]) -> str:
    for element in elements:
        if not isinstance(element, dict):
            raise DataError("extract_key_values wants a list of objects")
    return between_elements.join(
        between_fields.join(f"{name}{after_names}{_text(value)}" for name, value in sorted(element.items())) for element in elements
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(_sorted(value))


def _json(value: Any) -> str:
    return encode_record(value).decode()


def _sorted(value: Any) -> Any:
    """The value with the keys of its objects in order."""
    if isinstance(value, dict):
        return {name: _sorted(one) for name, one in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [_sorted(one) for one in value]
    return value


def _problems(schema: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if not isinstance(schema.get("properties", {}), dict):
        yield Problem(f"{path}.properties", "expected a mapping of names to schemas")
    for name, below in _properties(schema).items():
        where = f"{path}.properties.{name}"
        if below.get("type") == "object":
            yield from _problems(below, where)
        elif below.get("type") == "array" and below.get("flatson_serialize"):
            yield from (Problem(f"{where}.flatson_serialize{at}", text) for at, text in _wrong(below["flatson_serialize"]))


def _wrong(asked: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with the options of a serialization, each with its place in them."""
    if not isinstance(asked, Mapping):
        yield "", "expected a mapping with a method"
        return
    method = asked.get("method")
    if not isinstance(method, str) or method not in _METHODS:
        yield ".method", f"expected one of {', '.join(_METHODS)}, given {method!r}"
        return
    for name, value in asked.items():
        if name != "method" and name not in _METHODS[method]:
            yield f".{name}", f"{method} has no such option"
        elif name == "separator" and not isinstance(value, str):
            yield ".separator", f"expected a text, given {value!r}"
        elif name == "separators" and not _three_texts(value):
            yield ".separators", f"expected three texts (between elements, between fields, after names), given {value!r}"


def _three_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 3 and all(isinstance(one, str) for one in value)
