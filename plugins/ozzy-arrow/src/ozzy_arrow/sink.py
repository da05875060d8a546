"""Columns on their way into files: what all formatters of this package share."""

import io
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO, Any, BinaryIO, ClassVar, Final, Protocol, cast
from weakref import finalize

from ozzy import BaseExportFormatter, Batch, DataError, Problem, StateError, option, options
from ozzy.data.codecs import CODECS, PIECE, open_decompressed
from ozzy.data.table import Table
from ozzy.data.table_values import values_of
from ozzy.staging.disk import at_destination
from ozzy_arrow.fitting import fitted, fitted_column
from ozzy_arrow.inference import inferred
from ozzy_arrow.library import ipc, pa
from ozzy_arrow.pieces import Pieces
from ozzy_arrow.types import NAMES, problems, schema_of

HELD_BYTES: Final = 96 * 1024 * 1024
"""How much of all open files together is held in memory."""


@options
class ColumnFormatterOptions:
    """Options of the formatters of columns."""

    schema: dict[str, Any] = option(
        default={},
        help="Columns to types, in order. Unset they are those of the first columns that come, or else those that hold all records of the "
        f"first file. Types: {NAMES}; with `not null` after a type, a value has to be there.",
        example={"id": "int64 not null", "price": "decimal(12, 2)", "tags": ["string"], "seller": {"id": "int64", "name": "string"}},
    )
    extra_fields: str = option(
        default="reject",
        choices=("reject", "drop"),
        help="What becomes of a field that is no column. reject: its record is bad; drop: the field is left out.",
    )


class TableWriter(Protocol):
    """What the library writes a file with."""

    def write_table(self, table: Any) -> None:
        """Write rows."""

    def close(self) -> None:
        """End the file."""


class ColumnFormatter(BaseExportFormatter):
    """The base of formatters that write tables through the library."""

    Options: ClassVar[type] = ColumnFormatterOptions
    item_separator = ""
    appendable = False
    resumable = False
    compressed = True
    face = "columns, else records"
    columnar = True
    step: ClassVar[int | None] = None
    """How many rows the library encodes at a time, from the start of each piece of memory; None where it does not go by that."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: Any = None
        self._learnt = False
        self._open: list[_Sink] = []
        self._thread: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None

    @classmethod
    def check_options(cls, options: Any) -> Iterator[Problem]:
        """What is wrong with the schema."""
        yield from problems("schema", options.schema)

    def writer(self, stream: BinaryIO, schema: Any, first: Any) -> TableWriter:
        """The library's writer of a new file, whose first rows are `first`."""
        raise NotImplementedError(f"{type(self).__name__} has no writer()")

    @property
    def rows_at_once(self) -> int:
        """How many rows are written together."""
        return int(self.options.row_group_size)

    @property
    def columns(self) -> Any:
        """The schema, as far as it is given or known by now."""
        if self._known is None and self.options.schema:
            self._known = schema_of(self.options.schema)
        return self._known

    def learn(self, schema: Any) -> None:
        """From now on all files have these columns."""
        kept = {key: value for key, value in (schema.metadata or {}).items() if key != b"pandas"}
        self._known, self._learnt = schema.with_metadata(kept or None), True

    def get_state(self) -> Any:
        """The columns that were learnt from the rows, for the files to come."""
        return b64encode(self._known.serialize().to_pybytes()).decode() if self._learnt else None

    def set_state(self, state: Any) -> None:
        try:
            self.learn(ipc().read_schema(pa().py_buffer(b64decode(state))))
        except (pa().ArrowException, ValueError, OSError) as error:
            raise StateError(f"the columns in the checkpoint can't be read: {error}", hint="Start again with --fresh.") from error

    def fit(self, batch: Batch) -> Batch:
        if self.columns is None and batch.table is not None:
            self.learn(batch.table.schema)
        schema = self.columns
        drop = self.options.extra_fields == "drop"
        if schema is None:
            lines = batch.lines
            _ = batch.records
            return Batch(lines=lines, split=batch.split, origin=batch.origin)
        if batch.table is not None:
            return batch.of_table(Table.of(_fitted_table(batch.table, schema, drop_others=drop)))
        return batch.of_table(Table.of(fitted(batch.records, schema, drop_others=drop)))

    def open(self, stream: BinaryIO) -> "_Sink":
        sink = _Sink(self, stream)
        self._open.append(sink)
        return sink

    def made_room(self) -> None:
        """Write the largest of what is held in memory, until that is little enough."""
        while sum(sink.held for sink in self._open) > HELD_BYTES:
            max(self._open, key=lambda sink: sink.held).flush()

    def in_turn(self, work: Callable[[], None]) -> None:
        """Do some writing beside what goes on here, after the writing before it."""
        self.settle()
        self._thread = self._thread or ThreadPoolExecutor(1, "ozzy-arrow")
        self._writing = self._thread.submit(work)

    def settle(self) -> None:
        """Wait until all is written that was to be."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def closed(self, sink: "_Sink") -> None:
        """A file is ended."""
        self._open.remove(sink)
        pa().default_memory_pool().release_unused()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)


def _fitted_table(table: Table, schema: Any, *, drop_others: bool) -> Any:
    """A table with the columns of a schema. Raises DataError with the row of a value that does not fit."""
    own = table.schema
    if own.equals(schema):
        return table.arrow().replace_schema_metadata(schema.metadata)
    other = next((name for name in table.names if name not in schema.names), None)
    if other is not None and not drop_others:
        raise DataError(f"{other!r} is no column of the schema", row=0, hint="Name it in schema, or leave it out before.")
    arrays = []
    for field in schema:
        if (
            field.name in table.names
            and own.field(field.name).type == field.type
            and (field.nullable or not table.column(field.name).null_count)
        ):
            arrays.append(table.column(field.name))
        else:
            values = values_of(table, field.name) if field.name in table.names else [None] * table.num_rows
            arrays.append(fitted_column(values, field))
    return pa().Table.from_arrays(arrays, schema=schema)


class _Sink:
    """One file. Rows are collected until they make a row group, which is then written beside the work on the next one.

    Records of which no schema is known yet wait on disk as lines until the file is ended.
    """

    def __init__(self, formatter: ColumnFormatter, stream: BinaryIO) -> None:
        self._formatter = formatter
        self._stream = stream
        self._pieces = Pieces(formatter.step)
        self._writer: TableWriter | None = None
        self._waiting: _Waiting | None = None
        self._size = 0

    @property
    def held(self) -> int:
        """The bytes that wait for their row group."""
        return self._pieces.held

    def write(self, batch: Batch) -> None:
        if self._waiting is not None or self._formatter.columns is None:
            self._waiting = self._waiting or _Waiting()
            self._waiting.add(batch.lines)
            return
        fitting = batch if batch.table is not None else self._formatter.fit(batch)
        assert fitting.table is not None
        self._add(fitting.table.arrow())
        self._formatter.made_room()

    def size(self) -> int:
        """The bytes of all row groups but the last, which may still be on its way."""
        return self._size

    def flush(self) -> None:
        """Write what is held, as a row group of its own if need be."""
        if self._pieces.rows:
            self._write(self._pieces.take())

    def close(self) -> None:
        if self._waiting is not None:
            self._write_waiting(self._waiting)
        self.flush()
        self._formatter.settle()
        schema = self._formatter.columns if self._formatter.columns is not None else pa().schema([])
        if self._writer is None:
            self._writer = self._formatter.writer(self._stream, schema, None)
        self._writer.close()
        self._writer = None
        self._formatter.closed(self)

    def _add(self, table: Any) -> None:
        size = self._formatter.rows_at_once
        while self._pieces.rows + table.num_rows >= size:
            room = size - self._pieces.rows
            self._pieces.add(table.slice(0, room))
            self.flush()
            table = table.slice(room)
        if table.num_rows:
            self._pieces.add(table)

    def _write(self, table: Any) -> None:
        self._formatter.settle()
        self._size = self._stream.tell()
        if self._writer is None:
            self._writer = self._formatter.writer(self._stream, table.schema, table)
        writer = self._writer
        self._formatter.in_turn(lambda: writer.write_table(self._pieces.written(table)))

    def _write_waiting(self, waiting: "_Waiting") -> None:
        if self._formatter.columns is None:
            self._formatter.learn(inferred(record for batch in waiting.batches() for record in batch.records))
        schema = self._formatter.columns
        drop = self._formatter.options.extra_fields == "drop"
        first = 0
        for batch in waiting.batches():
            try:
                self._add(fitted(batch.records, schema, drop_others=drop))
            except DataError as error:
                raise DataError(
                    f"record {first + (error.row or 0) + 1} of a file does not fit the columns of the first file: {error.message}",
                    hint="Give the formatter a schema that fits all records.",
                ) from error
            first += len(batch)
        waiting.close()


class _Waiting:
    """Lines on disk, compressed; `close` deletes them."""

    def __init__(self) -> None:
        self._file: IO[bytes] = _temporary()
        self.close = finalize(self, self._file.close)
        self._tail: list[bytes] = []
        self._size = 0

    def add(self, lines: list[bytes]) -> None:
        """Take lines."""
        self._tail += lines
        self._size += sum(map(len, lines))
        if self._size >= PIECE:
            self._end()

    def batches(self) -> Iterator[Batch]:
        """All lines, some at a time."""
        self._end()
        self._file.seek(0)
        stream = open_decompressed(cast("BinaryIO", self._file), "zst", name="records that wait for their columns")
        rest = b""
        while piece := stream.read(4 * PIECE):
            *lines, rest = (rest + piece).split(b"\n")
            if lines:
                yield Batch.from_lines(lines)
        self._file.seek(0, io.SEEK_END)

    def _end(self) -> None:
        if self._tail:
            with at_destination(Path(gettempdir())):
                self._file.write(CODECS["zst"].compress(b"\n".join(self._tail) + b"\n"))
        self._tail, self._size = [], 0


def _temporary() -> IO[bytes]:
    with at_destination(Path(gettempdir())):
        return TemporaryFile()
