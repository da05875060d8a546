"""`exporters.…` has the inherited names, warns once a module, and stays out of the way otherwise."""

import importlib
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import ozzy
from ozzy import Registry
from ozzy.plan import inherited
from ozzy_exporters.names import INSTEAD, MORE

INSTALLED = {(row.kind, row.name) for row in Registry.load().rows() if row.package == "ozzy-core"}
quiet = pytest.mark.filterwarnings("ignore:exporters:DeprecationWarning")


@quiet
@pytest.mark.parametrize(("module", "names"), [*inherited.IMPORTS.items(), *((module, names) for module, names in MORE.items() if module)])
def test_every_inherited_name_can_be_imported(module, names):
    found = importlib.import_module(f"exporters.{module}")
    for name, home in names.items():
        value = getattr(found, name)
        where, _, attribute = MORE.get(module, {}).get(name, home).partition(":")
        now = getattr(importlib.import_module(where), attribute)
        assert value is now or vars(value)["stands_for"] is now


@quiet
@pytest.mark.parametrize("path", [path for path, found in inherited.MODULES.items() if found in INSTALLED])
def test_every_built_in_module_can_be_imported(path):
    module, _, name = path.rpartition(".")
    cls = getattr(importlib.import_module(f"exporters.{module}"), name)
    now = Registry.load().resolve(*inherited.MODULES[path]).cls
    assert issubclass(cls, now)
    assert issubclass(now, cls)


@quiet
@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("from exporters import BasicExporter", "BasicExporter"),
        ("from exporters.readers import FSReader, RandomReader", "RandomReader"),
        ("from exporters.filters.key_value_filter import KeyValueFilter", "KeyValueFilter"),
        ("from exporters.export_formatters.base_export_formatter import BaseExportFormatter", "BaseExportFormatter"),
        ("from exporters.pipeline.base_pipeline_item import BasePipelineItem", "BasePipelineItem"),
        ("from exporters.notifications.receiver_groups import CLIENTS, TEAM", "TEAM"),
    ],
)
def test_as_modules_write_it(statement, name):
    names: dict = {}
    exec(statement, names)
    assert name in names


def test_a_module_warns_once_where_it_is_used_and_names_the_spelling_of_today():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from exporters.readers.base_reader import BaseReader
        from exporters.readers.base_reader import BaseReader as Again
    assert BaseReader is Again is ozzy.BaseReader
    assert [(str(one.message), one.category, one.filename) for one in caught] == [
        ("exporters.readers.base_reader is an inherited spelling; use ozzy.readers.base_reader", DeprecationWarning, __file__)
    ]


@pytest.mark.parametrize(
    ("module", "name", "instead"),
    [
        ("exporters", "BasicExporter", "ozzy"),
        ("exporters.default_retries", "retry_long", "ozzy.Retries"),
        ("exporters.meta", "ExportMeta", "ozzy.meta"),
    ],
)
def test_each_module_warns_of_itself(module, name, instead):
    found = importlib.import_module(module)
    with pytest.warns(DeprecationWarning, match=f"^{module} is an inherited spelling; use {instead}"):
        getattr(found, name)


def test_what_is_used_instead_is_told_where_ozzy_has_no_such_module():
    without = {module for module in MORE if importlib.util.find_spec(f"ozzy.{module}" if module and "." not in module else "ozzy") is None}
    assert without <= INSTEAD.keys()


def test_importing_a_module_alone_says_nothing_and_imports_nothing():
    code = (
        "import sys, exporters, exporters.readers.fs_reader, exporters.default_retries\n"
        "assert not {'click', 'yaml', 'cattrs', 'msgspec', 'structlog', 'tenacity'} & set(sys.modules)\n"
        "assert 'ozzy_exporters.retries' not in sys.modules and 'ozzy.builtin.readers.fs' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_is_a_package_like_any_other():
    exporters = importlib.import_module("exporters")
    assert Path(exporters.__file__).name == "__init__.py"
    assert (Path(exporters.__file__).parent / "py.typed").exists()
    assert "BasicExporter" in dir(exporters)
    assert "inherited package" in exporters.__doc__
    assert {"retry_long", "disabled_retries"} <= set(dir(importlib.import_module("exporters.default_retries")))


@pytest.mark.parametrize("name", ["no_such_thing", "readers.no_such_reader", "plan", "python_interpreter", "readers.base_reader.deeper"])
def test_what_is_not_there_is_not_found(name):
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"exporters.{name}")


@pytest.mark.parametrize("name", ["write_buffers.base", "write_buffers", "decompressors", "iterio", "logger.base_logger"])
def test_what_is_no_more_says_what_there_is_instead(name):
    with pytest.raises(ModuleNotFoundError, match=f"exporters.{name.partition('.')[0]} has no counterpart in ozzy: "):
        importlib.import_module(f"exporters.{name}")


def test_a_name_that_a_module_does_not_have_is_an_import_error_without_a_warning():
    with pytest.raises(ImportError, match="cannot import name 'split_file'"):
        from exporters.utils import split_file  # noqa: F401


def test_a_module_that_lives_in_a_package_of_its_own_says_so():
    with pytest.raises(ImportError, match="pip install ozzy-s3"):
        from exporters.readers.s3_reader import S3Reader  # noqa: F401


@quiet
def test_instances_of_ozzy_are_instances_of_the_inherited_classes():
    from exporters.filters import BaseFilter, KeyValueFilter, NoFilter

    today = Registry.load().resolve("filter", "no_filter").cls()
    assert isinstance(today, NoFilter)
    assert isinstance(today, BaseFilter)
    assert not isinstance(today, KeyValueFilter)
    assert (NoFilter.__name__, NoFilter.__module__) == ("NoFilter", "ozzy.builtin.filters.no_filter")

    class Own(NoFilter):
        pass

    assert not isinstance(today, Own)
    assert isinstance(Own(), Own)
    assert issubclass(Own, type(today))
    assert not issubclass(type(today), Own)


@quiet
def test_a_class_is_the_same_from_wherever_it_is_imported():
    from exporters.writers import ConsoleWriter
    from exporters.writers.console_writer import ConsoleWriter as Same

    assert ConsoleWriter is Same


def test_other_packages_are_none_of_the_finders_business():
    from ozzy_exporters.finder import InheritedModules

    assert InheritedModules.find_spec("readers.base_reader") is None
    assert InheritedModules.find_spec("exporters_bloom_filter.filter") is None
