"""Formatters: from records to the bytes of a file."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, ClassVar, TypeVar

from ozzy.contracts.module import BaseModule
from ozzy.data.batch import Batch, first_failing
from ozzy.data.rows import Rows
from ozzy.errors import DataError, OzzyError
from ozzy.log import reason
from ozzy.staging.sinks import Sink

T = TypeVar("T")


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
    compressed: bool = False
    """Whether its files are compressed in themselves, so that writers don't compress them again."""
    rows_limit: int | None = None
    """Rows in a file, at the most, where the format has such a limit: then the next file is begun."""
    unchanged: str | None = None
    """The format whose rows leave byte for byte as they came from a decoder that has the same `unchanged`, where nothing touched them."""
    reads: Sequence[str] | None = None
    columnar: bool = False
    """Whether it makes its files of columns of Arrow (`Batch.table`), where rows come as such."""
    tokens: Sequence[str] = ()
    """The top-level fields that it takes as they stand in a line (`Batch.column_tokens`), where it wants no more of a line."""

    @property
    def separator(self) -> bytes:
        """What stands between two rows."""
        return self.item_separator.encode()

    @property
    def assembles(self) -> bool:
        """Whether a file can only be made when all its rows are known: then `format_rows` gives lines, which `assemble` is given."""
        return type(self).assemble is not BaseExportFormatter.assemble

    def assemble(self, rows: Callable[[], Iterator[Batch]], target: BinaryIO) -> None:
        """Make a whole file of its rows: for formats whose beginning depends on their end, or that are no row of rows.

        Where a formatter has this, `format_rows` gives a line of JSON a row (`staged_lines` does that, and takes what it is to check),
        which is staged as durably as any row. When a file is finished, `rows()` gives them back, as often as it is asked, and the finished
        file is written to `target`, which can't be read or sought in. It depends on the rows alone and fails on none of them.
        """
        raise NotImplementedError(f"{type(self).__name__} has no assemble()")

    @property
    def sinks(self) -> bool:
        """Whether it writes files itself, batch by batch."""
        return type(self).open is not BaseExportFormatter.open

    def open(self, stream: BinaryIO) -> Sink:
        """Begin a file, which is written to `stream`: for formats that take columns, or large parts of a file at a time.

        The sink takes batches that `fit` gave with `write(batch)`, tells with `size()` how long the file is by now, and ends it with
        `close()`. The same rows make the same bytes,
        however they are cut into batches. Such a formatter is not `resumable`, so that each checkpoint finishes all files; what it has
        learnt of the rows for the files to come is its `get_state`. Of more groups than can be open at a time, rows wait as lines: then
        the sink gets them back as those.
        """
        raise NotImplementedError(f"{type(self).__name__} has no open()")

    def fit(self, batch: Batch) -> Batch:
        """The rows as a sink takes them. Raises DataError with the row that does not fit; after it, none may fail."""
        return batch

    def header(self) -> bytes:
        """What a file begins with. Asked for once a file."""
        return _bytes(self.format_header())

    def footer(self) -> bytes:
        """What a file ends with. Asked for once a file."""
        return _bytes(self.format_footer())

    def read_as(self) -> dict[str, Any] | None:
        """The section `deserializer` that reads such files, where their names and beginnings do not tell; None where they do."""
        return None

    def format_rows(self, batch: Batch) -> Sequence[bytes]:
        """One run of bytes a row, in order: a list of them, or `Rows`, which is cheaper where the text of all rows is made at once.

        Raises DataError with the row that can't be formatted.
        """
        if self.sinks:
            return Rows.of(self.fit(batch).lines, b"\n")
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


def staged_lines(batch: Batch) -> Rows:
    """The rows of a batch as lines of JSON for `assemble`. Raises DataError with the row that can't be written or read as JSON."""
    lines = batch.lines
    if "records" not in batch.faces:
        _ = batch.records
    return Rows.of(lines, b"\n")


def formatted_rows(formatter: BaseExportFormatter, batch: Batch) -> Rows:
    """What a formatter makes of a batch. Raises DataError that tells it from the writer, with the row where one is known."""
    return Rows.of(_blamed(formatter, formatter.format_rows, batch))


def fitted_batch(formatter: BaseExportFormatter, batch: Batch) -> Batch:
    """A batch as a formatter with a sink takes it. Raises as `formatted_rows` does."""
    return _blamed(formatter, formatter.fit, batch)


def _blamed(formatter: BaseExportFormatter, work: Callable[[Batch], T], batch: Batch) -> T:
    try:
        return work(batch)
    except DataError as error:
        error.stage = "formatter"
        raise
    except OzzyError:
        raise
    except Exception as error:
        raised = DataError(f"{type(formatter).__name__}: {reason(error)}", row=first_failing(batch, work))
        raised.stage = "formatter"
        raise raised from error


def _formatted(formatter: BaseExportFormatter, batch: Batch) -> list[bytes]:
    rows = [_bytes(getattr(item, "formatted", None)) for item in formatter.format(iter(batch))]
    if len(rows) != len(batch):
        raise DataError(f"{type(formatter).__name__} was given {len(batch)} records and gave back {len(rows)}")
    return rows


def _bytes(text: str | bytes | None) -> bytes:
    return text.encode() if isinstance(text, str) else text or b""
