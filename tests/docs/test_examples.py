"""Every example runs as its comment says, and makes what is kept beside it."""

import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import fastavro
import openpyxl
import pytest

import ozzy

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
CONFIGS = sorted(EXAMPLES.glob("*.yaml"))
NO_SERVICE = ("ozzy-core",)
"""Packages whose modules need no server, so that their examples run anywhere."""


def files_below(folder: Path) -> dict[str, Any]:
    return {path.relative_to(folder).as_posix(): content(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def content(path: Path) -> Any:
    """What is in a file: of workbooks the cells, of avro the schema and records, as their bytes depend on versions of libraries."""
    if path.suffix == ".xlsx":
        return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in openpyxl.load_workbook(path)}
    if path.suffix == ".avro":
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            return reader.writer_schema, list(reader)
    return path.read_bytes()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_example_makes_what_is_kept_beside_it(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    command = next((line[2:] for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("# ozzy run ")), "")
    needed = next((line.split()[-1] for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("# needs ")), None)
    if needed is not None and needed not in {row.package for row in ozzy.Registry.load().rows()}:
        pytest.skip(f"{needed} is not installed")
    ours = ("OZZY_", "EXPORTERS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), environment.get("PATH", os.defpath)])

    done = subprocess.run(shlex.split(command), cwd=folder, env=environment, capture_output=True, check=False, timeout=120)

    assert command.startswith(f"ozzy run {config.name}")
    assert done.returncode == 0, done.stderr.decode()
    written = files_below(folder / "out" / config.stem) if (folder / "out" / config.stem).exists() else {}
    if done.stdout:
        written["standard output"] = done.stdout
    assert written == files_below(EXAMPLES / "expected" / config.stem)


def test_each_module_of_the_core_has_an_example() -> None:
    rows = [row for row in ozzy.Registry.load().rows() if row.package in NO_SERVICE and row.kind is not None]
    without = [f"{row.kind}-{row.name}" for row in rows if not row.name.startswith("no_")]

    assert [name for name in without if EXAMPLES / f"{name}.yaml" not in CONFIGS] == []
