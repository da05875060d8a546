"""Secrets: remembered, hidden in what is printed, left out of what is stored."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, get_args

import attrs

from ozzy.data.json_text import MISSING
from ozzy.log import hides_password, is_reference, masked_value, names_a_secret, redact, remember, without_references
from ozzy.options.option import options_of
from ozzy.options.settings import SETTINGS
from ozzy.options.strict import convert
from ozzy.options.structure import FROM_ENV
from ozzy.options.values import Text, members, outer

__all__ = ["json_like", "masked", "redact", "remember", "without_secrets"]


class _Section(Protocol):
    @property
    def path(self) -> str: ...


class _Found(Protocol):
    @property
    def cls(self) -> type: ...


class Resolved(Protocol):
    """What is looked at of a section: where it stands, its class, its structured options."""

    @property
    def section(self) -> _Section: ...

    @property
    def found(self) -> _Found: ...

    @property
    def options(self) -> Any: ...


@attrs.frozen
class _Names:
    """Which keys of a module's options hold secrets: what its options say, then what the names say."""

    secret: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset()

    @classmethod
    def of(cls, module_class: type | None) -> "_Names":
        seen: dict[type, None] = {}
        marks = dict(_marks(module_class, seen)) if module_class is not None else {}
        secret = {name for name, is_secret in marks.items() if is_secret}
        return cls(frozenset(secret), frozenset(marks) - secret)

    def tell(self, name: str) -> bool:
        return name in self.secret or (names_a_secret(name) and name not in self.public)


def _marks(module_class: type, seen: dict[type, None]) -> Iterable[tuple[str, bool]]:
    """Each option, nested ones too, with whether it is secret; one that is secret anywhere comes last."""
    found = []
    for name, one in options_of(module_class).items():
        found.append((name, one.secret))
        for nested in _nested_classes(one.type):
            if nested not in seen:
                seen[nested] = None
                found += _marks(nested, seen)
    return sorted(found, key=lambda mark: mark[1])


def _nested_classes(kind: Any) -> Iterable[type]:
    for part in members(kind):
        if attrs.has(outer(part)):
            yield outer(part)
        for inner in get_args(part):
            yield from _nested_classes(inner)


def json_like(value: Any) -> Any:
    """A structured value as JSON would have it: instances become dicts by option name, paths texts, tuples and sets lists.

    Options that are not given, and have no default that means something, are left out.
    """
    if attrs.has(type(value)):
        fields = {name: getattr(value, one.attribute) for name, one in options_of(type(value)).items()}
        return {name: json_like(field) for name, field in fields.items() if field is not MISSING}
    if isinstance(value, Mapping):
        return {str(name): json_like(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_like(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    return next((kind(value) for kind in (str, int, float) if isinstance(value, kind)), str(value))


def masked(module_class: type | None, options: Any) -> dict[str, Any]:
    """The options of a module for people to see: secrets are `***`, at any depth; passwords in URLs and remembered secrets too.

    `options` are as given, or structured. Without a class, keys that are called like secrets hold them. `${VARIABLE}` stays.
    """
    return dict(_hide(json_like(options), _Names.of(module_class)))


def _hide(value: Any, names: _Names) -> Any:
    if isinstance(value, Mapping):
        return {
            name: one if name == FROM_ENV else masked_value(one) if names.tell(name) else _hide(one, names) for name, one in value.items()
        }
    if isinstance(value, list):
        return [_hide(one, names) for one in value]
    return redact(value) if isinstance(value, str) else value


def without_secrets(raw_config: Mapping[str, Any], resolved: Iterable[Resolved]) -> tuple[dict[str, Any], list[str]]:
    """A config to store, and the paths of what was left out of it.

    `${VARIABLE}` stays unresolved; a secret that is written out is left out, and so is a text with a password in a URL. What was set from
    outside is stored in the type it was parsed into, so that the stored config means the same.
    """
    store = _Store(resolved)
    return dict(store.of(raw_config, "", _Names(), _ABSENT)), store.left_out


_ABSENT = object()


class _Store:
    def __init__(self, resolved: Iterable[Resolved]) -> None:
        self.modules = {f"{one.section.path}.options": (_Names.of(one.found.cls), one.options) for one in resolved}
        self.left_out: list[str] = []

    def of(self, value: Any, path: str, names: _Names, typed: Any) -> Any:
        """A copy of `value`; `typed` is the structured value in its place, where there is one."""
        names, typed = self.modules.get(path, (names, typed))
        if isinstance(value, Mapping):
            found = {}
            for name, one in value.items():
                inner = f"{path}.{name}" if path else name
                if name == FROM_ENV:
                    found[name] = json_like(one)
                elif _stays(one) or not (names.tell(name) or _has_password(one)):
                    found[name] = self.of(one, inner, names, _below(typed, name))
                else:
                    self.left_out.append(inner)
            return found
        if isinstance(value, (list, tuple)):
            return [self.of(one, f"{path}.{i}", names, _below(typed, i)) for i, one in enumerate(value)]
        if isinstance(value, Text) and "${" not in value:
            parsed = _setting(value, path.split(".")) if typed is _ABSENT else json_like(typed)
            return self.of(parsed, path, names, _ABSENT)
        return json_like(value)


def _stays(value: Any) -> bool:
    return value is None or is_reference(value)


def _has_password(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_has_password(one) for one in value)
    return isinstance(value, str) and hides_password(without_references(value))


def _below(typed: Any, step: str | int) -> Any:
    """What stands below a structured value, if anything does."""
    if isinstance(step, int):
        return typed[step] if isinstance(typed, (list, tuple)) and step < len(typed) else _ABSENT
    if isinstance(typed, Mapping):
        return typed.get(step, _ABSENT)
    one = options_of(type(typed)).get(step) if attrs.has(type(typed)) else None
    return getattr(typed, one.attribute) if one else _ABSENT


def _setting(text: Text, steps: list[str]) -> Any:
    """A text in the type that the settings of a config have for its place; where they have none, a text."""
    kind: Any = SETTINGS.get(steps[0])
    for step in steps[1:]:
        declared = next((outer(part) for part in members(kind) if attrs.has(outer(part))), None)
        one = options_of(declared).get(step) if declared else None
        kind = one.type if one else None
    value, flaws = (None, [None]) if kind is None or attrs.has(kind) else convert(text, kind)
    return str(text) if flaws else json_like(value)
