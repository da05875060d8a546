"""What a filter, transform or grouper remembers is kept by each checkpoint, and remembered by whoever goes on."""

from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import BaseFilter, BaseGrouper, BaseReader, BaseTransform, Batch, Listener, Registry, Stop, hookimpl
from ozzy.errors import Interrupted, StateError


class Numbers(BaseReader):
    def read(self, split, position):
        for at in range(position or 0, 12, 3):
            yield Batch.from_records([{"n": (at + i) % 5} for i in range(3)], split=split.id, position=at + 3, origin=range(at, at + 3))


class Once(BaseFilter):
    """Lets each number pass once."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: set[int] = set()

    def filter(self, item):
        if item["n"] in self.seen:
            return False
        self.seen.add(item["n"])
        return True

    def get_state(self):
        return tuple(sorted(self.seen))

    def set_state(self, state):
        assert isinstance(state, tuple)
        self.seen = set(state)


class Summed(BaseTransform):
    """Adds the sum so far."""

    one_to_one = True
    sum = 0

    def transform_batch(self, batch):
        for item in batch:
            self.sum += item["n"]
            yield {**item, "sum": self.sum}

    def get_state(self):
        return {"sum": self.sum}

    def set_state(self, state):
        self.sum = state["sum"]


class Turns(BaseGrouper):
    """Each record to the next of two groups."""

    turn = 0

    def key(self, item):
        self.turn = 1 - self.turn
        return str(self.turn)

    def get_state(self):
        return self.turn

    def set_state(self, state):
        self.turn = state


class Odd(Summed):
    def get_state(self):
        return {1, 2}


class Broken(Summed):
    def set_state(self, state):
        raise KeyError("sum")


class Plugin:
    @hookimpl
    def ozzy_read(self) -> dict[str, type]:
        return {"numbers": Numbers}

    @hookimpl
    def ozzy_filter(self) -> dict[str, type]:
        return {"once": Once}

    @hookimpl
    def ozzy_transform(self) -> dict[str, type]:
        return {"summed": Summed, "odd": Odd, "broken": Broken}

    @hookimpl
    def ozzy_group(self) -> dict[str, type]:
        return {"turns": Turns}


@pytest.fixture
def registry() -> Registry:
    made = Registry.load()
    made.register(Plugin(), package="tests", version="1", entry_name="tests")
    return made


def config(out: Path, **more: Any) -> dict[str, Any]:
    return {
        "name": "states",
        "reader": "numbers",
        "filter_after": "once",
        "transform": "summed",
        "grouper": "turns",
        "writer": {"name": "fs", "options": {"filebase": f"{out}/{{groups[0]}}", "compression": "none"}},
        "checkpoint": {"every_records": 1},
    } | more


def contents(out: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(out.iterdir())}


class StopAfter(Listener):
    def __init__(self, batches: int, stop: Stop) -> None:
        self.left, self.stop = batches, stop

    def batch_done(self, progress):
        self.left -= 1
        if not self.left:
            self.stop.set()


def interrupted(given: dict[str, Any], state: Path, registry: Registry, batches: int, *, resume: bool = False) -> None:
    stop = Stop()
    with pytest.raises(Interrupted):
        ozzy.run(given, state_dir=state, registry=registry, stop=stop, listener=StopAfter(batches, stop), resume=resume)


def test_a_resumed_run_remembers(registry: Registry, tmp_path: Path) -> None:
    ozzy.run(config(tmp_path / "calm"), state_dir=tmp_path, registry=registry)
    wanted = contents(tmp_path / "calm")
    assert wanted == {
        "0.jl": '{"n":1,"sum":1}\n{"n":3,"sum":6}\n',
        "1.jl": '{"n":0,"sum":0}\n{"n":2,"sum":3}\n{"n":4,"sum":10}\n',
    }

    for batches in range(1, 4):
        given = config(tmp_path / f"out-{batches}", name=f"states-{batches}")
        interrupted(given, tmp_path, registry, batches)
        ozzy.run(given, state_dir=tmp_path, registry=registry, resume=True)
        assert contents(tmp_path / f"out-{batches}") == wanted


def test_a_state_that_can_not_be_saved_is_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"^what transform \(Odd\) remembers holds a set, which can't be saved"):
        ozzy.run(config(tmp_path / "out", transform="odd"), state_dir=tmp_path, registry=registry)


def test_a_module_that_can_not_remember_is_named(registry: Registry, tmp_path: Path) -> None:
    given = config(tmp_path / "out", transform="broken")
    interrupted(given, tmp_path, registry, 1)
    with pytest.raises(StateError, match=r"^transform \(Broken\) failed: KeyError: 'sum'"):
        ozzy.run(given, state_dir=tmp_path, registry=registry, resume=True)
