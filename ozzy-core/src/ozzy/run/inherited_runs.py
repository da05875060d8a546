"""Jobs of the inherited system that are gone on with, by the URI of what they left."""

import re
from typing import Any

from ozzy.contracts.persistence import BasePersistence
from ozzy.contracts.shared_persistence import BaseSharedPersistence
from ozzy.errors import PluginError, StateError
from ozzy.log import redact
from ozzy.plan.registry import Registry
from ozzy.run.result import Result
from ozzy.run.shared import state_of_config
from ozzy.run.start import Start


def inherited_config(uri: str, registry: Registry | None) -> dict[str, Any] | None:
    """The config that goes on with an inherited job; None where this is no URI of one. Raises StateError where it can't be gone on with."""
    if ":" not in uri:
        return None
    registry = registry or Registry.load()
    for row in registry.rows("persistence"):
        try:
            cls = registry.resolve("persistence", row.name).cls
        except PluginError:
            continue
        assert issubclass(cls, BasePersistence)
        if not issubclass(cls, BaseSharedPersistence) and cls.uri_regex and re.fullmatch(cls.uri_regex, uri) and not cls.run_of_uri(uri):
            return cls.configuration_from_uri(uri, cls.uri_regex)
    return None


def resumed_inherited(start: Start, uri: str) -> Result:
    """Begin the run that goes on with an inherited job, or go on with it where it has begun."""
    with state_of_config(start.config, start.state_dir, start.registry) as state:
        begun = state.runs(start.config.name)
    if not begun and not start.accept_changes:
        raise StateError(
            f"{redact(uri)} says what an inherited run had read, but not what had arrived: what it still had in hand when it ended is lost",
            hint="To go on behind what it had read nevertheless: --accept-changes. To have everything, run the config anew.",
        )
    start.accept_changes = bool(begun) and start.accept_changes
    return start.go(bool(begun))
