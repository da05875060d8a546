"""Reads the text that Python 2 made of a dict with `repr`: values are read, nothing is evaluated."""

import ast
import re
from typing import Any, Final

from ozzy.errors import StateError

LIMIT: Final = 8 << 20
_LONG: Final = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|\b(\d+)[lL]\b""", re.DOTALL)
_FLOATS: Final = {"nan": float("nan"), "inf": float("inf")}


def value_of(text: str) -> Any:
    r"""The value that a text of dicts, lists, tuples, texts, numbers, True, False and None stands for. Raises StateError for any other.

    >>> value_of("{u'name': u'caf\\xe9', 'path': '/d\\xc3\\xbc', 'limit': 10L}")
    {'name': 'café', 'path': '/dü', 'limit': 10}
    """
    if len(text) > LIMIT:
        raise StateError(f"the config in it has {len(text)} characters, and {LIMIT} are read at the most")
    try:
        tree = ast.parse(_LONG.sub(lambda match: match[1] or match[2], text.strip()), mode="eval")
        return _value(tree.body)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise StateError("the config in it is no dict as Python 2 shows it") from error


def _value(node: ast.expr | None) -> Any:
    match node:
        case ast.Constant(value=str() as text, kind=kind):
            return text if kind == "u" else _decoded(text)
        case ast.Constant(value=bool() | int() | float() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if not isinstance(number, bool):
            return -number
        case ast.Name(id=name) if name in _FLOATS:
            return _FLOATS[name]
        case ast.List(elts=members):
            return [_value(one) for one in members]
        case ast.Tuple(elts=members):
            return tuple(_value(one) for one in members)
        case ast.Dict(keys=keys, values=values):
            return {_value(key): _value(one) for key, one in zip(keys, values, strict=True)}
        case _:
            raise ValueError(type(node).__name__)


def _decoded(text: str) -> str:
    """A text without `u` in front was bytes: each of its characters is one, mostly of UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
