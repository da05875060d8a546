"""Marks of files: how incremental reading tells a file that has been read from one that is new or has changed."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ozzy import SourceError

BLOCK = 1 << 16
"""Bytes at the beginning of a file, and at its end, whose checksums are kept."""


def mark_of(path: str, status: os.stat_result, before: dict[str, Any] | None) -> dict[str, Any]:
    """The mark of a file as it is now; it is opened only where something but its content says that it was touched.

    Raises SourceError.
    """
    touched = {"size": status.st_size, "modified": status.st_mtime_ns, "changed": status.st_ctime_ns}
    if before is not None and all(before.get(key) == value for key, value in touched.items()):
        return before
    mark = {"path": path, **touched, "sha256": _block(path, 0)}
    return mark | {"end": _block(path, status.st_size - BLOCK)} if status.st_size > BLOCK else mark


def same(before: dict[str, Any] | None, now: dict[str, Any]) -> bool:
    """Whether a file is the one that was read: size, first and last block say so, a new time alone does not matter.

    The mark of an older version has no last block.
    """
    if before is None or (before["size"], before["sha256"]) != (now["size"], now["sha256"]):
        return False
    return "end" not in before or before["end"] == now["end"]


def only_believed(before: dict[str, Any] | None, now: dict[str, Any]) -> bool:
    """Whether a file that counts as the same was touched, and has a middle that nobody has looked at."""
    return before is not None and before is not now and now["size"] > 2 * BLOCK


def beside(found: Iterable[tuple[str, str]], marks: Iterator[dict[str, Any]]) -> Iterator[tuple[str, str | None, dict[str, Any] | None]]:
    """Join files (path, name) with the marks of an earlier run, both in the order of their paths, holding one mark at a time.

    Yields path, name and mark of each; no name where the file is gone, no mark where it is new.
    """
    mark = next(marks, None)
    for path, name in found:
        while mark is not None and mark["path"] < path:
            yield mark["path"], None, mark
            mark = next(marks, None)
        if mark is not None and mark["path"] == path:
            yield path, name, mark
            mark = next(marks, None)
        else:
            yield path, name, None
    while mark is not None:
        yield mark["path"], None, mark
        mark = next(marks, None)


def _block(path: str, start: int) -> str:
    """The checksum of one block of a file, from a byte on."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb", buffering=0) as file:
            file.seek(start)
            left = BLOCK
            while left and (piece := file.read(left)):
                digest.update(piece)
                left -= len(piece)
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror or error}") from error
    return digest.hexdigest()
