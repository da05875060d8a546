"""Work in threads beside the one that runs the stages: decompressing ahead, and compressing several members at a time.

Both leave Python's lock to others while they work, so that a second processor is of use to one process. The outcome is the same with and
without: what is made in threads is taken in the order in which it was asked for. Where other processes need the processors, it is off.
"""

import os
import threading
from functools import cache
from queue import Full, Queue
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

MOST: Final = 4
"""Threads that compress at a time."""

PIECES: Final = 4
"""Pieces that wait to be asked for."""

_STOP_SECONDS: Final = 0.1
_allowed = True


def alone() -> None:
    """Use no threads from now on: for processes that share the processors with others of the same run."""
    global _allowed  # noqa: PLW0603 - it is one switch for the process
    _allowed = False


def is_allowed() -> bool:
    """Whether threads may be used, and there is a second processor."""
    return _allowed and _processors() > 1


def threads() -> "ThreadPoolExecutor | None":
    """Threads for short work; None where it is to be done at once."""
    return _pool() if is_allowed() else None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(min(MOST, _processors()), "ozzy-beside")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


class Pieces(Protocol):
    """Where bytes come from: `piece` gives at least one and at most `size`, or none at the end."""

    def piece(self, size: int) -> bytes: ...


class Ahead:
    """The bytes of a source, read in a thread before they are asked for; the first piece is not, so that small sources need no thread.

    An error of the source is raised where its bytes would have been. `close` ends the thread; after it the source is nobody's.
    """

    def __init__(self, source: Pieces, size: int) -> None:
        self._source = source
        self._size = size
        self._here = b""
        self._asked = False
        self._ended = False
        self._queue: Queue[bytes | Exception] = Queue(PIECES)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def piece(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        if not self._asked:
            self._asked = True
            return self._source.piece(size)
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, name="ozzy-ahead", daemon=True)
            self._thread.start()
        if not self._here and not self._ended:
            found = self._queue.get()
            self._ended = not found or isinstance(found, Exception)
            if isinstance(found, Exception):
                raise found
            self._here = found
        piece, self._here = self._here[:size], self._here[size:]
        return piece

    def close(self) -> None:
        """End the thread, and wait until it has ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _read(self) -> None:
        given: bytes | Exception = b" "
        while given and not self._stop.is_set():
            try:
                given = self._source.piece(self._size)
            except Exception as error:
                given = error
            self._give(given)
            if isinstance(given, Exception):
                return

    def _give(self, given: bytes | Exception) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(given, timeout=_STOP_SECONDS)
            except Full:
                continue
            return
