"""Giving a staged file its final name, by a link or a rename on the same file system."""

import errno
import os
from pathlib import Path

from ozzy.contracts.writer import no_room_for

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def link(staged: Path, target: Path) -> None:
    """Give a file its final name, never over another's: twice is the same as once. Raises DestinationError, or OSError as it comes."""
    try:
        os.link(staged, target)
    except OSError as error:
        if os.path.lexists(target):
            if not same_file(staged, target):
                raise no_room_for(str(target)) from error
        elif error.errno in _NO_LINKS:
            staged.rename(target)
        else:
            raise


def same_file(one: Path, other: Path) -> bool:
    """Whether two names are links to one file."""
    return os.path.lexists(other) and os.path.samestat(one.lstat(), other.lstat())
