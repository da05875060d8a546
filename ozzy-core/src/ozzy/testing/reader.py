"""The suite of readers."""

import gc
from collections.abc import Mapping
from itertools import cycle
from typing import Any

import pytest

import ozzy
from ozzy import BaseReader, OzzyError, SourceError, Split, StateError
from ozzy.contracts.module import overrides
from ozzy.testing.module import ModuleContract
from ozzy.testing.modules import registry
from ozzy.testing.reading import Piece, joined, pieces, ready, records_of
from ozzy.testing.samples import HUGE, UNICODE, plain_records
from ozzy.testing.verdict import as_text, difference, json_of, shown
from ozzy.testing.watch import open_files


class ReaderContract(ModuleContract):
    """What a reader promises: the same records for the same position, and after every position exactly the rest.

        class TestTap(ReaderContract):
            module = TapReader
            options = {"tap": "kitchen", "batch_size": 10}

    The options should make a source of several batches. `records` are the records it holds, compared where they are given. `enough` is
    how many batches to read of a split that has no end. `steady` is False where batches are not cut the same way each time. A reader
    of a source that a test can fill gets more tests by `holding(records, folder)`: fill the source, return the options to read it;
    `expected(records)` says what they come back as.
    """

    records: Any = None
    enough: int | None = None
    steady: bool = True
    speaks_with = (SourceError,)

    def holding(self, records: list[dict[str, Any]], folder: Any) -> Mapping[str, Any] | None:
        """Fill a source with these records (below `folder`, if it is local) and return the options that read it."""
        return None

    def expected(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What the records that `holding` was given come back as."""
        return records

    def reader(self, options: Mapping[str, Any] | None = None) -> BaseReader:
        """A new reader, ready to be read."""
        return ready(self.make(options))

    def all_of(self, reader: BaseReader) -> list[tuple[Split, list[Piece]]]:
        """Every split with its batches."""
        return [(split, list(pieces(reader, split, None, most=self.enough))) for split in reader.splits()]

    def everything(self, options: Mapping[str, Any] | None = None) -> list[tuple[Split, list[Piece]]]:
        """What a new reader gives, closed afterwards."""
        reader = self.reader(options)
        try:
            return self.all_of(reader)
        finally:
            reader.close()

    def exercise(self, module: Any) -> Any:
        read = self.all_of(ready(module))
        return [(split, [piece.position for piece in batches]) for split, batches in read]

    # Splits and records

    def test_splits_are_stable(self) -> None:
        """The same parts, in the same order, each time and for each reader; their ids are unique and can be saved."""
        reader = self.reader()
        first = list(reader.splits())
        again, other = list(reader.splits()), list(self.reader().splits())
        reader.close()
        if first != again:
            self.broken(f"its splits are others when asked again: {_splits(again)} instead of {_splits(first)}")
        if first != other:
            self.broken(f"its splits are others for a second reader of the same source: {_splits(other)} instead of {_splits(first)}")
        ids = [split.id for split in first]
        for split in first:
            if ids.count(split.id) > 1:
                self.broken(f"the id {split.id!r} belongs to {ids.count(split.id)} splits")
            try:
                split.id.encode()
            except UnicodeEncodeError:
                self.broken(f"the id {split.id!r} of a split can't be saved: it is no text in UTF-8")

    def test_the_same_records_come_each_time(self) -> None:
        """A second reader gives the same records, in the same batches, with the same positions."""
        first = self.everything()
        if not any(records_of(batches) for _, batches in first):
            self.broken("it gives no records with these options: make them name a source that has some")
        if not self.module.replayable:
            return
        for (split, batches), (_, again) in zip(first, self.everything(), strict=True):
            problem = difference(records_of(batches), records_of(again))
            if problem:
                self.broken(f"read a second time, split {split.id!r} is not the same: {problem}")
            if self.steady and [len(piece.records) for piece in batches] != [len(piece.records) for piece in again]:
                self.broken(f"read a second time, split {split.id!r} comes in other batches (say `steady = False` if it has to be so)")
            if self.steady and [as_text(piece.position) for piece in batches] != [as_text(piece.position) for piece in again]:
                self.broken(f"read a second time, split {split.id!r} has other positions after the same batches")

    def test_the_records_are_those_of_the_source(self) -> None:
        """What is known of the source comes out of it."""
        if self.records is not None:
            found = [record for _, batches in self.everything() for record in records_of(batches)]
            problem = difference(list(self.records), found)
            if problem:
                self.broken(f"it does not give what the source holds: {problem}")

    def test_batch_by_batch_the_inherited_way(self) -> None:
        """`set_last_position(None)`, then `get_next_batch` until it is finished, gives the same records as `read`."""
        if self.enough is not None:
            pytest.skip("the source has no end")
        expected = [record for _, batches in self.everything() for record in records_of(batches)]
        if not self.module.replayable:
            return
        reader, found = self.reader(), []
        try:
            reader.set_last_position(None)
        except Exception as error:
            self.broken(f"set_last_position(None), which is always called first, fails: {type(error).__name__}: {error}")
        while not reader.is_finished():
            found += [dict(record) for record in reader.get_next_batch()]
        reader.close()
        problem = difference(expected, found)
        if problem:
            self.broken(f"get_next_batch() and read() disagree: {problem}")

    # Positions

    def test_resuming_from_every_position_gives_exactly_the_rest(self) -> None:
        """A new reader that is given the position after any batch goes on with the record after it."""
        reader = self.reader()
        if not reader.resumable or not self.module.replayable:
            pytest.skip("it tells no position that can be gone on from")
        for split, batches in self.all_of(reader):
            for number, piece in enumerate(batches, 1):
                if piece.position is None:
                    self.broken(f"batch {number} of split {split.id!r} bears no position")
                self._resumed(split, batches, number)
        reader.close()

    def _resumed(self, split: Split, batches: list[Piece], number: int) -> None:
        position, done, left = batches[number - 1].position, records_of(batches[:number]), batches[number:]
        most = None if self.enough is None else len(left)
        reader = self.reader()
        try:
            rest = list(pieces(reader, split, position, most=most)) if most != 0 else []
        except OzzyError as error:
            self.broken(f"after resuming from {shown(position)} it fails: {error}")
        finally:
            reader.close()
        problem = difference(records_of(left), records_of(rest), before=done)
        if problem:
            self.broken(f"after resuming from {shown(position)} {problem}")
        if self.steady and [len(piece.records) for piece in rest] != [len(piece.records) for piece in left]:
            self.broken(f"after resuming from {shown(position)} the batches are cut elsewhere (say `steady = False` if it has to be so)")

    def test_positions_stay_what_they_are(self) -> None:
        """The position of a batch is not changed when the next one is read."""
        reader = self.reader()
        for split, batches in self.all_of(reader):
            for number, piece in enumerate(batches, 1):
                if piece.live != piece.position:
                    self.broken(
                        f"the position after batch {number} of split {split.id!r} was {shown(piece.position)} and became "
                        f"{shown(piece.live)} while reading went on: give each batch a position of its own"
                    )
        reader.close()

    def test_positions_survive_being_saved(self) -> None:
        """A run with a checkpoint after each batch can save every position, and its records are the same."""
        if self.enough is not None:
            pytest.skip("the source has no end")
        config = {
            "name": "contract",
            "reader": {"name": "under_test", "options": self.given},
            "writer": {"name": "bare", "options": {"path": str(self.folder / "rows.jl")}},
            "persistence": "memory",
            "checkpoint": {"every_records": 1},
            "errors": {"policy": "skip"},
        }
        try:
            result = ozzy.run(config, registry=registry(under_test=self.module), state_dir=self.folder / "state")
        except StateError as error:
            self.broken(f"{error.message}: a position is JSON, tuples, bytes, dates and datetimes")
        except OzzyError as error:
            self.broken(f"a run with it fails: {error}")
        count = sum(len(records_of(batches)) for _, batches in self.everything())
        if self.module.replayable and result.records_read != count:
            self.broken(f"a run reads {result.records_read} records where there are {count}")

    # Ranges

    @pytest.mark.parametrize("size", [1, 7, 64, 100_000])
    def test_ranges_hold_every_record_once(self, size: int) -> None:
        """The ranges of a split lie side by side, and what they hold, read by two readers in turn, is what the split holds."""
        for split, batches in self.everything() if self.enough is None and self.module.replayable else ():
            asked = self.reader()
            parts = list(asked.ranges(split, size))
            asked.close()
            if not parts:
                continue
            if [part.start for part in parts] != [0, *(part.end for part in parts[:-1])]:
                self.broken(f"the ranges of split {split.id!r} leave something out, or lie over each other: {shown(parts)}")
            workers = [self.reader(), self.reader()]
            turns = cycle(workers)
            found = joined(parts, lambda part: next(turns).read_range(split, part))  # noqa: B023 - called here, at once
            for worker in workers:
                worker.close()
            problem = difference(records_of(batches), [dict(record) for batch in found for record in batch])
            if problem:
                self.broken(f"read in ranges of {size} bytes, split {split.id!r} is not the same: {problem}")

    # Ends

    def test_stopping_in_the_middle_frees_what_it_holds(self) -> None:
        """An iterator that is closed, and then the reader, leave no file open."""
        self.everything()
        before = open_files()
        reader = self.reader()
        for split in reader.splits():
            list(pieces(reader, split, None, most=1))
        reader.close()
        gc.collect()
        left = (open_files() or set()) - (before or set())
        if left:
            self.broken(f"stopped after the first batch and closed, it still has open: {', '.join(sorted(left))}")

    def test_what_has_arrived_can_be_acknowledged(self) -> None:
        """`acknowledge` takes any position, more than once."""
        reader = self.reader()
        positions = [piece.position for _, batches in self.all_of(reader) for piece in batches]
        for position in (*positions[:2], *positions[-1:], *positions[-1:]):
            reader.acknowledge(position)
        reader.close()

    def test_nothing_is_new_since_its_own_bookmark(self) -> None:
        """The marks of `splits_since` are JSON; without any, all is new, and since those of a source that has not changed, nothing."""
        reader, other = self.reader(), self.reader()
        if not reader.incremental:
            pytest.skip("it can't tell what is new since a bookmark")
        holds = any(True for _ in reader.splits())
        first = list(reader.splits_since(iter(())))
        marks = [one.mark for one in first if one.mark is not None]
        for mark in marks:
            if json_of(mark) != mark:
                self.broken(f"its mark for a bookmark can't be saved as JSON: {mark!r:.200}")
        since = list(other.splits_since(iter(marks)))
        for one in (reader, other):
            one.close()
        if holds and all(one.split is None for one in first):
            self.broken("without a bookmark all of its source is new, but it lists nothing")
        again = [one.split for one in since if one.split is not None]
        if again:
            self.broken(f"it lists parts as new that its own bookmark holds: {_splits(again)}")
        if [one.mark for one in since if one.mark is not None] != marks:
            self.broken("its marks are others for a source that has not changed")

    # Sources of all kinds

    @pytest.mark.parametrize("what", ["nothing", "one record", "many records", "Unicode", "nulls and missing fields", "a huge record"])
    def test_a_source_with(self, what: str) -> None:
        """What was put into a source comes out of it."""
        if not overrides(self, "holding", ReaderContract):
            pytest.skip("define holding(records, folder) to have this tested")
        records = _KINDS[what]()
        options = self.holding(records, self.folder)
        assert options is not None
        found = [record for _, batches in self.everything(options) for record in records_of(batches)]
        problem = difference(self.expected(records), found)
        if problem:
            self.broken(f"of a source with {what}: {problem}")


_KINDS: Mapping[str, Any] = {
    "nothing": list,
    "one record": lambda: plain_records(1),
    "many records": lambda: plain_records(250),
    "Unicode": lambda: [{"id": 1, "name": UNICODE}, {"id": 2, "name": "日本", UNICODE.strip("\0"): "x"}],
    "nulls and missing fields": lambda: [{"id": 1, "name": None}, {"id": 2}, {"name": ""}],
    "a huge record": lambda: [{"id": 1, "name": "ü" * HUGE}, {"id": 2, "name": "x"}],
}


def _splits(splits: list[Split]) -> str:
    return shown([split.id if not split.fingerprint else f"{split.id} ({split.fingerprint})" for split in splits])
