"""Whole lines out of a stream of bytes, many at a time."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

import attrs

from ozzy.data.codecs import PIECE, ByteStream

SHOWN: Final = 1024
"""How many bytes are kept of a line that is too long."""

SHORTEST_LIMIT: Final = PIECE
"""The lowest limit that `pieces` keeps exactly."""


@attrs.frozen
class Piece:
    """Some lines that follow each other, without their LF.

    `size` is what they have in bytes, with all LF. `text` holds them, and perhaps the beginning of what follows. `returns` tells that there
    may be a CR among them. Where `too_long` is set there is one line, and only its beginning is kept.
    """

    lines: list[bytes]
    text: bytes
    size: int
    returns: bool = False
    too_long: bool = False

    @property
    def ends(self) -> list[int]:
        """Where each line ends, LF included, counted from the piece's first byte."""
        ends = list(accumulate([len(line) + 1 for line in self.lines]))
        ends[-1] = self.size
        return ends


def pieces(stream: ByteStream, line_limit: int) -> Iterator[Piece]:
    """The lines of a stream, from where it stands; a last line needs no LF.

    A line of more than `line_limit` bytes (at least `SHORTEST_LIMIT`) comes alone, and is never held as a whole.
    """
    rest: list[bytes] = []
    waiting = dropped = 0
    while chunk := stream.read(PIECE):
        first = chunk.find(b"\n")
        known = len(chunk) if first < 0 else first
        if dropped or waiting + known > line_limit:
            rest, dropped, waiting = [_beginning((*rest, chunk))], dropped + waiting + known, 0
            if first < 0:
                continue
            yield Piece(rest, rest[0], dropped + 1, too_long=True)
            rest, dropped, chunk = [], 0, chunk[first + 1 :]
            first = chunk.find(b"\n")
        if first >= 0:
            text = b"".join((*rest, chunk))
            lines = text.split(b"\n")
            chunk = lines.pop()
            yield Piece(lines, text, len(text) - len(chunk), returns=b"\r" in text)
            rest, waiting = [], 0
        rest.append(chunk)
        waiting += len(chunk)
    if dropped:
        yield Piece(rest, rest[0], dropped, too_long=True)
    elif waiting:
        text = b"".join(rest)
        yield Piece([text], text, len(text), returns=b"\r" in text)


def _beginning(parts: Iterable[bytes]) -> bytes:
    beginning = b""
    for part in parts:
        beginning += part[: SHOWN - len(beginning)]
    return beginning
