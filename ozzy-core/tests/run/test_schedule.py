from pathlib import Path
from typing import Any

import pytest

from ozzy.contracts.reader import Split
from ozzy.errors import SourceError, StateError
from ozzy.options.settings import CheckpointSettings, FullEvery
from ozzy.run.schedule import Schedule, SplitList


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def schedule(clock: Clock, *, light: bool = True, by_clock: bool = True, **settings: Any) -> Schedule:
    return Schedule(CheckpointSettings(**settings), light=light, clock=by_clock, now=clock)


def test_nothing_is_due_at_the_start(clock):
    assert schedule(clock).due(0) is None


def test_light_ones_by_records(clock):
    made = schedule(clock, every_records=100)
    made.add(99, 0)
    assert made.due(0) is None
    made.add(1, 0)
    assert made.due(0) == "light"
    made.done("light", 0.1)
    assert made.due(0) is None


def test_light_ones_by_bytes_staged(clock):
    made = schedule(clock, every_bytes=100)
    made.add(5000, 99)
    assert made.due(99) is None
    made.add(1, 1)
    assert made.due(100) == "light"
    made.done("light", 0.1)
    assert made.due(100) is None


def test_light_ones_by_the_clock(clock):
    made = schedule(clock, every_seconds=2.5)
    clock.time += 2.4
    assert made.due(0) is None
    clock.time += 0.1
    assert made.due(0) == "light"
    made.done("light", 1.0)
    clock.time += 2.5
    assert made.due(0) == "light"


def test_every_batch_where_asked(clock):
    assert schedule(clock, every_seconds=0).due(0) == "light"


def test_thirty_seconds_where_nothing_is_set(clock):
    made = schedule(clock)
    clock.time += 29.9
    assert made.due(0) is None
    clock.time += 0.1
    assert made.due(0) == "light"


@pytest.mark.parametrize(("cost", "wait"), [(0.1, 30), (0.6, 30), (1.0, 50), (12.0, 600)])
def test_they_cost_at_most_two_percent_of_the_run(cost, wait, clock):
    made = schedule(clock)
    made.done("light", cost)
    clock.time += wait - 0.1
    assert made.due(0) is None
    clock.time += 0.2
    assert made.due(0) == "light"


@pytest.mark.parametrize("settings", [{"every_records": 5}, {"every_bytes": 5}])
def test_what_is_set_stands_for_the_clock(settings, clock):
    made = schedule(clock, **settings)
    clock.time += 1e6

    assert made.due(0) is None


def test_full_ones_by_records(clock):
    made = schedule(clock, every_records=10, full_every=FullEvery(records=25))
    seen = []
    for _ in range(8):
        made.add(10, 0)
        seen.append(made.due(0))
        made.done(seen[-1], 0.0)

    assert seen == ["light", "light", "full", "light", "light", "full", "light", "light"]


def test_full_ones_by_bytes_staged(clock):
    made = schedule(clock, full_every=FullEvery(bytes=100))
    made.add(1, 60)
    assert made.due(60) is None
    made.add(1, 60)
    assert made.due(120) == "full"
    made.done("full", 0.0)
    assert made.due(0) is None


def test_a_light_one_does_not_put_off_a_full_one(clock):
    made = schedule(clock, full_every=FullEvery(records=100))
    made.add(60, 0)
    made.done("light", 0.0)
    made.add(40, 0)

    assert made.due(0) == "full"


def test_too_much_staged_asks_for_a_full_one(clock):
    made = schedule(clock, staged_limit=1000)

    assert (made.due(999), made.due(1000)) == (None, "full")


def test_where_no_light_one_is_possible_it_is_a_full_one(clock):
    made = schedule(clock, light=False, every_records=10)
    made.add(10, 0)

    assert made.due(0) == "full"


def test_the_clock_never_decides_what_a_file_holds(clock):
    made = schedule(clock, light=False, by_clock=False)
    clock.time += 1e6
    assert made.due(0) is None

    made = schedule(clock, light=False, by_clock=True)
    clock.time += 31
    assert made.due(0) == "full"


def test_an_explicit_clock_is_obeyed_even_then(clock):
    made = schedule(clock, light=False, by_clock=False, every_seconds=5)
    clock.time += 5

    assert made.due(0) == "full"


# splits

SPLITS = [Split("in/a.jl", "f1", 10), Split("日本\n.jl", "", None), Split("c")]


def test_splits_come_back_in_order(tmp_path):
    made = SplitList.make(iter(SPLITS), tmp_path / "run" / "splits.jsonl")
    again = SplitList.load(tmp_path / "run" / "splits.jsonl", made.checksum)

    assert (made.count, again.count, again.checksum) == (3, 3, made.checksum)
    assert list(again.after(0)) == list(made.after(0)) == list(enumerate(SPLITS))
    assert list(again.after(2)) == [(2, SPLITS[2])]
    assert list(again.after(3)) == []


def test_splits_without_a_file_stay_in_memory():
    made = SplitList.make(iter(SPLITS), None)

    assert (made.count, list(made.after(1))) == (3, list(enumerate(SPLITS))[1:])


def test_no_splits(tmp_path):
    made = SplitList.make([], tmp_path / "splits.jsonl")

    assert (made.count, list(made.after(0))) == (0, [])
    assert SplitList.load(tmp_path / "splits.jsonl", made.checksum).count == 0


def test_a_list_made_again_replaces_the_old_one(tmp_path):
    SplitList.make(SPLITS, tmp_path / "splits.jsonl")
    made = SplitList.make(SPLITS[:1], tmp_path / "splits.jsonl")

    assert list(SplitList.load(tmp_path / "splits.jsonl", made.checksum).after(0)) == [(0, SPLITS[0])]


def test_a_list_that_is_gone_or_damaged_is_told(tmp_path):
    path = tmp_path / "splits.jsonl"
    made = SplitList.make(SPLITS, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StateError, match=r"the list of splits .*splits.jsonl is damaged"):
        SplitList.load(path, made.checksum)
    path.unlink()
    with pytest.raises(StateError, match=r"can't read the list of splits .*splits.jsonl: No such file") as caught:
        SplitList.load(path, made.checksum)

    assert caught.value.hint == "Start again with --fresh."


@pytest.mark.parametrize("path", [None, "splits.jsonl"])
def test_a_reader_that_can_not_list_is_told(path, tmp_path):
    def splits():
        yield SPLITS[0]
        raise OSError("no bucket")

    def refused():
        raise StateError("mine")
        yield

    with pytest.raises(SourceError, match="the reader can't list the parts of the source: OSError: no bucket"):
        SplitList.make(splits(), path and tmp_path / path)
    with pytest.raises(StateError, match="mine"):
        SplitList.make(refused(), path and tmp_path / path)


def test_a_name_that_can_not_be_saved_is_told(tmp_path):
    with pytest.raises(SourceError, match=r"a part of the source has a name that can't be saved: '\\udcff.jl'"):
        SplitList.make([Split("\udcff.jl")], tmp_path / "splits.jsonl")


def test_a_list_that_can_not_be_written_is_told(tmp_path):
    (tmp_path / "splits.jsonl").mkdir()
    with pytest.raises(StateError, match=r"can't write the state in .*splits.jsonl: Is a directory"):
        SplitList.make(SPLITS, Path(tmp_path / "splits.jsonl"))


def endless(clock: Clock, **settings: Any) -> Schedule:
    return Schedule(CheckpointSettings(**settings), light=True, endless=True, now=clock)


def test_a_run_without_an_end_publishes_every_minute(clock):
    made = endless(clock)
    made.add(1, 10)
    clock.time += 59.9
    made.done("light", 0.1)
    assert made.due(10) is None
    clock.time += 0.1
    assert made.due(10) == "full"
    made.done("full", 0.1)
    clock.time += 1000
    assert made.due(0) == "light", "nothing was read since"


def test_publishing_every_minute_costs_no_more_than_a_fiftieth_either(clock):
    made = endless(clock)
    made.done("full", 6.0)
    made.add(1, 10)
    made.done("light", 0.01)
    clock.time += 299
    assert made.due(10) == "light"
    clock.time += 1
    assert made.due(10) == "full"


def test_an_explicit_full_every_is_obeyed_where_there_is_no_end(clock):
    made = endless(clock, full_every=FullEvery(records=100), every_seconds=1000)
    made.add(99, 10)
    clock.time += 500
    assert made.due(10) is None
    made.add(1, 10)
    assert made.due(10) == "full"
