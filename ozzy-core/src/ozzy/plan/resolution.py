"""From the sections of a config to the classes they mean and the options they get, with everything that is wrong at once."""

from collections.abc import Iterator
from typing import Any

import attrs

from ozzy.contracts.module import overrides
from ozzy.contracts.reader import BaseReader
from ozzy.contracts.shared_persistence import BaseSharedPersistence
from ozzy.errors import ConfigError, PluginError, Problem
from ozzy.options.structure import Origin, examine
from ozzy.plan.config import Config
from ozzy.plan.fitting import misfits_of_buffer, misfits_of_names, named_modules, without_idle
from ozzy.plan.registry import Found, Registry
from ozzy.plan.sections import Section


@attrs.frozen
class Resolved:
    """One section with the module it means, its structured options, and where each of them came from."""

    section: Section
    found: Found
    origins: dict[str, Origin]
    options: Any


def resolve(config: Config, registry: Registry, *, needs_writer: bool = True) -> list[Resolved]:
    """Find the module of each section and structure its options; nothing is made and nothing is connected.

    Raises one error with all that is wrong with the config: a PluginError where only modules are (unknown, claimed twice, broken), else a
    ConfigError.
    """
    problems = list(config.problems)
    if needs_writer and "writer" not in config.raw:
        problems.append(Problem("writer", "missing: a config has a writer", "a name, or {name, options}"))
    unread = tuple(problem.path for problem in config.problems)
    modules: list[Problem] = []
    resolved = []
    for section in config.sections():
        if f"{section.path}.name" in unread or section.path in unread:
            continue
        try:
            found = registry.resolve(section.kind, section.name)
            given = _given(config, section, found.cls)
            examined = examine(found.cls, given, path=f"{section.path}.options", environ=config.environ)
        except PluginError as error:
            modules.append(Problem(section.path, error.message, " ".join((error.hint or "").split("\n")) or None))
            continue
        problems += [one for one in examined.problems if not any(f"{one.path}.".startswith(f"{path}.") for path in unread)]
        resolved.append(Resolved(section, found, examined.origins, examined.value))
    _see_that_they_fit(config, registry, resolved, problems, modules)
    if config.bookmark:
        problems += _without_bookmark(config, resolved)
    if needs_writer and config.name is None:
        problems += _nameless(config, resolved)
    _raise(config, problems, modules)
    return resolved


def _given(config: Config, section: Section, cls: type) -> dict[str, Any]:
    """The options of a section; those that an inherited writer took for nothing are told, and left out."""
    if not config.inherited or section.kind != "writer":
        return section.options
    given, told = without_idle(cls, section.options, f"{section.path}.options")
    config.notices.extend(notice for notice in told if notice not in config.notices)
    return given


def _see_that_they_fit(
    config: Config, registry: Registry, resolved: list[Resolved], problems: list[Problem], modules: list[Problem]
) -> None:
    good = [one for one in resolved if one.options is not None]
    grouper = next((one for one in good if one.section is config.grouper), None)
    for one in good:
        path = f"{one.section.path}.options"
        modules += named_modules(one.found.cls, one.options, path, registry)
        if one.section in config.writers:
            problems += misfits_of_buffer(one.found.cls, one.options, path)
        if one.section in config.writers and (grouper is not None or config.grouper is None):
            grouping = (grouper.found.cls, grouper.options) if grouper is not None else (None, None)
            problems += misfits_of_names(one.found.cls, one.options, path, *grouping)


def _without_bookmark(config: Config, resolved: list[Resolved]) -> Iterator[Problem]:
    """Why this config can't have a bookmark, where it can't."""
    if config.name is None and config.file is None:
        yield Problem("bookmark", "a config that is no file needs a name to have one", 'add "name": "…"')
    for one in resolved:
        if one.section.kind == "reader" and not overrides(one.found.cls, "splits_since", BaseReader):
            yield Problem("bookmark", f"the reader {one.found.name} can't tell what is new since the last run", "leave it out")
    for section in config.readers if config.several_readers else ():
        if section.label is None:
            yield Problem(
                f"{section.path}.label", "missing: with a bookmark, each of several readers has a label", "a name that stays its own"
            )


def _nameless(config: Config, resolved: list[Resolved]) -> Iterator[Problem]:
    """Why a config without a name can't be run, where it can't: another machine has the file elsewhere.

    In the inherited shape, which knew no names, a config is known by the path of its file, and that is told.
    """
    for one in resolved:
        if not issubclass(one.found.cls, BaseSharedPersistence):
            continue
        if config.inherited and config.file is not None:
            told = "name: missing, so the pipeline is known by the path of its config, on every machine that shares this state"
            config.notices.extend([told] if told not in config.notices else [])
            continue
        told = f"missing: the persistence {one.found.name} shares state between machines, which know a pipeline by its name"
        yield Problem("name", told, 'add "name": "…"')


def _raise(config: Config, problems: list[Problem], modules: list[Problem]) -> None:
    if problems:
        raise ConfigError(_headline(config, len(problems) + len(modules)), problems=problems + modules)
    if len(modules) == 1:
        raise PluginError(f"{config.where}: {modules[0].path}: {modules[0].message}", hint=modules[0].hint)
    if modules:
        raise PluginError("\n".join([_headline(config, len(modules)), *(f"  {problem}" for problem in modules)]))


def _headline(config: Config, number: int) -> str:
    return f"{config.where} has {number} problems" if number > 1 else f"{config.where} has a problem"
