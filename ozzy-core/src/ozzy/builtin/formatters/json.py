"""Formatter `json`: JSON lines, or one array."""

from typing import Any

import msgspec

from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.data.batch import Batch
from ozzy.data.rows import Rows
from ozzy.options.option import option, options


@options
class JsonOptions:
    """Options of the formatter `json`."""

    jsonlines: bool = option(default=True, help="One record a line; false makes the file one array.")
    pretty_print: bool = option(default=False, help="Indent by two spaces and sort the keys.")


class JsonExportFormatter(BaseExportFormatter):
    """Writes records as JSON in UTF-8: one a line, or the members of one array.

    A line that no stage has touched leaves as it came. Lines end with a line feed each, so that files can be concatenated.
    """

    Options = JsonOptions
    independent = True
    options: JsonOptions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file_extension = "jl" if self.options.jsonlines else "json"
        self.appendable = self.options.jsonlines
        self.unchanged = "json_lines" if self.options.jsonlines and not self.options.pretty_print else None

    @property
    def separator(self) -> bytes:
        """Nothing between lines, which bring their ends; a comma and a line feed between the members of an array."""
        return b"" if self.options.jsonlines else b",\n"

    @property
    def face(self) -> str:
        """What it asks a batch for."""
        return "records" if self.options.pretty_print else "lines"

    def header(self) -> bytes:
        return b"" if self.options.jsonlines else b"[\n"

    def footer(self) -> bytes:
        return b"" if self.options.jsonlines else b"\n]\n"

    def format_rows(self, batch: Batch) -> Rows:
        if batch.packed_lines is not None and not self.options.pretty_print:
            return batch.packed_lines.rows(b"\n" if self.options.jsonlines else b"")
        lines = [_pretty(line) for line in _sorted(batch)] if self.options.pretty_print else batch.lines
        return Rows.of(lines, b"\n" if self.options.jsonlines else b"")


def _sorted(batch: Batch) -> list[bytes]:
    return Batch.from_records([_in_order(record) for record in batch.records]).lines


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=str)}
    return [_in_order(one) for one in value] if isinstance(value, (list, tuple)) else value


def _pretty(line: bytes) -> bytes:
    return msgspec.json.format(line, indent=2)
