"""Steps: the places at which a process can be killed, counted in the process itself.

A step is a moment just before something that outlives the process: a write, a sync, a rename, a request, and before and after each
call of the protocol. The n-th step of a run is the same one each time, so that every one of them can be the last.
"""

import builtins
import functools
import inspect
import io
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest import mock

import attrs

from ozzy import BasePersistence, BaseReader
from ozzy.contracts.lease import RENEWING
from ozzy.contracts.writer import BaseWriter

_CALLS: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (os, ("write", "writev", "pwrite", "fsync", "fdatasync", "sendfile", "copy_file_range")),
    (socket.socket, ("send", "sendall", "sendto", "sendmsg")),
)
_EVENTS: Final = frozenset(
    {"os.rename", "os.remove", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.truncate", "socket.connect", "subprocess.Popen"}
)
_PROTOCOL: Final[dict[type, tuple[str, ...]]] = {
    BaseReader: ("read", "acknowledge", "get_next_batch"),
    BaseWriter: (
        "fence",
        "resume",
        "write_batch",
        "write",
        "flush",
        "finish_writing",
        "prepare",
        "publish",
        "recover",
        "discard",
        "abandon",
    ),
    BasePersistence: ("generate_new_job", "get_last_position", "commit_position", "write_document"),
}


def freeze() -> None:
    """Stop this process until it is told to go on."""
    os.kill(os.getpid(), signal.SIGSTOP)


DECISIVE: Final = tuple(f"{when} {call}(" for call in ("publish", "write", "commit_position", "prepare") for when in ("after", "before"))
"""How the names of the steps begin before which a kill tells most, those that tell more first."""


@attrs.define
class Steps:
    """Counts the steps of this process and calls `die` just before the one with the number `last`; 0 is none.

    What the workers of a run do in processes of their own is no step.
    """

    last: int = 0
    die: Callable[[], Any] = attrs.field(default=lambda: os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM)))
    names: list[str] = attrs.field(factory=list)
    within: list[str] = attrs.field(factory=list)
    active: bool = True
    process: int = 0

    def step(self, name: str) -> None:
        """One more step is about to be done. The thread that renews a lease does none: it works when the clock says so."""
        if not self.active or self.process not in {0, os.getpid()} or threading.current_thread().name == RENEWING:
            return
        self.names.append(f"{name}, in {self.within[-1]}" if self.within and not name.startswith(("before ", "after ")) else name)
        if len(self.names) == self.last:
            self.die()

    @contextmanager
    def watching(self, *modules: type, system: bool = True) -> Iterator[None]:
        """Count what touches disks and connections, and the calls of the protocol that modules of these classes get, while this lasts."""
        self.process = os.getpid()
        with ExitStack() as stack:
            for module in modules:
                for owner, name, counted in self._calls(module):
                    stack.enter_context(mock.patch.object(owner, name, counted))
            if system:
                for owner, name, counted in self._system():
                    stack.enter_context(mock.patch.object(owner, name, counted))
                sys.addaudithook(self._told)
            try:
                yield
            finally:
                self.active = False

    def _system(self) -> Iterator[tuple[Any, str, Any]]:
        for owner, names in _CALLS:
            yield from ((owner, name, self._counted(getattr(owner, name), name)) for name in names if hasattr(owner, name))
        opened = self._opened(io.open)
        yield builtins, "open", opened
        yield io, "open", opened

    def _calls(self, module: type) -> Iterator[tuple[type, str, Any]]:
        """The methods to count, each where it is defined, so that who inherits it still does."""
        for base, names in _PROTOCOL.items():
            for name in names if issubclass(module, base) else ():
                owner = next((one for one in module.__mro__ if name in vars(one)), None)
                original = vars(owner)[name] if owner is not None else None
                if owner is not None and inspect.isfunction(original) and not hasattr(original, "ozzy_counted"):
                    wrapped = self._read(original) if name == "read" else self._call(original, name)
                    wrapped.ozzy_counted = True  # type: ignore[attr-defined]
                    yield owner, name, wrapped

    def _counted(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.step(name)
            return original(*args, **kwargs)

        return call

    def _opened(self, original: Any) -> Any:
        """`open` whose files count each piece that they write: what is buffered is lost in a kill."""
        step = self.step

        class Counted(io.FileIO):
            def write(self, data: Any, /) -> int:
                step("write")
                return super().write(data)

        def opened(  # noqa: PLR0917 - the arguments of open()
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: Any = None,
            errors: Any = None,
            newline: Any = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            if not set(mode) & set("wax+") or isinstance(file, int):
                return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
            raw = Counted(file, mode.replace("b", "").replace("t", ""), closefd, opener)
            if buffering == 0:
                return raw
            size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
            buffered = io.BufferedRandom(raw, size) if "+" in mode else io.BufferedWriter(raw, size)
            if "b" in mode:
                return buffered
            text = io.TextIOWrapper(buffered, encoding, errors, newline, line_buffering=buffering == 1)
            text.mode = mode  # type: ignore[misc]
            return text

        return opened

    def _told(self, event: str, details: tuple[Any, ...]) -> None:  # pragma: no cover - Python traces no audit hooks
        if event in _EVENTS:
            self.step(event.rpartition(".")[2])
        elif event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.step("open for writing")

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
