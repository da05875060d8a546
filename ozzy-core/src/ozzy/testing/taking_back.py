"""What a writer promises for the end of a run that went wrong, or is over: what it takes back, and what it leaves."""

import shutil
from pathlib import Path

import pytest

from ozzy import Outcome, Staging
from ozzy.testing.found import visible
from ozzy.testing.writing import WriterAtWork


class TakingBack(WriterAtWork):
    """The part of the suite of writers that is about giving up."""

    def test_what_is_discarded_is_gone(self) -> None:
        """Taken back, a prepared receipt leaves nothing, and taking it back twice is no error."""
        self.needs(Staging.DURABLE)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(10))
        receipt = self.prepare(writer, final=True)
        writer.close()
        other = self.begin()
        other.discard(receipt)
        other.discard(receipt)
        if other.recover(receipt) is not Outcome.GONE:
            self.broken(f"discarded, a receipt is {other.recover(receipt).name}, says recover()")
        other.resume(None)
        self.write(other, range(20))
        self.finish(other)
        other.close()
        self.expect(range(20), "begun again after discard()")

    def test_discard_takes_nothing_that_is_not_its_own(self) -> None:
        """Whoever else has put something at the destination keeps it, even under the very name."""
        self.needs(Staging.DURABLE)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(10))
        receipt = self.prepare(writer, final=True)
        paths = [Path(result["path"]) for result in writer.results(receipt) if "path" in result]
        if not paths:
            pytest.skip("its results() name no local path")
        beside = paths[0].parent / "stranger.txt"
        for path in (*paths, beside):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"a stranger's")
        writer.discard(receipt)
        self._kept([*paths, beside], "under the name of a file that was never published")
        for path in paths:
            path.unlink()
        writer.close()
        other = self.begin(run="run-2")
        other.resume(None)
        self.write(other, range(10))
        receipt = self.finish(other)
        for path in [Path(result["path"]) for result in other.results(receipt)]:
            path.write_bytes(b"a stranger's")
        other.discard(receipt)
        self._kept([*[Path(result["path"]) for result in other.results(receipt)], beside], "in the place of a file that was published")
        other.close()

    def test_discard_leaves_what_was_published_before(self) -> None:
        """What an earlier checkpoint has made visible stays, when a later one is taken back."""
        self.needs(Staging.DURABLE)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(8))
        published = self.prepare(writer, final=True)
        writer.publish(published)
        self.write(writer, range(8, 12))
        receipt = self.prepare(writer, final=True)
        writer.close()
        other = self.begin()
        other.discard(receipt)
        self.expect(range(8), "a later checkpoint was discarded")
        other.resume(published)
        self.write(other, range(8, 20))
        self.finish(other)
        other.close()
        self.expect(range(20), "gone on with after a later checkpoint was discarded")

    def _kept(self, paths: list[Path], where: str) -> None:
        for path in paths:
            if not path.exists() or path.read_bytes() != b"a stranger's":
                self.broken(f"discard() takes a stranger's file, {path.name}, {'beside its own' if path == paths[-1] else where}")

    def test_staged_data_that_is_lost_is_told(self) -> None:
        """On another machine the staging folder is not there: recover() says GONE, and never PUBLISHED."""
        self.needs(Staging.DURABLE)
        writer = self.begin()
        files = getattr(writer, "files", None)
        if files is None:
            pytest.skip("it does not stage in a local folder")
        writer.resume(None)
        self.write(writer, range(10))
        receipt = self.prepare(writer, final=True)
        shutil.rmtree(files.folder)
        if self.begin().recover(receipt) is not Outcome.GONE:
            self.broken(f"its staged files were deleted, and recover() says {self.begin().recover(receipt).name}")
        writer.close()

    @pytest.mark.parametrize("published", [True, False], ids=["finished", "given up"])
    def test_nothing_is_left_behind(self, *, published: bool) -> None:
        """After `abandon` there is nothing that nobody can see, whether the run has finished or was given up."""
        self.needs(Staging.DURABLE)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(10))
        if published:
            self.finish(writer)
        else:
            self.prepare(writer, final=writer.resumable)
        writer.abandon()
        writer.close()
        seen = visible(self.folder)
        left = [str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()]
        hidden = sorted(path for path in left if path not in seen)
        if hidden:
            self.broken(f"after abandon() {hidden[0]} is left behind")
        self.expect(range(10) if published else [], "after abandon()")

    def test_a_dry_run_leaves_no_trace(self) -> None:
        """Told that it is one, a writer of files counts, and touches no disk."""
        writer = self.begin(dry_run=True)
        if not hasattr(writer, "files"):
            pytest.skip("a dry run gives it nothing")
        writer.resume(None)
        self.write(writer, range(10))
        writer.finish_writing()
        self.counted(self.prepare(writer, final=True), 10)
        writer.close()
        left = [str(path.relative_to(self.folder)) for path in self.folder.rglob("*")]
        if left:
            self.broken(f"a dry run leaves {left[0]}")
