"""More readers that are wrong: in what they give, and in what they say of it."""
# ruff: noqa: E501, RUF012

import itertools

import pytest

from ozzy import BaseReader, Batch, SourceError, Split
from ozzy.testing import ReaderContract, reading


class Twenty(BaseReader):
    """Twenty records in batches of six, rightly."""

    size = 6

    def read(self, split, position):
        for start in range(position or 0, 20, self.size):
            end = min(start + self.size, 20)
            yield Batch.from_records([{"id": number} for number in range(start, end)], split=split.id, position=end)


class SplitsOfTheReader(Twenty):
    """Each reader has splits of its own."""

    made = itertools.count()

    def splits(self):
        self.own = getattr(self, "own", None) or str(next(self.made) + 1)
        return [Split(self.own)]


class TestSplitsOfTheReader(ReaderContract):
    module = SplitsOfTheReader
    says = {"test_splits_are_stable": r"its splits are others for a second reader of the same source: \[\"\d+\"\] instead of"}


class SplitsWithFingerprints(Twenty):
    """The fingerprint is another one each time, and the name is no UTF-8."""

    asked = itertools.count()

    def splits(self):
        return [Split("a", fingerprint=str(next(self.asked)))]


class TestSplitsWithFingerprints(ReaderContract):
    module = SplitsWithFingerprints
    says = {"test_splits_are_stable": r"its splits are others when asked again: \[\"a \(\d+\)\"\] instead of"}


class SplitThatCannotBeSaved(Twenty):
    """Its split has a name that is no text in UTF-8."""

    def splits(self):
        return [Split("\udcff")]


class TestSplitThatCannotBeSaved(ReaderContract):
    module = SplitThatCannotBeSaved
    says = {"test_splits_are_stable": r"the id '\\udcff' of a split can't be saved: it is no text in UTF-8"}


class NoRecords(Twenty):
    """It gives nothing."""

    def read(self, split, position):
        return iter(())


class TestNoRecords(ReaderContract):
    module = NoRecords
    says = {"test_the_same_records_come_each_time": r"it gives no records with these options: make them name a source that has some"}


class OtherPositions(Twenty):
    """The same batches bear other positions each time."""

    serial = itertools.count()

    def read(self, split, position):
        for batch in super().read(split, position and position[0]):
            batch.position = [batch.position, next(self.serial)]
            yield batch


class TestOtherPositions(ReaderContract):
    module = OtherPositions
    says = {"test_the_same_records_come_each_time": r"read a second time, split 'all' has other positions after the same batches"}


class TwoWays(Twenty):
    """get_next_batch() leaves out what read() gives."""

    def get_next_batch(self):
        self.finished = True
        return [{"id": number} for number in range(19)]


class TestTwoWays(ReaderContract):
    module = TwoWays
    says = {"test_batch_by_batch_the_inherited_way": r"get_next_batch\(\) and read\(\) disagree: record 20 is lost"}


class OnlyFromTheBeginning(Twenty):
    """It can be read from the beginning, and from nowhere else."""

    def set_last_position(self, position):
        raise ValueError("no")

    def read(self, split, position):
        if position is not None:
            raise SourceError("the tap can't be read from the middle")
        yield from super().read(split, position)


class TestOnlyFromTheBeginning(ReaderContract):
    module = OnlyFromTheBeginning
    says = {
        "test_resuming_from_every_position_gives_exactly_the_rest": r"after resuming from 6 it fails: the tap can't be read from the middle",
        "test_batch_by_batch_the_inherited_way": r"set_last_position\(None\), which is always called first, fails: ValueError: no",
    }


class OtherBatchesOnResume(Twenty):
    """Resumed, it cuts the same records into other batches."""

    def read(self, split, position):
        self.size = 6 if position is None else 5
        yield from super().read(split, position)


class TestOtherBatchesOnResume(ReaderContract):
    module = OtherBatchesOnResume
    says = {"test_resuming_from_every_position_gives_exactly_the_rest": r"after resuming from 6 the batches are cut elsewhere"}


class FailsInARun(Twenty):
    """It does not bear to be acknowledged."""

    def acknowledge(self, position):
        raise SourceError("nobody is to know")


class TestFailsInARun(ReaderContract):
    module = FailsInARun
    says = {"test_positions_survive_being_saved": r"a run with it fails: nobody is to know"}


class FewerInARun(Twenty):
    """It gives fewer records where it is acknowledged."""

    def read(self, split, position):
        self.over = False
        for batch in super().read(split, position):
            if not self.over:
                yield batch

    def acknowledge(self, position):
        self.over = True


class TestFewerInARun(ReaderContract):
    module = FewerInARun
    says = {"test_positions_survive_being_saved": r"a run reads 6 records where there are 20"}


class NoEnd(BaseReader):
    """It has no end."""

    def read(self, split, position):
        for number in itertools.count(position or 0):
            yield Batch.from_records([{"id": number}], split=split.id, position=number + 1)


class TestNoEnd(ReaderContract):
    module = NoEnd
    says = {"test_the_same_records_come_each_time": r"split 'all' has no end: 50 batches were read. Say in `enough` how many to read"}

    @pytest.fixture(autouse=True)
    def with_little_patience(self, monkeypatch):
        monkeypatch.setattr(reading, "LIMIT", 50)


class NoBatch(Twenty):
    """Its batches are lists."""

    def read(self, split, position):
        yield [{"id": 1}]


class TestNoBatch(ReaderContract):
    module = NoBatch
    says = {"test_the_same_records_come_each_time": r"batch 1 of split 'all' is a list, not a Batch"}


class ShortOrigin(Twenty):
    """Says for fewer rows where they come from."""

    def read(self, split, position):
        for batch in super().read(split, position):
            batch.origin = [0]
            yield batch


class TestShortOrigin(ReaderContract):
    module = ShortOrigin
    says = {"test_the_same_records_come_each_time": r"batch 1 of split 'all' has 6 rows and an `origin` for 1"}


class BadRowsAmongTheLines(Twenty):
    """Passes on what is no record."""

    def read(self, split, position):
        yield Batch.from_lines([b'{"id": 1}', b"{"], split=split.id, position=2)


class TestBadRowsAmongTheLines(ReaderContract):
    module = BadRowsAmongTheLines
    says = {
        "test_the_same_records_come_each_time": r"row 2 of batch 1 of split 'all' is no good line \(.*\): bad rows belong into `rejected`"
    }


class NoMappings(Twenty):
    """Its records are lists."""

    def read(self, split, position):
        yield Batch(records=[{"id": 1}, [2]], split=split.id, position=2)


class TestNoMappings(ReaderContract):
    module = NoMappings
    says = {"test_the_same_records_come_each_time": r"row 2 of batch 1 of split 'all' is a list, not a mapping"}


class TestNoModule(ReaderContract):
    says = {"test_splits_are_stable": r"TestNoModule has no `module`: write `module = YourClass` in it"}


class TestDoesNotFail(ReaderContract):
    module = Twenty
    failing = {}
    says = {"test_failures_speak_to_the_user": r"with the options in `failing` it does not fail"}

    @pytest.fixture(autouse=True)
    def as_if_it_could_fail(self, in_a_place_of_its_own):
        self.failing_options = {"from_env": {}}
