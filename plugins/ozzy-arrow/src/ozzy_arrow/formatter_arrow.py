"""The formatters of Arrow IPC and Feather."""

from typing import Any, BinaryIO, ClassVar

from ozzy import option, options
from ozzy_arrow.library import ipc
from ozzy_arrow.sink import ColumnFormatter, ColumnFormatterOptions, TableWriter


@options
class FeatherOptions(ColumnFormatterOptions):
    """Options of the formatter `feather`."""

    codec: str = option(default="lz4", choices=("lz4", "zstd", "none"), help="How the columns are compressed.")
    row_group_size: int = option(default=65_536, minimum=1, help="Records in a part of the file, at the most: fewer take less memory.")


@options
class ArrowOptions(FeatherOptions):
    """Options of the formatter `arrow`."""

    layout: str = option(
        default="file", choices=("file", "stream"), help="file: parts of it can be read alone; stream: it is read from its beginning."
    )


class FeatherExportFormatter(ColumnFormatter):
    """Writes records as Feather, version 2. What came as columns stays columns.

    A record whose values its columns don't hold exactly is a bad one. A missing field is null. Writers leave the files as they are,
    whatever their `compression` says.
    """

    Options: ClassVar[type] = FeatherOptions
    file_extension = "feather"

    def writer(self, stream: BinaryIO, schema: Any, first: Any) -> TableWriter:
        codec = None if self.options.codec == "none" else self.options.codec
        make = ipc().new_stream if self.read_option("layout") == "stream" else ipc().new_file
        made: TableWriter = make(stream, schema, options=ipc().IpcWriteOptions(compression=codec, unify_dictionaries=True))
        return made


class ArrowExportFormatter(FeatherExportFormatter):
    """Writes records as Arrow IPC. What came as columns stays columns.

    A record whose values its columns don't hold exactly is a bad one. A missing field is null. Writers leave the files as they are,
    whatever their `compression` says.
    """

    Options: ClassVar[type] = ArrowOptions
    file_extension = "arrow"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.options.layout == "stream":
            self.file_extension = "arrows"
