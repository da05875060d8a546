"""Kill a run that writes a manifest before every step on the disk: readers always find a whole one, and it ends as if undisturbed."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.staging.manifest import read_manifest
from tests.crash.test_kill_everywhere import begun, contents, in_child, killed_at

OWN = ("run", "started", "config")
"""What two runs into two folders can't have in common."""


def config(source: Path, out: Path, **writer: Any) -> dict[str, Any]:
    return {
        "name": "listed",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 20}},
        "grouper": {"name": "file_key", "options": {"keys": ["c"]}},
        "writer": {
            "name": "fs",
            "options": {"filebase": f"{out}/{{groups[0]}}/x", "manifest": "lists/m.json", "compression": "none"} | writer,
        },
        "checkpoint": {"every_records": 20, "full_every": {"records": 60}},
    }


def listed(out: Path) -> dict[str, Any] | None:
    path = out / "lists/m.json"
    return read_manifest(path) if path.exists() else None


@pytest.mark.parametrize("if_exists", ["fail", "overwrite"])
def test_a_kill_before_any_step_leaves_a_whole_manifest_and_the_same_one_in_the_end(if_exists: str, tmp_path: Path) -> None:
    source = tmp_path / "in.jl"
    source.write_text("".join(json.dumps({"id": i, "c": "ab"[i % 2]}) + "\n" for i in range(130)))
    ozzy.run(config(source, tmp_path / "calm", if_exists=if_exists), state_dir=tmp_path / "calm-state")
    wanted = contents(tmp_path / "calm")
    calm = listed(tmp_path / "calm")
    assert calm is not None
    assert ozzy.verify(tmp_path / "calm/lists/m.json", rows=True).ok

    seen, step = set(), 1
    while True:
        out, state = tmp_path / f"out-{step}", tmp_path / f"state-{step}"
        stormy = config(source, out, if_exists=if_exists)

        status = in_child(killed_at(step, lambda: ozzy.run(stormy, state_dir=state)))  # noqa: B023
        if status == 0:
            break
        assert status == -signal.SIGKILL
        left = listed(out)
        seen.add(left["checkpoint"] if left is not None else 0)
        if left is not None:
            assert all((out / file["name"]).stat().st_size == file["bytes"] for file in left["files"])
        again = begun(state)
        assert in_child(killed_at(step // 3 + 5, lambda: ozzy.run(stormy, state_dir=state, resume=again))) in {0, -signal.SIGKILL}  # noqa: B023
        again = begun(state)
        assert in_child(lambda: ozzy.run(stormy, state_dir=state, resume=again)) == 0  # noqa: B023

        ended = listed(out)
        assert ended is not None
        assert {key: value for key, value in ended.items() if key not in OWN} == {
            key: value for key, value in calm.items() if key not in OWN
        }
        got = contents(out)
        assert got.keys() == wanted.keys()
        assert all(got[name] == wanted[name] for name in got if name != "lists/m.json"), f"after a kill at step {step}"
        assert not list(out.rglob(".ozzy-*"))
        step += int(os.environ.get("OZZY_TEST_KILL_EVERY", "6"))

    assert seen == {0, 1, 2, 3}
