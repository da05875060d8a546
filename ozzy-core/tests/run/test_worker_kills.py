"""Runs that several workers share are killed anywhere, and make the same bytes."""
# ruff: noqa: RUF012

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ozzy.run import sharing
from ozzy.testing.kill import KillContract

LINES = [json.dumps({"id": n, "name": f"näme {n}", "group": "abc"[n % 3]}, ensure_ascii=False) + "\n" for n in range(60)]


class KillWorkers(KillContract):
    """Two workers, ranges of a few lines."""

    same_bytes = True
    config = {"engine": {"options": {"workers": 2}}, "checkpoint": {"every_records": 10}}

    @pytest.fixture(autouse=True)
    def small_tasks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sharing, "TASK_BYTES", 300)

    @pytest.fixture
    def reader(self, tmp_path: Path, small_tasks: None) -> dict[str, Any]:
        folder = tmp_path / "source"
        folder.mkdir()
        (folder / "a.jl").write_text("".join(LINES[:25]), encoding="utf-8")
        (folder / "b.jl.gz").write_bytes(gzip.compress("".join(LINES[25:40]).encode()))
        (folder / "c.jl").write_text("".join(LINES[40:]).rstrip(), encoding="utf-8")
        return {"name": "fs", "options": {"input": str(folder), "batch_size": 4}}


class TestKillOneFile(KillWorkers):
    pass


class TestKillGroups(KillWorkers):
    writer = {"name": "fs", "options": {"filebase": "out/{groups[0]}", "compression": "gz"}}
    config = KillWorkers.config | {"grouper": {"name": "file_key", "options": {"keys": ["group"]}}}


class TestKillWithFullCheckpoints(KillWorkers):
    config = KillWorkers.config | {"checkpoint": {"every_records": 10, "full_every": {"records": 28}}}
