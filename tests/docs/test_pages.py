"""What README and the pages of docs/ tell a reader to do works, and prints what they say."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import blocks_of, play

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    Path("CONTRIBUTING.md"),
    Path("ozzy-core/README.md"),
    *sorted(path.relative_to(REPOSITORY) for path in REPOSITORY.glob("docs/**/*.md")),
]


@pytest.fixture
def environment() -> dict[str, str]:
    """The variables of a plain shell in which this environment's `ozzy` is found first."""
    ours = ("OZZY_", "EXPORTERS_", "PYTEST_", "COV_", "COVERAGE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = os.pathsep.join([sysconfig.get_path("scripts"), kept.get("PATH", os.defpath)])
    return kept | {"PATH": path, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "COLUMNS": "120"}


@pytest.fixture
def own_environment(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """An environment to install into, that sees the packages of this one; pip stays off the network in it."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    script = folder / "bin/ozzy"
    script.write_text(f"#!{folder / 'bin/python'}\nfrom ozzy.__main__ import main\nmain()\n")
    script.chmod(0o755)
    return environment | {
        "PATH": os.pathsep.join([str(folder / "bin"), environment["PATH"]]),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_page_does_what_it_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    installs = any("pip install" in block.text and block.skipped is None for block in blocks_of(REPOSITORY / page))
    environment = request.getfixturevalue("own_environment" if installs else "environment")
    folder = tmp_path / "page"
    folder.mkdir()

    play(REPOSITORY / page, folder, environment)


def readme_commands() -> list[str]:
    return [block.text.strip() for block in blocks_of(REPOSITORY / "README.md") if block.language == "bash"]


def test_readme_begins_with_two_commands_of_one_line() -> None:
    first, second, *_ = readme_commands()

    assert "\n" not in first + second
    assert first.endswith("ozzy run examples/orders.yaml")
    assert second.endswith("nox")


def test_readme_says_what_its_first_command_exports(tmp_path: Path, environment: dict[str, str]) -> None:
    """The sample is exported here by the last part of the command; installing is what nox's session `readme` does."""
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".ozzy"))
    last = readme_commands()[0].rpartition(".venv/bin/")[2]
    done = subprocess.run([*last.split(), "--json"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    told = re.search(r"([\d,]+) read, ([\d,]+) filtered, ([\d,]+) written into (\d+) files", (REPOSITORY / "README.md").read_text())

    filtered = result["counts"]["filter_before"]["reasons"]["filtered"]
    assert told is not None
    numbers = [int(number.replace(",", "")) for number in told.groups()]
    assert [result["records_read"], filtered, result["records_written"], len(result["files"])] == numbers


def test_the_config_in_readme_is_the_sample() -> None:
    (shown,) = [yaml.safe_load(block.text) for block in blocks_of(REPOSITORY / "README.md") if block.language == "yaml"]

    assert shown == yaml.safe_load((REPOSITORY / "examples/orders.yaml").read_text(encoding="utf-8"))


def test_every_link_between_files_leads_somewhere() -> None:
    """The site checks its own pages; these are read where the repository is."""
    texts = [path for pattern in ("*.md", "ozzy-core/*.md", "plugins/**/*.md") for path in REPOSITORY.glob(pattern)]
    broken = [
        f"{text.relative_to(REPOSITORY)}: {link}"
        for text in texts
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text.read_text(encoding="utf-8"))
        if "://" not in link and not (text.parent / link).exists()
    ]

    assert broken == []


def test_the_check_of_a_fresh_clone_ends_with_the_second_command_of_the_readme() -> None:
    script = (REPOSITORY / ".ci/run").read_text().rstrip().splitlines()

    assert script[-1] == readme_commands()[1]
