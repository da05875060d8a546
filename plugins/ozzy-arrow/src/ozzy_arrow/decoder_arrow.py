"""The decoders of Arrow IPC and Feather."""

from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar, Final

from ozzy import BaseDecoder, Batch, DataError, SourceError
from ozzy.data.codecs import ByteStream
from ozzy.data.table import checked_names
from ozzy_arrow.decoder_parquet import ColumnDecoderOptions
from ozzy_arrow.library import ipc, pa, reading

_FILE: Final = b"ARROW1"
_FIRST_FEATHER: Final = b"FEA1"


class ArrowDecoder(BaseDecoder):
    """Arrow IPC as columns, files and streams, told by their beginning; compressed within or not."""

    Options: ClassVar[type] = ColumnDecoderOptions
    starts_anywhere = True
    binary = True
    called: ClassVar[str] = "Arrow IPC"

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        head = stream.head(len(_FILE))
        if not head:
            return
        if head.startswith(_FIRST_FEATHER):
            raise DataError(f"{stream.name} is Feather of version 1", hint="Write it again as version 2, or as Parquet.")
        end = 0
        with stream.as_file() as file:
            for record_batch in self._checked(self._batches(file, head), stream.name):
                first, end = end, end + record_batch.num_rows
                for start in range(max(first, stream.row), end, self.options.batch_size):
                    part = record_batch.slice(start - first, self.options.batch_size)
                    after = start + part.num_rows
                    yield Batch.from_table(part, origin=range(start, after), position={"rows": after, "offset": 0, "lines": 0})
        if stream.row > end:
            raise SourceError(f"{stream.name} has {end} rows, fewer than the {stream.row} that were read earlier")

    def _checked(self, batches: Iterator[Any], name: str) -> Iterator[Any]:
        """The record batches, each checked as a whole: what is wrong inside would else end the process."""
        while True:
            with reading(name, self.called):
                batch = next(batches, None)
                if batch is None:
                    return
                batch.validate(full=True)
                checked_names(batch)
            yield batch

    def _batches(self, file: BinaryIO, head: bytes) -> Iterator[Any]:
        if head == _FILE:
            with ipc().open_file(pa().PythonFile(file)) as reader:
                for number in range(reader.num_record_batches):
                    yield reader.get_batch(number)
        else:
            with ipc().open_stream(pa().PythonFile(file)) as reader:
                yield from reader


class FeatherDecoder(ArrowDecoder):
    """Feather files of version 2 as columns: that is Arrow IPC under another name."""

    called = "Feather"
