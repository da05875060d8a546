"""Cells and lines of CSV in any dialect: what is quoted, and how."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import attrs
import msgspec

from ozzy.data.json_text import MISSING, encode_record
from ozzy.errors import DataError

Quoting = Literal["strings", "all", "minimal", "none", "kept"]
LINE_ENDS: Final = {"lf": b"\n", "crlf": b"\r\n"}

_FORMULA: Final = frozenset("=+-@＝＋－＠")  # noqa: RUF001  (full-width signs begin a formula too)
_CONTROL: Final = frozenset("\t\r\n")


def neutral(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula with an apostrophe before it; everything else as it is.

    >>> neutral("=1+1"), neutral(" @SUM(A1)"), neutral("a=b"), neutral(-5)
    ("'=1+1", "' @SUM(A1)", 'a=b', -5)
    """
    if not isinstance(value, str) or not value:
        return value
    return f"'{value}" if value[0] in _CONTROL or value.lstrip()[:1] in _FORMULA else value


@attrs.frozen
class Dialect:
    """How rows are written. `end` is the end of a line."""

    delimiter: str
    quotechar: str
    escapechar: str | None
    doublequote: bool
    quoting: Quoting
    end: bytes

    @property
    def usual(self) -> bool:
        """Whether texts are quoted, with quotes doubled: the form that has a way of its own."""
        return self.quoting == "strings" and self.quotechar == '"' and self.doublequote and self.escapechar is None

    def line(self, values: Sequence[Any]) -> bytes:
        """One row. Raises DataError for a value without a form."""
        cells = [self._cell(value) for value in values]
        if cells == [""]:
            if self.quoting == "none":
                raise DataError("a row whose only cell is empty can't be written without quotes")
            cells = [self.quotechar * 2]
        try:
            return self.delimiter.join(cells).encode() + self.end
        except UnicodeEncodeError as error:
            raise DataError(f"a text can't be written as UTF-8: {error.reason}") from error

    def _cell(self, value: Any) -> str:
        if value is None or value is MISSING:
            return self.quotechar * 2 if self.quoting == "all" else ""
        if isinstance(value, str):
            return self._text(value, bare=False)
        encoded = encode_record(value)
        if encoded[:1] == b'"':
            return self._text(msgspec.json.decode(encoded, type=str), bare=False)
        return self._text(encoded.decode(), bare=encoded[:1] not in {b"{", b"["})

    def _text(self, text: str, *, bare: bool) -> str:
        if self.quoting == "none":
            return self._escaped(text)
        if self.quoting == "all" or (self.quoting == "strings" and not bare) or any(sign in text for sign in self._special):
            return f"{self.quotechar}{self._inside(text)}{self.quotechar}"
        return text

    def _inside(self, text: str) -> str:
        if self.escapechar is not None:
            text = text.replace(self.escapechar, self.escapechar * 2)
        if self.doublequote:
            return text.replace(self.quotechar, self.quotechar * 2)
        return text.replace(self.quotechar, f"{self.escapechar}{self.quotechar}")

    def _escaped(self, text: str) -> str:
        if self.escapechar is None:
            if any(sign in text for sign in self._special):
                raise DataError("a cell holds a delimiter, a quote or a line end, and can't be written without quotes or escapechar")
            return text
        text = text.replace(self.escapechar, self.escapechar * 2)
        for sign in self._special:
            if sign != self.escapechar:
                text = text.replace(sign, self.escapechar + sign)
        return text

    @property
    def _special(self) -> tuple[str, ...]:
        return (self.delimiter, self.quotechar, "\r", "\n", *([self.escapechar] if self.escapechar else []))
