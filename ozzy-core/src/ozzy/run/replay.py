"""A replay: a run of its own that reads the quarantine of an earlier one, and enters each record at the stage that refused it.

It has its own state, its own quarantine and the lease of the pipeline. Its records are marked in the quarantine that they came from once
its last checkpoint is committed, before its own record says that it has finished: whoever ends between any two of these leaves a run that
is unfinished, and no other begins before that is gone on with or given up. One that is given up marks what it has published until then.
"""

from datetime import datetime
from pathlib import Path

import attrs

from ozzy.data.positions import unpack
from ozzy.errors import StateError
from ozzy.plan.pipeline import Pipeline
from ozzy.run.checkpoint import Checkpoints, Document
from ozzy.run.marks import Mark, Marks, counted, is_replay, left_in, replay_facts, superseded
from ozzy.run.quarantine import FILE, Quarantine
from ozzy.run.returned import QuarantineReader
from ozzy.run.runs import RunRecord, StateFolder


@attrs.define(eq=False, repr=False)
class Replay:
    """What is replayed: the quarantine in `folder`, of the run `of`, whose files were named by the time `named_by`; one `cause`, or all."""

    of: str
    folder: Path
    named_by: datetime
    cause: int | None = None
    reader: QuarantineReader | None = None

    @classmethod
    def start(cls, record: RunRecord, cause: int | None) -> "Replay":
        """A new replay of a run. Raises StateError where there is nothing to replay, or not yet."""
        if superseded(record):
            raise StateError(
                f"run {record.id} was given up, and whatever run came after it has read its records again",
                hint="Replay that one: `ozzy quarantine list` shows what each run has kept.",
            )
        if not left_of(record, cause):
            of_that = "" if cause is None else f" of cause {cause}"
            again = _kept_again(record)
            raise StateError(
                f"there is nothing{of_that} to replay of run {record.id}",
                hint=f"What was refused once more is kept by {' and '.join(again)}: ozzy quarantine replay {again[-1]}"
                if again
                else "`ozzy quarantine list --all` shows what became of it.",
            )
        return cls(record.id, record.folder, named_by(record), cause)

    @classmethod
    def going_on(cls, record: RunRecord) -> "Replay | None":
        """The replay that a run is, None for other runs."""
        if not is_replay(record):
            return None
        facts = replay_facts(record)
        return cls(facts["of"], record.folder.parent / facts["of"], datetime.fromisoformat(facts["named_by"]), facts["cause"])

    def facts(self) -> dict[str, object]:
        """What the record of the run says of it."""
        return {"of": self.of, "cause": self.cause, "named_by": self.named_by.isoformat()}

    def take_over(self, pipeline: Pipeline, run: str) -> None:
        """Let a pipeline read the quarantine instead of its source."""
        self.reader = QuarantineReader(self.folder, self.of, self.cause, pipeline.reader, run)
        pipeline.reader = self.reader

    def give_up(self, record: RunRecord, pipeline: Pipeline) -> None:
        """Mark what a replay that is given up has published, and keep in its own quarantine what it refused until then.

        A checkpoint that a kill left prepared is finished or taken back first.
        """
        checkpoints = Checkpoints(pipeline.persistence, pipeline.writers, lambda: None)
        document = checkpoints.recover()
        published = document if document is None or document["kind"] == "full" else document["last_full"]
        if published is not None:
            self.mark(record.id, published)
        Quarantine(record.folder / FILE, lambda _: ("", "", "")).stand_at(published.get("quarantine") if published else None)

    def mark(self, run: str, document: Document) -> int:
        """Mark all that a published checkpoint has behind it; once more is the same as once. Returns how many records these are."""
        assert self.reader is not None
        place = document["place"]
        end = self.reader.end_of(self.reader.splits()[0], unpack(place["position"]), place["rows"])
        records = self.reader.count(end)
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        if records:
            Marks.of(self.folder).add(Mark(how="replayed", end=end, records=records, at=at, cause=self.cause, by=run))
        return records


def _kept_again(record: RunRecord) -> list[str]:
    """The replays of a run, and of its replays, that have kept something themselves."""
    found, came_of_it = [], {record.id}
    for one in StateFolder(record.folder.parent.parent).runs(record.facts["pipeline"]):
        if replay_facts(one).get("of") in came_of_it:
            came_of_it.add(one.id)
            found += [one.id] if left_in(one) else []
    return found


def left_of(record: RunRecord, cause: int | None) -> int:
    """How many records of one cause, or of all, nothing has become of yet. Raises StateError where that may still change."""
    if record.unfinished:
        raise StateError(
            f"run {record.id} is unfinished: what it keeps may still change", hint=f"Go on with it first: ozzy resume {record.id}"
        )
    causes, left, _ = counted(record.folder)
    if cause is not None and cause not in causes:
        raise StateError(f"run {record.id} has no cause {cause} in quarantine", hint=f"`ozzy quarantine list {record.id}` shows them.")
    return sum(left.values()) if cause is None else left.get(cause, 0)


def discarded(record: RunRecord, cause: int | None) -> int:
    """Mark what is left of one cause, or of all, as discarded; how many records that were. Raises StateError."""
    records = left_of(record, cause)
    if records:
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        size = (record.folder / FILE).stat().st_size
        Marks.of(record.folder).add(Mark(how="discarded", end=size, records=records, at=at, cause=cause))
    return records


def named_by(record: RunRecord) -> datetime:
    """The time in the names of a run's files: its start, or that of the run that it replays."""
    return datetime.fromisoformat(replay_facts(record).get("named_by") or record.facts["started"])
