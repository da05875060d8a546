"""Bookmarks in a store that several machines share: the same steps as with files, in the same order."""

from collections.abc import Iterator
from typing import Any

import attrs
import msgspec

from ozzy.contracts.documents import Documents, lines_of
from ozzy.contracts.shared_persistence import pipeline_key
from ozzy.run.bookmarks import FORMAT, MARKS, Bookmark, BookmarkStore
from ozzy.run.runs import RunRecord, StateFolder
from ozzy.run.shared import SharedState


@attrs.define(eq=False, repr=False)
class SharedBookmarkStore(BookmarkStore):
    """The bookmark of one pipeline, in a shared store."""

    state: SharedState

    def content(self) -> dict[str, Any] | None:
        document = self._documents.read(self._key("bookmark"))
        return dict(document.content) if document is not None and document.content is not None else None

    def place(self, bookmark: Bookmark) -> str:
        return self.state.place

    def marks(self, bookmark: Bookmark) -> Iterator[Any]:
        yield from map(msgspec.json.decode, lines_of(self._documents.file(self._key(f"marks-{bookmark.run}"), bookmark.sha256)))

    def move(self, bookmark: Bookmark, record: RunRecord) -> None:
        record.fetch_list(MARKS, bookmark.sha256)
        self._documents.keep_file(self._key(f"marks-{bookmark.run}"), record.lists / MARKS)
        self._documents.put(self._key("bookmark"), {"format": FORMAT, **attrs.asdict(bookmark)})
        self._clear(bookmark.run)

    def exists(self) -> bool:
        return self._documents.stored(self._key("bookmark")) is not None

    def forget(self) -> None:
        self._documents.delete(self._key("bookmark"))
        self._clear("")

    def _clear(self, kept: str) -> None:
        for key in self._documents.keys(self._key("marks-")):
            if not kept or not key.startswith(self._key(f"marks-{kept}/")):
                self._documents.delete(key)

    @property
    def _documents(self) -> Documents:
        return self.state.documents

    def _key(self, name: str) -> str:
        return f"{pipeline_key(self.identity)}/{name}"


def bookmarks_of(state: StateFolder, identity: str) -> BookmarkStore:
    """The bookmark of a pipeline, where its state is."""
    return SharedBookmarkStore(state=state, identity=identity) if isinstance(state, SharedState) else BookmarkStore(state, identity)
