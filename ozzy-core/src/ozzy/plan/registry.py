"""The modules that are installed: which there are, whose they are, and which one a config means.

A registry is a value. `Registry.load()` holds what the plugins of this environment offer; an embedder or a test fills its own.
"""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

import attrs

from ozzy.errors import PluginError
from ozzy.hookspecs import KINDS, Module
from ozzy.plan import inherited
from ozzy.plan.install_hints import package_to_install
from ozzy.plan.offers import CLASS_PATH, Offer, Plugins, reason

if TYPE_CHECKING:
    from ozzy.plan.discovery import Installed

BLOCK = "OZZY_BLOCK_PLUGINS"
_BASES = {
    "reader": "ozzy.contracts.reader:BaseReader",
    "deserializer": "ozzy.contracts.decoder:BaseDecoder",
    "filter": "ozzy.contracts.filter:BaseFilter",
    "transform": "ozzy.contracts.transform:BaseTransform",
    "grouper": "ozzy.contracts.grouper:BaseGrouper",
    "formatter": "ozzy.contracts.formatter:BaseExportFormatter",
    "writer": "ozzy.contracts.writer:BaseWriter",
    "persistence": "ozzy.contracts.persistence:BasePersistence",
    "stats_manager": "ozzy.contracts.report:BaseStatsManager",
    "notifications": "ozzy.contracts.report:BaseNotifier",
    "bypass": "ozzy.contracts.bypass:BaseBypass",
    "engine": "ozzy.contracts.engine:BaseEngine",
}


@attrs.frozen
class Found:
    """The module a config means: its class, and the package and version that offer it under the short name `name`.

    For a class path that no plugin offers, `name` is the path, `package` its top-level module, and `version` empty.
    """

    name: str
    kind: str
    cls: type
    package: str
    version: str
    module: Module


@attrs.frozen
class Row:
    """One line of `ozzy plugins list`.

    A broken plugin has its entry point as `name`, no kind, and the reason as `error`; a module whose name is claimed twice keeps its kind
    and says so in `error`. `between` are the reader and the writer that a bypass is for, where it is for no others.
    """

    name: str
    kind: str | None
    package: str
    version: str
    summary: str = ""
    error: str | None = None
    between: tuple[str, str] | None = None


@attrs.frozen
class Broken:
    """A plugin that can't be used: the name of its entry point, its package, and why."""

    name: str
    package: str
    version: str
    reason: str


class Registry:
    """What the plugins of one environment offer.

    `broken` lists plugins that can't be used, `blocked` the names of entry points that were left out; `installed` says that it holds what
    the environment offers, so that another process can have the same.
    """

    def __init__(self) -> None:
        self.installed = False
        self.broken: list[Broken] = []
        self.blocked: list[str] = []
        self._plugins = Plugins()
        self._offers: list[Offer] = []

    @classmethod
    def load(cls, *, environ: Mapping[str, str] | None = None) -> "Registry":
        """The plugins that are installed here, without those that `OZZY_BLOCK_PLUGINS` names (entry points, separated by commas).

        A plugin that can't be used is put into `broken`, and the rest go on.
        """
        from ozzy.plan.discovery import installed_plugins

        registry = cls()
        registry.installed = True
        names = (os.environ if environ is None else environ).get(BLOCK, "")
        registry.blocked = [name.strip() for name in names.split(",") if name.strip()]
        for found in installed_plugins(frozenset(registry.blocked)):
            why = found.reason or registry._reason_against(found)
            if why:
                registry.broken.append(Broken(found.name, found.package, found.version, why))
        return registry

    def register(self, plugin: Any, *, package: str = "", version: str = "", entry_name: str = "") -> None:
        """Take in what one plugin offers: all of it, or nothing and a PluginError that says why.

        `plugin` is a module or an object with hooks; `package` is named in messages, and tells modules of one name apart.
        """
        package = package or getattr(plugin, "__name__", type(plugin).__name__)
        self._offers += self._plugins.ask(plugin, package=package, version=version, entry_name=entry_name or package)

    def _reason_against(self, found: "Installed") -> str:
        """Register a plugin, or say why that can't be: whatever it does when it is looked at is its own affair."""
        try:
            self.register(found.plugin, package=found.package, version=found.version, entry_name=found.name)
        except PluginError as error:
            return error.message
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return reason(error)
        return ""

    def rows(self, kind: str | None = None) -> list[Row]:
        """What there is, by kind (in the order of the data) and name; broken plugins come last, and only where no kind is asked for.

        Nothing is imported for it.
        """
        if kind is not None:
            _check_kind(kind)
        kinds = list(KINDS)
        rows = [
            Row(offer.name, offer.kind, offer.package, offer.version, offer.module.summary, self._clash(offer), offer.module.between)
            for offer in sorted(self._offers, key=lambda offer: (kinds.index(offer.kind), offer.name, offer.package))
            if kind in {None, offer.kind}
        ]
        if kind is None:
            rows += [Row(broken.name, None, broken.package, broken.version, error=broken.reason) for broken in self.broken]
        return rows

    def resolve(self, kind: str, name: str) -> Found:
        """The module that `name` means where a config wants one of this kind.

        A name is a short name, `package/name`, an inherited class path, a class path (`package.module:Class`, or a dot for the colon), or
        an alias, looked for in this order. Raises PluginError where it means none, several, or something that is not of the kind or
        can't be imported.
        """
        _check_kind(kind)
        short_name = inherited.short_name(kind, name)
        offers = self._named(kind, short_name or name)
        if not offers and not short_name and (path := _class_path(name)):
            found = self._by_path(kind, name, path)
            if found is not None:
                return found
        offers = offers or [one for one in self._offers if one.kind == kind and {name, short_name} & set(one.module.aliases)]
        if not offers:
            raise self._unknown(kind, name)
        if len(offers) > 1:
            raise _claimed_twice(kind, name, offers)
        return _found(offers[0])

    def _named(self, kind: str, name: str) -> list[Offer]:
        package, _, short_name = name.rpartition("/")
        wanted = _canonical(package)
        return [
            offer
            for offer in self._offers
            if offer.kind == kind and offer.name == short_name and (not package or _canonical(offer.package) == wanted)
        ]

    def _by_path(self, kind: str, name: str, path: str) -> Found | None:
        """The class at a path, or None where there is no such module."""
        for offer in self._offers:
            if offer.kind == kind and offer.module.path == path:
                return _found(offer)
        try:
            cls = _imported(path)
        except ModuleNotFoundError as error:
            if _leads_to(error, path):
                return None
            raise PluginError(f"{kind} {name!r} can't be imported: {reason(error)}") from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise PluginError(f"{kind} {name!r} can't be imported: {reason(error)}") from error
        _check_class(kind, name, cls)
        return Found(name, kind, cls, path.partition(":")[0].partition(".")[0], "", Module(path))

    def _clash(self, offer: Offer) -> str | None:
        others = [one.package for one in self._named(offer.kind, offer.name) if one is not offer]
        return f"also claimed by {', '.join(others)}: write {offer.full_name} for this one" if others else None

    def _unknown(self, kind: str, name: str) -> PluginError:
        package, _, short_name = name.rpartition("/")
        if package and _canonical(package) not in {_canonical(offer.package) for offer in self._offers}:
            return PluginError(f"unknown {kind} {name!r}: no package {package!r} with modules is installed", hint=self._ways_on(kind, name))
        elsewhere = [offer.kind for offer in self._offers if offer.name == short_name]
        if elsewhere:
            return PluginError(f"{name!r} is a {' and a '.join(dict.fromkeys(elsewhere))}, not a {kind}", hint=self._ways_on(kind, name))
        path = _class_path(name)
        missing = f": there is no module {path.partition(':')[0]}" if path and not inherited.plain(name) else ""
        return PluginError(f"unknown {kind} {name!r}{missing}", hint=self._ways_on(kind, name))

    def _ways_on(self, kind: str, name: str) -> str:
        here = sorted({offer.name for offer in self._offers if offer.kind == kind})
        asked = inherited.short_name(kind, name) or name.rpartition("/")[2]
        ways = []
        package = package_to_install(asked)
        near = get_close_matches(asked, here, n=3)
        if package is not None and not any(offer.package == package for offer in self._offers):
            ways.append(f"It comes with {package}: `pip install {package}`.")
        elif near:
            ways.append(f"Did you mean {' or '.join(near)}?")
        ways.append(f"Installed are: {', '.join(here)}." if here else f"No {kind} is installed.")
        if self.broken:
            ways.append(f"Broken plugins: {', '.join(broken.name for broken in self.broken)} (see `ozzy plugins list`).")
        if self.blocked:
            ways.append(f"Blocked by {BLOCK}: {', '.join(self.blocked)}.")
        return " ".join(ways)


def _found(offer: Offer) -> Found:
    whose = " ".join(filter(None, (offer.package, offer.version)))
    if offer.cls is not None:
        cls: Any = offer.cls
    else:
        try:
            cls = _imported(offer.module.path)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise PluginError(
                f"{offer.kind} {offer.name!r} of {whose} can't be loaded: {reason(error)}",
                hint=f"It stands at {offer.module.path}; --debug shows where it fails. Reinstall {offer.package}, or write to its authors.",
            ) from error
    _check_class(offer.kind, f"{offer.name} of {whose}", cls)
    return Found(offer.name, offer.kind, cls, offer.package, offer.version, offer.module)


def _class_path(name: str) -> str | None:
    """`package.module:Class` where a name can be read as a class path, a dot for the colon allowed."""
    path = name if ":" in name else ":".join(name.rpartition(".")[::2])
    return path if CLASS_PATH.fullmatch(path) else None


def _imported(path: str) -> Any:
    module_name, _, qualified_name = path.partition(":")
    value: Any = import_module(module_name)
    for part in qualified_name.split("."):
        if not hasattr(value, part):
            near = get_close_matches(part, dir(value), n=1)
            raise ImportError(f"there is no {qualified_name} in {module_name}" + (f", but {near[0]}" if near else ""))
        value = getattr(value, part)
    return value


def _leads_to(error: ModuleNotFoundError, path: str) -> bool:
    """Whether it is the module of this path, or a package above it, that is missing: not something imported in there."""
    module_name = path.partition(":")[0]
    return error.name is not None and f"{module_name}.".startswith(f"{error.name}.")


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1)
        raise PluginError(f"unknown kind {kind!r}", hint=f"Did you mean {near[0]}?" if near else f"Kinds are: {', '.join(KINDS)}.")


def _check_class(kind: str, what: str, cls: Any) -> None:
    if not isinstance(cls, type):
        raise PluginError(f"{kind} {what} is no class but {type(cls).__name__}")
    base = _imported(_BASES[kind]) if kind in _BASES else object
    if not issubclass(cls, base):
        own = getattr(cls, "kind", "")
        is_a = f"it is a {own}" if isinstance(own, str) and own in KINDS else f"{cls.__name__} does not inherit from {base.__name__}"
        raise PluginError(f"{what} is not a {kind}: {is_a}")


def _claimed_twice(kind: str, name: str, offers: list[Offer]) -> PluginError:
    full_names = sorted({offer.full_name for offer in offers})
    if len(full_names) == 1:
        plugins = " and ".join(offer.entry_name for offer in offers)
        return PluginError(
            f"{kind} {name!r} is claimed twice in {offers[0].package}, by its plugins {plugins}",
            hint=f"Leave one out: {BLOCK}={offers[0].entry_name}",
        )
    claims = " and by ".join(f"{offer.package} {offer.version}".rstrip() for offer in offers)
    return PluginError(f"{kind} {name!r} is claimed by {claims}", hint=f"Write the one you mean: {' or '.join(full_names)}")


def _canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
