"""Cells of usual CSV out of columns: of plain values, or of tokens of JSON, which are cells but for their quotes.

A text without escapes is the same in JSON and in CSV; a number of a line is written as it stands there, a nested value too, but for
blanks between its tokens.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any

import msgspec

from ozzy.data.json_text import FAILURES, MISSING, compacted, data_error, encode_record, encode_values
from ozzy.data.native import native
from ozzy.data.rows import Rows
from ozzy.data.tokens import ABSENT, Column, Tokens
from ozzy.errors import DataError


def rows_of(columns: Sequence[Column], delimiter: bytes, end: bytes) -> list[bytes]:
    """The rows of these columns, each with its end. Raises DataError, without a row."""
    parts: list[Sequence[bytes]] = []
    run: list[Tokens] = []
    for column in columns:
        if isinstance(column, Tokens) and not _begins_nested(column):
            run.append(column)
            continue
        if run:
            parts.append(_joined(run, delimiter))
            run = []
        parts.append(cells_of(column))
    if run:
        parts.append(_joined(run, delimiter))
    between = [piece for part in parts for piece in (part, repeat(delimiter))]
    return list(map(b"".join, zip(*between[:-1], repeat(end), strict=False)))


def rows_of_spans(text: bytes, columns: Sequence[bytes | list[Any]], count: int, delimiter: bytes, end: bytes) -> Rows:
    """The rows of columns that are spans of lines in a text, or plain values. Raises DataError, without a row."""
    cells = tuple([column if isinstance(column, bytes) else cells_of(column) for column in columns])
    return Rows.measured(*native.csv_rows(text, cells, count, delimiter, end, _unusual))


def rows_of_texts(texts: tuple[bytes, list[bytes | list[Any]], tuple[bytes, ...]], count: int, delimiter: bytes, end: bytes) -> Rows:
    """The rows of columns as `Packed.texts` gives them. Raises DataError, without a row."""
    text, columns, nulls = texts
    cells = tuple([column if isinstance(column, bytes) else cells_of(column) for column in columns])
    return Rows.measured(*native.csv_rows_of_cells(text, cells, count, delimiter, end, nulls))


def cells_of(column: Column | tuple[Any, ...]) -> list[bytes]:
    """The cells of one column. Raises DataError, without a row."""
    if not isinstance(column, Tokens):
        return _of_values(column)
    return (_nested(column) if _begins_nested(column) else None) or _of_tokens(column)


def cell_of(value: Any) -> bytes:
    """The cell of one plain value. Raises DataError."""
    return _CELLS.get(type(value), _other)(value)


def _begins_nested(tokens: Tokens) -> bool:
    """Whether the first value that is there is an object or an array."""
    first = next(filter(None, tokens), None)
    return first is not None and memoryview(first)[:1] in _OPENING


def _joined(columns: Sequence[Tokens], delimiter: bytes) -> list[bytes]:
    """The cells of columns side by side: their tokens, where no value is nested and no text has escapes."""
    rows = list(map(delimiter.join, zip(*columns, strict=True)))
    text = b"\n".join(rows)
    if b"\\" in text or b"{" in text or b"[" in text:
        return list(map(delimiter.join, zip(*map(cells_of, columns), strict=True)))
    if b"null" in text:
        return list(map(delimiter.join, zip(*map(_without_nulls, columns), strict=True)))
    return rows


def _without_nulls(tokens: Tokens) -> Sequence[msgspec.Raw]:
    return [ABSENT if token == _NULL else token for token in tokens] if _NULL in tokens else tokens


def _nested(tokens: Tokens) -> list[bytes] | None:
    """The cells of a column of nothing but nested values, without blanks between their tokens; None where it is none."""
    present = tokens if all(tokens) else [token for token in tokens if token]
    array = b"[%b]" % b",".join(present)
    if len(compacted(array)) < len(array):
        return None
    text = b"\n".join(present).replace(b'"', b'""').replace(b"\n", b'"\n"')
    cells = (b'"%b"' % text).split(b"\n")
    if not set(map(_second, cells)) <= _NESTED_BYTES:
        return None
    if present is tokens:
        return cells
    found = iter(cells)
    return [next(found) if token else b"" for token in tokens]


def _of_tokens(tokens: Tokens) -> list[bytes]:
    if not tokens:
        return []
    text = b"\n" + b"\n".join(tokens)
    nested = b"\n{" in text or b"\n[" in text
    if nested and any(blank in text for blank in _BLANKS):
        text = b"\n" + b"\n".join([compacted(token) if token else b"" for token in tokens])
    written = text.replace(b"\nnull", b"\n")
    if nested and b'\n"' not in written:
        written = written.replace(b'"', b'""')
    cells = written.split(b"\n")
    if nested and b'\n"' in written:
        cells = [cell.replace(b'"', b'""') if cell[:1] in _OPENING else cell for cell in cells]
    if nested:
        cells = [b'"%b"' % cell if cell[:1] in _OPENING else cell for cell in cells]
    del cells[0]
    if b"\\" in text:
        cells = [
            cell if cell[:1] != b'"' or token[:1] != b'"' or b"\\" not in cell else _unescaped(token)
            for cell, token in zip(cells, text.split(b"\n")[1:], strict=True)
        ]
    return cells


def _unusual(token: bytes) -> bytes:
    """The cell of a text with escapes, or of a nested value with blanks between its tokens."""
    return _unescaped(token) if token[:1] == b'"' else b'"%b"' % compacted(token).replace(b'"', b'""')


def _unescaped(token: bytes) -> bytes:
    try:
        return _text(msgspec.json.decode(token, type=str))
    except FAILURES as error:
        raise data_error(error) from error


def _of_values(column: Sequence[Any]) -> list[bytes]:
    """At once where there is nothing but texts or nothing but JSON, else one by one."""
    kinds = set(map(type, column))
    empty = bool(kinds & _EMPTY)
    if str in kinds and kinds <= _TEXTS:
        cells = _texts([value if type(value) is str else "" for value in column] if empty else column)
        if cells is not None:
            return [cell if type(value) is str else b"" for cell, value in zip(cells, column, strict=True)] if empty else cells
    elif kinds <= _JSON:
        cells = encode_values([None if value is MISSING else value for value in column] if type(MISSING) in kinds else column)
        if kinds & _NESTED:
            cells = b"\n".join(cells).replace(b'"', b'""').split(b"\n")
            cells = [b'"%b"' % cell if cell[:1] in _OPENING else cell for cell in cells]
        return [b"" if cell == b"null" else cell for cell in cells] if empty else cells
    return [_CELLS.get(type(value), _other)(value) for value in column]


def _texts(column: Sequence[str]) -> list[bytes] | None:
    """Texts in quotes, all in one go; None where one of them holds the NUL that goes between."""
    text = "\0".join(column)
    if text.count("\0") != len(column) - 1:
        return None
    quoted = text.replace('"', '""').replace("\0", '"\0"')
    return _utf8(f'"{quoted}"').split(b"\0")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"a text can't be written as UTF-8: {error.reason}") from error


def _text(value: str) -> bytes:
    return b'"' + _utf8(value).replace(b'"', b'""') + b'"'


def _empty(_: Any) -> bytes:
    return b""


def _boolean(value: bool) -> bytes:
    return b"true" if value else b"false"


def _other(value: Any) -> bytes:
    """The cell of a number, a nested value, or anything else that has a form in JSON."""
    encoded = encode_record(value)
    if encoded[:1] == b'"':
        return _text(msgspec.json.decode(encoded, type=str))
    if encoded[:1] in _OPENING:
        return b'"' + encoded.replace(b'"', b'""') + b'"'
    return b"" if encoded == b"null" else encoded


_EMPTY = {type(None), type(MISSING)}
_NESTED = {dict, list}
_TEXTS = {str, *_EMPTY}
_JSON = {int, float, bool, *_NESTED, *_EMPTY}
_BLANKS = (b": ", b", ", b"[ ", b"{ ", b" :", b" ,", b" ]", b" }", b"\t")
"""One of these is in each column where blanks stand between the tokens of a nested value, and in some where they stand in its texts."""

_NULL = msgspec.Raw(b"null")
_OPENING = (b"{", b"[")
_NESTED_BYTES = frozenset(b"{[")
_second = itemgetter(1)
_CELLS: Mapping[type, Callable[[Any], bytes]] = {str: _text, bool: _boolean, type(None): _empty, type(MISSING): _empty}
