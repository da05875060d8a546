"""The decoder of Parquet: batches of columns that are read from the file when a stage asks for them."""

import io
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any, BinaryIO, ClassVar, Final
from weakref import finalize

from ozzy import BaseDecoder, Batch, DataError, Range, SourceError, option, options
from ozzy.data.codecs import ByteStream
from ozzy.data.table import Table, checked_names
from ozzy_arrow.library import pa, pq, reading

KIND: Final = "Parquet"


@options
class ColumnDecoderOptions:
    """Options of the decoders of columns."""

    batch_size: int = option(default=65_536, minimum=1, help="Records in a batch, at the most.")


class ParquetDecoder(BaseDecoder):
    """Parquet files of any compression, row group by row group, as columns.

    A column is read when a stage asks for it: a filter that stands first reads its own columns, and of a row group none of whose
    records it keeps nothing else is read; where the file's statistics say so, not even those. What was asked for of one batch is read
    ahead of the next. Values are checked where they are asked for: damage in rows that a filter left out is not told. Parquet is not
    read forward: a file that is compressed once more, or does not lie on disk, is copied to a temporary one first. One that lies there
    can be shared by several workers, each with row groups of its own.
    """

    Options: ClassVar[type] = ColumnDecoderOptions
    starts_anywhere = True
    binary = True

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        if stream.head(1):
            yield from self._decoded(stream, _opened(stream))

    def ranges(self, stream: ByteStream, size: int) -> Iterator[Range]:
        if not stream.on_disk or not stream.head(1):
            return
        try:
            file = _opened(stream)
        except DataError:
            return
        yield from file.ranges(size)

    def decode_range(self, stream: ByteStream, part: Range) -> Iterator[Batch]:
        file = _opened(stream)
        file.keep(part)
        return self._decoded(stream, file)

    def _decoded(self, stream: ByteStream, file: "_File") -> Iterator[Batch]:
        end = 0
        group: _RowGroup | None = None
        for number in file.groups:
            first, end = end, end + file.counts[number]
            if end <= stream.row:
                continue
            group = _RowGroup(file, number, self.options.batch_size) if group is None else group.following()
            for start in range(max(first, stream.row), end, self.options.batch_size):
                size = min(self.options.batch_size, end - start)
                table = Table(_Part(group, start - first, size))
                yield Batch.from_table(table, origin=range(start, start + size), position={"rows": start + size, "offset": 0, "lines": 0})
        if stream.row > end:
            raise SourceError(f"{stream.name} has {end} rows, fewer than the {stream.row} that were read earlier")


def _opened(stream: ByteStream) -> "_File":
    with reading(stream.name, KIND):
        return _File(stream)


class _File:
    """An open file, closed where nobody needs it any more: neither the decoder nor a batch whose columns are not read yet.

    `groups` are the numbers of the row groups that are read, one after the other.
    """

    def __init__(self, stream: ByteStream) -> None:
        opened = stream.as_file()
        self.size = opened.seek(0, io.SEEK_END)
        self.beside = ThreadPoolExecutor(1, "ozzy-parquet")
        finalize(self, _close, self.beside, opened)
        self.name = stream.name
        self.parquet = pq().ParquetFile(opened, pre_buffer=False)
        self.metadata = self.parquet.metadata
        self.schema = checked_names(self.parquet).schema_arrow
        self.counts = [self.metadata.row_group(number).num_rows for number in range(self.metadata.num_row_groups)]
        self.groups = range(len(self.counts))
        paths = [self.parquet.schema.column(index).path for index in range(len(self.parquet.schema))]
        self.indices = {path: index for index, path in enumerate(paths) if paths.count(path) == 1}

    def ranges(self, size: int) -> Iterator[Range]:
        """Neighbouring row groups, as many together as have `size` bytes; none where that is one part, or they lie in another order."""
        starts = [self._start(number) for number in self.groups]
        if any(start >= following for start, following in pairwise(starts)):
            return
        begun = 0
        for start in starts[1:]:
            if start - begun >= size:
                yield Range(begun, start)
                begun = start
        if begun:
            yield Range(begun, self.size)

    def keep(self, part: Range) -> None:
        """Read only the row groups of one of these parts."""
        first, end = (bisect_left(self.groups, place, key=self._start) for place in (part.start, part.end))
        self.groups = range(first, end)

    def _start(self, number: int) -> int:
        """The byte at which a row group begins: that of its first page, of a dictionary or of data."""
        group = self.metadata.row_group(number)
        columns = [group.column(index) for index in range(group.num_columns)]
        return min((page for column in columns for page in (column.dictionary_page_offset, column.data_page_offset) if page), default=0)


def _close(beside: ThreadPoolExecutor, opened: BinaryIO) -> None:
    beside.shutdown(wait=False, cancel_futures=True)
    opened.close()


class _RowGroup:
    """One row group, of which sets of columns are read one after the other, each in its own stream.

    While a stage is at work on some rows of a set, the rows after them are read: of the next row group where this one ends.
    """

    def __init__(self, file: _File, number: int, batch_size: int) -> None:
        self.file = file
        self.number = number
        self.schema = file.schema
        self._batch_size = batch_size
        self._streams: dict[tuple[str, ...], _Columns] = {}
        self._following: _RowGroup | None = None

    def following(self) -> "_RowGroup":
        """The next row group of the file."""
        if self._following is None:
            self._following = _RowGroup(self.file, self.number + 1, self._batch_size)
        return self._following

    def rows(self, names: tuple[str, ...], start: int, count: int) -> Any:
        """These columns of some rows."""
        stream = self._streams.get(names)
        if stream is None or stream.at > start:
            stream = self._begun(names)
        with reading(self.file.name, KIND):
            table = stream.rows(start, count).select(names)
        if start + count < self.file.counts[self.number]:
            stream.read_ahead(self.file.beside)
        elif self.number + 1 < self.file.groups.stop:
            self.following()._begun(names).read_ahead(self.file.beside)  # noqa: SLF001 - one of its own kind
        return table

    def _begun(self, names: tuple[str, ...]) -> "_Columns":
        with reading(self.file.name, KIND):
            batches = self.file.parquet.iter_batches(self._batch_size, row_groups=[self.number], columns=list(names), use_threads=True)
        stream = self._streams[names] = _Columns(batches)
        return stream

    def bounds(self, name: str) -> tuple[Any, Any] | None:
        """The least and the greatest value of a column, as the file has them."""
        types, kind = pa().types, self.schema.field(name).type
        if not (types.is_integer(kind) or types.is_float32(kind) or types.is_float64(kind) or types.is_string(kind)):
            return None
        index = self.file.indices.get(name)
        if index is None:
            return None
        statistics = self.file.metadata.row_group(self.number).column(index).statistics
        if statistics is None or not statistics.has_min_max:
            return None
        low, high = statistics.min, statistics.max
        return None if low != low or high != high else (low, high)  # noqa: PLR0124 - NaN


class _Columns:
    """A stream of batches of which any later rows can be had."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self.at = 0
        self._batches = batches
        self._rest: Any = None
        self._ahead: Future[Any] | None = None

    def read_ahead(self, beside: ThreadPoolExecutor) -> None:
        """Read the batch that comes next, in a thread of its own."""
        if self._ahead is None and (self._rest is None or not self._rest.num_rows):
            self._ahead = beside.submit(next, self._batches, None)

    def _next(self) -> Any:
        ahead, self._ahead = self._ahead, None
        return next(self._batches, None) if ahead is None else ahead.result()

    def rows(self, start: int, count: int) -> Any:
        """The rows from `start` on."""
        found = []
        while count:
            if self._rest is None or not self._rest.num_rows:
                self._rest = self._next()
                if self._rest is None:
                    raise DataError("it has fewer rows than it says")
            skipped = min(start - self.at, self._rest.num_rows)
            taken = self._rest.slice(skipped, count)
            self.at += skipped + taken.num_rows
            self._rest = self._rest.slice(skipped + taken.num_rows)
            if taken.num_rows:
                found.append(taken)
                start += taken.num_rows
                count -= taken.num_rows
        return pa().Table.from_batches(found)


class _Part:
    """Some rows of a row group: where the columns of a batch come from."""

    def __init__(self, group: _RowGroup, start: int, count: int) -> None:
        self._group = group
        self._start = start
        self.num_rows = count

    @property
    def schema(self) -> Any:
        return self._group.schema

    def read(self, names: Sequence[str]) -> Any:
        return self._group.rows(tuple(names), self._start, self.num_rows)

    def check(self, table: Any) -> None:
        with reading(self._group.file.name, KIND):
            table.validate(full=True)

    def bounds(self, name: str) -> tuple[Any, Any] | None:
        return self._group.bounds(name)
