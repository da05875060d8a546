"""What `import ozzy` promises, by name."""

import ast
import importlib
import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

import ozzy

FUNCTIONS = ["explain", "preview", "quarantined", "read", "replay", "resume", "run", "validate", "verify"]
MODULES = [
    "BaseBypass",
    "BaseDecoder",
    "BaseEngine",
    "BaseExportFormatter",
    "BaseFileWriter",
    "BaseFilter",
    "BaseGrouper",
    "BaseModule",
    "BaseNamedFileWriter",
    "BaseNotifier",
    "BasePersistence",
    "BaseReader",
    "BaseSharedPersistence",
    "BaseStatsManager",
    "BaseStreamReader",
    "BaseTextNotifier",
    "BaseTransform",
    "BaseWriter",
]
FOR_AUTHORS = [
    "BaseRecord",
    "Batch",
    "BypassContext",
    "Declined",
    "DecoderOptions",
    "FileWriterOptions",
    "Listed",
    "Metadata",
    "Module",
    "NamedFileWriterOptions",
    "Outcome",
    "Range",
    "Receipt",
    "Rejected",
    "Retries",
    "RetryOptions",
    "Rows",
    "RunOutcome",
    "SharedPersistenceOptions",
    "Split",
    "Staging",
    "StateLocation",
    "Stored",
    "Stream",
    "StreamReaderOptions",
    "Task",
    "WriterContext",
    "WriterOptions",
    "hookimpl",
    "option",
    "options",
    "retry_after",
]
FOR_CALLERS = [
    "BasicExporter",
    "Explanation",
    "Listener",
    "Pipeline",
    "PreviewStage",
    "Quarantined",
    "Registry",
    "Result",
    "Stop",
    "Validation",
    "Verification",
]
ERRORS = [
    "BooksError",
    "ConfigError",
    "DataError",
    "DestinationError",
    "Interrupted",
    "OzzyError",
    "PluginError",
    "Problem",
    "SourceError",
    "StateError",
]


def in_a_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_list_of_names():
    assert sorted([*FUNCTIONS, *MODULES, *FOR_AUTHORS, *FOR_CALLERS, *ERRORS, "__version__"]) == ozzy.__all__


@pytest.mark.parametrize("name", ozzy.__all__)
def test_each_name_is_what_its_home_holds(name):
    if name == "__version__":
        assert ozzy.__version__ == importlib.metadata.version("ozzy-core")
    else:
        home = importlib.import_module(ozzy._HOME_OF[name])
        assert getattr(ozzy, name) is vars(home)[name]


def test_type_checkers_and_python_see_the_same_names():
    tree = ast.parse(Path(ozzy.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    homes = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    del homes["ModuleSpec"]
    assert homes == ozzy._HOME_OF
    assert {*homes, "__version__"} == set(ozzy.__all__)


def test_each_error_of_the_tree_is_public():
    from ozzy import errors

    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.OzzyError)}
    assert tree | {"Problem"} == set(ERRORS)


def test_each_base_class_of_the_contracts_is_public():
    from ozzy import contracts

    bases = set()
    for file in Path(contracts.__file__).parent.glob("*.py"):
        module = importlib.import_module(f"ozzy.contracts.{file.stem}" if file.stem != "__init__" else "ozzy.contracts")
        bases |= {name for name, value in vars(module).items() if name.startswith("Base") and isinstance(value, type)}
    assert bases == set(MODULES)


@pytest.mark.parametrize("name", [name for name in ozzy.__all__ if name not in {"__version__", "Receipt", "option", "hookimpl"}])
def test_each_name_is_documented(name):
    assert inspect.getdoc(getattr(ozzy, name))


def test_dir_shows_every_name():
    assert set(ozzy.__all__) <= set(dir(ozzy))


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'ozzy' has no attribute 'no_such_name'"):
        _ = ozzy.no_such_name
    assert not hasattr(ozzy, "__wrapped__")


def test_a_star_import_gives_the_list():
    names = {}
    exec("from ozzy import *", names)
    assert set(ozzy.__all__) - {"__version__"} <= set(names)


@pytest.mark.parametrize("folder", ["run", "options"])
@pytest.mark.parametrize(
    "first", ["import ozzy.{0}", "from ozzy.{0} import __doc__", "import ozzy; ozzy.{0}; import ozzy.{0}", "from ozzy import {0}"]
)
def test_a_function_keeps_its_name_although_a_folder_has_the_same(folder, first):
    then = f"import ozzy\nfrom ozzy import {folder}\nprint(type(ozzy.{folder}).__name__, {folder} is ozzy.{folder})"
    code = f"{first.format(folder)}\n{then}"
    assert in_a_fresh_python(code) == "function True"


def test_a_public_name_can_still_be_replaced_in_a_test(monkeypatch):
    monkeypatch.setattr(ozzy, "run", "replaced")
    assert ozzy.run == "replaced"


def test_a_folder_without_a_namesake_is_an_attribute():
    importlib.import_module("ozzy.plan")
    assert isinstance(ozzy.plan, types.ModuleType)


def test_names_keep_their_value():
    assert ozzy.Batch is ozzy.Batch
    assert "Batch" in vars(ozzy)


def test_the_version_is_read_when_it_is_asked_for():
    assert (
        in_a_fresh_python("import sys, ozzy; print('importlib.metadata' in sys.modules, ozzy.__version__)") == f"False {ozzy.__version__}"
    )
