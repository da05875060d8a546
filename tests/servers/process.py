"""Servers as children of a test: started in a process group of their own, awaited, and ended by their id."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import attrs

TAIL = 2000
"""Characters of a log that a failure shows."""


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens at a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@attrs.define
class Server:
    """One server. `command` starts it in the foreground, `ready` says whether it answers, `log` is the file that holds what it prints."""

    command: Sequence[str]
    ready: Callable[[], bool]
    log: Path
    env: Mapping[str, str] = attrs.field(factory=dict)
    folder: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, seconds: float = 30.0) -> None:
        """Start it and wait until it answers. Raises RuntimeError with the end of its log where it ends, or never does."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in self.command],
                env=os.environ | dict(self.env),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + seconds
        while not self.ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command[0]} ended with {self.process.returncode}:\n{self.tail()}")
            if time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{self.command[0]} does not answer:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-TAIL:] if self.log.exists() else ""

    def signal(self, number: int) -> None:
        """Send it a signal: SIGSTOP makes it stall, SIGCONT go on, SIGKILL crash."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def stop(self, seconds: float = 3.0) -> None:
        """End it politely, and with force where it takes longer."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self.process.wait()
        self.process = None


def started(make: Callable[[], Server]) -> Server:
    """A server that has started; where its port was taken meanwhile, once more with another."""
    try:
        server = make()
        server.start()
    except RuntimeError as error:
        if "in use" not in str(error):
            raise
        server = make()
        server.start()
    return server
