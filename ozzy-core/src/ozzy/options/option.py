"""The one declaration of an option; what checks, shows, documents or hides options reads it from here.

@options
class Options:
host: str = option(help="Where the server is.", example="db.example.com")
port: int = option(default=5432, minimum=1, maximum=65535)
password: str = option(env="DB_PASSWORD", secret=True)
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy, deepcopy
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform, get_args

import attrs

from ozzy.data.json_text import MISSING
from ozzy.errors import PluginError
from ozzy.log import names_a_secret
from ozzy.options.values import (
    ByteSize,
    Text,
    dict_list,
    int_list,
    is_list,
    is_mapping,
    is_union,
    members,
    outer,
    str_list,
    type_name,
)

__all__ = ["ByteSize", "Option", "Text", "dict_list", "int_list", "option", "options", "options_of", "str_list", "supported_options_of"]

T = TypeVar("T")
METADATA = "ozzy"


@attrs.frozen(kw_only=True)
class Option:
    """One setting of a module, as declared.

    `type` is an annotation, or an inherited type (a type or a tuple of types); `type_name` says it in words. `default` is
    `attrs.NOTHING` where there is none; `required` means neither default nor `env`, the variable that may give it. `attribute` is
    the name on the options class: `from_` for an option named `from`. `check` says what is wrong with a value that has the right type.
    """

    name: str
    type: Any = object
    default: Any = attrs.field(factory=lambda: attrs.NOTHING)
    env: str | None = None
    secret: bool = False
    help: str = ""
    choices: tuple[Any, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    example: Any = None
    kind_of: str | None = None
    check: Callable[[Any], str | None] | None = None
    attribute: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))

    @property
    def type_name(self) -> str:
        """The type in words: `int`, `list of str`, `str or null`."""
        return type_name(self.type)

    @property
    def has_default(self) -> bool:
        """Whether there is a default, None included."""
        return self.default is not attrs.NOTHING

    @property
    def tells_default(self) -> bool:
        """Whether people are shown the default: it is no secret, and not just the mark of what is not given."""
        return self.has_default and not self.secret and self.default is not MISSING

    @property
    def required(self) -> bool:
        """Whether a config must give it: there is neither a default nor a variable that may."""
        return not self.has_default and self.env is None


def option(
    *,
    default: Any = attrs.NOTHING,
    factory: Callable[[], Any] | None = None,
    env: str | None = None,
    secret: bool | None = None,
    help: str = "",
    choices: Sequence[Any] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    example: Any = None,
    kind_of: str | None = None,
    check: Callable[[Any], str | None] | None = None,
) -> Any:
    """One option of a class made with `@options`.

    Without `default` and `factory` it has to be given, by the config or by the environment variable `env`. A secret never appears in
    a log, an error, a plan or a stored config; an option called like one (`password`, `…_token`) is one unless `secret=False` says no.
    `minimum` and `maximum` are inclusive, for a text or a list they bound its length. `kind_of` is the kind of module it names.
    `check` is given a value of the right type, or each member of a list, and says what is wrong with it, without showing what is secret.
    """
    if isinstance(default, (list, dict, set)):
        default, factory = attrs.NOTHING, _copier(default)
    details = {
        "env": env, "secret": secret, "help": help, "choices": None if choices is None else tuple(choices),
        "minimum": minimum, "maximum": maximum, "example": example, "kind_of": kind_of, "check": check,
    }  # fmt: skip
    if factory is not None:
        return attrs.field(factory=factory, metadata={METADATA: details})
    return attrs.field(default=default, metadata={METADATA: details})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option, attrs.field))
def options(cls: type[T]) -> type[T]:
    """Make an options class: frozen, given by keyword only, with secrets hidden in its repr. A name such as `from_` is option `from`."""
    return attrs.frozen(kw_only=True, field_transformer=_hide_secrets)(cls)


def _copier(value: Any) -> Callable[[], Any]:
    return lambda: copy(value)


def _hide_secrets(_: type, fields: list[Any]) -> list[Any]:
    return [field.evolve(repr=lambda _: "***") if _is_secret(field.name, field.metadata.get(METADATA, {})) else field for field in fields]


def _is_secret(name: str, details: Mapping[str, Any]) -> bool:
    marked = details.get("secret")
    return names_a_secret(name.rstrip("_")) if marked is None else bool(marked)


def options_class(module_class: type) -> type | None:
    """The attrs class with a module's options (the class itself, if it is one); None where they are a `supported_options` dict."""
    if attrs.has(module_class):
        return module_class
    for base in module_class.__mro__:
        if vars(base).get("supported_options"):
            return None
        if isinstance(declared := vars(base).get("Options"), type):
            return declared
    return None


def options_of(module_class: type) -> dict[str, Option]:
    """The options of a module by name, those of its base classes first.

    They stand in its `Options` class, or in the `supported_options` dicts of it and its bases. Raises PluginError for a declaration
    that makes no sense.
    """
    if declared := options_class(module_class):
        return dict(_of_class(declared))
    found: dict[str, Option] = {}
    for base in reversed(module_class.__mro__):
        if isinstance(own := vars(base).get("Options"), type):
            found.update(_of_class(own))
        for name, attributes in (vars(base).get("supported_options") or {}).items():
            found[name] = _of_dict(module_class, name, attributes)
    return found


def fields_of(one: Option) -> dict[str, Option]:
    """The options within the value of an option, or within each member of it; empty where its values have no fields."""
    found: dict[str, Option] = {}
    for kind in members(one.type):
        inner = get_args(kind)[-1:] if is_list(kind) or (is_mapping(kind) and not attrs.has(outer(kind))) else (kind,)
        for cls in inner:
            found |= options_of(cls) if attrs.has(outer(cls)) else {}
    return found


@cache
def _of_class(declared: type) -> dict[str, Option]:
    try:
        attrs.resolve_types(declared, include_extras=False)
    except NameError as error:
        raise PluginError(f"{declared.__module__}.{declared.__qualname__}: the type of an option is unknown: {error}") from error
    found = {}
    for field in attrs.fields(declared):
        details = dict(field.metadata.get(METADATA, {}))
        details["secret"] = _is_secret(field.name, details)
        if not field.init:
            continue
        name = str(field.alias).rstrip("_") or field.name
        found[name] = Option(name=name, attribute=field.name, type=field.type or Any, default=_default(field.default), **details)
    return found


def _default(default: Any) -> Any:
    return default.factory() if isinstance(default, attrs.Factory) and not default.takes_self else default  # type: ignore[arg-type]


def _of_dict(module_class: type, name: str, attributes: Any) -> Option:
    where = f"{module_class.__module__}.{module_class.__qualname__}: supported_options[{name!r}]"
    if not isinstance(attributes, Mapping):
        raise PluginError(f"{where} is no dict", hint="Write it as {'type': …, 'default': …, 'env_fallback': …, 'help': …}.")
    kind = attributes.get("type", object)
    if isinstance(kind, (list, tuple)):
        kind = tuple(part for one in kind for part in (one if isinstance(one, (list, tuple)) else (one,)))
    if not all(isinstance(one, type) or one is Any for one in members(kind)):
        raise PluginError(f"{where} has a type that is none: {kind!r}", hint="Use str, int, list, str_list, … or a tuple of such types.")
    choices = attributes.get("choices")
    return Option(
        name=name,
        type=kind,
        default=deepcopy(attributes.get("default", attrs.NOTHING)),
        env=attributes.get("env_fallback"),
        secret=_is_secret(name, attributes),
        help=attributes.get("help") or "",
        choices=None if choices is None else tuple(choices),
        minimum=attributes.get("minimum"),
        maximum=attributes.get("maximum"),
        example=attributes.get("example"),
    )


def supported_options_of(module_class: type) -> dict[str, dict[str, Any]]:
    """The options of a module in the inherited form: name to `type`, `default`, `env_fallback`, `help` and what else is declared."""
    return {name: _to_dict(one) for name, one in options_of(module_class).items()}


def _to_dict(one: Option) -> dict[str, Any]:
    attributes: dict[str, Any] = {"type": _inherited_type(one.type)}
    if one.has_default:
        attributes["default"] = deepcopy(one.default)
    extras = {"env_fallback": one.env, "help": one.help, "secret": one.secret, "choices": one.choices, "minimum": one.minimum}
    extras |= {"maximum": one.maximum, "example": one.example}
    return attributes | {name: value for name, value in extras.items() if value not in (None, "", False)}


def _inherited_type(kind: Any) -> Any:
    if is_union(kind):
        found = tuple(dict.fromkeys(_inherited_type(one) for one in members(kind) if one is not type(None)))
        return found[0] if len(found) == 1 else found
    if kind in (str_list, int_list, dict_list):
        return kind
    bare = outer(kind)
    if is_list(bare):
        (inner, *_) = getattr(kind, "__args__", (Any,))
        typed = {str: str_list, int: int_list}.get(inner, dict_list if is_mapping(inner) else list)
        return tuple if bare is tuple and typed is list else typed
    if is_mapping(bare):
        return dict
    if bare is Any:
        return object
    if not isinstance(bare, type):
        return str
    return str if issubclass(bare, (str, Path)) else int if issubclass(bare, int) and bare is not bool else bare
