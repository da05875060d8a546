"""Stages that remember something: a resumed run is the undisturbed one. And who may write: leases that were taken over."""

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

import ozzy
from ozzy.api import Listener, Stop
from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.contracts.transform import BaseTransform
from ozzy.contracts.writer import BaseWriter, Staging
from ozzy.errors import ConfigError, Interrupted, PluginError, StateError


class Distinct(BaseFilter):
    """Keeps the first record of each name."""

    restored: ClassVar[list[Any]] = []
    closed = 0

    def __init__(self, options: Any = None, metadata: Any = None) -> None:
        super().__init__(options, metadata)
        self.seen: list[str] = []

    def filter(self, item: Any) -> bool:
        new = item["name"] not in self.seen
        if new:
            self.seen.append(item["name"])
        return new

    def get_state(self) -> Any:
        return self.seen

    def set_state(self, state: Any) -> None:
        Distinct.restored.append(list(state))
        self.seen = state

    def close(self) -> None:
        Distinct.closed += 1


class Numbered(BaseTransform):
    """Numbers records and drops each seventh."""

    count = 0

    def transform_batch(self, batch: Any) -> Any:
        for item in batch:
            self.count += 1
            if self.count % 7:
                yield {**item, "number": self.count}

    def get_state(self) -> Any:
        return {"count": self.count}

    def set_state(self, state: Any) -> None:
        self.count = state["count"]


class InTurn(BaseGrouper):
    """Five records to each of two groups in turn."""

    count = 0

    def key(self, item: Any) -> str:
        self.count += 1
        return "ab"[(self.count - 1) // 5 % 2]

    def get_state(self) -> Any:
        return self.count

    def set_state(self, state: Any) -> None:
        self.count = state


class Odd(BaseFilter):
    """Takes the first, the third and so on."""

    takes = False

    def filter(self, item: Any) -> bool:
        self.takes = not self.takes
        return self.takes

    def get_state(self) -> Any:
        return self.takes

    def set_state(self, state: Any) -> None:
        self.takes = state


class Forgetful(Numbered):
    """Remembers what can't be saved."""

    def get_state(self) -> Any:
        return {"count": {self.count}}


class Half(BaseTransform):
    def get_state(self) -> Any:
        return 1


class Account(BaseWriter):
    staging = Staging.TRANSACTION


CLASSES = {cls.__name__: cls for cls in (Distinct, Numbered, InTurn, Odd, Forgetful, Half, Account)}


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("remembering_modules")
    module.__dict__.update(CLASSES)
    monkeypatch.setitem(sys.modules, "remembering_modules", module)
    Distinct.restored.clear()
    Distinct.closed = 0


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A config with an output folder of its own, whose stages all remember something."""
    rows = [json.dumps({"id": i, "name": f"n{i * 7 % 90}"}) for i in range(200)]
    (tmp_path / "in.jl").write_text("\n".join(rows) + "\n")

    def config(out: str = "out", **more: Any) -> dict[str, Any]:
        def fs(label: str, **more: Any) -> dict[str, Any]:
            return {"name": "fs", "label": label, "options": {"filebase": f"{tmp_path}/{out}/{label}-{{groups[0]}}"}, **more}

        return {
            "name": out,
            "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl"), "batch_size": 10}},
            "filter": "remembering_modules:Distinct",
            "transform": "remembering_modules:Numbered",
            "grouper": "remembering_modules:InTurn",
            "writer": [fs("odd", when="remembering_modules:Odd"), fs("all")],
            "checkpoint": {"every_records": 10},
        } | more

    return config


class Watch(Listener):
    """Asks the run to stop after some batches, and calls `at` with each checkpoint."""

    def __init__(self, batches: int, stop: Stop) -> None:
        self.batches, self.stop = batches, stop

    def batch_done(self, progress: Any) -> None:
        self.batches -= 1
        if not self.batches:
            self.stop.set()


def interrupt(config: Any, state: Path, batches: int, **more: Any) -> None:
    stop = Stop()
    with pytest.raises(Interrupted):
        ozzy.run(config, state_dir=state, stop=stop, listener=Watch(batches, stop), **more)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.gz"))}


def document(state: Path) -> Any:
    return json.loads(next(state.glob("*/*/checkpoint.json")).read_bytes())["content"]


@pytest.mark.parametrize("full_every", [None, 30])
def test_a_resumed_run_goes_on_as_if_nothing_had_happened(make: Any, tmp_path: Path, full_every: int | None) -> None:
    checkpoint = {"every_records": 10} | ({"full_every": {"records": full_every}} if full_every else {})
    calm = ozzy.run(make("calm", checkpoint=checkpoint), state_dir=tmp_path / "calm-state")
    config, state = make("stormy", checkpoint=checkpoint), tmp_path / "state"
    interrupt(config, state, 3)
    interrupt(config, state, 1, resume=True)
    interrupt(config, state, 4, resume=True)
    stormy = ozzy.run(config, state_dir=state, resume=True)

    assert contents(tmp_path / "stormy") == contents(tmp_path / "calm")
    assert len(contents(tmp_path / "calm")) >= 4
    assert stormy.counts == calm.counts
    assert calm.counts["filter_before"].records_out == 90


def test_states_are_in_every_checkpoint_and_given_back_once(make: Any, tmp_path: Path) -> None:
    config, state = make(), tmp_path / "state"
    interrupt(config, state, 3)
    kept = document(state)

    assert Distinct.restored == []
    assert kept["kind"] == "light"
    assert list(kept["states"]) == ["filter_before", "transform", "grouper", "odd.when"]
    assert kept["states"]["transform"] == {"count": 30}
    assert len(kept["states"]["filter_before"]) == 30

    ozzy.run(config, state_dir=state, resume=True)
    assert Distinct.restored == [kept["states"]["filter_before"]]
    assert (document(state)["kind"], document(state)["states"]["transform"]) == ("full", {"count": 90})

    ozzy.run(config, state_dir=state, resume=True)
    assert len(Distinct.restored) == 1
    assert Distinct.closed == 2


def test_what_a_checkpoint_may_fall_back_to_has_the_states_of_its_time(make: Any, tmp_path: Path) -> None:
    """The state of a stage goes on changing; what is kept of it must not."""
    found: list[Any] = []

    class Keeps(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            found.append(document(tmp_path / "state"))

    ozzy.run(make(checkpoint={"every_records": 10, "full_every": {"records": 40}}), state_dir=tmp_path / "state", listener=Keeps())

    light = [one for one in found if one["kind"] == "light" and one["last_full"]]
    assert light
    assert all(
        one["last_full"]["states"]["transform"]["count"] < one["states"]["transform"]["count"]
        for one in light
        if one["place"]["position"]["rows"] < 90
    )
    assert all(len(one["last_full"]["states"]["filter_before"]) == one["last_full"]["books"]["filter_before"]["out"] for one in light)


def test_nothing_is_restored_where_no_checkpoint_was_taken(make: Any, tmp_path: Path) -> None:
    """Killed before the first one: the run begins at the start."""
    config = make(transform="remembering_modules:Forgetful")
    with pytest.raises(StateError):
        ozzy.run(config, state_dir=tmp_path / "state")
    with pytest.raises(StateError):
        ozzy.run(config, state_dir=tmp_path / "state", resume=True)

    assert Distinct.restored == []


def test_a_state_that_can_not_be_saved_ends_the_run_at_its_first_checkpoint(make: Any, tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"^what transform \(Forgetful\) remembers holds a set, which can't be saved"):
        ozzy.run(make(transform="remembering_modules:Forgetful"), state_dir=tmp_path / "state")

    assert not contents(tmp_path / "out")
    assert not list((tmp_path / "state").glob("*/*/checkpoint.json"))


def test_half_of_a_memory_is_refused(make: Any) -> None:
    with pytest.raises(PluginError, match=r"transform: Half has no set_state\(\)"):
        ozzy.explain(make(transform="remembering_modules:Half"))


def test_a_plugin_that_forgot_how_to_remember_is_refused(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, state = make(), tmp_path / "state"
    interrupt(config, state, 3)
    monkeypatch.delattr(Numbered, "get_state")
    monkeypatch.delattr(Numbered, "set_state")
    with pytest.raises(StateError, match="holds a state of transform, which remembers nothing any more"):
        ozzy.run(config, state_dir=state, resume=True)


def test_explain_names_what_remembers(make: Any) -> None:
    found = ozzy.explain(make())

    assert found.guarantee.level == "exactly once"
    assert [stage.partition(" ")[0] for stage in found.guarantee.remembers] == ["filter_before", "transform", "grouper", "odd.when"]
    assert found.to_dict()["guarantee"]["remembers"] == found.guarantee.remembers
    nothing = ozzy.explain(make(filter="no_filter", transform=[], grouper="no_grouper", writer="console"))
    assert nothing.guarantee.remembers == []
    assert "remembers" not in nothing.to_dict()["guarantee"]


def test_a_writer_without_staging_makes_all_at_least_once(make: Any) -> None:
    config = make()
    config["writer"].append({"name": "console", "label": "shown"})
    found = ozzy.explain(config)

    assert str(found.guarantee).startswith("at least once: shown (console): it has no staging")
    assert found.light_checkpoints == "only full ones: shown can't be continued in the middle of a file"
    with pytest.raises(ConfigError, match=r"can't promise exactly once\n  shown \(console\): it has no staging"):
        ozzy.run(config | {"delivery": "exactly once"})


def test_two_transactions_are_at_least_once(make: Any) -> None:
    accounts = [{"name": "remembering_modules:Account", "label": label} for label in ("first", "second")]

    found = ozzy.explain(make(writer=accounts))
    assert str(found.guarantee) == "at least once: first and second: two transactions can't be committed as one"
    assert ozzy.explain(make(writer=[*make()["writer"], accounts[0]])).guarantee.level == "exactly once"


def steal(state: Path) -> None:
    """Another process takes the pipeline over."""
    (lease,) = state.glob("*/lease.json")
    from ozzy.staging.state_files import read_json, write_json

    facts = read_json(lease)
    write_json(lease, facts | {"epoch": facts["epoch"] + 1, "run": "another"})


def everything(*folders: Path) -> dict[str, bytes]:
    """Every file there is but the lease."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "lease" not in path.name
    }


MOMENTS = {
    "prepare": ("ozzy.contracts.file_writer.BaseFileWriter", "prepare"),
    "commit": ("ozzy.builtin.persistence.file.FilePersistence", "commit_position"),
    "publish": ("ozzy.builtin.writers.fs.FSWriter", "publish"),
}


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_whose_lease_was_taken_over_writes_nothing_more(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, call: int
) -> None:
    """Stolen just after the first, second or third such call: the next step finds out, and no file changes after that."""
    path, method = MOMENTS[moment]
    module, _, name = path.rpartition(".")
    cls = getattr(__import__(module, fromlist=[name]), name)
    original = getattr(cls, method)
    calls: list[dict[str, bytes]] = []

    def stolen(self: Any, *arguments: Any) -> Any:
        given = original(self, *arguments)
        if len(calls) >= call:
            raise AssertionError("called again after the lease was lost")
        calls.append({})
        if len(calls) == call:
            steal(tmp_path / "state")
            calls[-1] = everything(tmp_path / "state", tmp_path / "out")
        return given

    monkeypatch.setattr(cls, method, stolen)
    with pytest.raises(StateError, match=r"another process has taken over this pipeline \(epoch 2, this one has 1\)"):
        ozzy.run(make(checkpoint={"every_records": 100, "full_every": {"records": 100}}), state_dir=tmp_path / "state")

    after = everything(tmp_path / "state", tmp_path / "out")
    changed = {path for path in {*after, *calls[-1]} if after.get(path) != calls[-1].get(path)}
    assert len(calls) == call
    assert not changed
    assert json.loads(next((tmp_path / "state").glob("*/*/run.json")).read_bytes())["content"]["state"] == "running"
