"""The run that a URI, or an id, names: what `--resume` goes on with."""

import re
from pathlib import Path
from typing import Any

import attrs

from ozzy import BasePersistence, BaseSharedPersistence, PluginError, Registry, StateError
from ozzy.log import redact
from ozzy.plan.config_file import read_config_file
from ozzy.run.runs import RunRecord, StateFolder, state_root
from ozzy.run.shared import found_run
from ozzy_exporters.config import FileConfiguration


@attrs.frozen
class StoredRun:
    """A run that can be gone on with: its id, and the config it began with.

    `secrets` is the config file, where the state of the run lacks a secret that stands there.
    """

    run: str
    configuration: FileConfiguration
    secrets: Path | None = None


def run_behind(uri: str) -> StoredRun:
    """The run that a URI of an installed persistence names; anything that is no URI is the id of a run, or the beginning of one.

    A URI that names no run is left to `ozzy resume`, which knows what the inherited system left behind.

    Raises StateError where there is none.
    """
    for cls in _persistences():
        if cls.uri_regex and re.match(cls.uri_regex, uri):
            return _behind(uri, cls)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.]*):", uri)
    if scheme is None:
        return _local(uri)
    raise StateError(
        f"no persistence that is installed knows {redact(uri)}",
        hint="`ozzy plugins list --kind persistence` shows which there are. A run that is kept in files goes by its id: `ozzy runs list`.",
    )


def _persistences() -> list[type[BasePersistence]]:
    registry = Registry.load()
    found: list[type[BasePersistence]] = []
    for row in registry.rows("persistence"):
        try:
            found.append(registry.resolve("persistence", f"{row.package}/{row.name}").cls)
        except PluginError:
            continue
    return found


def _behind(uri: str, cls: type[BasePersistence]) -> StoredRun:
    if issubclass(cls, BaseSharedPersistence) or cls.run_of_uri(uri) is not None:
        with found_run(uri, None, None) as (record, _):
            return _stored(uri, record)
    configuration = cls.configuration_from_uri(uri, cls.uri_regex)
    named: dict[str, Any] = dict(configuration.get("exporter_options") or {})
    match = re.match(cls.uri_regex, uri)
    run = named.get("persistence_state_id") or (match.groupdict().get("run") if match else None)
    if not run:
        return StoredRun(uri, FileConfiguration(configuration, None, Path.cwd(), {}))
    return _local(str(run))


def _local(run_id: str) -> StoredRun:
    """A run by its id; where a secret is missing in its state, the config file it began with is asked for it."""
    record = StateFolder(state_root(None, None, Path.cwd())).find(run_id)
    return _stored(record.id, record)


def _stored(run: str, record: RunRecord) -> StoredRun:
    """A run as its state has it; `run` is what it is gone on with by."""
    if record.damage is not None:
        raise record.damage
    facts = record.facts
    file = Path(facts["config_file"]) if facts.get("config_file") else None
    secrets = file if facts["left_out"] and file is not None and file.exists() else None
    config = facts["config"] if secrets is None else read_config_file(secrets)
    return StoredRun(run, FileConfiguration(config, file, Path(facts["working_folder"]), facts["set"]), secrets)
