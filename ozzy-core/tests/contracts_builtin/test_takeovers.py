"""Runs with shared state lose and double nothing: killed anywhere, and frozen anywhere, taken over, and woken."""
# ruff: noqa: RUF012

import os
from collections.abc import Iterable
from typing import Any

from ozzy.testing import LedgerWriter, TakeoverContract

SHARED = {"name": "shared", "options": {"store": "state/store", "lease_seconds": 0.3}}
FREEZES = os.environ.get("OZZY_TEST_FREEZES", "10")


class TestTakeoverOfFiles(TakeoverContract):
    persistence = SHARED
    kills = 12
    moments = 1
    freezes = FREEZES


class TestTakeoverOfGroupsAndMembers(TakeoverContract):
    persistence = SHARED
    writer = {"name": "fs", "options": {"filebase": "out/{groups[0]}/part", "items_per_buffer_write": 8, "manifest": "manifest.json"}}
    config = {"grouper": {"name": "file_key", "options": {"keys": ["country"]}}}
    same_bytes = False
    kills = 6
    moments = 0
    freezes = FREEZES


class TestTakeoverOfTransactions(TakeoverContract):
    persistence = SHARED
    writer = {"name": "ledger", "options": {"path": "ledger.sqlite"}}
    kills = 10
    moments = 1
    freezes = FREEZES

    def oracle(self) -> Iterable[Any]:
        return [record["id"] for record in LedgerWriter.records(self.here / "ledger.sqlite")]
