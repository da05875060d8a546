"""The writers of the core keep their contract."""
# ruff: noqa: RUF012

import json
from collections.abc import Iterable
from typing import Any

import pytest

from ozzy.builtin.writers.console import ConsoleWriter
from ozzy.builtin.writers.fs import FSWriter
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
