"""Files whose formatter writes them itself, as batches come: a file like that is begun, fed and ended in one process.

Its rows are counted and its bytes summed up here; it is durable and whole once it is finished, and nothing of it is kept before.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import attrs

from ozzy.data.batch import Batch
from ozzy.staging.disk import at_destination, make_folder, write_all
from ozzy.staging.staged_file import StagedFile


class Sink(Protocol):
    """One file that is being written."""

    def write(self, batch: Batch) -> None:
        """Take rows that the formatter has fitted; fails on none of them."""

    def size(self) -> int:
        """How many bytes the file has so far, the same whenever it is asked after the same rows."""

    def close(self) -> None:
        """Write what is still to be written. Called once; the stream is closed by whoever gave it."""


@attrs.define(eq=False, repr=False)
class SinkFile(StagedFile):
    """A staged file that is written through a sink. `length` grows as the sink writes, rows of any form are batches to it."""

    open_sink: Callable[[BinaryIO], Sink] | None = None
    _sink: Sink | None = attrs.field(default=None, init=False, repr=False)
    _target: "_Target | None" = attrs.field(default=None, init=False, repr=False)

    def append(self, rows: Any, *, stop_at: int | None) -> int:
        """Take rows, all of them: a sink has no place to stop at within a batch."""
        self.rows += len(rows)
        if not self.skipped:
            sink = self._begun()
            sink.write(rows if isinstance(rows, Batch) else Batch.from_lines([row.removesuffix(b"\n") for row in rows]))
            self.length = sink.size()
        return len(rows)

    def finish(self, footer: bytes) -> None:
        """End the file."""
        self._begun().close()
        assert self._target is not None
        self._target.end()
        self.length = self._target.length
        self._sink = self._target = None

    def _begun(self) -> Sink:
        if self._sink is None:
            assert self.open_sink is not None
            self._target = _Target(None if self.dry else self.path, self.hashes)
            self._sink = self.open_sink(cast("BinaryIO", self._target))
            self.dirty = not self.dry
        return self._sink


class _Target(io.RawIOBase):
    """Where a sink writes: a file, or nothing at all, with the checksums of what was written."""

    def __init__(self, path: Path | None, digests: dict[str, Any]) -> None:
        super().__init__()
        self.length = 0
        self.digests = digests
        self._path = path
        self._file: io.FileIO | None = None
        if path is not None:
            make_folder(path.parent, private=2)
            with at_destination(path):
                self._file = path.open("wb", buffering=0)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.length

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for digest in self.digests.values():
            digest.update(view)
        if self._file is not None and self._path is not None:
            with at_destination(self._path):
                write_all(self._file.fileno(), view)
        self.length += len(view)
        return len(view)

    def end(self) -> None:
        """No more comes."""
        if self._file is not None:
            self._file.close()
