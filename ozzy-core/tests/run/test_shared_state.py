"""Runs whose state is in a store that machines share: begun on one, seen, gone on with and given up on another."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.api import Listener, Stop, abandon, bookmark
from ozzy.errors import ConfigError, DestinationError, Interrupted, StateError
from ozzy.plan.config import load_config
from ozzy.run.shared import state_of_config
from ozzy.testing import SharedPersistence, registry

RECORDS = 200


class Machine:
    """A machine with a state folder of its own; the store and the destination are shared."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"

    def run(self, config: Any, **more: Any) -> ozzy.Result:
        return ozzy.run(config, state_dir=self.state, registry=registry(), **more)

    def resume(self, run: str, **more: Any) -> ozzy.Result:
        return ozzy.resume(run, state_dir=self.state, registry=registry(), **more)

    def runs(self, config: Any) -> list[Any]:
        with state_of_config(load_config(config), self.state, registry()) as state:
            return state.runs()

    def left(self) -> list[Path]:
        return [path for path in self.state.rglob("*") if path.is_file()]


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "there")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store" / "store"


@pytest.fixture
def make(tmp_path: Path, store: Path) -> Callable[..., dict[str, Any]]:
    def config(**more: Any) -> dict[str, Any]:
        return {
            "name": "orders",
            "reader": {"name": "scripted", "options": {"count": RECORDS, "batch_size": 10}},
            "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out" / "part"), "compression": "none"}},
            "persistence": {"name": "shared", "options": {"store": str(store), "lease_seconds": 0.4}},
            "checkpoint": {"every_records": 10},
        } | more

    return config


@ozzy.options
class TapOptions:
    password: str = ozzy.option(help="The password.")


class Tap(ozzy.BaseReader):
    """Needs a password."""

    Options = TapOptions

    def read(self, split: Any, position: Any) -> Any:
        for number in range(position or 0, 50):
            yield ozzy.Batch.from_records([{"id": number}], split=split.id, position=number + 1)


class After(Listener):
    """Asks the run to stop after some batches."""

    def __init__(self, batches: int) -> None:
        self.batches, self.stop = batches, Stop()

    def batch_done(self, progress: Any) -> None:
        self.batches -= 1
        if not self.batches:
            self.stop.set()


def interrupt(machine: Machine, config: Any, batches: int, **more: Any) -> Interrupted:
    listener = After(batches)
    with pytest.raises(Interrupted) as raised:
        machine.run(config, listener=listener, stop=listener.stop, **more)
    return raised.value


def ids(folder: Path) -> list[int]:
    return [json.loads(line)["id"] for path in sorted(folder.glob("*.jl")) for line in path.read_text().splitlines()]


def test_a_run_leaves_nothing_on_the_machine(make: Any, here: Machine, tmp_path: Path) -> None:
    result = here.run(make())

    assert ids(tmp_path / "out") == list(range(RECORDS))
    assert here.left() == []
    assert not list((tmp_path / "out").glob(".ozzy-*"))
    [record] = here.runs(make())
    assert (record.id, record.state, record.facts["records_written"]) == (result.run_id, "finished", RECORDS)


def test_another_machine_knows_the_run(make: Any, here: Machine, there: Machine) -> None:
    result = here.run(make())
    again = there.run(make(), resume=True)

    assert (again.run_id, again.state, again.records_written) == (result.run_id, "already finished", RECORDS)
    second = there.run(make(writer={"name": "bare", "options": {"path": str(there.folder.parent / "rows.jl")}}))
    assert [record.id for record in here.runs(make())] == [result.run_id, second.run_id]


def test_a_container_with_no_disk_goes_on(make: Any, here: Machine, there: Machine, tmp_path: Path) -> None:
    interrupt(here, make(), 7)
    shutil.rmtree(here.folder)
    with pytest.raises(StateError, match="is unfinished"):
        there.run(make())
    result = there.run(make(), resume=True)

    assert result.resumed
    assert ids(tmp_path / "out") == list(range(RECORDS))
    assert not list((tmp_path / "out").glob(".ozzy-*"))


@pytest.mark.parametrize("full_every", [None, 50])
def test_where_staged_data_is_gone_the_last_full_checkpoint_counts(
    make: Any, here: Machine, there: Machine, tmp_path: Path, full_every: int | None
) -> None:
    config = make(checkpoint={"every_records": 10} | ({"full_every": {"records": full_every}} if full_every else {}))
    interrupt(here, config, 13)
    for staged in (tmp_path / "out").glob(".ozzy-*"):
        shutil.rmtree(staged)
    shutil.rmtree(here.folder)
    published = ids(tmp_path / "out")
    assert published == list(range(100 if full_every else 0))

    there.run(config, resume="auto")

    assert ids(tmp_path / "out") == list(range(RECORDS))


def test_a_run_is_gone_on_with_by_its_uri(make: Any, here: Machine, there: Machine, store: Path, tmp_path: Path) -> None:
    error = interrupt(here, make(), 7)
    assert error.state_uri == f"shared://{store}?run={error.run_id}"

    result = there.resume(error.state_uri)

    assert (result.run_id, result.resumed) == (error.run_id, True)
    assert ids(tmp_path / "out") == list(range(RECORDS))
    with pytest.raises(StateError, match=f"there is no run nothing in {store}"):
        there.resume(f"shared://{store}?run=nothing")
    with pytest.raises(StateError, match="no persistence that is installed knows s4://somewhere"):
        there.resume("s4://somewhere")
    assert SharedPersistence.configuration_from_uri(error.state_uri, SharedPersistence.uri_regex)["name"] == "orders"
    with pytest.raises(StateError, match="there is no run nothing"):
        SharedPersistence.configuration_from_uri(f"shared://{store}?run=nothing", "")


def test_a_run_is_gone_on_with_by_its_id_and_config(make: Any, here: Machine, there: Machine, tmp_path: Path) -> None:
    error = interrupt(here, make(), 7)
    assert error.run_id
    with pytest.raises(StateError, match="there is no run"):
        there.resume(error.run_id)
    there.resume(error.run_id[:17], config=make())

    assert ids(tmp_path / "out") == list(range(RECORDS))


def test_a_run_is_given_up_from_another_machine(make: Any, here: Machine, there: Machine, tmp_path: Path) -> None:
    first = interrupt(here, make(), 7)
    result = there.run(make(), fresh=True)

    assert any(f"run {first.run_id} was abandoned" in notice for notice in result.notices)
    assert [record.state for record in here.runs(make())] == ["abandoned", "finished"]
    assert ids(tmp_path / "out") == list(range(RECORDS))
    assert not list((tmp_path / "out").glob(".ozzy-*"))
    with pytest.raises(StateError, match="was abandoned and can't be resumed"):
        there.resume(str(first.state_uri))


def test_giving_up_by_uri_or_config(make: Any, here: Machine, there: Machine) -> None:
    error = interrupt(here, make(), 7)
    abandon(str(error.state_uri), state_dir=there.state, registry=registry())
    abandon(str(error.run_id), config=make(), state_dir=there.state, registry=registry())

    assert [record.state for record in there.runs(make())] == ["abandoned"]
    there.run(make())


def test_a_name_is_needed(make: Any, here: Machine, tmp_path: Path) -> None:
    config = make()
    del config["name"]
    with pytest.raises(ConfigError, match="name: missing: the persistence shared shares state between machines"):
        here.run(config)
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="which know a pipeline by its name"):
        ozzy.validate(path, registry=registry())
    assert len(list(ozzy.read(config, registry=registry()))) == RECORDS


def test_a_config_in_the_inherited_shape_is_known_by_its_path(make: Any, here: Machine, there: Machine, tmp_path: Path) -> None:
    config = make() | {"exporter_options": {}}
    del config["name"]
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(config))
    error = interrupt(here, path, 7)
    result = there.resume(str(error.state_uri))

    told = "name: missing, so the pipeline is known by the path of its config, on every machine that shares this state"
    assert (result.state, result.notices.count(told)) == ("finished", 1)
    assert len(result.notices) == len(set(result.notices))


def test_one_run_at_a_time(make: Any, here: Machine, there: Machine) -> None:
    told: list[str] = []

    class Second(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            if not told:
                with pytest.raises(StateError) as raised:
                    there.run(make())
                told.append(str(raised.value))

    here.run(make(), listener=Second())

    assert told[0].startswith(f"this pipeline is running already: run {here.runs(make())[0].id}, process ")


def test_who_waits_for_a_lease_can_be_stopped(make: Any, here: Machine, there: Machine) -> None:
    told: list[Interrupted] = []

    class Second(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            if not told:
                stop = Stop()
                stop.set(143)
                with pytest.raises(Interrupted) as raised:
                    there.run(make(), stop=stop)
                told.append(raised.value)

    here.run(make(), listener=Second())

    assert told[0].code == 143


def test_a_dry_run_looks_at_no_store(make: Any, here: Machine, store: Path) -> None:
    assert here.run(make(), dry_run=True).records_read == RECORDS
    assert not store.exists()


def test_explain_tells_of_shared_state(make: Any, store: Path) -> None:
    found = ozzy.explain(make(), registry=registry())

    assert found.guarantee.level == "exactly once"
    assert found.shared_state == f"{store}; a run that gives no sign of life for 0.4 s is taken over"
    assert not store.exists()
    assert ozzy.explain(make(persistence="file"), registry=registry()).shared_state is None


def test_a_writer_whose_staging_is_local_is_at_least_once(make: Any) -> None:
    class Shelf(ozzy.BaseFileWriter):
        """Puts files somewhere."""

        def write(self, dump_path: str, group_key: Any = None) -> None:
            """Nothing."""

    class Account(ozzy.BaseWriter):
        """Writes in transactions."""

        staging = ozzy.Staging.TRANSACTION

    modules = registry(shelf=Shelf, account=Account)
    assert ozzy.explain(make(writer="shelf", persistence="file"), registry=modules).guarantee.level == "exactly once"
    found = ozzy.explain(make(writer="shelf"), registry=modules).guarantee
    assert str(found).startswith("at least once: writer (shelf): it knows what it has published only on the machine")
    found = ozzy.explain(make(writer="account"), registry=modules).guarantee
    assert str(found).startswith("at least once: writer (account): it has no fence()")


def test_bookmarks_are_shared(make: Any, here: Machine, there: Machine, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jl").write_text('{"id": 0}\n{"id": 1}\n')
    reader = {"name": "fs", "options": {"input": str(tmp_path / "in"), "batch_size": 1}}
    writer = {"name": "fs", "options": {"filebase": str(tmp_path / "out" / "%s-"), "compression": "none", "if_exists": "number"}}
    config = make(reader=reader, writer=writer, bookmark=True)
    found = bookmark(config, registry=registry())
    assert found.current() is None
    assert not found.reset()
    assert ozzy.explain(config, registry=registry()).bookmark.startswith("what the bookmark says, which is in ")

    first = here.run(config)
    (tmp_path / "in" / "b.jl").write_text('{"id": 2}\n{"id": 3}\n{"id": 4}\n')
    interrupt(there, config, 2)
    shutil.rmtree(there.folder, ignore_errors=True)
    second = here.run(config, resume=True)

    assert (first.records_written, second.records_written) == (2, 3)
    assert sorted(ids(tmp_path / "out")) == [0, 1, 2, 3, 4]
    assert here.run(config).notices[-1].startswith("nothing is new since run")
    store = bookmark(config, state_dir=there.state, registry=registry())
    now = store.current()
    assert now is not None
    assert len(list(store.marks(now))) == 2
    assert [key for key in store._documents.keys("") if "/marks-" in key and now.run not in key] == []
    assert store.reset()
    assert store.current() is None
    assert there.run(config).records_written == 5
    store.close()


def test_the_bookmark_of_a_run_given_up_when_all_had_arrived_moves(
    make: Any, here: Machine, there: Machine, tmp_path: Path, monkeypatch: Any
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jl").write_text('{"id": 0}\n')
    writer = {"name": "fs", "options": {"filebase": str(tmp_path / "out" / "part"), "if_exists": "number"}}
    config = make(reader={"name": "fs", "options": {"input": str(tmp_path / "in")}}, writer=writer, bookmark=True)
    from ozzy.run.shared_bookmarks import SharedBookmarkStore

    def refused(*_: Any) -> None:
        raise StateError("no bookmark today")

    with monkeypatch.context() as patched:
        patched.setattr(SharedBookmarkStore, "move", refused)
        with pytest.raises(StateError, match="no bookmark today"):
            here.run(config)
    result = there.run(config, fresh=True)

    assert any("so the bookmark moved on to it" in notice for notice in result.notices)
    assert result.records_read == 0


@pytest.mark.parametrize(
    "fault", [{"lost_replies": 3}, {"refused": 3}, {"stale_reads": 2}, {"slow": 0.002}, {"lost_replies": 1, "stale_reads": 1}]
)
@pytest.mark.parametrize("only", ["/checkpoint$", "/run$", "/lease$", "splits", ""])
def test_a_store_with_faults(make: Any, here: Machine, store: Path, tmp_path: Path, fault: dict[str, Any], only: str) -> None:
    """Answers that are lost, refusals for a while, reads of what was there before: nothing is lost, nothing comes twice."""
    store.parent.mkdir(exist_ok=True)
    config = make(checkpoint={"every_records": 60, "full_every": {"records": 100}})
    config["persistence"]["options"]["lease_seconds"] = 5
    interrupt(here, config, 8)
    SharedPersistence.fail(store, **fault, only=only)
    here.run(config, resume=True)
    SharedPersistence.fail(store)
    for _ in range(2):
        here.runs(config)

    assert ids(tmp_path / "out") == list(range(RECORDS))
    assert [record.state for record in here.runs(config)] == ["finished"]


def test_a_store_that_is_down_ends_the_run_and_nothing_is_lost(make: Any, here: Machine, store: Path, tmp_path: Path) -> None:
    class Down(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            SharedPersistence.fail(store, refused=10_000)

    with pytest.raises(StateError, match="refuses to speak about"):
        here.run(make(), listener=Down())
    SharedPersistence.fail(store)
    assert [record.state for record in here.runs(make())] == ["running"]
    here.run(make(), resume=True)

    assert ids(tmp_path / "out") == list(range(RECORDS))


def garble(store: Path, name: str) -> None:
    newest = max(path for path in store.rglob("=*") if path.parent.name == name)
    newest.write_bytes(newest.read_bytes()[:40])


def test_a_damaged_checkpoint_is_an_error_that_says_so(make: Any, here: Machine, store: Path, tmp_path: Path) -> None:
    interrupt(here, make(), 5)
    garble(store, "checkpoint")
    with pytest.raises(StateError, match="/checkpoint of the shared state is damaged"):
        here.run(make(), resume=True)
    here.run(make(), fresh=True)

    assert ids(tmp_path / "out") == list(range(RECORDS))


def test_a_run_whose_facts_are_damaged_is_listed_as_such(make: Any, here: Machine, store: Path) -> None:
    error = interrupt(here, make(), 5)
    garble(store, "run")

    [record] = here.runs(make())
    assert (record.id, record.state) == (error.run_id, "damaged")
    with pytest.raises(StateError, match="/run of the shared state is damaged"):
        here.run(make(), resume=True)


def test_a_damaged_lease_runs_out_as_any_other(make: Any, here: Machine, store: Path) -> None:
    here.run(make())
    garble(store, "lease")
    result = here.run(make(writer={"name": "bare", "options": {"path": str(store.parent / "rows")}}))

    assert result.state == "finished"
    with state_of_config(load_config(make()), here.state, registry()) as state:
        assert state.lease("orders").noted()["epoch"] > 1_700_000_000


def test_secrets_are_not_in_the_store(make: Any, here: Machine, there: Machine, store: Path) -> None:
    modules = registry(tap=Tap)
    config = make(reader={"name": "tap", "options": {"password": "s3cr3t-canary"}})
    listener = After(5)
    with pytest.raises(Interrupted) as raised:
        ozzy.run(config, state_dir=here.state, registry=modules, listener=listener, stop=listener.stop)

    assert not [path for path in store.rglob("=*") if b"s3cr3t-canary" in path.read_bytes()]
    with pytest.raises(ConfigError, match=r"needs reader.options.password, which state never holds"):
        ozzy.resume(str(raised.value.state_uri), state_dir=there.state, registry=modules)
    ozzy.resume(str(raised.value.state_uri), state_dir=there.state, registry=modules, set={"reader.options.password": "s3cr3t-canary"})


def test_a_run_overtaken_in_the_middle_is_refused(make: Any, here: Machine, there: Machine, store: Path, tmp_path: Path) -> None:
    """Its lease ran out unseen (the thread that renews it was kept from it): the other run ends well, this one stops with exit 7."""
    told: list[str] = []

    class Overtaken(Listener):
        def released(self, documents: Any, key: str) -> bool:
            """The lease is renewed meanwhile: then its version is another one."""
            found = documents.read(key)
            documents.epoch = found.epoch
            return bool(documents.write(key, found.content | {"released": True}, found.version))

        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            if not told:
                told.append("")
                with state_of_config(load_config(make()), there.state, registry()) as state:
                    lease = state.lease("orders")
                    while not self.released(lease.documents, lease.key):
                        pass
                told.append(there.run(make(), resume=True).run_id)

    with pytest.raises(StateError, match=r"another run has taken over this pipeline.*epoch") as raised:
        here.run(make(), listener=Overtaken())

    assert raised.value.exit_code == 7
    assert ids(tmp_path / "out") == list(range(RECORDS))
    assert [record.state for record in here.runs(make())] == ["finished"]
    assert not list((tmp_path / "out").glob(".ozzy-*"))


def test_a_destination_that_was_gone_on_with_refuses_the_overtaken(make: Any, here: Machine, tmp_path: Path) -> None:
    from ozzy.testing import LedgerWriter

    ledger = {"name": "ledger", "options": {"path": str(tmp_path / "ledger.sqlite")}}
    interrupt(here, make(writer=ledger), 5)
    here.run(make(writer=ledger), resume=True)

    assert [record["id"] for record in LedgerWriter.records(tmp_path / "ledger.sqlite")] == list(range(RECORDS))
    assert DestinationError.exit_code == 6
