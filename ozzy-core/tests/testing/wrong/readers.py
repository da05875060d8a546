"""Readers that are wrong, each in one way. `says` is which tests fail, and with what words."""
# ruff: noqa: RUF012

import itertools
import random
import uuid
from pathlib import Path

import pytest

from ozzy import BaseReader, Batch, Listed, SourceError, Split, option, options
from ozzy.testing import ReaderContract


@options
class CountOptions:
    count: int = option(default=20, help="How many records.")


class Counting(BaseReader):
    """Counts, rightly; the wrong ones derive from it."""

    Options = CountOptions
    size = 6

    def read(self, split, position):
        for start in range(position or 0, self.options.count, self.size):
            yield self.batch(split, start, min(start + self.size, self.options.count))

    def batch(self, split, start, end):
        return Batch.from_records([{"id": number} for number in range(start, end)], split=split.id, position=end)


class PositionBeforeTheData(Counting):
    """Its batches bear the position before them."""

    def batch(self, split, start, end):
        return Batch.from_records([{"id": number} for number in range(start, end)], split=split.id, position=start)


class TestPositionBeforeTheData(ReaderContract):
    module = PositionBeforeTheData
    says = {"test_resuming_from_every_position_gives_exactly_the_rest": r"PositionBeforeTheData: after resuming from 0 record 1 came twice"}


class PositionBeyondTheData(Counting):
    """Its batches bear a position that passes over a record."""

    def batch(self, split, start, end):
        return Batch.from_records([{"id": number} for number in range(start, end)], split=split.id, position=end + 1)


class TestPositionBeyondTheData(ReaderContract):
    module = PositionBeyondTheData
    says = {"test_resuming_from_every_position_gives_exactly_the_rest": r"after resuming from 7 record 7 is lost"}


class NoPosition(Counting):
    """Its batches bear none."""

    def batch(self, split, start, end):
        return Batch.from_records([{"id": number} for number in range(start, end)], split=split.id)


class TestNoPosition(ReaderContract):
    module = NoPosition
    says = {"test_resuming_from_every_position_gives_exactly_the_rest": r"batch 1 of split 'all' bears no position"}


class PositionThatCannotBeSaved(Counting):
    """Its position is a set."""

    def read(self, split, position):
        for start in range(max(position or {0}), self.options.count, self.size):
            end = min(start + self.size, self.options.count)
            yield Batch.from_records([{"id": number} for number in range(start, end)], split=split.id, position={end})


class TestPositionThatCannotBeSaved(ReaderContract):
    module = PositionThatCannotBeSaved
    says = {"test_positions_survive_being_saved": r"a reader's position holds a set, which can't be saved: a position is JSON"}


class PositionThatChanges(Counting):
    """All its batches bear one dict, which it changes."""

    def read(self, split, position):
        here = dict(position or {"next": 0})
        while here["next"] < self.options.count:
            start, here["next"] = here["next"], min(here["next"] + self.size, self.options.count)
            yield Batch.from_records([{"id": number} for number in range(start, here["next"])], split=split.id, position=here)


class TestPositionThatChanges(ReaderContract):
    module = PositionThatChanges
    says = {"test_positions_stay_what_they_are": r'the position after batch 1 of split \'all\' was \{"next": 6\} and became \{"next": 20\}'}


class LostTail(Counting):
    """It says that it is finished before it gives what is left."""

    def set_last_position(self, position):
        self.next = position or 0

    def get_last_position(self):
        return self.next

    def get_next_batch(self):
        start, self.next = self.next, min(self.next + self.size, self.options.count)
        self.finished = self.next == self.options.count
        return [] if self.finished else [{"id": number} for number in range(start, self.next)]

    read = BaseReader.read


class TestLostTail(ReaderContract):
    module = LostTail
    records = [{"id": number} for number in range(20)]
    says = {"test_the_records_are_those_of_the_source": r"it does not give what the source holds: record 19 is lost"}


class RemembersInItsClass(Counting):
    """Where it stands is kept in the class, so that a second reader goes on where the first one stopped."""

    turn = itertools.count()

    def read(self, split, position):
        first = next(RemembersInItsClass.turn)
        for start in range(position or 0, self.options.count, self.size):
            yield self.batch(split, start + first, min(start + self.size, self.options.count) + first)


class TestRemembersInItsClass(ReaderContract):
    module = RemembersInItsClass
    says = {"test_the_same_records_come_each_time": r"read a second time, split 'all' is not the same"}


class ByChance(Counting):
    """It cuts its batches by chance."""

    def read(self, split, position):
        start = position or 0
        while start < self.options.count:
            end = min(start + random.randint(1, 9), self.options.count)
            yield self.batch(split, start, end)
            start = end


class TestByChance(ReaderContract):
    module = ByChance
    says = {"test_the_same_records_come_each_time": r"comes in other batches \(say `steady = False` if it has to be so\)"}


class SplitsByChance(Counting):
    """Its splits have new names each time."""

    def splits(self):
        return [Split(str(uuid.uuid4())), Split(str(uuid.uuid4()))]


class TestSplitsByChance(ReaderContract):
    module = SplitsByChance
    says = {"test_splits_are_stable": r"its splits are others when asked again"}


class SplitsOfOneName(Counting):
    """Two splits have one id."""

    def splits(self):
        return [Split("a"), Split("a")]


class TestSplitsOfOneName(ReaderContract):
    module = SplitsOfOneName
    says = {"test_splits_are_stable": r"the id 'a' belongs to 2 splits"}


class NeedsAPosition(LostTail):
    """It can't begin at the beginning."""

    def set_last_position(self, position):
        self.next = position["next"]


class TestNeedsAPosition(ReaderContract):
    module = NeedsAPosition
    says = {"test_batch_by_batch_the_inherited_way": r"TypeError"}


class BadLines(Counting):
    """Its lines hold what no line may."""

    def batch(self, split, start, end):
        return Batch.from_lines([b'{"id":\n%d}' % number for number in range(start, end)], split=split.id, position=end)


class TestBadLines(ReaderContract):
    module = BadLines
    says = {"test_the_same_records_come_each_time": r"row 1 of batch 1 of split 'all' holds a line end or a byte order mark"}


class OfAnotherSplit(Counting):
    """Its batches say that they belong elsewhere."""

    def batch(self, split, start, end):
        return Batch.from_records([{"id": number} for number in range(start, end)], split="elsewhere", position=end)


class TestOfAnotherSplit(ReaderContract):
    module = OfAnotherSplit
    says = {"test_the_same_records_come_each_time": r"batch 1 of split 'all' says that it belongs to split 'elsewhere'"}


@options
class FileOptions:
    path: str = option(help="The file.", example="numbers.txt")


class BareErrors(Counting):
    """What the system raises goes through as it is."""

    Options = FileOptions
    size = 6

    def read(self, split, position):
        with self.path(self.options.path).open() as file:
            count = len(file.readlines())
        for start in range(position or 0, count, self.size):
            yield self.batch(split, start, min(start + self.size, count))


class FromAFile(ReaderContract):
    options = {"path": "numbers.txt"}

    @pytest.fixture(autouse=True)
    def with_a_file(self, in_a_place_of_its_own):
        (self.folder / "numbers.txt").write_text("1\n" * 20)


class TestBareErrors(FromAFile):
    module = BareErrors
    failing = {"path": "missing.txt"}
    says = {"test_failures_speak_to_the_user": r"when it fails it raises FileNotFoundError .* instead of SourceError"}


class ErrorsWithoutAPlace(BareErrors):
    """Its errors don't say which file."""

    def read(self, split, position):
        try:
            yield from super().read(split, position)
        except OSError as error:
            raise SourceError("an unexpected error occurred") from error


class TestErrorsWithoutAPlace(FromAFile):
    module = ErrorsWithoutAPlace
    says = {
        "test_failures_speak_to_the_user": r"the error does not say where it happened, none of numbers.txt is in it: an unexpected error"
    }


class LeavesFilesOpen(BareErrors):
    """A file stays open when reading stops in the middle."""

    kept: list[object] = []

    def read(self, split, position):
        self.kept.append(self.path(self.options.path).open())
        yield from super().read(split, position)


class TestLeavesFilesOpen(FromAFile):
    module = LeavesFilesOpen
    says = {
        "test_stopping_in_the_middle_frees_what_it_holds": r"stopped after the first batch and closed, it still has open: .*numbers.txt"
    }


class ReadsWhenMade(Counting):
    """Its constructor looks at the disk."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.here = [str(path) for path in Path("/").iterdir()]


class TestReadsWhenMade(ReaderContract):
    module = ReadsWhenMade
    says = {"test_making_it_touches_nothing": r"its constructor does I/O: os.listdir\('?/?.*'?\). Do that in the first call that needs it"}


class LosesWhatIsEmpty(Counting):
    """Of a source with one record it gives none."""

    def read(self, split, position):
        for batch in super().read(split, position):
            if len(batch) > 1:
                yield batch


class TestLosesWhatIsEmpty(ReaderContract):
    module = LosesWhatIsEmpty

    def holding(self, records, folder):
        return {"count": len(records)}

    def expected(self, records):
        return [{"id": number} for number in range(len(records))]

    says = {"test_a_source_with[one record]": r"of a source with one record: record 1 is lost"}


class MarkThatCannotBeSaved(Counting):
    """Its marks for a bookmark do not come back from JSON as they were."""

    def splits_since(self, bookmark):
        yield Listed(None if next(bookmark, None) else Split(), {1: "read"})


class TestMarkThatCannotBeSaved(ReaderContract):
    module = MarkThatCannotBeSaved
    says = {"test_nothing_is_new_since_its_own_bookmark": r"its mark for a bookmark can't be saved as JSON: \{1: 'read'\}"}


class AlwaysNew(Counting):
    """It takes everything for new, whatever the bookmark says."""

    def splits_since(self, bookmark):
        yield Listed(Split(), "read")


class TestAlwaysNew(ReaderContract):
    module = AlwaysNew
    says = {"test_nothing_is_new_since_its_own_bookmark": r"it lists parts as new that its own bookmark holds: .*all"}


class NeverNew(Counting):
    """It takes nothing for new."""

    def splits_since(self, bookmark):
        yield Listed(None, "read")


class TestNeverNew(ReaderContract):
    module = NeverNew
    says = {"test_nothing_is_new_since_its_own_bookmark": r"without a bookmark all of its source is new, but it lists nothing"}


class ForgetsWhatItPassesOver(Counting):
    """It marks only what is to be read, so that the run after the next reads everything again."""

    def splits_since(self, bookmark):
        if not next(bookmark, None):
            yield Listed(Split(), "read")


class TestForgetsWhatItPassesOver(ReaderContract):
    module = ForgetsWhatItPassesOver
    says = {"test_nothing_is_new_since_its_own_bookmark": r"its marks are others for a source that has not changed"}
