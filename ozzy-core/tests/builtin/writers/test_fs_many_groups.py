"""Whole runs with more groups than may have a staged file each, compared with runs where each has one."""

import gzip
import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.contracts import file_writer
from ozzy.errors import DestinationError
from ozzy.staging.files import StagedFiles

GROUPS = ["es", "uk", "日本", "a/b", "", "fr", "it"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for part in range(3):
        rows = [{"n": n, "g": GROUPS[n * (part + 1) % 7], "text": "x" * (n % 90)} for n in range(part, 300, 2)]
        (folder / f"part-{part}.jl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def config(source: Path, out: Path, **options: Any) -> dict[str, Any]:
    return {
        "name": "many",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 40}},
        "grouper": {"name": "file_key", "options": {"keys": ["g"]}},
        "writer": {"name": "fs", "options": {"filebase": f"{out}/{{groups[0]}}/x", **options}},
        "checkpoint": {"every_records": 90},
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Every file; the lines of a list of checksums in one order."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: b"".join(sorted(data.splitlines(keepends=True))) if name.endswith(".md5") else data for name, data in found.items()}


def run(
    monkeypatch: pytest.MonkeyPatch, group_limit: int, folder: Path, source: Path, **options: Any
) -> tuple[ozzy.Result, dict[str, bytes]]:
    monkeypatch.setattr(file_writer, "StagedFiles", partial(StagedFiles, group_limit=group_limit))
    result = ozzy.run(config(source, folder / "out", **options), state_dir=folder / "state")
    return result, contents(folder / "out")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"items_per_buffer_write": 7},
        {"generate_md5": True, "compression": "none", "check_consistency": True},
        {"filebase": "OUT/{source}/{groups[0]}", "items_per_buffer_write": 20},
        {"filebase": "OUT/{split}-{groups[0]}"},
    ],
    ids=str,
)
def test_the_files_are_those_of_a_run_with_a_file_for_each_group(options, source, tmp_path, monkeypatch):
    given = {name: value.replace("OUT", str(tmp_path / "all" / "out")) if name == "filebase" else value for name, value in options.items()}
    whole, wanted = run(monkeypatch, 100, tmp_path / "all", source, **given)
    given = {name: value.replace("OUT", str(tmp_path / "few" / "out")) if name == "filebase" else value for name, value in options.items()}
    result, found = run(monkeypatch, 2, tmp_path / "few", source, **given)

    assert found == wanted
    assert len(wanted) >= 7
    ours = [(file.name, file.rows, file.size, file.checksum) for file in result.files if not file.name.endswith(".md5")]
    theirs = [(file.name, file.rows, file.size, file.checksum) for file in whole.files if not file.name.endswith(".md5")]
    assert sorted(ours) == sorted(theirs)
    assert result.counts == whole.counts
    for file in result.files:
        assert hashlib.sha256(Path(file.path or "").read_bytes()).hexdigest() == file.checksum


def test_names_that_are_taken_end_the_run_when_the_first_row_comes(source, tmp_path, monkeypatch):
    (tmp_path / "out" / "fr").mkdir(parents=True)
    (tmp_path / "out" / "fr" / "x0000.jl.gz").write_text("mine")

    with pytest.raises(DestinationError, match=r"fr/x0000\.jl\.gz exists already"):
        run(monkeypatch, 2, tmp_path, source)
    assert contents(tmp_path / "out").keys() & {"es/x0000.jl.gz"} == set()


@pytest.mark.parametrize("if_exists", ["overwrite", "number", "skip"])
@pytest.mark.parametrize("rows_limit", [0, 9])
def test_names_that_are_taken_are_treated_alike(if_exists, rows_limit, source, tmp_path, monkeypatch):
    outcomes = []
    for group_limit in (100, 2):
        folder = tmp_path / str(group_limit)
        for name in ("es/x0000.jl.gz", "fr/x0000.jl.gz", "it/x0001.jl.gz"):
            (folder / "out" / name).parent.mkdir(parents=True)
            (folder / "out" / name).write_bytes(gzip.compress(b"mine", mtime=0))
        result, files = run(monkeypatch, group_limit, folder, source, if_exists=if_exists, items_per_buffer_write=rows_limit)
        outcomes.append((files, result.counts, result.records_written))

    assert outcomes[0] == outcomes[1]


def test_a_dry_run_tells_the_same_and_leaves_nothing(source, tmp_path, monkeypatch):
    told = []
    for group_limit in (100, 2):
        monkeypatch.setattr(file_writer, "StagedFiles", partial(StagedFiles, group_limit=group_limit))
        result = ozzy.run(config(source, tmp_path / "out", items_per_buffer_write=9), state_dir=tmp_path / "state", dry_run=True)
        told.append(sorted((file.name, file.rows, file.size, file.checksum) for file in result.files))

    assert told[0] == told[1]
    assert list(tmp_path.iterdir()) == []


def test_a_finished_run_still_knows_its_files(source, tmp_path, monkeypatch):
    result, _ = run(monkeypatch, 2, tmp_path, source)
    again = ozzy.run(config(source, tmp_path / "out"), state_dir=tmp_path / "state", resume=True)

    assert (again.state, again.files) == ("already finished", result.files)


def test_explain_tells_how_many_groups_have_a_file(source, tmp_path):
    grouped = config(source, tmp_path)
    told = ozzy.explain(grouped)
    assert told.groups == "256 at a time have a staged file each; rows of further ones wait in one spill log until files are finished"

    del grouped["grouper"]
    grouped["writer"]["options"]["filebase"] = str(tmp_path / "x")
    assert ozzy.explain(grouped).groups is None
    grouped["writer"]["options"]["filebase"] = str(tmp_path / "{source}")
    assert ozzy.explain(grouped).groups is not None
