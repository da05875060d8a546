"""Lines taken apart into tokens: a dict of field names to values that stay as the bytes they are.

Whoever drops, renames or moves fields need not decode what it does not look at: that is cheaper, and the bytes of values survive.
A `Form` takes nested values apart in the same way from lines and from records, so that a change is written once for both.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol, TypeVar

import msgspec

from ozzy.data.json_text import FAILURES, MISSING, data_error, decode_values, encode_record
from ozzy.errors import DataError

T = TypeVar("T")

Row = dict[str, Any]
"""Field names to values: plain ones, or tokens (`msgspec.Raw`)."""

ABSENT: Final = msgspec.Raw(b"")
"""Stands in a column of tokens for a field that a row does not have: no value is as short."""


class Tokens(tuple[msgspec.Raw, ...]):
    """One column of lines: the values of a field as they stand there, `ABSENT` where there is none."""

    __slots__ = ()


Column = Tokens | list[Any]
"""One field of many rows: tokens, or plain values."""

_split_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_split_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_OBJECT, _ARRAY = b"{"[0], b"["[0]
_NULL = msgspec.Raw(b"null")


class Form(Protocol):
    """What the values of a row are, and how they are taken apart and put together."""

    def members(self, value: Any) -> Row | None:
        """The members of an object, not to be changed; None for any other value."""

    def elements(self, value: Any) -> Sequence[Any] | None:
        """The elements of an array, not to be changed; None for any other value."""

    def whole(self, parts: Row | list[Any]) -> Any:
        """A value of members or elements that are in this form."""

    def plain(self, value: Any) -> Any:
        """The value as Python has it. Raises DataError for a number out of range."""

    def made(self, value: Any) -> Any:
        """A plain value in this form. Raises DataError for what can't be JSON."""


Change = Callable[[Row, Form], Row]
Unfold = Callable[[Row, Form], Sequence[Row]]


class _Plain:
    """Values of records."""

    def members(self, value: Any) -> Row | None:
        return value if isinstance(value, dict) else None

    def elements(self, value: Any) -> Sequence[Any] | None:
        return value if isinstance(value, (list, tuple)) else None

    def whole(self, parts: Row | list[Any]) -> Any:
        return parts

    def plain(self, value: Any) -> Any:
        return value

    def made(self, value: Any) -> Any:
        return value


class _Tokens:
    """Values of lines, each a `msgspec.Raw`."""

    def members(self, value: msgspec.Raw) -> Row | None:
        return _split_object(value) if memoryview(value)[0] == _OBJECT else None

    def elements(self, value: msgspec.Raw) -> Sequence[Any] | None:
        return _split_array(value) if memoryview(value)[0] == _ARRAY else None

    def whole(self, parts: Row | list[Any]) -> msgspec.Raw:
        return msgspec.Raw(_encode(parts))

    def plain(self, value: msgspec.Raw) -> Any:
        try:
            return _decode(value)
        except FAILURES as error:
            raise data_error(error) from error

    def made(self, value: Any) -> msgspec.Raw:
        return msgspec.Raw(encode_record(value))


PLAIN: Final[Form] = _Plain()
"""The form of records."""

TOKENS: Final[Form] = _Tokens()
"""The form of lines."""


def split_line(line: bytes) -> Row:
    """The fields of a line, their values as tokens. Raises DataError."""
    try:
        return _split_object(line)
    except FAILURES as error:
        raise data_error(error) from error


def join_tokens(row: Row) -> bytes:
    """The line of such fields, without blanks between them. Raises DataError."""
    try:
        return _encode(row)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"can't be written as JSON: {error}") from error


def _of_all(lines: Sequence[bytes], work: Callable[[Sequence[bytes]], list[T]]) -> list[T]:
    """What `work` makes of the lines, one a line. Raises DataError with the row that can't be taken apart."""
    try:
        return work(lines)
    except FAILURES:
        pass
    made: list[T] = []
    for row, line in enumerate(lines):
        try:
            made += work([line])
        except FAILURES as error:
            raise data_error(error, row) from error
    return made


def picked_lines(lines: Sequence[bytes], fields: tuple[str, ...]) -> list[bytes]:
    """The lines with only these top-level fields, in this order. Raises DataError with the row that can't be taken apart."""
    return _of_all(lines, _picker(fields))


def token_columns(lines: Sequence[bytes], fields: tuple[str, ...]) -> list[Tokens]:
    """The tokens of these top-level fields, column by column. Raises DataError with the row that can't be taken apart."""
    rows = _of_all(lines, _taker(fields))
    return list(map(Tokens, zip(*rows, strict=True))) if rows else [Tokens() for _ in fields]


def values_of_tokens(tokens: Sequence[msgspec.Raw]) -> list[Any]:
    """The values of one column, `MISSING` where there is none. Raises DataError with the row of a number that Python can't hold."""
    if all(tokens):
        return decode_values(tokens)
    found = decode_values([_NULL if token is ABSENT else token for token in tokens])
    return [MISSING if token is ABSENT else value for token, value in zip(tokens, found, strict=True)]


@lru_cache(maxsize=128)
def _taker(fields: tuple[str, ...]) -> Callable[[Sequence[bytes]], list[tuple[msgspec.Raw, ...]]]:
    names = list(dict.fromkeys(fields))
    columns = [(f"f{i}", msgspec.Raw, msgspec.field(default=ABSENT, name=name)) for i, name in enumerate(names)]
    try:
        decode = msgspec.json.Decoder(msgspec.defstruct("Row", columns, gc=False)).decode
    except ValueError:
        return lambda lines: [tuple([row.get(field, ABSENT) for field in fields]) for row in map(_split_object, lines)]
    astuple = msgspec.structs.astuple
    if len(names) == len(fields):
        return lambda lines: list(map(astuple, map(decode, lines)))
    order = [names.index(field) for field in fields]
    return lambda lines: [tuple([values[i] for i in order]) for values in map(astuple, map(decode, lines))]


@lru_cache(maxsize=128)
def _picker(fields: tuple[str, ...]) -> Callable[[Sequence[bytes]], list[bytes]]:
    names = list(dict.fromkeys(fields))
    columns = [(f"f{i}", msgspec.Raw, msgspec.field(default=MISSING, name=name)) for i, name in enumerate(names)]
    try:
        decode = msgspec.json.Decoder(msgspec.defstruct("Row", columns, gc=False)).decode
    except ValueError:
        return lambda lines: [_encode({name: row[name] for name in names if name in row}) for row in map(_split_object, lines)]
    return lambda lines: list(map(_encode, map(decode, lines)))
