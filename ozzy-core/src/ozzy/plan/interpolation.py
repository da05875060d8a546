"""Environment variables in the texts of a config: `${VAR}`, `${VAR:-default}`, and `$${` for a literal `${`."""

import re
from collections.abc import Mapping
from typing import Any

from ozzy.errors import Problem
from ozzy.log import names_a_secret, remember
from ozzy.options.option import Text

_REFERENCE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\})?")


def interpolate(value: Any, environ: Mapping[str, str], path: str = "") -> tuple[Any, list[Problem]]:
    """A copy of a config with every variable put in, and a problem for each that is missing.

    What comes of a text with variables is a `Text`, so that it can be parsed into other types. A default counts where the variable is not
    set or empty. A text with a problem stays as it is. Keys are left alone.

    >>> interpolate({"a": "${A:-1}-$${b}"}, {})
    ({'a': '1-${b}'}, [])
    """
    problems: list[Problem] = []
    return _in(value, environ, path, problems), problems


def _in(value: Any, environ: Mapping[str, str], path: str, problems: list[Problem]) -> Any:
    if isinstance(value, Mapping):
        return {name: _in(one, environ, f"{path}.{name}" if path else str(name), problems) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_in(one, environ, f"{path}.{i}" if path else str(i), problems) for i, one in enumerate(value))
    if not isinstance(value, str) or "${" not in value:
        return value
    return _text(value, environ, path, problems)


def _text(text: str, environ: Mapping[str, str], path: str, problems: list[Problem]) -> str:
    """One text with its variables; its origin is the variable, where it is nothing but one."""
    found = []
    wrong = len(problems)

    def replacement(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if match[0] == "$${":
            return "${"
        if name is None:
            told = "a ${ begins a reference to an environment variable, and this is none"
            problems.append(Problem(path, told, "write ${NAME} or ${NAME:-default}, or $${ for a literal ${"))
        elif environ.get(name) or (name in environ and default is None):
            found.append(name)
            if names_a_secret(name):
                remember(environ[name])
            return environ[name]
        elif default is not None:
            found.append("")
            return str(default[2:])
        else:
            problems.append(Problem(path, f"the environment variable {name} is not set", f"set it, or give a default: ${{{name}:-…}}"))
        return match[0]

    result = _REFERENCE.sub(replacement, text)
    if len(problems) > wrong:
        return text
    if not found:
        return type(text)(result) if not isinstance(text, Text) else Text(result, text.origin)
    whole = found[0] and text == f"${{{found[0]}}}"
    return Text(result, getattr(text, "origin", "") or (f"env {found[0]}" if whole else ""))
