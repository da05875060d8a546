"""`ozzy quarantine`, and what other commands tell of records that were kept."""

import pytest

from ozzy.errors import StateError


@pytest.fixture
def kept(ozzy, config, tmp_path):
    """A run that has kept three records of two causes; its id."""
    (tmp_path / "in.jl").write_text('{"a": 1}\n[1]\n{"a"\n[\x1b2, "\\u001b"]\n')
    path = config(reader={"name": "fs", "options": {"input": "in.jl"}}, errors="quarantine")
    outcome = ozzy("run", path)
    assert outcome.code == 0
    run = ozzy("runs", "list", "--json").json[0]
    assert run["quarantined"] == run["quarantine_left"] == 3
    assert f"3 records in quarantine: ozzy quarantine list {run['run']}" in outcome.err
    return run["run"]


def test_the_list_has_a_line_for_each_cause(ozzy, kept):
    outcome = ozzy("quarantine", "list")

    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == f"{kept}  numbers: 3 records in quarantine"
    assert [line.split()[:4] for line in lines[2:]] == [["1", "2", "reader", "fs"], ["2", "1", "reader", "fs"]]
    [found] = ozzy("quarantine", "list", kept[:-1], "--json").json
    assert (found["run"], found["records"], found["became"]) == (kept, 3, [])
    assert sum(cause["records"] for cause in found["causes"]) == 3
    assert found["causes"][0]["place"] == "in.jl, line 2"


def test_records_are_shown_with_place_cause_and_text_and_without_control_characters(ozzy, kept):
    outcome = ozzy("quarantine", "show", kept, "-n", "2")

    assert outcome.code == 0
    assert "in.jl, line 2  cause 1, reader\n" in outcome.out
    assert "\n  [1]\n" in outcome.out
    assert outcome.out.endswith("… and 1 more: --all shows them\n")
    everything = ozzy("quarantine", "show", kept, "--all")
    assert "\x1b" not in everything.out
    assert "more" not in everything.out
    assert len(ozzy("quarantine", "show", kept, "--json", "--all").json) == 3
    assert [one["text"] for one in ozzy("quarantine", "show", kept, "--cause", "2", "--json").json] == ['{"a"']
    assert ozzy("quarantine", "show", kept, "--cause", "99").out == f"nothing of cause 99 is left in the quarantine of run {kept}\n"


def test_nothing_in_quarantine_is_said(ozzy, config):
    assert ozzy("quarantine", "list").out == "nothing is in quarantine in .ozzy; --state-dir names another folder\n"
    assert ozzy("quarantine", "list", "--json").json == []
    ozzy("run", config(), "--quiet")
    assert ozzy("quarantine", "list", "--all").out.startswith("nothing is in quarantine")
    run = ozzy("runs", "list", "--json").json[0]["run"]
    assert ozzy("quarantine", "show", run).out == f"nothing is left in the quarantine of run {run}\n"
    assert ozzy("quarantine", "discard", run, "--yes").out == "there was nothing to discard\n"


def test_a_replay_uses_the_config_as_it_is_now_and_is_shown_as_one(ozzy, kept, config):
    config(reader={"name": "fs", "options": {"input": "in.jl"}}, errors="skip")
    outcome = ozzy("quarantine", "replay", kept, "--cause", "1")

    assert outcome.code == 0
    assert "bad" in outcome.err
    [found] = ozzy("quarantine", "list", "--all", "--json").json
    assert found["became"][0]["how"] == "replayed"
    assert found["records"] == 3 - found["became"][0]["records"]
    last = ozzy("runs", "list", "--json").json[-1]
    assert last["replay"]["of"] == kept
    assert f"(replay of {kept})" in ozzy("runs", "list").out
    assert f"  replay of: {kept}\n" in ozzy("runs", "show", last["run"]).out
    again = ozzy("quarantine", "replay", kept, "--cause", "1")
    assert again.code == StateError.exit_code
    assert "there is nothing of cause 1 to replay" in again.err
    assert "`ozzy quarantine list --all` shows what became of it." in again.err
    assert f"by {last['run']}" in ozzy("quarantine", "list", kept).out


def test_what_a_replay_refused_once_more_is_found_by_whoever_replays_the_first_run_again(ozzy, kept):
    for _ in range(2):
        assert ozzy("quarantine", "replay", "c.json").code == 0
    last = ozzy("runs", "list", "--json").json[-1]["run"]

    again = ozzy("quarantine", "replay", kept)

    assert again.code == StateError.exit_code
    assert f"What was refused once more is kept by {last}: ozzy quarantine replay {last}" in again.err


def test_a_config_names_its_newest_run_with_any_left_wherever_its_state_is(ozzy, kept, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    file = "../c.json"

    assert [one["run"] for one in ozzy("quarantine", "list", file, "--json").json] == [kept]
    assert len(ozzy("quarantine", "show", file, "--json").json) == 3
    assert ozzy("quarantine", "replay", file, "--cause", "2").code == 0
    last = ozzy("runs", "show", file, "--json").json
    assert (last["replay"]["of"], last["quarantine_left"]) == (kept, 1)
    assert len(ozzy("quarantine", "list", file, "--json").json) == 2
    assert ozzy("quarantine", "discard", file, "--yes").out == f"1 record of run {last['run']} discarded\n"
    assert ozzy("quarantine", "discard", file, "--yes").out == f"2 records of run {kept} discarded\n"
    assert ozzy("quarantine", "list", file, "--json").json == []
    assert ozzy("quarantine", "list", file).out.startswith("nothing is in quarantine in")


def test_a_config_that_never_ran_has_no_quarantine(ozzy, config):
    outcome = ozzy("quarantine", "show", config())

    assert outcome.code == StateError.exit_code
    assert "no run of c.json has begun" in outcome.err


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_a_cause_that_there_is_not_is_an_error(ozzy, kept, command):
    outcome = ozzy("quarantine", command, kept, "--cause", "7", *(["--yes"] if command == "discard" else []))

    assert outcome.code == StateError.exit_code
    assert f"run {kept} has no cause 7 in quarantine" in outcome.err


def test_records_are_discarded_once_that_is_confirmed(ozzy, kept):
    refused = ozzy("quarantine", "discard", kept)
    assert refused.code == 2
    assert "3 records would be lost for good" in refused.err

    assert ozzy("quarantine", "discard", kept, "--cause", "2", "--yes").out.startswith("1 record of run")
    rest = ozzy("quarantine", "discard", kept, "--yes", "--json").json
    assert rest == {"run": kept, "discarded": 2}
    assert ozzy("quarantine", "list").out.startswith("nothing is in quarantine")
    listed = ozzy("quarantine", "list", kept).out
    assert "1 record of cause 2 discarded" in listed
    assert "2 records discarded" in listed
    assert "there is nothing to replay" in ozzy("quarantine", "replay", kept).err


def test_runs_with_records_in_quarantine_are_not_cleaned_away(ozzy, kept, tmp_path):
    assert ozzy("runs", "clean").out == f"kept {kept}: 3 records in quarantine (ozzy quarantine list {kept})\nnothing to delete\n"
    assert "3 records in quarantine: ozzy quarantine list" in ozzy("runs", "show", kept).out
    assert ozzy("runs", "clean", "--force", kept).out == f"deleted {kept} (finished)\n"
    assert not list(tmp_path.glob(".ozzy/*/*/quarantine.jsonl"))


def test_a_damaged_quarantine_is_an_error(ozzy, kept, tmp_path):
    [path] = tmp_path.glob(".ozzy/*/*/quarantine.jsonl")
    path.write_text(path.read_text()[:-9])

    outcome = ozzy("quarantine", "list", kept)
    assert outcome.code == StateError.exit_code
    assert "the quarantine" in outcome.err


def test_explain_says_what_is_done_with_bad_records(ozzy, config):
    reader = {"name": "random", "errors": {"policy": "skip", "limit": 5}}
    found = ozzy("explain", config(errors="quarantine", reader=reader), "--json").json

    assert found["bad_records"] == "quarantine; reader: skip, 5 at the most"
    assert "bad records  quarantine\n" in ozzy("explain", config(errors="quarantine")).out
    assert "bad records" not in ozzy("explain", config()).out
