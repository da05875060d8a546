"""What has to fit between the modules of a config, looked at before any is made: names of files and groups, modules named by options."""

from collections.abc import Iterator
from typing import Any

from ozzy.contracts.file_writer import BaseNamedFileWriter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.errors import PluginError, Problem
from ozzy.options.option import Option, options_of
from ozzy.plan.registry import Registry
from ozzy.staging.naming import problems


def misfits_of_names(writer: type, options: Any, path: str, grouper: type | None, grouping: Any) -> Iterator[Problem]:
    """Placeholders of a writer's filebase that the grouper of the config has no values for; `path` is where the options stand."""
    if not issubclass(writer, BaseNamedFileWriter):
        return
    width = 0 if grouper is None else grouper.width(grouping) if issubclass(grouper, BaseGrouper) else None
    filebase = value_of(options, options_of(writer)["filebase"])
    for text in problems(filebase, width):
        yield Problem(f"{path}.filebase", text)


def named_modules(cls: type, options: Any, path: str, registry: Registry) -> Iterator[Problem]:
    """Options that name a module which can't be resolved; what an option is by default names none."""
    for one in options_of(cls).values():
        value = value_of(options, one) if one.kind_of else None
        if not isinstance(value, str) or value == one.default:
            continue
        try:
            registry.resolve(str(one.kind_of), value)
        except PluginError as error:
            yield Problem(f"{path}.{one.name}", error.message, " ".join((error.hint or "").split("\n")) or None)


def value_of(options: Any, one: Option) -> Any:
    """The value of one option, of an options class or of a dict."""
    return options[one.name] if isinstance(options, dict) else getattr(options, one.attribute)
