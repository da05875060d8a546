"""Configs: read from a file or a mapping, with overrides and variables put in, taken apart into sections and settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ozzy.errors import ConfigError, Problem
from ozzy.options.settings import CheckpointSettings, ErrorSettings, ExporterOptions
from ozzy.plan.config_file import json_like, read_config_file
from ozzy.plan.interpolation import interpolate
from ozzy.plan.overrides import override
from ozzy.plan.sections import Parts, Section

__all__ = ["CheckpointSettings", "Config", "ErrorSettings", "ExporterOptions", "Section", "load_config"]


@attrs.frozen(kw_only=True)
class Config:
    """A config taken apart.

    `raw` is what was written, with overrides but with variables unresolved. `problems` is what is wrong so far; `resolve` raises them
    together with what it finds itself, and until then a part that is wrong has its default. `notices` is what a user should be told.
    `file` is the file's real path, `working_folder` is where relative paths belong. `readers` holds one with the path `reader`, or those
    of a list. `label` of a section is set where there are several writers. A stage that is left out is None; formatter, persistence and
    stats manager have defaults, and so has the engine, None. `bypasses` is None where those that are installed are to be tried.
    """

    raw: dict[str, Any] = attrs.field(repr=False)
    file: Path | None
    working_folder: Path
    name: str | None
    inherited: bool
    readers: list[Section]
    writers: list[Section]
    filter_before: Section | None
    filter_after: Section | None
    transforms: list[Section]
    grouper: Section | None
    formatter: Section
    decompressor: Section | None
    deserializer: Section | None
    engine: Section | None
    persistence: Section
    stats_manager: Section
    notifications: list[Section]
    errors: ErrorSettings
    checkpoint: CheckpointSettings
    exporter_options: ExporterOptions
    delivery: str | None
    bookmark: bool
    bypasses: list[Section] | None
    notices: list[str]
    problems: list[Problem]
    environ: Mapping[str, str] = attrs.field(repr=False, eq=False)

    @property
    def where(self) -> str:
        """The config in a sentence: its file, or `the config`."""
        return str(self.file) if self.file else "the config"

    def sections(self) -> list[Section]:
        """Every section that names a module to be found, members of chains too, in the order of the data; `decompressor` is none."""
        middle = [self.deserializer, self.filter_before, *self.transforms, self.filter_after, self.grouper, self.formatter]
        writers = [one for section in self.writers for one in (section.when, section)]
        ends = [*writers, *(self.bypasses or ()), self.engine, self.persistence, self.stats_manager, *self.notifications]
        starts = [one for section in self.readers for one in (section, section.deserializer)]
        given = [section for section in (*starts, *middle, *ends) if section is not None and section.name]
        return [one for section in given for one in section.modules()]

    @property
    def several_readers(self) -> bool:
        """Whether the readers are given as a list."""
        return self.readers[0].path != "reader"


def load_config(
    source: str | Path | Mapping[str, Any],
    *,
    set: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    working_folder: Path | None = None,
) -> Config:
    """Read a config and take it apart; which modules there are is not looked at yet.

    `source` is a path (.json, .yaml, .yml, .toml; by its content with any other suffix) or a mapping, which is left as it is. `set` maps
    paths such as `reader.options.batch_size` to values. `environ` is the process's environment by default, `working_folder` its current
    folder. Raises ConfigError where there is no config to take apart; all other problems are kept in the config.
    """
    problems: list[Problem] = []
    file = None
    if isinstance(source, Mapping):
        raw = json_like(source, problems)
    else:
        if not os.fspath(source):
            raise ConfigError("the path of the config is empty")
        raw = read_config_file(Path(source))
        file = Path(os.path.realpath(source))
    problems += override(raw, json_like(set or {}, problems))
    environ = dict(os.environ if environ is None else environ)
    tree, missing = interpolate(raw, environ)
    problems += missing
    parts = Parts(tree, environ, problems)
    return Config(
        raw=raw,
        file=file,
        working_folder=Path.cwd() if working_folder is None else working_folder,
        environ=environ,
        **parts.taken(),
    )
