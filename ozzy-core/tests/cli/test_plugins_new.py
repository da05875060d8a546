"""`ozzy plugins new`."""

from pathlib import Path

import pytest


def test_it_makes_the_package_and_says_what_is_next(ozzy):
    told = ozzy("plugins", "new", "tide", "--kind", "filter")

    assert told.code == 0
    assert told.out.splitlines() == [
        "ozzy-tide/",
        "  .github/workflows/ci.yml",
        "  .gitignore",
        "  CHANGELOG.md",
        "  README.md",
        "  noxfile.py",
        "  pyproject.toml",
        "  src/ozzy_tide/__init__.py",
        "  src/ozzy_tide/filter.py",
        "  src/ozzy_tide/plugin.py",
        "  src/ozzy_tide/py.typed",
        "  tests/test_contract_filter.py",
        "  tests/test_filter.py",
        "  tests/test_readme.py",
        "13 files were made. Next, in a virtual environment:",
        "  cd ozzy-tide",
        "  python -m pip install -e '.[dev]'",
        "  python -m pytest",
        "  ozzy plugins show tide",
    ]
    assert Path("ozzy-tide/src/ozzy_tide/filter.py").is_file()


def test_a_dry_run_makes_nothing(ozzy, tmp_path):
    told = ozzy("plugins", "new", "tide", "--kind", "filter", "--dry-run")

    assert told.out.splitlines()[-1] == "13 files would be made"
    assert list(tmp_path.iterdir()) == []


def test_it_may_be_made_in_another_folder(ozzy, tmp_path):
    (tmp_path / "my plugins").mkdir()

    told = ozzy("plugins", "new", "tide", "--kind", "filter", "--directory", "my plugins")

    assert "  cd 'my plugins/ozzy-tide'" in told.out.splitlines()
    assert (tmp_path / "my plugins/ozzy-tide/pyproject.toml").is_file()


def test_a_second_time_nothing_is_overwritten(ozzy):
    ozzy("plugins", "new", "tide", "--kind", "filter")
    Path("ozzy-tide/README.md").write_text("mine")

    told = ozzy("plugins", "new", "tide", "--kind", "filter")

    assert told.code == 6
    assert told.err.splitlines()[0] == "error: ozzy-tide exists already"
    assert Path("ozzy-tide/README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("Tide", "--kind", "filter"), 2, "'Tide' is no name for a plugin"),
        (("tide", "--kind", "filters"), 2, "Did you mean filter?"),
        (("csv", "--kind", "formatter"), 3, "there is a formatter csv already, of ozzy-core"),
        (("tide", "--kind", "filter", "--directory", "none"), 6, "there is no folder none"),
        (("tide",), 2, "--kind"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made(ozzy, tmp_path, arguments, code, message):
    told = ozzy("plugins", "new", *arguments)

    assert told.code == code
    assert message in told.err
    assert list(tmp_path.iterdir()) == []
