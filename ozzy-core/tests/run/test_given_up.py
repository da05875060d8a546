"""Giving up a run that was killed while it published: what is out already is named."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import BaseFileWriter, BaseWriter
from ozzy.builtin.writers import fs
from ozzy.contracts.writer import Outcome, Staging
from ozzy.run import start
from ozzy.testing import registry


class KilledError(BaseException):
    """The process is gone."""


def config(folder: Path) -> dict[str, Any]:
    return {
        "name": "given up",
        "reader": {"name": "random", "options": {"number_of_items": 30, "batch_size": 10, "seed": 3}},
        "writer": {"name": "fs", "options": {"filebase": f"{folder}/out/part", "items_per_buffer_write": 10, "if_exists": "number"}},
    }


def test_files_that_were_out_when_publishing_was_cut_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the second of three: it is told of two, staged though their copies still are."""
    linked = []

    def link(staged: Path, target: Path) -> None:
        if len(linked) == 2:
            raise KilledError
        os.link(staged, target)
        linked.append(target)

    monkeypatch.setattr(fs, "link", link)
    with pytest.raises(KilledError):
        ozzy.run(config(tmp_path), state_dir=tmp_path / "state")
    monkeypatch.undo()

    result = ozzy.run(config(tmp_path), state_dir=tmp_path / "state", fresh=True)

    (told,) = [notice for notice in result.notices if "was abandoned" in notice]
    assert told.endswith(f"2 files that it had published are left: {tmp_path}/out/part0000.jl.gz, {tmp_path}/out/part0001.jl.gz")


def test_nothing_is_named_where_nothing_is_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(staged: Path, target: Path) -> None:
        raise KilledError

    monkeypatch.setattr(fs, "link", link)
    with pytest.raises(KilledError):
        ozzy.run(config(tmp_path), state_dir=tmp_path / "state")
    monkeypatch.undo()

    result = ozzy.run(config(tmp_path), state_dir=tmp_path / "state", fresh=True)

    (told,) = [notice for notice in result.notices if "was abandoned" in notice]
    assert "had published" not in told


class Crate(BaseFileWriter):
    """Copies files into a folder; the process is gone in the third copy."""

    folder = Path()
    copied = 0

    def write(self, dump_path: str, group_key: Any = None) -> None:
        if Crate.copied == 2:
            raise KilledError
        Crate.copied += 1


class Pipe(BaseWriter):
    """Stages nowhere, and has made no files when it is asked."""

    staging = Staging.DURABLE

    def write_batch(self, batch: Any, group_key: Any = None) -> None:
        """Takes it."""

    def publish(self, receipt: Any) -> None:
        raise KilledError

    def recover(self, receipt: Any) -> Outcome:
        return Outcome.STAGED

    def results(self, receipt: Any) -> list[dict[str, Any]]:
        return [{"name": "one", "rows": 30, "size": 1, "sha256": ""}] if receipt["final"] else []


def given_up(tmp_path: Path, writer: dict[str, Any]) -> str:
    more: dict[str, Any] = {"state_dir": tmp_path / "state", "registry": registry(crate=Crate, pipe=Pipe)}
    with pytest.raises(KilledError):
        ozzy.run(config(tmp_path) | {"writer": writer}, **more)
    Crate.copied = -1000
    with pytest.raises(KilledError) if writer["name"] == "pipe" else nullcontext():
        ozzy.run(config(tmp_path) | {"writer": writer}, fresh=True, **more)
    return caught[-1]


caught: list[str] = []


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what a run that is given up is said to have published."""
    original = start.published_files

    def published(*given: Any) -> list[str]:
        found = original(*given)
        caught.append(", ".join(found))
        return found

    monkeypatch.setattr(start, "published_files", published)
    Crate.copied = 0


def test_a_writer_of_files_elsewhere_names_those_it_has_brought(tmp_path: Path) -> None:
    assert given_up(tmp_path, {"name": "crate", "options": {"items_per_buffer_write": 10}}) == "0000.jl.gz, 0001.jl.gz"


def test_a_writer_that_has_published_nothing_names_nothing(tmp_path: Path) -> None:
    assert given_up(tmp_path, {"name": "pipe"}) == ""
