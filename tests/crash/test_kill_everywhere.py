"""Kill a real run before every single step that touches the disk, resume it, and find the same bytes as of a run never disturbed."""

import gzip
import json
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.contracts import file_writer
from ozzy.staging.files import StagedFiles

if not hasattr(os, "fork"):
    pytest.skip("needs fork()", allow_module_level=True)

STEPS = ("fsync", "replace", "rename", "link", "unlink", "mkdir", "rmdir", "write")
EVERY = int(os.environ.get("KILL_EVERY", "3"))
"""Every how many steps a run is killed; 1 takes three times as long and leaves none out."""

COUNTRIES = ["es", "uk", "de", "España", "日本", "../etc", ""]


def records(count: int, seed: int = 3) -> list[dict[str, Any]]:
    rnd = random.Random(seed)
    return [
        {
            "id": i,
            "pair": i // 2 * 2 + rnd.randrange(2),
            "country": rnd.choice(COUNTRIES),
            "active": rnd.random() < 0.8,
            "name": f"näme {i}",
            "note": "x" * rnd.randrange(300),
            "n": {"a": [i]},
            "bucket": f"b{i * 7919 % 400 if i % 3 else i % 50}",
        }
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    rows = [json.dumps(record, ensure_ascii=False) for record in records(1200)]
    for part in range(3):
        text = "\n".join(rows[part * 400 : part * 400 + 400]) + "\n"
        (folder / f"part-{part}.jl.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))
    return folder


def config(source: Path, out: Path, **more: Any) -> dict[str, Any]:
    return {
        "name": "crash",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 70}},
        "filter": {"name": "key_value", "options": {"keys": [{"name": "active", "value": True}]}},
        "grouper": {"name": "file_key", "options": {"keys": ["country"]}},
        "formatter": {"name": "csv", "options": {"fields": ["id", "name", "note", "n"]}},
        "writer": {"name": "fs", "options": {"filebase": f"{out}/{{groups[0]}}/part", "items_per_buffer_write": 60, "generate_md5": True}},
        "checkpoint": {"every_records": 140, "full_every": {"records": 500}},
    } | more


NAMED = {"name": "key_value", "options": {"keys": [{"name": "country", "operator": "in", "value": ["es", "uk", "日本"]}]}}
NEVER = {"name": "key_value", "options": {"keys": [{"name": "country", "value": "nowhere"}]}}

VARIANTS = {
    "grouped csv, rolled, light and full": {},
    "one json file, light only": {
        "grouper": "no_grouper",
        "formatter": "json",
        "checkpoint": {"every_records": 100},
        "writer": {"name": "fs", "options": {"filebase": "OUT/all", "compression": "none"}},
    },
    "json array, zst": {
        "formatter": {"name": "json", "options": {"jsonlines": False}},
        "writer": {"name": "fs", "options": {"filebase": "OUT/{groups[0]}", "compression": "zst"}},
    },
    "overwriting": {"writer": {"name": "fs", "options": {"filebase": "OUT/{groups[0]}/x", "if_exists": "overwrite", "compression": "bz2"}}},
    "a file for each source": {
        "grouper": "no_grouper",
        "writer": {"name": "fs", "options": {"filebase": "OUT/{source}", "compression": "xz"}},
    },
    "stages that remember, writers that choose": {
        "filter": {"name": "tests.crash.memory:Distinct", "options": {"field": "pair"}},
        "transform": {"name": "tests.crash.memory:Numbered", "options": {"field": "id"}},
        "grouper": "tests.crash.memory:EachInTurn",
        "formatter": "json",
        "writer": [
            {"name": "fs", "label": "named", "when": NAMED, "options": {"filebase": "OUT/named/{groups[0]}", "items_per_buffer_write": 90}},
            {
                "name": "fs",
                "label": "half",
                "when": "tests.crash.memory:EveryOther",
                "options": {"filebase": "OUT/half/{groups[0]}", "compression": "zst"},
            },
            {"name": "fs", "label": "never", "when": NEVER, "options": {"filebase": "OUT/never/x"}},
        ],
    },
}


def variant(name: str, source: Path, out: Path) -> dict[str, Any]:
    changes = json.loads(json.dumps(VARIANTS[name]).replace("OUT", str(out)))
    return config(source, out, **changes)


def in_child(work: Callable[[], object]) -> int:
    """Run in a forked process; the exit status, negative for a signal, 99 for an exception."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(99)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_at(step: int, work: Callable[[], object]) -> Callable[[], None]:
    """Do the work, with kill -9 just before the given step on the disk; from 0 steps on they are only counted into `steps`."""

    def run() -> None:
        count = 0

        def patched(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal count
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return original(*args, **kwargs)

            return call

        for name in STEPS:
            setattr(os, name, patched(getattr(os, name)))
        work()

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_a_kill_before_any_step_changes_no_byte(name: str, source: Path, tmp_path: Path) -> None:
    ozzy.run(variant(name, source, tmp_path / "calm"), state_dir=tmp_path / "calm-state")

    kill_everywhere(lambda out: variant(name, source, out), contents(tmp_path / "calm"), tmp_path, EVERY)


@pytest.mark.slow
def test_many_groups_in_few_open_files_are_the_same_as_if_each_had_been_written_alone(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400 groups, rolled by rows. The undisturbed run has an open file for each, those that are killed have 30."""

    def many(out: Path) -> dict[str, Any]:
        return config(
            source,
            out,
            grouper={"name": "file_key", "options": {"keys": ["bucket"]}},
            writer={"name": "fs", "options": {"filebase": f"{out}/{{groups[0]}}/part", "items_per_buffer_write": 3}},
            checkpoint={"every_records": 140, "full_every": {"records": 700}},
        )

    monkeypatch.setattr(file_writer, "StagedFiles", partial(StagedFiles, group_limit=1000))
    ozzy.run(many(tmp_path / "calm"), state_dir=tmp_path / "calm-state")
    wanted = contents(tmp_path / "calm")
    assert len(wanted) > 400
    monkeypatch.setattr(file_writer, "StagedFiles", partial(StagedFiles, group_limit=30))

    kill_everywhere(many, wanted, tmp_path, EVERY * 61)


def kill_everywhere(stormy: Callable[[Path], dict[str, Any]], wanted: dict[str, bytes], tmp_path: Path, every: int) -> None:
    """Kill before each step in turn, and once more in the resumed run; what the run after that leaves is to be what is wanted."""
    left = set()
    step = 1
    while True:
        out, state = tmp_path / f"out-{step}", tmp_path / f"state-{step}"
        run = partial(ozzy.run, stormy(out), state_dir=state)
        status = in_child(killed_at(step, run))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        left.add(phase(state))
        assert in_child(killed_at(step // 2 + 7, partial(run, resume=begun(state)))) in {0, -signal.SIGKILL}
        assert in_child(partial(run, resume=begun(state))) == 0

        assert contents(out) == wanted, f"after a kill at step {step}"
        assert not list(out.rglob(".ozzy-*"))
        step += every

    assert step > 20
    assert {"light", "full prepared"} <= left


def begun(state: Path) -> bool:
    """Whether there is a run to resume."""
    return any(state.glob("*/*/run.json"))


def phase(state: Path) -> str:
    """What kind of checkpoint a killed run left, empty for none."""
    found = list(state.glob("*/*/checkpoint.json"))
    if not found:
        return ""
    document = json.loads(found[0].read_bytes())["content"]
    return "light" if document["kind"] == "light" else f"full {document['phase']}"
