"""Several readers, read one after the other: one reader for the rest of the house.

The id of a split is the label of its reader, a `/`, and the reader's own id for it. A position maps the label of each reader that has begun
to where it stood last; those before the one being read have come to their end.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from ozzy.contracts.module import Metadata, blamed_on
from ozzy.contracts.reader import BaseReader, Listed, Split
from ozzy.data.batch import Batch
from ozzy.errors import OzzyError, SourceError, StateError

SEVERAL = "several"
"""What the bookmark of several readers says its reader is."""


class SeveralReaders(BaseReader):
    """Reads all that the first reader has, then all of the second, and so on.

    `readers` maps labels to readers, in order, `names` the same labels to what their modules are called.
    """

    def __init__(self, readers: Mapping[str, BaseReader], names: Mapping[str, str], metadata: Metadata) -> None:
        super().__init__({}, metadata)
        self.readers = dict(readers)
        self.names = dict(names)
        self._positions: dict[str, Any] = {}

    def splits(self) -> Iterator[Split]:
        for label, reader in self.readers.items():
            with _named(label, reader, "listing the parts of the source"):
                yield from (_below(label, split) for split in reader.splits())

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        label, _, own = split.id.partition("/")
        reader = self.readers[label]
        self._positions |= position or {}
        with _named(label, reader, f"reading {own}"):
            for batch in reader.read(attrs.evolve(split, id=own), (position or {}).get(label)):
                self._positions[label] = batch.position
                batch.position = dict(self._positions)
                batch.split = split.id
                batch.rejected = [attrs.evolve(one, where=f"{label}/{one.where}") for one in batch.rejected]
                yield batch

    def reader_of(self, split: str) -> BaseReader | None:
        """The reader that a part of the source belongs to, None where there is none of that label any more."""
        return self.readers.get(split.partition("/")[0])

    def acknowledge(self, position: Any) -> None:
        self._positions |= position or {}
        for label, own in self._positions.items():
            with _named(label, self.readers[label], "acknowledging what was committed"):
                self.readers[label].acknowledge(own)

    def splits_since(self, bookmark: Iterator[Any]) -> Iterator[Listed]:
        """What is new for each reader. A mark bears the label of its reader, so that readers may be added, taken away and moved."""
        marks = _Marks(bookmark)
        for label, reader in self.readers.items():
            name = self.names[label]
            with _named(label, reader, "listing the parts of the source"):
                for one in reader.splits_since(marks.of(label, name)):
                    split = None if one.split is None else _below(label, one.split)
                    yield Listed(split, None if one.mark is None else [label, name, one.mark])
            marks.finish(label)

    @property
    def incremental(self) -> bool:
        return all(reader.incremental for reader in self.readers.values())

    @property
    def endless(self) -> bool:  # type: ignore[override]
        return any(reader.endless for reader in self.readers.values())

    @property
    def resumable(self) -> bool:
        return all(reader.resumable for reader in self.readers.values())

    def close(self) -> None:
        failed: Exception | None = None
        for reader in self.readers.values():
            try:
                reader.close()
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed


def _below(label: str, split: Split) -> Split:
    return attrs.evolve(split, id=f"{label}/{split.id}")


@contextmanager
def _named(label: str, reader: BaseReader, doing: str) -> Iterator[None]:
    """Let every error of a reader begin with its label."""
    try:
        with blamed_on(doing, reader, SourceError):
            yield
    except OzzyError as error:
        error.message = f"{label}: {error.message}"
        raise


class _Marks:
    """Gives each reader its own marks of a bookmark, in which those of one reader lie together; others that are met on the way wait."""

    def __init__(self, bookmark: Iterator[Any]) -> None:
        self._bookmark = bookmark
        self._waiting: dict[str, list[tuple[str, Any]]] = {}
        self._done: set[str] = set()

    def of(self, label: str, name: str) -> Iterator[Any]:
        """The marks of one reader, whose module is called `name`. Raises StateError where they were made by another one."""
        for made_by, mark in self._all_of(label):
            if made_by != name:
                raise StateError(
                    f"the bookmark was made by the reader {made_by}, and can't be used by {name}",
                    hint="`ozzy bookmark reset CONFIG` forgets it, and the next run reads everything.",
                )
            yield mark

    def finish(self, label: str) -> None:
        """A reader asks for no more."""
        self._done.add(label)
        self._waiting.pop(label, None)

    def _all_of(self, label: str) -> Iterator[tuple[str, Any]]:
        met = label in self._waiting
        yield from self._waiting.pop(label, [])
        for owner, made_by, mark in self._bookmark:
            if owner == label:
                met = True
                yield made_by, mark
            elif owner not in self._done:
                self._waiting.setdefault(owner, []).append((made_by, mark))
                if met:
                    return
