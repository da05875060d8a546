"""The transform by an expression makes records of what it gives."""

import json

import pytest

import ozzy
from ozzy import Batch, ConfigError, DataError
from ozzy.builtin.transforms.python_map import PythonMapTransform


def by(text, **options):
    return PythonMapTransform({"name": "python_map", "options": {"map": text, **options}})


def after(transform, *records):
    made = transform.transform_batch(Batch.from_lines([json.dumps(record).encode() for record in records])).records
    given = Batch.from_records([json.loads(json.dumps(record)) for record in records])

    assert made == transform.transform_batch(given).records
    assert given.records == list(records)
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'n': item['a'] + 1}", {"n": 2}),
        ("item", {"a": 1, "l": [1, 2]}),
        ("{**item, 'b': None}", {"a": 1, "l": [1, 2], "b": None}),
        ("{key: value for key, value in item.items() if key != 'a'}", {"l": [1, 2]}),
        ("dict(item, a=(1, {'x': (2,)}))", {"a": [1, {"x": [2]}], "l": [1, 2]}),
        ("{}", {}),
        ("{'x': item.pop('a'), 'rest': item}", {"x": 1, "rest": {"l": [1, 2]}}),
    ],
)
def test_the_record_is_what_the_expression_gives(text, expected):
    assert after(by(text), {"a": 1, "l": [1, 2]}) == [expected]


def test_of_lines_only_the_fields_that_are_read_are_decoded():
    batch = by("{'n': item['n'], 'm': item.get('m')}").transform_batch(Batch.from_lines([b'{"n": 1, "other": 1e999}']))

    assert batch.records == [{"n": 1, "m": None}]


@pytest.mark.parametrize(("text", "kind"), [("1", "int"), ("[item]", "list"), ("None", "NoneType"), ("'a'", "str")])
def test_what_is_no_mapping_is_refused(text, kind):
    with pytest.raises(DataError, match=f"a record must be a mapping, not {kind}") as caught:
        by(text).transform_batch(Batch.from_records([{"a": 1}]))

    assert caught.value.row == 0


@pytest.mark.parametrize(("text", "problem"), [("{", "'{' was never closed"), ("lambda: {}", "a lambda is not allowed")])
def test_what_is_wrong_is_told_at_validation(text, problem):
    with pytest.raises(ConfigError) as caught:
        by(text)

    assert "options.map: column 1" in str(caught.value)
    assert problem in str(caught.value)


def test_steps():
    with pytest.raises(DataError, match="1,000 steps"):
        by("{'n': len([x for x in range(item['n'])])}", steps=1000).transform_batch(Batch.from_records([{"n": 10_000}]))


def test_its_records_can_be_grouped_and_written(tmp_path):
    config = {
        "name": "mapped",
        "reader": {"name": "random", "options": {"number_of_items": 6}},
        "transform": {"name": "exporters.transform.pythonmap.PythonMapTransform", "options": {"map": "{'odd': item['key'] % 2 == 1}"}},
        "grouper": {"name": "file_key", "options": {"keys": ["odd"]}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "{groups[0]}"), "compression": "none"}},
    }
    ozzy.run(config, state_dir=tmp_path / "state")

    assert {path.name: path.read_text() for path in tmp_path.glob("*.jl")} == {
        "false.jl": '{"odd":false}\n' * 3,
        "true.jl": '{"odd":true}\n' * 3,
    }
