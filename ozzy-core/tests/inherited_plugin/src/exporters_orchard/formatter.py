# ruff: noqa: RUF012
from ozzy.export_formatter.base_export_formatter import BaseExportFormatter


class LabelFormatter(BaseExportFormatter):
    """A line for each apple, between a first and a last line: item by item, as modules did it."""

    supported_options = {"mark": {"type": str, "default": "#"}}
    file_extension = "txt"

    def format(self, item):
        return "{}{} {}".format(self.read_option("mark"), item["number"], item["colour"])

    def format_header(self):
        return "apples\n"

    def format_footer(self):
        return "\nthat was all\n"


class BatchLabelFormatter(LabelFormatter):
    """The same lines, batch by batch, as the documentation had it."""

    def format(self, batch):
        for item in batch:
            item.formatted = "{}{} {}".format(self.read_option("mark"), item["number"], item["colour"])
            yield item
