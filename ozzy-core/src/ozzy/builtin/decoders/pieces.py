"""Whole lines out of a stream of bytes, many at a time."""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from ozzy.data.codecs import PIECE, ByteStream

SHOWN: Final = 1024
"""How many bytes are kept of a line that is too long."""

SHORTEST_LIMIT: Final = PIECE
"""The lowest limit that `pieces` keeps exactly."""


@attrs.frozen
class Piece:
    """Some lines that follow each other, each with its LF but perhaps the last one of the stream.

    They are `head`, the beginning of the first one, and then `text` up to `end`. Where `too_long` is set there is one line of so many
    bytes, and only its beginning is kept.
    """

    head: bytes
    text: bytes
    end: int
    too_long: int = 0


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
            yield _too_long(rest[0], dropped + 1)
            rest, dropped, chunk = [], 0, chunk[first + 1 :]
        end = chunk.rfind(b"\n") + 1
        if end:
            yield Piece(b"".join(rest), chunk, end)
            rest, waiting, chunk = [], 0, chunk[end:]
        if chunk:
            rest.append(chunk)
            waiting += len(chunk)
    if dropped:
        yield _too_long(rest[0], dropped)
    elif waiting:
        text = b"".join(rest)
        yield Piece(b"", text, len(text))


def _too_long(beginning: bytes, size: int) -> Piece:
    return Piece(b"", beginning + b"\n", len(beginning) + 1, too_long=size)


def _beginning(parts: Iterable[bytes]) -> bytes:
    beginning = b""
    for part in parts:
        beginning += part[: SHOWN - len(beginning)]
    return beginning
