"""The values options are made of: types beyond Python's own, and how types and values are told to people."""

import json
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Literal, Union

import attrs

from ozzy.log import hidden_by_name, redact


class Text(str):
    """A text that came from the environment, from `--set` or from interpolation: the only kind that is parsed into other types.

    `origin` says where from: `--set`, `env NAME`; empty where it is written in the config and holds a `${…}`.
    """

    __slots__ = ("origin",)
    origin: str

    def __new__(cls, value: str, origin: str = "") -> "Text":
        text = super().__new__(cls, value)
        text.origin = origin
        return text


class ByteSize(int):
    """A number of bytes: in a config a whole number, or a text with a unit such as `64 MiB` or `1.5 GB`."""

    UNITS: ClassVar[dict[str, int]] = {
        "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
    }  # fmt: skip

    @classmethod
    def parse(cls, text: str) -> "ByteSize":
        """The size a text tells, units in any case. Raises ValueError.

        >>> ByteSize.parse("64 MiB")
        67108864
        """
        found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text)
        factor = found and cls.UNITS.get(found[2].lower() or "b")
        if not found or not factor:
            raise ValueError("not a size in bytes")
        whole, _, fraction = found[1].partition(".")
        return cls(int(whole) * factor + (int(fraction) * factor // 10 ** len(fraction) if fraction else 0))


class ListOf(list[Any]):
    """A list of which every member can be cast; the members stay as they are written."""

    member: ClassVar[type] = object


class str_list(ListOf):  # noqa: N801 - the inherited spelling
    """The inherited type of a list whose members can be cast to str."""

    member = str


class int_list(ListOf):  # noqa: N801 - the inherited spelling
    """The inherited type of a list whose members can be cast to int."""

    member = int


class dict_list(ListOf):  # noqa: N801 - the inherited spelling
    """The inherited type of a list whose members can be cast to dict."""

    member = dict


def is_union(kind: Any) -> bool:
    """Whether an annotation is a union: `X | Y`, Optional, or an inherited tuple of types."""
    return isinstance(kind, tuple) or typing.get_origin(kind) in (Union, types.UnionType)


def members(kind: Any) -> tuple[Any, ...]:
    """The types a union is made of; any other type is the only member of itself."""
    if isinstance(kind, tuple):
        return kind
    return typing.get_args(kind) if is_union(kind) else (kind,)


def outer(kind: Any) -> Any:
    """The bare type behind an annotation: list for `list[str]`."""
    return typing.get_origin(kind) or kind


def is_literal(kind: Any) -> bool:
    """Whether an annotation is a `Literal`."""
    return typing.get_origin(kind) is Literal


def is_list(kind: Any) -> bool:
    """Whether values of a type are written as a list."""
    bare = outer(kind)
    return isinstance(bare, type) and issubclass(bare, (Sequence, set, frozenset)) and not issubclass(bare, (str, bytes))


def is_mapping(kind: Any) -> bool:
    """Whether values of a type are written as a mapping: a dict, or a class with fields."""
    bare = outer(kind)
    return isinstance(bare, type) and (issubclass(bare, Mapping) or attrs.has(bare))


_WORDS: dict[Any, str] = {Any: "anything", object: "anything", None: "null", type(None): "null", Path: "path", ByteSize: "size in bytes"}


def type_name(kind: Any) -> str:
    """A type in words for people: `int`, `list of str`, `str or dict`.

    >>> type_name(list[str] | None)
    'list of str or null'
    """
    if isinstance(kind, (typing.ForwardRef, str)):
        return str(kind)
    if is_union(kind):
        words = list(dict.fromkeys(type_name(one) for one in sorted(members(kind), key=lambda one: one is type(None))))
        return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    if typing.get_origin(kind) is typing.Annotated:
        return type_name(typing.get_args(kind)[0])
    if is_literal(kind):
        return one_of(typing.get_args(kind))
    if kind in _WORDS:
        return _WORDS[kind]
    bare, inner = outer(kind), [one for one in typing.get_args(kind) if one is not Ellipsis]
    if isinstance(bare, type) and issubclass(bare, ListOf):
        return f"list of {bare.member.__name__}"
    if is_list(bare):
        return f"list of {type_name(inner[0])}" if inner and inner[0] is not Any else "list"
    if is_mapping(bare):
        return f"dict of {type_name(inner[1])}" if len(inner) == 2 and inner[1] is not Any else "dict"
    if isinstance(bare, type) and issubclass(bare, Enum):
        return one_of([one.value for one in bare])
    return getattr(bare, "__name__", str(bare))


def one_of(choices: Iterable[Any]) -> str:
    """Choices in words: `one of "a", "b"`."""
    return "one of " + ", ".join(in_json(choice) for choice in choices)


def in_json(value: Any) -> str:
    """A value as a config would have it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def kind_word(value: Any) -> str:
    """The type of a value in a word."""
    for kind in (str, bool, int, float, list, tuple):
        if isinstance(value, kind):
            return kind.__name__
    return "null" if value is None else "dict" if isinstance(value, Mapping) else type(value).__name__


def shown(value: Any, *, width: int = 60) -> str:
    """A value that was given, shortened, with its type: `"abc" (str)`."""
    if value is None:
        return "null"
    kind = kind_word(value)
    try:
        text = in_json(value)
    except (TypeError, ValueError, RecursionError):
        return f"a {kind}"
    return f"{text if len(text) <= width else text[: width - 1] + '…'} ({kind})"


def displayed(value: Any) -> str:
    """A value for an error message: shortened, with its type, and without anything that is known or named as a secret."""
    return redact(shown(hidden_by_name(value)))
