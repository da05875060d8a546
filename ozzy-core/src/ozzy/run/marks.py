"""What became of the records in a quarantine since the run ended: which were replayed, which were discarded."""

from pathlib import Path
from typing import Any

import attrs

from ozzy.errors import StateError
from ozzy.run.quarantine import FILE, Cause, Entry, lines_of
from ozzy.run.runs import RunRecord
from ozzy.staging.state_files import read_json, write_json

FORMAT = 1


@attrs.frozen(kw_only=True)
class Mark:
    """The records of one cause (None: of all) that begin before `end` in the file were `replayed` or `discarded`, by a run or by nobody's.

    `records` says how many these were, `at` when. What can't be brought back is never replayed.
    """

    how: str
    end: int
    records: int
    at: str
    cause: int | None = None
    by: str | None = None

    def covers(self, entry: Entry, start: int) -> bool:
        """Whether it speaks of this record, which begins at `start`."""
        return start < self.end and self.cause in {None, entry.cause} and (self.how == "discarded" or entry.replayable)


@attrs.define(eq=False, repr=False)
class Marks:
    """All marks of one quarantine, in the run's folder."""

    path: Path
    marks: list[Mark]

    @classmethod
    def of(cls, folder: Path) -> "Marks":
        """The marks of the run with this folder. Raises StateError."""
        path = folder / "quarantine.json"
        content = read_json(path) or {"format": FORMAT, "marks": []}
        if content["format"] != FORMAT:
            raise StateError(f"{path} was written by another version of ozzy", hint="Use that one.")
        return cls(path, [Mark(**mark) for mark in content["marks"]])

    def left(self, entry: Entry, start: int) -> bool:
        """Whether nothing has become of this record yet."""
        return not any(mark.covers(entry, start) for mark in self.marks)

    def without(self, run: str) -> "Marks":
        """The marks that this run did not leave."""
        return Marks(self.path, [mark for mark in self.marks if mark.by != run])

    def add(self, mark: Mark) -> None:
        """Add a mark, in one step; that of a run that has left one already takes its place."""
        self.marks = [*(one for one in self.marks if mark.by is None or one.by != mark.by), mark]
        write_json(self.path, {"format": FORMAT, "marks": [attrs.asdict(one) for one in self.marks]})


def counted(folder: Path, *, torn: bool = False) -> tuple[dict[int, Cause], dict[int, int], dict[int, str]]:
    """The causes in the quarantine of a run by their number, how many records of each are left, and the place of the first of these."""
    causes: dict[int, Cause] = {}
    left: dict[int, int] = {}
    places: dict[int, str] = {}
    path = folder / FILE
    if not path.exists():
        return causes, left, places
    marks, start = Marks.of(folder), 0
    for end, line in lines_of(path, torn=torn):
        if isinstance(line, Cause):
            causes[line.number] = line
        elif marks.left(line, start):
            left[line.cause] = left.get(line.cause, 0) + 1
            places.setdefault(line.cause, line.where or line.split)
        start = end
    return causes, left, places


def left_in(record: RunRecord) -> int:
    """How many records are left in the quarantine of a run. What a run that was given up has kept is read again by the next one."""
    if superseded(record):
        return 0
    return sum(counted(record.folder, torn=record.unfinished)[1].values())


def superseded(record: RunRecord) -> bool:
    """Whether a run was given up, so that another one reads all of its source again; a replay's source is not read again."""
    return record.facts["state"] == "abandoned" and not is_replay(record)


def is_replay(record: RunRecord) -> bool:
    """Whether a run is a replay."""
    return bool(replay_facts(record))


def replay_facts(record: RunRecord) -> dict[str, Any]:
    """What a replay was started with; empty for other runs."""
    facts: dict[str, Any] = record.facts.get("replay") or {}
    return facts
