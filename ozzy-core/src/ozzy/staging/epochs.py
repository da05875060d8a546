"""Staged data of one's own: where a lease is limited in time, whoever held it before may still be at work on the same machine.

Each holder stages under a name that bears its epoch. What an earlier one has staged is moved there, so that its paths lead nowhere any
more, and what will be written to again is copied first, since the earlier one may have it open.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ozzy.staging.disk import at_destination, sync_folder, write_all

_MARK = ".epoch-"
_PIECE = 1 << 20


def by_epoch(path: Path) -> list[Path]:
    """What is staged under this name: without an epoch first, then in the order of the epochs."""
    marked = [one for one in path.parent.glob(f"{path.name}{_MARK}*") if one.name.rpartition("-")[2].isdecimal()]
    return [*([path] if path.exists() else []), *sorted(marked, key=lambda one: int(one.name.rpartition("-")[2]))]


def moved_folder(path: Path, epoch: int) -> Path:
    """The folder of this epoch, with what was staged under the newest one before; what older ones have left is deleted."""
    mine = path.with_name(f"{path.name}{_MARK}{epoch}")
    found = by_epoch(path)
    if found and found[-1] != mine:
        with at_destination(mine):
            found[-1].rename(mine)
            sync_folder(mine.parent)
    for stray in found[:-1]:
        shutil.rmtree(stray, ignore_errors=True)
    return mine


def copied_file(path: Path, epoch: int) -> Path:
    """The file of this epoch, a copy of the newest one before; those before are deleted."""
    mine = path.with_name(f"{path.name}{_MARK}{epoch}")
    found = [one for one in by_epoch(path) if one != mine]
    if found and not mine.exists():
        _copy(found[-1], mine)
    for older in found:
        older.unlink(missing_ok=True)
    return mine


def own_copies(folder: Path, names: Iterable[str]) -> None:
    """Replace files of a folder by copies, durably."""
    for name in names:
        _copy(folder / name, folder / name)


def _copy(source: Path, target: Path) -> None:
    new = target.with_name(f"{target.name}.copy")
    with at_destination(target):
        with source.open("rb") as before, new.open("wb", buffering=0) as file:
            while piece := before.read(_PIECE):
                write_all(file.fileno(), piece)
            os.fsync(file.fileno())
        new.replace(target)
        sync_folder(target.parent)
