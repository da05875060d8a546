"""What loading a plugin file costs is looked at in a fresh interpreter."""

import pytest

from ozzy.builtin.readers.fs import FSReader
from ozzy.testing.installed import make
from ozzy.testing.start_up import heavy_imports, plugin_of


@pytest.fixture
def package(tmp_path, monkeypatch):
    def write(plugin):
        folder = tmp_path / f"ozzy_sample_{tmp_path.name}"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "plugin.py").write_text(plugin)
        (folder / "client.py").write_text("")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return f"{folder.name}.plugin"

    return write


def test_a_plugin_that_imports_only_ozzy_costs_nothing(package):
    assert heavy_imports(package("import json\nfrom ozzy import Module, hookimpl\n")) == ()


def test_what_a_plugin_imports_is_named(package):
    plugin = package("import msgspec\nfrom . import client\n")

    assert {"msgspec", f"{plugin.partition('.')[0]}.client"} <= set(heavy_imports(plugin))


def test_a_plugin_that_can_not_be_imported_says_why(package):
    assert heavy_imports(package("import no_such_module\n")) == (
        "nothing, it fails: ModuleNotFoundError: No module named 'no_such_module'",
    )


def test_the_plugin_of_a_module_is_found_by_its_entry_point():
    class Stranger(FSReader):
        pass

    assert (plugin_of(FSReader), plugin_of(Stranger)) == ("ozzy.builtin.plugin", None)


def test_modules_are_made_by_name_or_section():
    assert type(make("formatter", "json")).__name__ == "JsonExportFormatter"
    assert make("formatter", {"name": "json", "options": {"jsonlines": False}}).options.jsonlines is False
