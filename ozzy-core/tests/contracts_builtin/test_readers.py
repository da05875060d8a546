"""The readers of the core keep their contract."""
# ruff: noqa: RUF012

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ozzy import BaseReader, Metadata
from ozzy.builtin.readers.fs import FSReader
from ozzy.builtin.readers.fs_continued import FSContinuedReader
from ozzy.builtin.readers.random import RandomReader
from ozzy.contracts.decoder import choose
from ozzy.plan.several_readers import SeveralReaders
from ozzy.testing.installed import make
from ozzy.testing.reader import ReaderContract


class TestRandomReader(ReaderContract):
    module = RandomReader
    options = {"number_of_items": 47, "batch_size": 10, "seed": 7}


class TestFSReader(ReaderContract):
    module = FSReader

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Any]:
        folder = tmp_path / "source"
        folder.mkdir()
        lines = [json.dumps({"id": number, "name": f"näme {number}"}, ensure_ascii=False) for number in range(40)]
        (folder / "a.jl").write_text("\n".join(lines[:25]) + "\n", encoding="utf-8")
        (folder / "b.jl.gz").write_bytes(gzip.compress("\n".join(lines[25:]).encode()))
        (folder / "c.csv").write_text("id,name\n1,a\n2,b\n3,c\n")
        (folder / "d.json").write_text(json.dumps([{"id": number} for number in range(7)]))
        with zipfile.ZipFile(folder / "e.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("in/one.jl", "\n".join(lines[:9]))
            archive.writestr("two.csv", "id,name\n1,a\n2,b\n")
        (folder / "empty.jl").write_text("")
        return {"input": str(folder), "batch_size": 4}

    def holding(self, records: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
        (folder / "held.jl").write_bytes(b"".join(json.dumps(record).encode() + b"\n" for record in records))
        return {"input": "held.jl"}


class TestFSContinuedReader(ReaderContract):
    module = FSContinuedReader

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Any]:
        lines = [json.dumps({"id": number}) + "\n" for number in range(30)]
        (tmp_path / "a.jl").write_text("".join(lines[:10]))
        (tmp_path / "b.jl").write_text("".join(lines[10:]))
        return {"input": ["a.jl", "b.jl"], "batch_size": 4, "files_read": ["a.jl"], "records_read": {"b.jl": 6}}


class Two(SeveralReaders):
    """Made-up records, then files: both as one reader."""

    def __init__(self, options: Any = None, metadata: Metadata | None = None) -> None:
        metadata = metadata or Metadata()
        BaseReader.__init__(self, options, metadata)
        random = RandomReader({"options": {"number_of_items": 23, "batch_size": 10, "seed": 7}}, metadata)
        files = make("reader", {"name": "fs", "options": {"input": str(metadata.working_folder / "source"), "batch_size": 4}}, metadata)
        files.decoders = decoders
        super().__init__({"first": random, "second": files}, {"first": "random", "second": "fs"}, metadata)


class TestSeveralReaders(ReaderContract):
    module = Two

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        folder = tmp_path / "source"
        folder.mkdir()
        lines = [json.dumps({"id": number, "name": f"näme {number}"}, ensure_ascii=False) for number in range(10)]
        (folder / "a.jl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def decoders(asked: str, name: str, head: bytes, batch_size: int) -> Any:
    chosen = choose(name, head) if asked == "auto" else asked
    return make("deserializer", {"name": chosen, "options": {"batch_size": batch_size}})


class TestFSReaderWithAMissingFile(ReaderContract):
    module = FSReader
    failing = {"input": "nowhere/missing.jl"}

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "one.jl").write_text('{"id": 1}\n\n{"id": 2}\n')
        return {"input": ["one.jl"], "batch_size": 1}
