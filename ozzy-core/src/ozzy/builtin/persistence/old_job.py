"""A state file of the inherited system: the job in it, and the config that goes on with it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ozzy.builtin.persistence.pickle_opcodes import LIMIT, plain_value
from ozzy.builtin.persistence.python2_text import value_of
from ozzy.errors import StateError

_FS: Final = ("fs", "exporters.readers.fs_reader.FSReader", "ozzy.readers.fs_reader.FSReader")
_CONTINUED: Final = "ozzy.builtin.readers.fs_continued:FSContinuedReader"
_ANEW: Final = "Start anew: ozzy run with the config itself. What the old run had written is not known."


def config_of_job(path: Path) -> dict[str, Any]:
    """The config of a job, with a reader that begins behind what the job had read. Raises StateError where that is not exactly possible."""
    try:
        if path.stat().st_size > LIMIT:
            raise StateError(f"{path} is no state of the inherited system: it is too large")
        content = path.read_bytes()
    except OSError as error:
        raise StateError(f"{path} can't be read: {error.strerror or error}") from error
    try:
        return _config(plain_value(content))
    except StateError as error:
        raise StateError(f"{path} can't be gone on with: {error.message}", hint=error.hint or _ANEW) from error


def _config(job: Any) -> dict[str, Any]:
    if not isinstance(job, dict) or "configuration" not in job or "last_position" not in job:
        raise StateError("it is a pickle, but not of a job: it has no configuration and last_position")
    config = _read(job["configuration"])
    if not isinstance(config, dict) or not isinstance(config.get("reader"), Mapping) or "writer" not in config:
        raise StateError("the config in it has no reader and writer")
    if isinstance(config.get("persistence"), Mapping):
        config["persistence"] = {name: value for name, value in config["persistence"].items() if name in {"name", "options"}}
    asked = config.get("exporter_options") or {}
    config["exporter_options"] = {name: value for name, value in asked.items() if name not in {"resume", "persistence_state_id"}}
    config.setdefault("name", f"pickle {job.get('persistence_state_id') or 'job'}")
    if job["last_position"] is not None:
        config["reader"] = _behind(dict(config["reader"]), job["last_position"])
    return config


def _read(configuration: Any) -> Any:
    """A config in any of the forms in which it was stored: a dict, its text in Python 2, or JSON."""
    if not isinstance(configuration, str):
        return configuration
    try:
        return json.loads(configuration)
    except ValueError:
        found = value_of(configuration)
    return _read(found) if isinstance(found, str) else found


def _behind(reader: dict[str, Any], position: Any) -> dict[str, Any]:
    name = reader.get("name")
    if name not in _FS:
        raise StateError(f"where the reader {name} stood means nothing to the one of today; only positions of files can be taken over")
    position = position if isinstance(position, dict) else {}
    streams, records = position.get("readed_streams"), position.get("stream_offset")
    if not isinstance(streams, (list, tuple)) or not isinstance(records, dict) or not _are_counts(streams, records):
        raise StateError("its position is not that of a reader of files")
    partly = {file: count for file, count in records.items() if file not in streams and count}
    options = {**(reader.get("options") or {}), "files_read": list(streams), "records_read": partly}
    return {**reader, "name": _CONTINUED, "options": options}


def _are_counts(streams: Sequence[Any], records: Mapping[Any, Any]) -> bool:
    """Whether these are names of files, and numbers of records by names of files."""
    counts = all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in records.values())
    return counts and all(isinstance(name, str) for name in (*streams, *records))
