"""The disk: writing to the last byte, putting names and bytes on it for good, and errors that say what to do."""

import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from ozzy.errors import DestinationError, StateError

BEHIND: Final = 8 << 20
"""Bytes of a file after which the disk begins with them."""

_PIECE = 1 << 20
_AT_A_TIME = 32
_PARTS = 1024
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""What the system calls an error of permissions."""

_NO_HANDLES = frozenset({errno.EMFILE, errno.ENFILE})
_NO_SYNC = frozenset({errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP})


class at_destination:  # noqa: N801  (reads as a phrase: with at_destination(path))
    """Turns an OSError into a DestinationError that names the place and what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError):
            raise DestinationError(f"can't write {self.path}: {error.strerror or error}", hint=advice(error)) from error


def advice(error: OSError) -> str | None:
    """What to do about an error of the system, where that is known."""
    if error.errno in _NO_ROOM:
        return "Make room, then go on with --resume: nothing that was committed is lost."
    if error.errno in NO_RIGHT:
        return "Choose a folder that may be written, or change its permissions."
    if error.errno in _NO_HANDLES:
        return "Raise the limit on open files (ulimit -n), then go on with --resume."
    if error.errno == errno.EXDEV:
        return "It is on another disk than the folder that files are staged in: begin the filebase with a folder of that disk."
    return None


def changed_meanwhile(path: Path) -> DestinationError:
    """The error of a file that is not as long as what was written to it."""
    return DestinationError(
        f"{path} was deleted or changed by somebody else while it was written",
        hint="Go on with --resume: what is lost is read again, as far back as it takes.",
    )


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write every byte, however many calls that takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_behind(descriptor: int, start: int, end: int) -> None:
    """What was written from `start` to `end` may go to the disk now: of a large file little is left for its fsync, which waits for all.

    Each `BEHIND` bytes, where the system can do that. It is the advice that they are not needed any more: Linux begins to write them.
    """
    begun, full = (place // BEHIND * BEHIND for place in (start, end))
    if begun < full and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, begun, full - begun, os.POSIX_FADV_DONTNEED)


def write_parts(descriptor: int, parts: Sequence[bytes | bytearray | memoryview]) -> None:
    """Write every byte of all parts, without putting them together first where the system takes them as they are."""
    done = os.writev(descriptor, parts) if hasattr(os, "writev") and len(parts) <= _PARTS else 0
    if done < sum(map(len, parts)):
        write_all(descriptor, memoryview(b"".join(parts))[done:])


def sync_file(path: Path) -> None:
    """Put a file's content on disk."""
    with at_destination(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_files(paths: Sequence[Path]) -> None:
    """Put the content of many files on disk, some at a time: the disk takes them together."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_A_TIME) as threads:
        for _ in threads.map(sync_file, paths):
            pass


def sync_folder(path: Path) -> None:
    """Put a folder's names on disk, where the system can do that and lets us."""
    with at_destination(path):
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except PermissionError:
            return
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise
        finally:
            os.close(descriptor)


def sync_path(path: Path) -> None:
    """Put a folder and all above it on disk: a process that made one may have been killed before it did so."""
    for folder in (path, *path.absolute().parents):
        sync_folder(folder)


def make_folder(path: Path, *, private: int = 0) -> None:
    """Make a folder and those above it, durably. Of new ones, the last `private` levels only their owner may enter."""
    if path.is_dir():
        return
    with at_destination(path):
        make_folder(path.parent, private=max(private - 1, 0))
        path.mkdir(mode=0o700 if private else 0o777, exist_ok=True)
        sync_folder(path.parent)


def size_of(path: Path) -> int:
    """A file's size, -1 where there is none."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return -1


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file, as hexadecimal text."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def read_exactly(file: IO[bytes], size: int) -> Iterator[bytes]:
    """The next `size` bytes of an open file in pieces. Raises StateError where there are fewer."""
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise StateError(
                f"the staged file {getattr(file, 'name', '')} is shorter than the checkpoint says", hint="Start again with --fresh."
            )
        size -= len(piece)
        yield piece
