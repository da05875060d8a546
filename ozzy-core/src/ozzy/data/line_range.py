"""Whole lines out of the middle of a file: those that begin in a range of bytes, so that each line belongs to one range."""

import sys
from typing import BinaryIO, Final

from ozzy.data.codecs import PIECE, ByteStream
from ozzy.errors import SourceError

_LINE: Final = 4096
"""How many bytes are taken at a time of a line behind a range: it is mostly shorter, and what is beyond it is not copied."""


class LineRange(ByteStream):
    r"""The lines that begin in [start, end), of a plain file that is open at byte `start - 1` (of 0 for the first one).

    Ranges that lie side by side give each line once, however long it is. Closing `raw` stays with the caller. Raises SourceError.

    >>> import io
    >>> text = b"one\ntwo\nthree\n"
    >>> ranges = [LineRange(io.BytesIO(text[max(start - 1, 0) :]), start, start + 5, name="a") for start in (0, 5, 10)]
    >>> [one.read() for one in ranges], ranges[1].go_on(), ranges[0].go_on(), ranges[0].read()
    ([b'one\ntwo\n', b'three\n', b''], False, True, b'three\n')
    """

    def __init__(self, raw: BinaryIO, start: int, end: int, *, name: str) -> None:
        self._lines = _Lines(raw, name, start, end)
        super().__init__(self._lines, name=name)
        self.offset = start

    @property
    def first(self) -> int | None:
        """The byte of the file at which the first of the lines begins; None where none does."""
        self.head(PIECE)
        return self._lines.first

    @property
    def at(self) -> int:
        """The byte of the file behind what was read."""
        return self._lines.at - len(self._ahead)

    def go_on(self) -> bool:
        return self._lines.go_on()


class _Lines:
    """The bytes of those lines.

    `at` is the byte of the file that is handed out next, `_last` the last one at which a line may begin. `_held` was read last, and its
    first `_used` bytes are handed out.
    """

    def __init__(self, raw: BinaryIO, name: str, start: int, end: int) -> None:
        self._raw = raw
        self._name = name
        self.at = max(start - 1, 0)
        self._last = end - 1
        self._held = b""
        self._used = 0
        self._most = sys.maxsize
        self._within_a_line = start > 0
        self._ended = end <= start
        self.first: int | None = None

    def piece(self, size: int) -> bytes:
        while not self._ended:
            begun, piece = self.at, self._read(min(size, self._most))
            self.at += len(piece)
            if not piece:
                self._ended = True
            elif self._within_a_line:
                piece, begun = self._after_the_line(piece, begun)
            if piece and self.at > self._last:
                piece = self._to_the_last_line(piece, begun)
            if piece:
                self.first = begun if self.first is None else self.first
                return piece
        return b""

    def go_on(self) -> bool:
        """Let the line behind the last one be one of them."""
        if self.first is None or not self._ended:
            return False
        self._last, self._most = self.at, _LINE
        self._ended = not self._more(PIECE)
        return not self._ended

    def _after_the_line(self, piece: bytes, begun: int) -> tuple[bytes, int]:
        """What comes after the line that began before the range; a range within one line is not read further than its end."""
        end = piece.find(b"\n") + 1
        self._within_a_line = not end
        self._ended = begun + end > self._last if end else self.at > self._last
        return (piece[end:], begun + end) if end and not self._ended else (b"", begun)

    def _to_the_last_line(self, piece: bytes, begun: int) -> bytes:
        end = piece.find(b"\n", max(self._last - begun, 0)) + 1
        if not end:
            return piece
        self._ended, self.at = True, begun + end
        self._used -= len(piece) - end
        return piece[:end]

    def jump(self, offset: int) -> bool:
        """A range is read from its beginning."""
        return False

    def whole(self) -> BinaryIO | None:
        """It is no file of its own."""
        return None

    def _read(self, size: int) -> bytes:
        self._more(size)
        piece = self._held[self._used : self._used + size]
        self._used += len(piece)
        return piece

    def _more(self, size: int) -> bool:
        """Whether there is anything that is not handed out; where all that is held was, so much is read."""
        if self._used == len(self._held):
            try:
                self._held, self._used = self._raw.read(size) or b"", 0
            except (OSError, ValueError) as error:
                raise SourceError(f"{self._name} can't be read: {error}") from error
        return bool(self._held)
