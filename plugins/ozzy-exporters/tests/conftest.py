"""What the tests of this package share."""

import importlib
import importlib.metadata
import sys
from pathlib import Path

import pytest

BLOOM = Path(__file__).parent / "exporters_bloom_filter_package"


OURS = {"builtin", "exporters"}


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch):
    """What is installed beside this package changes nothing here."""
    others = {one.name for one in importlib.metadata.entry_points(group="ozzy.plugins")} - OURS
    monkeypatch.setenv("OZZY_BLOCK_PLUGINS", ",".join(sorted(others)))


@pytest.fixture(autouse=True)
def anew(monkeypatch, tmp_path):
    """A working folder of its own; modules of `exporters` are imported anew, so that each test sees their warnings, or none."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] in {"exporters", "exporters_bloom_filter"}]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def old():
    """Imports a module by its inherited name, and gives it with its warning spent."""

    def module(name):
        found = importlib.import_module(name)
        with pytest.warns(DeprecationWarning, match=rf"^{name} is an inherited spelling"):
            getattr(found, dir(found)[0])
        return found

    return module


@pytest.fixture
def bloom(monkeypatch):
    """The path of an old package's module, which can be imported."""
    monkeypatch.syspath_prepend(str(BLOOM))
    return "exporters_bloom_filter.filter.DuplicatesBloomFilter"
