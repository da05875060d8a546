"""The testing destinations and persistence: a ledger with a transaction, a bare file, memory."""

import json

import pytest

import ozzy
from ozzy import DestinationError, StateError, StateLocation
from ozzy.testing import BareWriter, LedgerWriter, MemoryPersistence, PersistenceContract, WriterContract, registry


class TestBareWriter(WriterContract):
    module = BareWriter
    options = {"path": "rows.jl"}  # noqa: RUF012


class TestLedgerWriter(WriterContract):
    module = LedgerWriter
    options = {"path": "ledger.sqlite"}  # noqa: RUF012
    local = False

    def oracle(self):
        return [record["id"] for record in LedgerWriter.records(self.folder / "ledger.sqlite")]

    def test_a_process_that_was_overtaken_is_refused(self):
        """Who holds an older epoch commits nothing more."""
        old = self.begin()
        old.resume(None)
        new = self.begin()
        new.resume(None)
        self.write(old, range(5))
        with pytest.raises(DestinationError, match=r"another process has gone on .*ledger\.sqlite, under epoch 2; this one has 1"):
            old.publish(self.prepare(old, final=True))
        self.write(new, range(5))
        self.finish(new)
        self.expect(range(5), "after one of two went on")
        old.close()
        new.close()

    def test_an_older_state_is_refused(self):
        """The destination is at another checkpoint than a state that was put back says."""
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(5))
        self.finish(writer)
        writer.close()
        other = self.begin()
        with pytest.raises(DestinationError, match="is at checkpoint 1 of this run, the state says 0"):
            other.resume(None)
        other.close()

    def test_what_is_discarded_was_never_there(self):
        """An open transaction is rolled back."""
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(5))
        writer.discard(self.prepare(writer, final=True))
        writer.discard({})
        writer.close()
        self.expect([], "after discard()")

    def test_two_runs_share_a_ledger(self):
        """Each has a number of its own."""
        for number, run in enumerate(("run-1", "run-2")):
            writer = self.begin(run=run)
            writer.resume(None)
            self.write(writer, range(number * 5, number * 5 + 5))
            self.finish(writer)
            writer.close()
        self.expect(range(10), "after two runs")


class TestMemoryPersistence(PersistenceContract):
    module = MemoryPersistence

    @pytest.fixture(autouse=True)
    def forgotten(self):
        MemoryPersistence.kept.clear()

    def garble(self):
        MemoryPersistence.kept[("pipeline", "run-1")] = "{"
        return True

    def test_a_kill_in_a_commit_leaves_the_old_or_the_new(self):
        pytest.skip("what is in memory is gone with its process")


def test_memory_that_is_damaged_says_whose_it_is(tmp_path):
    persistence = MemoryPersistence()
    persistence.open(StateLocation(tmp_path, "run-9", "p"))
    MemoryPersistence.kept["p", "run-9"] = "["

    with pytest.raises(StateError, match="run run-9 in memory is damaged"):
        persistence.get_last_position()


def test_the_guarantee_of_each_is_what_it_says(tmp_path):
    def level(writer):
        config = {"name": "x", "reader": "scripted", "writer": {"name": writer, "options": {"path": "x"}}}
        return ozzy.explain(config, registry=registry(), state_dir=tmp_path).guarantee.level

    assert (level("ledger"), level("bare")) == ("exactly once", "at least once")


def test_a_ledger_that_is_not_there_holds_nothing(tmp_path):
    (tmp_path / "empty").touch()

    assert (LedgerWriter.records(tmp_path / "none"), LedgerWriter.records(tmp_path / "empty")) == ([], [])


def test_a_run_with_a_ledger_commits_each_checkpoint(tmp_path):
    config = {
        "name": "ledger",
        "reader": {"name": "scripted", "options": {"count": 20, "batch_size": 4}},
        "writer": {"name": "ledger", "options": {"path": str(tmp_path / "ledger.sqlite")}},
        "persistence": "memory",
        "checkpoint": {"every_records": 8},
    }

    result = ozzy.run(config, registry=registry(), state_dir=tmp_path / "state")

    assert [record["id"] for record in LedgerWriter.records(tmp_path / "ledger.sqlite")] == list(range(20))
    assert (result.records_written, result.checkpoints) == (20, 3)
    assert json.loads(MemoryPersistence.kept["ledger", result.run_id])["number"] == 3
