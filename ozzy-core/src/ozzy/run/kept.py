"""A record as the quarantine keeps it: in JSON, and so that the very same one comes back.

A line stays the text it is, bytes that are no UTF-8 are written in base64, and a record that JSON has no form for (a tuple, a date, NaN) is
tagged as positions are. One that can't be brought back at all is kept as it would be shown, to be looked at.
"""

import base64
from typing import Any

from ozzy.data.batch import Batch
from ozzy.data.json_text import decode_line, encode_record
from ozzy.data.positions import pack_record
from ozzy.data.record import Record
from ozzy.errors import DataError


def kept_row(batch: Batch, row: int) -> dict[str, Any]:
    """One row of a batch: `{line}`, `{value}` or `{shown}`."""
    return {"line": batch.lines[row].decode()} if "lines" in batch.faces else kept_record(batch.records[row])


def kept_record(record: Record) -> dict[str, Any]:
    """One record: `{line}`, `{value}` or `{shown}`."""
    try:
        line = encode_record(record)
        if decode_line(line) == record:
            return {"line": line.decode()}
    except DataError:
        pass
    packed = pack_record(record)
    return {"value": packed} if packed is not None else {"shown": clean(_shown(record))}


def kept_line(line: bytes | None) -> dict[str, Any]:
    """What a reader could make no record of: `{line}` or `{base64}`; nothing where there is nothing."""
    if line is None:
        return {}
    try:
        return {"line": line.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(line).decode()}


def clean(text: str) -> str:
    """A text that can be written as UTF-8: lone surrogates are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _shown(record: Record) -> str:
    try:
        return repr(record)
    except Exception as error:
        return f"a record that can't be shown: {type(error).__name__}"
