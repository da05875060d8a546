"""When things happen: which split is next, and when a checkpoint is due."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import msgspec

from ozzy.contracts.reader import Split
from ozzy.errors import OzzyError, SourceError, StateError
from ozzy.log import reason
from ozzy.staging.disk import make_folder, sync_file, sync_folder
from ozzy.staging.state_files import writing_state

DEFAULT_SECONDS = 30.0
"""Seconds between light checkpoints where nothing is set, stretched so that they cost at most `COST` of the run."""

COST = 0.02

FULL_SECONDS = 60.0
"""Seconds between full checkpoints of a run without an end where `full_every` is not set, stretched in the same way."""


@attrs.define(eq=False, repr=False)
class Schedule:
    """Decides after each batch whether a checkpoint is due.

    Light checkpoints go by records, bytes or the clock; full ones by records, bytes and staged bytes only, so that what a bounded run
    publishes does not depend on its speed. One that is `endless` has no last checkpoint, so that full ones go by the clock too.

    Where a light one is not possible, what asks for one gets a full one; then the clock counts only where `every_seconds` is set or
    `clock` says that files do not depend on it.
    """

    settings: Any
    light: bool
    clock: bool = True
    endless: bool = False
    now: Callable[[], float] = time.monotonic
    records: int = 0
    bytes: int = 0
    full_records: int = 0
    full_bytes: int = 0
    cost: float = 0.0
    full_cost: float = 0.0
    _last: float = attrs.field(init=False)
    _last_full: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._last = self._last_full = self.now()

    def add(self, records: int, size: int) -> None:
        """Count one batch: records read, and by how many bytes what is staged has grown."""
        self.records += records
        self.bytes += size
        self.full_records += records
        self.full_bytes += size

    def due(self, staged_bytes: int) -> str | None:
        """`light`, `full` or None."""
        full_every = self.settings.full_every
        if full_every is not None and (_reached(self.full_records, full_every.records) or _reached(self.full_bytes, full_every.bytes)):
            return "full"
        if staged_bytes >= self.settings.staged_limit or self._time_to_publish():
            return "full"
        if _reached(self.records, self.settings.every_records) or _reached(self.bytes, self.settings.every_bytes) or self._time():
            return "light" if self.light else "full"
        return None

    def done(self, kind: str, seconds: float) -> None:
        """A checkpoint was taken and cost so many seconds."""
        self.records = self.bytes = 0
        self.cost = seconds
        self._last = self.now()
        if kind == "full":
            self.full_records = self.full_bytes = 0
            self.full_cost, self._last_full = seconds, self._last

    def _time_to_publish(self) -> bool:
        if not self.endless or self.settings.full_every is not None or not self.full_records:
            return False
        return self.now() - self._last_full >= max(FULL_SECONDS, self.full_cost / COST)

    def _time(self) -> bool:
        seconds = self.settings.every_seconds
        if seconds is not None:
            return self.now() - self._last >= float(seconds)
        if not self.light and not self.clock:
            return False
        explicit = self.settings.every_records is not None or self.settings.every_bytes is not None
        return not explicit and self.now() - self._last >= max(DEFAULT_SECONDS, self.cost / COST)


def _reached(count: int, limit: int | None) -> bool:
    return limit is not None and count >= limit


@attrs.define(eq=False, repr=False)
class SplitList:
    """The splits of a run, listed once at its start into a file, so that a resumed run reads the same parts in the same order."""

    path: Path | None
    checksum: str = ""
    count: int = 0
    accepted: dict[str, Any] = attrs.field(factory=dict)
    """What is read instead of parts that have changed since: a new fingerprint and size by id, None for a part that is gone."""
    _memory: list[Split] = attrs.field(factory=list)

    @classmethod
    def make(cls, splits: Iterable[Split], path: Path | None) -> "SplitList":
        """List the splits of a reader; without a path they stay in memory."""
        made = cls(path)
        digest = hashlib.sha256()
        if path is None:
            made._memory = list(_listed(splits))
            made.count = len(made._memory)
            return made
        with writing_state(path):
            make_folder(path.parent, private=1)
            with path.open("wb") as file:
                for split in _listed(splits):
                    line = _line(split)
                    digest.update(line)
                    file.write(line)
                    made.count += 1
            sync_file(path)
            sync_folder(path.parent)
        made.checksum = digest.hexdigest()
        return made

    @classmethod
    def load(cls, path: Path, checksum: str) -> "SplitList":
        """The list of a run that is resumed. Raises StateError where it is not the one the checkpoint was made with."""
        digest, count = hashlib.sha256(), 0
        try:
            with path.open("rb") as file:
                for line in file:
                    digest.update(line)
                    count += 1
        except OSError as error:
            raise StateError(f"can't read the list of splits {path}: {error.strerror}", hint="Start again with --fresh.") from error
        if digest.hexdigest() != checksum:
            raise StateError(f"the list of splits {path} is damaged: its checksum does not match", hint="Start again with --fresh.")
        return cls(path, checksum, count)

    def after(self, index: int) -> Iterator[tuple[int, Split]]:
        """The splits from `index` on, with their numbers."""
        if self.path is None:
            yield from list(enumerate(self._memory))[index:]
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                if number >= index:
                    facts = msgspec.json.decode(line)
                    change = self.accepted.get(facts["id"], {})
                    if change is not None:
                        yield number, Split(**facts | change)


def _listed(splits: Iterable[Split]) -> Iterator[Split]:
    """The splits of a reader; whatever it raises becomes a SourceError."""
    try:
        yield from splits
    except OzzyError:
        raise
    except Exception as error:
        raise SourceError(f"the reader can't list the parts of the source: {reason(error)}") from error


def _line(split: Split) -> bytes:
    try:
        return msgspec.json.encode({"id": split.id, "fingerprint": split.fingerprint, "size": split.size}) + b"\n"
    except (TypeError, ValueError) as error:
        raise SourceError(
            f"a part of the source has a name that can't be saved: {split.id!r}: {error}", hint="Rename it to text in UTF-8."
        ) from error
