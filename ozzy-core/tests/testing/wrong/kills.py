"""Readers, writers and persistences that show what is wrong with them only when they are killed."""
# ruff: noqa: E501, RUF012

import json
from pathlib import Path

from ozzy import BaseFileWriter, BasePersistence, BaseReader, Batch, DestinationError, FileWriterOptions, option, options
from ozzy.testing import KillContract, LedgerWriter


class PositionBeforeTheData(BaseReader):
    """Its batches bear the position before them."""

    def read(self, split, position):
        for start in range(position or 0, 60, 7):
            records = [{"id": number} for number in range(start, min(start + 7, 60))]
            yield Batch.from_records(records, split=split.id, position=start)


class TestPositionBeforeTheData(KillContract):
    reader = {"name": PositionBeforeTheData}
    says = {
        "test_killed_before_any_step": r"PositionBeforeTheData: killed at step \d+ of \d+ \(.*\).* and resumed, the run can't be resumed: "
        r"PluginError: PositionBeforeTheData gave 7 records of all with the position that stood before them"
    }


class PositionBeyondTheData(BaseReader):
    """Its batches bear the position after the next one."""

    def read(self, split, position):
        for start in range(position or 0, 60, 7):
            records = [{"id": number} for number in range(start, min(start + 7, 60))]
            yield Batch.from_records(records, split=split.id, position=start + 14)


class TestPositionBeyondTheData(KillContract):
    reader = {"name": PositionBeyondTheData}
    says = {"test_killed_before_any_step": r"PositionBeyondTheData: killed at step .* and resumed, \d+ records \(.*\) are lost, of 60"}


@options
class QueueOptions:
    queue: str = option(help="The folder of the queue, a file for each record.", example="queue")


class EatsWhatItReads(BaseReader):
    """Takes records out of its source when it reads them, not when they have arrived."""

    Options = QueueOptions

    def read(self, split, position):
        queue = Path(self.options.queue)
        while waiting := sorted(queue.glob("*.json"))[:7]:
            records = [json.loads(path.read_text()) for path in waiting]
            for path in waiting:
                path.unlink()
            yield Batch.from_records(records, split=split.id, position=records[-1]["id"])


class TestEatsWhatItReads(KillContract):
    reader = {"name": EatsWhatItReads, "options": {"queue": "queue"}}

    def arrange(self, folder):
        (folder / "queue").mkdir()
        for number in range(60):
            (folder / "queue" / f"{number:03d}.json").write_text(json.dumps({"id": number, "$": "x"}))

    def oracle(self):
        return [json.loads(line)["id"] for path in self.here.glob("out/*") for line in path.read_text().splitlines()]

    says = {"test_killed_before_any_step": r"EatsWhatItReads: killed at step .* and resumed, .* lost, of 60"}


@options
class ShelfOptions(FileWriterOptions):
    shelf: str = option(default="shelf", help="The folder that finished files are put into.")


class AddsWhenPublished(BaseFileWriter):
    """Publishing adds a file to those that are there, as often as it is done."""

    Options = ShelfOptions

    def write(self, dump_path, group_key=None):
        shelf = self.path(self.options.shelf)
        shelf.mkdir(parents=True, exist_ok=True)
        new = shelf / ".new"
        new.write_bytes(Path(dump_path).read_bytes())
        new.replace(shelf / f"{len(list(shelf.glob('*.jl')))}.jl")


class TestAddsWhenPublished(KillContract):
    writer = {"name": AddsWhenPublished, "options": {"compression": "none"}}
    says = {"test_killed_before_any_step": r"AddsWhenPublished: killed at step \d+ of \d+ \(.*\).* and resumed, .* doubled, of 60"}


class ForgetsOnResume(LedgerWriter):
    """Does not ask the destination which checkpoint it is at, and commits whatever the number."""

    def recover(self, receipt):
        from ozzy import Outcome

        return Outcome.GONE

    def resume(self, state):
        super().resume({"number": self._stored(), "written": state["written"] if state else 0})


class TestForgetsOnResume(KillContract):
    writer = {"name": ForgetsOnResume, "options": {"path": "ledger.sqlite"}}

    def oracle(self):
        return [record["id"] for record in LedgerWriter.records(self.here / "ledger.sqlite")]

    says = {"test_killed_before_any_step": r"ForgetsOnResume: killed at step .* and resumed, .* doubled, of 60"}


class NotWhole(BasePersistence):
    """Writes its document in place."""

    @property
    def file(self):
        return self.location.folder / "document.json"

    def generate_new_job(self):
        return self.location.run

    def get_last_position(self):
        return json.loads(self.file.read_text()) if self.file.exists() else None

    def commit_position(self, last_position):
        self.file.write_text(json.dumps(last_position))


class TestNotWhole(KillContract):
    persistence = {"name": NotWhole}
    kills = 60
    says = {
        "test_killed_before_any_step": r"NotWhole: killed at step .* the run can't be resumed: StateError: persistence \(NotWhole\) failed: JSONDecodeError"
    }


class TestNothing(KillContract):
    says = {"test_killed_before_any_step": r"TestNothing has no `reader` and no `writer`: give the section of a config for one of them"}


class TestBlindOracle(KillContract):
    reader = "scripted"

    def oracle(self):
        return []

    says = {"test_killed_at_any_moment": r"a run that is not killed leaves nothing at the destination: is `oracle\(\)` right\?"}


class TestIdsThatAreNot(KillContract):
    reader = {"name": "scripted", "options": {"items": [{"id": 1}, {"id": 1}]}}
    says = {"test_killed_at_any_moment": r"leaves 1 more than once: the oracle needs unique ids"}


class Refuses(BaseFileWriter):
    """Can't write."""

    def write(self, dump_path, group_key=None):
        raise DestinationError("the shelf is full")


class TestRefuses(KillContract):
    writer = {"name": Refuses}
    says = {"test_killed_at_any_moment": r"Refuses: a run that is not killed fails: DestinationError: the shelf is full"}


class NotTheSameBytes(BaseFileWriter):
    """What it writes depends on when it writes."""

    Options = ShelfOptions

    def write(self, dump_path, group_key=None):
        import time

        shelf = self.path(self.options.shelf)
        shelf.mkdir(parents=True, exist_ok=True)
        (shelf / self.entry["name"]).write_bytes(Path(dump_path).read_bytes() + b"\n" * (time.time_ns() // 1000 % 5000))


class TestNotTheSameBytes(KillContract):
    writer = {"name": NotTheSameBytes, "options": {"compression": "none"}}
    says = {"test_killed_before_any_step": r"is not, byte for byte, what a run that is not killed makes"}


class LeavesItsStaging(BaseFileWriter):
    """Leaves its staging folder where files are."""

    Options = ShelfOptions

    def staging_folder(self):
        return self.path(self.options.shelf) / f".ozzy-{self.context.run_id}"

    def write(self, dump_path, group_key=None):
        (self.path(self.options.shelf) / self.entry["name"]).write_bytes(Path(dump_path).read_bytes())

    def abandon(self):
        """Nothing."""


class TestLeavesItsStaging(KillContract):
    writer = {"name": LeavesItsStaging, "options": {"compression": "none"}}
    says = {"test_killed_before_any_step": r"\.ozzy-.* is left behind"}
