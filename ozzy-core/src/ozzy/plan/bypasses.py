"""Bypasses: whether a pipeline leaves room for one, and which of those that are installed are tried."""

from typing import Any, Protocol

from ozzy.contracts.bypass import BaseBypass
from ozzy.contracts.file_writer import BaseFileWriter, BaseNamedFileWriter
from ozzy.contracts.module import Metadata
from ozzy.errors import OzzyError
from ozzy.plan.registry import Registry

GENERIC = "stream"
"""The bypass that is tried last: others know their source and destination."""


class _Parts(Protocol):
    """What is asked of a pipeline."""

    config: Any
    reader: Any
    filter_before: Any
    transforms: Any
    filter_after: Any
    grouper: Any
    writers: Any
    formatters: Any
    routes: Any
    samples: Any


def hindrance(pipeline: _Parts) -> str | None:
    """Why nothing of this pipeline may go past its stages, None where it may: known before anything is started."""
    if len(pipeline.writers) != 1:
        return "there are several writers" if pipeline.writers else "there is no writer"
    if pipeline.config.several_readers:
        return "there are several readers"
    if pipeline.routes:
        return "the writer has a `when`"
    for name in ("filter_before", "filter_after"):
        if not _idle(getattr(pipeline, name)):
            return "a filter is set"
    if not all(map(_idle, pipeline.transforms)):
        return "a transform is set"
    if pipeline.grouper is not None and not _idle(pipeline.grouper):
        return "a grouper is set"
    if pipeline.samples:
        return "the writer has a write buffer"
    [writer] = pipeline.writers.values()
    return _hindrance_of(writer, pipeline)


def _hindrance_of(writer: Any, pipeline: _Parts) -> str | None:
    if writer.read_option("items_limit", 0):
        return "the writer has an items_limit"
    if writer.read_option("items_per_buffer_write", 0) or writer.read_option("size_per_buffer_write", 0):
        return "files have a limit of records or bytes"
    if pipeline.config.inherited and isinstance(writer, BaseFileWriter):
        return "files have the inherited limits of records and bytes"
    if isinstance(writer, BaseNamedFileWriter):
        if "{source}" not in writer.read_option("filebase"):
            return "the filebase has no {source}"
        if writer.read_option("if_exists") == "skip":
            return "the records of files that exist are to be counted (if_exists: skip)"
    [formatter] = pipeline.formatters.values()
    return "files have a limit of records" if formatter.rows_limit else None


def hindrance_of_run(*, limit: int | None, replay: bool) -> str | None:
    """Why nothing of this run may go past the stages."""
    if replay:
        return "a replay reads records that were refused, not the source"
    return "the run has a limit of records" if limit is not None else None


def installed_bypasses(registry: Registry, metadata: Metadata, notices: list[str], ends: tuple[str, str]) -> dict[str, BaseBypass]:
    """Every bypass that is installed and needs no options, by name, the generic one last. One that can't be made is told, and left out.

    `ends` are the short names of reader and writer: a bypass that is for others is not loaded.
    """
    made: dict[str, BaseBypass] = {}
    rows = [row for row in registry.rows("bypass") if row.between in {None, ends}]
    for row in sorted(rows, key=lambda row: (row.name == GENERIC, row.name, row.package)):
        name = f"{row.package}/{row.name}" if row.error else row.name
        try:
            made[name] = registry.resolve("bypass", name).cls({"name": name, "options": {}}, metadata)
        except OzzyError as error:
            notices.append(f"the bypass {name} is left out: {error.message}")
    return made


def _idle(module: Any) -> bool:
    """Whether a stage leaves every record as and where it is."""
    return module is None or bool(getattr(module, "idle", False))
