"""The floors: a folder imports only from folders above it, and start-up imports only what it needs."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ozzy

ROOT = Path(ozzy.__file__).parent
FLOORS = [
    "errors",
    "log",
    "retry",
    "data",
    "options",
    "staging",
    "contracts",
    "hookspecs",
    "plan",
    "run",
    "api",
    "scaffold",
    "cli",
    "testing",
    "builtin",
]
FOR_PLUGINS = {"ozzy", "errors", "log", "data", "options", "staging", "contracts"}
EXEMPT = {"__init__", "__main__"}
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path.stem not in EXEMPT]


def name_of(path: Path) -> str:
    return ".".join(("ozzy", *path.relative_to(ROOT).with_suffix("").parts))


MODULES = {name_of(path) for path in FILES}


def imports(path: Path) -> Iterator[str]:
    """Every module of ozzy that a file imports, inside functions and for type checkers too; `from ozzy import Batch` is `ozzy`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "ozzy")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            module = node.module or ""
            if module.split(".")[0] == "ozzy":
                below = [f"{module}.{alias.name}" for alias in node.names]
                yield from (name if name in MODULES or (ROOT.parent / name.replace(".", "/")).is_dir() else module for name in below)


def floor_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "ozzy"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_stands_on_a_floor_and_imports_only_from_floors_above_it(path):
    floor = floor_of(name_of(path))
    allowed = FOR_PLUGINS | {floor} if floor in {"testing", "builtin"} else set(FLOORS[: FLOORS.index(floor) + 1])
    assert {module for module in imports(path) if floor_of(module) not in allowed} == set()


@pytest.mark.parametrize("floor", FLOORS)
def test_the_files_of_a_floor_can_be_put_in_an_order(floor):
    files = {name_of(path): path for path in FILES if floor_of(name_of(path)) == floor}
    order = TopologicalSorter({name: {module for module in imports(path) if module in files} for name, path in files.items()})
    assert sorted(order.static_order()) == sorted(files)


def test_builtin_modules_keep_apart():
    """Each is a plugin's file: what two of them share belongs to a contract, or into their own folder."""
    for path in (ROOT / "builtin").rglob("*.py"):
        folder = name_of(path.parent) if path.parent != ROOT / "builtin" else "ozzy.builtin"
        assert {module for module in imports(path) if floor_of(module) == "builtin" and not module.startswith(folder)} == set()


def modules_after(code: str) -> set[str]:
    """What some code has brought into `sys.modules`."""
    shown = f"import sys; bare = set(sys.modules)\n{code}\nprint('\\n--', *sorted(set(sys.modules) - bare), file=sys.__stdout__)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", shown], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("\n--")[2].split())


def libraries(modules: set[str]) -> set[str]:
    """The packages among them that are not Python's own."""
    return {name.split(".")[0] for name in modules} - sys.stdlib_module_names - {"ozzy"}


def ours(modules: set[str], below: str = "ozzy") -> set[str]:
    return {name for name in modules if f"{name}.".startswith(f"{below}.")}


def test_importing_ozzy_imports_nothing():
    modules = modules_after("import ozzy")
    assert (libraries(modules), ours(modules)) == (set(), {"ozzy"})
    assert modules & {"asyncio", "dataclasses", "importlib.metadata", "inspect", "json", "logging", "pathlib", "subprocess"} == set()


@pytest.mark.parametrize("plugin", ["ozzy.builtin.plugin"])
def test_a_plugin_file_imports_only_the_hooks(plugin):
    modules = modules_after(f"import {plugin}")
    assert (libraries(modules), ours(modules)) == ({"pluggy"}, {"ozzy", "ozzy.builtin", "ozzy.hookspecs", plugin})


def test_loading_and_listing_plugins_imports_no_module_and_nothing_heavy():
    modules = modules_after("import ozzy; ozzy.Registry.load(environ={}).rows()")
    assert ours(modules, "ozzy.builtin") == {"ozzy.builtin", "ozzy.builtin.plugin"}
    assert {floor_of(name) for name in ours(modules)} == {"ozzy", "builtin", "errors", "hookspecs", "plan"}
    assert libraries(modules) & {"cattrs", "click", "isal", "msgspec", "structlog", "yaml"} == set()


def test_the_help_of_the_command_imports_no_plugin_and_nothing_heavy():
    modules = modules_after("import ozzy.__main__\nsys.argv = ['ozzy', '--help']\ntry: ozzy.__main__.main()\nexcept SystemExit: pass")
    assert {floor_of(name) for name in ours(modules)} <= {"ozzy", "__main__", "cli", "errors"}
    assert libraries(modules) <= {"attr", "attrs", "click"}


def test_a_run_imports_only_the_modules_its_config_uses():
    config = {"reader": {"name": "random", "options": {"number_of_items": 3, "seed": 1}}, "writer": "console"}
    modules = modules_after(f"import ozzy; ozzy.run({config!r})")
    folders = {"decoders", "filters", "formatters", "groupers", "persistence", "readers", "stats", "transforms", "writers"}
    used = {name.removeprefix("ozzy.builtin.") for name in ours(modules, "ozzy.builtin")} - folders - {"ozzy.builtin"}
    assert {name for name in used if name.split(".")[0] in folders} == {
        "formatters.json",
        "persistence.file",
        "readers.random",
        "stats.basic",
        "writers.console",
    }
    assert libraries(modules) & {"click", "structlog", "yaml"} == set()
    assert modules & {"asyncio", "ssl", "multiprocessing", "concurrent.futures", "http.client"} == set()
    assert ours(modules, "ozzy.cli") | ours(modules, "ozzy.testing") == set()


def test_a_run_of_the_command_that_logs_nothing_imports_no_library_for_logs(tmp_path):
    config = tmp_path / "ten.json"
    writer = {"name": "fs", "options": {"filebase": str(tmp_path / "out")}}
    config.write_text(json.dumps({"reader": {"name": "random", "options": {"number_of_items": 10}}, "writer": writer}))
    arguments = ["run", str(config), "--state-dir", str(tmp_path / "state")]
    modules = modules_after(f"from ozzy.cli.main import call; assert call({arguments!r}) == 0")
    assert libraries(modules) & {"rich", "structlog", "yaml"} == set()
    assert modules & {"asyncio", "ssl", "multiprocessing", "concurrent.futures", "http.client"} == set()
