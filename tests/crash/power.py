"""A disk whose power can be cut: what was synced survives, and of the rest as much as chance will have.

It watches the calls that change names or sync them, below one folder. A file's content is on disk as of its last fsync, a folder's names
as of the last fsync of the folder, whatever the file system may do better than it must. At a cut, what survives is built beside the
folder, so that nothing a process does while it comes down can change it.

It knows who asked for each sync (`sites`). With `forgets`, the syncs of some places in the code have no effect: so a test can show that
each of them is needed, and that it would be missed.
"""

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

STEPS = ("fsync", "unlink", "rename", "replace", "link", "mkdir", "rmdir", "write")
HELPERS = ("sync_file", "sync_files", "sync_folder", "sync_path", "make_folder")
Names = dict[str, int]


class Ended(BaseException):
    """The process has ended. Nothing in it is to handle this."""


class Disk:
    """Watches a folder. `chance` decides what survives a cut that was never synced: None for nothing."""

    def __init__(self, root: Path, chance: random.Random | None = None, forgets: frozenset[str] = frozenset()) -> None:
        self.root = root
        self.chance = chance
        self.forgets = forgets
        self.sites: set[str] = set()
        self.steps = 0
        self.end_at = -1
        self.power_goes = True
        self.names: dict[int, Names] = {}
        self.data: dict[int, bytes] = {}
        self.held: dict[int, int] = {}
        self.folders: set[int] = set()
        self._start()

    @contextmanager
    def process(self, end_at: int, *, power_goes: bool = True) -> Iterator[None]:
        """Watch one process, and end it before this step. A killed one leaves all it did, but it is on disk no more than before."""
        self.steps, self.end_at, self.power_goes = 0, end_at, power_goes
        with pytest.MonkeyPatch.context() as patch:
            for name in STEPS:
                patch.setattr(os, name, self._call(name, getattr(os, name)))
            with suppress(Ended):
                yield
        if self.ended and power_goes:
            shutil.rmtree(self.root)
            self.root.with_name("survived").rename(self.root)
            self._start()

    @property
    def ended(self) -> bool:
        """Whether the process came as far as that."""
        return self.steps == self.end_at

    def _start(self) -> None:
        """Whatever is there now is on disk."""
        for descriptor in self.held.values():
            os.close(descriptor)
        for known in (self.names, self.data, self.held, self.folders):
            known.clear()
        for path in (self.root, *self.root.rglob("*")):
            self._sync(path)

    def _call(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            if not self._ours(args[0], **more):
                return original(*args, **more)
            if not self.ended:
                self.steps += 1
                if self.ended and self.power_goes:
                    self._survive()
            if self.ended:
                raise Ended
            if name in {"unlink", "rename", "replace"}:
                self._hold(args[-1], more.get("dir_fd"))
            done = original(*args, **more)
            if name == "fsync" and not self._forgotten():
                self._sync(Path(f"/proc/self/fd/{args[0]}").resolve())
            return done

        return call

    def _forgotten(self) -> bool:
        """Note who asks for this sync, and whether it is to be left out, as if the line were not there."""
        who = asker()
        self.sites.add(who)
        return who in self.forgets

    def _ours(self, what: Any, dir_fd: int | None = None, **more: Any) -> bool:
        descriptor = what if isinstance(what, int) else dir_fd
        place = Path("" if isinstance(what, int) else what)
        if descriptor is not None:
            place = Path(f"/proc/self/fd/{descriptor}").readlink() / place
        return place.is_relative_to(self.root)

    def _hold(self, path: Any, dir_fd: int | None) -> None:
        """Keep a file that is about to lose its name, so that no other gets its number."""
        try:
            descriptor = os.open(path, os.O_RDONLY, dir_fd=dir_fd)
        except FileNotFoundError:
            return
        self.held.setdefault(os.fstat(descriptor).st_ino, descriptor)

    def _sync(self, path: Path) -> None:
        number = path.stat().st_ino
        if path.is_dir():
            self.folders.add(number)
            self.names[number] = _listed(path)
        else:
            self.data[number] = path.read_bytes()

    def _survive(self) -> None:
        live = {path.stat().st_ino: path for path in (self.root, *self.root.rglob("*"))}
        self.folders |= {number for number, path in live.items() if path.is_dir()}
        self._build(self.root.stat().st_ino, self.root.with_name("survived"), live, {})

    def _build(self, number: int, place: Path, live: dict[int, Path], made: dict[int, Path]) -> None:
        if number in made:
            os.link(made[number], place)
            return
        if number not in self.folders:
            place.write_bytes(self._content(number, live))
            made[number] = place
            return
        place.mkdir()
        synced = self.names.get(number, {})
        seen = _listed(live[number]) if number in live else {}
        for name in sorted({*synced, *seen}):
            one = self._either(synced.get(name), seen.get(name))
            if one is not None:
                self._build(one, place / name, live, made)

    def _content(self, number: int, live: dict[int, Path]) -> bytes:
        synced = self.data.get(number, b"")
        path = live.get(number) or (Path(f"/proc/self/fd/{self.held[number]}") if number in self.held else None)
        now = synced if path is None else path.read_bytes()
        if self.chance is not None and now.startswith(synced):
            return now[: self.chance.randint(len(synced), len(now))]
        kept: bytes = self._either(synced, now)
        return kept

    def _either(self, synced: Any, now: Any) -> Any:
        return now if self.chance is not None and self.chance.random() < 0.5 else synced


def asker() -> str:
    """The function that asked for the sync under way, with the helper it asked, if any: `write_json: sync_folder`."""
    frame, helper = sys._getframe(1), ""
    while frame is not None:
        path, name = frame.f_code.co_filename, frame.f_code.co_qualname
        if path.endswith("ozzy/staging/disk.py"):
            helper = name if name in HELPERS else helper
        elif "/ozzy/" in path and "/tests/" not in path:
            return f"{name.removesuffix('.<locals>.<lambda>')}: {helper}" if helper else name
        frame = frame.f_back  # type: ignore[assignment]
    return f"threads: {helper}"


def _listed(folder: Path) -> Names:
    return {entry.name: entry.inode() for entry in os.scandir(folder)}
