"""Texts made by formats, each kind of format looked at before it is used: no wide paddings, no attributes."""

import re
import string
from typing import Any, Final

from ozzy.data.expressions.context import TEXT_SHIFT, Context, LimitExceeded, effort
from ozzy.data.expressions.values import DATES, MAPPINGS, NUMBERS, name_of, weigh

WIDEST: Final = 10_000
"""How wide a format may make a value."""

_digits = re.compile(r"[0-9]+")
_percent = re.compile(r"%(?:\([^()]*\))?[-#0 +]*(\*|[0-9]+)?(?:\.(\*|[0-9]+)?)?[hlL]?(.?)", re.DOTALL)
_date_format = re.compile(r"(?:[^%]|%[-_0^#:]?[A-Za-z%])*+", re.DOTALL)
_field = re.compile(r"([A-Za-z_][A-Za-z_0-9]*|[0-9]{0,3})((?:\[[^\[\]]+\])*+)")
_index = re.compile(r"\[([^\[\]]+)\]")
_parse = string.Formatter().parse
_nesting: Final = 2


def text_of(context: Context, value: Any) -> str:
    """`str(value)`."""
    if type(value) is str:
        return value
    if type(value) is int:
        context.spend(effort(value))
    elif type(value) not in NUMBERS:
        weigh(context, value, written=True)
    return str(value)


def repr_of(context: Context, value: Any) -> str:
    """`repr(value)`."""
    weigh(context, value, written=True)
    return repr(value)


def widths(context: Context, found: list[str]) -> None:
    """Pay for the widths and precisions of a format."""
    for digits in found:
        if len(digits) > len(str(WIDEST)) or int(digits) > WIDEST:
            raise LimitExceeded(f"a format may be {WIDEST} wide, not {digits[:20]}")
        context.spend(int(digits) >> TEXT_SHIFT)


def date_format(context: Context, pattern: Any) -> str:
    """A format of `strftime` without widths, which some systems would pad to."""
    if type(pattern) is not str or not _date_format.fullmatch(pattern):
        raise LimitExceeded("a format of dates has letters behind its percent signs, such as %Y-%m-%d")
    context.spend(len(pattern))
    return pattern


def formatted(context: Context, value: Any, spec: str = "") -> str:
    """`format(value, spec)`."""
    kind = type(value)
    if kind in DATES:
        return format(value, date_format(context, spec))
    if not spec:
        return text_of(context, value)
    if kind is not str and kind not in NUMBERS:
        raise TypeError(f"{name_of(value)} has no format {spec[:20]!r}")
    widths(context, _digits.findall(spec))
    weigh(context, value)
    return format(value, spec)


def converted(context: Context, value: Any, conversion: str | None) -> Any:
    """A value after `!r`, `!s` or `!a`."""
    if conversion == "r":
        return repr_of(context, value)
    if conversion == "a":
        return repr_of(context, value).encode("ascii", "backslashreplace").decode()
    return text_of(context, value) if conversion == "s" else value


def percent(context: Context, pattern: str, values: Any) -> str:
    """`pattern % values`."""
    count = check_percent(context, pattern)
    weight = weigh(context, values, written=True)
    if type(values) in MAPPINGS:
        context.spend(weight * count)
    context.spend(len(pattern) >> TEXT_SHIFT)
    return str(pattern % values)


def check_percent(context: Context, pattern: str) -> int:
    """The number of values that a pattern for `%` takes. Raises LimitExceeded for what it may not have."""
    count = 0
    for match in _percent.finditer(pattern):
        if "*" in match.group(1, 2):
            raise LimitExceeded("a format may not take its width from a value")
        if match[3] == "(":
            raise LimitExceeded("a key in a format may not hold brackets")
        widths(context, [digits for digits in match.group(1, 2) if digits])
        count += 1
    return count


def check_fields(context: Context, pattern: str, depth: int = 0) -> None:
    """See that `pattern.format(…)` asks for nothing that it may not have. Raises LimitExceeded, and ValueError for what is no pattern."""
    if depth > _nesting:
        raise LimitExceeded("formats are nested too deep")
    for _, field, spec, _ in _parse(pattern):
        if field is not None:
            parts_of_field(field)
        if spec and "{" in spec:
            check_fields(context, spec, depth + 1)
        elif spec:
            check_spec(context, spec)


def check_spec(context: Context, spec: str) -> None:
    """See that a format makes nothing wider than it may be. One that may be for dates is looked at when there is one."""
    if "%" not in spec[:-1]:
        widths(context, _digits.findall(spec))


def parts_of_field(field: str) -> tuple[str, str]:
    """The name of a field, and its keys. Raises LimitExceeded for an attribute."""
    found = _field.fullmatch(field)
    if not found:
        raise LimitExceeded(f"a field of a format is a number or a name, with [key] behind it, not {field[:40]!r}")
    return found[1], found[2]


def fill(context: Context, pattern: str, *values: Any, **named: Any) -> str:
    """`pattern.format(…)`, with names, numbers and `[key]`, never `.attribute`."""
    return _Filling(context, values, named).text(pattern)


class _Filling:
    """One call of `format`, which numbers its fields by itself."""

    def __init__(self, context: Context, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.context = context
        self.values = values
        self.named = named
        self.next = 0

    def text(self, pattern: str, depth: int = 0) -> str:
        if depth > _nesting:
            raise LimitExceeded("formats are nested too deep")
        pieces = []
        self.context.spend(1 + (len(pattern) >> TEXT_SHIFT))
        for literal, field, spec, conversion in _parse(pattern):
            pieces.append(literal)
            if field is not None:
                value = converted(self.context, self.value(field), conversion)
                piece = formatted(self.context, value, self.text(spec, depth + 1) if spec else "")
                self.context.spend(1 + (len(piece) >> TEXT_SHIFT))
                pieces.append(piece)
        return "".join(pieces)

    def value(self, field: str) -> Any:
        name, keys = parts_of_field(field)
        if not name:
            name = str(self.next)
            self.next += 1
        value = self.values[int(name)] if name.isdecimal() else self.named[name]
        for key in _index.findall(keys):
            if type(value) not in MAPPINGS and type(value) is not list and type(value) is not tuple:
                raise TypeError(f"{name_of(value)} has no [{key[:20]}]")
            value = value[int(key) if key.isdecimal() and len(key) < 10 and type(value) not in MAPPINGS else key]
        return value
