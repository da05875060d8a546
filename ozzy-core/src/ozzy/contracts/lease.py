"""The right to run a pipeline, held by one process at a time: as a document of a shared store it is limited in time.

Clocks of machines are not compared. The holder renews its document; whoever wants to take over watches, by a clock of its own, that it has
not changed for as long as it may last, or sees that the holder was a process of its own machine that is no more. Who was taken over
nevertheless (a process that was frozen, a machine that slept) holds an older epoch, and is refused wherever that counts.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import attrs

from ozzy.contracts.documents import Document, Documents
from ozzy.errors import StateError
from ozzy.log import logger

RENEWALS = 3
"""How often a lease is renewed while it lasts."""

RENEWING = "ozzy-lease"
"""The name of the thread that renews a lease."""

_HINT = "Wait until it has ended, or stop it. Give the config a `name` of its own if it is another pipeline."


class AnyLease(Protocol):
    """What a run asks of its lease, wherever it is kept."""

    epoch: int
    before: tuple[str, int]

    @property
    def lost(self) -> StateError | None:
        """The error of who finds that somebody else has it, once that is known."""

    def take(self, run_id: str = "") -> Any:
        """Take it, or raise StateError that names who has it."""

    def name(self, run_id: str) -> None:
        """Say which run holds it."""

    def check(self) -> None:
        """Raises StateError where somebody has taken it since."""

    def release(self) -> None:
        """Give it back; twice is the same as once."""


def _here() -> str:
    """What tells this boot of this machine, and this space of process numbers, from all others; empty where the system does not say."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - no path
    except OSError:
        return ""


def _began(pid: int) -> str:
    """When a process of this machine began, in ticks since boot; empty where that can't be seen."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


@attrs.frozen
class Owner:
    """Who holds a lease. `space` and `began` tell its process from all others, where the system knows."""

    run: str
    host: str = attrs.field(factory=socket.gethostname)
    pid: int = attrs.field(factory=os.getpid)
    space: str = attrs.field(factory=_here)
    began: str = attrs.field(factory=lambda: _began(os.getpid()))

    def __str__(self) -> str:
        return f"run {self.run or 'unknown'}, process {self.pid} on {self.host}"

    def gone(self) -> bool:
        """Whether its process has certainly ended: that can be told where it ran in this boot of this machine."""
        if not self.space or not self.began or self.space != _here():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return _began(self.pid) not in {"", self.began}


def steady() -> float:
    """Seconds by a clock of this machine that nobody sets, and that goes on while the machine sleeps, where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else time.monotonic()


class TimedLease:
    """A lease as the document `key`, lasting `ttl` seconds after each renewal.

    `acquire`, then `check` before everything that counts; `renewing` lets a thread renew it meanwhile, so that work of any length keeps it.
    `pause` waits so many seconds, and may raise to stop the waiting.
    """

    def __init__(
        self,
        documents: Documents,
        key: str,
        ttl: float,
        *,
        now: Callable[[], float] = steady,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.documents = documents
        self.key = key
        self.ttl = ttl
        self.now = now
        self.pause = pause
        self.epoch = 0
        self.before = ("", 0)
        self.owner = Owner("")
        self._version: str | None = None
        self._renewed = 0.0
        self._serial = 0
        self.lost: StateError | None = None
        self._lock = threading.RLock()
        self._ended = threading.Event()

    def take(self, run_id: str = "") -> "TimedLease":
        """Acquire it and keep it renewed. Raises StateError that names who has it."""
        self.acquire(Owner(run_id), self.ttl)
        self.renewing()
        return self

    def acquire(self, owner: Owner, ttl: float) -> int:
        """Take it for `ttl` seconds; its epoch, which is one more than ever before.

        Where it is held, this waits until that one is renewed, and then raises StateError that names the holder, or has run out, or its
        process is gone. Of several who take it at the same moment one gets it.
        """
        self.owner, self.ttl = owner, ttl
        found, since, told = self._look(), self.now(), False
        while True:
            version, document = found
            free = document is _FREE or _released(document) or _gone(document)
            remaining = 0.0 if free else since + _ttl(document, ttl) - self.now()
            if remaining <= 0:
                if self._take(version, document):
                    return self.epoch
                raise self._held()
            if not told:
                logger(__name__).info(
                    "waiting to see whether who holds the lease is alive", holder=_named(document), seconds=round(remaining)
                )
                told = True
            self.pause(min(remaining, _ttl(document, ttl) / RENEWALS / 4, 1.0))
            found = self._look()
            if found[0] != version and not _released(found[1]):
                raise self._held()

    def name(self, run_id: str) -> None:
        """Say which run holds it."""
        with self._lock:
            self.owner = attrs.evolve(self.owner, run=run_id)
            self.renew()

    def renew(self) -> None:
        """Let it last `ttl` seconds from now. Raises StateError where somebody else has it."""
        with self._lock:
            self._raise_if_lost()
            began = self.now()
            version = self.documents.write(self.key, self._facts(), self._version)
            if version is None:
                self.lost = self.documents.overtaken(f"this one had epoch {self.epoch}")
                raise self.lost
            self._version, self._renewed = version, began

    def check(self) -> None:
        """Raises StateError where somebody else has it, or nobody can tell any more."""
        with self._lock:
            self._raise_if_lost()
            found = self.documents.read(self.key)
            if found is not None and found.epoch > self.epoch:
                self.lost = self.documents.overtaken(f"it has epoch {found.epoch}, this one {self.epoch}")
                raise self.lost
            if found is None or self.now() - self._renewed >= self.ttl / RENEWALS:
                self.renew()

    def release(self) -> None:
        """Give it back, so that the next one need not wait; twice is the same as once. One that was lost is left alone."""
        self._ended.set()
        with self._lock:
            if self._version is not None and self.lost is None:
                with suppress(StateError):
                    self.documents.write(self.key, self._facts() | {"released": True}, self._version)
            self._version = None

    def renewing(self) -> None:
        """Renew it from a thread until it is released or lost. The thread does nothing else, and ends with the process."""
        self._ended.clear()
        threading.Thread(target=self._renew_on, name=RENEWING, daemon=True).start()

    def holder(self) -> str:
        """Who has it now, or had it last, as `: …` for a message; empty where that is not known."""
        try:
            document = self.documents.read(self.key)
        except StateError:
            return ""
        return f": {_named(document)}" if document is not None else ""

    def noted(self) -> dict[str, Any]:
        """What the document says: `epoch`, `run`, `host`, `pid`, and whether it is `held`; just the last where there is none."""
        document = self.documents.read(self.key)
        if document is None:
            return {"held": False}
        owner = _owner(document)
        return {"epoch": document.epoch, "run": owner.run, "host": owner.host, "pid": owner.pid, "held": not document.content["released"]}

    def _renew_on(self) -> None:
        while not self._ended.wait(self.ttl / RENEWALS):
            try:
                self.renew()
            except StateError as error:
                if self.lost is not None:
                    return
                logger(__name__).warning("the lease could not be renewed", error=error.message)

    def _look(self) -> tuple[str | None, Document | None]:
        """The version and the document: `_FREE` where there is none, None where it is damaged."""
        stored = self.documents.stored(self.key)
        if stored is None:
            return None, _FREE
        try:
            return stored.version, self.documents.read(self.key)
        except StateError:
            return stored.version, None

    def _take(self, version: str | None, document: Document | None) -> bool:
        """Whether nobody else was faster. A document that is damaged holds no epoch: seconds since 1970 are above any that is counted."""
        self.epoch = self.documents.epoch = document.epoch + 1 if document is not None else int(time.time())
        self.lost, began = None, self.now()
        taken = self.documents.write(self.key, self._facts(), version)
        if taken is None:
            self.epoch = self.documents.epoch = 0
            return False
        self._version, self._renewed = taken, began
        self.documents.holder = self.holder
        return True

    def _facts(self) -> dict[str, Any]:
        self._serial += 1
        return {"owner": attrs.asdict(self.owner), "ttl": self.ttl, "serial": self._serial, "released": False}

    def _held(self) -> StateError:
        return StateError(f"this pipeline is running already{self.holder()}", hint=_HINT)

    def _raise_if_lost(self) -> None:
        if self.lost is not None:
            raise StateError(self.lost.message, hint=self.lost.hint)
        if self._version is None:
            raise StateError("the lease of this pipeline is not held by this process")


_FREE = Document({"released": True, "ttl": 0.0}, 0, "", "")
"""What stands for the document where there is none."""


def _released(document: Document | None) -> bool:
    return document is not None and bool(document.content["released"])


def _ttl(document: Document | None, ours: float) -> float:
    return float(document.content["ttl"]) if document is not None else ours


def _gone(document: Document | None) -> bool:
    return document is not None and "owner" in document.content and _owner(document).gone()


def _owner(document: Document) -> Owner:
    return Owner(**{"space": "", "began": "", **document.content["owner"]})


def _named(document: Document | None) -> str:
    return str(_owner(document)) if document is not None and "owner" in document.content else "unknown"
