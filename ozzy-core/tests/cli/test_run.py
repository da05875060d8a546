"""`ozzy run` and `ozzy resume`: outcomes, refusals, signals."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from ozzy.cli.run import stopped_by_signals
from ozzy.run.listener import Stop

SLOW = '''
import pathlib, time
from ozzy import BaseReader

class Slow(BaseReader):
    """Hands out a record at a time until the file `go` is there; `began` says that it has begun."""

    at = 0

    def get_next_batch(self):
        self.at += 1
        pathlib.Path("began").touch()
        time.sleep(30 if pathlib.Path("stuck").exists() else 0.02)
        self.finished = self.at >= 500 or pathlib.Path("go").exists()
        return [{"n": self.at}]

    def get_last_position(self):
        return self.at

    def set_last_position(self, position):
        self.at = position or 0
'''


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_writes_its_files_and_tells_on_standard_error(ozzy, config, tmp_path):
    told = ozzy("run", config())
    assert (told.code, told.out) == (0, "")
    assert "30 records read (" in told.err
    assert "  the run was bound by " in told.err
    assert told.err.splitlines()[-1].endswith("  out/numbers0000.jl")
    assert len(rows(tmp_path / "out" / "numbers0000.jl")) == 30


def test_quiet_tells_nothing(ozzy, config):
    assert ozzy("run", config(), "--quiet") == type(ozzy("--version"))(0, "", "")


def test_json_is_one_object_on_standard_output(ozzy, config):
    told = ozzy("run", config(), "--json")
    assert (told.code, told.err) == (0, "")
    found = told.json
    assert {name: found[name] for name in ("state", "records_read", "records_written", "prints")} == {
        "state": "finished",
        "records_read": 30,
        "records_written": 30,
        "prints": False,
    }
    assert [(file["name"], file["rows"]) for file in found["files"]] == [("numbers0000.jl", 30)]


def test_where_records_go_to_standard_output_the_json_goes_to_standard_error(ozzy, config):
    told = ozzy("run", config(writer="console"), "--json")
    assert len(told.out.splitlines()) == 30
    assert json.loads(told.err)["prints"] is True


def test_a_dry_run_of_the_console_prints_no_records(ozzy, config):
    told = ozzy("run", config(writer="console"), "--json", "--dry-run")
    assert told.json["state"] == "dry run"


def test_a_dry_run_tells_names_and_leaves_nothing(ozzy, config, tmp_path):
    told = ozzy("run", config(), "--dry-run")
    assert told.code == 0
    assert told.err.splitlines()[-1].split() == ["30", "rows", "out/numbers0000.jl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json"]


def test_options_reach_the_run(ozzy, config, tmp_path):
    told = ozzy(
        "run",
        config(),
        "--limit",
        7,
        "--set",
        "writer.options.filebase=x/y",
        "--set",
        "reader.options.batch_size=5",
        "--state-dir",
        "state",
    )
    assert told.code == 0
    assert len(rows(tmp_path / "x" / "y0000.jl")) == 7
    assert (tmp_path / "state").is_dir()
    assert not (tmp_path / ".ozzy").exists()


@pytest.mark.parametrize("how", [("--resume", "--fresh"), ("--resume", "--resume-auto"), ("--resume-auto", "--fresh")])
def test_ways_to_go_on_exclude_each_other(ozzy, config, how):
    told = ozzy("run", config(), *how)
    assert told.code == 2
    assert "--resume, --resume-auto and --fresh exclude each other." in told.err


def test_resume_of_what_never_began_is_a_state_error(ozzy, config):
    told = ozzy("run", config(), "--resume")
    assert told.code == 7
    assert "so there is none to resume" in told.err


def test_resume_of_a_finished_run_says_so_and_succeeds(ozzy, config):
    ozzy("run", config())
    told = ozzy("run", config(), "--resume")
    assert told.code == 0
    assert "has finished already: 30 records written; there is nothing to go on with" in told.err


@pytest.fixture
def failed(ozzy, config, tmp_path):
    """A run that has failed because its file was there already; its id."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "numbers0000.jl").write_text("mine")
    told = ozzy("run", config())
    assert told.code == 6
    assert "numbers0000.jl exists already" in told.err
    run_id = ozzy("runs", "list", "--json").json[0]["run"]
    assert told.err.splitlines()[-1] == f"Go on with it: ozzy resume {run_id}"
    return run_id


def test_after_a_failure_a_plain_run_refuses_and_tells_the_ways_on(ozzy, config, failed):
    told = ozzy("run", config())
    assert told.code == 7
    assert failed in told.err
    assert all(way in told.err for way in ("--resume", "--resume-auto", "--fresh"))


@pytest.mark.parametrize("way", [["run", "c.json", "--resume"], ["run", "c.json", "--resume-auto"], ["resume"]])
def test_what_failed_is_gone_on_with(ozzy, failed, tmp_path, way):
    (tmp_path / "out" / "numbers0000.jl").unlink()
    told = ozzy(*way, *([failed] if way == ["resume"] else []))
    assert told.code == 0
    assert told.err.startswith(f"going on with run {failed}\n")
    assert len(rows(tmp_path / "out" / "numbers0000.jl")) == 30


def test_a_resume_needs_no_config_and_finds_its_folder_again(ozzy, failed, tmp_path, monkeypatch):
    (tmp_path / "out" / "numbers0000.jl").unlink()
    (tmp_path / "c.json").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    told = ozzy("resume", failed[:18], "--state-dir", "../.ozzy")
    assert told.code == 0
    assert len(rows(tmp_path / "out" / "numbers0000.jl")) == 30


@pytest.mark.parametrize("how", ["--resume", "--resume-auto"])
def test_relative_paths_of_a_run_belong_to_the_folder_it_began_in(ozzy, failed, tmp_path, monkeypatch, how):
    """Else the files of one run would lie in two folders, and its source would be looked for where it never was."""
    (tmp_path / "out" / "numbers0000.jl").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    told = ozzy("run", "../c.json", how)

    assert told.code == 0
    assert f"note: relative paths belong to {tmp_path}, where run {failed} began" in told.err
    assert len(rows(tmp_path / "out" / "numbers0000.jl")) == 30
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_where_that_folder_is_gone_as_on_another_machine_they_belong_to_the_present_one(ozzy, config, tmp_path, monkeypatch):
    for name in ("first", "second"):
        (tmp_path / name / "out").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "first")
    (tmp_path / "first/out/numbers0000.jl").write_text("mine")
    assert ozzy("run", f"../{config()}").code == 6
    monkeypatch.chdir(tmp_path / "second")
    shutil.rmtree(tmp_path / "first")

    assert ozzy("run", "../c.json", "--resume").code == 0
    assert len(rows(tmp_path / "second/out/numbers0000.jl")) == 30


def test_a_failure_elsewhere_names_the_state_folder_in_the_command_to_go_on(ozzy, config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "numbers0000.jl").write_text("mine")
    told = ozzy("run", config(), "--state-dir", "my state")
    assert told.err.splitlines()[-1].endswith(f"--state-dir '{tmp_path / 'my state'}'")


def test_fresh_begins_anew(ozzy, config, failed, tmp_path):
    (tmp_path / "out" / "numbers0000.jl").unlink()
    told = ozzy("run", config(), "--fresh")
    assert told.code == 0
    assert f"note: run {failed} was abandoned" in told.err


def test_json_tells_a_failure_too(ozzy, failed):
    told = ozzy("resume", failed, "--json")
    assert told.code == 6
    assert told.json | {"message": ""} == {"run_id": failed, "state": "failed", "error": "DestinationError", "message": "", "exit_code": 6}
    assert "exists already" in told.json["message"]
    assert told.err.startswith("error: ")


def test_an_unknown_run_is_a_state_error(ozzy):
    told = ozzy("resume", "2000")
    assert told.code == 7
    assert "there is no run 2000" in told.err


def test_logs_are_shown_as_asked_for(ozzy, config):
    path = config(stats_manager="logging", writer="console")
    assert ozzy("run", path, "--quiet").err == ""
    told = ozzy("run", path, "--quiet", "--log-level", "INFO", "--log-format", "json")
    assert {json.loads(line)["level"] for line in told.err.splitlines()} == {"info"}


def test_a_first_signal_asks_to_stop_and_handlers_are_put_back(capfd):
    before = signal.getsignal(signal.SIGTERM)
    stop = Stop()
    with stopped_by_signals(stop):
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert capfd.readouterr().err == "\nstopping after this batch; once more to stop at once\n"


def test_a_second_signal_ends_the_process_at_once(monkeypatch, capfd):
    def leave(code):
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    with stopped_by_signals(Stop()):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(SystemExit) as caught:
            os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.code == 143
    assert capfd.readouterr().err.endswith("stopped at once\n")


@pytest.fixture
def slow(config, tmp_path):
    """Starts a run that takes its time, and waits until it has begun."""
    (tmp_path / "slow_reader.py").write_text(SLOW)
    path = config(reader="slow_reader:Slow", checkpoint={"every_records": 1})
    started = []

    def start(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        process = subprocess.Popen(
            [sys.executable, "-m", "ozzy", "run", path, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started.append(process)
        until = time.monotonic() + 20
        while not (tmp_path / "began").exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.02)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_run_at_a_checkpoint_and_the_rest_comes_with_resume(slow, tmp_path, number, code):
    process = slow()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "stopping after this batch; once more to stop at once" in err
    assert "Go on with it: ozzy resume " in err
    assert "Traceback" not in err
    assert not list((tmp_path / "out").glob("*.jl"))
    (tmp_path / "go").touch()
    _, err = slow("--resume").communicate(timeout=20)
    numbers = [row["n"] for row in rows(tmp_path / "out" / "numbers0000.jl")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_second_signal_does_not_wait_for_the_reader(slow, tmp_path):
    (tmp_path / "stuck").touch()
    process = slow()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert err.endswith("stopped at once\n")


def test_a_reader_of_the_output_that_goes_away_ends_a_run_cleanly(config):
    path = config(reader={"name": "random", "options": {"number_of_items": 200_000}}, writer="console")
    process = subprocess.Popen([sys.executable, "-m", "ozzy", "run", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert json.loads(process.stdout.readline())["key"] == 0
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=20) == 0
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert " ignored" in err


def test_a_list_that_nobody_reads_to_its_end_is_no_error():
    process = subprocess.Popen([sys.executable, "-m", "ozzy", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=20), err) == (0, "")


def test_accept_changes_goes_with_a_resume(ozzy, config):
    told = ozzy("run", config(), "--accept-changes")
    assert (told.code, "--accept-changes goes with --resume or --resume-auto." in told.err) == (2, True)


def test_a_run_goes_on_with_another_config_where_that_is_accepted(ozzy, config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/numbers0000.jl").write_text("mine")
    assert ozzy("run", config()).code == 6
    changed = config(writer={"name": "fs", "options": {"filebase": "out/numbers", "compression": "none", "if_exists": "number"}})

    refused = ozzy("run", changed, "--resume")
    assert refused.code == 7
    assert "  writer.options.if_exists: was None, is 'number'\n" in refused.err
    assert ozzy("run", changed, "--resume", "--accept-changes").code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.jl")) == ["numbers0000.jl", "numbers0001.jl"]


def test_a_run_is_gone_on_with_by_its_id_with_changes(ozzy, config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/numbers0000.jl").write_text("mine")
    assert ozzy("run", config()).code == 6
    run_id = ozzy("runs", "list", "--json").json[0]["run"]
    other = ["--set", "writer.options.if_exists=skip"]

    assert ozzy("resume", run_id, *other).code == 7
    assert ozzy("resume", run_id, *other, "--accept-changes").code == 0
