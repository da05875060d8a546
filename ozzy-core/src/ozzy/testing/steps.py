"""Steps: the places at which a process can be killed, counted in the process itself.

A step is a moment just before something that outlives the process: a write, a sync, a rename, a request, and before and after each
call of the protocol. The n-th step of a run is the same one each time, so that every one of them can be the last.
"""

import functools
import inspect
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

from ozzy import BasePersistence, BaseReader
from ozzy.contracts.writer import BaseWriter

_CALLS: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (os, ("write", "writev", "pwrite", "fsync", "fdatasync", "sendfile", "copy_file_range")),
    (socket.socket, ("send", "sendall", "sendto", "sendmsg")),
)
_EVENTS: Final = frozenset(
    {"os.rename", "os.remove", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.truncate", "socket.connect", "subprocess.Popen"}
)
_PROTOCOL: Final[dict[type, tuple[str, ...]]] = {
    BaseReader: ("acknowledge", "get_next_batch"),
    BaseWriter: ("resume", "write_batch", "write", "flush", "finish_writing", "prepare", "publish", "recover", "discard", "abandon"),
    BasePersistence: ("generate_new_job", "get_last_position", "commit_position"),
}
DECISIVE: Final = ("prepare", "publish", "commit_position")
"""The calls around which a kill tells most."""


@attrs.define
class Steps:
    """Counts the steps of this process and calls `die` just before the one with the number `last`; 0 is none."""

    last: int = 0
    die: Callable[[], Any] = attrs.field(default=lambda: os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM)))
    names: list[str] = attrs.field(factory=list)
    within: list[str] = attrs.field(factory=list)
    active: bool = True

    def step(self, name: str) -> None:
        """One more step is about to be done."""
        if not self.active:
            return
        self.names.append(f"{name}, in {self.within[-1]}" if self.within and not name.startswith(("before ", "after ")) else name)
        if len(self.names) == self.last:
            self.die()

    def watch_the_system(self) -> None:
        """Count what touches disks and connections, for as long as this process lives."""
        for owner, names in _CALLS:
            for name in names:
                if hasattr(owner, name):
                    setattr(owner, name, self._counted(getattr(owner, name), name))
        sys.addaudithook(self._told)

    def watch(self, module: type) -> None:
        """Count the calls of the protocol that modules of this class get, for as long as this process lives."""
        for base, names in _PROTOCOL.items():
            if issubclass(module, base):
                for name in names:
                    self._wrap(module, name)
        if issubclass(module, BaseReader):
            self._wrap(module, "read")

    def _counted(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.step(name)
            return original(*args, **kwargs)

        return call

    def _told(self, event: str, details: tuple[Any, ...]) -> None:
        if event in _EVENTS:
            self.step(event.rpartition(".")[2])
        elif event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.step("open for writing")

    def _wrap(self, module: type, name: str) -> None:
        """Count a method where it is defined, so that who inherits it still does."""
        owner = next((base for base in module.__mro__ if name in vars(base)), None)
        if owner is None or hasattr(vars(owner)[name], "ozzy_counted"):
            return
        original = vars(owner)[name]
        if not inspect.isfunction(original):
            return
        wrapped = self._read(original) if name == "read" else self._call(original, name)
        wrapped.ozzy_counted = True  # type: ignore[attr-defined]
        setattr(owner, name, wrapped)

    def _call(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            self.step(f"before {name}()")
            self.within.append(f"{name}()")
            try:
                result = original(*args, **kwargs)
            finally:
                self.within.pop()
            self.step(f"after {name}()")
            return result

        return call

    def _read(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def read(*args: Any, **kwargs: Any) -> Iterator[Any]:
            batches = original(*args, **kwargs)
            try:
                for batch in batches:
                    self.step("before a batch of the reader")
                    yield batch
            finally:
                close = getattr(batches, "close", None)
                if close is not None:
                    close()

        return read
