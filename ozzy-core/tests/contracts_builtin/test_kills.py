"""The readers, writers and the persistence of the core lose and double nothing when they are killed."""
# ruff: noqa: RUF012

import csv
import gzip
import json
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fastavro
import openpyxl
import pytest

from ozzy.builtin.readers.fs_continued import FSContinuedReader
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
        (folder / "c.csv").write_text("id,name\n" + "".join(f"{number},x\n" for number in range(40, 50)))
        with zipfile.ZipFile(folder / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.xml", "<r>" + "".join(f"<i><id>{number}</id></i>" for number in range(50, 55)) + "</r>")
            archive.writestr("b.jl", "".join(lines[55:]).encode("utf-16"))
        return {"name": "fs", "options": {"input": str(folder), "batch_size": 4}}


class TestKillFSContinuedReader(KillContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> dict[str, Any]:
        lines = [json.dumps({"id": number}) + "\n" for number in range(60)]
        (tmp_path / "a.jl").write_text("".join(lines[:20]))
        (tmp_path / "b.jl.gz").write_bytes(gzip.compress("".join(lines[20:45]).encode()))
        (tmp_path / "c.jl").write_text("".join(lines[45:]))
        read = {"files_read": [str(tmp_path / "a.jl")], "records_read": {str(tmp_path / "b.jl.gz"): 9}}
        inputs = [str(tmp_path / name) for name in ("a.jl", "b.jl.gz", "c.jl")]
        return {"name": FSContinuedReader, "options": {"input": inputs, "batch_size": 4, **read}}


class TestKillSeveralReaders(KillContract):
    writer = {"name": "fs", "options": {"filebase": "out/{source}", "compression": "none"}}

    @pytest.fixture
    def reader(self, tmp_path: Path) -> list[dict[str, Any]]:
        lines = [json.dumps({"id": number}) + "\n" for number in range(60)]
        (tmp_path / "a.jl").write_text("".join(lines[:20]))
        (tmp_path / "b.jl.gz").write_bytes(gzip.compress("".join(lines[20:40]).encode()))
        (tmp_path / "c.csv").write_text("id\n" + "".join(f"{number}\n" for number in range(40, 60)))
        return [
            {"name": "fs", "options": {"input": [str(tmp_path / "a.jl"), str(tmp_path / "c.csv")], "batch_size": 7}},
            {"name": "fs", "label": "second", "options": {"input": str(tmp_path / "b.jl.gz"), "batch_size": 4}},
            {"name": "scripted", "options": {"items": [{"id": f"x{number}"} for number in range(20)], "batch_size": 6}},
        ]


class TestKillStreamBypass(KillContract):
    """Copies, parts that turn out to need the pipeline, and others, in one run."""

    writer = {"name": "fs", "options": {"filebase": "out/{source}", "generate_md5": True}}
    bypass = "stream"

    @pytest.fixture
    def reader(self, tmp_path: Path) -> dict[str, Any]:
        folder = tmp_path / "source"
        (folder / "x").mkdir(parents=True)
        lines = [json.dumps({"id": number}).encode() + b"\n" for number in range(60)]
        (folder / "a.jl.gz").write_bytes(gzip.compress(b"".join(lines[:15])))
        (folder / "b.jl.gz").write_bytes(gzip.compress(b"".join(lines[15:30]) + b"\n"))
        (folder / "c.jl.gz").write_bytes(gzip.compress(b"".join(lines[30:45])))
        (folder / "x/a.jl.gz").write_bytes(gzip.compress(b"".join(lines[45:])))
        return {"name": "fs", "options": {"input": str(folder), "batch_size": 4}}


class TestKillTrustingStreamBypass(TestKillStreamBypass):
    """Copies whose records nobody counts, with checkpoints between them."""

    bypass = {"name": "stream", "options": {"verify": False}}
    config = {"checkpoint": {"every_bytes": 1, "full_every": {"bytes": 150}}}
    kills = 12


class TestKillFSWriter(KillContract):
    writer = {"name": "fs", "options": {"filebase": "out/{groups[0]}/part", "items_per_buffer_write": 8, "generate_md5": True}}
    config = {"grouper": {"name": "file_key", "options": {"keys": ["country"]}}}


class _WithDuplicates(KillContract):
    writer = {"name": "fs", "options": {"filebase": "out/part", "compression": "none"}}

    @pytest.fixture
    def reader(self, tmp_path: Path) -> dict[str, Any]:
        folder = tmp_path / "source"
        folder.mkdir()
        for number in range(3):
            records = [{"id": at, "_key": at * 7 % 45 if at % 11 else None} for at in range(number * 30, number * 30 + 30)]
            (folder / f"{number}.jl").write_text("".join(json.dumps(record) + "\n" for record in records))
        return {"name": "fs", "options": {"input": str(folder), "batch_size": 4}}


class TestKillDupeFilter(_WithDuplicates):
    config = {"filter": {"name": "dupe", "options": {"memory": "64 KiB"}}}


class TestKillDupeFiltersInChains(_WithDuplicates):
    config = {
        "filter_before": {
            "or": [
                {"not": {"name": "key_value", "options": {"keys": [{"name": "id", "value": 70, "operator": "<"}]}}},
                [{"name": "key_value", "options": {"keys": [{"name": "id", "value": 40, "operator": "!="}]}}, "dupe"],
            ]
        },
        "filter_after": ["no_filter", {"not": {"and": ["dupe", {"not": "dupe"}]}}],
    }


class TestKillDupeFilterBeforeATransaction(_WithDuplicates):
    config = {"filter": "dupe"}
    writer = {"name": "ledger", "options": {"path": "ledger.sqlite"}}

    def oracle(self) -> Iterable[Any]:
        return [record["id"] for record in LedgerWriter.records(self.here / "ledger.sqlite")]


class TestKillFSWriterZipping(KillContract):
    writer = {"name": "fs", "options": {"filebase": "out/{groups[0]}/part", "compression": "zip", "items_per_buffer_write": 8}}
    config = {"grouper": {"name": "file_key", "options": {"keys": ["country"]}}}


class TestKillReservoirSampling(KillContract):
    writer = {
        "name": "fs",
        "options": {
            "filebase": "out/{groups[0]}/part",
            "compression": "none",
            "write_buffer": "reservoir_sampling",
            "write_buffer_options": {"sample_size": 7, "seed": 5},
        },
    }
    config = {"grouper": {"name": "file_key", "options": {"keys": ["country"]}}}


class TestKillReservoirSamplingWithoutStaging(KillContract):
    writer = {
        "name": "bare",
        "options": {"path": "rows.jl", "write_buffer": "reservoir_sampling", "write_buffer_options": {"sample_size": 9, "seed": 5}},
    }


class TestKillAggregationWriter(KillContract):
    writer = {"name": "aggregation", "options": {"path": "out/fields.json"}}
    config = {"grouper": {"name": "file_key", "options": {"keys": ["country"]}}}
    same_bytes = True

    def oracle(self) -> Iterable[Any]:
        path = self.here / "out/fields.json"
        return range(json.loads(path.read_text())["records"]) if path.exists() else []


class TestKillReduceWriter(KillContract):
    writer = {"name": "reduce", "options": {"function": "gathered_by_kills:gather", "path": "ids.json"}}
    same_bytes = True

    @pytest.fixture(autouse=True)
    def with_a_pipeline(
        self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path_factory.mktemp("functions")
        (folder / "gathered_by_kills.py").write_text("def gather(item, found=None):\n    return [*(found or []), item['id']]\n")
        monkeypatch.syspath_prepend(folder)
        KillContract.with_a_pipeline.__wrapped__(self, request, tmp_path, monkeypatch)  # type: ignore[attr-defined]

    def oracle(self) -> Iterable[Any]:
        path = self.here / "ids.json"
        return json.loads(path.read_text()) if path.exists() else []


class TestKillDiscoveredColumns(KillContract):
    same_bytes = True
    writer = {"name": "fs", "options": {"filebase": "out/{groups[0]}/part", "items_per_buffer_write": 8, "compression": "none"}}
    config = {
        "grouper": {"name": "file_key", "options": {"keys": ["country"]}},
        "formatter": {"name": "csv", "options": {"discover": True}},
    }

    def oracle(self) -> Iterable[Any]:
        for path in sorted(self.here.glob("out/*/*.csv")):
            yield from (int(row["id"]) for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines(keepends=True)))


class TestKillXML(KillContract):
    same_bytes = True
    writer = {"name": "fs", "options": {"filebase": "out/part", "items_per_buffer_write": 25, "compression": "none"}}
    config = {"formatter": {"name": "xml"}}

    def oracle(self) -> Iterable[Any]:
        for path in sorted(self.here.glob("out/*.xml")):
            yield from (int(item.findtext("id", "")) for item in ET.parse(path).getroot())


class TestKillXLSX(KillContract):
    same_bytes = True
    writer = {"name": "fs", "options": {"filebase": "out/part", "items_per_buffer_write": 40}}
    config = {"formatter": {"name": "xlsx"}}

    def oracle(self) -> Iterable[Any]:
        for path in sorted(self.here.glob("out/*.xlsx")):
            first, *rows = openpyxl.load_workbook(path)["records"].iter_rows(values_only=True)
            yield from (row[first.index("id")] for row in rows)


class TestKillAvro(KillContract):
    same_bytes = True
    writer = {"name": "fs", "options": {"filebase": "out/part", "items_per_buffer_write": 40}}
    config = {
        "formatter": {
            "name": "avro",
            "options": {"schema": {"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]}},
        }
    }

    def oracle(self) -> Iterable[Any]:
        for path in sorted(self.here.glob("out/*.avro")):
            with path.open("rb") as file:
                yield from (record["id"] for record in fastavro.reader(file))


class TestKillConsoleLikeWriter(KillContract):
    writer = {"name": "bare", "options": {"path": "rows.jl"}}


class TestKillLedgerWriter(KillContract):
    writer = {"name": "ledger", "options": {"path": "ledger.sqlite"}}

    def oracle(self) -> Iterable[Any]:
        return [record["id"] for record in LedgerWriter.records(self.here / "ledger.sqlite")]
