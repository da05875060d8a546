"""What a writer promises where a run was taken over while its process, frozen or cut off, was still at work."""

import contextlib
from typing import Any

import pytest

from ozzy import DestinationError, Outcome, Staging
from ozzy.testing.writing import WriterAtWork


class Overtaken(WriterAtWork):
    """The part of the suite of writers that is about two processes, of which one no longer holds the lease."""

    def test_who_was_overtaken_commits_nothing(self) -> None:
        """After `fence` with a newer epoch the destination refuses the transaction of the older one."""
        self.needs(Staging.TRANSACTION)
        old = self.begin()
        old.resume(None)
        self.write(old, range(10))
        receipt = self.prepare(old, final=True)
        new = self.begin()
        self._refused(lambda: old.publish(receipt), "publish() under an older epoch than the one that fence() has stored since")
        self.nothing_seen("after one that was overtaken tried to publish")
        if new.recover(receipt) is not Outcome.GONE:
            self.broken(f"what one that was overtaken could not publish is {new.recover(receipt).name}, says recover()")
        new.resume(None)
        self.write(new, range(10))
        self.finish(new)
        new.close()
        old.close()
        self.expect(range(10), "after one that was overtaken tried to publish")

    def test_who_was_overtaken_commits_no_further_checkpoint(self) -> None:
        """Also where it had committed some before."""
        self.needs(Staging.TRANSACTION)
        old = self.begin()
        old.resume(None)
        self.write(old, range(5))
        receipt = self.prepare(old, final=True)
        old.publish(receipt)
        self.write(old, range(5, 10))
        late = self.prepare(old, final=True)
        new = self.begin()
        new.resume(receipt)
        self._refused(lambda: old.publish(late), "publish() of a further checkpoint under an older epoch")
        self.write(new, range(5, 20))
        self.finish(new)
        self._refused(lambda: old.fence(self.epoch - 1), "fence() with an older epoch than the one that is stored")
        new.close()
        old.close()
        self.expect(range(20), "gone on with while one that was overtaken tried to publish")

    def test_who_was_overtaken_spoils_nothing(self) -> None:
        """What it goes on writing is not in what the new one publishes, whatever it had open."""
        self.needs(Staging.DURABLE)
        old = self.begin(contested=True)
        if not old.resumable:
            pytest.skip("it can't be continued in the middle of a file")
        old.resume(None)
        self.write(old, range(6))
        receipt = self.prepare(old, final=False)
        new = self.begin(contested=True)
        begun = 0 if new.recover(receipt) is Outcome.GONE else 6
        new.resume(receipt if begun else None)
        when = "gone on with while one that was overtaken went on writing"
        with self.works(when):
            for first in range(begun, 18, 4):
                self.write(new, range(first, min(first + 4, 18)))
                with contextlib.suppress(Exception):
                    self.write(old, range(first, first + 9))
            with contextlib.suppress(Exception):
                old.prepare(final=False)
            self.write(new, range(18, 20))
            self.finish(new)
        new.close()
        self.expect(range(20), when)
        self.same_as_undisturbed(when)

    def test_who_was_overtaken_publishes_nothing_twice(self) -> None:
        """Frozen just before `publish`, it does that when another one has done it long since."""
        self.needs(Staging.DURABLE)
        old = self.begin(contested=True)
        old.resume(None)
        self.write(old, range(10))
        receipt = self.prepare(old, final=True)
        new = self.begin(contested=True)
        if new.recover(receipt) is Outcome.GONE:
            self.broken("after fence() recover() says that what an earlier holder has prepared is gone")
        new.publish(receipt)
        new.resume(receipt)
        self.write(new, range(10, 15))
        with contextlib.suppress(DestinationError):
            old.publish(receipt)
        self.write(new, range(15, 20))
        self.finish(new)
        with contextlib.suppress(DestinationError):
            old.publish(receipt)
        new.abandon()
        new.close()
        self.expect(range(20), "published again by one that was overtaken")

    def _refused(self, call: Any, what: str) -> None:
        try:
            call()
        except DestinationError:
            return
        except Exception as error:
            self.broken(f"{what} raises {type(error).__name__} ({error}) instead of DestinationError")
        self.broken(f"{what} is not refused: what it publishes would be there twice")
