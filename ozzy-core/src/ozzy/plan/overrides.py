"""Values set from outside, as with `--set reader.options.batch_size=500`."""

from collections.abc import Mapping
from typing import Any

from ozzy.errors import Problem
from ozzy.options.settings import PLACES
from ozzy.options.values import Text, kind_word

SET = "--set"


def override(config: dict[str, Any], values: Mapping[str, Any]) -> list[Problem]:
    """Put values into a config, in place, each at its path: keys and, for lists, indexes, joined by dots.

    Mappings that are missing are made; a section that is a bare name becomes one with options. A text becomes a `Text`. A path that can't
    be followed is a problem.
    """
    problems = []
    for path, value in values.items():
        told = _put(config, path.split("."), Text(value, SET) if isinstance(value, str) else value)
        if told:
            problems.append(Problem(f"{SET} {path}", told))
    return problems


def _put(config: dict[str, Any], steps: list[str], value: Any) -> str | None:
    if not all(step.strip() for step in steps):
        return "expected a path such as reader.options.batch_size"
    if len(steps) > 1 and isinstance(config.get(steps[0]), str) and steps[0] in PLACES:
        config[steps[0]] = {"name": config[steps[0]]}
    node: Any = config
    for depth, step in enumerate(steps[:-1]):
        if isinstance(node, dict):
            node = node.setdefault(step, {})
        elif isinstance(node, list):
            index = _index(node, step)
            if isinstance(index, str):
                return f"{'.'.join(steps[:depth])} {index}"
            if depth == 1 and steps[0] in PLACES and isinstance(node[index], str):
                node[index] = {"name": node[index]}
            node = node[index]
        else:
            return f"{'.'.join(steps[:depth])} is {_what(node)}, so there is nothing below it"
    return _put_last(node, steps, value)


def _put_last(node: Any, steps: list[str], value: Any) -> str | None:
    if isinstance(node, dict):
        node[steps[-1]] = value
    elif isinstance(node, list):
        index = _index(node, steps[-1])
        if isinstance(index, str):
            return f"{'.'.join(steps[:-1])} {index}"
        node[index] = value
    else:
        return f"{'.'.join(steps[:-1])} is {_what(node)}, so there is nothing below it"
    return None


def _index(node: list[Any], step: str) -> int | str:
    """The index a step means, or what is wrong with it."""
    if not step.isascii() or not step.isdigit() or int(step) >= len(node):
        return f"is a list of {len(node)}, and {step} is no index in it"
    return int(step)


def _what(value: Any) -> str:
    return "null" if value is None else "a text" if isinstance(value, str) else f"one value ({kind_word(value)})"
