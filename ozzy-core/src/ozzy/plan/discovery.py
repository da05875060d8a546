"""Finding the plugins that are installed, and loading what can be loaded.

stevedore loads them. Its listing is replaced: it reads a cache on disk that drops the distribution and may be stale, so the entry points
come fresh from `importlib.metadata`; and its loop ends at a plugin that raises SystemExit or AssertionError, so nothing but
KeyboardInterrupt gets that far.
"""

from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from itertools import chain
from typing import Any

import attrs
from stevedore.extension import Extension, ExtensionManager

from ozzy.plan.offers import reason

GROUP = "ozzy.plugins"


@attrs.frozen
class Installed:
    """An entry point of the group `ozzy.plugins`: the plugin it leads to, or why it leads to none."""

    name: str
    package: str
    version: str
    plugin: Any = None
    error: BaseException | None = None

    @property
    def reason(self) -> str:
        """Why it can't be loaded, in one line."""
        return reason(self.error) if self.error else ""


class _Loader(ExtensionManager):  # type: ignore[type-arg]  # older releases are not generic
    """Loads every entry point of the group but the blocked ones; `installed` says how each went."""

    def __init__(self, blocked: frozenset[str]) -> None:
        self._blocked = blocked
        self.installed: list[Installed] = []
        super().__init__(GROUP)

    def list_entry_points(self) -> list[EntryPoint]:
        wanted = [(_owner(one), one.name, one) for one in self._entry_points() if one.name not in self._blocked]
        return [entry_point for *_, entry_point in sorted(wanted, key=lambda one: one[:2])]

    def _entry_points(self) -> Iterable[EntryPoint]:
        try:
            return entry_points(group=GROUP)
        except Exception:
            return self._entry_points_one_by_one()

    def _entry_points_one_by_one(self) -> Iterable[EntryPoint]:
        """The slow way round a package whose list of entry points can't be read: it is reported if it has plugins, and the rest work."""
        readable: dict[str, Iterable[EntryPoint]] = {}
        for distribution in distributions():
            package, version = _identity(distribution)
            if package in readable:
                continue
            readable[package] = ()
            try:
                readable[package] = distribution.entry_points.select(group=GROUP)
            except Exception as error:
                if GROUP in (distribution.read_text("entry_points.txt") or ""):
                    self.installed.append(Installed(package, package, version, error=error))
        return chain.from_iterable(readable.values())

    def _load_one_plugin(self, ep: EntryPoint, *args: Any) -> "Extension[Any] | None":
        package, version = _owner(ep)
        try:
            extension = super()._load_one_plugin(ep, *args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.installed.append(Installed(ep.name, package, version, error=error))
            return None
        self.installed.append(Installed(ep.name, package, version, extension.plugin if extension else None))
        return extension


def installed_plugins(blocked: frozenset[str] = frozenset()) -> list[Installed]:
    """The plugins of this environment, by package and name, without those whose entry point's name is blocked."""
    return _Loader(blocked).installed


def _owner(entry_point: EntryPoint) -> tuple[str, str]:
    return _identity(entry_point.dist) if entry_point.dist is not None else ("", "")


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version, empty where the metadata that pip wrote has been lost."""
    metadata = distribution.metadata
    return "".join(metadata.get_all("Name", ())), "".join(metadata.get_all("Version", ()))
