"""Canaries: values planted as secrets, and looked for in everything a module gives away."""

import base64
import logging
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

import attrs

from ozzy.options.option import options_of

_COUNT = 0


def canary() -> str:
    """A text that no message holds by chance, with characters that URLs, JSON and shells write in other ways."""
    global _COUNT  # noqa: PLW0603 - each is another one
    _COUNT += 1
    return f"canary-{_COUNT}-Tweet tweet/+&?%ü:9f4c"


@attrs.frozen
class Planted:
    """Options with a canary in every secret place. `canaries` maps the path of an option to its canary."""

    options: dict[str, Any]
    canaries: dict[str, str]


def plant(module_class: type, options: Mapping[str, Any], *, path: str = "") -> Planted:
    """Put a canary into every secret option, those of options within options too, where they are given."""
    planted: dict[str, Any] = dict(options)
    canaries: dict[str, str] = {}
    for name, one in options_of(module_class).items():
        where = f"{path}{name}"
        if one.secret:
            given = planted.get(name, one.default if one.has_default else "")
            if isinstance(given, str) or given is None:
                planted[name] = _planted_in(given, where, canaries)
            else:
                planted[name] = _replaced(given, where, canaries)
        else:
            inner = next((kind for kind in _parts(one.type) if attrs.has(kind)), None)
            if inner is not None and name in planted:
                planted[name] = _within(inner, planted[name], where, canaries)
    return Planted(planted, canaries)


def _within(kind: type, value: Any, where: str, canaries: dict[str, str]) -> Any:
    if isinstance(value, Mapping):
        found = plant(kind, value, path=f"{where}.")
        canaries.update(found.canaries)
        return found.options
    if isinstance(value, list):
        return [_within(kind, one, f"{where}.{number}", canaries) for number, one in enumerate(value)]
    return value


def _replaced(value: Any, where: str, canaries: dict[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced(one, f"{where}.{name}", canaries) for name, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, f"{where}.{number}", canaries) for number, one in enumerate(value)]
    if isinstance(value, str):
        return _planted_in(value, where, canaries)
    return value


def _planted_in(given: str | None, where: str, canaries: dict[str, str]) -> str:
    """A canary instead of a text; an address keeps its host, and has it as a parameter."""
    canaries[where] = canary()
    if given is None or not re.match(r"[a-z][a-z0-9+.-]*://", given):
        return canaries[where]
    return f"{given}{'&' if '?' in given else '?'}key={quote(canaries[where], safe='')}"


def _parts(kind: Any) -> Iterator[type]:
    inner = getattr(kind, "__args__", ())
    if isinstance(kind, type):
        yield kind
    for one in inner:
        yield from _parts(one)


def forms(secret: str) -> set[str]:
    """The ways a secret looks where it is told: as it is, quoted, escaped, in base64 wherever it stands there."""
    found = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret)[1:-1], ascii(secret)[1:-1]}
    raw = secret.encode()
    for shift in range(3):
        encoded = base64.b64encode(b"." * shift + raw).decode().rstrip("=")
        middle = encoded[4 if shift else 0 : -4]
        found |= {middle, middle.replace("+", "-").replace("/", "_")}
    return found


def leaks(told: Iterable[tuple[str, Any]], canaries: Mapping[str, str]) -> str:
    """Which secret is told where, in a sentence; empty where none is. `told` holds places, each with what stands there."""
    for place, value in told:
        text = value if isinstance(value, str) else f"{value!r}\n{value}"
        for option, secret in canaries.items():
            if any(form in text for form in forms(secret)):
                return f"the value of the secret option {option!r} stands in {place}"
    return ""


def told_by(error: BaseException) -> list[tuple[str, str]]:
    """All that an error says: itself, its attributes, what it was caused by, and its traceback."""
    told = []
    for depth, one in enumerate(_chain(error)):
        name = "the error" if not depth else f"the {type(one).__name__} that the error was caused by"
        told.append((f"the message of {name}", f"{one}\n{one!r}\n{one.args!r}"))
        told.append((f"an attribute of {name}", repr(vars(one))))
    return [*told, ("the traceback of the error", "".join(traceback.format_exception(error)))]


def _chain(error: BaseException) -> Iterable[BaseException]:
    waiting: list[BaseException] = [error]
    seen: list[BaseException] = []
    while waiting:
        one = waiting.pop(0)
        if any(one is other for other in seen):
            continue
        seen.append(one)
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        waiting += [cause for cause in (one.__cause__, one.__context__, *inner) if cause is not None]
    return seen


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        extra = {key: value for key, value in vars(record).items() if key not in {"msg", "args", "message"}}
        self.lines.append(f"{self.format(record)} {extra!r}")


@contextmanager
def logged() -> Iterator[list[str]]:
    """Every line that is logged while this lasts, by anyone and at any level."""
    kept, root, ours = _Kept(), logging.getLogger(), logging.getLogger("ozzy")
    levels = root.level, ours.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    ours.setLevel(logging.DEBUG)
    try:
        yield kept.lines
    finally:
        root.removeHandler(kept)
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
