"""Child processes: work that may be killed, and how it ended."""

import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

KILLED = -9
_FAILED = 99


@attrs.frozen
class Ended:
    """How a child ended: `status` is 0, negative for a signal, or another number where an exception ended it, told in `text`."""

    status: int
    text: str = ""

    @property
    def killed(self) -> bool:
        """Whether it was killed, by itself or from outside."""
        return self.status < 0

    @property
    def failed(self) -> bool:
        """Whether an exception ended it."""
        return self.status > 0

    @property
    def reason(self) -> str:
        """The last line of its traceback that says something."""
        lines = [line for line in self.text.strip().splitlines() if line and not line.startswith((" ", "Traceback"))]
        return lines[0] if lines else f"it ended with status {self.status} and said nothing"


def in_child(work: Callable[[], Any], log: Path, *, seconds: float | None = None, fork: bool = True) -> Ended:
    """Do some work in a child process, killed from outside after so many seconds.

    The child is forked where the system can do that (and `fork` says so), else started anew: then `work` has to be picklable.
    What it prints goes to the file `log`.
    """
    child = _started(work, log, fork=fork)
    child.join(seconds)
    if child.is_alive():
        child.kill()
        child.join()
    return _ended(child, log)


@attrs.define
class Freezing:
    """Some work in a child process that freezes itself (SIGSTOP) on its way."""

    child: Any
    log: Path

    @classmethod
    def start(cls, work: Callable[[], Any], log: Path, *, fork: bool = True) -> "Freezing":
        """Start it, as `in_child` does."""
        return cls(_started(work, log, fork=fork), log)

    def frozen(self) -> bool:
        """Wait until it has frozen, or ended: whether it has frozen."""
        found = os.waitid(os.P_PID, self.child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return found is not None and found.si_code == os.CLD_STOPPED

    def wake(self) -> Ended:
        """Let it go on, and wait for its end."""
        os.kill(self.child.pid, signal.SIGCONT)
        self.child.join()
        return _ended(self.child, self.log)

    def kill(self) -> Ended:
        """End it, frozen or not."""
        self.child.kill()
        self.child.join()
        return _ended(self.child, self.log)


def _started(work: Callable[[], Any], log: Path, *, fork: bool) -> Any:
    can_fork = fork and "fork" in multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("fork" if can_fork else "spawn")
    child = context.Process(target=_inside, args=(work, log))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
        child.start()
    return child


def _ended(child: Any, log: Path) -> Ended:
    status = int(child.exitcode)
    child.close()
    return Ended(status, log.read_text(encoding="utf-8", errors="replace") if status > 0 and log.exists() else "")


def _inside(work: Callable[[], Any], log: Path) -> None:  # pragma: no cover - runs in a child that ends without a word to coverage
    sys.dont_write_bytecode = True
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    try:
        work()
    except BaseException as error:
        with log.open("a", encoding="utf-8") as file:
            file.write("\n" + _told(error))
        os._exit(_FAILED)
    os._exit(0)


def _told(error: BaseException) -> str:  # pragma: no cover - runs in a child that ends without a word to coverage
    """The error first, in one line, then where it came from."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}\n" + "".join(f"  {line}" for line in traceback.format_exception(error))
