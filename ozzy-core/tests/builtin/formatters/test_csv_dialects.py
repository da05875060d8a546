"""Formatter csv: dialects, formulas, and columns that are discovered."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.builtin.formatters import csv as module
from ozzy.builtin.formatters.csv import CSVExportFormatter
from ozzy.data.batch import Batch
from ozzy.errors import DataError


def formatter(**options):
    return CSVExportFormatter({"options": options})


def lines(records, **options):
    made = formatter(**({"fields": ["a", "b"]} | options))
    return (made.header() + b"".join(made.format_rows(Batch.from_records(records)))).decode()


ROWS = [{"a": "x", "b": 1}, {"a": 'q"c,d', "b": None}, {"a": "", "b": [1, "z"]}, {"a": "two\nlines", "b": True}]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, '"a","b"\n"x",1\n"q""c,d",\n"","[1,""z""]"\n"two\nlines",true\n'),
        ({"quoting": "all"}, '"a","b"\n"x","1"\n"q""c,d",""\n"","[1,""z""]"\n"two\nlines","true"\n'),
        ({"quoting": "minimal"}, 'a,b\nx,1\n"q""c,d",\n,"[1,""z""]"\n"two\nlines",true\n'),
        ({"quoting": "none", "escapechar": "\\"}, 'a,b\nx,1\nq\\"c\\,d,\n,[1\\,\\"z\\"]\ntwo\\\nlines,true\n'),
        ({"quotechar": "'"}, "'a','b'\n'x',1\n'q\"c,d',\n'','[1,\"z\"]'\n'two\nlines',true\n"),
        ({"doublequote": False, "escapechar": "\\"}, '"a","b"\n"x",1\n"q\\"c,d",\n"","[1,\\"z\\"]"\n"two\nlines",true\n'),
        ({"line_end": "crlf"}, '"a","b"\r\n"x",1\r\n"q""c,d",\r\n"","[1,""z""]"\r\n"two\nlines",true\r\n'),
        ({"delimiter": ";", "quoting": "minimal"}, 'a;b\nx;1\n"q""c,d";\n;"[1,""z""]"\n"two\nlines";true\n'),
        ({"show_titles": False, "quoting": "all"}, '"x","1"\n"q""c,d",""\n"","[1,""z""]"\n"two\nlines","true"\n'),
    ],
)
def test_each_option_of_a_dialect(options, expected):
    assert lines(ROWS, **options) == expected


def test_an_escapechar_is_written_twice():
    assert lines([{"a": "\\", "b": '"'}], escapechar="\\", show_titles=False) == '"\\\\",""""\n'


@pytest.mark.parametrize("quoting", ["strings", "all", "minimal"])
@pytest.mark.parametrize("end", ["lf", "crlf"])
def test_the_only_cell_of_a_row_is_never_an_empty_line(quoting, end):
    made = formatter(fields=["a"], quoting=quoting, line_end=end)
    assert made.format_rows(Batch.from_records([{}, {"a": None}, {"a": ""}])) == [b'""\n' if end == "lf" else b'""\r\n'] * 3


@pytest.mark.parametrize("value", ["a,b", 'a"b', "a\nb", "a\rb", [1, 2], None])
def test_without_quotes_a_cell_that_needs_them_is_an_error_of_its_row(value):
    with pytest.raises(DataError, match="without quotes") as raised:
        formatter(fields=["a"], quoting="none").format_rows(Batch.from_records([{"a": 1}, {"a": value}]))
    assert raised.value.row == 1


@pytest.mark.parametrize("value", [float("nan"), "\ud800", object(), {"x": float("inf")}])
@pytest.mark.parametrize("quoting", ["minimal", "all"])
def test_a_value_without_a_form_is_an_error_of_its_row_in_every_dialect(value, quoting):
    with pytest.raises(DataError) as raised:
        formatter(fields=["a"], quoting=quoting).format_rows(Batch.from_records([{"a": 1}, {"a": value}]))
    assert raised.value.row == 1


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("\n=x", "'\n=x"),
        ("  =x", "'  =x"),
        ("\uff1dx", "'\uff1dx"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
        ("", ""),
        (" ", " "),
    ],
)
def test_texts_that_a_spreadsheet_would_run_are_neutral_where_that_is_asked_for(text, neutral):
    made = formatter(fields=["a", "b"], neutralise_formulas=True)
    quoted = neutral.replace('"', '""')
    assert made.format_rows(Batch.from_records([{"a": text, "b": -5}])) == [f'"{quoted}",-5\n'.encode()]
    assert formatter(fields=["a"]).format_rows(Batch.from_records([{"a": text}])) == [f'"{text}"\n'.encode()]
    assert formatter(fields=["a"], quoting="all", neutralise_formulas=True).format_rows(Batch.from_records([{"a": text}])) == [
        f'"{quoted}"\n'.encode()
    ]


def test_titles_are_neutral_too():
    assert formatter(fields=["=a", "b"], neutralise_formulas=True).header() == b'"\'=a","b"\n'


def file(records, cuts=2, **options):
    made = formatter(discover=True, **options)
    rows = made.format_rows(Batch.from_records(records))
    assert (made.header(), made.footer(), made.assembles, made.resumable, made.appendable, made.reads) == (
        b"",
        b"",
        True,
        True,
        False,
        None,
    )
    target = io.BytesIO()
    staged = [row.removesuffix(b"\n") for row in rows]
    made.assemble(lambda: (Batch.from_lines(staged[at : at + cuts]) for at in range(0, len(staged), cuts)), target)
    return target.getvalue().decode()


@pytest.mark.parametrize("cuts", [1, 2, 100])
def test_discovered_columns_stand_in_the_order_in_which_they_are_seen(cuts):
    records = [{"b": 1}, {"a": "x", "b": 2}, {}, {"c": [1], "a": None}]
    assert file(records, cuts) == '"b","a","c"\n1,,\n2,"x",\n,,\n,,"[1]"\n'
    assert file(records, cuts, fields=["z", "a"]) == '"z","a","b","c"\n,,1,\n,"x",2,\n,,,\n,,,"[1]"\n'
    assert file(records, cuts, schema={"properties": {"c": {}, "a": {}}}, show_titles=False) == ',,1\n"x",,2\n,,\n,"[1]",\n'


def test_discovered_columns_in_another_dialect():
    assert file([{"=a": "=1"}, {"b": "y"}], quoting="minimal", delimiter=";", neutralise_formulas=True) == "'=a;b\n'=1;\n;y\n"


def test_records_without_fields_have_a_line_each():
    assert file([{}, {}]) == "\n\n"
    assert file([]) == ""
    assert file([], fields=["a"]) == '"a"\n'


@pytest.mark.parametrize("bad", [float("nan"), "\ud800", object()])
def test_what_can_not_be_staged_is_an_error_of_its_row(bad):
    with pytest.raises(DataError) as raised:
        formatter(discover=True).format_rows(Batch.from_records([{"a": 1}, {"a": bad}]))
    assert raised.value.row == 1


def test_a_line_that_can_not_be_decoded_is_an_error_of_its_row():
    with pytest.raises(DataError) as raised:
        formatter(discover=True).format_rows(Batch.from_lines([b'{"a":1}', b'{"a":1e999}']))
    assert raised.value.row == 1


def test_too_many_columns_are_an_error(monkeypatch):
    monkeypatch.setattr(module, "COLUMNS_LIMIT", 5)
    assert file([{str(n): n} for n in range(5)]).startswith('"0","1","2","3","4"\n')
    with pytest.raises(DataError, match="more than 5 different fields"):
        file([{str(n): n} for n in range(6)])


TEXTS = st.text(st.sampled_from("ab,;\"'\\\n\r= "), max_size=5)


@settings(max_examples=100)
@given(
    records=st.lists(st.dictionaries(st.sampled_from(["a", "b", "c,d"]), TEXTS, max_size=3), max_size=5),
    dialect=st.sampled_from(
        [
            {},
            {"quoting": "all", "line_end": "crlf"},
            {"quoting": "minimal", "quotechar": "'", "delimiter": ";"},
            {"doublequote": False, "escapechar": "\\"},
            {"quoting": "minimal", "doublequote": False, "escapechar": "\\"},
        ]
    ),
)
def test_another_reader_of_the_dialect_gets_the_texts_back(records, dialect):
    read = {"delimiter": ",", "quotechar": '"', "doublequote": True, "escapechar": None} | {
        name: value for name, value in dialect.items() if name not in {"quoting", "line_end"}
    }
    for text, columns in (
        (file(records, **dialect), list(dict.fromkeys(name for record in records for name in record))),
        (lines(records, **dialect), ["a", "b"]),
    ):
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True, **read))
        if columns:
            assert rows == [columns, *([record.get(name, "") for name in columns] for record in records)]


def test_lines_stay_the_bytes_they_were_until_the_file_is_made():
    line = b'{"b": 1.0, "a":  "\\u00f1"}'
    assert formatter(discover=True).format_rows(Batch.from_lines([line])) == [line + b"\n"]
    assert json.loads(line) == {"b": 1.0, "a": "ñ"}
