"""Files behind what a run of the inherited system had read of them: made by `ozzy resume pickle:PATH`."""

from collections.abc import Iterator
from typing import Any, ClassVar

from ozzy import Batch, Range, Split, option, options
from ozzy.builtin.readers.fs import FSReader, FSReaderOptions
from ozzy.data.zip_archive import parts_of


@options
class FSContinuedReaderOptions(FSReaderOptions):
    """Options of a reader of files that begins behind what was read before."""

    files_read: list[str] = option(factory=list, help="Files that were read whole; they are left out.")
    records_read: dict[str, int] = option(factory=dict, help="Of other files, how many records at their beginning are left out.")


class FSContinuedReader(FSReader):
    """Reads files as `fs` does, without those, and without those first records, that were read before. It has no bookmark."""

    Options: ClassVar[type] = FSContinuedReaderOptions

    def splits(self) -> Iterator[Split]:
        read = {self._absolute(name) for name in self.options.files_read}
        return (split for split in super().splits() if self._absolute(parts_of(split.id)[0]) not in read)

    def ranges(self, split: Split, size: int) -> Iterator[Range]:
        return iter(()) if self._first(split) else super().ranges(split, size)

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        first = self._first(split)
        for batch in super().read(split, position):
            yield _behind(batch, first) if first else batch

    def _first(self, split: Split) -> int:
        """How many records at the beginning of a file are left out."""
        counts = {self._absolute(name): count for name, count in self.options.records_read.items()}
        return int(counts.get(self._absolute(split.id), 0))


def _behind(batch: Batch, first: int) -> Batch:
    """The rows from this one on, counted in their file."""
    assert batch.origin is not None, "a reader of files numbers its rows"
    chosen = batch.where([index >= first for index in batch.origin])
    chosen.blank = batch.blank
    chosen.rejected = [one for one in batch.rejected if one.row is None or one.row >= first]
    return chosen
