"""A file that one process at a time has locked. The system takes the lock back when that process ends, however it ends."""

import os
import sys
import time
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_POLL = 0.02


class FileLock:
    """The lock of the file at `path`, which is made where it is missing. Two of these exclude each other in one process too.

    One that is forgotten is given back.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def __del__(self) -> None:
        self.let_go()

    def take(self, patience: float = 0.0) -> bool:
        """Take it, waiting so many seconds for whoever has it; whether that was possible. Raises OSError where the file can't be opened."""
        until = time.monotonic() + patience
        while not self._taken():
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL)
        return True

    def release(self) -> None:
        """Give it back."""
        if self._descriptor is not None:
            _unlock(self._descriptor)
            self.let_go()

    def let_go(self) -> None:
        """Close the file. In a fork of the process that has the lock: it stays with that one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _taken(self) -> bool:
        """Whether nobody else had it. The lock of a file that was deleted meanwhile is none: whoever comes next makes another file."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            if _lock(descriptor) and os.fstat(descriptor).st_nlink:
                self._descriptor, descriptor = descriptor, -1
                return True
            return False
        finally:
            if descriptor >= 0:
                os.close(descriptor)


if sys.platform == "win32":

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
