"""Groups beyond those that have a staged file each: their rows wait in one spill log until their files are made, one after the other.

A group gets its number, the name of its first file, and whether that is skipped, where its first row comes. It stays here until the
files of all of them are made.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from ozzy.data.rows import Rows
from ozzy.staging.disk import at_destination
from ozzy.staging.spill_log import SpillLog, holds_log

GroupKey = tuple[str, ...]


@attrs.define(eq=False, repr=False)
class Waiting:
    """One group: its number, and how its first file begins; `begun` says that this file is made."""

    number: int
    name: str
    skipped: bool
    begun: bool = False


@attrs.define(eq=False, repr=False)
class SpilledGroups:
    """The groups of one writer whose rows are in the spill log. With `dry` the log has no name."""

    folder: Path
    dry: bool = False
    groups: dict[GroupKey, Waiting] = attrs.field(factory=dict, init=False)
    log: SpillLog | None = attrs.field(default=None, init=False)
    _next_log: int = attrs.field(default=0, init=False)
    _saved: int | None = attrs.field(default=None, init=False)
    _retired: list[tuple[Path, int]] = attrs.field(factory=list, init=False)

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return self.log.rows if self.log is not None else 0

    @property
    def size(self) -> int:
        """How many bytes of rows wait."""
        return self.log.size if self.log is not None else 0

    def enter(self, group: GroupKey, name: str, *, skipped: bool) -> Waiting:
        """A group from now on."""
        waiting = self.groups[group] = Waiting(len(self.groups), name, skipped)
        return waiting

    def add(self, waiting: Waiting, rows: Rows) -> None:
        """Take rows of a group."""
        if self.log is None:
            path = None if self.dry else self.folder / f"spill-{self._next_log}"
            self._next_log += 1
            self.log = SpillLog(path)
        self.log.add(waiting.number, rows)

    def drain(self) -> Iterator[tuple[GroupKey, Rows]]:
        """All rows that wait, in pieces, group after group in the order in which they appeared. Then nothing waits any more."""
        if self.log is not None:
            order = list(self.groups)
            for number, rows in self.log.groups():
                yield order[number], rows
            if self.log.path is None or self._saved is None:
                self.log.delete()
            else:
                self._retired.append((self.log.path, self._saved))
        self.log = self._saved = None
        self.groups = {}

    def sync(self, serial: int) -> dict[str, Any] | None:
        """Put all rows on disk, and say what is there, for the receipt with this number. None where no log is needed."""
        kept = []
        for path, saved in self._retired:
            if saved > serial - 2:
                kept.append((path, saved))
                continue
            with at_destination(path):
                path.unlink(missing_ok=True)
        self._retired = kept
        if self.log is None:
            return None
        self.log.sync()
        self._saved = serial
        return self.log.facts()

    def resume(self, facts: dict[str, Any] | None, serial: int) -> set[str]:
        """Stand where a receipt was made, with `groups` entered already; returns the names in the folder that belong to it."""
        if facts is None:
            return set()
        name = facts["log"]
        self.log = SpillLog(self.folder / name)
        self.log.go_back(facts)
        self._saved, self._next_log = serial, int(name.partition("-")[2]) + 1
        return {name}

    def holds(self, facts: dict[str, Any] | None) -> bool:
        """Whether the log that a receipt speaks of is still here."""
        return facts is None or holds_log(self.folder, facts)
