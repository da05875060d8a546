"""Whole files on their way to a destination: copied as they are, durable, and invisible until they are published."""

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG
from typing import Any, BinaryIO, Final

from ozzy.staging.disk import at_destination, make_folder, write_all

SUFFIX: Final = ".copy"
"""The end of the name of a copy that no receipt speaks of yet."""

PIECE: Final = 1024 * 1024

_AT_ONCE: Final = 16 * PIECE


def stage_copy(stream: BinaryIO, folder: Path, digests: Sequence[str], *, dry: bool = False) -> dict[str, Any]:
    """Copy a stream to its end into a new file of the folder, on disk for good when this returns; nothing is left of one that fails.

    Returns `copy`, the file's name, its `size` and its `digests`. A `dry` one only reads. May be called in several threads at once. A
    stream whose `whole_file()` gives the descriptor of a local file, all of which is meant, is copied by the system, where that can.
    """
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in digests}
    path = folder / f"{token_hex(8)}{SUFFIX}"
    descriptor = None
    size = 0
    try:
        if not dry:
            make_folder(folder, private=2)
            with at_destination(path):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        if descriptor is not None and _copied_by_system(stream, descriptor, path):
            with at_destination(path), open(descriptor, "rb", buffering=0, closefd=False) as copy:
                copy.seek(0)
                size = _read_through(copy, hashes.values())
        else:
            size = _read_through(stream, hashes.values(), descriptor, path)
        if descriptor is not None:
            with at_destination(path):
                os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return {"copy": path.name, "size": size, **{name: digest.hexdigest() for name, digest in hashes.items()}}


def _read_through(stream: Any, hashes: Any, descriptor: int | None = None, path: Path | None = None) -> int:
    """Read to the end, and write that where there is a descriptor; the number of bytes."""
    size = 0
    while piece := stream.read(PIECE):
        for digest in hashes:
            digest.update(piece)
        size += len(piece)
        if descriptor is not None and path is not None:
            with at_destination(path):
                write_all(descriptor, piece)
    return size


def _copied_by_system(stream: Any, descriptor: int, path: Path) -> bool:
    """Whether all of a local file could be copied, or its blocks be shared, without reading it here; if not, nothing of it is there."""
    whole_file = getattr(stream, "whole_file", lambda: None)
    if not hasattr(os, "copy_file_range") or (source := whole_file()) is None:
        return False
    done = 0
    while True:
        try:
            copied = os.copy_file_range(source, descriptor, _AT_ONCE, done, done)
        except OSError:
            with at_destination(path):
                os.ftruncate(descriptor, 0)
            return False
        if not copied:
            return done > 0
        done += copied
        whole_file()


def local_file(raw: Any) -> int | None:
    """The descriptor of an open local file, None for any other stream."""
    try:
        descriptor: int = raw.fileno()
        return descriptor if S_ISREG(os.fstat(descriptor).st_mode) else None
    except (AttributeError, OSError, io.UnsupportedOperation):
        return None
