"""JSON text to values and back, the same for every face: one decoder, one encoder, one idea of what is bad.

Integers, key order, missing against null and 1 against 1.0 survive. What can't be JSON (NaN, infinity, a lone surrogate) is a DataError,
as is a number that Python can't hold (1e999, an integer of more than 4300 digits) where a stage decodes it.
"""

import math
import re
from codecs import utf_8_decode
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from types import NoneType
from typing import Any, Final, TypeVar

import msgspec

from ozzy.data.record import Record
from ozzy.errors import DataError

T = TypeVar("T")

MISSING: Final = msgspec.UNSET
"""Stands for a field that a record does not have, as against one that is null."""

DEPTH_LIMIT: Final = 256
"""How deep arrays and objects may nest in a record, itself included."""

_decoder = msgspec.json.Decoder(dict[str, Any])
_decode_list = msgspec.json.Decoder(list[Any]).decode
_decode_any = msgspec.json.Decoder().decode
_skim = msgspec.json.Decoder(msgspec.defstruct("Row", [], gc=False)).decode
FAILURES: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding may raise; `data_error` makes a DataError of it."""


def check_line(line: bytes) -> None:
    """See that a line is one JSON object in UTF-8, no deeper than `DEPTH_LIMIT`. Raises DataError.

    A line that passes can be decoded, but for numbers out of range.
    """
    if len(line) > _DEEP_AT and _depth(line) > DEPTH_LIMIT:
        raise _too_deep()
    try:
        _skim(line)
        line.isascii() or line.decode()
    except FAILURES as error:
        raise data_error(error) from error


def bad_lines(lines: Sequence[bytes], *, utf8: bool = False) -> dict[int, str]:
    """What is wrong with which of these lines, by index; empty where each is good. The same as `check_line` on each, but fast.

    With `utf8`, all of them are known to be that.
    """
    try:
        deque(map(_skim, lines), 0)
    except FAILURES:
        return _found_bad(range(len(lines)), lines)
    sound = utf8 or is_utf8(b"\n".join(lines))
    return _found_bad(_perhaps_too_deep(lines) if sound else range(len(lines)), lines)


def good_rows(lines: Sequence[bytes], read: Callable[[Sequence[bytes]], list[T]]) -> list[T] | None:
    """What `read` gives, which reads each of these lines of UTF-8 once; None where a line is bad as `bad_lines` says, or may be."""
    try:
        rows = read(lines)
    except (DataError, *FAILURES):
        return None
    return None if _perhaps_too_deep(lines) else rows


def is_utf8(text: bytes, *, whole: bool = True) -> bool:
    """Whether a text is UTF-8; one that is not `whole` may end within a character."""
    try:
        text.isascii() or utf_8_decode(text, "strict", whole)
    except UnicodeDecodeError:
        return False
    return True


def _perhaps_too_deep(lines: Sequence[bytes]) -> list[int]:
    if max(map(len, lines), default=0) <= _DEEP_AT:
        return []
    return [row for row, line in enumerate(lines) if len(line) > _DEEP_AT and line.count(b"{") + line.count(b"[") > DEPTH_LIMIT]


def _found_bad(rows: Sequence[int], lines: Sequence[bytes]) -> dict[int, str]:
    found = {}
    for row in rows:
        try:
            check_line(lines[row])
        except DataError as error:
            found[row] = error.message
    return found


def each(convert: Callable[[Any], T], rows: Sequence[Any]) -> list[T]:
    """What `convert` makes of each row. Raises its DataError with the row."""
    try:
        return list(map(convert, rows))
    except DataError:
        pass
    converted: list[T] = []
    for row, value in enumerate(rows):
        try:
            converted.append(convert(value))
        except DataError as error:
            error.row = row
            raise
    return converted


def compacted(line: bytes) -> bytes:
    """The same JSON without blanks between its tokens, every token as it was. Raises DataError."""
    try:
        return msgspec.json.format(line, indent=-1)
    except FAILURES as error:
        raise data_error(error) from error


def decode_line(line: bytes) -> Record:
    """One line as a dict. Raises DataError."""
    if len(line) > _DEEP_AT and _depth(line) > DEPTH_LIMIT:
        raise _too_deep()
    try:
        return _decoder.decode(line)
    except FAILURES as error:
        raise data_error(error) from error


def select_fields(lines: Sequence[bytes], fields: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """The values of just these top-level fields, a tuple a line, `MISSING` where there is none.

    Raises DataError with the row of the first line where one of them can't be decoded.
    """
    select = _selector(fields)
    try:
        return select(lines)
    except FAILURES:
        pass
    selected = []
    for row, line in enumerate(lines):
        try:
            selected += select([line])
        except FAILURES as error:
            raise data_error(error, row) from error
    return selected


@lru_cache(maxsize=128)
def _selector(fields: tuple[str, ...]) -> Callable[[Sequence[bytes]], list[tuple[Any, ...]]]:
    names = list(dict.fromkeys(fields))
    columns = [(f"f{i}", Any, msgspec.field(default=MISSING, name=name)) for i, name in enumerate(names)]
    try:
        decode = msgspec.json.Decoder(msgspec.defstruct("Row", columns, gc=False)).decode
    except ValueError:
        return _raw_selector(fields)
    astuple = msgspec.structs.astuple
    if len(names) == len(fields):
        return lambda lines: list(map(astuple, map(decode, lines)))
    order = [names.index(field) for field in fields]
    return lambda lines: [tuple([values[i] for i in order]) for values in map(astuple, map(decode, lines))]


def _raw_selector(fields: tuple[str, ...]) -> Callable[[Sequence[bytes]], list[tuple[Any, ...]]]:
    """For names that a msgspec.Struct can't have: with quotes, backslashes or control characters."""
    decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
    value = msgspec.json.Decoder().decode
    return lambda lines: [tuple([value(row[field]) if field in row else MISSING for field in fields]) for row in map(decode, lines)]


def encode_record(record: Any) -> bytes:
    """A value as compact JSON in UTF-8, keys in their order; dates and times in ISO 8601. Raises DataError."""
    try:
        line = _encoder.encode(record)
    except RecursionError as error:
        raise _too_deep() from error
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"can't be written as JSON: {error}") from error
    _refuse_unwritable(line, record)
    return line


def _refuse_unwritable(line: bytes, value: Any) -> None:
    """Raises DataError for what the encoder took and JSON has not."""
    if len(line) > _DEEP_AT and _depth(line) > DEPTH_LIMIT:
        raise _too_deep()
    if b"null" in line and _has_no_number(value):
        raise DataError("can't be written as JSON: it holds NaN or an infinite number")


def encode_records(records: Sequence[Any]) -> list[bytes]:
    """What `encode_record` gives for each record, of many at a time. Raises DataError with the row of the first that can't be written."""
    lines: list[bytes] = []
    try:
        for start in range(0, len(records), _AT_A_TIME):
            lines += encode_values(records[start : start + _AT_A_TIME])
    except DataError:
        return each(encode_record, records)
    return lines


def encode_rows(make: Callable[..., Any], columns: Sequence[Sequence[Any]]) -> list[bytes]:
    """Lines of rows whose values are flat and finite; `make` makes of a value of each column what is encoded as its record is."""
    lines: list[bytes] = []
    for start in range(0, len(columns[0]), _AT_A_TIME):
        rows = list(map(make, *(column[start : start + _AT_A_TIME] for column in columns)))
        lines += _encoder.encode_lines(rows).splitlines()
    return lines


def encode_values(values: Sequence[Any]) -> list[bytes]:
    """What `encode_record` gives for each value, made in one call. Raises DataError, without a row."""
    try:
        text = _encoder.encode_lines(values)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return [encode_record(value) for value in values]
    lines = text.split(b"\n")
    lines.pop()
    if text.count(b"null") != values.count(None) or max(map(len, lines), default=0) > _DEEP_AT:
        for line, value in zip(lines, values, strict=True):
            if len(line) > _DEEP_AT or (b"null" in line and value is not None):
                _refuse_unwritable(line, value)
    return lines


def decode_values(texts: Sequence[Any]) -> list[Any]:
    """The values of JSON texts, each bytes or a `msgspec.Raw`, decoded in one call. Raises DataError with the row that can't be."""
    try:
        found: list[Any] = _decode_list(b"[%b]" % b",".join(texts))
    except FAILURES:
        found = []
        for row, text in enumerate(texts):
            try:
                found.append(_decode_any(text))
            except FAILURES as error:
                raise data_error(error, row) from error
    return found


def _encode_other(value: Any) -> Any:
    """Texts, numbers and mappings of a subclass are encoded as what they derive from."""
    bases: tuple[type[Any], ...] = (str, int, float, dict, list, tuple)
    for base in bases:
        if isinstance(value, base) and type(value) is not base:
            return base(value)
    raise TypeError(f"a value of type {type(value).__name__} has no JSON form there")


_encoder = msgspec.json.Encoder(enc_hook=_encode_other)


def _has_no_number(value: Any) -> bool:
    """Whether there is NaN or an infinite number in a value."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, _ROWS):
        return isinstance(value, float) and not math.isfinite(value)
    for one in value:
        if type(one) in _HARMLESS:
            continue
        if _has_no_number(one) if type(one) is not float else not math.isfinite(one):
            return True
    return False


_ROWS: Final = (list, tuple, set, frozenset)
_HARMLESS: Final = frozenset({str, int, bool, NoneType})
_AT_A_TIME: Final = 1024

_DEEP_AT: Final = 2 * DEPTH_LIMIT
_text = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_no_brackets: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_steps: Final = [1 if byte in b"[{" else -1 for byte in range(256)]


def _depth(line: bytes) -> int:
    """How deep a line nests; for one with fewer brackets than would matter, how many it has."""
    most = line.count(b"{") + line.count(b"[")
    if most <= DEPTH_LIMIT:
        return most
    brackets = _text.sub(b"", line).translate(None, _no_brackets)
    return max(accumulate(map(_steps.__getitem__, brackets)), default=0)


def _too_deep(row: int | None = None) -> DataError:
    return DataError(f"nested deeper than {DEPTH_LIMIT} levels", row=row)


def data_error(error: Exception, row: int | None = None) -> DataError:
    """What one of the `FAILURES` means, in words for people."""
    if isinstance(error, UnicodeDecodeError):
        return DataError(f"not UTF-8: {error.reason}", row=row)
    if isinstance(error, RecursionError):
        return _too_deep(row)
    text = str(error).removesuffix(" - at `$[...]`")
    if "Expected `object`" in text:
        return DataError("a row must be a JSON object, not " + text.rpartition("got ")[2].strip("`"), row=row)
    if text == "Input data was truncated":
        return DataError("JSON is malformed: it ends too early, or holds half of a surrogate pair", row=row)
    return DataError(text if text.startswith("JSON") else text[:1].lower() + text[1:], row=row)
