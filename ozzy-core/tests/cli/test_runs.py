"""`ozzy runs list`, `show` and `clean`."""

import json
from datetime import datetime, timedelta

import pytest


@pytest.fixture
def finished(ozzy, config):
    """A run that has finished; its id."""
    assert ozzy("run", config()).code == 0
    return ozzy("runs", "list", "--json").json[-1]["run"]


@pytest.fixture
def failed(ozzy, config, tmp_path):
    """A run that has failed since its file was there already, and left something staged; its id."""
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "numbers0000.jl").write_text("mine")
    assert ozzy("run", config(file="failed.json", name="failing")).code == 6
    run_id = ozzy("runs", "list", "--json").json[-1]["run"]
    staged = tmp_path / "out" / f".ozzy-{run_id}" / "writer" / "000000.part"
    staged.parent.mkdir(parents=True, exist_ok=True)
    staged.write_text("rows")
    return run_id


def ids(ozzy):
    return [run["run"] for run in ozzy("runs", "list", "--json").json]


def test_without_runs_the_list_says_so(ozzy):
    told = ozzy("runs", "list")
    assert (told.code, told.out) == (0, "no runs in .ozzy; --state-dir names another folder\n")
    assert ozzy("runs", "list", "--json").json == []


def test_the_list_has_a_line_for_each_run(ozzy, finished, failed):
    lines = ozzy("runs", "list").out.splitlines()
    assert lines[0].split() == ["run", "state", "started", "took", "pipeline"]
    assert [(line.split()[0], line.split()[1], line.split()[-1]) for line in lines[1:]] == [
        (finished, "finished", "numbers"),
        (failed, "failed", "failing"),
    ]


def test_a_pipeline_without_a_name_is_listed_by_its_file(ozzy, config):
    ozzy("run", config(name=None))
    assert ozzy("runs", "list").out.split()[-1] == "c.json"


def test_another_state_folder_can_be_named(ozzy, config, monkeypatch, tmp_path):
    ozzy("run", config(), "--state-dir", "other")
    assert ids(ozzy) == []
    assert len(ozzy("runs", "list", "--json", "--state-dir", "other").json) == 1
    monkeypatch.setenv("OZZY_STATE_DIR", str(tmp_path / "other"))
    assert len(ids(ozzy)) == 1


def test_show_tells_counts_files_and_checkpoints(ozzy, finished, tmp_path):
    told = ozzy("runs", "show", finished)
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0] == f"{finished}  finished"
    assert "  pipeline: numbers" in lines
    assert "  reader: 30 in, 30 out" in lines
    assert any(line.startswith("  checkpoints: 0 light in 0.00 s, 1 full in ") for line in lines)
    assert any(line.startswith(f"  {tmp_path / 'out' / 'numbers0000.jl'}: 30 rows, ") for line in lines)


def test_show_tells_the_error_and_how_to_go_on(ozzy, failed):
    lines = ozzy("runs", "show", failed[:18]).out.splitlines()
    assert lines[0] == f"{failed}  failed"
    assert any(line.startswith("  error: ") and "exists already" in line for line in lines)
    assert lines[-1] == f"Go on with it: ozzy resume {failed}"


def test_show_as_json_has_all_facts(ozzy, finished, tmp_path):
    found = ozzy("runs", "show", finished, "--json").json
    assert (found["run"], found["state"], found["pipeline"], found["files"][0]["rows"]) == (finished, "finished", "numbers", 30)
    assert json.loads((tmp_path / found["folder"] / "run.json").read_text())


def test_show_of_a_config_tells_of_its_last_run(ozzy, finished, config):
    ozzy("run", config())
    assert ozzy("runs", "show", "c.json", "--json").json["run"] == ids(ozzy)[-1] != finished


def test_resume_of_a_config_says_how_that_is_done(ozzy, finished):
    told = ozzy("resume", "c.json")
    assert told.code == 7
    assert "c.json is a file: `ozzy run c.json --resume` goes on with the last run of a config." in told.err


def test_show_of_an_unknown_run_is_a_state_error(ozzy):
    assert ozzy("runs", "show", "2000").code == 7


def test_clean_deletes_what_has_ended_and_keeps_what_can_be_gone_on_with(ozzy, finished, failed, tmp_path):
    told = ozzy("runs", "clean")
    assert (told.code, told.out) == (0, f"deleted {finished} (finished)\n")
    assert ids(ozzy) == [failed]
    assert (tmp_path / "out" / "numbers0000.jl").exists()


def test_a_dry_run_only_says_what_would_go(ozzy, finished):
    assert ozzy("runs", "clean", "--dry-run").out == f"would delete {finished} (finished)\n"
    assert ids(ozzy) == [finished]


def test_young_runs_can_be_kept(ozzy, finished, tmp_path):
    assert ozzy("runs", "clean", "--older-than", 1).out == "nothing to delete\n"
    (path,) = (tmp_path / ".ozzy").glob("*/*/run.json")
    age(path, days=2)
    assert ozzy("runs", "clean", "--older-than", 1).out == f"deleted {finished} (finished)\n"


def age(path, days):
    """Let a run have ended so many days ago."""
    from ozzy.staging.state_files import read_json, write_json

    facts = read_json(path)
    write_json(path, facts | {"ended": (datetime.now().astimezone() - timedelta(days=days)).isoformat()})


def test_an_unfinished_run_is_given_up_where_force_names_it(ozzy, finished, failed, tmp_path):
    assert list((tmp_path / "out").glob(".ozzy-*"))
    assert ozzy("runs", "clean", "--force", failed, "--dry-run", "--older-than", 9).out == f"would delete {failed} (failed)\n"
    told = ozzy("runs", "clean", "--force", failed, "--older-than", 9)
    assert (told.code, told.out) == (0, f"deleted {failed} (failed)\n")
    assert ids(ozzy) == [finished]
    assert not list((tmp_path / "out").glob(".ozzy-*"))
    assert (tmp_path / "out" / "numbers0000.jl").read_text() == "mine"


def test_force_of_an_unknown_run_deletes_nothing(ozzy, finished):
    assert ozzy("runs", "clean", "--force", "2000").code == 7
    assert ids(ozzy) == [finished]


def test_a_run_whose_config_has_a_secret_is_given_up_with_that_config(ozzy, config, tmp_path, monkeypatch):
    (tmp_path / "locked_module.py").write_text(
        "from ozzy import BaseFilter, option, options\n"
        "@options\n"
        "class LockedOptions:\n"
        "    password: str = option(secret=True)\n"
        "class Locked(BaseFilter):\n"
        "    Options = LockedOptions\n"
        "    def filter(self, item):\n"
        "        raise RuntimeError('broken')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    path = config(filter={"name": "locked_module:Locked", "options": {"password": "hunter2hunter2"}})
    assert ozzy("run", path).code != 0
    (run_id,) = ids(ozzy)
    told = ozzy("runs", "clean", "--force", run_id)
    assert told.code == 2
    assert "Give it up with its config: ozzy run CONFIG --fresh." in told.err
    assert ids(ozzy) == [run_id]
