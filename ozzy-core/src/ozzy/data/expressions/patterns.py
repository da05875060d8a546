r"""The module re as expressions know it, on an engine (RE2) whose time grows with the text, never with the power of it.

Patterns are written as for Python's `re`. Look-arounds and back references have no place in such an engine and are refused; so are `\b`
and `\B` on texts that are not ASCII, since the engine would take an accented letter for the end of a word.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from ozzy.data.expressions.context import TEXT_SHIFT, Context, Function, LimitExceeded, call
from ozzy.data.expressions.values import name_of

_LONGEST: Final = 2_000
_MEMORY: Final = 512 << 10
_WORK_SHIFT: Final = 10
"""A step is paid for so much of the product of the pattern's size and the text's length, as a power of two."""

_FLAGS: Final = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}
_IGNORED: Final = re.UNICODE
_WORD: Final = r"\p{L}\p{N}_"
_SPACE: Final = r"\s\x0b\x1c-\x1f\x{85}\p{Z}"
_CLASSES: Final = {"d": r"\p{Nd}", "w": _WORD, "s": _SPACE}
_ESCAPES: Final = frozenset("abfnrtvxdDwWsSbBAZuU")
_TEMPLATE: Final = re.compile(r"\\(?:g<(\w+)>|([1-9][0-9]?)|(.))", re.DOTALL)
_CONTROL: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


class PatternError(ValueError):
    """A pattern that the engine does not take."""


class Pattern:
    """A compiled pattern; `edges` says whether it asks where words end."""

    __slots__ = ("compiled", "edges", "flags", "size", "text")
    subscripted = False

    def __init__(self, text: str, flags: int) -> None:
        import re2  # type: ignore[import-untyped]

        self.text = text
        self.flags = flags
        written, self.edges = translated(text, ascii=bool(flags & re.ASCII))
        letters = "".join(letter for flag, letter in _FLAGS.items() if flags & flag)
        settings = re2.Options()
        settings.log_errors = False
        settings.max_mem = _MEMORY
        try:
            self.compiled = re2.compile(f"(?{letters}){written}" if letters else written, settings)
        except re2.error as error:
            told = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            raise PatternError(f"not a pattern for expressions: {told}") from None
        self.size = self.compiled.programsize

    def found(self, context: Context, how: str, text: Any) -> Iterator[Any]:
        """The matches in a text, by `search`, `match`, `fullmatch` or `finditer`, each paid for by what may be looked at for it."""
        if type(text) is not str:
            raise TypeError(f"a pattern looks at texts, not at {name_of(text)}")
        if self.edges and not text.isascii():
            raise ValueError(r"\b and \B know ASCII letters only, and the text has others; write the classes of characters out")
        if how != "finditer":
            context.spend(4 + (self.size * len(text) >> _WORK_SHIFT))
            match = getattr(self.compiled, how)(text)
            if match is not None:
                yield match
            return
        matches = self.compiled.finditer(text)
        at = 0
        while True:
            context.spend(4 + (self.size * (len(text) - at) >> _WORK_SHIFT))
            match = next(matches, None)
            if match is None:
                return
            yield match
            at = match.end()


class Match:
    """What a pattern has found."""

    __slots__ = ("_match",)
    subscripted = True

    def __init__(self, match: Any) -> None:
        self._match = match

    def at(self, group: Any) -> Any:
        """The text of one group, None where it took no part."""
        return self._match[group]

    def group(self, context: Context, *groups: Any) -> Any:
        """`match.group(…)`."""
        return self._match.group(*groups)

    def groups(self, context: Context, default: Any = None) -> Any:
        """`match.groups(default)`."""
        return self._match.groups(default)

    def groupdict(self, context: Context, default: Any = None) -> Any:
        """`match.groupdict(default)`."""
        return self._match.groupdict(default)

    def start(self, context: Context, group: Any = 0) -> int:
        """`match.start(group)`."""
        return self.span(context, group)[0]

    def end(self, context: Context, group: Any = 0) -> int:
        """`match.end(group)`."""
        return self.span(context, group)[1]

    def span(self, context: Context, group: Any = 0) -> tuple[int, int]:
        """`match.span(group)`."""
        if isinstance(group, str):
            group = self._match.re.groupindex[group]
        start, end = self._match.span(group)
        return start, end

    def expand(self, context: Context, template: str) -> str:
        """`match.expand(template)`."""
        context.spend(len(template) >> TEXT_SHIFT)

        def filled(found: re.Match[str]) -> str:
            name, number, other = found.groups()
            if other is not None:
                if other.isascii() and other.isalnum() and other not in _CONTROL:
                    raise ValueError(f"bad escape \\{other} in what takes the place of a match")
                return _CONTROL.get(other, f"\\{other}")
            group = self._match[int(number or name) if (number or name).isdecimal() else name] or ""
            context.spend(4 + (len(group) >> TEXT_SHIFT))
            return str(group)

        return _TEMPLATE.sub(filled, template) if "\\" in template else template


def translated(pattern: str, *, ascii: bool) -> tuple[str, bool]:
    """A pattern of `re` as RE2 has it, and whether it asks where words end. Raises PatternError for what only `re` has."""
    pieces, edges, inside, at = [], False, False, 0
    while at < len(pattern):
        one = pattern[at]
        at += 1
        if one == "\\":
            letter = pattern[at : at + 1]
            at += 1
            edges = edges or (letter in {"b", "B"} and not inside)
            piece, more = _escape(letter, pattern, at, inside=inside, ascii=ascii)
            pieces.append(piece)
            at += more
        elif inside:
            pieces.append("\\[" if one == "[" else one)
            inside = one != "]"
        elif one == "[":
            inside = True
            start = re.compile(r"\^?\]?").match(pattern, at)
            taken = start[0] if start else ""
            pieces.append("[" + taken.replace("]", "\\]"))
            at += len(taken)
        elif one == "{" and (open_range := re.compile(r",([0-9]+)\}").match(pattern, at)):
            pieces.append(f"{{0,{open_range[1]}}}")
            at = open_range.end()
        else:
            pieces.append(one)
    return "".join(pieces), edges


def _escape(letter: str, pattern: str, at: int, *, inside: bool, ascii: bool) -> tuple[str, int]:
    """What stands for an escape, and how many more characters it takes."""
    if letter == "Z":
        return r"\z", 0
    if letter == "b" and inside:
        return r"\x08", 0
    if letter in {"u", "U"}:
        size = 4 if letter == "u" else 8
        code = pattern[at : at + size]
        if not re.fullmatch(f"[0-9A-Fa-f]{{{size}}}", code):
            raise PatternError(f"not a pattern: \\{letter} wants {size} hexadecimal digits")
        return f"\\x{{{code.lstrip('0') or '0'}}}", size
    if letter.isascii() and letter.isalpha() and letter not in _ESCAPES:
        raise PatternError(f"not a pattern: bad escape \\{letter}")
    if ascii or letter.lower() not in _CLASSES:
        return f"\\{letter}", 0
    members = _CLASSES[letter.lower()]
    if letter.islower():
        return (members if inside else f"[{members}]"), 0
    if inside and letter != "D":
        raise PatternError(f"not a pattern for expressions: \\{letter} inside [ ]; write what is meant, such as [^\\{letter.lower()}]")
    return (r"\P{Nd}" if letter == "D" else f"[^{members}]"), 0


@lru_cache(maxsize=256)
def _kept(text: str, flags: int) -> Pattern:
    return Pattern(text, flags)


def compiled(context: Context, pattern: Any, flags: Any = 0) -> Pattern:
    """`re.compile(pattern, flags)`."""
    if type(pattern) is Pattern:
        return pattern
    if type(pattern) is not str:
        raise TypeError(f"a pattern is a text, not {name_of(pattern)}")
    if len(pattern) > _LONGEST:
        raise LimitExceeded(f"a pattern may have {_LONGEST:,} characters")
    known = re.IGNORECASE | re.MULTILINE | re.DOTALL | re.ASCII | _IGNORED
    if flags & ~int(known):
        raise ValueError("the flags of patterns are re.A, re.I, re.M, re.S and re.U")
    context.spend(1 + len(pattern))
    return _kept(pattern, int(flags))


def _single(how: str) -> Any:
    def run(context: Context, pattern: Any, text: Any, flags: Any = 0) -> Match | None:
        match = next(compiled(context, pattern, flags).found(context, how, text), None)
        return None if match is None else Match(match)

    return run


def _finditer(context: Context, pattern: Any, text: Any, flags: Any = 0) -> Iterator[Match]:
    return (Match(match) for match in compiled(context, pattern, flags).found(context, "finditer", text))


def _findall(context: Context, pattern: Any, text: Any, flags: Any = 0) -> list[Any]:
    found = []
    for match in compiled(context, pattern, flags).found(context, "finditer", text):
        groups = match.groups(default="")
        found.append(match.group() if not groups else groups[0] if len(groups) == 1 else groups)
    return found


def _pieces(context: Context, pattern: Pattern, text: Any, most: Any, between: Any) -> tuple[list[Any], int]:
    pieces: list[Any] = []
    end = count = 0
    if most >= 0:
        for match in pattern.found(context, "finditer", text):
            pieces.append(text[end : match.start()])
            pieces += between(match)
            end = match.end()
            count += 1
            if count == most:
                break
    pieces.append(text[end:])
    return pieces, count


def _split(context: Context, pattern: Any, text: Any, maxsplit: Any = 0, flags: Any = 0) -> list[Any]:
    return _pieces(context, compiled(context, pattern, flags), text, maxsplit, lambda match: match.groups())[0]


def _subn(  # noqa: PLR0917 - as Python has it
    context: Context, pattern: Any, repl: Any, text: Any, count: Any = 0, flags: Any = 0
) -> tuple[str, int]:
    def replaced(match: Any) -> list[Any]:
        piece = Match(match).expand(context, repl) if type(repl) is str else call(context, repl, Match(match))
        context.spend(1 + (len(piece) >> TEXT_SHIFT))
        return [piece]

    pieces, number = _pieces(context, compiled(context, pattern, flags), text, count, replaced)
    return "".join(pieces), number


def _sub(context: Context, pattern: Any, repl: Any, text: Any, *how: Any, **named: Any) -> str:
    return _subn(context, pattern, repl, text, *how, **named)[0]


def _escaped(context: Context, text: Any) -> str:
    context.spend(len(text) >> TEXT_SHIFT)
    return str(re.escape(text))


RE: Final[dict[str, Any]] = {
    **{name: int(getattr(re, name)) for name in ("A", "ASCII", "DOTALL", "I", "IGNORECASE", "M", "MULTILINE", "S", "U", "UNICODE")},
    "compile": Function("compile", compiled),
    "escape": Function("escape", _escaped),
    "findall": Function("findall", _findall),
    "finditer": Function("finditer", _finditer),
    "fullmatch": Function("fullmatch", _single("fullmatch")),
    "match": Function("match", _single("match")),
    "search": Function("search", _single("search")),
    "split": Function("split", _split),
    "sub": Function("sub", _sub),
    "subn": Function("subn", _subn),
}

METHODS: Final = {name: RE[name].run for name in ("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")}
"""The methods of a compiled pattern."""
