"""The suite of writers."""

from collections.abc import Sequence
from typing import Any

import pytest

from ozzy import Batch, DataError, Outcome, Staging
from ozzy.data.json_text import encode_record
from ozzy.testing.found import visible
from ozzy.testing.overtaken import Overtaken
from ozzy.testing.samples import HUGE, UNICODE
from ozzy.testing.taking_back import TakingBack


class WriterContract(TakingBack, Overtaken):
    """What a writer promises: nothing to be seen before it is published, everything once after it, whoever publishes and how often.

        class TestShelf(WriterContract):
            module = ShelfWriter
            options = {"shelf": "out", "compression": "none"}

    A writer of files that are not local, or of no files, needs `oracle()`: the ids of the records that a user would find at the
    destination now. The records written are those that `record(number)` makes. `formatter` is a short name, or a section of a config.
    What a test of a writer without staging can't ask for is left out, as are light checkpoints where a writer has none.
    """

    # Every writer

    def test_everything_written_arrives_once(self) -> None:
        """In one run, without any trouble."""
        writer = self.begin()
        writer.resume(None)
        for start in range(0, 20, 5):
            self.write(writer, range(start, start + 5))
        receipt = self.finish(writer)
        self.expect(range(20), "after a run without trouble")
        self.counted(receipt, 20)
        results = writer.results(receipt)
        if results and sum(result["rows"] for result in results if result["rows"] is not None) != 20:
            self.broken(f"results() speaks of {sum(result['rows'] for result in results)} rows where 20 were written")
        writer.close()

    def test_receipts_count_from_the_beginning_of_the_run(self) -> None:
        """`written` is a sum over all checkpoints, so that the books can be checked at each."""
        writer = self.begin()
        writer.resume(None)
        done = 0
        for size in (3, 4):
            self.write(writer, range(done, done + size))
            done += size
            receipt = self.prepare(writer, final=True)
            self.counted(receipt, done)
            writer.publish(receipt)
        writer.close()
        other = self.begin()
        other.resume(receipt)
        self.write(other, range(done, done + 2))
        self.counted(self.finish(other), done + 2)
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

    def test_preparing_twice_is_the_same_as_once(self) -> None:
        """Two light checkpoints with nothing between them: writing goes on as if there had been one."""
        self.needs(Staging.DURABLE)
        writer = self.begin()
        if not writer.resumable:
            pytest.skip("it can't be continued in the middle of a file")
        writer.resume(None)
        self.prepare(writer, final=False)
        self.write(writer, range(10))
        counts = [self.prepare(writer, final=False).get("written") for _ in range(2)]
        if counts[0] != counts[1]:
            self.broken(f"prepared twice, its receipts say {counts[0]} and then {counts[1]} rows are written")
        self.write(writer, range(10, 20))
        self.finish(writer)
        writer.close()
        self.expect(range(20), "prepared twice")
        self.same_as_undisturbed()

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
            with self.works("gone on with after a light checkpoint"):
                other.resume(receipt)
                self.write(other, range(done, done + 8))
            del other
        other = self.begin()
        with self.works("gone on with after a light checkpoint"):
            other.resume(second if other.recover(second) is not Outcome.GONE else None)
            begun = 12 if other.recover(second) is not Outcome.GONE else 0
            self.write(other, range(begun, 20))
            self.counted(self.finish(other), 20)
        other.close()
        self.expect(range(20), "gone on with after a light checkpoint")
        self.same_as_undisturbed()

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
        self.same_as_undisturbed()

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
