"""The decoders of the core keep their contract."""
# ruff: noqa: RUF012

import csv
import io
import json
from typing import Any

from ozzy.builtin.decoders.csv import CSVDecoder, TSVDecoder
from ozzy.builtin.decoders.json_array import JsonDecoder
from ozzy.builtin.decoders.json_lines import JsonLinesDecoder
from ozzy.builtin.decoders.xml import XMLDecoder
from ozzy.builtin.formatters.xml import XMLExportFormatter
from ozzy.data.batch import Batch
from ozzy.testing.decoder import DecoderContract


class TestJsonLinesDecoder(DecoderContract):
    module = JsonLinesDecoder

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


class TestJsonLinesWithBlanksAndBadRows(DecoderContract):
    module = JsonLinesDecoder
    content = b'\xef\xbb\xbf{"id": 1}\r\n\r\n{"id": \n{"id": 2}\n[1]\n\n\n{"id": 3}\n{"id": 4}'
    records = [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]


class TestJsonDecoder(DecoderContract):
    module = JsonDecoder

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        return json.dumps(records, indent=1).encode()


class TestCSVDecoder(DecoderContract):
    module = CSVDecoder
    delimiter = ","

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        fields = list(dict.fromkeys(field for record in records for field in record))
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter)
        writer.writerow(fields)
        writer.writerows([self.cell(record.get(field)) for field in fields] for record in records)
        return text.getvalue().encode()

    def expected(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{field: self.cell(value) for field, value in record.items()} for record in records]

    def cell(self, value: Any) -> str:
        return value if isinstance(value, str) else "" if value is None else json.dumps(value)


class TestTSVDecoder(TestCSVDecoder):
    module = TSVDecoder
    delimiter = "\t"


class TestCSVWithADialectAndTypes(DecoderContract):
    module = CSVDecoder
    options = {"delimiter": ";", "quotechar": "'", "columns": {"id": "int", "price": "float"}, "nulls": ["NULL"], "encoding": "utf-16"}
    content = "id;price;name\n1;1.5;'a;b'\n2;x;c\n\n3;;NULL\n4;2;'é''\n'\n".encode("utf-16")
    records = [
        {"id": 1, "price": 1.5, "name": "a;b"},
        {"id": 3, "price": None, "name": None},
        {"id": 4, "price": 2.0, "name": "é'\n"},
    ]


class TestXMLDecoder(DecoderContract):
    module = XMLDecoder
    options = {"types": True}

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        made = XMLExportFormatter()
        return made.header() + b"".join(made.format_rows(Batch.from_records(records))) + made.footer()


class TestXMLWithAttributesAndBadRecords(DecoderContract):
    module = XMLDecoder
    options = {"record": "r/i", "types": True}
    content = b'<r><h/>\n<i k="1"><a>x</a></i><i><a type="int">x</a></i>\n<i>t</i><x><i/></x><i><b/><b/></i></r>\n'
    records = [{"@k": "1", "a": "x"}, {"#text": "t"}, {"b": [None, None]}]
