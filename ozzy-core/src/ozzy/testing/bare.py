"""A destination without staging: what is written is there at once."""

import os
from typing import ClassVar

from ozzy import Batch, DestinationError, WriterOptions, option, options
from ozzy.contracts.writer import BaseWriter, GroupKey


@options
class BareOptions(WriterOptions):
    """Options of the bare writer."""

    path: str = option(help="The file that lines are appended to.", example="rows.jl")


class BareWriter(BaseWriter):
    """Appends each record as a line of JSON to a file, at once and durably: the weakest destination there is, for tests.

    After a kill the rows since the last checkpoint come twice, and the last line may be cut.
    """

    Options: ClassVar[type] = BareOptions

    def write_batch(self, batch: Batch, group_key: GroupKey | None = None) -> None:
        path = self.path(self.options.path)
        try:
            with path.open("ab", buffering=0) as file:
                file.write(b"".join(line + b"\n" for line in batch.lines))
                os.fsync(file.fileno())
        except OSError as error:
            raise DestinationError(f"can't append to {path}: {error.strerror}") from error
