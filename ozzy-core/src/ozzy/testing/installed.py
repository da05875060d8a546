"""The modules that are installed, looked up once for all tests of a process."""

from functools import cache
from typing import Any

import ozzy
from ozzy import Metadata, Registry


@cache
def installed() -> Registry:
    """The registry of this environment."""
    return ozzy.Registry.load()


def make(kind: str, section: Any, metadata: Metadata | None = None) -> Any:
    """A module of the installed ones, by a short name or by a section of a config."""
    name, options = (section, {}) if isinstance(section, str) else (section["name"], section.get("options", {}))
    return installed().resolve(kind, name).cls({"name": name, "options": options}, metadata)
