"""A set of texts of any size in bounded memory, which can go back to any checkpoint.

What was seen last is held in memory. The rest lies in an SQLite file as sorted runs, tables that are written at once and in order; runs of
like size are merged, so that there are few. Two bits for each key on disk, in memory, tell most keys that are new without a look at the
disk; what they can't tell is looked up, so the answer is exact. Beyond what the bits can hold apart, more keys are looked up.

Each key is kept with the number of the checkpoint that saved it first. The file always holds all that any checkpoint needs: to go back
is to forget the keys with higher numbers.
"""

import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from itertools import compress
from pathlib import Path
from sys import getsizeof
from typing import Any

import attrs
import msgspec

from ozzy.errors import StateError
from ozzy.staging.disk import make_folder, sync_file, sync_folder
from ozzy.staging.state_files import writing_state

MEMORY = 64 << 20
"""Bytes that keys and bits take in memory, half of it each."""

SMALLEST_MEMORY = 1 << 16

_KEY_COST = 96
"""Bytes that a set and a list need for a key, beside the key."""

_LONG = 200
"""Longer keys stand for themselves by a digest of 256 bits."""

_PIECE = 10_000
_LIKE = 4
"""So many runs of like size become one; a run is like another when neither is so many times as long."""

_SHORT_RUN = 2048
_TOO_MANY = 5
"""Keys for each byte of the bits, from which on these tell too little to be worth reading all keys again."""

_CACHE = 8 << 10
"""KiB that SQLite holds of its file."""


@attrs.define(eq=False, repr=False)
class KeySet:
    """Texts, each of which is new once. Without a `path` it lies in a temporary file, for a run that leaves no trace.

    Raises StateError where the disk fails.
    """

    path: Path | None = None
    memory: int = MEMORY
    count: int = 0
    """How many keys it holds."""
    _recent: set[str] = attrs.field(factory=set, init=False, repr=False)
    _unsaved: list[str] = attrs.field(factory=list, init=False, repr=False)
    _cost: int = attrs.field(default=0, init=False)
    _bits: bytearray = attrs.field(factory=bytearray, init=False, repr=False)
    _checkpoint: int = attrs.field(default=0, init=False)
    _changed: bool = attrs.field(default=False, init=False)
    _file: sqlite3.Connection | None = attrs.field(default=None, init=False, repr=False)

    def add(self, keys: Sequence[str]) -> list[bool]:
        """Put keys in: for each, whether it is new. One that comes twice is new once."""
        keys = [key if len(key) <= _LONG else _digest(key) for key in keys]
        recent = self._recent
        if self._bits:
            self._remember(self._on_disk([key for key in keys if key not in recent]))
        put = recent.add
        new = [not (key in recent or put(key)) for key in keys]
        added = list(compress(keys, new))
        self._unsaved += added
        self.count += len(added)
        self._changed = self._changed or bool(added)
        self._cost += sum(map(getsizeof, added)) + _KEY_COST * len(added)
        if self._cost * 2 > self.memory:
            self._make_room()
        return new

    def save(self) -> dict[str, Any]:
        """Put all keys on disk for good; what `go_back` needs to know about this moment."""
        if self._changed:
            with self._guarded():
                self._flush()
                self._opened().execute("COMMIT")
                if self.path is not None:
                    sync_file(self.path)
                    sync_folder(self.path.parent)
            self._checkpoint += 1
            self._changed = False
        return {"checkpoint": self._checkpoint, "keys": self.count}

    def go_back(self, facts: dict[str, Any]) -> None:
        """Hold what was held when these facts were given. Raises StateError where the file is not there or not what they say."""
        self.clear()
        if not facts["checkpoint"]:
            return
        if self.path is None or not self.path.exists():
            place = "without a state folder nothing is kept" if self.path is None else f"there is no {self.path}"
            raise StateError(f"the keys that were seen are gone: {place}", hint=_BRING_BACK)
        with self._guarded():
            self._file = self._open(new=False)
            self._forget_after(facts["checkpoint"])
            if self.count != facts["keys"]:
                told = f"{self.path} holds {self.count:,} of the {facts['keys']:,} keys that the checkpoint counts on"
                raise StateError(told, hint=_BRING_BACK)
            self._file.execute("COMMIT")
            self._checkpoint = facts["checkpoint"]
            self._bits = self._no_bits()
            if self.count > _TOO_MANY * len(self._bits):
                self._bits[:] = b"\xff" * len(self._bits)
            else:
                for keys in self._all_on_disk():
                    self._mark(keys)

    def clear(self) -> None:
        """Forget everything in memory; the next key begins a new file."""
        self.close()
        self._recent.clear()
        self._unsaved.clear()
        self._bits = bytearray()
        self._cost = self.count = self._checkpoint = 0
        self._changed = False

    def close(self) -> None:
        """Let go of the file. What was not saved is not in it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    # Memory

    def _remember(self, keys: Sequence[str]) -> None:
        """Hold keys that are on disk in memory too: what comes twice is likely to come again."""
        self._recent.update(keys)
        self._cost += sum(map(getsizeof, keys)) + _KEY_COST * len(keys)

    def _make_room(self) -> None:
        with self._guarded():
            self._flush()
        if not self._bits:
            self._bits = self._no_bits()
        self._mark(self._recent)
        self._recent = set()
        self._cost = 0

    def _no_bits(self) -> bytearray:
        return bytearray(1 << (self.memory // 2).bit_length() - 1)

    def _mark(self, keys: "set[str] | list[str]") -> None:
        bits, last = self._bits, len(self._bits) - 1
        for key in keys:
            first = hash(key)
            second = first >> 32
            bits[first >> 3 & last] |= 1 << (first & 7)
            bits[second >> 3 & last] |= 1 << (second & 7)

    def _on_disk(self, keys: list[str]) -> list[str]:
        """Those of some keys that are on disk."""
        bits, last = self._bits, len(self._bits) - 1
        doubtful = [
            key
            for key in keys
            if bits[(mark := hash(key)) >> 3 & last] >> (mark & 7) & 1 and bits[(mark := mark >> 32) >> 3 & last] >> (mark & 7) & 1
        ]
        if not doubtful:
            return []
        found: list[str] = []
        with self._guarded():
            file = self._opened()
            for (run,) in file.execute("SELECT number FROM runs ORDER BY keys DESC").fetchall():
                asked = msgspec.json.encode(doubtful).decode()
                here = file.execute(f"SELECT one.value FROM json_each(?) one CROSS JOIN run_{run} run ON run.key = one.value", (asked,))  # noqa: S608 - a number
                known = {key for (key,) in here}
                found += known
                doubtful = [key for key in doubtful if key not in known]
                if not doubtful:
                    break
        return found

    # The file

    def _opened(self) -> sqlite3.Connection:
        """The file, in the middle of a transaction."""
        if self._file is None:
            self._file = self._open(new=True)
        if not self._file.in_transaction:
            self._file.execute("BEGIN")
        return self._file

    def _open(self, *, new: bool) -> sqlite3.Connection:
        if self.path is not None:
            make_folder(self.path.parent, private=2)
            for name in (self.path.name, f"{self.path.name}-journal") if new else ():
                self.path.with_name(name).unlink(missing_ok=True)
        file = sqlite3.connect(self.path or "", isolation_level=None, check_same_thread=False)
        try:
            durable = ("journal_mode = DELETE", "synchronous = EXTRA", "locking_mode = EXCLUSIVE")
            for setting in (*(durable if self.path is not None else ("synchronous = OFF",)), f"cache_size = -{_CACHE}"):
                file.execute(f"PRAGMA {setting}")
            if new:
                file.execute("BEGIN")
                file.execute("CREATE TABLE runs (number INTEGER PRIMARY KEY, keys INTEGER, first INTEGER, last INTEGER)")
        except BaseException:
            file.close()
            raise
        return file

    def _flush(self) -> None:
        """Write what is not on disk yet as a run."""
        if not self._unsaved:
            return
        number, checkpoint = self._new_run(), self._checkpoint + 1
        self._unsaved.sort()
        for at in range(0, len(self._unsaved), _PIECE):
            piece = msgspec.json.encode(self._unsaved[at : at + _PIECE]).decode()
            self._opened().execute(f"INSERT INTO run_{number} SELECT value, ? FROM json_each(?)", (checkpoint, piece))  # noqa: S608 - a number
        self._note(number, len(self._unsaved), checkpoint, checkpoint)
        self._unsaved.clear()
        self._merge()

    def _merge(self) -> None:
        """Make one of the runs of like size, until there are not many of any."""
        while True:
            by_size: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
            for run in self._opened().execute("SELECT number, keys, first, last FROM runs ORDER BY number"):
                by_size[(run[1] // _SHORT_RUN).bit_length() // 2].append(run)
            alike = next((runs for runs in by_size.values() if len(runs) >= _LIKE), None)
            if alike is None:
                return
            number = self._new_run()
            rows = " UNION ALL ".join([f"SELECT key, checkpoint FROM run_{run[0]}" for run in alike])  # noqa: S608 - numbers
            self._opened().execute(f"INSERT INTO run_{number} {rows} ORDER BY 1")
            self._note(number, sum(run[1] for run in alike), min(run[2] for run in alike), max(run[3] for run in alike))
            for run in alike:
                self._drop(run[0])

    def _forget_after(self, checkpoint: int) -> None:
        """Delete the keys that a later checkpoint saved first."""
        file = self._opened()
        for number, keys, first, last in file.execute("SELECT number, keys, first, last FROM runs").fetchall():
            if first > checkpoint:
                self._drop(number)
            elif last > checkpoint:
                gone = file.execute(f"DELETE FROM run_{number} WHERE checkpoint > ?", (checkpoint,)).rowcount  # noqa: S608 - a number
                file.execute("UPDATE runs SET keys = ?, last = ? WHERE number = ?", (keys - gone, checkpoint, number))
        self.count = file.execute("SELECT coalesce(sum(keys), 0) FROM runs").fetchone()[0]

    def _new_run(self) -> int:
        number = int(self._opened().execute("SELECT coalesce(max(number), 0) + 1 FROM runs").fetchone()[0])
        self._opened().execute(f"CREATE TABLE run_{number} (key TEXT PRIMARY KEY, checkpoint INTEGER) WITHOUT ROWID")
        return number

    def _note(self, number: int, keys: int, first: int, last: int) -> None:
        self._opened().execute("INSERT INTO runs VALUES (?, ?, ?, ?)", (number, keys, first, last))

    def _drop(self, number: int) -> None:
        self._opened().execute(f"DROP TABLE run_{number}")
        self._opened().execute("DELETE FROM runs WHERE number = ?", (number,))

    def _all_on_disk(self) -> Iterator[list[str]]:
        for (number,) in self._opened().execute("SELECT number FROM runs").fetchall():
            rows = self._opened().execute(f"SELECT key FROM run_{number}")  # noqa: S608 - a number
            while piece := rows.fetchmany(_PIECE):
                yield [key for (key,) in piece]

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turns what goes wrong with the file into a StateError that names it."""
        place = self.path or Path(tempfile.gettempdir())
        try:
            with writing_state(place):
                yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error):
                hint = "Make room, then go on with --resume: nothing that was committed is lost."
                raise StateError(f"can't keep the keys that were seen in {place}: {error}", hint=hint) from error
            raise StateError(f"the keys that were seen, in {place}, are damaged: {error}", hint=_BRING_BACK) from error


def _digest(key: str) -> str:
    """What stands for a long key; no JSON begins like it."""
    return f"blake2b:{blake2b(key.encode(), digest_size=32).hexdigest()}"


_BRING_BACK = "Bring the state folder back as it was and go on with --resume, or start anew with --fresh."
