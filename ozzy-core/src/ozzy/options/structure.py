"""Structuring: from the options a config gives to the options a module works with, strictly and with all problems at once."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from copy import deepcopy
from functools import cache, reduce
from operator import or_
from typing import Any, get_args

import attrs

from ozzy.errors import ConfigError, Problem
from ozzy.log import redact, remember, secrets_by_name, texts_of
from ozzy.options.option import Option, options_class, options_of
from ozzy.options.strict import Flaw, Wrong, convert, converter, dict_like, plain
from ozzy.options.values import ListOf, Text, displayed, kind_word, members, one_of, outer

_environ: ContextVar[Mapping[str, str] | None] = ContextVar("ozzy_environ", default=None)
FROM_ENV = "from_env"


@attrs.frozen
class Origin:
    """Where the value of an option came from: `config`, `--set`, `env NAME` or `default`."""

    source: str

    def __str__(self) -> str:
        return self.source


@attrs.frozen
class Examined:
    """The outcome of a look at options: the structured value (None where there are problems), the problems, the origin of each."""

    value: Any
    problems: list[Problem]
    origins: dict[str, Origin]


class Values(dict[str, Any]):
    """The options of a module that declares `supported_options`: a dict whose items are attributes too. Its repr shows no values."""

    def __repr__(self) -> str:
        return f"Values({', '.join(self)})"

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def structured(module_class: type, values: Mapping[str, Any], *, path: str = "options", environ: Mapping[str, str] | None = None) -> Any:
    """The options of a module: an instance of its `Options`, or a dict where it declares `supported_options`.

    `module_class` may be an options class itself; values that are structured already are given back. `environ` is the process's
    environment by default. Raises ConfigError with every problem there is.
    """
    examined = examine(module_class, values, path=path, environ=environ)
    if examined.problems:
        many = f"{len(examined.problems)} problems" if len(examined.problems) > 1 else "a problem"
        raise ConfigError(f"{module_class.__name__} has {many} in its options", problems=examined.problems)
    return examined.value


def examine(module_class: type, values: Any, *, path: str = "options", environ: Mapping[str, str] | None = None) -> Examined:
    """Structure options without raising: what is wrong with them is told as problems, each with its path below `path`."""
    declared = options_class(module_class)
    if declared is not None and isinstance(values, declared):
        return Examined(values, [], {})
    token = _environ.set(dict(os.environ) if environ is None else environ)
    try:
        found = _Look(module_class, declared)
        found.at(values)
    finally:
        _environ.reset(token)
    return Examined(None if found.flaws else found.value, [_problem(flaw, path) for flaw in found.flaws], found.origins)


class _Look:
    """One look at the options of one class, nested or not: it gathers the value, the flaws, the origins and the secrets seen."""

    def __init__(self, module_class: type, declared: type | None) -> None:
        self.module_class = module_class
        self.declared = declared
        self.options = options_of(module_class)
        self.flaws: list[Flaw] = []
        self.origins: dict[str, Origin] = {}
        self.secrets: list[str] = []
        self.value: Any = None

    def at(self, values: Any) -> None:
        if not isinstance(values, Mapping):
            self.flaws.append(Flaw(expected="dict of options", given=values, secret=any(one.secret for one in self.options.values())))
            return
        given = self._given(values)
        found = {}
        for name, value in given.items():
            one = self.options[name]
            self._keep_secret(one, value)
            result, flaws = self._one(one, value)
            self.flaws += [flaw.below(name, secret=one.secret) for flaw in flaws]
            found[name] = result
        if not self.flaws:
            self.value = self._made(found)
        if not self.flaws:
            self._check()

    def _given(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        """The values to look at, by option: given ones first, then those of the environment; what is missing or unknown is a flaw."""
        environ = _environ.get() or {}
        variables = self._from_env(values)
        for name in values:
            if name not in self.options and name != FROM_ENV:
                self.flaws.append(Flaw(text="unknown option", path=(str(name),), hint=nearest(str(name), self.options)))
        given: dict[str, Any] = {}
        for name, one in self.options.items():
            written = values.get(name, attrs.NOTHING)
            variable = variables.get(name)
            if variable is not None and variable in environ and getattr(written, "origin", "") != "--set":
                given[name] = Text(environ[variable], f"env {variable}")
            elif written is not attrs.NOTHING:
                given[name] = written
            elif one.env is not None and one.env in environ:
                given[name] = Text(environ[one.env], f"env {one.env}")
            else:
                self._absent(one, variable)
                continue
            self.origins[name] = Origin(getattr(given[name], "origin", "") or "config")
        return given

    def _absent(self, one: Option, variable: str | None) -> None:
        if one.has_default:
            self.origins[one.name] = Origin("default")
            return
        ways = [f"set the environment variable {name}" for name in dict.fromkeys((variable, one.env)) if name]
        hint = " or ".join(["give it here", *ways]) if ways else None
        self.flaws.append(Flaw(text=f"missing; expected {_expected(one)}", path=(one.name,), hint=hint))

    def _from_env(self, values: Mapping[Any, Any]) -> dict[str, str]:
        """`from_env: {option: VARIABLE}`, unless the module has an option of that name."""
        mapping = values.get(FROM_ENV, {}) if FROM_ENV not in self.options else {}
        if not isinstance(mapping, Mapping):
            self.flaws.append(Flaw(expected="dict of option to environment variable", given=mapping, path=(FROM_ENV,)))
            return {}
        good = {}
        for name, variable in mapping.items():
            if name not in self.options:
                self.flaws.append(Flaw(text="unknown option", path=(FROM_ENV, str(name)), hint=nearest(str(name), self.options)))
            elif not isinstance(variable, str) or not variable:
                self.flaws.append(Flaw(expected="name of an environment variable", given=variable, path=(FROM_ENV, name)))
            else:
                good[name] = str(variable)
        return good

    def _keep_secret(self, one: Option, value: Any) -> None:
        if one.secret:
            remember(value)
            self.secrets += list(texts_of(value))
        else:
            for secret in secrets_by_name(value):
                remember(secret)
                self.secrets += list(texts_of(secret))

    def _one(self, one: Option, value: Any) -> tuple[Any, list[Flaw]]:
        if self.declared is None:
            result, flaws = _inherited(one, value)
        else:
            _with_nesting()
            result, flaws = convert(value, one.type)
        flaws = flaws or list(_limits(one, result, value))
        return result, [attrs.evolve(flaw, secret=True) if _holds_secrets(one.type) and not flaw.path else flaw for flaw in flaws]

    def _made(self, found: dict[str, Any]) -> Any:
        if self.declared is None:
            return Values({name: found[name] if name in found else deepcopy(one.default) for name, one in self.options.items()})
        aliases = {field.name: field.alias for field in attrs.fields(self.declared)}
        try:
            return self.declared(**{aliases[self.options[name].attribute]: value for name, value in found.items()})
        except Exception as error:
            self.flaws.append(self._raised(error))

    def _check(self) -> None:
        check = getattr(self.module_class, "check_options", None)
        if check is None:
            return
        try:
            for told in check(self.value) or ():
                problem = told if isinstance(told, Problem) else Problem("", str(told))
                hint = problem.hint and redact(problem.hint, self.secrets)
                path = tuple(problem.path.split(".")) if problem.path else ()
                self.flaws.append(Flaw(text=redact(problem.message, self.secrets), path=path, hint=hint))
        except Exception as error:
            self.flaws.append(self._raised(error))

    def _raised(self, error: Exception) -> Flaw:
        told = redact(str(error), self.secrets)
        return Flaw(text=told if isinstance(error, ValueError) and told else f"{type(error).__name__}: {told}")


@cache
def _with_nesting() -> None:
    """Let the converter come back to `_Look` for options classes inside options."""
    converter().register_structure_hook_func(lambda kind: attrs.has(outer(kind)), _nested)


def _nested(value: Any, kind: Any) -> Any:
    value = dict_like(value, kind)
    if isinstance(value, outer(kind)):
        return value
    found = _Look(kind, kind)
    found.at(value)
    if found.flaws:
        raise Wrong(*found.flaws)
    return found.value


def proposal(name: str, known: Iterable[str]) -> str | None:
    """A hint with the nearest known names, where there are any."""
    lower = {one.lower(): one for one in sorted(known)}
    near = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, n=2)]
    return f"did you mean {' or '.join(near)}?" if near else None


def nearest(name: str, known: Iterable[str], *, limit: int = 12) -> str:
    """A hint for a name that is not known: the nearest ones, else all of them, where they are few."""
    names = sorted(known)
    listed = f"known: {', '.join(names[:limit])}{', …' if len(names) > limit else ''}" if names else "it takes none"
    return proposal(name, names) or listed


def _expected(one: Option, measured: str = "") -> str:
    """What an option takes, in words, with its bounds, and of what they are bounds where it is not the value itself."""
    if one.choices is not None:
        return one_of(one.choices)
    bounds = _bounds(one)
    bounds = f"{bounds}{measured}" if bounds else ""
    if bounds and one.type_name.endswith(" or null"):
        return f"{one.type_name.removesuffix(' or null')}{bounds}, or null"
    return f"{one.type_name}{bounds}"


def _bounds(one: Option) -> str:
    if one.minimum is not None and one.minimum == one.maximum:
        return f" of {one.minimum}"
    if one.minimum is not None and one.maximum is not None:
        return f" from {one.minimum} to {one.maximum}"
    if one.minimum is not None:
        return f" of at least {one.minimum}"
    return "" if one.maximum is None else f" of at most {one.maximum}"


def _limits(one: Option, result: Any, value: Any) -> Iterator[Flaw]:
    """Choices and bounds; those of a list hold for each member's choice and for its length."""
    if result is None:
        return
    for index, member in enumerate(result) if isinstance(result, (list, tuple)) else [(None, result)]:
        path = () if index is None else (index,)
        choices = one.choices
        if choices and not any(member == choice and isinstance(member, bool) == isinstance(choice, bool) for choice in choices):
            yield Flaw(expected=one_of(choices), given=member, path=path, hint=proposal(str(member), map(str, choices)))
        if one.check is not None and (wrong := one.check(member)) is not None:
            yield Flaw(text=wrong, path=path)
    sized = isinstance(result, (str, list, tuple, Mapping))
    measure = len(result) if sized else result
    if isinstance(measure, (int, float)) and not isinstance(measure, bool):
        too_small = one.minimum is not None and measure < one.minimum
        too_large = one.maximum is not None and measure > one.maximum
        if too_small or too_large:
            yield Flaw(expected=_expected(one, " in length" if sized else ""), given=value)


def _inherited(one: Option, value: Any) -> tuple[Any, list[Flaw]]:
    """Check a value against an inherited type, as isinstance would; the raw value stays, but a `Text` is parsed."""
    if type(value) is type(one.default) and value == one.default:
        return plain(value), []
    kinds = members(one.type)
    flaws: list[Flaw] = []
    if isinstance(value, Text):
        _with_nesting()
        wanted: Any = reduce(or_, [Any if kind is object else kind for kind in kinds])
        value, flaws = convert(value, wanted)
        if flaws:
            return None, [attrs.evolve(flaw, expected=one.type_name) for flaw in flaws if not flaw.path] or flaws
    for kind in kinds:
        if kind is not Any and issubclass(kind, ListOf) and isinstance(value, (list, tuple)):
            _with_nesting()
            _, flaws = convert(value, kind)
            if not flaws:
                return plain(value), []
        elif _is(value, kind):
            return plain(value), []
    return None, flaws or [Flaw(expected=one.type_name, given=value)]


def _is(value: Any, kind: Any) -> bool:
    if kind is Any or kind is object:
        return True
    if isinstance(value, bool):
        return issubclass(bool, kind) and kind is not int
    if kind is float:
        return isinstance(value, (int, float))
    if kind is tuple:
        return isinstance(value, (list, tuple))
    return isinstance(value, Mapping if kind is dict else kind)


def _holds_secrets(kind: Any, seen: tuple[Any, ...] = ()) -> bool:
    """Whether a type has secrets somewhere inside, so that a value in its place had better not be shown."""
    for part in members(kind):
        if attrs.has(outer(part)) and part not in seen:
            if any(one.secret or _holds_secrets(one.type, (*seen, part)) for one in options_of(part).values()):
                return True
        elif any(_holds_secrets(inner, seen) for inner in get_args(part)):
            return True
    return False


def _problem(flaw: Flaw, path: str) -> Problem:
    where = ".".join([path, *map(str, flaw.path)] if path else map(str, flaw.path))
    if flaw.text:
        return Problem(where, flaw.text, flaw.hint)
    told = f"expected {flaw.expected}"
    if flaw.given is attrs.NOTHING:
        return Problem(where, told, None if flaw.secret else flaw.hint)
    origin = getattr(flaw.given, "origin", "")
    came = f" from {origin}" if origin else ""
    if flaw.secret:
        return Problem(where, f"{told}, given a value of type {kind_word(flaw.given)}{came}, not shown because it is secret")
    return Problem(where, f"{told}, given {displayed(flaw.given)}{came}", flaw.hint)
