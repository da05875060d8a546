"""Writers that are wrong, each in one way."""
# ruff: noqa: E501, PTH105, RUF012

import json
import os
import shutil
import sqlite3
from contextlib import closing

from ozzy import BaseFileWriter, BaseWriter, FileWriterOptions, Outcome, Staging, WriterOptions, option, options
from ozzy.testing import LedgerWriter, WriterContract


@options
class ShelfOptions(FileWriterOptions):
    shelf: str = option(default="shelf", help="The folder that finished files are put into.")


class Shelf(BaseFileWriter):
    """Puts finished files into a folder, rightly."""

    Options = ShelfOptions

    def write(self, dump_path, group_key=None):
        shelf = self.path(self.options.shelf)
        shelf.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(dump_path, shelf / f".{self.entry['name']}")
        os.replace(shelf / f".{self.entry['name']}", shelf / self.entry["name"])


class VisibleAtPrepare(Shelf):
    """Puts files at their place when they are prepared."""

    def prepare(self, final):
        receipt = super().prepare(final)
        if final:
            for entry in receipt["closed"]:
                self.entry = entry
                self.write(str(self.files.folder / entry["staged"]))
        return receipt


class TestVisibleAtPrepare(WriterContract):
    module = VisibleAtPrepare
    says = {
        "test_nothing_is_to_be_seen_before_it_is_published": r"VisibleAtPrepare: after prepare\(\) and before publish\(\), shelf/.* is to be seen"
    }


class AppendsWhenPublished(Shelf):
    """Publishing appends to one file, as often as it is done."""

    def publish(self, receipt):
        shelf = self.path(self.options.shelf)
        shelf.mkdir(parents=True, exist_ok=True)
        with (shelf / "all.jl").open("ab") as file:
            for entry in receipt["closed"]:
                file.write((self.files.folder / entry["staged"]).read_bytes())
        self.files.mark_published(receipt)


class TestAppendsWhenPublished(WriterContract):
    module = AppendsWhenPublished
    options = {"compression": "none"}
    says = {"test_publishing_twice_is_the_same_as_once": r"published twice by the same object, 10 records .* are more than once"}


class NamesByChance(Shelf):
    """Each time a file is published, it gets a new name."""

    def place(self, entry):
        entry = {**entry, "name": f"{os.urandom(4).hex()}-{entry['name']}"}
        self.entry = entry
        staged = self.files.folder / entry["staged"]
        if staged.exists():
            self.write(str(staged))


class TestNamesByChance(WriterContract):
    module = NamesByChance
    says = {"test_publishing_twice_is_the_same_as_once": r"more than once at the destination"}


class OnlyInMemory(Shelf):
    """What it publishes stands in its memory, not in the receipt."""

    def publish(self, receipt):
        super().publish({**receipt, "closed": self.files.closed})


class TestOnlyInMemory(WriterContract):
    module = OnlyInMemory
    says = {
        "test_recover_tells_what_became_of_it": r"published, recover\(\) of a new object says STAGED|10 records .* are lost",
    }


class SaysPublished(Shelf):
    """Takes everything for published."""

    def recover(self, receipt):
        return Outcome.PUBLISHED


class TestSaysPublished(WriterContract):
    module = SaysPublished
    says = {
        "test_recover_tells_what_became_of_it": r"prepared and not published, recover\(\) says PUBLISHED .*its data is durable, so it is STAGED",
        "test_staged_data_that_is_lost_is_told": r"its staged files were deleted, and recover\(\) says PUBLISHED",
    }


class DoesNotCutBack(Shelf):
    """Resumes without forgetting what is newer than the checkpoint."""

    def resume(self, state):
        if state is None:
            super().resume(None)
            return
        sizes = {entry["staged"]: (self.files.folder / entry["staged"]) for entry in state["open"]}
        kept = {name: path.read_bytes() for name, path in sizes.items() if path.exists()}
        super().resume(state)
        for file in self.files.open.values():
            if file.path.name in kept:
                file.path.write_bytes(kept[file.path.name])


class TestDoesNotCutBack(WriterContract):
    module = DoesNotCutBack
    options = {"compression": "none"}
    says = {"test_going_on_after_a_light_checkpoint_cuts_back_what_is_newer": r"gone on with after a light checkpoint, it fails: "}


class LosesTheTail(Shelf):
    """Forgets what was not compressed yet."""

    def resume(self, state):
        super().resume(state)
        for file in self.files.open.values():
            file.tail.clear()


class TestLosesTheTail(WriterContract):
    module = LosesTheTail
    options = {"compression": "none"}
    says = {"test_going_on_after_a_light_checkpoint_cuts_back_what_is_newer": r"gone on with after a light checkpoint, .* lost, of 20"}


class DoesNotCount(Shelf):
    """Its receipts say nothing of rows."""

    def prepare(self, final):
        return {name: value for name, value in super().prepare(final).items() if name != "written"}


class TestDoesNotCount(WriterContract):
    module = DoesNotCount
    says = {"test_everything_written_arrives_once": r"its receipts do not count: prepare\(\) has to return `written`"}


class CountsAnew(Shelf):
    """Counts from the last checkpoint instead of the beginning."""

    before = 0

    def prepare(self, final):
        receipt = super().prepare(final)
        rows, self.before = receipt["written"] - self.before, receipt["written"]
        return {**receipt, "written": rows}


class TestCountsAnew(WriterContract):
    module = CountsAnew
    says = {"test_receipts_count_from_the_beginning_of_the_run": r"its receipt says 4 rows are written, it was given 7"}


class ReceiptOfObjects(Shelf):
    """Its receipt can't be saved."""

    def prepare(self, final):
        return {**super().prepare(final), "folder": self.files.folder}


class TestReceiptOfObjects(WriterContract):
    module = ReceiptOfObjects
    says = {"test_everything_written_arrives_once": r"the receipt of prepare\(\) can't be saved as JSON"}


class LeavesThingsBehind(Shelf):
    """Its staging folder stays."""

    def abandon(self):
        """Nothing."""


class TestLeavesThingsBehind(WriterContract):
    module = LeavesThingsBehind
    says = {"test_nothing_is_left_behind": r"after abandon\(\) state/staged/writer/.* is left behind"}


class TouchesTheDiskWhenDry(Shelf):
    """Makes its folder even in a dry run."""

    def resume(self, state):
        self.path(self.options.shelf).mkdir(exist_ok=True)
        super().resume(state)


class TestTouchesTheDiskWhenDry(WriterContract):
    module = TouchesTheDiskWhenDry
    says = {"test_a_dry_run_leaves_no_trace": r"a dry run leaves shelf"}


class DropsAGroup(Shelf):
    """Writes the records of one group only."""

    def write_batch(self, batch, group_key=None):
        if group_key in {(), ("es",)}:
            super().write_batch(batch, group_key)


class TestDropsAGroup(WriterContract):
    module = DropsAGroup
    says = {"test_groups": r"after a run with three groups, 8 records \(1, 2, 4, 5, 7, …\) are lost, of 12"}


class LosesTheLast(Shelf):
    """Loses the last record of each batch."""

    def write_batch(self, batch, group_key=None):
        super().write_batch(batch.take(range(len(batch) - 1)), group_key)


class TestLosesTheLast(WriterContract):
    module = LosesTheLast
    says = {"test_everything_written_arrives_once": r"after a run without trouble, 4 records \(4, 9, 14, 19\) are lost, of 20"}


@options
class FlatOptions(WriterOptions):
    out: str = option(default="out", help="The folder that files are put into.")


class Flat(BaseWriter):
    """Stages one file of lines by itself, and publishes it under a fixed name; rightly, but for light checkpoints, which it has not."""

    Options = FlatOptions
    staging = Staging.DURABLE
    resumable = False
    rows = written = number = 0

    def resume(self, state):
        self.lines = []
        self.number = state["number"] + 1 if state else 0
        self.written = state["written"] if state else 0
        shutil.rmtree(self.context.staging_folder, ignore_errors=True)

    def write_batch(self, batch, group_key=None):
        self.lines += batch.lines
        self.written += len(batch)

    def prepare(self, final):
        folder = self.context.staging_folder
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.number}.jl"
        (folder / name).write_bytes(b"".join(line + b"\n" for line in self.lines))
        receipt = {"final": final, "number": self.number, "name": name, "rows": len(self.lines), "written": self.written}
        self.number, self.lines = self.number + 1, []
        return receipt

    def staged(self, receipt):
        return self.context.staging_folder / receipt["name"]

    def target(self, receipt):
        return self.path(self.options.out) / receipt["name"]

    def publish(self, receipt):
        if self.staged(receipt).exists():
            self.target(receipt).parent.mkdir(exist_ok=True)
            os.replace(self.staged(receipt), self.target(receipt))

    def recover(self, receipt):
        if self.staged(receipt).exists():
            return Outcome.STAGED
        return Outcome.PUBLISHED if self.target(receipt).exists() else Outcome.GONE

    def discard(self, receipt):
        self.staged(receipt).unlink(missing_ok=True)

    def abandon(self):
        shutil.rmtree(self.context.staging_folder, ignore_errors=True)

    def results(self, receipt):
        return [{"name": receipt["name"], "rows": receipt["rows"], "size": 0, "sha256": "", "path": str(self.target(receipt))}]


class DiscardsAStrangersFile(Flat):
    """Takes back whatever has the name of its file."""

    def discard(self, receipt):
        super().discard(receipt)
        self.target(receipt).unlink(missing_ok=True)


class TestDiscardsAStrangersFile(WriterContract):
    module = DiscardsAStrangersFile
    says = {
        "test_discard_takes_nothing_that_is_not_its_own": r"discard\(\) takes a stranger's file, 0.jl, under the name of a file that was never"
    }


class DiscardsTheFolder(Flat):
    """Takes back the whole folder."""

    def discard(self, receipt):
        shutil.rmtree(self.target(receipt).parent, ignore_errors=True)
        super().discard(receipt)


class TestDiscardsTheFolder(WriterContract):
    module = DiscardsTheFolder
    says = {"test_discard_takes_nothing_that_is_not_its_own": r"discard\(\) takes a stranger's file"}


class DiscardsAllThatIsOut(Shelf):
    """Takes back what earlier checkpoints have published."""

    def discard(self, receipt):
        super().discard(receipt)
        for path in self.path(self.options.shelf).glob("*"):
            path.unlink()


class TestDiscardsAllThatIsOut(WriterContract):
    module = DiscardsAllThatIsOut
    says = {"test_discard_leaves_what_was_published_before": r"a later checkpoint was discarded, 8 records \(0, .*\) are lost, of 8"}


class KeepsWhatIsDiscarded(Flat):
    """Taking back does nothing."""

    def discard(self, receipt):
        """Nothing."""


class TestKeepsWhatIsDiscarded(WriterContract):
    module = KeepsWhatIsDiscarded
    says = {"test_what_is_discarded_is_gone": r"discarded, a receipt is STAGED, says recover\(\)"}


class TestFlat(WriterContract):
    """It only lacks words where it fails, and its results have no rows of earlier receipts."""

    module = Flat
    says = {"test_failures_speak_to_the_user": r"when it fails it raises PermissionError .* instead of DestinationError"}


class LedgerContract(WriterContract):
    options = {"path": "ledger.sqlite"}
    local = False

    def oracle(self):
        return [record["id"] for record in LedgerWriter.records(self.folder / "ledger.sqlite")]


class CommitsAtPrepare(LedgerWriter):
    """Commits its rows before the checkpoint is saved."""

    def prepare(self, final):
        receipt = super().prepare(final)
        self._connected().execute("INSERT INTO ozzy_rows (run, record) SELECT run, record FROM waiting")
        return receipt


class TestCommitsAtPrepare(LedgerContract):
    module = CommitsAtPrepare
    says = {
        "test_nothing_is_to_be_seen_before_it_is_published": r"after prepare\(\) and before publish\(\), the destination holds 10 records"
    }


class CommitsWhenClosed(LedgerWriter):
    """Commits what is open when it is closed."""

    def close(self):
        if self._connection is not None:
            self._connection.execute("INSERT INTO ozzy_rows (run, record) SELECT run, record FROM waiting")
        super().close()


class TestCommitsWhenClosed(LedgerContract):
    module = CommitsWhenClosed
    says = {
        "test_going_on_from_the_start_forgets_what_was_begun": r"begun again after a kill before the first checkpoint, 15 records .* more than once"
    }


class NumberBesideTheRows(LedgerWriter):
    """Keeps the number of the checkpoint in a file, not in the transaction."""

    def recover(self, receipt):
        return Outcome.GONE

    def publish(self, receipt):
        with closing(sqlite3.connect(self.path(self.options.path))) as connection, connection:
            for line in receipt["lines"]:
                connection.execute("INSERT INTO ozzy_rows (run, record) VALUES ('', ?)", (line,))

    def resume(self, state):
        super().resume(None)
        self.lines = []
        self.written = state["written"] if state else 0

    def write_batch(self, batch, group_key=None):
        self.lines += [line.decode() for line in batch.lines]
        self.written += len(batch)

    def prepare(self, final):
        receipt = {**super().prepare(final), "lines": self.lines}
        self.lines = []
        return json.loads(json.dumps(receipt))


class TestNumberBesideTheRows(LedgerContract):
    module = NumberBesideTheRows
    says = {
        "test_publishing_twice_is_the_same_as_once": r"published twice by the same object, 10 records .* are more than once at the destination",
        "test_recover_tells_what_became_of_it": r"published, recover\(\) of a new object says GONE",
    }


class OtherResults(Shelf):
    """Its results count other rows."""

    def results(self, receipt):
        return [{**result, "rows": 1} for result in super().results(receipt)]


class TestOtherResults(WriterContract):
    module = OtherResults
    says = {"test_everything_written_arrives_once": r"results\(\) speaks of 1 rows where 20 were written"}


class OtherBytes(Shelf):
    """Published again, a file is another one."""

    def place(self, entry):
        super().place(entry)
        target = self.path(self.options.shelf) / entry["name"]
        target.write_bytes(target.read_bytes() + b"\n")


class TestOtherBytes(WriterContract):
    module = OtherBytes
    options = {"compression": "none"}
    says = {
        "test_publishing_twice_is_the_same_as_once": r"published again by a new object, files at the destination are not the same bytes"
    }


class AlwaysGone(Shelf):
    """Says that everything is gone."""

    def recover(self, receipt):
        return Outcome.GONE


class TestAlwaysGone(WriterContract):
    module = AlwaysGone
    says = {
        "test_going_on_after_a_light_checkpoint_cuts_back_what_is_newer": r"after a kill, recover\(\) says that the data of the last light checkpoint is gone"
    }


class OneMoreLine(Shelf):
    """A resumed file gets a blank line."""

    def resume(self, state):
        super().resume(state)
        for file in self.files.open.values():
            file.tail += b"\n"


class TestOneMoreLine(WriterContract):
    module = OneMoreLine
    options = {"compression": "none"}
    says = {
        "test_going_on_after_a_light_checkpoint_cuts_back_what_is_newer": r"is not, byte for byte, what a run that was never killed makes"
    }


class TuplesInReceipts(Shelf):
    """Its receipt comes back with other keys."""

    def prepare(self, final):
        return {**super().prepare(final), "counts": {1: 2}}


class TestTuplesInReceipts(WriterContract):
    module = TuplesInReceipts
    says = {"test_everything_written_arrives_once": r"the receipt of prepare\(\) is not the same when it was saved as JSON"}


class SaysCommitted(LedgerWriter):
    """Says of every transaction that it was committed."""

    def recover(self, receipt):
        return Outcome.PUBLISHED


class TestSaysCommitted(LedgerContract):
    module = SaysCommitted
    says = {
        "test_going_on_after_a_full_checkpoint": r"a transaction that was never committed is PUBLISHED, says recover\(\)",
        "test_recover_tells_what_became_of_it": r"recover\(\) says PUBLISHED then PUBLISHED: its transaction died with the process, so it is GONE",
    }


class BlankLineAtEachPrepare(Shelf):
    """Each checkpoint leaves its trace in the file."""

    def prepare(self, final):
        for file in self.files.open.values():
            file.tail += b"\n"
        return super().prepare(final)


class TestBlankLineAtEachPrepare(WriterContract):
    module = BlankLineAtEachPrepare
    options = {"compression": "none"}
    says = {"test_preparing_twice_is_the_same_as_once": r"is not, byte for byte, what a run that was never killed makes"}


class CountsPreparations(Shelf):
    """Counts its rows at each checkpoint again."""

    sum = 0

    def prepare(self, final):
        receipt = super().prepare(final)
        self.sum += receipt["written"]
        return {**receipt, "written": self.sum}


class TestCountsPreparations(WriterContract):
    module = CountsPreparations
    says = {"test_preparing_twice_is_the_same_as_once": r"prepared twice, its receipts say 10 and then 20 rows are written"}
