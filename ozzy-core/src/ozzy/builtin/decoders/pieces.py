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

    `text` is the same in one, `size` its bytes with all LF. `returns` tells that there is a CR among them. Where `too_long` is set
    there is one line, and only its beginning is kept.
    """

    lines: list[bytes]
    text: bytes
    size: int
    returns: bool = False
    too_long: bool = False

    @property
    def ends(self) -> list[int]:
        """Where each line ends, LF included, counted from the piece's first byte."""
        if self.too_long:
            return [self.size]
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
        last = chunk.rfind(b"\n")
        if last >= 0:
            yield _piece(b"".join((*rest, chunk[:last])), 1)
            rest, waiting, chunk = [], 0, chunk[last + 1 :]
        rest.append(chunk)
        waiting += len(chunk)
    if dropped:
        yield Piece(rest, rest[0], dropped, too_long=True)
    elif waiting:
        yield _piece(b"".join(rest), 0)


def _beginning(parts: Iterable[bytes]) -> bytes:
    beginning = b""
    for part in parts:
        beginning += part[: SHOWN - len(beginning)]
    return beginning


def _piece(text: bytes, ended: int) -> Piece:
    """The lines of a text, whose last one is followed by so many LF."""
    return Piece(text.split(b"\n"), text, len(text) + ended, returns=b"\r" in text)
