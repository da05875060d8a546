"""How the command has memory managed, above all while a run lasts. A library leaves both to the program it is a part of."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

COLLECT_AFTER = 200_000
"""New containers before rubbish that refers to itself is looked for. Records are gone long before, by counting references."""

_TRIM, _MAP = -1, -3
_KEPT, _MAPPED = 256 * 1024 * 1024, 64 * 1024 * 1024


def collect_rarely() -> None:
    """Look for rubbish rarely."""
    gc.set_threshold(COLLECT_AFTER, 20, 100)


def leave_all_to_the_system() -> None:
    """Look for rubbish no more: the process ends, and all its memory with it."""
    gc.freeze()


@contextmanager
def memory_for_a_run() -> Iterator[None]:
    """Look for rubbish rarely and not in what was there before, and keep freed blocks instead of giving them back with each batch."""
    before = gc.get_threshold()
    gc.freeze()
    collect_rarely()
    keep_freed_blocks()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def keep_freed_blocks() -> bool:
    """Tell glibc so; False where there is another library, which stays as it is."""
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_MAP, _MAPPED) and mallopt(_TRIM, _KEPT))
