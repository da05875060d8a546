"""The text of a CSV file, some MiB of whole lines at a time."""

from typing import Final

from ozzy.data.codecs import PIECE, ByteStream

CHUNK_BYTES: Final = 4 * 1024 * 1024
"""How many bytes the lines of a chunk have, but for the last one's rest."""


class Text:
    """Chunks of whole lines, which are the same however the stream hands out its bytes.

    A line longer than `limit` bytes is never held as a whole: where it stands, the text ends and `too_long` is true.
    """

    def __init__(self, stream: ByteStream, limit: int) -> None:
        self.too_long = False
        self._stream = stream
        self._limit = limit
        self._rest = b""
        self._given_back: list[bytes] = []

    def chunk(self) -> bytes:
        """The next lines with their LF, which the last line of all may lack; nothing at the end."""
        if self._given_back:
            return self._given_back.pop()
        if self.too_long:
            return b""
        parts, size, end = [self._rest], len(self._rest), self._rest.rfind(b"\n") + 1
        self._rest = b""
        while size < CHUNK_BYTES or not end:
            if size - end > self._limit:
                self.too_long = True
                return b""
            piece = self._piece(max(1, -(-(CHUNK_BYTES - size) // PIECE)) * PIECE)
            if not piece:
                return b"".join(parts)
            last = piece.rfind(b"\n") + 1
            end = size + last if last else end
            parts.append(piece)
            size += len(piece)
        if size - end < len(parts[-1]):
            last_part = parts.pop()
            cut = len(last_part) - (size - end)
            self._rest = last_part[cut:]
            return b"".join([*parts, memoryview(last_part)[:cut]])
        text = b"".join(parts)
        self._rest = text[end:]
        return text[:end]

    def go_on(self) -> bool:
        """Have one line more, from behind the lines that were asked for; False where there is none."""
        return self._stream.go_on()

    def is_large(self) -> bool:
        """Whether there is about a chunk of it, or more, still to come."""
        chunk = self.chunk()
        self.give_back(chunk)
        return len(chunk) >= CHUNK_BYTES * 3 // 4

    def give_back(self, lines: bytes) -> None:
        """Take back the chunk that was given last, or the end of it."""
        if lines:
            self._given_back.append(lines)

    def _piece(self, size: int) -> bytes:
        piece = self._stream.read(size)
        if len(piece) in {0, size}:
            return piece
        parts, left = [piece], size - len(piece)
        while left and (piece := self._stream.read(left)):
            parts.append(piece)
            left -= len(piece)
        return b"".join(parts)
