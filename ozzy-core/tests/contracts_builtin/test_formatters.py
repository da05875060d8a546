"""The formatters of the core keep their contract."""
# ruff: noqa: RUF012

import csv
import io
import json
from typing import Any

from ozzy.builtin.formatters.csv import CSVExportFormatter
from ozzy.builtin.formatters.json import JsonExportFormatter
from ozzy.testing.formatter import FormatterContract


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
        return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        return [{field: self.cell(record.get(field)) for field in self.options["fields"]} for record in records]

    def cell(self, value: Any) -> str:
        return value if isinstance(value, str) else "" if value is None else json.dumps(value, separators=(",", ":"))


class TestSemicolons(TestCSV):
    options = {"fields": ["name"], "delimiter": ";", "show_titles": True}
