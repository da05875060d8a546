"""Whole lines out of the middle of a file: those that begin in a range of bytes, so that each line belongs to one range."""

from typing import BinaryIO

from ozzy.data.codecs import ByteStream
from ozzy.errors import SourceError


def line_range(raw: BinaryIO, start: int, end: int, *, name: str) -> ByteStream:
    r"""The lines that begin in [start, end), of a plain file that is open at byte `start - 1` (of 0 for the first one).

    Ranges that lie side by side give each line once, however long it is. Closing `raw` stays with the caller. Raises SourceError.

    >>> import io
    >>> text = b"one\ntwo\nthree\n"
    >>> [line_range(io.BytesIO(text[max(start - 1, 0) :]), start, start + 5, name="a").read() for start in (0, 5, 10)]
    [b'one\ntwo\n', b'three\n', b'']
    """
    stream = ByteStream(_Lines(raw, name, start, end), name=name)
    stream.offset = start
    return stream


class _Lines:
    """The bytes of those lines. `_at` is where the file stands, `_last` the last byte at which a line may begin."""

    def __init__(self, raw: BinaryIO, name: str, start: int, end: int) -> None:
        self._raw = raw
        self._name = name
        self._at = max(start - 1, 0)
        self._last = end - 1
        self._within_a_line = start > 0
        self._ended = end <= start

    def piece(self, size: int) -> bytes:
        while not self._ended:
            begun, piece = self._at, self._read(size)
            self._at += len(piece)
            if not piece:
                self._ended = True
            elif self._within_a_line:
                piece, begun = self._after_the_line(piece, begun)
            if piece and self._at > self._last:
                piece = self._to_the_last_line(piece, begun)
            if piece:
                return piece
        return b""

    def _after_the_line(self, piece: bytes, begun: int) -> tuple[bytes, int]:
        """What comes after the line that began before the range; a range within one line is not read further than its end."""
        end = piece.find(b"\n") + 1
        self._within_a_line = not end
        self._ended = begun + end > self._last if end else self._at > self._last
        return (piece[end:], begun + end) if end and not self._ended else (b"", begun)

    def _to_the_last_line(self, piece: bytes, begun: int) -> bytes:
        end = piece.find(b"\n", max(self._last - begun, 0)) + 1
        self._ended = end > 0
        return piece[:end] if end else piece

    def jump(self, offset: int) -> bool:
        """A range is read from its beginning."""
        return False

    def whole(self) -> BinaryIO | None:
        """It is no file of its own."""
        return None

    def _read(self, size: int) -> bytes:
        try:
            return self._raw.read(size) or b""
        except (OSError, ValueError) as error:
            raise SourceError(f"{self._name} can't be read: {error}") from error
