"""Small durable JSON files: written new, synced, renamed, the folder synced, a checksum inside."""

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec

from ozzy.errors import DestinationError, StateError
from ozzy.staging.files import make_folder, sync_folder, write_all


def write_json(path: Path, content: Any, *, keep_previous: bool = False) -> None:
    """Replace a file by this content in one step. Raises StateError, and then the old content stays."""
    body = msgspec.json.encode(content)
    text = b'{"sha256":"' + hashlib.sha256(body).hexdigest().encode() + b'","content":' + body + b"}\n"
    new = path.with_name(f"{path.name}.new")
    try:
        make_folder(path.parent, private=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_all(descriptor, text)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if keep_previous and path.exists():
            previous = path.with_name(f"{path.stem}.1{path.suffix}")
            previous.unlink(missing_ok=True)
            os.link(path, previous)
        new.replace(path)
        sync_folder(path.parent)
    except (OSError, DestinationError) as error:
        reason = error.message if isinstance(error, DestinationError) else error.strerror or error
        raise StateError(
            f"can't write the state file {path}: {reason}", hint="Make room or choose another --state-dir, then go on with --resume."
        ) from error


def read_json(path: Path) -> Any:
    """The content of such a file, or None where there is no file. Raises StateError for one that is cut or damaged."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"can't read the state file {path}: {error.strerror or error}") from error
    try:
        whole = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        body = bytes(whole["content"])
        if msgspec.json.decode(whole["sha256"]) == hashlib.sha256(body).hexdigest():
            return msgspec.json.decode(body)
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError):
        pass
    raise StateError(
        f"the state file {path} is damaged: its checksum does not match",
        hint=f"Restore it from a backup, or start again with --fresh. The state before it may stand in {path.stem}.1{path.suffix} beside it.",
    )
