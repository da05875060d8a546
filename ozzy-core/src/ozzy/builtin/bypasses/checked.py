"""Bytes that are looked at while they are copied: what is read comes out as it is, and whoever reads it learns what it holds."""

from collections.abc import Callable
from typing import Any, BinaryIO, Final, cast

from ozzy import Declined, SourceError
from ozzy.data.codecs import open_decompressed
from ozzy.data.json_text import bad_lines
from ozzy.staging.whole_files import PIECE, local_file

LINE_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of a line, where the decoder has no limit of its own."""


class CheckedStream:
    """A stream of lines, compressed or not, that comes out byte for byte as it is in the source.

    After `check`, reading raises Declined as soon as there is a line that the pipeline would not write as it stands; `rows` then counts the
    lines, and is None where nothing is checked. `go_on` is called now and then, and raises where copying is to end.
    """

    def __init__(self, raw: BinaryIO, name: str, compression: str, go_on: Callable[[], None]) -> None:
        self.rows: int | None = None
        self._name = name
        self._raw = raw
        self._go_on = go_on
        self._limit = LINE_LIMIT
        self._taken = bytearray()
        self._rest: list[bytes] = []
        self._waiting = 0
        self._content = open_decompressed(cast("BinaryIO", _Tee(raw, self._taken)), compression, name=name)

    @property
    def compression(self) -> str:
        """How it is compressed."""
        return self._content.compression

    def head(self, size: int) -> bytes:
        """The beginning of what it holds, decompressed; still to be read."""
        return self._content.head(size)

    def check(self, line_limit: int) -> None:
        """From now on look at every line, none of which may be longer than this."""
        self.rows, self._limit = 0, line_limit

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes as they are in the source, none at its end."""
        self._go_on()
        if self.rows is None:
            return self._before() or self._more(size)
        while len(self._taken) < size and (content := self._content.read()):
            self._check(content)
        if not self._taken and self._waiting:
            raise Declined("its last line has no end")
        return self._before()

    def whole_file(self) -> int | None:
        """The descriptor of the file behind it, where that is a local one and nothing is checked: all of the file is meant."""
        self._go_on()
        return local_file(self._raw) if self.rows is None else None

    def _before(self) -> bytes:
        piece = bytes(self._taken)
        self._taken.clear()
        return piece

    def _more(self, size: int) -> bytes:
        try:
            return self._raw.read(size)
        except (OSError, ValueError) as error:
            raise SourceError(f"{self._name} can't be read: {error}") from error

    def _check(self, content: bytes) -> None:
        """See that whole lines are what the pipeline would make of them; what has no end yet waits."""
        if b"\r" in content:
            raise Declined("it has lines that the pipeline would write otherwise: with a carriage return")
        head, end, rest = content.rpartition(b"\n")
        if not end:
            self._wait(content)
            return
        lines = (b"".join((*self._rest, head)) if self._rest else head).split(b"\n")
        self._rest, self._waiting = [], 0
        self._wait(rest)
        if max(map(len, lines)) > self._limit:
            raise Declined(f"it has a line of more than {self._limit} bytes")
        for row, why in sorted(bad_lines(lines).items()):
            what = f"is bad: {why}" if lines[row].strip(b" \t") else "is blank"
            raise Declined(f"line {(self.rows or 0) + row + 1} {what}")
        self.rows = (self.rows or 0) + len(lines)

    def _wait(self, rest: bytes) -> None:
        if rest:
            self._rest.append(rest)
            self._waiting += len(rest)
            if self._waiting > self._limit:
                raise Declined(f"it has a line of more than {self._limit} bytes")


class _Tee:
    """Reads a stream and keeps what was read."""

    def __init__(self, raw: Any, taken: bytearray) -> None:
        self._raw = raw
        self._taken = taken

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._raw.read(size)
        self._taken += piece
        return piece

    def seekable(self) -> bool:
        return False
