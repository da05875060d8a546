"""Each package in plugins/ has what belongs to it, and its README tells of every option."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import ozzy
from ozzy.options.option import options_of

PLUGINS = Path(__file__).parents[2] / "plugins"
PACKAGES = sorted(path.parent.name for path in PLUGINS.glob("*/pyproject.toml"))


def modules_of(package: str) -> Iterator[tuple[str, type]]:
    """The short names and classes that a package offers."""
    registry = ozzy.Registry.load()
    for row in registry.rows():
        if row.package == package and row.kind is not None:
            yield row.name, registry.resolve(row.kind, row.name).cls


def inherited(cls: type) -> set[str]:
    """The options that a class has from a base class of the core."""
    return {name for base in cls.__mro__[1:] if base.__module__.partition(".")[0] == "ozzy" for name in options_of(base)}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_the_files_of_its_kind(package):
    folder = PLUGINS / package
    whole = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    project = whole["project"]
    (source,) = [path.parent for path in folder.glob(f"src/{package.replace('-', '_')}/__init__.py")]

    assert project["name"] == package
    assert "Typing :: Typed" in project["classifiers"]
    assert "ozzy-core[testing]" in whole["dependency-groups"]["tests"]
    assert [name for name in ("README.md", "CHANGELOG.md", "LICENSE", "tests") if not (folder / name).exists()] == []
    assert (source / "py.typed").exists()
    assert "## [Unreleased]" in (folder / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", PACKAGES)
def test_its_readme_names_each_module_and_has_a_row_for_each_option(package):
    text = (PLUGINS / package / "README.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| option \|.*\n((?:\|.*\n?)+)", text, re.MULTILINE)
    rows = {name for table in tables for name in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)}
    unnamed: list[str] = []
    missing: list[str] = []
    known: set[str] = set()
    for name, cls in modules_of(package):
        known |= set(options_of(cls))
        missing += [f"{name}: {option}" for option in options_of(cls) if option not in rows | inherited(cls)]
        unnamed += [] if re.search(rf"\b{name}\b", text) else [name]

    assert unnamed == []
    assert missing == []
    assert rows - known == set()
