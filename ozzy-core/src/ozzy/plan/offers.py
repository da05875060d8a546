"""Asking one plugin what it offers, so that a plugin that can't answer harms no other.

Hooks are called for each plugin by itself: what comes back keeps its owner, and an exception is the owner's alone.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from inspect import getattr_static
from typing import Any

import attrs
from pluggy import HookImpl, PluginManager, PluginValidationError

from ozzy import hookspecs
from ozzy.errors import PluginError
from ozzy.hookspecs import KINDS, Module

SHORT_NAME = re.compile(r"[a-z][a-z0-9_]*")
CLASS_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_KIND_OF = {hook: kind for kind, hook in KINDS.items()}


@attrs.frozen
class Offer:
    """One module a plugin offers. `cls` is set where the plugin gave the class itself."""

    kind: str
    name: str
    module: Module
    cls: type | None
    package: str
    version: str
    entry_name: str

    @property
    def full_name(self) -> str:
        """What to write where a short name is claimed twice."""
        return f"{self.package}/{self.name}"


class Plugins:
    """The plugins of one registry."""

    def __init__(self) -> None:
        self._manager = PluginManager("ozzy")
        self._manager.add_hookspecs(hookspecs)

    def ask(self, plugin: Any, *, package: str, version: str, entry_name: str) -> list[Offer]:
        """Everything `plugin` (a module or an object with hooks) offers. Raises PluginError with the reason why it can't be used."""
        name = f"{package}:{entry_name}"
        if plugin is None:
            raise PluginError("its entry point leads to None, not to a module with hooks")
        if self._manager.is_registered(plugin):
            raise PluginError(f"it is the plugin of {self._manager.get_name(plugin)} under a second name")
        if self._manager.has_plugin(name):
            raise PluginError(f"{package} has a plugin called {entry_name} already")
        try:
            self._manager.register(plugin, name=name)
        except PluginValidationError as error:
            raise PluginError(reason(error)) from error
        try:
            return [
                Offer(kind, *_checked(KINDS[kind], short_name, given), package=package, version=version, entry_name=entry_name)
                for kind, implementation in self._implementations(plugin)
                for short_name, given in _modules(KINDS[kind], implementation).items()
            ]
        except PluginError:
            self._manager.unregister(name=name)
            raise

    def _implementations(self, plugin: Any) -> Iterator[tuple[str, HookImpl]]:
        callers = self._manager.get_hookcallers(plugin) or []
        for hook in sorted(_KIND_OF.keys() - {caller.name for caller in callers}):
            if callable(getattr_static(plugin, hook, None)):
                raise PluginError(f"its {hook}() is not marked with @hookimpl")
        if not callers:
            raise PluginError("it has no hooks", hint="A hook is a function such as ozzy_read() marked with @hookimpl.")
        for caller in callers:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is not plugin:
                    continue
                if caller.has_spec():
                    yield _KIND_OF[caller.name], implementation
                elif not implementation.optionalhook:
                    near = get_close_matches(caller.name, _KIND_OF, n=1)
                    meant = f" (did its author mean {near[0]}?)" if near else ""
                    raise PluginError(f"it was made for another ozzy: this one knows no hook {caller.name}{meant}")


def reason(error: BaseException) -> str:
    """What happened, in one line: the type of an error and what it says; an import that failed speaks for itself."""
    text = " ".join(str(error).split())
    if text and isinstance(error, ImportError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _modules(hook: str, implementation: HookImpl) -> Mapping[Any, Any]:
    try:
        given: Any = implementation.function()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(f"its {hook}() failed: {reason(error)}") from error
    if not isinstance(given, Mapping):
        raise PluginError(f"its {hook}() must return a mapping from short name to module, not {type(given).__name__}")
    return given


def _checked(hook: str, name: Any, given: Any) -> tuple[str, Module, type | None]:
    """Short name, module and class of what a hook gave. Nothing is taken on trust: authors are not made to check types."""
    if not (isinstance(name, str) and SHORT_NAME.fullmatch(name)):
        raise PluginError(f"its {hook}() has the name {name!r}: a short name is made of a-z, 0-9 and _, and begins with a letter")
    if isinstance(given, type):
        summary = (given.__doc__ or "").strip().partition("\n")[0]
        return name, Module(f"{given.__module__}:{given.__qualname__}", summary), given
    if not isinstance(given, (str, Module)):
        raise PluginError(f"its {hook}() gives {name!r} as {type(given).__name__}: it must be a class, a text or a Module")
    path, summary, aliases, between = (given, "", (), None) if isinstance(given, str) else given
    if not (_is(str, path) and CLASS_PATH.fullmatch(path)):
        raise PluginError(f'its {hook}() gives {name!r} the path {path!r}: it must look like "package.module:Class"')
    if not _is(str, summary):
        raise PluginError(f"its {hook}() gives {name!r} a summary that is {type(summary).__name__}: it must be a text")
    if not (_is((tuple, list), aliases) and all(_is(str, alias) for alias in aliases)):
        raise PluginError(f"its {hook}() gives {name!r} the aliases {aliases!r}: they must be a tuple of texts")
    if between is not None and not (_is(tuple, between) and [type(end) for end in between] == [str, str]):
        raise PluginError(f"its {hook}() says that {name!r} is between {between!r}: it must be the names of a reader and a writer")
    return name, Module(path, summary, tuple(aliases), between), None


def _is(types: type | tuple[type, ...], value: object) -> bool:
    return isinstance(value, types)
