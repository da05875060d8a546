"""Writers that go on when another process has taken their run over."""
# ruff: noqa: E501, RUF012

from ozzy import DestinationError
from ozzy.builtin.writers.fs import FSWriter
from ozzy.testing import LedgerWriter, WriterContract


class WithoutAFence(LedgerWriter):
    """Stores no epoch, and asks for none."""

    def fence(self, epoch):
        """Nothing."""

    def publish(self, receipt):
        number = receipt["number"]
        self._execute("BEGIN IMMEDIATE")
        self._execute("INSERT OR REPLACE INTO ozzy_checkpoint VALUES (?, ?, 0)", (self.key, number))
        self._execute("INSERT INTO ozzy_rows (run, record) SELECT run, record FROM waiting ORDER BY row")
        self._execute("DELETE FROM waiting")
        self._execute("COMMIT")
        self.number = number


class TestWithoutAFence(WriterContract):
    module = WithoutAFence
    options = {"path": "ledger.sqlite"}
    local = False

    def oracle(self):
        return [record["id"] for record in LedgerWriter.records(self.folder / "ledger.sqlite")]

    says = {
        "test_who_was_overtaken_commits_nothing": r"WithoutAFence: publish\(\) under an older epoch than the one that fence\(\) has stored since is not refused: what it publishes would be there twice",
        "test_who_was_overtaken_commits_no_further_checkpoint": r"WithoutAFence: publish\(\) of a further checkpoint under an older epoch is not refused",
    }


class LowersTheFence(LedgerWriter):
    """Stores whatever epoch it is given."""

    def fence(self, epoch):
        number = self._checkpoint(self._connected())[0]
        self._execute("INSERT OR REPLACE INTO ozzy_checkpoint VALUES (?, ?, ?)", (self.key, number, epoch))


class TestLowersTheFence(WriterContract):
    module = LowersTheFence
    options = {"path": "ledger.sqlite"}
    local = False
    oracle = TestWithoutAFence.oracle
    says = {
        "test_who_was_overtaken_commits_no_further_checkpoint": r"fence\(\) with an older epoch than the one that is stored is not refused"
    }


class BareErrors(LedgerWriter):
    """Refuses with an error of the library."""

    def publish(self, receipt):
        try:
            super().publish(receipt)
        except DestinationError as error:
            raise RuntimeError("no") from error


class TestBareErrors(WriterContract):
    module = BareErrors
    options = {"path": "ledger.sqlite"}
    local = False
    oracle = TestWithoutAFence.oracle
    says = {"test_who_was_overtaken_commits_nothing": r"raises RuntimeError \(no\) instead of DestinationError"}


class SharesItsStaging(FSWriter):
    """Goes on in the folder in which another process may still be at work."""

    def fence(self, epoch):
        """Nothing."""


class TestSharesItsStaging(WriterContract):
    module = SharesItsStaging
    options = {"filebase": "out/part", "compression": "none"}
    says = {
        "test_who_was_overtaken_spoils_nothing": r"SharesItsStaging: gone on with while one that was overtaken went on writing",
    }


class LeavesAllBehind(FSWriter):
    """Moves away from what is staged."""

    def fence(self, epoch):
        self.files.folder = self.files.folder.with_name(f"epoch-{epoch}")


class TestLeavesAllBehind(WriterContract):
    module = LeavesAllBehind
    options = {"filebase": "out/part", "compression": "none"}
    says = {
        "test_who_was_overtaken_publishes_nothing_twice": r"after fence\(\) recover\(\) says that what an earlier holder has prepared is gone"
    }
