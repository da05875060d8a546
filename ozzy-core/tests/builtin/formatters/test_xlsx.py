"""Formatter xlsx: texts stay texts, numbers keep their digits, equal rows make equal files."""

import io
import sys
import time
import zipfile

import openpyxl
import pytest

from ozzy.builtin.formatters import xlsx as module
from ozzy.builtin.formatters.xlsx import XLSXExportFormatter
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, DataError, PluginError


def formatter(**options):
    return XLSXExportFormatter({"options": options})


def file(records, **options):
    made = formatter(**options)
    lines = [row[:-1] for row in made.format_rows(Batch.from_records(records))]
    target = io.BytesIO()
    made.assemble(lambda: (Batch.from_lines([line]) for line in lines), target)
    return target.getvalue()


def sheet(records, **options):
    book = openpyxl.load_workbook(io.BytesIO(file(records, **options)))
    (only,) = book.worksheets
    return only


def cell(value):
    return sheet([{"v": value}])["A2"]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "{=A1}", "http://example.com/", "mailto:a@example.com", "internal:Sheet1!A1",
     "12", "1e5", "2026-03-07", "true", " padded ", "two\nlines", "España 東京 😀", "<b>&amp;"],
)  # fmt: skip
def test_a_text_is_always_a_text(text):
    found = cell(text)
    assert (found.value, found.hyperlink) == (text, None)
    assert found.data_type in {"s", "inlineStr"}


@pytest.mark.parametrize(
    ("value", "kind"), [(0, "n"), (-5, "n"), (10**15 - 1, "n"), (1.5, "n"), (0.1, "n"), (1e300, "n"), (True, "b"), (False, "b")]
)
def test_numbers_and_booleans_are_what_they_are(value, kind):
    found = cell(value)
    assert (found.value, found.data_type) == (value, kind)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10**15, "1000000000000000"),
        (-(2**70), "-1180591620717411303424"),
        (0.1 + 0.2, "0.30000000000000004"),
        ([1, "é"], '[1,"é"]'),
        ({"a": None}, '{"a":null}'),
    ],
)
def test_what_a_sheet_would_change_is_a_text(value, text):
    assert cell(value).value == text


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_an_empty_cell(value):
    assert not cell(value).value


def test_columns_are_discovered_or_given():
    records = [{"b": 1}, {"a": "x", "b": 2}, {}]
    assert [row[:2] for row in sheet(records).iter_rows(values_only=True)][:3] == [("b", "a"), (1, None), (2, "x")]
    assert list(sheet(records, fields=["a"]).values)[:3] == [("a",), (None,), ("x",)]


def test_titles_can_be_left_out_and_the_sheet_have_another_name():
    found = sheet([{"a": 1}], show_titles=False, sheet_name="España 1")
    assert (list(found.values), found.title) == ([(1,)], "España 1")


def test_a_file_of_no_rows_is_a_workbook():
    assert sheet([]).title == "records"
    assert list(sheet([], fields=["a"]).values) == [("a",)]


def test_the_bytes_depend_on_the_rows_alone(monkeypatch):
    records = [{"a": f"text {n}", "b": n} for n in range(100)]
    first = file(records)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1e8)
    assert file(records) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        assert b"1980-01-01" in archive.read("docProps/core.xml")


def test_a_sheet_has_so_many_rows_and_then_a_next_file_begins():
    assert (formatter().rows_limit, formatter(show_titles=False).rows_limit) == (1_048_575, 1_048_576)
    assert (formatter().compressed, formatter().appendable, formatter().resumable, formatter().assembles) == (True, False, True, True)


@pytest.mark.parametrize("value", ["x" * 32_768, ["x" * 32_768], {"x" * 32_768: 1}])
def test_a_text_too_long_for_a_cell_is_an_error_of_its_row(value):
    record = {"a": value}
    with pytest.raises(DataError, match="32,767 characters that a cell can hold") as raised:
        formatter().format_rows(Batch.from_records([{"a": "x" * 32_767}, record]))
    assert raised.value.row == 1
    assert len(formatter(fields=["b"]).format_rows(Batch.from_records([record]))) == 1


def test_a_name_too_long_for_a_title_is_an_error_of_its_row():
    with pytest.raises(DataError):
        formatter().format_rows(Batch.from_records([{"x" * 32_768: 1}]))


def test_too_many_columns_are_an_error(monkeypatch):
    monkeypatch.setattr(module, "COLUMNS", 3)
    with pytest.raises(DataError, match="more than 3 different fields"):
        file([{str(n): n} for n in range(4)])


@pytest.mark.parametrize("bad", [float("nan"), "\ud800", object()])
def test_what_has_no_form_is_an_error_of_its_row(bad):
    with pytest.raises(DataError) as raised:
        formatter().format_rows(Batch.from_records([{"a": 1}, {"a": bad}]))
    assert raised.value.row == 1


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"fields": ["a", "a"]}, "fields"),
        ({"fields": [str(n) for n in range(16_385)]}, "fields"),
        ({"sheet_name": "a/b"}, "sheet_name"),
        ({"sheet_name": "'a"}, "sheet_name"),
        ({"sheet_name": "x" * 32}, "sheet_name"),
        ({"sheet_name": ""}, "sheet_name"),
    ],
)
def test_options_that_make_no_workbook_are_refused(options, path):
    with pytest.raises(ConfigError) as raised:
        formatter(**options)
    assert [problem.path for problem in raised.value.problems] == [f"formatter.options.{path}"]


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(PluginError) as raised:
        formatter().format_rows(Batch.from_records([{"a": 1}]))
    assert raised.value.hint == "pip install 'ozzy-core[xlsx]'"
