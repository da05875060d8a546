"""Files of every format, of more groups than have a file of their own, rolled, killed and resumed: the same bytes."""
# ruff: noqa: RUF012

import csv
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import fastavro
import openpyxl
import pytest

from ozzy.testing.kill import KillContract

pytestmark = pytest.mark.slow

RECORDS = [{"id": number, "bucket": f"b{number * 7919 % 257}", "note": f"nöte {number}"} for number in range(300)]


class ManyGroups(KillContract):
    """257 groups, some of two records, of which one fills a file; 256 groups have a staged file of their own."""

    kills: ClassVar[int] = 2
    moments: ClassVar[int] = 1
    same_bytes = True
    reader = {"name": "scripted", "options": {"items": RECORDS, "batch_size": 60}}
    grouped = {
        "grouper": {"name": "file_key", "options": {"keys": ["bucket"]}},
        "checkpoint": {"every_records": 100, "full_every": {"records": 200}},
    }
    config = grouped

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.here.glob(f"out/{pattern}"))


def placed(**options: Any) -> dict[str, Any]:
    return {"name": "fs", "options": {"filebase": "out/{groups[0]}-{file_number}", "items_per_buffer_write": 1, **options}}


class TestZip(ManyGroups):
    writer = placed(compression="zip")

    def oracle(self) -> Iterable[Any]:
        for path in self.files("*.zip"):
            with zipfile.ZipFile(path) as archive:
                (name,) = archive.namelist()
                yield from (line.partition(b",")[0] for line in archive.read(name).splitlines())


class TestXLSX(ManyGroups):
    writer = placed()
    config = ManyGroups.grouped | {"formatter": "xlsx"}

    def oracle(self) -> Iterable[Any]:
        for path in self.files("*.xlsx"):
            first, *rows = openpyxl.load_workbook(path)["records"].iter_rows(values_only=True)
            yield from (row[first.index("id")] for row in rows)


class TestAvro(ManyGroups):
    writer = placed()
    config = ManyGroups.grouped | {
        "formatter": {"name": "avro", "options": {"schema": {"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]}}}
    }

    def oracle(self) -> Iterable[Any]:
        for path in self.files("*.avro"):
            with path.open("rb") as file:
                yield from (record["id"] for record in fastavro.reader(file))


class TestDiscoveredColumns(ManyGroups):
    writer = placed(compression="zip")
    config = ManyGroups.grouped | {"formatter": {"name": "csv", "options": {"discover": True}}}

    def oracle(self) -> Iterable[Any]:
        for path in self.files("*.zip"):
            with zipfile.ZipFile(path) as archive:
                text = archive.read(archive.namelist()[0]).decode()
                yield from (row["id"] for row in csv.DictReader(io.StringIO(text)))


class TestSampledIntoSeveralWriters(ManyGroups):
    writer = [
        placed(compression="none"),
        {
            "name": "fs",
            "label": "sampled",
            "when": {"not": {"name": "key_value", "options": {"keys": [{"name": "id", "operator": "<", "value": 150}]}}},
            "options": {
                "filebase": "sampled/{groups[0]}",
                "compression": "none",
                "write_buffer": "reservoir_sampling",
                "write_buffer_options": {"sample_size": 1, "seed": 4},
            },
        },
    ]

    def oracle(self) -> Iterable[Any]:
        for path in self.files("*.jl"):
            yield from path.read_text().splitlines()
        for path in sorted(self.here.glob("sampled/*.jl")):
            yield from (f"sampled {line}" for line in path.read_text().splitlines())
