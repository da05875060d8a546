"""The formatters of the core keep their contract."""
# ruff: noqa: RUF012

import csv
import io
import json
import xml.etree.ElementTree as ET
from typing import Any

import fastavro
import openpyxl
import pytest

from ozzy.builtin.formatters.avro import AvroExportFormatter
from ozzy.builtin.formatters.csv import CSVExportFormatter
from ozzy.builtin.formatters.json import JsonExportFormatter
from ozzy.builtin.formatters.xlsx import XLSXExportFormatter
from ozzy.builtin.formatters.xml import XMLExportFormatter
from ozzy.testing.formatter import FormatterContract
from ozzy.testing.samples import HUGE


class TestJsonLines(FormatterContract):
    module = JsonExportFormatter

    def parse(self, data: bytes) -> list[Any]:
        return [json.loads(line) for line in data.decode().split("\n") if line]


class TestJsonArray(FormatterContract):
    module = JsonExportFormatter
    options = {"jsonlines": False}

    def parse(self, data: bytes) -> list[Any]:
        found: list[Any] = json.loads(data)
        return found


class TestPrettyJson(TestJsonArray):
    options = {"jsonlines": False, "pretty_print": True}

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        return [json.loads(json.dumps(record, sort_keys=True)) for record in records]


class TestCSV(FormatterContract):
    module = CSVExportFormatter
    options = {"fields": ["id", "name", "country", "active", "tags", "missing"]}

    def parse(self, data: bytes) -> list[Any]:
        csv.field_size_limit(max(csv.field_size_limit(), HUGE))
        return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True, delimiter=self.options.get("delimiter", ",")))

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        return [{field: self.cell(record.get(field)) for field in self.options["fields"]} for record in records]

    def cell(self, value: Any) -> str:
        return value if isinstance(value, str) else "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class TestSemicolons(TestCSV):
    options = {"fields": ["name"], "delimiter": ";", "show_titles": True}


class TestCSVQuotedThroughout(TestCSV):
    options = {"fields": ["id", "name", "tags"], "quoting": "all", "line_end": "crlf"}


class TestCSVDiscovered(TestCSV):
    options = {"fields": ["name"], "discover": True}

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        fields = dict.fromkeys(["name", *(field for record in records for field in record)])
        return [{field: self.cell(record.get(field)) for field in fields} for record in records]


class TestXML(FormatterContract):
    module = XMLExportFormatter
    options = {"fields_order": ["name"]}

    def parse(self, data: bytes) -> list[Any]:
        return [{field.tag: field.text or "" for field in item if not len(field)} for item in ET.fromstring(data)]

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        kept = [{"name": record["name"], **record} for record in records]
        return [
            {field: self.text(value) for field, value in record.items() if not value or not isinstance(value, (list, dict))}
            for record in kept
        ]

    def text(self, value: Any) -> str:
        return value if isinstance(value, str) else "" if value is None or isinstance(value, (list, dict)) else json.dumps(value)


class TestXLSX(FormatterContract):
    module = XLSXExportFormatter

    def parse(self, data: bytes) -> list[Any]:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        rows = [list(row) for row in book["records"].iter_rows(values_only=True)]
        book.close()
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] if rows else []

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        return [{name: self.cell(value) for name, value in record.items()} for record in records]

    def cell(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("\r", "_x000D_")  # which spreadsheet programs read as what it was
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False) if isinstance(value, (list, dict)) else value

    @pytest.mark.parametrize("what", ["no record", "one record", "the samples", "odd texts"])
    def test_the_file_can_be_read_back(self, what: str) -> None:
        """All but a huge record, which a cell can't hold."""
        super().test_the_file_can_be_read_back(what)


class TestAvro(FormatterContract):
    module = AvroExportFormatter
    options = {
        "schema": {
            "type": "record",
            "name": "Sample",
            "fields": [
                {"name": "id", "type": "long"},
                {"name": "name", "type": "string"},
                {"name": "price", "type": ["null", "double"]},
                {"name": "tags", "type": {"type": "array", "items": "string"}},
                {"name": "missing", "type": "string", "default": "none"},
            ],
        }
    }

    def parse(self, data: bytes) -> list[Any]:
        return list(fastavro.reader(io.BytesIO(data)))

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        return [{name: record[name] for name in ("id", "name", "price", "tags")} | {"missing": "none"} for record in records]
