"""Reading objects in pieces, several at once and ahead of who wants them, in order and in bounded memory."""

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import attrs

from ozzy import Stream
from ozzy_s3.listing import Upcoming

FIRST: Final = 1 << 20
PIECE: Final = 8 << 20
"""Bytes of a piece; the first of an object is smaller, since often no more is wanted."""
SLICE: Final = 2 << 20
"""Bytes of a piece of a range, of which several are fetched at a time."""
TAIL: Final = 1 << 16
"""Bytes of a piece behind a range, where its last line ends."""


@attrs.frozen
class _Piece:
    stream: Stream
    start: int
    size: int
    content: "Future[bytes]"


class ReadAhead:
    """Pieces of objects, fetched by `fetch(stream, start, size)` in `parallel` threads; at most `budget` bytes are held or on their way.

    After the object that is read come those that follow it in `upcoming`, as long as objects are read in that order. Where `until` is given
    little is fetched behind that byte: somebody else reads there.
    """

    def __init__(
        self,
        fetch: Callable[[Stream, int, int], bytes],
        upcoming: Upcoming,
        *,
        parallel: int,
        budget: int,
        until: int | None = None,
    ) -> None:
        self._fetch = fetch
        self._upcoming = upcoming
        self._parallel = parallel
        self._budget = budget
        self._until = until
        self._threads: ThreadPoolExecutor | None = None
        self._queue: deque[_Piece] = deque()
        self._held = 0
        self._coming: Iterator[tuple[Stream, int, int]] = iter(())
        self._waiting: tuple[Stream, int, int] | None = None

    def piece(self, stream: Stream, start: int) -> bytes:
        """The bytes of an object from `start` on, as many as its piece has."""
        if not any(one.stream == stream and one.start == start for one in self._queue):
            self._begin_at(stream, start)
        while True:
            one = self._drop()
            if one.stream == stream and one.start == start:
                break
            one.content.cancel()
        self._fill()
        return one.content.result()

    def close(self) -> None:
        """Stop: what is on its way is waited for, and thrown away."""
        self._forget()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None

    def _begin_at(self, stream: Stream, start: int) -> None:
        self._forget()
        self._coming = self._following(stream, start)
        self._fill()

    def _forget(self) -> None:
        while self._queue:
            self._drop().content.cancel()
        self._waiting, self._coming = None, iter(())

    def _drop(self) -> _Piece:
        one = self._queue.popleft()
        self._held -= one.size
        return one

    def _following(self, stream: Stream, start: int) -> Iterator[tuple[Stream, int, int]]:
        """The pieces of an object from `start` on, and of the objects after it, where it was the one that was to come."""
        yield from _cut(stream, start, self._until)
        if not self._upcoming.pass_by(stream.filename):
            return
        while (following := self._upcoming.next()) is not None:
            yield from _cut(following, 0, None)

    def _fill(self) -> None:
        while len(self._queue) < 2 * self._parallel:
            asked = self._waiting or next(self._coming, None)
            self._waiting = asked
            if asked is None or (self._queue and self._held + asked[2] > self._budget):
                return
            self._waiting = None
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._parallel, "s3")
            self._queue.append(_Piece(*asked, self._threads.submit(self._fetch, *asked)))
            self._held += asked[2]


def _cut(stream: Stream, start: int, until: int | None) -> Iterator[tuple[Stream, int, int]]:
    """An object from `start` on in pieces; an empty one is one piece, since somebody may have changed it."""
    assert stream.size is not None
    if until is not None:
        end, size = (min(until, stream.size), SLICE) if start < until else (min(start + TAIL, stream.size), TAIL)
    else:
        end, size = stream.size, FIRST if stream.size > PIECE else PIECE
    while start < end:
        yield stream, start, min(size, end - start)
        start, size = start + size, PIECE if until is None else size
    if not stream.size:
        yield stream, 0, 0


class ObjectFile(io.RawIOBase):
    """One object as a file: read in order from byte `at` on, or from where `seek` leads. One that is `alone` closes its reading ahead."""

    def __init__(self, ahead: ReadAhead, stream: Stream, *, alone: bool = False, at: int = 0) -> None:
        super().__init__()
        self._alone = alone
        self._ahead = ahead
        self._stream = stream
        self._start = 0
        self._piece = b""
        self._at = at
        if not stream.size:
            ahead.piece(stream, 0)

    def close(self) -> None:
        if self._alone and not self.closed:
            self._ahead.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stream.size or 0}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= (self._stream.size or 0):
            return 0
        if not self._start <= self._at < self._start + len(self._piece):
            self._start, self._piece = self._at, b""
            self._piece = self._ahead.piece(self._stream, self._at)
        view = memoryview(buffer).cast("B")
        begin = self._at - self._start
        count = min(len(view), len(self._piece) - begin)
        view[:count] = self._piece[begin : begin + count]
        self._at += count
        return count
