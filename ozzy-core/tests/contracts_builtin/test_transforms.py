"""The transforms of the core keep their contract."""
# ruff: noqa: RUF012

from ozzy.builtin.transforms.cast import CastTransform
from ozzy.builtin.transforms.drop import DropTransform
from ozzy.builtin.transforms.explode import ExplodeTransform
from ozzy.builtin.transforms.flatson import FlatsonTransform
from ozzy.builtin.transforms.flatten import FlattenTransform
from ozzy.builtin.transforms.jq import JQTransform
from ozzy.builtin.transforms.mask import MaskTransform
from ozzy.builtin.transforms.no_transform import NoTransform
from ozzy.builtin.transforms.python_exp import PythonExpTransform
from ozzy.builtin.transforms.python_map import PythonMapTransform
from ozzy.builtin.transforms.rename import RenameTransform
from ozzy.builtin.transforms.select import SelectTransform
from ozzy.builtin.transforms.set import SetTransform
from ozzy.testing.transform import TransformContract


class TestNoTransform(TransformContract):
    module = NoTransform


class TestSelect(TransformContract):
    module = SelectTransform
    options = {"fields": ["name", "id", "no such"]}


class TestSelectNested(TransformContract):
    module = SelectTransform
    options = {"fields": ["name", "address/city", "id", "tags/x"], "nested_field_separator": "/"}


class TestDrop(TransformContract):
    module = DropTransform
    options = {"fields": ["name", "no such"]}


class TestDropNested(TransformContract):
    module = DropTransform
    options = {"fields": ["address.city", "tags.x", "name"]}


class TestRename(TransformContract):
    module = RenameTransform
    options = {"fields": {"name": "title", "address.city": "town"}}


class TestRenameWithCollisions(TransformContract):
    module = RenameTransform
    options = {"fields": {"name": "id", "active": "price"}, "on_collision": "replace"}


class TestCast(TransformContract):
    module = CastTransform
    options = {"fields": {"id": "str", "price": "decimal", "active": "int", "address.zip": "int", "tags": "str"}}


class TestCastToNull(TransformContract):
    module = CastTransform
    options = {"fields": {"name": "int", "country": "datetime", "price": "bool", "id": "float"}, "on_error": "null"}


class TestCastOrKeep(TransformContract):
    module = CastTransform
    options = {"fields": {"name": "date", "price": "int", "id": "bool"}, "on_error": "keep"}


class TestFlatten(TransformContract):
    module = FlattenTransform


class TestFlattenWithLists(TransformContract):
    module = FlattenTransform
    options = {"separator": "_", "lists": "index", "max_depth": 2, "on_collision": "last"}


class TestFlattenWithListsAsJson(TransformContract):
    module = FlattenTransform
    options = {"lists": "json", "on_collision": "first"}


class TestExplode(TransformContract):
    module = ExplodeTransform
    options = {"field": "tags", "keep_empty": True, "index_field": "tag_number"}


class TestExplodeNested(TransformContract):
    module = ExplodeTransform
    options = {"field": "order.lines"}
    records = [
        {"id": number, "order": {"total": 1.5, "lines": [{"sku": str(line), "of": [line]} for line in range(number % 3)]}}
        for number in range(7)
    ]


class TestMask(TransformContract):
    module = MaskTransform
    options = {
        "fields": {"name": "digest", "id": "digest", "address.city": "redact", "country": "truncate", "tags": "truncate"},
        "key": "a key of the tests, long enough",
        "length": 1,
    }


class TestFlatson(TransformContract):
    module = FlatsonTransform
    options = {
        "flatson_schema": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "address": {"type": "object", "properties": {"zip": {}, "city": {"type": "string"}}},
                "tags": {"type": "array", "flatson_serialize": {"method": "join_values"}},
                "id": {"type": "integer"},
            },
        }
    }


class TestJQ(TransformContract):
    module = JQTransform
    options = {"jq_filter": "select(.active) | {id, name, city: .address.city, price, tags}"}


class TestJQWithArithmetic(TransformContract):
    module = JQTransform
    options = {"jq_filter": ".sum = (.price + .id) | del(.tags)"}


class TestPythonExpTransform(TransformContract):
    module = PythonExpTransform
    options = {"python_expressions": ["item.update(country=item.get('country', '').upper())", "item.pop('tags', None)"]}


class TestPythonMapTransform(TransformContract):
    module = PythonMapTransform
    options = {"map": "{'name': item.get('name'), 'tags': item.get('tags'), 'again': item.get('tags')}"}


class TestSetTransform(TransformContract):
    module = SetTransform
    options = {"fields": {"twice": "[item.get('id'), item.get('id')]", "made.country": "item.get('country', 'none')"}}
