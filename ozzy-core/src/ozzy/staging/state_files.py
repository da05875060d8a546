"""Small durable JSON files: written new, synced, renamed, the folder synced, a checksum inside."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ozzy.errors import DestinationError, StateError
from ozzy.staging.disk import NO_RIGHT, advice, make_folder, sync_folder, write_all


@contextmanager
def writing_state(path: Path) -> Iterator[None]:
    """Turns what goes wrong with the disk into a StateError that names the file or folder."""
    try:
        yield
    except (OSError, DestinationError) as error:
        cause = error.__cause__ if isinstance(error, DestinationError) else error
        reason = getattr(cause, "strerror", None) or cause or error
        no_right = isinstance(cause, OSError) and cause.errno in NO_RIGHT
        first = "Change its permissions" if no_right else "Make room"
        hint = f"{first} or choose another --state-dir, then go on with --resume."
        raise StateError(f"can't write the state in {path}: {reason}", hint=hint) from error


def write_json(path: Path, content: Any, *, keep_previous: bool = False) -> None:
    """Replace a file by this content in one step. Raises StateError, and then the old content stays.

    `keep_previous` keeps the content before as `NAME.1.SUFFIX`.
    """
    text = sealed(content, f"the state file {path}")
    new = path.with_name(f"{path.name}.new")
    with writing_state(path):
        make_folder(path.parent, private=1)
        _write(new, text)
        if keep_previous and path.exists():
            _keep(path, _previous(path))
        new.replace(path)
        sync_folder(path.parent)


def read_json(path: Path) -> Any:
    """The content of such a file, or None where there is no file. Raises StateError for one that is cut, damaged or was taken away."""
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        if not _previous(path).exists():
            return None
        raise StateError(
            f"the state file {path} is gone, though {_previous(path).name}, the state before it, is there",
            hint="Restore it from a backup, or start again with --fresh.",
        ) from error
    except OSError as error:
        raise StateError(f"can't read the state file {path}: {error.strerror or error}", hint=advice(error)) from error
    try:
        return unsealed(text)
    except ValueError:
        pass
    beside = f" The state before it may stand in {_previous(path).name} beside it." if _previous(path).exists() else ""
    raise StateError(
        f"the state file {path} is damaged: its checksum does not match",
        hint=f"Restore it from a backup, or start again with --fresh.{beside}",
    )


def sealed(content: Any, place: str) -> bytearray:
    """Some content as JSON in bytes with its checksum. Raises StateError that names the `place` where it has no form in JSON."""
    start, middle = b'{"sha256":"', b'","content":'
    text = bytearray(start + b"0" * 64 + middle)
    inside = len(text)
    try:
        msgspec.json.Encoder(enc_hook=_plain).encode_into(content, text, inside)
    except (TypeError, ValueError) as error:
        raise StateError(f"can't write {place}: it would hold a value that JSON has no form for: {error}") from error
    with memoryview(text) as view:
        view[len(start) : len(start) + 64] = hashlib.sha256(view[inside:]).hexdigest().encode()
    text += b"}\n"
    return text


def unsealed(text: bytes) -> Any:
    """The content of such bytes. Raises ValueError where they are cut or damaged."""
    try:
        whole = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        body = bytes(whole["content"])
        if msgspec.json.decode(whole["sha256"]) == hashlib.sha256(body).hexdigest():
            return msgspec.json.decode(body)
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError) as error:
        raise ValueError("it is no sealed document") from error
    raise ValueError("its checksum does not match")


def _plain(value: Any) -> Any:
    """What a text or number of a subclass derives from."""
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    raise TypeError(f"a value of type {type(value).__name__}")


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.stem}.1{path.suffix}")


def _write(path: Path, text: bytes | bytearray) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(descriptor, text)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep(path: Path, previous: Path) -> None:
    """Let a file be known by a second name, or copy it where the file system has no links."""
    previous.unlink(missing_ok=True)
    try:
        os.link(path, previous)
    except OSError:
        _write(previous, path.read_bytes())
