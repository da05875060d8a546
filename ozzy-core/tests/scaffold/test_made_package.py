"""What `ozzy plugins new` makes in an empty folder can be installed, linted and run as it is."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ozzy.scaffold.kinds import SAMPLES

pytestmark = pytest.mark.slow

CALM = [kind for kind in SAMPLES if kind not in {"reader", "writer", "persistence"}]
"""Kinds that are not killed."""


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs a Python module in the environment, from a folder below an empty one; what it prints."""
    ours = ("OZZY_", "PYTEST_", "COV_", "COVERAGE_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {"OZZY_TEST_KILLS": "3"}
    empty = tmp_path / "empty"
    empty.mkdir()

    def call(*arguments: str, folder: str = ".") -> str:
        done = subprocess.run(
            [environment, "-m", *arguments], cwd=empty / folder, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.mark.parametrize("kinds", ["reader,writer", ",".join(CALM), "persistence"])
def test_it_is_installed_and_passes_its_tests(tmp_path, pip, run, kinds):
    run("ozzy", "plugins", "new", "tide-gauge", "--kind", kinds)
    pip("install", "-e", tmp_path / "empty/ozzy-tide-gauge")

    listed = [line.split()[:2] for line in run("ozzy", "plugins", "list").splitlines() if "ozzy-tide-gauge" in line]
    assert sorted(listed) == [[kind, "tide_gauge"] for kind in sorted(kinds.split(","))]
    told = run("pytest", "-q", "-p", "no:cacheprovider", folder="ozzy-tide-gauge").splitlines()[-1]
    assert " passed" in told
    assert "failed" not in told


def test_it_passes_its_checks_of_layout_and_types(run):
    for tool in ("ruff", "mypy"):
        pytest.importorskip(tool)

    run("ozzy", "plugins", "new", "tide-gauge", "--kind", ",".join(SAMPLES))

    for check in (["ruff", "check"], ["ruff", "format", "--diff"], ["mypy"]):
        run(*check, folder="ozzy-tide-gauge")
