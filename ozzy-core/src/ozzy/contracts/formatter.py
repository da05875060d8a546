"""Formatters: from records to the bytes of a file."""

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

from ozzy.contracts.module import BaseModule
from ozzy.data.batch import Batch
from ozzy.errors import DataError


class BaseExportFormatter(BaseModule):
    """Turns rows into bytes. A file is `header`, the rows with `separator` between them, `footer`.

    Write `format_rows(batch)`; or the inherited `format(item)` with `format_header()` and `format_footer()`; or, as the inherited
    documentation has it, `format(batch)`, told by the name of its argument, which sets `formatted` on each record and yields it.
    """

    kind: ClassVar[str] = "formatter"
    file_extension: str = "txt"
    item_separator: str = "\n"
    resumable: bool = True
    """Whether a file can be continued after its last whole row in another process."""
    appendable: bool = True
    """Whether the rows of two files, one after the other, are the rows of one."""
    reads: Sequence[str] | None = None

    @property
    def separator(self) -> bytes:
        """What stands between two rows."""
        return self.item_separator.encode()

    def header(self) -> bytes:
        """What a file begins with. Asked for once a file."""
        return _bytes(self.format_header())

    def footer(self) -> bytes:
        """What a file ends with. Asked for once a file."""
        return _bytes(self.format_footer())

    def format_rows(self, batch: Batch) -> list[bytes]:
        """One run of bytes a row, in order. Raises DataError with the row that can't be formatted."""
        if next(iter(inspect.signature(self.format).parameters), "") == "batch":
            return _formatted(self, batch)
        return [_bytes(self.format(item)) for item in batch]

    def format(self, item: Any) -> str | bytes:
        """The inherited way: one record as text."""
        raise NotImplementedError(f"{type(self).__name__} has neither format_rows() nor format()")

    def format_header(self) -> str | bytes:
        """The inherited way: what a file begins with."""
        return ""

    def format_footer(self) -> str | bytes:
        """The inherited way: what a file ends with."""
        return ""


def _formatted(formatter: BaseExportFormatter, batch: Batch) -> list[bytes]:
    rows = [_bytes(getattr(item, "formatted", None)) for item in formatter.format(iter(batch))]
    if len(rows) != len(batch):
        raise DataError(f"{type(formatter).__name__} was given {len(batch)} records and gave back {len(rows)}")
    return rows


def _bytes(text: str | bytes | None) -> bytes:
    return text.encode() if isinstance(text, str) else text or b""
