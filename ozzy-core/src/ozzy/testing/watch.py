"""Watching what some code does to the world outside its process, and making all of that fail."""

import builtins
import errno
import io
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

_TOUCHING: Final = (
    "open", "os.", "socket.", "subprocess.", "sqlite3.", "shutil.", "tempfile.", "glob.", "urllib.", "http.client.", "ftplib.", "smtplib.",
    "imaplib.", "poplib.", "ctypes.dlopen", "webbrowser.",
)  # fmt: skip
_HARMLESS: Final = frozenset({"os.putenv", "os.unsetenv", "os.fork", "socket.gethostname", "os.walk", "os.fwalk"})
_watchers: list[Callable[[str, tuple[Any, ...]], None]] = []
_hooked = False


@contextmanager
def touched() -> Iterator[list[str]]:
    """The list of what is opened, connected to, made, deleted or started while this lasts; what imports do is left out."""
    global _hooked  # noqa: PLW0603 - Python has no way to take an audit hook away, so there is one for all
    if not _hooked:
        sys.addaudithook(_told)
        _hooked = True
    seen: list[str] = []

    def watch(event: str, details: tuple[Any, ...]) -> None:  # pragma: no cover - Python traces no audit hooks
        if event.startswith(_TOUCHING) and event not in _HARMLESS and not _importing():
            seen.append(f"{event}({', '.join(repr(one) for one in details[:1])})")

    _watchers.append(watch)
    try:
        yield seen
    finally:
        _watchers.remove(watch)


def _told(event: str, details: tuple[Any, ...]) -> None:  # pragma: no cover - Python traces no audit hooks
    for watch in tuple(_watchers):
        watch(event, details)


def _importing() -> bool:  # pragma: no cover - Python traces no audit hooks
    frame = sys._getframe()  # noqa: SLF001 - the documented way to look at one's callers
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
    return False


@contextmanager
def nothing_works() -> Iterator[None]:
    """While this lasts no file can be opened, no folder listed, no program started, and every connection is refused."""

    def denied(path: Any = "", *_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path if isinstance(path, (str, bytes, os.PathLike)) else None)

    def refused(*_: Any, **__: Any) -> Any:
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))

    disk: list[tuple[Any, str]] = [(builtins, "open"), (io, "open"), (sqlite3, "connect"), (subprocess, "Popen")]
    disk += [(os, name) for name in ("open", "mkdir", "listdir", "scandir", "replace", "rename", "link", "unlink", "rmdir")]
    network: list[tuple[Any, str]] = [(socket, "getaddrinfo"), (socket, "create_connection")]
    network += [(socket.socket, name) for name in ("connect", "connect_ex", "bind")]
    with ExitStack() as stack:
        for owner, name in disk:
            stack.enter_context(mock.patch.object(owner, name, denied))
        for owner, name in network:
            stack.enter_context(mock.patch.object(owner, name, refused))
        yield


_IN_MEMORY = "/dev/shm/"  # noqa: S108 - files of anybody's, unlike all else there


def open_files() -> set[str] | None:
    """The files this process has open, None where the system doesn't tell."""
    try:
        descriptors = list(Path("/proc/self/fd").iterdir())
    except OSError:
        return None
    found = set()
    for descriptor in descriptors:
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("/") and (target.startswith(_IN_MEMORY) or not target.startswith(("/dev/", "/proc/"))):
            found.add(f"{descriptor.name} {target}")
    return found
