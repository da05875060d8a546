"""The names of a new plugin: what a user types, and what follows from it."""

import re

import attrs

from ozzy.errors import ConfigError
from ozzy.plan.install_hints import PACKAGES

LONGEST = 30
"""Characters of a name, at the most: class names and lines of code are made of it."""

_GOOD = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAKEN = {"core", "builtin", "exporters", *(package.removeprefix("ozzy-") for package in PACKAGES.values())}


@attrs.frozen
class Names:
    """The names of one plugin, `tide-gauge` for example."""

    host: str

    @property
    def package(self) -> str:
        """What pip installs: `ozzy-tide-gauge`."""
        return f"ozzy-{self.host}"

    @property
    def module(self) -> str:
        """What Python imports: `ozzy_tide_gauge`."""
        return self.package.replace("-", "_")

    @property
    def short(self) -> str:
        """What a config calls its modules, and the name of the entry point: `tide_gauge`."""
        return self.host.replace("-", "_")

    @property
    def title(self) -> str:
        """What names of classes begin with: `TideGauge`."""
        return "".join(part.capitalize() for part in self.host.split("-"))

    @property
    def variable(self) -> str:
        """What names of environment variables begin with: `TIDE_GAUGE`."""
        return self.short.upper()


def names_of(text: str) -> Names:
    """The names that follow from what a user typed. Raises ConfigError where it makes no good name.

    >>> names_of("ozzy-tide-gauge").title, names_of("tide-gauge").module
    ('TideGauge', 'ozzy_tide_gauge')
    """
    host = text.removeprefix("ozzy-")
    if not _GOOD.fullmatch(host) or len(host) > LONGEST:
        raise ConfigError(f"{text!r} is no name for a plugin", hint=_hint(host))
    if host in _TAKEN:
        raise ConfigError(f"ozzy-{host} is a package of ozzy's own", hint="Choose another name.")
    return Names(host)


def _hint(host: str) -> str:
    words = re.findall("[a-z0-9]+", re.sub("([a-z0-9])([A-Z])", r"\1-\2", host).lower())
    near = "-".join(words).lstrip("0123456789-")[:LONGEST].rstrip("-")
    rule = f"Names are made of small letters and digits, begin with a letter, have - between words, and up to {LONGEST} characters"
    return f"{rule}: {near}." if near and near not in _TAKEN else f"{rule}."
