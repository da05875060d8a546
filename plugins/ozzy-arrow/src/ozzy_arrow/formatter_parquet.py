"""The formatter of Parquet."""

from typing import Any, BinaryIO, ClassVar, Final

from ozzy import option, options
from ozzy.data.table import call
from ozzy_arrow.library import pa, pq
from ozzy_arrow.sink import ColumnFormatter, ColumnFormatterOptions, TableWriter

_LOOKED_AT: Final = 4096
_REPEATS: Final = 0.5


@options
class ParquetOptions(ColumnFormatterOptions):
    """Options of the formatter `parquet`."""

    codec: str = option(
        default="snappy", choices=("snappy", "zstd", "gzip", "lz4", "brotli", "none"), help="How the pages of the columns are compressed."
    )
    row_group_size: int = option(default=131_072, minimum=1, help="Records in a row group, at the most: fewer take less memory.")


class ParquetExportFormatter(ColumnFormatter):
    """Writes records as Parquet. What came as columns stays columns.

    A record whose values its columns don't hold exactly is a bad one. A missing field is null. Writers leave the files as they are,
    whatever their `compression` says. Where more than 96 MiB wait for their row group, the largest is written early.
    """

    Options: ClassVar[type] = ParquetOptions
    file_extension = "parquet"
    step = 1024

    def writer(self, stream: BinaryIO, schema: Any, first: Any) -> TableWriter:
        made: TableWriter = pq().ParquetWriter(
            stream,
            schema,
            compression=self.options.codec,
            use_dictionary=[] if first is None else _repeating(first),
            write_batch_size=self.step,
        )
        return made


def _repeating(table: Any) -> list[str]:
    """The columns worth a dictionary, by the first rows; nested ones always are given one."""
    names = []
    for name in table.schema.names:
        column = table.column(name).slice(0, _LOOKED_AT)
        kind = column.type
        if pa().types.is_nested(kind) or pa().types.is_dictionary(kind) or _distinct(column) <= _REPEATS * len(column):
            names.append(name)
    return names


def _distinct(column: Any) -> int:
    try:
        return int(call("count_distinct", column).as_py())
    except pa().ArrowNotImplementedError:
        return 0
