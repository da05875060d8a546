"""What `ozzy runs show` tells of a run that has not finished, and of what checkpoints cost."""

import json
from pathlib import Path

import pytest

from ozzy.staging.state_files import read_json, write_json


@pytest.fixture
def failed(ozzy, config, tmp_path):
    """A run that failed at a bad row after two light checkpoints; its id."""
    (tmp_path / "in.jl").write_text("".join(json.dumps({"id": number}) + "\n" for number in range(50)) + "{nonsense\n")
    reader = {"name": "fs", "options": {"input": "in.jl", "batch_size": 10}}
    assert ozzy("run", config(reader=reader, checkpoint={"every_records": 20})).code == 5
    return ozzy("runs", "list", "--json").json[-1]["run"]


def facts_of(run_id) -> Path:
    (path,) = Path(".ozzy").glob(f"*/{run_id}/run.json")
    return path


def test_where_it_stands_and_the_counts_up_to_there(ozzy, failed):
    lines = ozzy("runs", "show", failed).out.splitlines()

    assert any(line.startswith("  checkpoints: 2 light in 0.") and line.endswith("% of the run)") for line in lines)
    assert any(line.startswith("  checkpoint: light, number 0, committed") for line in lines)
    assert any(line.startswith("  in.jl: under way at ") for line in lines)
    assert "  reader: 40 in, 40 out" in lines
    assert "  writer: 40 in, 40 out" in lines
    assert lines[-1] == f"Go on with it: ozzy resume {failed}"


def test_as_json(ozzy, failed):
    told = ozzy("runs", "show", failed, "--json").json

    assert told["checkpoint"]["books"]["reader"]["out"] == 40
    assert told["checkpoints"]["light"]["taken"] == 2


def test_of_a_killed_run_the_last_checkpoint_tells_the_cost(ozzy, failed):
    path = facts_of(failed)
    facts = read_json(path)
    write_json(path, {key: value for key, value in facts.items() if key not in {"checkpoints", "seconds"}} | {"state": "running"})

    told = ozzy("runs", "show", failed)

    assert told.out.splitlines()[0] == f"{failed}  interrupted"
    assert "checkpoints: 2 light in " in told.out


def test_without_a_checkpoint_it_stands_at_its_beginning(ozzy, failed):
    for path in facts_of(failed).parent.glob("checkpoint*"):
        path.unlink()

    assert "  no checkpoint yet: a resume starts at the beginning" in ozzy("runs", "show", failed).out.splitlines()


def test_a_damaged_checkpoint_is_told(ozzy, failed):
    (facts_of(failed).parent / "checkpoint.json").write_text("{}")

    told = ozzy("runs", "show", failed)

    assert told.code == 0
    assert "checkpoint.json is damaged: its checksum does not match" in told.out


def test_a_finished_run_shows_no_checkpoint_only_the_cost(ozzy, config):
    ozzy("run", config())
    run_id = ozzy("runs", "list", "--json").json[-1]["run"]

    told = ozzy("runs", "show", run_id).out

    assert "  checkpoints: 0 light in 0.00 s, 1 full in " in told
    assert "  checkpoint: " not in told
