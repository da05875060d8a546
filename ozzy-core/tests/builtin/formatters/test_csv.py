"""Formatter csv: what each kind of value looks like, and what it refuses."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ozzy.builtin.formatters.csv import CSVExportFormatter
from ozzy.data.batch import Batch
from ozzy.data.json_text import decode_line, encode_record
from ozzy.errors import ConfigError, DataError


class Size(IntEnum):
    SMALL = 1


class Colour(StrEnum):
    RED = "red"


def formatter(**options):
    return CSVExportFormatter({"options": options})


def row(value):
    """The cell of one value beside another cell."""
    (line,) = formatter(fields=["v", "w"]).format_rows(Batch.from_records([{"v": value, "w": 0}]))
    assert line.endswith(b",0\n")
    return line[:-3].decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", '"text"'),
        ("", '""'),
        ('say "hi", now', '"say ""hi"", now"'),
        ("two\nlines\r\n", '"two\nlines\r\n"'),
        ("nul\0inside", '"nul\0inside"'),
        ("España 東京 😀", '"España 東京 😀"'),
        (" spaces ", '" spaces "'),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-5, "-5"),
        (2**80, "1208925819614629174706176"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (1e16, "1e16"),
        (0.1, "0.1"),
        ([], '"[]"'),
        ({"a": [1, "ñ", None, 1.0]}, '"{""a"":[1,""ñ"",null,1.0]}"'),
        ((1, 2), '"[1,2]"'),
        (datetime(2026, 3, 7, 9, 5, tzinfo=UTC), '"2026-03-07T09:05:00Z"'),
        (date(2026, 3, 7), '"2026-03-07"'),
        (Decimal("1.50"), '"1.50"'),
        (Size.SMALL, "1"),
        (Colour.RED, '"red"'),
        (b"bytes", '"Ynl0ZXM="'),
    ],
)
def test_a_cell_shows_its_value(value, expected):
    assert row(value) == expected


@pytest.mark.parametrize(
    "column",
    [[1, 2.5, True, 2**70], ["a", 'b"c', "", "d\ne"], ["nul\0", "x"], [1, None, "x", False], [[1], {"a": 2}], [None, None], [1.0, 1]],
)
def test_a_column_looks_the_same_as_its_cells_one_by_one(column):
    together = formatter(fields=["v", "w"]).format_rows(Batch.from_records([{"v": value, "w": 0} for value in column]))
    assert [line[:-3].decode() for line in together] == [row(value) for value in column]


def test_missing_is_empty_and_other_fields_are_left_out():
    made = formatter(fields=["a", "b"])
    assert made.format_rows(Batch.from_records([{"b": 1, "c": 2}, {"a": None, "b": "x"}])) == [b",1\n", b',"x"\n']


def test_no_rows_make_no_lines():
    assert formatter(fields=["a", "b"]).format_rows(Batch.from_records([])) == []


def test_lines_and_records_give_the_same_rows():
    lines = [b'{"a":1.0,"b":"\\u00f1","c":{"x": [1, 2]}}', b'{"c":null,"a":12345678901234567890123}']
    made = formatter(fields=["a", "b", "c"])
    from_lines = made.format_rows(Batch.from_lines(list(lines)))
    assert from_lines == made.format_rows(Batch.from_records([json.loads(line) for line in lines]))
    assert from_lines == ['1.0,"ñ","{""x"":[1,2]}"\n'.encode(), b"12345678901234567890123,,\n"]


def test_the_only_cell_of_a_row_is_never_an_empty_line():
    assert formatter(fields=["a"]).format_rows(Batch.from_records([{"a": None}, {}, {"a": 1}, {"a": ""}])) == [
        b'""\n',
        b'""\n',
        b"1\n",
        b'""\n',
    ]


def test_a_dotted_name_is_a_key_like_any_other():
    assert formatter(fields=["a.b"]).format_rows(Batch.from_records([{"a.b": 1, "a": {"b": 2}}])) == [b"1\n"]


def shown(value):
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "ñ"]),
            st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2),
            max_size=3,
        ),
        max_size=5,
    )
)
@settings(max_examples=100)
def test_another_reader_of_csv_gets_the_texts_back(records):
    made = formatter(fields=["a", "b", "ñ"])
    text = (made.header() + b"".join(made.format_rows(Batch.from_records(records))) + made.footer()).decode()
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert rows[0] == ["a", "b", "ñ"]
    assert rows[1:] == [[shown(record.get(field)) for field in ("a", "b", "ñ")] for record in records]


def test_the_header_has_the_titles_quoted():
    assert formatter(fields=['say "x"', "ñ"]).header() == '"say ""x""","ñ"\n'.encode()


def test_titles_can_be_left_out():
    assert formatter(fields=["a"], show_titles=False).header() == b""


def test_another_delimiter_separates_titles_and_cells():
    made = formatter(fields=["a", "b"], delimiter="\t")
    assert (made.header(), made.format_rows(Batch.from_records([{"a": 1, "b": "x"}]))) == (b'"a"\t"b"\n', [b'1\t"x"\n'])
    assert formatter(fields=["a", "b"], delimiter="·").header() == '"a"·"b"\n'.encode()


def test_a_schema_gives_its_properties_sorted():
    assert formatter(schema={"type": "object", "properties": {"b": {}, "a": {}, "C": {}}}).columns == ("C", "a", "b")


def test_fields_go_before_a_schema():
    assert formatter(fields=["z"], schema={"properties": {"a": {}}}).columns == ("z",)


def test_it_says_what_it_reads_and_how_its_files_are_called():
    made = formatter(fields=["a", "b"])
    assert (made.reads, made.file_extension, made.separator, made.footer()) == (("a", "b"), "csv", b"", b"")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "expected fields, or a schema with properties: the columns have to come from one of them"),
        ({"schema": {"properties": {}}}, "expected fields, or a schema with properties: the columns have to come from one of them"),
        ({"schema": {"properties": ["a"]}}, "expected fields, or a schema with properties: the columns have to come from one of them"),
        ({"fields": ["a", "b", "a"]}, "'a' stands there twice"),
        ({"fields": ["a"], "delimiter": "1"}, "'1' may be part of a cell; use one such as ',', ';', '|' or a tab"),
        ({"fields": ["a"], "delimiter": '"'}, "is the delimiter too"),
        ({"fields": ["a"], "quotechar": "x"}, "'x' may be part of a cell; use a sign"),
        ({"fields": ["a"], "escapechar": ","}, "is the delimiter too"),
        ({"fields": ["a"], "escapechar": '"'}, "is the quotechar too"),
        ({"fields": ["a"], "doublequote": False}, "without it a quote in a cell needs an escapechar"),
        ({"discover": True, "quoting": "none"}, "columns that are discovered need quotes"),
    ],
)
def test_options_that_make_no_table_are_refused(options, expected):
    with pytest.raises(ConfigError) as caught:
        formatter(**options)
    assert [problem.message for problem in caught.value.problems] == [expected]


@pytest.mark.parametrize("delimiter", ["", ";;"])
def test_a_delimiter_is_one_character(delimiter):
    with pytest.raises(ConfigError, match="delimiter"):
        formatter(fields=["a"], delimiter=delimiter)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "NaN"),
        ([float("inf")], "infinite"),
        ("\ud800", "UTF-8"),
        ({"x": "\ud800"}, "JSON"),
        (object(), "object"),
    ],
)
@pytest.mark.parametrize("others", [0, "text", [1], None])
def test_a_value_without_a_form_is_an_error_of_its_row(value, message, others):
    records = [{"a": others}, {"a": others}, {"a": value}]
    with pytest.raises(DataError, match=message) as caught:
        formatter(fields=["a"]).format_rows(Batch.from_records(records))
    assert caught.value.row == 2


def test_the_row_of_an_error_is_the_first_bad_one_whatever_the_column():
    with pytest.raises(DataError) as caught:
        formatter(fields=["a", "b"]).format_rows(Batch.from_records([{"a": 1, "b": 1}, {"b": float("nan")}, {"a": float("inf")}]))
    assert caught.value.row == 1


def test_numbers_of_lines_leave_as_they_are_spelt():
    lines = [b'{"a":1.50}', b'{"a":1E5}', b'{"a":-0}', b'{"a":1e999}']
    assert formatter(fields=["a"]).format_rows(Batch.from_lines(lines)) == [b"1.50\n", b"1E5\n", b"-0\n", b"1e999\n"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "ñ"]), VALUES, max_size=3), max_size=4), st.booleans())
def test_tokens_of_lines_become_the_cells_that_values_become(records, escaped):
    dump = partial(json.dumps, separators=(", ", " : ")) if escaped else (lambda record: encode_record(record).decode())
    lines = [dump(record).encode() for record in records]
    decoded = [decode_line(line) for line in lines]
    made = formatter(fields=["a", "ñ", "b"])
    from_lines = made.format_rows(Batch.from_lines(lines))
    from_records = made.format_rows(Batch.from_records(decoded))
    assert list(csv.reader(io.StringIO(b"".join(from_lines).decode()))) == unspelt(from_records, from_lines)


def unspelt(rows, like):
    """Rows as a reader sees them, where numbers and escapes inside nested values may be spelt as in the lines."""
    found = list(csv.reader(io.StringIO(b"".join(rows).decode())))
    other = list(csv.reader(io.StringIO(b"".join(like).decode())))
    for row, spelt in zip(found, other, strict=True):
        for at, (cell, shown_) in enumerate(zip(row, spelt, strict=True)):
            if cell != shown_ and json.loads(cell) == json.loads(shown_):
                row[at] = shown_
    return found
