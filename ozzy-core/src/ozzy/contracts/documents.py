"""Documents in a store that several machines share: small bytes under keys, replaced only where nobody else has replaced them meanwhile.

A store has four methods, and one promise: a write that expects a version is done at once and alone, or not at all. On that rest the lease
of a pipeline, checkpoints, the records of runs, and bookmarks. Every document bears the epoch of the lease under which it was written: who
holds an older one is refused.
"""

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import attrs

from ozzy.errors import OzzyError, StateError
from ozzy.log import reason
from ozzy.staging.disk import make_folder, sync_file, sync_folder
from ozzy.staging.state_files import sealed, unsealed, writing_state

T = TypeVar("T")

PAUSES = (0.05, 0.2, 0.8)
"""Seconds between attempts at a store that fails, or that does not show yet what was written."""

PIECE = 1 << 20
"""Bytes of a file that are kept in one document."""


@attrs.frozen
class Stored:
    """One document as the store has it. `version` is a text that every write changes, to one that was never there before."""

    content: bytes
    version: str


class DocumentStore(Protocol):
    """What a shared persistence offers. A failure raises StateError, and never looks like "nothing there"."""

    def read_document(self, key: str) -> Stored | None:
        """The document of a key, None where there is none."""

    def write_document(self, key: str, content: bytes, expected: str | None) -> str | None:
        """Write where the version is `expected` (None: where there is no document); the new version, or None where it is another."""

    def list_documents(self, prefix: str) -> Iterable[str]:
        """The keys that begin with this text, each once, in any order."""

    def delete_document(self, key: str) -> None:
        """Delete a document; no error where there is none."""


@attrs.frozen
class Document:
    """One document, opened: its content, the epoch of who wrote it, which write it was, and its version."""

    content: Any
    epoch: int
    write: str
    version: str


def _unknown() -> str:
    return ""


@attrs.define(eq=False, repr=False)
class Documents:
    """The documents of a store, sealed with a checksum, read and written under an epoch (0: as one who only looks).

    `holder` says who holds the lease now, for messages. Calls come from one thread at a time: whoever comes second waits.
    """

    store: DocumentStore
    epoch: int = 0
    holder: Callable[[], str] = _unknown
    _versions: dict[str, str | None] = attrs.field(factory=dict, init=False)
    _written: deque[str] = attrs.field(factory=lambda: deque(maxlen=64), init=False)
    _lock: Any = attrs.field(factory=threading.RLock, init=False, repr=False)

    def read(self, key: str) -> Document | None:
        """A document, None where there is none. Raises StateError where it can't be read or is damaged."""
        stored = self.stored(key)
        document = None if stored is None else _opened(key, stored)
        self._versions[key] = None if stored is None else stored.version
        return document

    def stored(self, key: str) -> Stored | None:
        """A document as the store has it, damaged or not."""
        return self._tried(f"read {key}", lambda: self.store.read_document(key))

    def claim(self, key: str) -> Any:
        """The content of a document (None: there is none), which whoever has an older epoch can't replace from now on."""
        for pause in (0.0, *PAUSES, None):
            found = self.read(key)
            self._refuse_the_overtaken(found)
            content = found.content if found is not None else None
            if self.epoch == 0 or (found is not None and found.epoch == self.epoch):
                return content
            version = self.write(key, content, found.version if found is not None else None)
            if version is not None:
                self._versions[key] = version
                return content
            _wait(pause)
        raise self._restless(key)

    def put(self, key: str, content: Any) -> None:
        """Replace a document. Raises StateError where somebody with a newer epoch has written it, or taken it away."""
        if key not in self._versions:
            self._refuse_the_overtaken(self.read(key))
        for pause in (0.0, *PAUSES, None):
            before = self._versions[key]
            version = self.write(key, content, before)
            if version is not None:
                self._versions[key] = version
                return
            found = self.read(key)
            self._refuse_the_overtaken(found)
            if found is None and before is not None:
                raise self.overtaken(f"{key} was taken away")
            _wait(pause)
        raise self._restless(key)

    def write(self, key: str, content: Any, expected: str | None) -> str | None:
        """Write where the version is the expected one; the new version, None where it is another.

        A store that fails is asked again: where the write was done and only its answer was lost, that is found out.
        """
        token = secrets.token_hex(8)
        self._written.append(token)
        text = bytes(sealed({"epoch": self.epoch, "write": token, "document": content}, f"the document {key}"))
        failed: Exception | None = None
        for pause in (*PAUSES, None):
            try:
                with self._lock:
                    version = self.store.write_document(key, text, expected)
            except Exception as error:
                failed = error
                if not _wait(pause):
                    break
                continue
            if version is not None or failed is None:
                return version
            return self._outcome(key, token, failed)
        raise _blamed(f"write {key}", failed)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with this text, in order."""
        return self._tried(f"list {prefix}", lambda: sorted(set(self.store.list_documents(prefix))))

    def delete(self, key: str) -> None:
        """Delete a document; twice is the same as once."""
        self._tried(f"delete {key}", lambda: self.store.delete_document(key))
        self._versions.pop(key, None)

    def keep_file(self, key: str, path: Path) -> None:
        """Keep a copy of a finished file, in pieces. Each epoch has pieces of its own, so that nobody writes into those of another."""
        with writing_state(path), path.open("rb") as file:
            for number, piece in enumerate(iter(lambda: file.read(PIECE), b"")):
                self._create(f"{key}/{self.epoch}/{number:08d}", piece)

    def file(self, key: str, sha256: str) -> Iterator[bytes]:
        """The pieces of a file that was kept, found by its checksum. Raises StateError where it is missing or damaged."""
        kept: dict[int, list[str]] = {}
        for name in self.keys(f"{key}/"):
            kept.setdefault(int(name.split("/")[-2]), []).append(name)
        for epoch in sorted(kept, reverse=True):
            digest = hashlib.sha256()
            for name in kept[epoch]:
                digest.update(self._piece(name))
            if digest.hexdigest() == sha256:
                return map(self._piece, kept[epoch])
        if sha256 == hashlib.sha256().hexdigest():
            return iter(())
        raise StateError(f"the list {key} is damaged or missing in the shared state", hint="Start again with --fresh.")

    def fetch_file(self, key: str, path: Path, sha256: str) -> None:
        """Put a file that was kept at a path of this machine."""
        pieces = self.file(key, sha256)
        with writing_state(path):
            make_folder(path.parent, private=1)
            new = path.with_name(f"{path.name}.new")
            with new.open("wb") as file:
                file.writelines(pieces)
            sync_file(new)
            new.replace(path)
            sync_folder(path.parent)

    def overtaken(self, what: str) -> StateError:
        """The error of who holds an older epoch."""
        return StateError(f"another run has taken over this pipeline{self.holder()}: {what}", hint="Nothing more is written here.")

    def _refuse_the_overtaken(self, found: Document | None) -> None:
        if found is not None and self.epoch and found.epoch > self.epoch:
            raise self.overtaken(f"it has epoch {found.epoch}, this one {self.epoch}")

    def _outcome(self, key: str, token: str, failed: Exception) -> str | None:
        """What became of a write whose answer was lost, where the version is not the expected one any more."""
        for pause in (*PAUSES, None):
            found = self.read(key)
            if found is not None and found.write == token:
                return found.version
            if found is not None and found.epoch >= self.epoch and found.write not in self._written:
                return None
            _wait(pause)
        raise _blamed(f"tell whether it has written {key}", failed)

    def _create(self, key: str, content: bytes) -> None:
        """Write a document that nobody else writes; it may be there from an attempt before."""

        def write() -> bool:
            if self.store.write_document(key, content, None) is not None:
                return True
            found = self.store.read_document(key)
            return found is not None and found.content == content

        if not self._tried(f"write {key}", write):
            raise StateError(f"the shared state has another {key} already", hint="Start again with --fresh.")

    def _piece(self, key: str) -> bytes:
        stored = self.stored(key)
        return stored.content if stored is not None else b""

    def _restless(self, key: str) -> StateError:
        return StateError(f"can't write {key}: it is changed again and again by others", hint="Go on with --resume.")

    def _tried(self, what: str, call: Callable[[], T]) -> T:
        for pause in PAUSES:
            try:
                with self._lock:
                    return call()
            except Exception:
                _wait(pause)
        try:
            with self._lock:
                return call()
        except Exception as error:
            raise _blamed(what, error) from error


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file that comes in pieces, without their ends."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _wait(pause: float | None) -> bool:
    """Wait a little; False where there is no further attempt to wait for."""
    if pause is not None:
        time.sleep(pause)
    return pause is not None


def _blamed(what: str, error: Exception | None) -> OzzyError:
    if isinstance(error, OzzyError):
        return error
    raised = StateError(f"the shared state can't {what}: {reason(error) if error is not None else 'unknown'}")
    raised.__cause__ = error
    return raised


def _opened(key: str, stored: Stored) -> Document:
    try:
        facts = unsealed(stored.content)
        return Document(facts["document"], facts["epoch"], facts["write"], stored.version)
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"the document {key} of the shared state is damaged: its checksum does not match",
            hint="Restore it from a backup, or start again with --fresh.",
        ) from error
