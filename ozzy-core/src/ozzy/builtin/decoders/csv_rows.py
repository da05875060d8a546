"""CSV row by row, with the cells of each, its bytes, and what is wrong with it."""

import csv
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ozzy import DataError, Rejected
from ozzy.builtin.decoders.columns import Columns
from ozzy.builtin.decoders.csv_text import Text
from ozzy.data.codecs import PIECE

CELL_LIMIT: Final = 16 * 1024 * 1024
"""How many characters a cell has at the most; Python's own limit for all of a process is raised to it."""

_QUOTES: Final = "Look for a quote that is never closed, or set another deserializer."


class Row(NamedTuple):
    """One row: its cells (none for a blank line), its bytes without the end of the line, their number with it, and why it is bad."""

    cells: list[Any]
    text: bytes
    size: int
    rejected: Rejected | None


class Rows:
    """The rows of a text. `dialect` is what Python's reader of CSV is to be told; `head` is the header, where it stands elsewhere."""

    def __init__(self, text: Text, name: str, dialect: dict[str, Any], head: bytes = b"") -> None:
        csv.field_size_limit(max(csv.field_size_limit(), CELL_LIMIT))
        self._source = text
        self._name = name
        self._before = 0
        self.head = head
        self._suspect = False
        self._taken: list[str] = []
        self._texts: list[str] = []
        self._at = 0
        self._chunk = b""
        self._done = 0
        self._chunks = 0
        self._last_end = "\n"
        self._reader = csv.reader(self._lines(), strict=True, **dialect)

    def header(self) -> list[str] | None:
        """The names of the fields, None where there is no row at all."""
        names: list[str] = []
        while not names:
            try:
                names = next(self._reader)
            except StopIteration:
                return None
            except csv.Error as error:
                raise DataError(f"{self._name}, line {self._before + self._at}: the header can't be read: {_told(error)}") from error
        self.head = self._bytes()
        wrong = _unreadable(names) or wrong_names(names)
        if wrong:
            raise DataError(f"{self._name}: the header is bad: {wrong}", hint="The first row has to give each column a name of its own.")
        self._hand_back()
        return names

    def to_the_end(self, columns: Columns) -> Iterator[Row]:
        """All rows that are still to come."""
        row = self._row
        while (found := row(columns)) is not None:
            yield found

    def of_one_chunk(self, columns: Columns) -> Iterator[Row]:
        """The rows that begin in the next chunk; what follows the last of them is handed back."""
        self._fill()
        self._chunks = 0
        while (self._at < len(self._texts) or self._done < len(self._chunk)) and not self._chunks:
            row = self._row(columns)
            if row is not None:
                yield row
        self._hand_back()

    def pass_over(self, lines: int) -> None:
        """So many lines were read by somebody else."""
        self._before += lines

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self._before + self._at

    def _row(self, columns: Columns) -> Row | None:
        self._taken.clear()
        try:
            cells = next(self._reader)
        except StopIteration:
            return None
        except csv.Error as error:
            self._refuse_unclosed(error)
            return self._refused([], _told(error))
        wrong = _unreadable(cells) if self._suspect else ""
        if not wrong and cells and len(cells) != columns.width:
            wrong = f"{len(cells)} cells where the header has {columns.width}"
        if not wrong and cells and columns.any:
            wrong = columns.convert(cells)
        if wrong:
            return self._refused(cells, wrong)
        text = self._bytes()
        return Row(cells, text.removesuffix(b"\r"), len(text) + 1, None)

    def _refused(self, cells: list[Any], wrong: str) -> Row:
        text = self._bytes()
        return Row(cells, text, len(text) + 1, Rejected(f"{self._name}, line {self._first}", wrong, text, head=self.head))

    def _lines(self) -> Iterator[str]:
        """The lines as texts; bytes that are no UTF-8 are kept as surrogates, and make the rows suspect from there on."""
        taken = self._taken
        while self._at < len(self._texts) or self._fill() or (taken and self._source.go_on() and self._fill()):
            for self._at, line in enumerate(self._texts, 1):  # noqa: B020 - how far it is, for who hands the rest back
                taken.append(line)
                yield line + "\n"

    def _fill(self) -> bool:
        self._before += self._at
        self._at, self._texts = 0, []
        if self._done == len(self._chunk):
            self._chunk, self._done = self._source.chunk(), 0
            self._chunks += 1
        chunk, start = self._chunk, self._done
        if not chunk:
            if self._source.too_long:
                raise DataError(f"{self._name}, line {self._before + 1}: longer than {CELL_LIMIT} bytes", hint=_QUOTES)
            return False
        self._done = chunk.rfind(b"\n", start, start + PIECE) + 1 or chunk.find(b"\n", start) + 1 or len(chunk)
        piece = chunk[start : self._done]
        self._suspect = self._suspect or b"\0" in piece or not _is_utf8(piece)
        lines = piece.decode(errors="surrogateescape").split("\n")
        self._last_end = "" if lines[-1] else "\n"
        if not lines[-1]:
            lines.pop()
        self._texts = lines
        return True

    def _hand_back(self) -> None:
        left = "".join([line + "\n" for line in self._texts[self._at :]])
        del self._texts[self._at :]
        text = (left if self._last_end else left.removesuffix("\n")).encode(errors="surrogateescape")
        self._source.give_back(text + self._chunk[self._done :])
        self._done = len(self._chunk)

    def _refuse_unclosed(self, error: csv.Error) -> None:
        if "unexpected end of data" in str(error) or "field larger" in str(error):
            what = f"a quote is never closed, or a cell has more than {CELL_LIMIT} characters"
            raise DataError(f"{self._name}, line {self._first}: {what}", hint=_QUOTES) from error

    @property
    def _first(self) -> int:
        """The number of the first line of the row at hand."""
        return self._before + self._at - len(self._taken) + 1

    def _bytes(self) -> bytes:
        """The lines of the row at hand, as they were read."""
        taken = self._taken
        return (taken[0] if len(taken) == 1 else "\n".join(taken)).encode("utf-8", "surrogateescape")


def wrong_names(names: list[str]) -> str:
    """What is wrong with the names of columns, or nothing."""
    twice = {name for name in names if names.count(name) > 1}
    return "a name is empty" if not all(names) else f"{min(twice)!r} stands there twice" if twice else ""


def _unreadable(row: list[str]) -> str:
    for cell in row:
        if "\0" in cell:
            return "holds a NUL byte"
        if not _is_text(cell):
            return "not UTF-8"
    return ""


def _told(error: csv.Error) -> str:
    return "a carriage return inside a row" if "new-line character" in str(error) else str(error)


def _is_utf8(text: bytes) -> bool:
    try:
        text.isascii() or text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True
