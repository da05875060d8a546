"""Writer `console`: standard output."""

import sys
from typing import Any, ClassVar

from ozzy.contracts.formatter import BaseExportFormatter, formatted_rows
from ozzy.contracts.writer import BaseWriter, GroupKey, Receipt, WriterContext
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, DestinationError


class ConsoleWriter(BaseWriter):
    """Prints formatted records to standard output, with the header and the footer of the formatter.

    What is printed can't be taken back, so a resumed run begins a stream of its own and may print again what came after the last
    checkpoint. When the program that reads the output has gone (`ozzy run … | head`), the rest is counted as ignored.
    """

    prints: ClassVar[bool] = True
    full = False
    """Whether nobody reads any more, so that the run may end here."""

    def check_formatter(self, formatter: BaseExportFormatter) -> None:
        if formatter.assembles or formatter.sinks:
            raise ConfigError(
                f"writer: {type(formatter).__name__} makes whole files, which the console is none of",
                hint="Write to files, or choose another formatter; csv prints row by row when its columns are given by fields.",
            )

    def start(self, context: WriterContext) -> None:
        super().start(context)
        self.check_formatter(context.formatter)
        self.begun = False
        self.written = 0
        self.ignored = 0

    def resume(self, state: Receipt | None) -> None:
        if state is not None:
            self.written, self.ignored = state["written"], state["ignored"]

    def write_batch(self, batch: Batch, group_key: GroupKey | None = None) -> None:
        formatter = self.context.formatter
        separator = formatter.separator
        rows = formatted_rows(formatter, batch)
        text = separator.join(rows) if separator else rows.text
        self._print((separator if self.begun else formatter.header()) + text)
        self.begun = True
        if self.full:
            self.ignored += len(batch)
        else:
            self.written += len(batch)

    def finish_writing(self) -> None:
        formatter = self.context.formatter
        self._print(formatter.footer() if self.begun else formatter.header() + formatter.footer())

    def prepare(self, final: bool) -> Receipt:
        return {"final": final, "written": self.written, "ignored": self.ignored}

    def _print(self, text: bytes) -> None:
        """Print and flush, so that what is counted has left the process."""
        if self.full or not text:
            return
        stream: Any = sys.stdout
        if stream is None:
            raise DestinationError("standard output is closed, so that nothing can be printed", hint="Open it, or choose another writer.")
        try:
            if hasattr(stream, "buffer"):
                stream.flush()
                stream.buffer.write(text)
            else:
                stream.write(text.decode())
            stream.flush()
        except BrokenPipeError:
            self.full = True
        except OSError as error:
            raise DestinationError(f"can't write to standard output: {error.strerror or error}") from error
