"""The writers of the core keep their contract."""
# ruff: noqa: RUF012

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ozzy.builtin.writers.aggregation import AggregationWriter
from ozzy.builtin.writers.console import ConsoleWriter
from ozzy.builtin.writers.fs import FSWriter
from ozzy.builtin.writers.reduce import ReduceWriter
from ozzy.testing.bare import BareWriter
from ozzy.testing.ledger import LedgerWriter
from ozzy.testing.writer import WriterContract


class TestFSWriter(WriterContract):
    module = FSWriter
    options = {"filebase": "out/%Y/part", "compression": "none"}


class TestFSWriterCompressedAndRolled(WriterContract):
    module = FSWriter
    options = {"filebase": "out/{file_number}", "items_per_buffer_write": 3, "generate_md5": True, "check_consistency": True}


class TestFSWriterOverwriting(WriterContract):
    module = FSWriter
    options = {"filebase": "part", "if_exists": "overwrite", "compression": "zst"}
    formatter = {"name": "csv", "options": {"fields": ["id", "name", "text"]}}


class TestFSWriterNumbering(WriterContract):
    module = FSWriter
    options = {"filebase": "out/part", "if_exists": "number", "compression": "bz2"}
    formatter = {"name": "json", "options": {"jsonlines": False}}


class TestFSWriterZipping(WriterContract):
    module = FSWriter
    options = {"filebase": "out/{groups[0]}part", "compression": "zip", "items_per_buffer_write": 6}

    def begin(self, *given: Any, **how: Any) -> Any:
        return super().begin(*given, **how | {"grouped": True})

    def give(self, writer: Any, batch: Any, group: tuple[str, ...] = ()) -> None:
        super().give(writer, batch, group or ("all",))


class TestAggregationWriter(WriterContract):
    module = AggregationWriter
    options = {"path": "out/%Y/fields.json"}

    def oracle(self) -> Iterable[Any]:
        path = self.folder / "out/2024/fields.json"
        return range(json.loads(path.read_text())["records"]) if path.exists() else []

    def expect(self, numbers: Iterable[int], when: str) -> None:
        """It tells how many records it was given, and not which."""
        super().expect(range(len(list(numbers))), when)


class TestReduceWriter(WriterContract):
    module = ReduceWriter
    options = {"function": "gathering:gather", "path": "out/ids.json"}

    @pytest.fixture(autouse=True)
    def function(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        on_the_path(tmp_path_factory.mktemp("functions"), monkeypatch)

    def oracle(self) -> Iterable[Any]:
        path = self.folder / "out/ids.json"
        return json.loads(path.read_text()) or [] if path.exists() else []


def on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `gathering`, whose function `gather` makes a list of ids."""
    (folder / "gathering.py").write_text("def gather(item, found=None):\n    return [*(found or []), item['id']]\n")
    monkeypatch.syspath_prepend(folder)


class TestConsoleWriter(WriterContract):
    module = ConsoleWriter
    local = False

    @pytest.fixture(autouse=True)
    def reading(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.output, self.capsys = "", capsys

    def oracle(self) -> Iterable[Any]:
        self.output += self.capsys.readouterr().out
        return [json.loads(line)["id"] for line in self.output.split("\n") if line]


class TestBareWriter(WriterContract):
    module = BareWriter
    options = {"path": "rows.jl"}


class TestLedgerWriter(WriterContract):
    module = LedgerWriter
    options = {"path": "ledger.sqlite"}
    local = False

    def oracle(self) -> Iterable[Any]:
        return [record["id"] for record in LedgerWriter.records(self.folder / "ledger.sqlite")]
