"""How long it takes to read a stream and to decompress it, for who asks: nothing is measured otherwise."""

import time
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import attrs

from ozzy.data.codecs import PIECE, ByteStream


@attrs.define(eq=False, repr=False)
class ReadClock:
    """Seconds so far: `reading` from files or the network, `streaming` that and decompressing."""

    reading: float = 0.0
    streaming: float = 0.0

    def raw(self, raw: BinaryIO) -> BinaryIO:
        """The same file, whose reading is measured."""
        return cast("BinaryIO", _TimedFile(raw, self))

    def stream(self, source: ByteStream) -> ByteStream:
        """The same stream, whose reading is measured, with that of the file below."""
        read: Callable[[int], bytes] = source.read

        def timed(n: int = PIECE) -> bytes:
            began = time.perf_counter()
            try:
                return read(n)
            finally:
                self.streaming += time.perf_counter() - began

        source.read = timed  # type: ignore[method-assign]
        return source


class _TimedFile:
    def __init__(self, raw: BinaryIO, clock: ReadClock) -> None:
        self._raw = raw
        self._clock = clock

    def read(self, *size: int) -> bytes:
        began = time.perf_counter()
        try:
            return self._raw.read(*size)
        finally:
            self._clock.reading += time.perf_counter() - began

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
