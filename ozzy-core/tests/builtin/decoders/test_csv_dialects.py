"""Dialects of CSV, and columns with types."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import ConfigError, DataError
from ozzy.builtin.decoders.columns import types_of
from ozzy.builtin.decoders.csv import CSVDecoder, TSVDecoder


def records(decode, text, decoder=CSVDecoder, **options):
    return [record for batch in decode(decoder, text.encode(), **options) for record in batch.records]


def refused(decode, text, **options):
    return [(one.where, one.message) for batch in decode(CSVDecoder, text.encode(), **options) for one in batch.rejected]


@pytest.mark.parametrize(
    ("text", "options", "row"),
    [
        ("a;b\n1;2,3\n", {"delimiter": ";"}, ["1", "2,3"]),
        ("a·b\n1·2\n", {"delimiter": "·"}, ["1", "2"]),
        ("'a','b'\n'1,''2''','x'\n", {"quotechar": "'"}, ["1,'2'", "x"]),
        ('a,b\n"1,2"\n', {"quotechar": None}, ['"1', '2"']),
        ('a,b\n"say \\"hi\\"",2\n', {"doublequote": False, "escapechar": "\\"}, ['say "hi"', "2"]),
        ("a,b\n1\\,2,x\\\\\n", {"escapechar": "\\"}, ["1,2", "x\\"]),
        ('a, b\n1,  "2,3"\n', {"skip_initial_space": True}, ["1", "2,3"]),
    ],
)
def test_each_option_of_a_dialect(decode, text, options, row):
    assert records(decode, text, **options) == [{"a": row[0], "b": row[1]}]


def test_tsv_without_quotes(decode):
    assert records(decode, 'a\tb\n5" x\t"y\n', TSVDecoder, quotechar=None) == [{"a": '5" x', "b": '"y'}]


def test_fields_name_the_columns_of_a_file_without_a_header(decode):
    assert records(decode, "1,2\n3,4\n", fields=["x", "y"]) == [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}]
    assert refused(decode, "1,2\n3\n", fields=["x", "y"]) == [("in, line 2", "1 cells where the header has 2")]
    assert records(decode, "", fields=["x"]) == []


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("str", " 1 ", " 1 "),
        ("str", "", ""),
        ("int", "007", 7),
        ("int", " -5", -5),
        ("int", "+5", 5),
        ("int", "123456789012345678901234567890", 123456789012345678901234567890),
        ("int", "", None),
        ("int", "  ", None),
        ("float", "1", 1.0),
        ("float", "-1.5e3", -1500.0),
        ("float", ".5", 0.5),
        ("float", "5.", 5.0),
        ("number", "5", 5),
        ("number", "5.0", 5.0),
        ("bool", "TRUE", True),
        ("bool", "t", True),
        ("bool", "yes", True),
        ("bool", "1", True),
        ("bool", "false", False),
        ("bool", "F", False),
        ("bool", "No", False),
        ("bool", "0", False),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", "", None),
        ("datetime", "2026-03-07T09:05:00Z", "2026-03-07T09:05:00Z"),
        ("datetime", "2026-03-07 09:05:00.123+01:00", "2026-03-07 09:05:00.123+01:00"),
        ("json", '"[1, {""a"": null}]"', [1, {"a": None}]),
        ("json", "null", None),
    ],
)
def test_a_typed_column(decode, kind, cell, value):
    (record,) = records(decode, f"id,v\n1,{cell}\n", columns={"v": kind})
    assert record == {"id": "1", "v": value}
    assert type(record["v"]) is type(value)


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("int", "1.0"),
        ("int", "1_000"),
        ("int", "٣"),
        ("int", "x"),
        ("int", "9" * 5000),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1e999"),
        ("float", "1_0.0"),
        ("float", "."),
        ("number", "0x10"),
        ("bool", "2"),
        ("bool", "tru"),
        ("date", "2023-02-29"),
        ("date", "20230101"),
        ("date", "2023-01-01T00:00:00"),
        ("datetime", "2023-01-01"),
        ("datetime", "2023-01-01T25:00"),
        ("datetime", "20230101T000000"),
        ("json", "{"),
        ("json", "NaN"),
        ("json", "[" * 100_000),
    ],
)
def test_a_cell_that_does_not_fit_rejects_its_record_with_the_line(decode, kind, cell):
    (batch,) = decode(CSVDecoder, f"id,v\n1,\n2,{cell}\n3,\n".encode(), columns={"v": kind})
    (rejected,) = batch.rejected
    shown = cell if len(cell) <= 40 else f"{cell[:40]}…"
    assert (rejected.where, rejected.message) == ("in, line 3", f"v: {shown!r} is no {kind}")
    assert rejected.line == f"2,{cell}".encode()
    assert [record["id"] for record in batch.records] == ["1", "3"]
    assert list(batch.origin) == [0, 2]


def test_nulls_are_null_in_every_column(decode):
    assert records(decode, 'a,b\nNULL,NA\n"NA",5\nNULL ,6\n', nulls=["NULL", "NA"], columns={"b": "int"}) == [
        {"a": None, "b": None},
        {"a": None, "b": 5},
        {"a": "NULL ", "b": 6},
    ]
    assert records(decode, "a,b\n,x\n", nulls=[""]) == [{"a": None, "b": "x"}]


def test_a_schema_gives_types_and_columns_go_before_it(decode):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "number"}, "gone": {"type": "integer"}}}
    assert records(decode, "a,b,c\n1,2,3\n", schema=schema) == [{"a": 1, "b": 2, "c": "3"}]
    assert records(decode, "a,b,c\n1,2,3\n", schema=schema, columns={"a": "str"}) == [{"a": "1", "b": 2, "c": "3"}]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer"}, "int"),
        ({"type": ["integer", "null"]}, "int"),
        ({"type": "number"}, "number"),
        ({"type": ["integer", "number"]}, "number"),
        ({"type": "boolean"}, "bool"),
        ({"type": "string"}, "str"),
        ({"type": ["string", "null"], "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "datetime"),
        ({"type": "string", "format": "email"}, "str"),
        ({"type": ["string", "integer"]}, "str"),
        ({"type": ["object", "boolean"]}, "json"),
        ({"type": "array"}, "json"),
        ({"type": "null"}, "str"),
        ({}, "str"),
        (True, "str"),
    ],
)
def test_the_type_that_a_schema_means(schema, kind):
    assert types_of({"properties": {"v": schema}}) == {"v": kind}


@pytest.mark.parametrize("schema", [{}, {"properties": []}, {"type": "object"}])
def test_a_schema_without_properties_means_nothing(schema):
    assert types_of(schema) == {}


def test_a_type_for_a_column_that_is_not_there_is_an_error_of_the_stream(decode):
    with pytest.raises(DataError, match="in has no column 'price', which `columns` gives a type") as raised:
        decode(CSVDecoder, b"id,prize\n1,2\n", columns={"price": "float"})
    assert raised.value.hint == "It has id, prize."


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({"delimiter": "\n"}, "delimiter", "a line end can't be one"),
        ({"quotechar": ","}, "quotechar", "is the delimiter too"),
        ({"escapechar": "\r"}, "escapechar", "a line end can't be one"),
        ({"escapechar": '"'}, "escapechar", "is the quotechar too"),
        ({"delimiter": ";", "escapechar": ";"}, "escapechar", "is the delimiter too"),
        ({"fields": ["a", ""]}, "fields", "a name is empty"),
        ({"fields": ["a", "b", "a"]}, "fields", "'a' stands there twice"),
        ({"fields": ["a"], "columns": {"b": "int"}}, "columns.b", "is none of `fields`"),
        ({"columns": {"a": "integer"}}, "columns.a", "expected one of"),
        ({"delimiter": ";;"}, "delimiter", "length"),
        ({"quotechar": ""}, "quotechar", "length"),
        ({"encoding": "klingon"}, "encoding", "no encoding"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, path, message):
    with pytest.raises(ConfigError) as raised:
        CSVDecoder({"options": options})
    (problem,) = raised.value.problems
    assert problem.path == f"deserializer.options.{path}"
    assert message in problem.message


@settings(max_examples=100)
@given(
    rows=st.lists(st.lists(st.text(st.sampled_from("ab,;\"'\\\n\r |"), max_size=5), min_size=2, max_size=2), max_size=6),
    options=st.sampled_from(
        [
            {"delimiter": ";", "quotechar": "'"},
            {"escapechar": "\\", "doublequote": False},
            {"delimiter": "|", "escapechar": "\\", "quotechar": "'", "doublequote": False},
        ]
    ),
    drip=st.integers(1, 9),
)
def test_what_was_written_in_a_dialect_is_read_in_it(decode, rows, options, drip):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL, **options).writerows([["a", "b"], *rows])
    found = [record for batch in decode(CSVDecoder, text.getvalue().encode(), drip=drip, **options) for record in batch.records]
    assert found == [{"a": a, "b": b} for a, b in rows]
