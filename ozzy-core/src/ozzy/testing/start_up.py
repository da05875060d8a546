"""What it costs to load the plugin that offers a module, looked at in a fresh interpreter."""

import subprocess
import sys
from functools import cache
from importlib.metadata import entry_points

from ozzy import PluginError
from ozzy.testing.installed import installed

_ALLOWED = frozenset({"ozzy", "pluggy"})
_LOOK = "import sys\nbefore = set(sys.modules)\nimport {plugin}\nprint('\\n--', *sorted(set(sys.modules) - before))"


def plugin_of(module: type) -> str | None:
    """The import name of the `plugin.py` that offers a module; None where no installed plugin does."""
    try:
        found = installed().resolve(getattr(module, "kind", ""), f"{module.__module__}:{module.__qualname__}")
    except PluginError:
        return None
    if not found.version:
        return None
    for entry in entry_points(group="ozzy.plugins"):
        package = entry.dist.name if entry.dist is not None else ""
        if package == found.package and entry.module.partition(".")[0] == module.__module__.partition(".")[0]:
            return entry.module
    return None


@cache
def heavy_imports(plugin: str) -> tuple[str, ...]:
    """What importing a plugin file brings in beside Python's own, ozzy, and the packages the file itself lies in."""
    done = subprocess.run(  # noqa: S603 - the interpreter that runs this very test
        [sys.executable, "-c", _LOOK.format(plugin=plugin)], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        return (f"nothing, it fails: {done.stderr.strip().rpartition(chr(10))[2]}",)
    own = {plugin.rsplit(".", number)[0] for number in range(plugin.count(".") + 1)}
    found = done.stdout.rpartition("\n--")[2].split()
    return tuple(name for name in found if name not in own and _counts(name, plugin))


def _counts(name: str, plugin: str) -> bool:
    top = name.partition(".")[0]
    if top == "ozzy" and not plugin.startswith("ozzy."):
        return False
    if top == "ozzy":
        return name not in {"ozzy", "ozzy.hookspecs"}
    return top not in _ALLOWED and top not in sys.stdlib_module_names and not top.startswith("_")
