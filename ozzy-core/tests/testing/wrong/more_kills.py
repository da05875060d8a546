"""More of what only a kill shows: files that are missing or too many, and runs that can't go on."""
# ruff: noqa: E501, RUF012

import shutil
from pathlib import Path

from ozzy import BaseFileWriter, BaseFilter, BaseReader, Batch, DestinationError, FileWriterOptions, SourceError, option, options
from ozzy.testing import KillContract


@options
class ShelfOptions(FileWriterOptions):
    shelf: str = option(default="shelf", help="The folder that finished files are put into.")


class Shelf(BaseFileWriter):
    """Puts finished files into a folder, rightly but for kills while it copies."""

    Options = ShelfOptions

    def write(self, dump_path, group_key=None):
        shelf = self.path(self.options.shelf)
        shelf.mkdir(parents=True, exist_ok=True)
        (shelf / f".{self.entry['name']}").write_bytes(Path(dump_path).read_bytes())
        (shelf / f".{self.entry['name']}").rename(shelf / self.entry["name"])


class BitByBit(Shelf):
    """Copies to the final name, where half a file is to be seen meanwhile."""

    def write(self, dump_path, group_key=None):
        shelf = self.path(self.options.shelf)
        shelf.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(dump_path, shelf / self.entry["name"])


class TestBitByBit(KillContract):
    writer = {"name": BitByBit, "options": {"compression": "none"}}
    says = {
        "test_killed_before_any_step": r"killed at step .* in write\(\)\), shelf/.* is to be seen with 0 of its [\d,]+ bytes: it was not put"
    }


class LosesTheTail(BaseReader):
    """Is finished before it has given its last records, killed or not."""

    at = 0

    def get_next_batch(self):
        batch = [{"id": number} for number in range(self.at, self.at + 5)]
        self.at += 5
        self.finished = self.at == 60
        return batch if not self.finished else []

    def get_last_position(self):
        return self.at

    def set_last_position(self, position):
        self.at = position or 0


class TestLosesTheTail(KillContract):
    reader = {"name": LosesTheTail}
    wanted = range(60)
    says = {"test_killed_before_any_step": r"LosesTheTail: in a run that is not killed, 5 records \(55, .*\) are lost, of 60"}


class ForgetsWhatItCounted(BaseFilter):
    """Drops every third record that it sees, and begins to count anew in each process."""

    seen = 0

    def filter(self, item):
        self.seen += 1
        return self.seen % 3 != 0


class TestForgetsWhatItCounted(KillContract):
    """A class may stand for a name in what else the config has, at any depth."""

    reader = "scripted"
    config = {"filter": [{"name": ForgetsWhatItCounted}], "reader": {"name": "scripted", "options": {"count": 60, "batch_size": 7}}}
    says = {"test_killed_before_any_step": r"scripted: killed at step .* and resumed, \d+ records \(.*\) are lost, of 40"}


class AFileForEachProcess(Shelf):
    """Notes down each process that publishes."""

    def publish(self, receipt):
        super().publish(receipt)
        (self.path(self.options.shelf) / f"log-{len(list(self.path(self.options.shelf).glob('log-*')))}").write_text("")


class TestAFileForEachProcess(KillContract):
    writer = {"name": AFileForEachProcess, "options": {"compression": "none"}}
    kills = 60
    says = {"test_killed_before_any_step": r"there is a file shelf/log-\d which a run that is not killed does not make"}


class NotesTheFirst(Shelf):
    """Notes down whether a run was never resumed."""

    def resume(self, state):
        super().resume(state)
        self.first = state is None

    def abandon(self):
        super().abandon()
        if self.first:
            (self.path(self.options.shelf) / "first").write_text("")


class TestNotesTheFirst(KillContract):
    writer = {"name": NotesTheFirst, "options": {"compression": "none"}}
    says = {"test_killed_before_any_step": r"the file shelf/first is missing"}


class MoreOnResume(BaseReader):
    """Resumed, it gives records that nobody has."""

    def read(self, split, position):
        for start in range(position or 0, 60, 7):
            records = [{"id": number} for number in range(start, min(start + 7, 60))]
            if position is not None:
                records.append({"id": 1000 + start})
            yield Batch.from_records(records, split=split.id, position=start + 7)


class TestMoreOnResume(KillContract):
    reader = {"name": MoreOnResume}
    says = {"test_killed_before_any_step": r"record.* 10\d\d.* at the destination which a run that is not killed does not write"}


class NotAgain(Shelf):
    """Can't be resumed."""

    def resume(self, state):
        if state is not None:
            raise DestinationError("the shelf is shut")
        super().resume(state)


class TestNotAgain(KillContract):
    writer = {"name": NotAgain, "options": {"compression": "none"}}
    says = {
        "test_killed_before_any_step": r"killed at step \d+ of \d+ .* and resumed.*, the run can't be resumed: DestinationError: the shelf is shut",
        "test_resumed_from_every_checkpoint": r"resumed from checkpoint \d of 4, the run can't be resumed: DestinationError: the shelf is shut",
    }


class OnlyTheFirstTime(BaseReader):
    """Fails in every attempt but the calm one."""

    def read(self, split, position):
        if not Path.cwd().parent.name.startswith("calm"):
            raise SourceError("no water")
        yield Batch.from_records([{"id": number} for number in range(10)], split=split.id, position=10)


class TestOnlyTheFirstTime(KillContract):
    reader = {"name": OnlyTheFirstTime}
    says = {
        "test_killed_before_any_step": r"the run (fails|can't be resumed): SourceError: no water",
        "test_killed_at_any_moment": r"the run can't be resumed: SourceError: no water",
    }
