"""Positions as tagged JSON: what JSON has no form for comes back as it was.

A mapping with keys that are not texts, a tuple, bytes and dates are written as an object with the one key `$ozzy:KIND`.
"""

import base64
import math
from datetime import date, datetime
from typing import Any

import msgspec

from ozzy.errors import StateError

_TAG = "$ozzy:"
_HINT = "Positions may hold JSON, tuples, bytes, dates and datetimes."


def pack(position: Any, what: str = "a reader's position") -> Any:
    """A position as plain JSON; `what` it is, for messages. Raises StateError for one that would not come back equal."""
    try:
        packed = _pack(position)
    except TypeError as error:
        raise StateError(f"{what} holds {error}, which can't be saved", hint=_HINT) from error
    try:
        back = unpack(msgspec.json.decode(msgspec.json.encode(packed)))
    except ValueError as error:
        raise StateError(f"{what} can't be saved: {error}", hint=_HINT) from error
    if back != position:
        raise StateError(f"{what} does not survive being saved: {position!r:.200}", hint=_HINT)
    return packed


def pack_record(record: Any) -> Any:
    """A record as plain JSON, NaN and infinite numbers included; None for one that would not come back as it was."""
    try:
        packed = _pack(record, numbers=True)
        back = unpack(msgspec.json.decode(msgspec.json.encode(packed)))
    except (TypeError, ValueError, RecursionError, StateError):
        return None
    return packed if repr(back) == repr(record) else None


def unpack(packed: Any) -> Any:
    """A position from plain JSON, as it was before `pack`."""
    if isinstance(packed, list):
        return [unpack(value) for value in packed]
    if not isinstance(packed, dict):
        return packed
    if len(packed) == 1:
        [(key, value)] = packed.items()
        if key.startswith(_TAG):
            return _unpack_tagged(key.removeprefix(_TAG), value)
    return {key: unpack(value) for key, value in packed.items()}


def _pack(value: Any, *, numbers: bool = False) -> Any:
    """`numbers` tags those that JSON has no form for."""
    if value is None or isinstance(value, bool):
        return value
    if numbers and isinstance(value, float) and not math.isfinite(value):
        return {f"{_TAG}number": repr(value)}
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    if isinstance(value, list):
        return [_pack(one, numbers=numbers) for one in value]
    if isinstance(value, tuple):
        return {f"{_TAG}tuple": [_pack(one, numbers=numbers) for one in value]}
    if isinstance(value, (bytes, bytearray)):
        return {f"{_TAG}bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {f"{_TAG}datetime": value.isoformat()}
    if isinstance(value, date):
        return {f"{_TAG}date": value.isoformat()}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith(_TAG) for key in value):
            return {str(key): _pack(one, numbers=numbers) for key, one in value.items()}
        return {f"{_TAG}mapping": [[_pack(key, numbers=numbers), _pack(one, numbers=numbers)] for key, one in value.items()]}
    raise TypeError(f"a {type(value).__name__}")


def _unpack_tagged(kind: str, value: Any) -> Any:
    if kind == "tuple":
        return tuple(unpack(one) for one in value)
    if kind == "number":
        return float(value)
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "datetime":
        return datetime.fromisoformat(value)
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "mapping":
        return {unpack(key): unpack(one) for key, one in value}
    raise StateError(f"a saved position holds an unknown kind of value, {kind}", hint="Resume with the version that wrote it.")
