"""The core's modules come in like any other plugin's."""

import importlib.metadata
from pathlib import Path

import pytest

import ozzy
from ozzy import Registry
from ozzy.builtin import plugin
from ozzy.hookspecs import KINDS

NAMES = {
    "reader": ["fs", "random"],
    "deserializer": ["csv", "json", "json_lines", "tsv", "xml"],
    "filter": ["dupe", "key_value", "key_value_regex", "no_filter", "python_exp"],
    "transform": [
        *("cast", "drop", "explode", "flatson", "flatten", "jq", "mask", "no_transform"),
        *("python_exp", "python_map", "rename", "select", "set"),
    ],
    "grouper": ["file_key", "no_grouper", "python_exp", "time"],
    "formatter": ["avro", "csv", "json", "xlsx", "xml"],
    "writer": ["aggregation", "console", "fs", "reduce"],
    "persistence": ["file", "pickle"],
    "stats_manager": ["basic", "logging"],
    "notifications": ["ses_mail", "smtp", "webhook"],
    "bypass": ["stream"],
    "engine": ["local"],
}
SHARED = {"ozzy.builtin.writers.summary"}
"""What several modules have in common."""

OFFERED = [(kind, name) for kind, names in NAMES.items() for name in names]


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Only the core's own."""
    registry = Registry()
    registry.register(plugin, package="ozzy-core", version=ozzy.__version__, entry_name="builtin")
    return registry


def test_the_entry_point_leads_to_it():
    (entry_point,) = [one for one in importlib.metadata.entry_points(group="ozzy.plugins") if one.name == "builtin"]
    assert entry_point.load() is plugin


def test_what_there_is(registry):
    assert [(row.kind, row.name) for row in registry.rows()] == OFFERED


def test_each_has_a_summary_of_a_sentence(registry):
    assert [row.name for row in registry.rows() if not row.summary.endswith(".") or "\n" in row.summary or len(row.summary) > 80] == []
    assert len({row.summary for row in registry.rows()}) == len(OFFERED)


@pytest.mark.parametrize(("kind", "name"), OFFERED)
def test_each_is_a_documented_class_of_its_kind_in_a_file_of_its_own_folder(registry, kind, name):
    cls = registry.resolve(kind, name).cls
    assert cls.kind == kind
    assert cls.__doc__
    assert cls.__module__.startswith("ozzy.builtin.")


@pytest.mark.parametrize(
    ("kind", "alias", "name"), [("filter", "none", "no_filter"), ("transform", "none", "no_transform"), ("grouper", "none", "no_grouper")]
)
def test_other_names(registry, kind, alias, name):
    assert registry.resolve(kind, alias).name == name


def test_there_is_no_module_that_nobody_is_offered(registry):
    folder = Path(plugin.__file__).parent
    named = {registry.resolve(kind, name).cls.__module__ for kind, name in OFFERED}
    in_folders = {f"ozzy.builtin.{path.parent.name}.{path.stem}" for path in folder.glob("*/*.py") if path.stem != "__init__"}
    classes = {name for name in in_folders if any(line.startswith("class ") and "(Base" in line for line in _lines(folder, name))}
    assert classes - named == SHARED


def _lines(folder: Path, name: str) -> list[str]:
    return (folder / Path(*name.split(".")[2:]).with_suffix(".py")).read_text().splitlines()


def test_hooks_of_kinds_without_a_built_in_module_are_left_to_others():
    assert set(KINDS) - set(NAMES) == set()
