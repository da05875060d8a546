"""The strict converter: a value becomes what a type says, or a list of flaws; nothing is guessed.

Text is parsed into other types only where it is a `Text`. cattrs does the walking through lists, dicts, tuples and nested types.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, is_typeddict

import attrs

from ozzy.options.values import ByteSize, ListOf, Text, is_list, is_literal, is_mapping, is_union, members, outer, type_name

if TYPE_CHECKING:
    from cattrs import Converter

Step = str | int


@attrs.frozen
class Flaw:
    """One thing that is wrong with a value, at `path` inside it.

    `expected` says what should stand there, `given` what does (`attrs.NOTHING`: nothing to show), `text` replaces both. `secret` forbids
    to show anything of the value.
    """

    expected: str = ""
    given: Any = attrs.field(factory=lambda: attrs.NOTHING)
    path: tuple[Step, ...] = ()
    text: str = ""
    hint: str | None = None
    secret: bool = False

    def below(self, *steps: Step, secret: bool = False) -> "Flaw":
        """The flaw as seen from a value around it."""
        return attrs.evolve(self, path=(*steps, *self.path), secret=self.secret or secret)


class Wrong(Exception):  # noqa: N818 - never leaves this floor
    """A value that does not fit its type."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__()
        self.flaws = flaws


def convert(value: Any, kind: Any) -> tuple[Any, list[Flaw]]:
    """A value as its type wants it, or None and what is wrong with it."""
    try:
        return converter().structure(value, kind), []
    except Exception as error:
        flaws = list(flaws_of(error, kind, value))
    return None, flaws


def flaws_of(error: BaseException, kind: Any, value: Any = attrs.NOTHING) -> Iterator[Flaw]:
    """What is wrong, out of the exception a conversion ended with: ours, or a group of cattrs with notes that tell where."""
    if isinstance(error, Wrong):
        yield from error.flaws
    elif isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            note = next((note for note in getattr(one, "__notes__", ()) if hasattr(note, "index") or hasattr(note, "name")), None)
            if note is None:
                yield from flaws_of(one, kind)
            else:
                step = note.index if hasattr(note, "index") else note.name
                yield from (flaw.below(step) for flaw in flaws_of(one, note.type))
    elif extra := getattr(error, "extra_fields", None):
        yield from (Flaw(text="unknown key", path=(name,)) for name in sorted(extra))
    else:
        yield Flaw(expected=type_name(kind), given=value)


_LISTS = (list, tuple, set, frozenset, Sequence, MutableSequence)


@cache
def converter() -> "Converter":
    """The one converter of the process: strict, all flaws at once, no unknown keys."""
    from cattrs import Converter

    made = Converter(detailed_validation=True, forbid_extra_keys=True)
    for kind, hook in ((str, _str), (int, _int), (bool, _bool), (float, _float), (Path, _path), (ByteSize, _size)):
        made.register_structure_hook(kind, hook)
    made.register_structure_hook_func(is_literal, _literal)
    made.register_structure_hook_func(lambda kind: kind is Any or kind is object, lambda value, _: plain(value))
    made.register_structure_hook_factory(lambda kind: outer(kind) in _LISTS, lambda kind: _list_hook(kind, made))
    made.register_structure_hook_factory(
        lambda kind: is_mapping(kind) and not attrs.has(kind) and not is_typeddict(kind), lambda kind: _dict_hook(kind, made)
    )
    made.register_structure_hook_func(lambda kind: isinstance(kind, type) and issubclass(kind, ListOf), _castable)
    made.register_structure_hook_func(is_union, _union)
    return made


def _list_hook(kind: Any, made: "Converter") -> Callable[[Any, Any], Any]:
    """Let cattrs walk through the members after a look at what is given: it would take any iterable."""
    from cattrs.cols import list_structure_factory

    bare, inner = outer(kind), get_args(kind)
    if bare is tuple and inner and Ellipsis not in inner:
        return _fixed_tuple
    walk = list_structure_factory(list[inner[0]] if inner else list, made)  # type: ignore[valid-type]
    make = bare if bare in (tuple, set, frozenset) else list
    return lambda value, kind: make(walk(_list_like(value, kind), kind))


def _fixed_tuple(value: Any, kind: Any) -> Any:
    given, kinds = _list_like(value, kind), get_args(kind)
    if len(given) != len(kinds):
        raise Wrong(Flaw(expected=f"list of {len(kinds)} members", given=value))
    outcomes = [convert(one, one_kind) for one, one_kind in zip(given, kinds, strict=True)]
    flaws = [flaw.below(i) for i, (_, found) in enumerate(outcomes) for flaw in found]
    if flaws:
        raise Wrong(*flaws)
    return tuple(one for one, _ in outcomes)


def _dict_hook(kind: Any, made: "Converter") -> Callable[[Any, Any], Any]:
    from cattrs.cols import mapping_structure_factory

    walk: Any = mapping_structure_factory(kind, made)
    return lambda value, kind: walk(dict_like(value, kind), kind)


def plain(value: Any) -> Any:
    """A value without any `Text` in it, its lists and dicts copied."""
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, Mapping):
        return {plain(name): plain(one) for name, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain(one) for one in value)
    return value


def _str(value: Any, kind: type[str]) -> Any:
    if not isinstance(value, str):
        raise Wrong(Flaw(expected=type_name(kind), given=value, hint=_QUOTE if isinstance(value, (bool, int, float)) else None))
    return str(value) if kind is str else kind(value)


_QUOTE = "write it in quotes"


def _int(value: Any, kind: type[int]) -> Any:
    if isinstance(value, Text) and re.fullmatch(r"\s*[+-]?[0-9]{1,4000}\s*", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Wrong(Flaw(expected=type_name(kind), given=value))
    return value if kind is int else kind(value)


def _bool(value: Any, _: type) -> bool:
    if isinstance(value, Text) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise Wrong(Flaw(expected="true or false", given=value))
    return value


def _float(value: Any, _: type) -> float:
    if isinstance(value, Text) and re.fullmatch(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", value):
        number = float(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e300 or isinstance(value, float) else math.inf
    else:
        raise Wrong(Flaw(expected="number", given=value))
    if not math.isfinite(number):
        raise Wrong(Flaw(expected="finite number", given=value))
    return number


def _path(value: Any, _: type) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise Wrong(Flaw(expected="path", given=value))
    return Path(str(value))


def _size(value: Any, _: type) -> ByteSize:
    if isinstance(value, str):
        try:
            return ByteSize.parse(value)
        except ValueError:
            flaw = Flaw(expected="size in bytes, such as 1000 or 64 MiB", given=value)
        raise Wrong(flaw)
    return ByteSize(_int(value, int))


def _literal(value: Any, kind: Any) -> Any:
    for choice in get_args(kind):
        if value == choice and (type(value) is type(choice) or isinstance(value, Text)):
            return choice
        if isinstance(value, Text) and not isinstance(choice, str) and value.lower() == json.dumps(choice):
            return choice
    raise Wrong(Flaw(expected=type_name(kind), given=value))


def _castable(value: Any, kind: type[ListOf]) -> list[Any]:
    """The list as it is written, when every member can be cast; members that were parsed out of a `Text` are cast."""
    found, flaws = [], []
    for index, member in enumerate(_list_like(value, kind)):
        try:
            cast = kind.member(member)
        except (TypeError, ValueError):
            flaws.append(Flaw(expected=f"something that can be cast to {kind.member.__name__}", given=member, path=(index,)))
        else:
            found.append(cast if isinstance(member, Text) else plain(member))
    if flaws:
        raise Wrong(*flaws)
    return found


def _list_like(value: Any, kind: Any) -> Any:
    """What is given for a list, a `Text` taken apart."""
    if isinstance(value, Text):
        value = _parsed_list(value, kind)
    if not isinstance(value, (list, tuple)):
        raise Wrong(Flaw(expected=type_name(kind), given=value))
    inner = get_args(kind)
    return value if (inner and Any not in inner) or hasattr(kind, "member") else plain(value)


def _parsed_list(text: Text, kind: Any) -> Any:
    if text.lstrip().startswith("["):
        return _from_json(text, kind)
    inner = get_args(kind)[0] if get_args(kind) else getattr(kind, "member", str)
    if any(is_mapping(one) or is_list(one) for one in members(inner)):
        raise Wrong(Flaw(expected=f"{type_name(kind)} as JSON", given=text))
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    return [Text(part, text.origin) for part in parts]


def dict_like(value: Any, kind: Any) -> Any:
    """What is given for a mapping, a `Text` parsed as JSON; an instance of the class that is wanted is left alone."""
    bare = outer(kind)
    if isinstance(value, bare) and not isinstance(value, Mapping):
        return value
    if isinstance(value, Text):
        value = _from_json(value, kind)
    if not isinstance(value, Mapping):
        raise Wrong(Flaw(expected=type_name(kind), given=value))
    inner = get_args(kind)
    return plain(value) if issubclass(bare, Mapping) and (not inner or inner[1] is Any) else value


def _from_json(text: Text, kind: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        flaw = Flaw(expected=f"{type_name(kind)} as JSON", given=text)
    raise Wrong(flaw)


def fits(value: Any, kind: Any) -> bool:
    """Whether a value has the outer shape of a type, so that it is worth a closer look."""
    if kind is Any or kind is object:
        return True
    if kind is None or kind is type(None):
        return value is None
    if is_literal(kind):
        return any(value == choice and type(value) is type(choice) for choice in get_args(kind))
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is ByteSize:
        return isinstance(value, (int, str))
    if kind is float:
        return isinstance(value, (int, float))
    if kind is Path:
        return isinstance(value, (str, Path))
    if is_list(kind):
        return isinstance(value, (list, tuple))
    if is_mapping(kind):
        return isinstance(value, (Mapping, outer(kind)))
    return not isinstance(kind, type) or isinstance(value, kind)


def _union(value: Any, kind: Any) -> Any:
    parts = members(kind)
    if isinstance(value, Text):
        return _text_for_union(value, kind)
    fitting = sorted((part for part in parts if fits(value, part)), key=lambda part: part is not type(value))
    if value is None and fitting:
        return None
    flaws: list[Flaw] = []
    for part in fitting:
        found, flaws = convert(value, part)
        if not flaws:
            return found
    raise Wrong(*flaws) if len(fitting) == 1 else Wrong(Flaw(expected=type_name(kind), given=value))


def _text_for_union(text: Text, kind: Any) -> Any:
    """A text stays one where the union has text; but JSON for a list or dict is taken as that. Else the first type that can read it."""
    parts = members(kind)
    if any(part in (str, Path) for part in parts):
        if text.lstrip()[:1] in ("{", "[") and any(is_list(part) or is_mapping(part) for part in parts):
            try:
                parsed = json.loads(text)
            except (ValueError, RecursionError):
                parsed = None
            if parsed is not None:
                return converter().structure(parsed, kind)
        return _str(text, str) if str in parts else _path(text, Path)
    if text.strip() == "null" and type(None) in parts:
        return None
    for part in sorted((part for part in parts if part is not type(None)), key=lambda part: part is float):
        found, flaws = convert(text, part)
        if not flaws:
            return found
    raise Wrong(Flaw(expected=type_name(kind), given=text))
