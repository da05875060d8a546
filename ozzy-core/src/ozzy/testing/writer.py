"""The suite of writers."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ozzy import BaseWriter, Batch, DataError, DestinationError, Metadata, Outcome, Staging, WriterContext
from ozzy.contracts.file_writer import FedFiles
from ozzy.contracts.writer import needs_files, takes_group
from ozzy.data.json_text import encode_record
from ozzy.testing.found import ids_in, visible
from ozzy.testing.installed import make
from ozzy.testing.module import ModuleContract
from ozzy.testing.samples import HUGE, UNICODE
from ozzy.testing.verdict import as_text, shown

_STARTED = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
STATE = "state"
"""The folder, below the test's, where a run would keep what belongs to it alone."""


class WriterContract(ModuleContract):
    """What a writer promises: nothing to be seen before it is published, everything once after it, whoever publishes and how often.

        class TestShelf(WriterContract):
            module = ShelfWriter
            options = {"shelf": "out", "compression": "none"}

    A writer of files that are not local, or of no files, needs `oracle()`: the ids of the records that a user would find at the
    destination now. The records written are those that `record(number)` makes. `formatter` is a short name, or a section of a config.
    What a test of a writer without staging can't ask for is left out, as are light checkpoints where a writer has none.
    """

    formatter: Any = "json"
    speaks_with = (DestinationError,)
    local: ClassVar[bool] = True
    """Whether what is published lies below `self.folder`, so that bytes can be compared."""

    def record(self, number: int) -> dict[str, Any]:
        """The record of an id. Some are large, so that more than one piece of a file is written at once."""
        return {
            "id": number,
            "name": f"näme {number}",
            "country": ("es", "日本")[number % 2],
            "text": "x" * (200_000 if number % 7 == 3 else 10),
        }

    def oracle(self) -> Iterable[Any]:
        """The ids of the records at the destination, each as often as it is there."""
        return ids_in(self.folder)

    # A writer at work

    def begin(
        self, module: Any = None, *, folder: Path | None = None, grouped: bool = False, dry_run: bool = False, run: str = "run-1"
    ) -> BaseWriter:
        """A new writer, started as the same run would start it, in whichever process."""
        place = folder or self.folder
        place.mkdir(exist_ok=True)
        writer: BaseWriter = module or self.make(folder=place)
        if needs_files(type(writer)):
            writer = FedFiles(writer)
        context = WriterContext(
            run_id=run,
            label="writer",
            started=_STARTED,
            staging_folder=place / STATE / "staged" / "writer",
            formatter=make("formatter", self.formatter, Metadata(working_folder=place)),
            grouped=grouped,
            dry_run=dry_run,
        )
        writer.start(context)
        return writer

    def write(self, writer: BaseWriter, numbers: Iterable[int], group: tuple[str, ...] = ()) -> None:
        """Give a writer the records of these ids, as a run does."""
        records = [self.record(number) for number in numbers]
        self.give(writer, Batch.from_lines([encode_record(record) for record in records], split="all"), group)

    def give(self, writer: BaseWriter, batch: Batch, group: tuple[str, ...] = ()) -> None:
        """Give a writer a batch, as a run does."""
        if takes_group(writer):
            writer.write_batch(batch, group)
            return
        for record in batch:
            record.group_membership = group
        writer.write_batch(batch)

    def prepare(self, writer: BaseWriter, *, final: bool) -> dict[str, Any]:
        """What `prepare` gives, as it comes back from where it was saved."""
        receipt = writer.prepare(final=final)
        try:
            saved: dict[str, Any] = json.loads(json.dumps(receipt))
        except (TypeError, ValueError) as error:
            self.broken(f"the receipt of prepare() can't be saved as JSON ({error}): {shown(receipt)}")
        if as_text(saved) != as_text(receipt):
            self.broken(f"the receipt of prepare() is not the same when it was saved as JSON: {shown(receipt)} became {shown(saved)}")
        return saved

    def finish(self, writer: BaseWriter) -> dict[str, Any]:
        """End a run: the last prepare and publish."""
        writer.finish_writing()
        receipt = self.prepare(writer, final=True)
        writer.publish(receipt)
        return receipt

    def exercise(self, module: Any) -> Any:
        writer = self.begin(module)
        writer.resume(None)
        self.write(writer, range(3))
        receipt = self.finish(writer)
        return receipt, writer.results(receipt)

    def expect(self, numbers: Iterable[int], when: str) -> None:
        """Fail where the destination does not hold exactly the records of these ids."""
        wanted, found = Counter(map(str, numbers)), Counter(map(str, self.oracle()))
        lost, doubled = wanted - found, found - wanted
        strange = [one for one in doubled if one not in wanted]
        if lost:
            self.broken(f"{when}, {_some(lost, 'record')} of {wanted.total()} lost")
        if strange and not wanted:
            self.broken(f"{when}, the destination holds {_some(Counter(strange), 'record')} that nobody published")
        if doubled:
            self.broken(f"{when}, {_some(doubled, 'record')} more than once at the destination")

    def nothing_seen(self, when: str) -> None:
        """Fail where the destination shows anything."""
        files = visible(self.folder) if self.local else {}
        if files:
            self.broken(f"{when}, {min(files)} is to be seen at the destination")
        self.expect([], when)

    @property
    def staging(self) -> Staging:
        """How the writer stages."""
        return Staging.DURABLE if needs_files(self.module) else self.module.staging

    def needs(self, *stagings: Staging) -> None:
        """Skip the test for writers that stage in other ways."""
        if self.staging not in stagings:
            pytest.skip(f"not for a writer whose staging is {self.staging.value}")

    # Every writer

    def test_everything_written_arrives_once(self) -> None:
        """In one run, without any trouble."""
        writer = self.begin()
        writer.resume(None)
        for start in range(0, 20, 5):
            self.write(writer, range(start, start + 5))
        receipt = self.finish(writer)
        self.expect(range(20), "after a run without trouble")
        self._counted(receipt, 20)
        results = writer.results(receipt)
        if results and sum(result["rows"] for result in results if result["rows"] is not None) != 20:
            self.broken(f"results() speaks of {sum(result['rows'] for result in results)} rows where 20 were written")
        writer.close()

    def _counted(self, receipt: dict[str, Any], written: int) -> None:
        if "written" not in receipt:
            if self.staging is not Staging.NONE:
                self.broken("its receipts do not count: prepare() has to return `written`, the rows since the run began")
            return
        if receipt["written"] + receipt.get("ignored", 0) != written:
            self.broken(f"its receipt says {receipt['written']} rows are written, it was given {written}")

    def test_receipts_count_from_the_beginning_of_the_run(self) -> None:
        """`written` is a sum over all checkpoints, so that the books can be checked at each."""
        writer = self.begin()
        writer.resume(None)
        done = 0
        for size in (3, 4):
            self.write(writer, range(done, done + size))
            done += size
            receipt = self.prepare(writer, final=True)
            self._counted(receipt, done)
            writer.publish(receipt)
        writer.close()
        other = self.begin()
        other.resume(receipt)
        self.write(other, range(done, done + 2))
        self._counted(self.finish(other), done + 2)
        other.close()
        self.expect(range(done + 2), "after three checkpoints, the last in another process")

    def test_a_run_without_records(self) -> None:
        """Nothing to write is no error."""
        writer = self.begin()
        writer.resume(None)
        self.finish(writer)
        self.expect([], "after a run without records")
        writer.close()

    def test_groups(self) -> None:
        """Records of several groups all arrive."""
        writer = self.begin(grouped=True)
        writer.resume(None)
        for number in range(12):
            self.write(writer, [number], (("es", "uk", "../a/日本")[number % 3],))
        self.finish(writer)
        self.expect(range(12), "after a run with three groups")
        writer.close()

    @pytest.mark.parametrize("what", ["Unicode", "nulls and missing fields", "a huge record"])
    def test_records_with(self, what: str) -> None:
        """Records of all kinds arrive, or are refused with a DataError and then are not there."""
        base = self.record(1)
        odd: dict[str, Sequence[dict[str, Any]]] = {
            "Unicode": [base | {name: UNICODE for name, value in base.items() if isinstance(value, str)}],
            "nulls and missing fields": [base | {"name": None}, {"id": 2}],
            "a huge record": [base | {"name": "ü" * HUGE}],
        }
        writer = self.begin()
        writer.resume(None)
        arrived = []
        for number, record in enumerate(odd[what], 1):
            try:
                self.give(writer, Batch.from_lines([encode_record(record)]))
                arrived.append(number)
            except DataError:
                pass
        self.finish(writer)
        writer.close()
        self.expect(arrived, f"after a run with {what}")

    # Nothing before, everything after

    def test_nothing_is_to_be_seen_before_it_is_published(self) -> None:
        """Neither while writing nor when it is prepared."""
        self.needs(Staging.DURABLE, Staging.TRANSACTION)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(10))
        self.nothing_seen("before anything was prepared")
        if writer.resumable:
            self.prepare(writer, final=False)
            self.nothing_seen("after a light checkpoint, which publishes nothing")
        receipt = self.prepare(writer, final=True)
        self.nothing_seen("after prepare() and before publish()")
        writer.publish(receipt)
        self.expect(range(10), "after publish()")
        writer.close()

    def test_publishing_twice_is_the_same_as_once(self) -> None:
        """By the same object and by a new one, as after a kill between publishing and the commit."""
        self.needs(Staging.DURABLE, Staging.TRANSACTION)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(10))
        receipt = self.finish(writer)
        before = visible(self.folder)
        writer.publish(receipt)
        self.expect(range(10), "published twice by the same object")
        writer.close()
        other = self.begin()
        other.recover(receipt)
        other.publish(receipt)
        self.expect(range(10), "published again by a new object, as after a kill")
        if self.local and visible(self.folder) != before:
            self.broken("published again by a new object, files at the destination are not the same bytes")
        other.close()

    def test_recover_tells_what_became_of_it(self) -> None:
        """STAGED or GONE before publishing, PUBLISHED after it; and asking changes nothing."""
        self.needs(Staging.DURABLE, Staging.TRANSACTION)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(10))
        receipt = self.prepare(writer, final=True)
        writer.close()
        other = self.begin()
        outcomes = [other.recover(receipt), other.recover(receipt)]
        wanted = Outcome.STAGED if self.staging is Staging.DURABLE else Outcome.GONE
        if outcomes != [wanted, wanted]:
            why = "its data is durable" if self.staging is Staging.DURABLE else "its transaction died with the process"
            self.broken(
                f"prepared and not published, recover() says {' then '.join(one.name for one in outcomes)}: {why}, so it is {wanted.name}"
            )
        self.nothing_seen("after recover(), which changes nothing")
        if self.staging is Staging.TRANSACTION:
            other.resume(None)
            self.write(other, range(10))
            receipt = self.prepare(other, final=True)
        other.publish(receipt)
        other.close()
        third = self.begin()
        if third.recover(receipt) is not Outcome.PUBLISHED:
            self.broken(f"published, recover() of a new object says {third.recover(receipt).name}")
        third.close()
        self.expect(range(10), "published by another object than the one that prepared it")

    # Going on

    def test_going_on_after_a_light_checkpoint_cuts_back_what_is_newer(self) -> None:
        """What was written after the checkpoint is forgotten, and written again: no row is lost, none is double, no byte differs."""
        self.needs(Staging.DURABLE)
        writer = self.begin()
        if not writer.resumable:
            pytest.skip("it can't be continued in the middle of a file")
        writer.resume(None)
        self.write(writer, range(6))
        first = self.prepare(writer, final=False)
        self.write(writer, range(6, 12))
        second = self.prepare(writer, final=False)
        self.write(writer, range(12, 18))
        del writer
        for receipt, done in ((second, 12), (second, 12), (first, 6)):
            other = self.begin()
            if other.recover(receipt) is Outcome.GONE and receipt is not first:
                self.broken("after a kill, recover() says that the data of the last light checkpoint is gone")
            if other.recover(receipt) is Outcome.GONE:
                break
            other.resume(receipt)
            self.write(other, range(done, done + 8))
            del other
        other = self.begin()
        other.resume(second if other.recover(second) is not Outcome.GONE else None)
        begun = 12 if other.recover(second) is not Outcome.GONE else 0
        self.write(other, range(begun, 20))
        self._counted(self.finish(other), 20)
        other.close()
        self.expect(range(20), "gone on with after a light checkpoint")
        self._same_as_undisturbed()

    def _same_as_undisturbed(self) -> None:
        if not self.local or not (got := visible(self.folder)):
            return
        calm = self.folder / STATE / "calm"
        calm.parent.mkdir(exist_ok=True)
        writer = self.begin(folder=calm)
        writer.resume(None)
        self.write(writer, range(20))
        self.finish(writer)
        writer.close()
        wanted = visible(calm)
        for name in sorted({*wanted, *got}):
            if wanted.get(name) != got.get(name):
                self.broken(f"{name} is not, byte for byte, what a run that was never killed makes")

    def test_going_on_from_the_start_forgets_what_was_begun(self) -> None:
        """A run killed before its first checkpoint begins again: what it had written is not there."""
        self.needs(Staging.DURABLE, Staging.TRANSACTION)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(15))
        if self.staging is Staging.TRANSACTION:
            writer.close()
        del writer
        other = self.begin()
        other.resume(None)
        self.write(other, range(20))
        self.finish(other)
        other.close()
        self.expect(range(20), "begun again after a kill before the first checkpoint")
        self._same_as_undisturbed()

    def test_going_on_after_a_full_checkpoint(self) -> None:
        """What is published stays, what was written after it is forgotten, and the rest follows."""
        self.needs(Staging.DURABLE, Staging.TRANSACTION)
        writer = self.begin()
        writer.resume(None)
        self.write(writer, range(8))
        receipt = self.prepare(writer, final=True)
        writer.publish(receipt)
        self.write(writer, range(8, 12))
        lost = self.prepare(writer, final=True)
        writer.close()
        other = self.begin()
        if self.staging is Staging.TRANSACTION and other.recover(lost) is not Outcome.GONE:
            self.broken(f"a transaction that was never committed is {other.recover(lost).name}, says recover()")
        other.resume(receipt)
        self.write(other, range(8, 20))
        self.finish(other)
        other.close()
        self.expect(range(20), "gone on with after a full checkpoint")

    # Giving up

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
        self._counted(self.prepare(writer, final=True), 10)
        writer.close()
        left = [str(path.relative_to(self.folder)) for path in self.folder.rglob("*")]
        if left:
            self.broken(f"a dry run leaves {left[0]}")


def _some(ids: Counter[str], what: str) -> str:
    names = ", ".join(sorted(ids, key=lambda one: (len(one), one))[:5])
    more = ", …" if len(ids) > 5 else ""
    return f"{what} {names} is" if len(ids) == 1 else f"{len(ids)} {what}s ({names}{more}) are"
