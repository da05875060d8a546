"""Elements of XML as values: what attributes, children and text become."""

import math
import re
from collections.abc import Callable
from typing import Any, Final, Protocol

import attrs

_INT: Final = re.compile(r"[+-]?[0-9]+")
_BOOLS: Final = {"true": True, "false": False}


class Mapping(Protocol):
    """How elements become values: the options of the decoder."""

    @property
    def attribute_prefix(self) -> str: ...
    @property
    def text_field(self) -> str: ...
    @property
    def lists(self) -> list[str]: ...
    @property
    def types(self) -> bool: ...


@attrs.define(eq=False)
class Node:
    """One element: `attributes` are names and values in turn."""

    name: str
    attributes: list[str]
    children: list["Node"] = attrs.field(factory=list)
    text: list[str] = attrs.field(factory=list)


def value_of(node: Node, how: Mapping, *, whole: bool = False) -> Any:
    """The value of an element; where it is the `whole` record, always a mapping. Raises ValueError where a text does not fit its type."""
    pairs = dict(zip(node.attributes[::2], node.attributes[1::2], strict=True))
    kind = pairs.pop("type", None) if how.types else None
    if how.types and node.name == "key":
        pairs.pop("name", None)
    text = "".join(node.text)
    if kind is not None and not whole and kind != "dict":
        return _typed(node, text, kind, how)
    found = {how.attribute_prefix + name: value for name, value in pairs.items()}
    for child in node.children:
        _add(found, _name_of(child, how), value_of(child, how), always=child.name in how.lists)
    if not found and not whole and kind is None:
        return text or None
    if text.strip():
        _add(found, how.text_field, text.strip() if node.children else text, always=False)
    return found


def _add(found: dict[str, Any], name: str, value: Any, *, always: bool) -> None:
    if name not in found:
        found[name] = _Several([value]) if always else value
    elif isinstance(found[name], _Several):
        found[name].append(value)
    else:
        found[name] = _Several([found[name], value])


class _Several(list[Any]):
    """The values of elements of one name, as against one value that is a list."""


def _name_of(node: Node, how: Mapping) -> str:
    """The field of a child: what its attribute `name` says, where a name that XML can't have was written so."""
    if how.types and node.name == "key" and "name" in node.attributes[::2]:
        return node.attributes[node.attributes[::2].index("name") * 2 + 1]
    return node.name


def _typed(node: Node, text: str, kind: str, how: Mapping) -> Any:
    if kind == "list":
        return [value_of(child, how) for child in node.children]
    if kind == "null" and not text:
        return None
    try:
        return _SCALARS[kind](text)
    except (KeyError, ValueError):
        raise ValueError(f"{node.name}: {text[:40]!r} is no {kind}") from None


def _int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_SCALARS: Final[dict[str, Callable[[str], Any]]] = {"str": str, "int": _int, "float": _float, "bool": _BOOLS.__getitem__}
