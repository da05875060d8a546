"""What every module promises, whatever its kind: options, making and closing, errors that speak, and secrets that stay secret."""

import contextlib
import io
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn

import attrs
import pytest

from ozzy import ConfigError, Metadata, OzzyError
from ozzy.errors import Problem
from ozzy.options.option import Option, options_of
from ozzy.options.secrets import json_like
from ozzy.options.structure import examine
from ozzy.testing.canary import leaks, logged, plant, told_by
from ozzy.testing.installed import installed
from ozzy.testing.start_up import heavy_imports, plugin_of
from ozzy.testing.verdict import broken, shown
from ozzy.testing.watch import nothing_works, touched

_STARTED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
"""The start of the run for every module of a suite: what is made twice has the same now, as after a resume."""

_WRONG: tuple[Any, ...] = ("no such value", {"no such": "value"}, [[["no such value"]]], -1.5, True, None)


class ModuleContract:
    """The base of all suites. Derive from the suite of a kind, and say which `module` it is and which `options` it needs.

    `options` may also be a fixture of the class, where a server or a folder has to be ready first. `failing` are options that make
    the module fail in use (a port nobody listens at); where it is empty, the suite makes every file and connection fail. Tests run
    in `self.folder`, a temporary one; relative paths in options belong there.
    """

    module: ClassVar[type[Any]]
    options: Any = MappingProxyType({})
    failing: Any = MappingProxyType({})
    speaks_with: ClassVar[tuple[type[OzzyError], ...]] = (OzzyError,)
    """The classes of errors that a module of this kind raises when the world fails it."""

    folder: Path
    given: dict[str, Any]

    @pytest.fixture(autouse=True)
    def in_a_place_of_its_own(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder and an environment in which nothing from outside counts."""
        if not isinstance(getattr(self, "module", None), type):
            pytest.fail(f"{type(self).__name__} has no `module`: write `module = YourClass` in it", pytrace=False)
        import os

        variables = {one.env for one in options_of(self.module).values() if one.env}
        for name in [name for name in os.environ if name in variables or name.startswith("OZZY_")]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path)
        installed()
        self.folder = tmp_path
        self.given = deepcopy(dict(self.value(request, "options")))
        self.failing_options = dict(self.value(request, "failing"))

    def value(self, request: pytest.FixtureRequest, name: str) -> Any:
        """What the class says under a name: an attribute, or the outcome of a fixture."""
        found = getattr(type(self), name)
        return found if found is None or isinstance(found, (Mapping, list, tuple, str, bytes)) else request.getfixturevalue(name)

    @property
    def name(self) -> str:
        """The module's name in messages."""
        return self.module.__name__

    def broken(self, message: str) -> NoReturn:
        """Fail the test."""
        broken(self.name, message)

    def make(self, options: Mapping[str, Any] | None = None, *, folder: Path | None = None) -> Any:
        """A new module with the suite's options, or with these."""
        section = {"name": self.name, "options": deepcopy(dict(self.given if options is None else options))}
        return self.module(section, Metadata(working_folder=folder or self.folder, start_time=_STARTED))

    def exercise(self, module: Any) -> Any:
        """Use a module as a run would, shortly; whatever it gives to be stored or shown is returned."""
        raise NotImplementedError(f"{type(self).__name__} has no exercise()")

    # Options

    def declared(self) -> dict[str, Option]:
        """The options of the module by name."""
        return options_of(self.module)

    def problems(self, options: Mapping[str, Any]) -> tuple[Problem, ...]:
        """What making the module with these options complains about."""
        try:
            self.make(options)
        except ConfigError as error:
            return tuple(error.problems) or (Problem("", error.message, error.hint),)
        except Exception as error:
            self.broken(f"with wrong options its constructor raises {type(error).__name__} ({error}), not ConfigError")
        return ()

    def test_the_module_says_what_it_is(self) -> None:
        """The docstring is its page in the reference."""
        if not (vars(self.module).get("__doc__") or "").strip():
            self.broken("the class has no docstring: its first line stands in `ozzy plugins list`, all of it in the reference")

    def test_every_option_is_explained(self) -> None:
        """Each has a help text, and an example that is right."""
        for path, one in _all_options(self.module):
            if not one.help.strip():
                self.broken(f"the option {path} has no help: say in a sentence what it is for")
            if one.example is not None and "." not in path:
                found = [str(problem) for problem in self._look(one, one.example) if problem.path == f"options.{path}"]
                if found:
                    self.broken(f"the example of the option {path} is wrong: {found[0]}")

    def test_defaults_are_valid(self) -> None:
        """What an option is by default could be written in a config."""
        for name, one in self.declared().items():
            if one.has_default:
                found = [str(problem) for problem in self._look(one, json_like(one.default)) if problem.path.startswith(f"options.{name}")]
                if found:
                    self.broken(f"the default of the option {name} is not valid: {found[0]}")

    def _look(self, one: Option, value: Any) -> list[Problem]:
        return examine(self.module, self.given | {one.name: deepcopy(value)}).problems

    def test_required_options_are_named(self) -> None:
        """A config without options is told which are missing, all of them."""
        required = [name for name, one in self.declared().items() if one.required]
        named = " ".join(map(str, self.problems({}))) if required else ""
        for name in required:
            if not re.search(rf"\b{re.escape(name)}\b", named):
                self.broken(f"without options it does not say that {name} is required; it says: {named or 'nothing'}")

    def test_an_unknown_option_is_refused_and_a_near_one_named(self) -> None:
        """A misspelt option is no option, and the error tells which was meant."""
        known = max(self.declared(), key=len, default="")
        misspelt = f"{known[:2]}{known[1:2]}{known[2:]}" if len(known) > 2 else f"{known}_such"
        problems = [problem for problem in self.problems(self.given | {misspelt: 1}) if problem.path.endswith(f".{misspelt}")]
        if not problems:
            self.broken(f"the unknown option {misspelt!r} is accepted")
        if known and known not in str(problems[0]):
            self.broken(f"the error about the unknown option {misspelt!r} does not name the near one, {known}: {problems[0]}")

    def test_all_problems_come_at_once(self) -> None:
        """Who has three mistakes in a config is told of three. What `check_options` finds comes once each option is right by itself."""
        wrong: dict[str, Any] = {"no_such_option": 1}
        for name in self.declared():
            for value in _WRONG:
                together = examine(self.module, self.given | {"no_such_option": 1, name: deepcopy(value)}).problems
                if any(problem.path == f"options.{name}" for problem in together):
                    wrong[name] = value
                    break
        paths = {problem.path.rpartition("options.")[2].partition(".")[0] for problem in self.problems(self.given | wrong)}
        for name in wrong:
            if name not in paths:
                self.broken(f"with {len(wrong)} wrong options at once, the error says nothing about {name}")

    def test_options_can_be_read(self) -> None:
        """`read_option` gives what the config says, the default of an option that is left out, and the one it is given otherwise."""
        module, expected = self.make(), examine(self.module, deepcopy(self.given)).value
        for name, one in self.declared().items():
            wanted = expected[name] if isinstance(expected, Mapping) else getattr(expected, one.attribute)
            if module.read_option(name) != wanted and not one.secret:
                self.broken(f"read_option({name!r}) gives {shown(module.read_option(name))} instead of {shown(wanted)}")
        if module.read_option("no_such_option", "a default") != "a default":
            self.broken("read_option() does not give back the default for an option that is not there")

    # Making and closing

    def test_making_it_touches_nothing(self) -> None:
        """The constructor opens no file and no connection: a config is checked without the world."""
        with touched() as seen:
            self.make()
        if seen:
            self.broken(f"its constructor does I/O: {seen[0]}. Do that in the first call that needs it")

    def test_it_can_be_closed_unused(self) -> None:
        """A run that fails early closes modules that were never used."""
        try:
            self.make().close()
        except Exception as error:
            self.broken(f"close() fails where nothing was opened: {type(error).__name__}: {error}")

    def test_its_plugin_costs_nothing_to_load(self) -> None:
        """`plugin.py` imports ozzy and nothing else, so that who only lists plugins pays for none."""
        plugin = plugin_of(self.module)
        if plugin is None:
            pytest.skip(f"no installed plugin offers {self.name}")
        heavy = heavy_imports(plugin)
        if heavy:
            self.broken(f"importing its plugin file {plugin} imports {', '.join(heavy)}: name classes as texts there")

    # When things fail

    def test_failures_speak_to_the_user(self) -> None:
        """When files and connections fail, the error is one of ozzy's, and says what happened and where."""
        error = self._failure(self.given | self.failing_options)
        if error is None:
            return
        if not isinstance(error, (*self.speaks_with, ConfigError)):
            wanted = " or ".join(one.__name__ for one in self.speaks_with)
            self.broken(f"when it fails it raises {type(error).__name__} ({error}) instead of {wanted}")
        words = set(self._places())
        if words and not any(word in str(error) for word in (*words, str(self.folder))):
            self.broken(f"the error does not say where it happened, none of {', '.join(sorted(words)[:8])} is in it: {error}")

    def _failure(self, options: Mapping[str, Any]) -> Exception | None:
        module = self.make(options)
        with contextlib.ExitStack() as stack:
            if not self.failing_options:
                stack.enter_context(nothing_works())
            try:
                self.exercise(module)
            except Exception as error:
                return error
            finally:
                with contextlib.suppress(Exception):
                    module.close()
        if self.failing_options:
            self.broken("with the options in `failing` it does not fail")
        return None

    def _places(self) -> Iterator[str]:
        secrets = {name for name, one in self.declared().items() if one.secret}
        for name, value in (self.given | self.failing_options).items():
            if name not in secrets:
                for text in _texts(value):
                    yield from re.findall(r"[\w.-]{3,}", text)

    def test_secrets_are_never_told(self) -> None:
        """Not in an error, nor in what caused it, nor in a repr, a log, the output, or in what is stored."""
        planted = plant(self.module, self.given)
        if not planted.canaries:
            return
        told: list[tuple[str, Any]] = []
        output = io.StringIO()
        with logged() as lines, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            told += self._told_in_use(planted.options)
            for option in planted.canaries:
                top = option.partition(".")[0]
                told += self._told_when_refused(planted.options | {top: {"no such": [planted.options[top]]}, "no_such_option": 1})
        told += [("a line of the log", "\n".join(lines)), ("what it prints", output.getvalue())]
        found = leaks(told, planted.canaries)
        if found:
            self.broken(found)

    def _told_when_refused(self, options: Mapping[str, Any]) -> list[tuple[str, Any]]:
        try:
            self.make(options)
        except Exception as error:
            return [(f"{place}, raised for wrong options", text) for place, text in told_by(error)]
        return []

    def _told_in_use(self, options: dict[str, Any]) -> list[tuple[str, Any]]:
        told: list[tuple[str, Any]] = []
        for wrongly in (False, True):
            module = self.make(options | (self.failing_options if wrongly else {}))
            told += [("the repr of the module", repr(module)), ("the repr of its options", repr(module.options))]
            with nothing_works() if wrongly and not self.failing_options else contextlib.nullcontext():
                try:
                    told.append(("what it gives to be stored or shown", repr(self.exercise(module))))
                except Exception as error:
                    told += told_by(error)
                with contextlib.suppress(Exception):
                    module.close()
            told.append(("the metadata of the run", repr(module.metadata.to_dict())))
        return told


def _all_options(module: type, path: str = "") -> Iterator[tuple[str, Option]]:
    for name, one in options_of(module).items():
        yield f"{path}{name}", one
        for kind in _nested(one.type):
            yield from _all_options(kind, f"{path}{name}.")


def _nested(kind: Any) -> Iterator[type]:
    if isinstance(kind, type) and attrs.has(kind):
        yield kind
    for inner in getattr(kind, "__args__", ()):
        yield from _nested(inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield str(value)
