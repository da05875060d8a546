"""Where a row of CSV begins, told by what stands behind it: for who reads the middle of a file. It is a guess, and has to be checked."""

import csv
from collections.abc import Iterator
from typing import Any, Final

from ozzy.data.codecs import PIECE

_ENOUGH: Final = 8
_TRIES: Final = 64
"""So many rows make it likely that the first of them is one, and so many lines may stand before it."""


def first_row(text: bytes, width: int, dialect: dict[str, Any]) -> int:
    r"""Where the first row of some lines seems to begin: where several rows from there on have as many cells, and quotes in pairs; else 0.

    >>> first_row(b'of a cell", 2\n3,4\n5,6\n', 2, {}), first_row(b'1,2\n"3\n",4\n', 2, {}), first_row(b"a\n", 2, {})
    (14, 0, 0)
    """
    start = 0
    for _ in range(_TRIES):
        if _seem_rows(text[start : start + PIECE], width, dialect):
            return start
        start = text.find(b"\n", start) + 1
        if not start:
            break
    return 0


def _seem_rows(text: bytes, width: int, dialect: dict[str, Any]) -> bool:
    lines = text[: text.rfind(b"\n") + 1].decode(errors="replace").split("\n")
    quote = None if dialect.get("escapechar") else dialect.get("quotechar", '"')
    found, taken = 0, [""]

    def given() -> Iterator[str]:
        for line in lines[:-1]:
            taken.append(line)
            yield line + "\n"

    try:
        for cells in csv.reader(given(), strict=True, **dialect):
            if (cells and len(cells) != width) or (quote and "".join(taken).count(quote) % 2):
                return False
            taken.clear()
            found += bool(cells)
            if found == _ENOUGH:
                break
    except csv.Error as error:
        return found > 0 and "unexpected end of data" in str(error)
    return found > 0
