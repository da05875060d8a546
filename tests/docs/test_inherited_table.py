"""The page on inherited modules names each of them and each option, and every test that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import attrs
import pytest

import ozzy
from ozzy.options.option import options_of
from ozzy.options.settings import ExporterOptions
from ozzy.plan import inherited
from ozzy.plan.install_hints import PACKAGES

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/inherited-modules.md").read_text(encoding="utf-8")
KINDS = {
    "Readers": ("reader",),
    "Deserializers": ("deserializer",),
    "Filters": ("filter",),
    "Transforms": ("transform",),
    "Groupers": ("grouper",),
    "Formatters": ("formatter",),
    "Writers": ("writer",),
    "Bypasses": ("bypass",),
    "Persistences, stats managers and notifiers": ("persistence", "stats_manager", "notifications"),
}
CORE = "ozzy-core"


def rows(title: str) -> list[list[str]]:
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert lines, title
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def modules() -> dict[tuple[str, str], set[str]]:
    """The modules of the core that are inherited, each with the options it has."""
    registry = ozzy.Registry.load()
    offered = {(row.kind, row.name) for row in registry.rows() if row.package == CORE}
    found = [place for place in inherited.MODULES.values() if place in offered]
    return {(kind, name): set(options_of(registry.resolve(kind, name).cls)) for kind, name in found}


def tabled() -> dict[tuple[str, str], set[str]]:
    """What the page says of them."""
    known = modules()
    told: dict[tuple[str, str], set[str]] = {}
    for title, kinds in KINDS.items():
        for row in rows(title):
            (name,) = names_in(row[0])
            place = next(((kind, name) for kind in kinds if (kind, name) in known), (kinds[0], name))
            told.setdefault(place, set()).update(names_in(row[1]))
    return told


def test_each_module_and_each_of_its_options_is_there_and_no_other() -> None:
    told = tabled()

    assert {place: sorted(options) for place, options in told.items()} == {place: sorted(options) for place, options in modules().items()}


def test_each_option_of_the_persistences_in_databases_is_there_and_no_other() -> None:
    told: dict[str, set[str]] = {}
    for row in rows("Persistences in databases"):
        told.setdefault(names_in(row[0])[0], set()).update(names_in(row[1]))
    registry = ozzy.Registry.load()

    assert told == {name: set(options_of(registry.resolve("persistence", name).cls)) for name in ("mysql", "postgresql", "sqlite")}


def test_each_class_path_is_there() -> None:
    tables = (inherited.MODULES, inherited.DECOMPRESSORS, inherited.WRITE_BUFFERS)
    assert [path for table in tables for path in table if f"`{path}`" not in PAGE] == []


def test_what_is_no_part_of_the_core_says_with_which_package_it_comes() -> None:
    told = {(kind, names_in(name)[0]): how for kind, name, _, how in rows("Modules of packages")}
    expected = {
        place: f"comes with package `{PACKAGES[place[1]]}`" if place[1] in PACKAGES else "in no package: "
        for place in inherited.MODULES.values()
        if place not in modules()
    }

    assert set(told) == set(expected)
    assert {place: how for place, how in told.items() if not how.startswith(expected[place])} == {}


def test_each_general_option_is_there() -> None:
    assert [names_in(row[0])[0] for row in rows("General options")] == [field.name for field in attrs.fields(ExporterOptions)]


def test_what_became_of_each_is_one_of_three_words_and_changes_are_told() -> None:
    everything = [row for title in (*KINDS, "Persistences in databases") for row in rows(title) if row[2]]
    general = [["", row[0], *row[1:]] for title in ("General options", "Decompressors and write buffers") for row in rows(title)]

    assert {row[2] for row in everything + general} == {"works", "changed", "new"}
    assert [row for row in everything + general if row[2] == "changed" and not row[3]] == []
    assert [row for row in everything + general if not names_in(row[4])] == []


@cache
def found_in(path: Path) -> frozenset[str]:
    """The tests of a file as pytest names them, but for parameters."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return frozenset(found)


def test_every_test_that_is_named_is_there() -> None:
    named = sorted(set(re.findall(r"`([\w/-]+\.py)::([\w:]+)`", PAGE)))
    homes = {file: REPOSITORY / ("" if file.startswith(("tests/", "plugins/")) else "ozzy-core/tests") / file for file, _ in named}

    assert len(named) > 60
    assert [file for file, path in homes.items() if not path.is_file()] == []
    assert [f"{file}::{test}" for file, test in named if test not in found_in(homes[file])] == []


@pytest.mark.parametrize("test", ["test_nothing", "TestNobody::test_nothing"])
def test_a_test_that_is_not_there_would_be_told(test: str) -> None:
    assert test not in found_in(Path(__file__))
    assert "found_in" in found_in(Path(__file__))
