"""Reservoir sampling: of each group as many records as the sample is large, each record with the same chance.

The records that are skipped are not looked at: it is drawn how many there are until the next one that enters the sample (Li, Algorithm L,
ACM Transactions on Mathematical Software 20, 1994). What is drawn depends on the seed, the group and the number of the draw alone, so that
the state of the generator is that number.

The sample is held in memory: `size` records of each group. A file beside the checkpoint, which only grows, tells which records entered it;
a checkpoint holds its length, and a resumed run cuts it back and reads it again.
"""

import json
import math
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import Any

import attrs

from ozzy.contracts.grouper import GroupKey
from ozzy.data.batch import Batch
from ozzy.errors import DataError, StateError
from ozzy.plan.write_buffers import ReservoirOptions
from ozzy.staging.journal import Journal
from ozzy.staging.state_files import writing_state

NEVER = 2**62
PIECE = 10_000


@attrs.define(eq=False, repr=False)
class _Row:
    """One record of a sample: the number it has in its group, its place in the source, and its line."""

    number: int
    split: str
    origin: int | None
    line: bytes


@attrs.define(eq=False, repr=False)
class _Group:
    """The sample of one group.

    `seen` counts its records, `next` is the number of the next one that enters, the generator goes on from `weight` and `draws`.
    """

    number: int
    key: GroupKey
    source: str
    rows: list[_Row] = attrs.field(factory=list)
    seen: int = 0
    next: int = NEVER
    weight: float = 0.0
    draws: int = 0
    changed: bool = True


class Reservoir:
    """The samples of one writer. `path` is where they are remembered; None where a run leaves no trace."""

    def __init__(self, size: int, seed: int | str, path: Path | None) -> None:
        self.size = size
        self.seed = seed
        self.held = 0
        self.dropped = 0
        self._groups: dict[tuple[GroupKey, str], _Group] = {}
        self._journal = None if path is None else Journal(path)

    def add(self, batch: Batch, key: GroupKey, source: str = "") -> None:
        """Look at the rows of a group; `source` tells apart what is to be sampled apart within it.

        Raises DataError with the row of a record that has no JSON form; then nothing of the batch was taken.
        """
        known = self._groups.get((key, source))
        group = known or _Group(len(self._groups), key, source)
        drawn = attrs.evolve(group, rows=group.rows)
        picks = self._picks(drawn, len(batch))
        rows = [at - group.seen for _, at in picks]
        lines = _lines(batch, rows)
        if known is None:
            self._groups[key, source] = group
            self._remember(["group", list(key), source])
        before = len(group.rows)
        for (slot, at), row, line in zip(picks, rows, lines, strict=True):
            entry = _Row(at, batch.split, None if batch.origin is None else batch.origin[row], line)
            _enter(group, slot, entry)
            self._remember(["row", group.number, slot, at, entry.split, entry.origin, line.decode()])
        group.seen, group.next, group.weight, group.draws, group.changed = drawn.seen, drawn.next, drawn.weight, drawn.draws, True
        self.held += len(group.rows) - before
        self.dropped += len(batch) - (len(group.rows) - before)

    def drain(self) -> Iterator[tuple[GroupKey, Batch]]:
        """The samples, group after group in the order of their first records, each in the order in which its records came."""
        for group in self._groups.values():
            group.rows.sort(key=lambda row: row.number)
            for split, same in groupby(group.rows, key=lambda row: row.split):
                rows = list(same)
                for start in range(0, len(rows), PIECE):
                    piece = rows[start : start + PIECE]
                    origin = [row.origin for row in piece if row.origin is not None]
                    whole = origin if len(origin) == len(piece) else None
                    yield group.key, Batch.from_lines([row.line for row in piece], split=split, origin=whole)
                    self.held -= len(piece)
            group.rows = []
        self._groups = {}

    def save(self) -> dict[str, Any]:
        """Make all that was drawn durable, and say where it stands, for a checkpoint."""
        assert self._journal is not None
        for group in self._groups.values():
            if group.changed:
                self._remember(["count", group.number, group.seen, group.next, group.weight, group.draws])
                group.changed = False
        if self._journal.length:
            with writing_state(self._journal.path):
                self._journal.sync()
        return {"length": self._journal.length, "crc32": self._journal.crc32, "held": self.held, "dropped": self.dropped}

    def restore(self, facts: dict[str, Any] | None) -> None:
        """Stand where a checkpoint was made; None is the beginning. Raises StateError where the sample is not what it says."""
        assert self._journal is not None
        if facts is None or not facts["length"]:
            self._journal.delete()
            return
        try:
            self._journal.go_back(facts["length"], facts["crc32"])
        except StateError as error:
            raise StateError(f"the sample in {self._journal.path} is not what the checkpoint says", hint=error.hint) from error
        groups: list[_Group] = []
        for kind, *told in self._journal.lines(0, facts["length"]):
            if kind == "group":
                groups.append(_Group(len(groups), tuple(told[0]), told[1], changed=False))
            elif kind == "row":
                number, slot, at, split, origin, line = told
                _enter(groups[number], slot, _Row(at, split, origin, line.encode()))
            else:
                group = groups[told[0]]
                group.seen, group.next, group.weight, group.draws = told[1:]
        self._groups = {(group.key, group.source): group for group in groups}
        self.held, self.dropped = facts["held"], facts["dropped"]

    def _picks(self, group: _Group, count: int) -> list[tuple[int, int]]:
        """Which of the next rows of a group enter its sample, each with its place there; moves the generator on."""
        at, end = group.seen, group.seen + count
        group.seen = end
        filled = len(group.rows)
        picks = [(filled + step, at + step) for step in range(min(self.size - filled, count))]
        if picks and filled + len(picks) == self.size:
            group.weight = 1.0
            self._skip(group, at + len(picks))
        while group.next < end:
            picks.append((int(self._drawn(group) * self.size), group.next))
            self._skip(group, group.next + 1)
        return picks

    def _skip(self, group: _Group, start: int) -> None:
        """Draw how many rows from `start` on do not enter."""
        group.weight = min(group.weight * math.exp(math.log(self._drawn(group)) / self.size), 1 - 2**-53)
        chance = math.log1p(-group.weight)
        steps = math.log(self._drawn(group)) / chance if chance else math.inf
        group.next = start + int(steps) if steps < NEVER else NEVER

    def _drawn(self, group: _Group) -> float:
        """A number between 0 and 1, both excluded."""
        text = json.dumps([self.seed, list(group.key), group.source, group.draws])
        group.draws += 1
        number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 12
        return (number + 0.5) / 2**52

    def _remember(self, line: list[Any]) -> None:
        if self._journal is not None:
            with writing_state(self._journal.path):
                self._journal.add(line)


def samples_of(
    wanted: Mapping[str, ReservoirOptions], run_id: str, folder: Path | None, document: Mapping[str, Any] | None
) -> dict[str, Reservoir]:
    """The samples that writers get, by their labels, standing where a checkpoint was made.

    They are remembered in the `folder` of the run; None where it leaves no trace.
    """
    made = {}
    for label, one in wanted.items():
        seed = one.seed if one.seed is not None else f"{run_id}/{label}"
        made[label] = sample = Reservoir(one.sample_size, seed, None if folder is None else sample_path(folder, label))
        if folder is not None:
            if document is not None and label not in document.get("samples", {}):
                raise StateError(f"the checkpoint holds no sample of {label}", hint="Start again with --fresh.")
            sample.restore(None if document is None else document["samples"][label])
    return made


def sample_path(folder: Path, label: str) -> Path:
    """Where the samples of a writer are remembered in the folder of a run."""
    return folder / f"sample-{label}.jsonl"


def forget_samples(folder: Path) -> None:
    """A run is over for good: leave no sample in its folder."""
    for path in folder.glob("sample-*.jsonl"):
        with writing_state(path):
            path.unlink(missing_ok=True)


def _enter(group: _Group, slot: int, row: _Row) -> None:
    if slot == len(group.rows):
        group.rows.append(row)
    else:
        group.rows[slot] = row


def _lines(batch: Batch, rows: list[int]) -> list[bytes]:
    if not rows:
        return []
    try:
        return batch.take(rows).lines
    except DataError as error:
        error.row = None if error.row is None else rows[error.row]
        raise
