"""What programs with a user interface ask: which modules there are with which options, and what is wrong with a config."""

from collections.abc import Mapping
from typing import Any

from ozzy import ConfigError, PluginError, Registry
from ozzy.log import logger
from ozzy.options.option import supported_options_of
from ozzy.plan.inherited import DECOMPRESSORS
from ozzy_exporters.config import CLASS_PATHS, ExporterConfig
from ozzy_exporters.exceptions import CheckedConfigError

FAMILIES = {
    "readers": "reader",
    "writers": "writer",
    "transform": "transform",
    "groupers": "grouper",
    "persistence": "persistence",
    "filters": "filter",
    "stats_managers": "stats_manager",
    "export_formatter": "formatter",
    "notifications": "notifications",
    "deserializers": "deserializer",
}
"""The inherited families of modules, and the kind that each is now."""


def module_options() -> dict[str, list[dict[str, Any]]]:
    """Every installed module by its family: its `name`, as a config takes it, and its `options` in the form of `supported_options`.

    A module with an inherited class path has that for a name. One that can't be imported is left out, and logged.
    """
    registry = Registry.load()
    families: dict[str, list[dict[str, Any]]] = {}
    for family, kind in FAMILIES.items():
        families[family] = []
        for row in registry.rows(kind):
            try:
                found = registry.resolve(kind, f"{row.package}/{row.name}")
            except PluginError as error:
                logger("exporter_config").warning("left out of the options", module=row.name, error=error.message)
                continue
            name = CLASS_PATHS.get((kind, row.name)) or found.module.path.replace(":", ".")
            families[family].append({"name": name, "options": supported_options_of(found.cls)})
    families["decompressors"] = [{"name": f"exporters.{path}", "options": {}} for path in DECOMPRESSORS]
    return families


def check_for_errors(config: Mapping[str, Any], raise_exception: bool = True) -> dict[str, Any]:
    """What is wrong with a config: section to a text, or to the options that are wrong and why; `{}` where nothing is.

    With `raise_exception` it raises the ConfigError, with all of it in `errors`, or the PluginError.
    """
    try:
        ExporterConfig(config)
    except ConfigError as error:
        errors: dict[str, Any] = {}
        for problem in error.problems:
            _enter(errors, problem.path, problem.message)
        errors = errors or {"config": error.message}
        if raise_exception:
            raise CheckedConfigError(error, errors) from error
        return errors
    except PluginError as error:
        if raise_exception:
            raise
        return {"config": str(error)}
    return {}


def _enter(errors: dict[str, Any], path: str, message: str) -> None:
    section, _, option = path.removeprefix("exporter_options.").partition(".options.")
    section = section.replace(".", "_")
    if not option:
        errors[section] = message
    elif not isinstance(errors.get(section), str):
        errors.setdefault(section, {})[option] = message
