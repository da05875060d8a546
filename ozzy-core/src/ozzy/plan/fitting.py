"""What has to fit between the modules of a config, looked at before any is made: names of files and groups, modules named by options."""

from collections.abc import Iterator, Mapping
from typing import Any

from ozzy.contracts.file_writer import BaseNamedFileWriter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.errors import PluginError, Problem
from ozzy.options.option import Option, options_of
from ozzy.plan.inherited import WRITER_OPTIONS
from ozzy.plan.registry import Registry
from ozzy.plan.write_buffers import problems_of_buffer
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


def misfits_of_buffer(writer: type, options: Any, path: str) -> Iterator[Problem]:
    """What is wrong with the write buffer of a writer; `path` is where its options stand."""
    declared = options_of(writer)
    if "write_buffer" in declared and "write_buffer_options" in declared:
        yield from problems_of_buffer(
            value_of(options, declared["write_buffer"]), value_of(options, declared["write_buffer_options"]), path
        )


def without_idle(writer: type, given: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    """The options of a writer in the inherited shape without those that it took and has no use for, and a notice for each."""
    declared = options_of(writer)
    idle = [name for name in WRITER_OPTIONS if name in given and name not in declared]
    told = [f"{path}.{name}: accepted without effect, since {writer.__name__} writes no files" for name in idle]
    return {name: value for name, value in given.items() if name not in idle}, told


def value_of(options: Any, one: Option) -> Any:
    """The value of one option, of an options class or of a dict."""
    return options[one.name] if isinstance(options, dict) else getattr(options, one.attribute)
