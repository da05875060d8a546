"""Config files: JSON, YAML and TOML, told by suffix, read strictly, with errors that say where."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import attrs

from ozzy.errors import ConfigError, Problem

DEEPEST = 100
LARGEST = 1_000_000
"""Values in a config at the most: aliases in YAML can make very many out of a few lines."""


@attrs.frozen
class _Fault:
    """What is wrong with the text of a config: told without quoting it, since it may hold secrets."""

    message: str
    hint: str | None = None


def read_config_file(path: Path) -> dict[str, Any]:
    """The mapping a config file holds, made of dicts, lists, texts, numbers, booleans and null. Raises ConfigError."""
    text = _text_of(path)
    if not text.strip():
        raise ConfigError(f"{path} is empty", hint="A config has at least a reader and a writer.")
    parsers = _PARSERS.get(path.suffix.lower(), (_json, _yaml))
    outcomes = [parse(text) for parse in parsers]
    fault: _Fault | None
    value, fault = next((one for one in outcomes if one[1] is None), outcomes[0] if text.lstrip().startswith("{") else outcomes[-1])
    if fault is not None:
        raise ConfigError(f"{path} {fault.message}", hint=fault.hint)
    if not isinstance(value, dict):
        raise ConfigError(f"{path} holds {_what(value)}, not a mapping", hint="Its top level has keys: name, reader, writer, …")
    problems: list[Problem] = []
    result = json_like(value, problems)
    if problems:
        raise ConfigError(f"{path} holds what a config can't", problems=problems)
    return dict(result)


def json_like(value: Any, problems: list[Problem]) -> Any:
    """A copy of a value made of dicts with text keys, lists, tuples, texts, numbers, booleans and null; dates and paths become text.

    What is anything else, too deep or too large becomes a problem, and None in the copy.
    """
    return _Copy(problems).of(value, "", 0)


class _Copy:
    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.left = LARGEST

    def of(self, value: Any, path: str, depth: int) -> Any:
        self.left -= 1
        if self.left == 0:
            return self.wrong(path, f"a config holds at most {LARGEST} values")
        if self.left < 0:
            return None
        if depth > DEEPEST:
            return self.wrong(f"{path[:40]}…", f"nested deeper than {DEEPEST} levels, or inside itself")
        if isinstance(value, Mapping):
            return {str(name): self.of(one, self.key(name, path), depth + 1) for name, one in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([self.of(one, f"{path}.{i}" if path else str(i), depth + 1) for i, one in enumerate(value)])
        if value is None or isinstance(value, (str, bool, int, float)):
            return value
        if isinstance(value, (date, datetime, time)):
            return value.isoformat()
        if isinstance(value, PathLike) and isinstance(text := fspath(value), str):
            return text
        return self.wrong(path, f"a config holds texts, numbers, booleans, null, lists and mappings; this is a {type(value).__name__}")

    def key(self, name: Any, path: str) -> str:
        inner = f"{path}.{name}" if path else f"{name}"
        if not isinstance(name, str):
            self.wrong(inner, f"keys are texts, and this one is of type {type(name).__name__}", "write it in quotes")
        return inner

    def wrong(self, path: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(path, message, hint))


def _text_of(path: Path) -> str:
    told, hint = "", None
    if path.is_fifo():
        raise ConfigError(f"{path} is a pipe, not a config file", hint="Save the config in a file: a resumed run is to find it again.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        told, hint = f"there is no config file {path}", _similar(path)
    except IsADirectoryError:
        told, hint = f"{path} is a folder, not a config file", "Name a file in it."
    except PermissionError:
        told = f"there is no permission to read {path}"
    except UnicodeDecodeError as error:
        told, hint = f"{path} is not UTF-8: byte {error.start} can't be read", "Save it as UTF-8."
    except (OSError, ValueError) as error:
        told = f"{path} can't be read: {getattr(error, 'strerror', None) or error}"
    raise ConfigError(told, hint=hint)


def _similar(path: Path) -> str | None:
    try:
        near = get_close_matches(path.name, [one.name for one in path.parent.iterdir() if one.is_file()], n=1)
    except OSError:
        return f"There is no folder {path.parent}."
    return f"Did you mean {path.parent / near[0]}?" if near else None


def _what(value: Any) -> str:
    return "nothing" if value is None else "a list" if isinstance(value, list) else "a text" if isinstance(value, str) else "one value"


class _DuplicateError(ValueError):
    """A key that stands twice in one mapping."""


def _json(text: str) -> tuple[Any, _Fault | None]:
    try:
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant), None
    except json.JSONDecodeError as error:
        fault = _Fault(f"is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}")
    except _DuplicateError as error:
        fault = _Fault(f"has {error}", "Keep one of them.")
    except RecursionError:
        fault = _Fault("is nested too deeply")
    except ValueError as error:
        fault = _Fault(f"is not valid JSON: {error}")
    return None, fault


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _DuplicateError(f"the key {name!r} twice in one mapping")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _yaml(text: str) -> tuple[Any, _Fault | None]:
    import yaml

    from ozzy.plan.config_yaml import ConfigLoader

    try:
        return yaml.load(text, ConfigLoader), None  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        tag = str(error.problem).partition("the tag ")[2] if "could not determine a constructor" in str(error.problem) else ""
        if tag:
            name = tag.strip("'").replace("tag:yaml.org,2002:", "!!")
            fault = _Fault(f"has the YAML tag {name}, which is not allowed{where}", "A config holds plain values; nothing in it is run.")
        else:
            told = ": ".join(filter(None, (error.context, error.problem)))
            fault = _Fault(f"is not valid YAML: {told}{where}")
    except yaml.YAMLError as error:
        reason = getattr(error, "reason", "") or "it can't be read"
        fault = _Fault(f"is not valid YAML: {reason}")
    except RecursionError:
        fault = _Fault("is nested too deeply")
    except ValueError:
        fault = _Fault("is not valid YAML: a value can't be what its form or tag says")
    return None, fault


def _toml(text: str) -> tuple[Any, _Fault | None]:
    import tomllib

    try:
        return tomllib.loads(text), None
    except tomllib.TOMLDecodeError as error:
        told = str(error).replace(" (at ", ", ").rstrip(")")
        fault = _Fault(f"is not valid TOML: {told[:1].lower()}{told[1:]}")
    except RecursionError:
        fault = _Fault("is nested too deeply")
    return None, fault


_Parser = Callable[[str], tuple[Any, _Fault | None]]
_PARSERS: dict[str, tuple[_Parser, ...]] = {".json": (_json,), ".yaml": (_yaml,), ".yml": (_yaml,), ".toml": (_toml,)}
