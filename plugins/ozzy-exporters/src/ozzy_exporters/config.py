"""A config as exporters and bypasses of the inherited form look at it: every section there, with its class path and its options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ozzy import ConfigError
from ozzy.options.option import options_of
from ozzy.plan.config import Config, load_config
from ozzy.plan.inherited import MODULES
from ozzy.plan.registry import Registry
from ozzy.plan.resolution import Resolved, resolve
from ozzy.plan.sections import Section

ABSENT = {
    "filter_before": "exporters.filters.no_filter.NoFilter",
    "transform": "exporters.transform.no_transform.NoTransform",
    "filter_after": "exporters.filters.no_filter.NoFilter",
    "grouper": "exporters.groupers.no_grouper.NoGrouper",
}
"""What the inherited system put into the place of a section that is left out."""
CLASS_PATHS = {found: f"exporters.{path}" for path, found in MODULES.items()}


class FileConfiguration(dict[str, Any]):
    """A config as a dict that knows its `file`, by which a pipeline without a name is known, and the folder its paths belong to."""

    def __init__(
        self,
        values: Mapping[str, Any],
        file: Path | None = None,
        working_folder: Path | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(values)
        self.file = file
        self.working_folder = working_folder
        self.overrides = dict(overrides or {})


def loaded(configuration: Any) -> Config:
    """A config taken apart: of a file, or of a dict, which may know its file. Raises ConfigError."""
    if not isinstance(configuration, FileConfiguration):
        return load_config(configuration)
    config = load_config(configuration, set=configuration.overrides, working_folder=configuration.working_folder)
    return attrs.evolve(config, file=configuration.file)


class ExporterConfig:
    """What a config says, section by section: `reader_options`, `writer_options`, … are `{"name": class path, "options": {…}}`.

    A section that is left out is there with the module that did nothing in the inherited system. With several writers or transforms,
    the sections are those of the first. Raises ConfigError, or PluginError, with all that is wrong.
    """

    def __init__(self, configuration: Any, registry: Registry | None = None) -> None:
        config = configuration if isinstance(configuration, Config) else loaded(configuration)
        modules = resolve(config, registry or Registry.load())
        self.configuration: dict[str, Any] = config.raw
        self.exporter_options: dict[str, Any] = dict(config.raw.get("exporter_options") or {})
        self.prevent_bypass = config.exporter_options.prevent_bypass
        self.disable_retries = config.exporter_options.disable_retries
        self.log_options = {
            "log_level": config.exporter_options.log_level,
            "logger_name": config.exporter_options.logger_name,
        }
        self._modules: dict[str, Resolved | None] = {}
        self.reader_options = self._section("reader", config.readers[0], modules)
        self.filter_before_options = self._section("filter_before", config.filter_before, modules)
        self.filter_after_options = self._section("filter_after", config.filter_after, modules)
        self.transform_options = self._section("transform", next(iter(config.transforms), None), modules)
        self.grouper_options = self._section("grouper", config.grouper, modules)
        self.formatter_options = self._section("formatter", config.formatter, modules)
        self.writer_options = self._section("writer", config.writers[0], modules)
        self.persistence_options = self._section("persistence", config.persistence, modules)
        self.stats_options = self._section("stats", config.stats_manager, modules)
        self.notifiers = [self._section(one.path, one, modules) for one in config.notifications]

    def read_option(self, module: str, option: str) -> Any:
        """An option of a section (`reader`, `writer`, `filter_before`, …): as it is given, else from its variable, else its default."""
        if module not in self._modules:
            raise ConfigError(f"there is no section {module!r}; there are {', '.join(self._modules)}")
        resolved = self._modules[module]
        if resolved is None or option not in (known := options_of(resolved.found.cls)):
            return None
        options = resolved.options
        return options[option] if isinstance(options, Mapping) else getattr(options, known[option].attribute)

    def _section(self, name: str, section: Section | None, modules: list[Resolved]) -> dict[str, Any]:
        self._modules[name] = next((one for one in modules if one.section is section), None)
        if section is None:
            return {"name": ABSENT[name], "options": {}}
        return {"name": self._class_path(section, self._modules[name]), "options": dict(section.options)}

    @staticmethod
    def _class_path(section: Section, resolved: Resolved | None) -> str:
        return CLASS_PATHS.get((section.kind, resolved.found.name), section.name) if resolved is not None else section.name
