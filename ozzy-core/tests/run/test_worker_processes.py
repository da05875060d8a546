"""Workers that are processes: stopped, killed, lost, begun anew; seen from outside, by the command."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RUN = """
import sys
from ozzy.builtin.engines import local
from ozzy.run import sharing
if __name__ == "__main__":
    sharing.TASK_BYTES = 20_000
    if sys.argv.pop(1) == "spawn":
        local.can_fork = lambda: False
    from ozzy.cli.main import main
    main()
"""


class Place:
    """A pipeline in a folder, and the command that runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "run.py").write_text(RUN, encoding="utf-8")
        lines = [json.dumps({"id": number, "group": "abc"[number % 3], "text": "x" * (number % 200)}) + "\n" for number in range(8_000)]
        (folder / "in.jl").write_text("".join(lines), encoding="utf-8")

    def config(self, name: str, **more: Any) -> None:
        given = {
            "name": name,
            "reader": {"name": "fs", "options": {"input": "in.jl", "batch_size": 50}},
            "filter": {"name": "python_exp", "options": {"python_expression": "sum(range(300)) + item['id'] >= 0"}},
            "grouper": {"name": "file_key", "options": {"keys": ["group"]}},
            "writer": {"name": "fs", "options": {"filebase": f"{name}/{{groups[0]}}"}},
            "checkpoint": {"every_records": 1},
            "engine": {"options": {"workers": 2}},
        }
        (self.folder / f"{name}.json").write_text(json.dumps(given | more), encoding="utf-8")

    def start(self, name: str, *options: str, how: str = "fork") -> "subprocess.Popen[str]":
        command = [sys.executable, "run.py", how, "run", f"{name}.json", "--state-dir", f"state-{name}", "--quiet", *options]
        return subprocess.Popen(command, cwd=self.folder, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def run(self, name: str, *options: str, how: str = "fork") -> tuple[int, str]:
        process = self.start(name, *options, how=how)
        _, told = process.communicate(timeout=120)
        return process.returncode, told

    def files(self, name: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.folder / name).iterdir())}

    def reached(self, name: str) -> int:
        """The byte of the source up to which a checkpoint speaks."""
        texts = [path.read_text(encoding="utf-8") for path in (self.folder / f"state-{name}").glob("*/*/checkpoint.json")]
        return max((int(found) for text in texts for found in re.findall(r'"offset": ?([0-9]+)', text)), default=0)

    def calm(self) -> dict[str, bytes]:
        """What an undisturbed run makes."""
        self.config("calm")
        assert self.run("calm") == (0, "")
        return self.files("calm")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def until(condition: Callable[[], Any]) -> Any:
    for _ in range(1_000):
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


@linux
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_at_a_checkpoint_and_a_resume_makes_the_same_bytes(place: Place, number: int, code: int) -> None:
    """It goes to all processes, as a terminal and an init system send it."""
    calm = place.calm()
    place.config("stopped")
    process = place.start("stopped")
    until(lambda: place.reached("stopped") > 100_000)
    workers = workers_of(process)
    os.killpg(process.pid, number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "ozzy resume" in told
    assert "Traceback" not in told
    assert len(workers) == 2
    until(lambda: all(map(gone, workers)))
    assert place.run("stopped", "--resume", "--workers", "3") == (0, "")
    assert place.files("stopped") == calm


@linux
def test_a_killed_run_takes_its_workers_with_it(place: Place) -> None:
    calm = place.calm()
    place.config("killed")
    process = place.start("killed")
    until(lambda: place.reached("killed") > 100_000)
    workers = workers_of(process)
    process.kill()
    process.communicate()
    until(lambda: all(map(gone, workers)))
    assert place.run("killed", "--resume", "--workers", "1") == (0, "")
    assert place.files("killed") == calm


@linux
def test_lost_workers_are_not_seen_in_the_outcome(place: Place) -> None:
    calm = place.calm()
    place.config("lost")
    process = place.start("lost")
    for offset in (100_000, 300_000, 500_000):
        until(lambda offset=offset: place.reached("lost") > offset or process.poll() is not None)
        for worker in workers_of(process):
            os.kill(worker, signal.SIGKILL)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, "")
    assert place.files("lost") == calm


def test_workers_that_are_begun_anew_do_the_same(place: Place) -> None:
    calm = place.calm()
    place.config("anew")
    assert place.run("anew", how="spawn") == (0, "")
    assert place.files("anew") == calm


def test_any_number_of_workers_makes_the_same_bytes(place: Place) -> None:
    calm = place.calm()
    place.config("three")
    assert place.run("three", "--workers", "3") == (0, "")
    assert place.files("three") == calm


@linux
def test_memory_stays_small(place: Place) -> None:
    place.config("small", errors="skip")
    process = place.start("small")
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_resident, [process.pid, *workers_of(process)])))
        time.sleep(0.02)
    assert process.communicate()[1] == ""
    assert 0 < peak < 250 * 2**20


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)
