"""What has to fit between modules: found before a run begins, with all else that is wrong."""

import sys
from types import ModuleType
from typing import ClassVar

import pytest

import ozzy
from ozzy import BaseGrouper, BaseReader, Registry
from ozzy.errors import ConfigError, PluginError
from ozzy.plan.config import load_config
from ozzy.plan.resolution import resolve


class ByAnything(BaseGrouper):
    """A grouper that does not say how many values its groups have."""

    def key(self, item):
        return item["a"], item["b"]


class InheritedReader(BaseReader):
    """A reader with options in the inherited form."""

    supported_options: ClassVar = {"kind": {"type": str, "default": "x"}}


@pytest.fixture(autouse=True)
def _modules(monkeypatch):
    """Makes the classes of this file reachable by a class path."""
    module = ModuleType("fitting_modules")
    module.ByAnything, module.InheritedReader = ByAnything, InheritedReader
    monkeypatch.setitem(sys.modules, "fitting_modules", module)


@pytest.fixture(scope="module")
def registry():
    return Registry.load()


def resolved(registry, **sections):
    whole = {"reader": "random", "writer": {"name": "fs", "options": {"filebase": "out/{groups[1]}/x"}}} | sections
    return resolve(load_config({key: value for key, value in whole.items() if value is not None}), registry)


def keys(*names):
    return {"name": "file_key", "options": {"keys": list(names)}}


@pytest.mark.parametrize(
    ("grouper", "expected"),
    [
        (None, "{groups[…]} needs a grouper, and there is none: add one, or leave the placeholder out"),
        ("no_grouper", "{groups[…]} needs a grouper, and there is none: add one, or leave the placeholder out"),
        (keys("a"), "{groups[1]} is one too many: records are grouped by 1, so the last is {groups[0]}"),
    ],
)
def test_a_placeholder_without_a_value_is_a_problem_of_the_filebase(registry, grouper, expected):
    with pytest.raises(ConfigError) as caught:
        resolved(registry, grouper=grouper)
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [("writer.options.filebase", expected)]


@pytest.mark.parametrize("grouper", [keys("a", "b"), keys("a", "b", "c"), "fitting_modules:ByAnything"])
def test_enough_values_or_an_unknown_number_of_them_fit(registry, grouper):
    assert [one.section.path for one in resolved(registry, grouper=grouper)][:2] == ["reader", "grouper"]


def test_a_grouper_that_is_wrong_itself_is_the_only_problem(registry):
    with pytest.raises(ConfigError) as caught:
        resolved(registry, grouper={"name": "file_key", "options": {}})
    assert [problem.path for problem in caught.value.problems] == ["grouper.options.keys"]


def test_each_of_several_writers_is_looked_at(registry):
    wrong = {"name": "fs", "options": {"filebase": "{groups[0]}"}}
    with pytest.raises(ConfigError) as caught:
        resolved(registry, writer=[{**wrong, "label": "a"}, {"name": "console", "label": "b"}, {**wrong, "label": "c"}])
    assert [problem.path for problem in caught.value.problems] == ["writer.0.options.filebase", "writer.2.options.filebase"]


def test_an_option_that_names_a_module_has_to_name_one(registry):
    with pytest.raises(PluginError, match=r"reader\.options\.deserializer: unknown deserializer 'yaml'\n.*Installed are: .*csv, .*json"):
        resolved(registry, reader={"name": "fs", "options": {"input": "in", "deserializer": "yaml"}}, writer="console")


@pytest.mark.parametrize("name", ["auto", "csv", "ozzy-core/tsv"])
def test_an_option_that_names_a_module_of_the_kind_is_fine(registry, name):
    reader = {"name": "fs", "options": {"input": "in", "deserializer": name}}
    assert resolved(registry, reader=reader, writer="console")[0].options.deserializer == name


def test_options_of_the_inherited_form_are_looked_at_too(registry):
    assert resolved(registry, reader="fitting_modules:InheritedReader", writer="console")[0].options == {"kind": "x"}


@pytest.mark.parametrize("formatter", [{"name": "csv", "options": {"discover": True}}, "xlsx"])
def test_a_format_of_whole_files_is_not_for_the_console(formatter, tmp_path):
    config = {"reader": "random", "writer": "console", "formatter": formatter}

    with pytest.raises(ConfigError, match="makes whole files, which the console is none of"):
        ozzy.validate(config)
    with pytest.raises(ConfigError, match="makes whole files, which the console is none of"):
        ozzy.run({"name": "printed", **config}, state_dir=tmp_path)
    assert list(tmp_path.rglob("run.json")) == []
