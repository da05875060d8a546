"""Kill an incremental run before every step on the disk: what it exports comes once, and the next run finds nothing new."""

import gzip
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

import ozzy
from tests.crash.test_kill_everywhere import contents, in_child, killed_at

EVERY = int(os.environ.get("OZZY_TEST_KILL_EVERY", "3"))


def write(folder: Path, name: str, numbers: range) -> None:
    text = "".join(
        json.dumps({"id": f"{name} {number}", "group": "ab"[number % 2], "note": "x" * (number % 97)}) + "\n" for number in numbers
    )
    (folder / name).write_bytes(gzip.compress(text.encode(), 1, mtime=0))


class Place:
    """A pipeline whose first run has succeeded and whose source has changed since; `again()` puts it back to that moment."""

    def __init__(self, folder: Path) -> None:
        self.source, self.out, self.state, self.kept = folder / "in", folder / "out", folder / "state", folder / "kept"
        self.source.mkdir()
        for name in ("a.jl.gz", "b.jl.gz", "c.jl.gz"):
            write(self.source, name, range(200))
        ozzy.run(self.config, state_dir=self.state)
        self.before = contents(self.out)
        write(self.source, "b.jl.gz", range(300))
        write(self.source, "late.jl.gz", range(250))
        os.utime(self.source / "late.jl.gz", (1, 1))
        os.utime(self.source / "a.jl.gz")
        (self.source / "c.jl.gz").unlink()
        for path in (self.out, self.state):
            shutil.copytree(path, self.kept / path.name)

    @property
    def config(self) -> dict[str, Any]:
        return {
            "name": "incremental",
            "bookmark": True,
            "reader": {"name": "fs", "options": {"input": str(self.source), "batch_size": 50}},
            "grouper": {"name": "file_key", "options": {"keys": ["group"]}},
            "writer": {"name": "fs", "options": {"filebase": f"{self.out}/{{groups[0]}}", "if_exists": "number"}},
            "checkpoint": {"every_records": 100, "full_every": {"records": 400}},
        }

    def again(self) -> None:
        for path in (self.out, self.state):
            shutil.rmtree(path)
            shutil.copytree(self.kept / path.name, path)

    def run(self, **how: Any) -> Any:
        return ozzy.run(self.config, state_dir=self.state, **how)

    def nothing_more(self) -> bool:
        """Whether one more run reads nothing."""
        return in_child(lambda: _is(self.run().records_read, 0)) == 0


def _is(found: object, wanted: object) -> None:
    assert found == wanted


def ids(folder: Path) -> list[str]:
    return sorted(json.loads(line)["id"] for path in folder.rglob("*.gz") for line in gzip.open(path))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def wanted(place: Place) -> dict[str, bytes]:
    """What is there after a second run that nothing disturbed."""
    first = sorted(f"{name}.jl.gz {number}" for name in "abc" for number in range(200))
    assert ids(place.out) == first
    place.run()
    new = [f"b.jl.gz {number}" for number in range(300)] + [f"late.jl.gz {number}" for number in range(250)]
    assert ids(place.out) == sorted(first + new)
    assert place.nothing_more()
    return contents(place.out)


@pytest.mark.slow
def test_resumed_after_a_kill_at_any_step_each_record_comes_once(place: Place, wanted: dict[str, bytes]) -> None:
    step, kills_after_the_end = 1, 0
    while True:
        place.again()
        status = in_child(killed_at(step, place.run))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills_after_the_end += contents(place.out) == wanted
        assert in_child(killed_at(step // 2 + 7, lambda: place.run(resume="auto"))) in {0, -signal.SIGKILL}
        assert in_child(lambda: place.run(resume="auto")) == 0

        assert contents(place.out) == wanted, f"after a kill at step {step}"
        assert place.nothing_more(), f"after a kill at step {step}"
        assert contents(place.out) == wanted, f"after a kill at step {step}"
        step += EVERY
    assert step > 60
    assert kills_after_the_end > 3


@pytest.mark.slow
def test_given_up_after_all_was_published_nothing_is_exported_again(place: Place, wanted: dict[str, bytes]) -> None:
    step, seen = 1, 0
    while True:
        place.again()
        if in_child(killed_at(step, place.run)) == 0:
            break
        all_out = contents(place.out) == wanted
        if all_out:
            seen += 1
            assert in_child(killed_at(step // 9 + 3, lambda: place.run(fresh=True))) in {0, -signal.SIGKILL}
            assert in_child(lambda: place.run(fresh=True)) == 0
            assert contents(place.out) == wanted, f"after a kill at step {step}"
            assert place.nothing_more(), f"after a kill at step {step}"
        step += 1 if all_out else EVERY
    assert seen > 8
