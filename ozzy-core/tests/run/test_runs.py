import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ozzy.errors import StateError
from ozzy.run import runs
from ozzy.run.runs import Lease, RunRecord, StateFolder, identity_of, state_root
from ozzy.staging.state_files import read_json, write_json

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def state(tmp_path) -> StateFolder:
    return StateFolder(tmp_path / ".ozzy")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_run_has_a_folder_and_facts(state):
    record = state.new("orders", START, {"limit": 5})

    assert record.id.startswith("20260304-050607-")
    assert len(record.id) == len("20260304-050607-") + 6
    assert record.folder == state.pipeline_folder("orders") / record.id
    assert read_json(record.folder / "run.json") == {
        "run": record.id,
        "pipeline": "orders",
        "started": "2026-03-04T05:06:07+00:00",
        "limit": 5,
        "state": "running",
    }


def test_the_state_is_for_its_owner_alone(state):
    record = state.new("orders", START, {})

    assert [mode(folder) for folder in (state.root, record.folder.parent, record.folder)] == [0o700] * 3
    assert mode(record.folder / "run.json") == 0o600


def test_the_state_folder_is_on_disk(state, monkeypatch):
    """All the way up, also where an earlier process has made it."""
    synced = []
    monkeypatch.setattr(runs, "sync_path", synced.append)
    record = state.new("orders", START, {})
    Lease(record.folder.parent).take().release()

    assert synced == [record.folder, record.folder.parent]


def test_facts_change_durably(state):
    record = state.new("orders", START, {})
    record.save(state="failed", error="no room")

    [again] = state.runs("orders")
    assert again == record
    assert (again.state, again.unfinished, again.facts["error"]) == ("failed", True, "no room")


@pytest.mark.parametrize(
    ("kept", "unfinished"), [("running", True), ("failed", True), ("interrupted", True), ("finished", False), ("abandoned", False)]
)
def test_what_is_unfinished(kept, unfinished, state):
    record = state.new("orders", START, {})
    record.save(state=kept)

    assert record.unfinished is unfinished


def test_a_running_run_that_nobody_holds_is_interrupted(state):
    record = state.new("orders", START, {})
    assert record.state == "interrupted"

    lease = Lease(record.folder.parent).take()
    assert record.state == "running"
    lease.release()
    assert record.state == "interrupted"


def test_runs_are_listed_oldest_first(state):
    assert (state.runs(), state.runs("orders")) == ([], [])
    early = datetime.fromisoformat("2026-01-02T00:30:00+05:00")
    late = datetime.fromisoformat("2026-01-01T20:00:00+00:00")
    last = state.new("orders", late, {})
    first = state.new("orders", early, {})
    other = state.new("other", START, {})

    assert state.runs("orders") == [first, last]
    assert state.runs() == [first, last, other]


def test_folders_that_are_no_runs_are_passed_over(state):
    record = state.new("orders", START, {})
    (record.folder.parent / "stray").mkdir()
    (state.root / "file").write_text("")

    assert state.runs() == [record]


def test_a_run_whose_facts_are_damaged_is_listed_as_such_among_the_others(state):
    damaged, whole = state.new("orders", START, {}), state.new("orders", START.replace(year=2027), {})
    (damaged.folder / "run.json").write_bytes(b"{")
    (state.root / "odd-1" / "odd").mkdir(parents=True)
    (state.root / "odd-1" / "odd" / "run.json").write_bytes(b"{")

    found = {record.id: record for record in state.runs()}
    assert found[whole.id] == whole
    assert [record.id for record in state.runs("orders")] == [damaged.id, whole.id]
    [told] = [record for record in state.runs("orders") if record.id == damaged.id]
    assert (told.state, told.unfinished, told.facts["pipeline"]) == ("damaged", True, "orders")
    assert "run.json is damaged" in str(told.damage)
    assert (found["odd"].facts["pipeline"], found["odd"].state) == ("odd-1", "damaged")


def test_a_state_that_can_not_be_read_is_not_taken_for_none(state):
    state.root.mkdir()
    (Path(state.root.parent) / "file").write_text("")
    with pytest.raises(StateError, match=r"can't list the state folder .*file: Not a directory"):
        StateFolder(state.root.parent / "file").runs()


def test_runs_are_found_by_the_beginning_of_their_id(state):
    one = state.new("orders", START, {})
    state.new("orders", START.replace(year=2027), {})
    exact = state.new("orders", START, {})
    shorter = RunRecord(exact.folder.parent / "2026", {**exact.facts, "run": "2026"})
    shorter.save(state="finished")

    assert state.find(one.id) == one
    assert state.find("2027").id.startswith("2027")
    assert state.find("2026") == shorter
    with pytest.raises(StateError, match="several runs begin with 2026030: ") as several:
        state.find("2026030")
    assert one.id in several.value.message
    assert exact.id in several.value.message
    with pytest.raises(StateError, match=r"there is no run 1999 in .*\.ozzy"):
        state.find("1999")


def test_a_run_can_be_forgotten(state):
    record = state.new("orders", START, {})
    record.delete()

    assert state.runs() == []


@pytest.mark.parametrize(
    ("identity", "beginning"),
    [
        ("orders", "orders-"),
        ("/etc/configs/daily.orders.yaml", "daily.orders-"),
        ("../..", "%2E%2E-"),
        ("日本/x", "x-"),
        ("a" * 300, "a" * 60 + "-"),
        ("/", "%2F-"),
    ],
)
def test_a_pipeline_has_a_folder_of_its_own(identity, beginning, state):
    folder = state.pipeline_folder(identity)

    assert folder.parent == state.root
    assert folder.name.startswith(beginning)
    assert folder == state.pipeline_folder(identity)
    assert folder != state.pipeline_folder(f"{identity} ")
    state.new(identity, START, {})


# the lease


def test_the_epoch_rises_each_time_it_is_taken(tmp_path):
    epochs = []
    for number in range(3):
        lease = Lease(tmp_path / "pipeline").take(f"run-{number}")
        epochs.append(lease.epoch)
        lease.check()
        lease.release()
        lease.release()

    assert epochs == [1, 2, 3]
    assert read_json(tmp_path / "pipeline" / "lease.json") == {"epoch": 3, "run": "run-2", "pid": os.getpid(), "host": os.uname().nodename}
    assert mode(tmp_path / "pipeline") == 0o700


def test_two_at_once_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "PATIENCE", 0.01)
    lease = Lease(tmp_path).take()
    with pytest.raises(StateError) as unnamed:
        Lease(tmp_path).take("run-2")
    lease.name("run-1")
    with pytest.raises(StateError) as caught:
        Lease(tmp_path).take("run-2")

    assert unnamed.value.message.startswith("this pipeline is running already: run unknown, process ")
    assert caught.value.message == f"this pipeline is running already: run run-1, process {os.getpid()} on {os.uname().nodename}"
    lease.check()
    lease.release()
    assert Lease(tmp_path).take().epoch == 2


def test_another_process_is_refused_too(tmp_path):
    lease = Lease(tmp_path).take("run-1")
    code = "import sys; from pathlib import Path; from ozzy.run.runs import Lease; Lease(Path(sys.argv[1])).take()"
    refused = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "StateError: this pipeline is running already: run run-1" in refused.stderr

    lease.release()
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0
    assert Lease(tmp_path).take().epoch == 3


def test_the_lease_of_a_process_that_ended_is_taken_over(tmp_path):
    code = "import os, sys; from pathlib import Path; from ozzy.run.runs import Lease; Lease(Path(sys.argv[1])).take('dead'); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9

    assert not Lease.held(tmp_path)
    assert Lease(tmp_path).take().epoch == 2


def test_who_was_overtaken_is_refused(tmp_path):
    lease = Lease(tmp_path).take("run-1")
    lease.check()
    write_json(tmp_path / "lease.json", {"epoch": lease.epoch + 1, "run": "run-2"})
    with pytest.raises(StateError, match=r"another process has taken over this pipeline \(epoch 2, this one has 1\)"):
        lease.check()

    (tmp_path / "lease.json").unlink()
    with pytest.raises(StateError, match=r"\(epoch None, this one has 1\)"):
        lease.check()


def test_looking_takes_nothing(tmp_path):
    assert not Lease.held(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    lease = Lease(tmp_path).take()
    assert Lease.held(tmp_path)
    lease.release()
    assert not Lease.held(tmp_path)
    assert Lease(tmp_path).take().epoch == 2


def test_a_lease_that_can_not_be_looked_at_counts_as_held(tmp_path):
    (tmp_path / "lease.lock").mkdir()

    assert Lease.held(tmp_path)


def test_a_lease_that_can_not_be_taken_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "PATIENCE", 0.01)
    (tmp_path / "lease.lock").mkdir()
    with pytest.raises(StateError, match=r"can't write the state in .*: Is a directory"):
        Lease(tmp_path).take()

    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"can't write the state in .*pipeline: "):
        Lease(tmp_path / "file" / "pipeline").take()


def test_a_damaged_note_gives_way_to_an_epoch_above_all_before(tmp_path):
    first = Lease(tmp_path).take()
    (tmp_path / "lease.json").write_text("{")
    with pytest.raises(StateError, match="running already: run unknown, process"):
        Lease(tmp_path).take()

    first.release()
    second = Lease(tmp_path).take("r")
    assert second.epoch > 1_700_000_000
    second.release()
    assert Lease(tmp_path).take().epoch == second.epoch + 1


def test_a_note_that_is_damaged_under_a_run_stops_it(tmp_path):
    lease = Lease(tmp_path).take()
    (tmp_path / "lease.json").write_text("{")
    with pytest.raises(StateError, match="is damaged"):
        lease.check()


def test_a_lease_that_can_not_be_noted_is_not_kept(tmp_path, monkeypatch):
    def full(path, content):
        raise StateError("no room")

    monkeypatch.setattr(runs, "write_json", full)
    with pytest.raises(StateError, match="no room"):
        Lease(tmp_path).take()

    assert not Lease.held(tmp_path)


# where and what


@pytest.mark.parametrize(
    ("given", "environment", "file", "root"),
    [
        (None, None, None, "/here/.ozzy"),
        (None, None, "/configs/a.yaml", "/configs/.ozzy"),
        (None, "state", "/configs/a.yaml", "/here/state"),
        ("mine", "state", "/configs/a.yaml", "/here/mine"),
        ("/abs", None, None, "/abs"),
        ("~/x", None, None, "/home/me/x"),
    ],
)
def test_where_the_state_is(given, environment, file, root, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    if environment:
        monkeypatch.setenv("OZZY_STATE_DIR", environment)

    assert state_root(given, Path(file) if file else None, Path("/here")) == Path(root)


def test_what_a_pipeline_is_known_by(tmp_path):
    (tmp_path / "config.yaml").write_text("")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "config.yaml")

    assert identity_of("orders", tmp_path / "config.yaml") == "orders"
    assert identity_of(None, tmp_path / "link.yaml") == str((tmp_path / "config.yaml").resolve())
    assert (identity_of(None, None), identity_of("", None)) == (None, None)


def test_runs_of_a_pipeline_are_in_the_order_of_their_epochs_whatever_the_clock_said(state):
    later = state.new("orders", START.replace(year=2027), {"epoch": 4})
    earlier = state.new("orders", START, {"epoch": 5})
    earliest = state.new("orders", START.replace(year=2025), {"epoch": 3})

    assert [run.id for run in state.runs("orders")] == [earliest.id, later.id, earlier.id]
    assert [run.id for run in state.runs()] == [earliest.id, earlier.id, later.id]


def test_a_damaged_run_keeps_its_place_by_its_date(state):
    first = state.new("orders", START, {"epoch": 1})
    second = state.new("orders", START.replace(month=4), {"epoch": 2})
    third = state.new("orders", START.replace(month=5), {"epoch": 3})
    (second.folder / "run.json").write_text("{}")

    assert [run.id for run in state.runs("orders")] == [first.id, second.id, third.id]


def held_by(record) -> tuple[str, int]:
    """Let a run have the lease and end; what whoever takes it next is told of it."""
    lease = Lease(record.folder.parent).take()
    record.save(epoch=lease.epoch)
    lease.name(record.id)
    lease.release()
    after = Lease(record.folder.parent).take()
    after.release()
    return after.before


def test_the_last_run_is_found_by_the_lease_without_a_look_at_the_others(state, monkeypatch):
    state.new("orders", START, {})
    record = state.new("orders", START, {})
    before = held_by(record)
    monkeypatch.setattr(StateFolder, "runs", None)

    assert state.last("orders", *before) == record


def test_where_the_lease_names_no_run_of_its_epoch_all_are_looked_at(state):
    first, last = (state.new("orders", START.replace(hour=hour), {}) for hour in (1, 2))
    held_by(first)
    before = held_by(last)

    assert before == (last.id, last.facts["epoch"])
    assert state.last("orders", first.id, first.facts["epoch"] + 1) == last
    assert state.last("orders", "", 0) == last
    assert state.last("orders", "20200101-000000-abcdef", 3) == last


def test_a_last_run_whose_facts_are_damaged_is_found_as_such(state):
    record = state.new("orders", START, {})
    before = held_by(record)
    (record.folder / "run.json").write_text("{")

    found = state.last("orders", *before)
    assert (found.id, found.damage is not None) == (record.id, True)


def test_a_pipeline_without_runs_has_no_last_one(state):
    assert state.last("orders", "", 0) is None
