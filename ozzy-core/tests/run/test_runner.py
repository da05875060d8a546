import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.contracts.reader import BaseReader, Split
from ozzy.contracts.transform import BaseTransform
from ozzy.contracts.writer import BaseWriter, Staging
from ozzy.data.batch import Batch, Rejected
from ozzy.errors import DataError, DestinationError, Interrupted, PluginError, SourceError, StateError
from ozzy.options.settings import CheckpointSettings, FullEvery
from ozzy.run.books import Books
from ozzy.run.error_policy import ErrorPolicy
from ozzy.run.listener import Listener, Stop
from ozzy.run.outlets import Outlet
from ozzy.run.runner import Place, Runner
from ozzy.run.schedule import Schedule, SplitList
from ozzy.run.stages import FilterStage, GroupStage, Stage, TransformStage


class Numbers(BaseReader):
    """Splits `0`, `1` … with numbers each; in batches of two, as lines. A number below zero is a bad row, None a blank one."""

    def __init__(self, *parts: list[int | None], size: int = 2) -> None:
        super().__init__()
        self.parts = parts
        self.size = size
        self.closed = 0
        self.asked: list[Any] = []

    def splits(self) -> Iterator[Split]:
        return (Split(str(number)) for number in range(len(self.parts)))

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        self.asked.append((split.id, position))
        part = self.parts[int(split.id)]
        try:
            for at in range(position or 0, len(part), self.size):
                rows = part[at : at + self.size]
                good = [number for number in rows if number is not None and number >= 0]
                yield Batch.from_lines(
                    [b'{"n":%d}' % number for number in good],
                    split=split.id,
                    position=at + len(rows),
                    rejected=[Rejected(f"{split.id}, {number}", "below zero") for number in rows if number is not None and number < 0],
                    blank=sum(number is None for number in rows),
                    origin=[at + i for i, number in enumerate(rows) if number in good],
                )
        finally:
            self.closed += 1


class Kept(BaseWriter):
    staging = Staging.DURABLE

    def __init__(self, limit: int = 0) -> None:
        super().__init__({"options": {"items_limit": limit}})
        self.numbers: list[int] = []
        self.groups: list[Any] = []

    def write_batch(self, batch, group_key=None):
        self.numbers += [record["n"] for record in batch.records]
        self.groups.append(group_key)

    def staged_bytes(self) -> int:
        return 10 * len(self.numbers)


class Odd(BaseFilter):
    def filter(self, item):
        return item["n"] % 2 == 1


class Inverse(BaseTransform):
    one_to_one = True

    def transform_batch(self, batch):
        for item in batch:
            yield {"n": 100 // item["n"]}


class Twice(BaseTransform):
    def transform_batch(self, batch):
        for item in batch:
            yield item
            yield {"n": item["n"]}


class Parity(BaseGrouper):
    def key(self, item):
        return str(item["n"] % 2)


class Watcher(Listener):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def batch_done(self, progress):
        self.seen.append(progress)


def make(reader: BaseReader, *writers: Kept, stages: tuple[str, ...] = (), policy: ErrorPolicy | None = None, **more: Any) -> Any:
    """A runner whose checkpoints are kept in `taken`: kind, place, and what the writers had."""
    books, errors, taken = Books(), policy or ErrorPolicy(), []
    books.open("reader")
    kinds = {"filter_before": (FilterStage, Odd), "transform": (TransformStage, Inverse), "twice": (TransformStage, Twice)}
    made = [kinds[name][0](name, kinds[name][1](), books, errors) for name in stages if name != "grouper"]
    grouper = GroupStage("grouper", Parity(), books, errors) if "grouper" in stages else None
    outlets = [Outlet(f"writer{i}" if i else "writer", writer, books, errors) for i, writer in enumerate(writers)]
    settings = more.pop("settings", CheckpointSettings(every_seconds=0))
    options = {
        "schedule": Schedule(settings, light=all(writer.resumable for writer in writers)),
        "checkpoint": lambda kind, place: taken.append((kind, attrs.evolve(place), [list(writer.numbers) for writer in writers])),
        "listener": Listener(),
        "stop": Stop(),
        "splits": SplitList.make(reader.splits(), None),
    } | more
    stages_of: list[Stage] = made
    runner = Runner(reader=reader, stages=stages_of, grouper=grouper, outlets=outlets, books=books, errors=errors, **options)
    return runner, taken


def balanced(runner: Runner) -> dict[str, Any]:
    for outlet in runner.outlets:
        outlet.settle({})
    runner.books.check()
    return {name: (counts.records_in, counts.records_out, dict(counts.reasons)) for name, counts in runner.books.stages.items()}


def test_all_splits_are_read_in_order():
    writer, reader = Kept(), Numbers([1, 2, 3], [], [4, 5, 6, 7])
    runner, taken = make(reader, writer)
    runner.run()

    assert writer.numbers == [1, 2, 3, 4, 5, 6, 7]
    assert reader.asked == [("0", None), ("1", None), ("2", None)]
    assert reader.closed == 3
    assert [(kind, place.split, place.position, place.rows, place.finished) for kind, place, _ in taken] == [
        ("light", 0, 2, 0, False),
        ("light", 0, 3, 0, False),
        ("light", 2, 2, 0, False),
        ("light", 2, 4, 0, False),
    ]
    assert runner.place == Place(2, 4, 0, finished=True)
    assert balanced(runner) == {"reader": (7, 7, {}), "writer": (7, 7, {})}


def test_nothing_to_read():
    for reader in (Numbers(), Numbers([]), Numbers([], [])):
        runner, taken = make(reader, Kept())
        runner.run()

        assert (taken, runner.place.finished) == ([], True)
        assert balanced(runner) == {"reader": (0, 0, {}), "writer": (0, 0, {})}


def test_a_run_goes_on_from_any_checkpoint():
    parts = [1, 2, 3, 4, 5], [6, 7], [], [8]
    first, taken = make(Numbers(*parts), Kept())
    first.run()

    for _, place, [before] in taken:
        writer = Kept()
        writer.numbers = list(before)
        again, _ = make(Numbers(*parts), writer, place=attrs.evolve(place))
        again.run()
        assert writer.numbers == [1, 2, 3, 4, 5, 6, 7, 8]


def test_rows_go_through_the_stages_in_order():
    writer = Kept()
    runner, _ = make(Numbers([1, 2, 3, 4, 5]), writer, stages=("filter_before", "transform", "twice", "grouper"))
    runner.run()

    assert (writer.numbers, writer.groups) == ([100, 100, 33, 33, 20, 20], [("0",), ("1",), ("0",)])
    assert balanced(runner) == {
        "reader": (5, 5, {}),
        "filter_before": (5, 3, {"filtered": 2}),
        "transform": (3, 3, {}),
        "twice": (3, 6, {}),
        "grouper": (6, 6, {}),
        "writer": (6, 6, {}),
    }


def test_bad_and_blank_rows_of_the_reader_are_booked():
    writer, told = Kept(), []
    policy = ErrorPolicy("skip", on_reject=lambda stage, rejected: told.append((stage, rejected.where)))
    runner, _ = make(Numbers([1, -5, None, 2, -6]), writer, policy=policy)
    runner.run()

    assert (writer.numbers, told) == ([1, 2], [("reader", "0, -5"), ("reader", "0, -6")])
    assert balanced(runner)["reader"] == (5, 2, {"bad": 2, "blank": 1})


def test_a_bad_row_of_the_reader_ends_the_run_before_its_batch_is_written():
    writer = Kept()
    runner, taken = make(Numbers([1, 2, 3, -5]), writer)
    with pytest.raises(DataError, match="0, -5: below zero"):
        runner.run()

    assert (writer.numbers, len(taken)) == ([1, 2], 1)


def test_too_many_bad_rows_end_the_run():
    runner, _ = make(Numbers([1, -5, -6, -7, 2]), Kept(), policy=ErrorPolicy("skip", 2))
    with pytest.raises(DataError, match="more than 2 bad records; the last in reader: 0, -7: below zero"):
        runner.run()


@pytest.mark.parametrize("stage", ["filter_before", "transform", "grouper"])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_bad_rows_of_every_stage_are_skipped_and_booked(stage, size, monkeypatch):
    def fail(self: Any, item: Any) -> Any:
        if item["n"] % 3 == 0:
            raise ValueError("three")
        return True

    def each(self: Any, batch: Batch) -> Iterator[Any]:
        for item in batch:
            fail(self, item)
            yield item

    monkeypatch.setattr(Odd, "filter", fail)
    monkeypatch.setattr(Inverse, "transform_batch", each)
    monkeypatch.setattr(Parity, "key", fail)
    writer = Kept()
    runner, _ = make(Numbers(list(range(1, 11)), size=size), writer, stages=(stage,), policy=ErrorPolicy("skip"))
    runner.run()

    assert writer.numbers == [1, 2, 4, 5, 7, 8, 10]
    assert balanced(runner)[stage] == (10, 7, {"bad": 3})

    failing, _ = make(Numbers(list(range(1, 11)), size=size), Kept(), stages=(stage,))
    with pytest.raises(DataError, match=rf"^0, records? 3( to 4)?: {stage} \(.*\): ValueError: three"):
        failing.run()
    limited, _ = make(Numbers(list(range(1, 11)), size=size), Kept(), stages=(stage,), policy=ErrorPolicy("skip", 2))
    with pytest.raises(DataError, match=rf"^more than 2 bad records; the last in {stage}: 0, record 9: "):
        limited.run()


# limits


@pytest.mark.parametrize(
    ("limit", "place"),
    [(1, Place(0, None, 1)), (2, Place(0, None, 2)), (3, Place(0, 2, 1)), (4, Place(1, None, 1)), (5, Place(1, None, 2))],
)
def test_a_limit_counts_records_read(limit, place):
    writer, reader = Kept(), Numbers([1, 2, 3], [4, 5, 6])
    runner, _ = make(reader, writer, limit=limit)
    runner.run()

    assert writer.numbers == [1, 2, 3, 4, 5][:limit]
    assert runner.place == attrs.evolve(place, finished=True)
    assert balanced(runner)["reader"] == (limit, limit, {})
    assert reader.closed == len(reader.asked)


def test_a_limit_beyond_the_source():
    runner, _ = make(Numbers([1, 2, 3]), Kept(), limit=10)
    runner.run()

    assert runner.place == Place(0, 3, 0, finished=True)


def test_a_limit_counts_good_records_only():
    writer = Kept()
    runner, _ = make(Numbers([1, -5, None, 2, 3, 4]), writer, limit=3, policy=ErrorPolicy("skip"))
    runner.run()

    assert writer.numbers == [1, 2, 3]
    assert balanced(runner)["reader"] == (5, 3, {"bad": 1, "blank": 1})


def test_what_a_limit_left_is_read_by_whoever_goes_on():
    parts = [1, 2, 3, 4, 5, 6, 7]
    for limit in range(1, 8):
        first, second = Kept(), Kept()
        runner, _ = make(Numbers(parts, size=3), first, limit=limit)
        runner.run()
        for size in (1, 3, 4):
            second.numbers = list(first.numbers)
            again, taken = make(Numbers(parts, size=size), second, place=attrs.evolve(runner.place, finished=False))
            again.run()
            assert second.numbers == parts
            for _, place, [before] in taken:
                third = Kept()
                third.numbers = list(before)
                make(Numbers(parts, size=size), third, place=attrs.evolve(place))[0].run()
                assert third.numbers == parts


@pytest.mark.parametrize("stages", [(), ("filter_before",), ("filter_before", "transform"), ("grouper",)])
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_a_writers_limit_in_the_middle_of_a_batch(limit, stages):
    """The place is just behind the last row that the writer took."""
    parts, wanted = list(range(1, 12)), Kept()
    make(Numbers(parts, size=5), wanted, stages=stages)[0].run()
    writer = Kept(limit=limit)
    runner, _ = make(Numbers(parts, size=5), writer, stages=stages)
    runner.run()
    assert len(writer.numbers) == limit
    assert balanced(runner)["writer"][1] == limit

    rest = Kept()
    again, _ = make(Numbers(parts, size=5), rest, stages=stages, place=attrs.evolve(runner.place, finished=False))
    again.run()
    assert sorted(writer.numbers + rest.numbers) == sorted(wanted.numbers)


def test_a_writers_limit_behind_a_stage_that_makes_records_of_its_own():
    writer = Kept(limit=3)
    runner, _ = make(Numbers([1, 2, 3, 4, 5]), writer, stages=("twice",))
    runner.run()

    assert writer.numbers == [1, 1, 2]
    assert runner.place == Place(0, None, 2, finished=True)
    assert balanced(runner)["writer"] == (4, 3, {"limited": 1})


def test_a_writers_limit_of_exactly_a_batch():
    runner, _ = make(Numbers([1, 2, 3, 4, 5]), Kept(limit=4))
    runner.run()

    assert runner.place == Place(0, 4, 0, finished=True)


def test_several_writers_go_on_until_all_are_full():
    one, two, three = Kept(limit=1), Kept(limit=5), Kept(limit=2)
    runner, _ = make(Numbers(list(range(10)), size=3), one, two, three)
    runner.run()

    assert (one.numbers, two.numbers, three.numbers) == ([0], [0, 1, 2, 3, 4], [0, 1])
    assert runner.place == Place(0, 3, 2, finished=True)
    assert balanced(runner)["writer"] == (6, 1, {"limited": 5})


def test_a_writer_without_a_limit_is_given_everything():
    one, two = Kept(limit=1), Kept()
    runner, _ = make(Numbers([1, 2, 3]), one, two)
    runner.run()

    assert (one.numbers, two.numbers) == ([1], [1, 2, 3])
    assert runner.place == Place(0, 3, 0, finished=True)


def test_bad_rows_of_a_limited_writer_lose_nothing():
    class Fussy(Kept):
        def write_batch(self, batch, group_key=None):
            for row, record in enumerate(batch.records):
                if record["n"] % 2:
                    raise DataError("odd", row=row)
            super().write_batch(batch, group_key)

    writer = Fussy(limit=5)
    runner, _ = make(Numbers(list(range(20)), size=4), writer, policy=ErrorPolicy("skip"))
    runner.run()

    assert writer.numbers == [0, 2, 4, 6, 8]
    assert balanced(runner)["writer"] == (12, 5, {"bad": 4, "limited": 3})


def test_a_writer_that_takes_no_more_ends_the_run():
    class Shut(Kept):
        full = False

        def write_batch(self, batch, group_key=None):
            super().write_batch(batch, group_key)
            self.full = True

    writer = Shut()
    runner, _ = make(Numbers([1, 2, 3]), writer)
    runner.run()
    assert (writer.numbers, runner.place) == ([1, 2], Place(0, 2, 0, finished=True))

    again, _ = make(Numbers([1, 2, 3]), writer, place=Place(0, 2))
    again.run()
    assert (writer.numbers, again.place) == ([1, 2], Place(0, 2, 0, finished=True))
    assert balanced(again) == {"reader": (1, 1, {}), "writer": (1, 0, {"limited": 1})}


def test_without_writers_everything_is_read():
    runner, _ = make(Numbers([1, 2, 3]))
    runner.run()

    assert runner.books.to_dict()["reader"]["out"] == 3


# checkpoints


def test_checkpoints_by_records_and_bytes_staged():
    def kinds(**settings: Any) -> list[str]:
        runner, taken = make(Numbers(list(range(10))), Kept(), settings=CheckpointSettings(**settings))
        runner.run()
        return [f"{kind} {place.position}" for kind, place, _ in taken]

    assert kinds(every_records=4) == ["light 4", "light 8"]
    assert kinds(every_records=4, full_every=FullEvery(records=6)) == ["light 4", "full 6", "light 10"]
    assert kinds(every_bytes=40) == ["light 4", "light 8"]
    assert kinds(every_records=100, full_every=FullEvery(bytes=60)) == ["full 6"]
    assert kinds(every_records=100, staged_limit=80) == ["full 8", "full 10"]


def test_a_reader_that_tells_no_position_has_none_in_the_middle():
    class Forgetful(BaseReader):
        def __init__(self) -> None:
            super().__init__()
            self.left = [1, 2, 3]

        def get_next_batch(self):
            self.finished = len(self.left) == 1
            return [{"n": self.left.pop(0)}]

    writer = Kept()
    runner, taken = make(Forgetful(), writer)
    runner.run()

    assert (writer.numbers, taken) == ([1, 2, 3], [])


def test_an_idle_reader_is_waited_for():
    class Idle(Numbers):
        def read(self, split, position):
            yield Batch(split="0", position=0)
            yield from super().read(split, None)
            yield Batch(split="0", position=99)

    writer = Kept()
    runner, taken = make(Idle([1]), writer, stages=("filter_before", "grouper"))
    runner.run()

    assert (writer.numbers, [place.position for _, place, _ in taken]) == ([1], [0, 1, 99])


def test_the_time_of_checkpoints_is_told_to_the_schedule():
    runner, _ = make(Numbers([1, 2]), Kept(), checkpoint=lambda kind, place: time.sleep(0.01))
    runner.run()

    assert runner.schedule.cost >= 0.01
    assert runner.seconds()["checkpoints"] >= 0.01


# stopping


@pytest.mark.parametrize("code", [130, 143])
def test_a_stop_ends_after_the_batch_with_a_light_checkpoint(code):
    stop = Stop()

    class Stops(Kept):
        def write_batch(self, batch, group_key=None):
            super().write_batch(batch, group_key)
            stop.set(code)

    assert not stop.is_set()
    writer, reader = Stops(), Numbers([1, 2, 3, 4])
    runner, taken = make(reader, writer, stop=stop, settings=CheckpointSettings())
    with pytest.raises(Interrupted) as caught:
        runner.run()

    assert caught.value.code == code
    assert [(kind, place.position, numbers) for kind, place, numbers in taken] == [("light", 2, [[1, 2]])]
    assert (reader.closed, runner.place.finished) == (1, False)


def test_a_stop_publishes_nothing_where_no_light_checkpoint_is_possible():
    class Block(Kept):
        staging = Staging.NONE

    stop = Stop()
    stop.set()
    for more in ({}, {"checkpoint": None}):
        runner, taken = make(Numbers([1, 2, 3]), Block(), stop=stop, settings=CheckpointSettings(), **more)
        with pytest.raises(Interrupted):
            runner.run()
        assert taken == []


def test_a_stop_in_the_last_batch_of_a_limit_lets_the_run_finish():
    stop = Stop()
    stop.set()
    runner, _ = make(Numbers([1, 2, 3]), Kept(), stop=stop, limit=1)
    runner.run()

    assert runner.place.finished


# errors


def test_what_a_reader_raises_is_blamed_on_it():
    class Broken(Numbers):
        def read(self, split, position):
            yield from super().read(split, position)
            raise EOFError("cut")

    class AtOnce(Numbers):
        def read(self, split, position):
            raise KeyError("x")

    class Refuses(Numbers):
        def read(self, split, position):
            raise StateError("mine")

    writer = Kept()
    with pytest.raises(SourceError, match=r"^reading 0 \(Broken\) failed: EOFError: cut$"):
        make(Broken([1, 2, 3]), writer)[0].run()
    assert writer.numbers == [1, 2, 3]
    with pytest.raises(SourceError, match=r"^reading 0 \(AtOnce\) failed: KeyError: 'x'$"):
        make(AtOnce([1]), Kept())[0].run()
    with pytest.raises(StateError, match=r"^mine$"):
        make(Refuses([1]), Kept())[0].run()


def test_a_reader_may_give_a_list_of_batches():
    class Listed(Numbers):
        def read(self, split, position):
            return list(super().read(split, position))

    writer = Kept()
    make(Listed([1, 2, 3], [4]), writer)[0].run()

    assert writer.numbers == [1, 2, 3, 4]


def test_a_source_is_closed_when_a_writer_fails():
    class Broken(Kept):
        def write_batch(self, batch, group_key=None):
            raise OSError("full")

    reader = Numbers([1, 2, 3, 4])
    with pytest.raises(DestinationError, match=r"writer \(Broken\) failed: OSError: full"):
        make(reader, Broken())[0].run()

    assert reader.closed == 1


# telling


def test_progress_is_told_after_each_batch():
    watcher = Watcher()
    runner, _ = make(Numbers([1, 2, 3]), Kept(), Kept(), listener=watcher, stages=("filter_before",))
    runner.run()

    assert [(p.records_read, p.records_written, p.bytes_read, p.files) for p in watcher.seen] == [(2, 2, 14, 0), (3, 4, 21, 0)]
    assert watcher.seen[0].seconds <= watcher.seen[1].seconds


def test_files_are_counted():
    class Files:
        next_file = 3

    writer = Kept()
    writer.files = Files()
    runner, _ = make(Numbers([1]), writer)

    assert runner.progress().files == 3


def test_times_are_told_by_their_inherited_names():
    told = []
    stages = ("filter_before", "transform", "grouper")
    runner, _ = make(
        Numbers([1, 2, 3, 5]), Kept(), Kept(), stages=stages, report=told.append, checkpoint=lambda kind, place: time.sleep(0.005)
    )
    runner.run()

    assert len(told) == 2
    assert set(told[0]) == {"read", "filtered", "transformed", "filtered_after", "grouped", "written", "persisted"}
    assert told[0]["filtered_after"] == 0.0
    assert all(times["persisted"] >= 0.005 for times in told)
    assert all(times[name] > 0 for times in told for name in ("filtered", "transformed", "grouped", "written"))
    assert set(runner.seconds()) == {"reader", "filter_before", "transform", "grouper", "writer", "writer1", "checkpoints"}


def test_numbered_transforms_count_as_transforms():
    told = []
    books, errors = Books(), ErrorPolicy()
    books.open("reader")
    stages: list[Stage] = [TransformStage(f"transform.{i}", Twice(), books, errors) for i in range(2)]
    reader, writer = Numbers([1]), Kept()
    Runner(
        reader=reader,
        splits=SplitList.make(reader.splits(), None),
        stages=stages,
        grouper=None,
        outlets=[Outlet("writer", writer, books, errors)],
        books=books,
        errors=errors,
        schedule=Schedule(CheckpointSettings(), light=True),
        checkpoint=None,
        listener=Listener(),
        stop=Stop(),
        report=told.append,
    ).run()

    assert writer.numbers == [1, 1, 1, 1]
    assert told[0]["transformed"] > 0


def test_a_listener_needs_no_method():
    listener = Listener()
    listener.run_started("run", "pipeline", resumed=False)
    listener.checkpoint_committed("light", 1, 0.1)
    listener.run_finished(None)
    assert listener.batch_done(None) is None  # type: ignore[arg-type, func-returns-value]


def test_records_of_an_earlier_process_are_told_apart():
    class Told(Listener):
        def batch_done(self, progress: Any) -> None:
            seen.append((progress.records_read, progress.records_before))

    seen: list[tuple[int, int]] = []
    first, _ = make(Numbers([1, 2, 3, 4]), limit=2, listener=Told())
    first.run()
    second, _ = make(Numbers([1, 2, 3, 4]), place=Place(0, 2), listener=Told())
    second.books.restore(first.books.to_dict())
    second.run()

    assert seen == [(2, 0), (4, 2)]


@pytest.mark.parametrize("position", [7, {"at": [1, 2]}])
def test_a_position_that_does_not_move_is_refused_before_its_records_go_on(position: Any) -> None:
    class Stands(Numbers):
        def read(self, split: Split, position_before: Any) -> Iterator[Batch]:
            for batch in super().read(split, None):
                batch.position = position
                yield batch

    written = Kept()
    runner, _ = make(Stands([1, 2, 3, 4]), written)

    with pytest.raises(PluginError, match=r"^Stands gave 2 records of 0 with the position that stood before them\nA resumed run would"):
        runner.run()

    assert runner.books.stages["reader"].records_out == 2


def test_a_position_may_stand_still_where_nothing_came_or_none_is_told() -> None:
    class Idle(Numbers):
        def read(self, split: Split, position: Any) -> Iterator[Batch]:
            for batch in super().read(split, position):
                yield batch
                yield Batch.from_lines([], split=split.id, position=batch.position)

    class Silent(Numbers):
        def read(self, split: Split, position: Any) -> Iterator[Batch]:
            for batch in super().read(split, position):
                batch.position = None
                yield batch

    for reader in (Idle([1, 2, 3, 4]), Silent([1, 2, 3, 4])):
        runner, _ = make(reader)
        runner.run()
        assert runner.books.stages["reader"].records_out == 4


def test_a_reader_that_moves_the_position_it_is_given_moves_its_own() -> None:
    """As inherited ones do, which keep it and count in it: where the run stands is the run's."""

    class Counts(Numbers):
        def read(self, split: Split, position: Any) -> Iterator[Batch]:
            position = position or {"at": 0}
            for batch in super().read(split, position["at"]):
                position["at"] += len(batch)
                batch.position = dict(position)
                yield batch

    kept = Kept(limit=1)
    runner, _ = make(Counts([1, 2, 3, 4]), kept, place=Place(0, {"at": 2}))

    runner.run()

    assert (kept.numbers, runner.place.position, runner.place.rows) == ([3], {"at": 2}, 1)
