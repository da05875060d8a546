"""The command on machines that share state: each is a process of its own, with a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ozzy.testing import SharedPersistence

SLOW = """
import os
import time
from ozzy import BaseTransform

class Slow(BaseTransform):
    \"\"\"Takes its time.\"\"\"

    one_to_one = True

    def transform_batch(self, batch):
        time.sleep(float(os.environ.get("SECONDS_A_BATCH", "0.04")))
        yield from batch
"""


class Machines:
    """Runs the command as machines do that share a store and a destination, and nothing else."""

    def __init__(self, folder):
        self.folder = folder
        self.store = folder / "store"
        self.started = []
        (folder / "slowly.py").write_text(SLOW)

    def config(self, **more):
        config = {
            "name": "orders",
            "reader": {"name": "random", "options": {"number_of_items": 600, "batch_size": 10, "seed": 1}},
            "transform": "slowly:Slow",
            "writer": {"name": "fs", "options": {"filebase": str(self.folder / "out" / "part"), "compression": "none"}},
            "persistence": {"name": "ozzy.testing.shared:SharedPersistence", "options": {"store": str(self.store), "lease_seconds": 1}},
            "checkpoint": {"every_records": 50},
        } | more
        path = self.folder / "orders.json"
        path.write_text(json.dumps(config))
        return str(path)

    def start(self, machine, *arguments, **variables):
        here = self.folder / machine
        here.mkdir(exist_ok=True)
        paths = os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OZZY_")}
        environment |= {"PYTHONPATH": paths} | variables
        command = [sys.executable, "-m", "ozzy", *arguments]
        process = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def end(self):
        for process in self.started:
            if process.returncode is None:
                process.kill()
                process.communicate()

    def do(self, machine, *arguments):
        process = self.start(machine, *arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def until_first_checkpoint(self, process):
        deadline = time.monotonic() + 30
        while not list(self.store.glob("*/runs/*/checkpoint/=*")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def run_id(self):
        return next(self.store.glob("*/runs/*")).name

    def rows(self):
        return [json.loads(line) for path in sorted((self.folder / "out").glob("part*")) for line in path.read_text().splitlines()]


@pytest.fixture
def machines(tmp_path):
    made = Machines(tmp_path)
    yield made
    made.end()


def test_a_holder_that_is_killed_is_taken_over_by_another_machine(machines, tmp_path):
    config = machines.config()
    first = machines.start("one", "run", config, SECONDS_A_BATCH="0.3")
    machines.until_first_checkpoint(first)
    code, _, err = machines.do("two", "run", config, "--resume-auto", "--state-dir", "state")
    assert (code, "this pipeline is running already: run 2" in err) == (7, True)
    first.kill()
    first.communicate()

    code, _, err = machines.do("two", "run", config)
    assert (code, "is unfinished (it ended without warning)" in err) == (7, True)
    code, _, err = machines.do("two", "run", config, "--resume")
    assert code == 0, err
    calm = machines.do("three", "run", machines.config(name="calm", writer=writer_to(tmp_path / "calm")))
    assert calm[0] == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "calm").iterdir()
    }


def writer_to(folder):
    return {"name": "fs", "options": {"filebase": str(folder / "part"), "compression": "none"}}


def test_a_holder_that_was_frozen_finds_out_and_publishes_nothing(machines):
    config = machines.config(checkpoint={"every_records": 50, "full_every": {"records": 200}})
    first = machines.start("one", "run", config, SECONDS_A_BATCH="0.3")
    machines.until_first_checkpoint(first)
    first.send_signal(signal.SIGSTOP)
    code, _, err = machines.do("two", "run", config, "--resume")
    assert code == 0, err
    rows = machines.rows()
    files = {path: path.read_bytes() for path in machines.folder.rglob("out/*")}
    first.send_signal(signal.SIGCONT)
    _, err = first.communicate(timeout=30)

    assert first.returncode == 7, err
    assert f"another run has taken over this pipeline: run {machines.run_id()}, process " in err
    assert len(rows) == len({json.dumps(row) for row in rows}) == 600
    assert {path: path.read_bytes() for path in machines.folder.rglob("out/*")} == files
    assert not list((machines.folder / "out").glob(".ozzy-*"))


def test_of_several_machines_that_begin_at_once_one_does(machines):
    config = machines.config()
    started = [machines.start(f"machine-{number}", "run", config, "--resume-auto") for number in range(4)]
    ended = [process.communicate(timeout=60)[1] for process in started]

    codes = sorted(process.returncode for process in started)
    assert codes[0] == 0
    assert set(codes[1:]) <= {0, 6, 7}, ended
    assert len(machines.rows()) == 600
    code, out, _ = machines.do("five", "runs", "list", "--config", config)
    assert code == 0
    assert out.count("finished") == 1 + codes[1:].count(0)


def test_what_is_told_of_shared_runs(machines):
    config = machines.config()
    first = machines.start("one", "run", config)
    machines.until_first_checkpoint(first)
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=30)
    run = machines.run_id()
    uri = f"shared://{machines.store}?run={run}"
    assert f"ozzy resume {uri}" in err.replace("'", "")

    assert machines.do("two", "runs", "list")[1].startswith("no runs in")
    assert "interrupted" in machines.do("two", "runs", "list", "--config", config)[1]
    shown = json.loads(machines.do("two", "runs", "show", run[:17], "--config", config, "--json")[1])
    assert (shown["run"], shown["folder"]) == (run, str(machines.store))
    told = json.loads(machines.do("two", "state", "show", config, "--json")[1])
    assert (told["run"], told["lease"]["held"], told["checkpoint"]["kind"]) == (run, False, "light")
    assert told["checkpoint"]["splits"][0]["state"] == "under way"
    again = machines.do("two", "state", "show", run, "--config", config)
    assert (again[0], "lease: free, epoch 1" in again[1]) == (0, True)
    assert machines.do("two", "state", "check", "--config", config)[1] == "all is well: 1 run\n"
    code, _, err = machines.do("two", "state", "rewind", run, "--config", config, "--to", "previous", "--yes")
    assert (code, "keeps no generation before the checkpoint" in err) == (7, True)
    code, out, _ = machines.do("two", "state", "rewind", run, "--config", config, "--to", "start", "--yes")
    assert (code, out) == (0, f"run {run} stands at its start\nGo on with it: ozzy resume {uri}\n")
    assert not list((machines.folder / "two").rglob("splits.jsonl"))

    newest = max(path for path in machines.store.rglob("=*") if path.parent.name == "checkpoint")
    whole = newest.read_bytes()
    newest.write_bytes(whole[:-20])
    code, out, _ = machines.do("two", "state", "check", "--config", config, "--json")
    assert code == 7
    assert json.loads(out)[0]["path"].endswith("/checkpoint")
    newest.write_bytes(whole)
    pieces = next(path for path in machines.store.rglob("=*") if "splits.jsonl" in str(path))
    pieces.write_bytes(pieces.read_bytes()[:5])
    machines.do("two", "runs", "clean", "--force", run, "--config", config)
    assert machines.do("two", "runs", "list", "--config", config)[1].startswith("no runs in")


def test_a_run_is_resumed_by_the_command_with_its_id_and_the_config(machines):
    config = machines.config()
    first = machines.start("one", "run", config)
    machines.until_first_checkpoint(first)
    first.kill()
    first.communicate()
    code, _, err = machines.do("two", "resume", machines.run_id(), "--config", config)

    assert code == 0, err
    assert len(machines.rows()) == 600
    assert SharedPersistence.uri_regex
    assert "1 s is taken over" in machines.do("two", "explain", config)[1]
