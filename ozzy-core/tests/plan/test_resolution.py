"""Sections find their modules and options; everything that is wrong with a config is one error."""

import json
import types

import pytest

from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.persistence import BasePersistence
from ozzy.contracts.reader import BaseReader
from ozzy.contracts.report import BaseStatsManager
from ozzy.contracts.transform import BaseTransform
from ozzy.contracts.writer import BaseWriter
from ozzy.errors import ConfigError, PluginError
from ozzy.hookspecs import Module, hookimpl
from ozzy.options.option import option, options
from ozzy.options.secrets import without_secrets
from ozzy.options.structure import Origin
from ozzy.plan.config import load_config
from ozzy.plan.registry import Registry
from ozzy.plan.resolution import resolve


@options
class TapOptions:
    n: int = option(minimum=1)
    token: str = option(env="TAP_TOKEN", default="")
    words: list[str] = option(default=[])


class Tap(BaseReader):
    Options = TapOptions

    def __init__(self, *args, **kwargs):
        raise AssertionError("resolution makes no module")


class Sink(BaseWriter):
    supported_options = {"filebase": {"type": str}, "limit": {"type": int, "default": 0}}  # noqa: RUF012


class BadlyDeclared(BaseTransform):
    supported_options = {"a": {"type": "str"}}  # noqa: RUF012


class Json(BaseExportFormatter):
    pass


class File(BasePersistence):
    pass


class Basic(BaseStatsManager):
    pass


CLASSES = {"Tap": Tap, "Sink": Sink, "BadlyDeclared": BadlyDeclared, "Json": Json, "File": File, "Basic": Basic}


class Plugin:
    @hookimpl
    def ozzy_read(self):
        return {"tap": "resolved_modules:Tap", "gone": Module("resolved_modules:Gone")}

    @hookimpl
    def ozzy_write(self):
        return {"sink": "resolved_modules:Sink"}

    @hookimpl
    def ozzy_transform(self):
        return {"bad": "resolved_modules:BadlyDeclared"}

    @hookimpl
    def ozzy_format(self):
        return {"json": "resolved_modules:Json"}

    @hookimpl
    def ozzy_persist(self):
        return {"file": "resolved_modules:File"}

    @hookimpl
    def ozzy_stats(self):
        return {"basic": "resolved_modules:Basic"}


@pytest.fixture
def registry(monkeypatch):
    module = types.ModuleType("resolved_modules")
    module.__dict__.update(CLASSES)
    monkeypatch.setitem(__import__("sys").modules, "resolved_modules", module)
    registry = Registry()
    registry.register(Plugin(), package="ozzy-tap", version="1.2")
    return registry


READER = {"name": "tap", "options": {"n": 5}}
WRITER = {"name": "sink", "options": {"filebase": "out"}}


def failure(registry, config, kind=ConfigError, **more):
    with pytest.raises(kind) as raised:
        resolve(load_config(config, environ={}, **more), registry)
    return raised.value


def test_each_section_has_its_module_options_and_origins(registry):
    config = load_config(
        {"reader": {"name": "tap", "options": {"n": "${N}"}}, "writer": WRITER},
        set={"reader.options.words": "a,b"},
        environ={"N": "7", "TAP_TOKEN": "tttt"},
    )
    found = {one.section.path: one for one in resolve(config, registry)}
    assert list(found) == ["reader", "formatter", "writer", "persistence", "stats_manager"]
    reader = found["reader"]
    assert (reader.found.cls, reader.found.package, reader.found.version) == (Tap, "ozzy-tap", "1.2")
    assert reader.options == TapOptions(n=7, token="tttt", words=["a", "b"])
    assert reader.origins == {"n": Origin("env N"), "token": Origin("env TAP_TOKEN"), "words": Origin("--set")}
    assert found["writer"].options["filebase"] == "out"
    assert found["writer"].origins["limit"] == Origin("default")


def test_everything_that_is_wrong_is_one_error(registry, tmp_path):
    error = failure(
        registry,
        {
            "reader": {"name": "tap", "options": {"n": 0, "wrds": [], "words": ["${X}"], "token": 5}},
            "writer": {"name": "sink", "options": {}},
            "transform": ["tap", "bad"],
            "formatter": "jsn",
            "filtr": 1,
            "checkpoint": {"every_records": "5"},
        },
    )
    assert str(error).splitlines() == [
        "the config has 10 problems",
        "  reader.options.words.0: the environment variable X is not set (set it, or give a default: ${X:-…})",
        "  filtr: unknown key (did you mean filter?)",
        '  checkpoint.every_records: expected int or null, given "5" (str)',
        "  reader.options.wrds: unknown option (did you mean words?)",
        "  reader.options.n: expected int of at least 1, given 0 (int)",
        "  reader.options.token: expected str, given a value of type int, not shown because it is secret",
        "  writer.options.filebase: missing; expected str",
        "  transform.0: 'tap' is a reader, not a transform (Installed are: bad.)",
        f"  {error.problems[8]}",
        "  formatter: unknown formatter 'jsn' (Did you mean json? Installed are: json.)",
    ]
    assert error.problems[8].path == "transform.1"
    assert "has a type that is none" in error.problems[8].message
    assert error.exit_code == 2


def test_where_only_modules_are_wrong_it_is_an_error_of_plugins(registry):
    error = failure(registry, {"reader": "tapp", "writer": WRITER}, PluginError)
    assert str(error) == "the config: reader: unknown reader 'tapp'\nDid you mean tap? Installed are: gone, tap."
    assert error.exit_code == 3


def test_several_wrong_modules_are_one_error(registry):
    error = failure(registry, {"reader": "tapp", "writer": WRITER, "grouper": "g"}, PluginError)
    assert str(error).splitlines() == [
        "the config has 2 problems",
        "  reader: unknown reader 'tapp' (Did you mean tap? Installed are: gone, tap.)",
        "  grouper: unknown grouper 'g' (No grouper is installed.)",
    ]


def test_a_module_that_can_not_be_loaded(registry):
    error = failure(registry, {"reader": "gone", "writer": WRITER}, PluginError)
    assert "reader 'gone' of ozzy-tap 1.2 can't be loaded" in str(error)


def test_a_missing_reader_and_writer(registry):
    assert str(failure(registry, {})).splitlines() == [
        "the config has 2 problems",
        "  reader: missing: a config has a reader (a name, or {name, options})",
        "  writer: missing: a config has a writer (a name, or {name, options})",
    ]


def test_reading_needs_no_writer(registry):
    found = resolve(load_config({"reader": READER}), registry, needs_writer=False)
    assert "writer" not in [one.section.path for one in found]


def test_a_file_is_named(registry, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("reader: tap\nwriter: {name: sink, options: {filebase: x}}\n")
    assert str(failure(registry, path)) == f"{path.resolve()} has a problem\n  reader.options.n: missing; expected int of at least 1"


def test_a_section_with_a_missing_variable_is_not_judged_further(registry):
    for reader in ("${X}", {"name": "${X}"}, {"name": "tap", "options": "${X}"}):
        error = failure(registry, {"reader": reader, "writer": WRITER})
        assert [
            problem.message for problem in error.problems if problem.path.startswith("reader") and "environment" not in problem.message
        ] in (
            [],
            ["expected dict of options, given a str"],
        )


def test_options_of_a_module_do_not_hide_those_of_another_with_a_similar_path(registry):
    error = failure(
        registry,
        {"reader": {"name": "tap", "options": {"n": "${X}", "words": 5}}, "writer": {"name": "sink", "options": {"filebase": 5}}},
    )
    assert [problem.path for problem in error.problems] == ["reader.options.n", "reader.options.words", "writer.options.filebase"]


def test_a_stored_config_means_the_same_but_for_its_secrets(registry):
    source = {"reader": {"name": "tap", "options": {"n": "${N}", "token": "tttt"}}, "writer": WRITER, "checkpoint": {"every_records": 3}}
    environ = {"N": "7"}
    config = load_config(
        source, set={"reader.options.words": "a,b", "checkpoint.every_bytes": "1 MiB", "writer.options.limit": "5"}, environ=environ
    )
    first = resolve(config, registry)
    stored, left_out = without_secrets(config.raw, first)
    assert left_out == ["reader.options.token"]
    assert stored["reader"]["options"] == {"n": "${N}", "words": ["a", "b"]}
    again = load_config(json.loads(json.dumps(stored)), set={"reader.options.token": "tttt"}, environ=environ)
    assert [one.options for one in resolve(again, registry)] == [one.options for one in first]
    assert again.checkpoint == config.checkpoint


def test_a_module_is_made_from_the_options_of_its_section_or_from_structured_ones(registry):
    config = load_config({"reader": READER, "writer": WRITER}, set={"writer.options.limit": "5"}, environ={})
    writer = next(one for one in resolve(config, registry) if one.section.path == "writer")
    assert Sink({"name": "sink", "options": writer.section.options}).options == writer.options
    assert Sink({"name": "sink", "options": writer.options}).options == writer.options
