"""JSON text to values and back, the same for every face: one decoder, one encoder, one idea of what is bad.

Integers of any size, key order, missing against null and 1 against 1.0 survive. What can't be JSON (NaN, infinity, a lone surrogate)
is a DataError, as is a number that Python can't hold (1e999) where a stage decodes it.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from ozzy.data.record import Record
from ozzy.errors import DataError

MISSING: Final = msgspec.UNSET
"""Stands for a field that a record does not have, as against one that is null."""

DEPTH_LIMIT: Final = 256
"""How deep arrays and objects may nest in a record."""

_decoder = msgspec.json.Decoder(dict[str, Any])
_object = msgspec.json.Decoder(msgspec.defstruct("Row", [], gc=False))


def check_line(line: bytes) -> None:
    """See that a line is one JSON object, no deeper than `DEPTH_LIMIT`; UTF-8 is not looked at. Raises DataError."""
    if len(line) > DEPTH_LIMIT and _too_deep(line):
        raise DataError(f"nested deeper than {DEPTH_LIMIT} levels")
    try:
        _object.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(_reason(error)) from error


def decode_line(line: bytes) -> Record:
    """One line as a dict. Raises DataError."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(_reason(error)) from error


@lru_cache(maxsize=128)
def row_decoder(fields: tuple[str, ...]) -> Callable[[bytes], tuple[Any, ...]]:
    """A function from a line to the values of just these top-level fields, `MISSING` where there is none."""
    columns = [(f"f{i}", Any, msgspec.field(default=MISSING, name=field)) for i, field in enumerate(dict.fromkeys(fields))]
    decode = msgspec.json.Decoder(msgspec.defstruct("Row", columns, gc=False)).decode
    astuple = msgspec.structs.astuple
    order = None if len(set(fields)) == len(fields) else [list(dict.fromkeys(fields)).index(field) for field in fields]

    def row(line: bytes) -> tuple[Any, ...]:
        try:
            values = astuple(decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(_reason(error)) from error
        return values if order is None else tuple(values[i] for i in order)

    return row


def encode_record(record: Any) -> bytes:
    """A value as compact JSON in UTF-8, keys in their order; dates and times in ISO 8601. Raises DataError."""
    try:
        line = _encoder.encode(record)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"can't be written as JSON: {error}") from error
    if b"null" in line and _has_no_number(record):
        raise DataError("can't be written as JSON: it holds NaN or an infinite number")
    return line


def _encode_other(value: Any) -> Any:
    """Texts, numbers and mappings of a subclass are encoded as what they derive from."""
    bases: tuple[type[Any], ...] = (str, int, float, dict, list, tuple)
    for base in bases:
        if isinstance(value, base):
            return base(value)
    raise TypeError(f"a value of type {type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(enc_hook=_encode_other)


def _has_no_number(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_no_number, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(map(_has_no_number, value))
    return False


def _too_deep(line: bytes) -> bool:
    if line.count(b"{") + line.count(b"[") <= DEPTH_LIMIT:
        return False
    depth, text, escaped = 0, False, False
    for byte in line:
        if text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                text = False
        elif byte == 0x22:
            text = True
        elif byte in b"[{":
            depth += 1
            if depth > DEPTH_LIMIT:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: {error.reason}"
    if isinstance(error, RecursionError):
        return f"nested deeper than {DEPTH_LIMIT} levels"
    text = str(error)
    if "Expected `object`" in text:
        return "a row must be a JSON object, not " + text.rpartition("got ")[2].strip("`")
    return text[:1].lower() + text[1:] if not text.startswith("JSON") else text
