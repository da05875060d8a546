"""The readers, writers and the persistence of the core lose and double nothing when they are killed."""
# ruff: noqa: RUF012

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ozzy.testing.kill import KillContract
from ozzy.testing.ledger import LedgerWriter


class TestKillRandomReader(KillContract):
    reader = {"name": "random", "options": {"number_of_items": 60, "batch_size": 7, "seed": 3}}


class TestKillFSReader(KillContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> dict[str, Any]:
        folder = tmp_path / "source"
        folder.mkdir()
        lines = [json.dumps({"id": number, "name": f"näme {number}"}, ensure_ascii=False) + "\n" for number in range(60)]
        (folder / "a.jl").write_text("".join(lines[:25]), encoding="utf-8")
        (folder / "b.jl.gz").write_bytes(gzip.compress("".join(lines[25:40]).encode()))
        (folder / "c.csv").write_text("id,name\n" + "".join(f"{number},x\n" for number in range(40, 60)))
        return {"name": "fs", "options": {"input": str(folder), "batch_size": 4}}


class TestKillFSWriter(KillContract):
    writer = {"name": "fs", "options": {"filebase": "out/{groups[0]}/part", "items_per_buffer_write": 8, "generate_md5": True}}
    config = {"grouper": {"name": "file_key", "options": {"keys": ["country"]}}}


class TestKillConsoleLikeWriter(KillContract):
    writer = {"name": "bare", "options": {"path": "rows.jl"}}


class TestKillLedgerWriter(KillContract):
    writer = {"name": "ledger", "options": {"path": "ledger.sqlite"}}

    def oracle(self) -> Iterable[Any]:
        return [record["id"] for record in LedgerWriter.records(self.here / "ledger.sqlite")]
