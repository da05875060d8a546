"""The modules of `ozzy.testing`, and a registry that has them beside the installed ones."""

from types import SimpleNamespace
from typing import Any

import ozzy
from ozzy import Registry, hookimpl
from ozzy.testing.bare import BareWriter
from ozzy.testing.ledger import LedgerWriter
from ozzy.testing.memory import MemoryPersistence
from ozzy.testing.scripted import ScriptedReader
from ozzy.testing.shared import SharedPersistence

HOOKS = {
    "reader": "ozzy_read",
    "deserializer": "ozzy_decode",
    "filter": "ozzy_filter",
    "transform": "ozzy_transform",
    "grouper": "ozzy_group",
    "formatter": "ozzy_format",
    "writer": "ozzy_write",
    "persistence": "ozzy_persist",
    "stats_manager": "ozzy_stats",
    "notifications": "ozzy_notify",
    "bypass": "ozzy_bypass",
    "engine": "ozzy_engine",
}
_OURS: dict[str, type] = {
    "scripted": ScriptedReader,
    "bare": BareWriter,
    "ledger": LedgerWriter,
    "memory": MemoryPersistence,
    "shared": SharedPersistence,
}


def registry(**modules: type) -> Registry:
    """The installed modules, the testing ones (`scripted`, `bare`, `ledger`, `memory`, `shared`), and these classes under these names.

    >>> from ozzy import BaseFilter
    >>> class Even(BaseFilter):
    ...     def filter(self, item):
    ...         return item["n"] % 2 == 0
    >>> registry(even=Even).resolve("filter", "even").cls.__name__
    'Even'
    """
    made = ozzy.Registry.load()
    made.register(_plugin(_OURS), package="ozzy-testing", entry_name="ozzy-testing")
    if modules:
        made.register(_plugin(modules), package="the-test", entry_name="the-test")
    return made


def _plugin(modules: dict[str, type]) -> Any:
    by_hook: dict[str, dict[str, type]] = {}
    for name, module in modules.items():
        by_hook.setdefault(HOOKS[getattr(module, "kind", "")], {})[name] = module
    return SimpleNamespace(**{hook: _hook(found) for hook, found in by_hook.items()})


def _hook(found: dict[str, type]) -> Any:
    return hookimpl(lambda: found)
