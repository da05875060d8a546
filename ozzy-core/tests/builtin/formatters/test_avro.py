"""Formatter avro: records by a schema, bad ones by themselves, equal rows make equal files."""

import io
import sys

import fastavro
import pytest

from ozzy.builtin.formatters.avro import AvroExportFormatter
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, DataError, PluginError

SCHEMA = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["open", "paid"]}, "default": "open"},
        {"name": "lines", "type": {"type": "array", "items": {"type": "map", "values": "double"}}, "default": []},
    ],
}


def formatter(**options):
    return AvroExportFormatter({"options": {"schema": SCHEMA} | options})


def file(records, **options):
    made = formatter(**options)
    lines = [row[:-1] for row in made.format_rows(Batch.from_records(records))]
    target = io.BytesIO()
    made.assemble(lambda: (Batch.from_lines([line]) for line in lines), target)
    return target.getvalue()


RECORDS = [
    {"id": 1},
    {"id": -(2**63), "note": "España 東京 😀", "state": "paid", "lines": [{"a": 1, "b": 0.1}, {}], "more": "left out"},
    {"id": 2, "note": None},
]


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_records_are_read_back(codec):
    reader = fastavro.reader(io.BytesIO(file(RECORDS, codec=codec)))
    assert list(reader) == [
        {"id": 1, "note": None, "state": "open", "lines": []},
        {"id": -(2**63), "note": "España 東京 😀", "state": "paid", "lines": [{"a": 1.0, "b": 0.1}, {}]},
        {"id": 2, "note": None, "state": "open", "lines": []},
    ]
    assert reader.codec == codec
    assert (formatter(codec=codec).compressed, formatter().file_extension) == (codec != "null", "avro")


def test_a_file_of_no_rows_has_its_schema():
    reader = fastavro.reader(io.BytesIO(file([])))
    assert list(reader) == []
    assert reader.writer_schema["name"] == "Order"


def test_the_bytes_depend_on_rows_and_schema_alone():
    many = RECORDS * 2000
    assert file(many) == file(many)
    other = {**SCHEMA, "name": "Other"}
    assert file(many) != file(many, schema=other)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"id": "1"},
        {"id": 1.5},
        {"id": True},
        {"id": None},
        {"id": 2**63},
        {"id": 1, "note": 5},
        {"id": 1, "state": "gone"},
        {"id": 1, "lines": {}},
        {"id": 1, "lines": [{"a": "x"}]},
        {"id": 1, "note": float("nan")},
        {"id": object()},
    ],
)
def test_a_record_that_does_not_fit_is_an_error_of_its_row(record):
    with pytest.raises(DataError) as raised:
        formatter().format_rows(Batch.from_records([{"id": 1}, record, {}]))
    assert raised.value.row == 1
    assert "\n" not in raised.value.message


def test_what_was_accepted_can_be_written():
    kinds = ["int", "long", "float", "double", "boolean", "string", "bytes", {"type": "fixed", "name": "F", "size": 2}]
    values = [None, True, 0, 2**31, 2**63, 1.5, 1e300, "", "ab", [], {}]
    for kind in kinds:
        schema = {"type": "record", "name": "R", "fields": [{"name": "v", "type": kind}]}
        for value in values:
            try:
                data = file([{"v": value}], schema=schema)
            except DataError as error:
                assert error.row == 0  # noqa: PT017
            else:
                assert len(list(fastavro.reader(io.BytesIO(data)))) == 1


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, "expected the schema of a record"),
        ({"type": "string"}, "expected the schema of a record"),
        ({"type": "record", "name": "R"}, "expected the schema of a record"),
        ({"type": "record", "name": "R", "fields": [{"name": "a", "type": "integer"}]}, "is no Avro schema: UnknownType"),
    ],
)
def test_what_is_no_schema_is_an_error_of_the_config(schema, message):
    with pytest.raises(ConfigError) as raised:
        formatter(schema=schema)
    (problem,) = raised.value.problems
    assert problem.path == "formatter.options.schema"
    assert message in problem.message


def test_a_schema_is_needed():
    with pytest.raises(ConfigError, match="schema: missing"):
        AvroExportFormatter({"options": {}})


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(PluginError) as raised:
        formatter().format_rows(Batch.from_records([{"id": 1}]))
    assert raised.value.hint == "pip install 'ozzy-core[avro]'"
