"""Logs, and what must never appear in them.

The command calls `set_up`; a library configures no logging. Secrets are remembered here when options are structured, and every
line that is logged, every error that is printed and every stack trace passes `redact`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "***"
SHORTEST = 4
"""Shorter secrets are not searched for in texts: they would tear holes into everything."""

_secrets: frozenset[str] = frozenset()
_pattern: re.Pattern[str] | None = None
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):([^/\s@]+)@")


def remember(value: object) -> None:
    """Remember a secret, so that `redact` finds it: a text, or whatever texts a dict or list holds.

    The forms it takes in JSON, in a repr and in a URL are remembered with it.
    """
    global _secrets, _pattern  # noqa: PLW0603 - one memory a process: a secret must not depend on who is asked
    forms = {form for text in texts_of(value) for form in _forms(text) if len(text) >= SHORTEST}
    if not forms <= _secrets:
        _secrets |= forms
        _pattern = re.compile("|".join(re.escape(form) for form in sorted(_secrets, key=len, reverse=True)))


def redact(text: str, also: Iterable[str] = ()) -> str:
    """The text with every remembered secret, and every password in a URL, replaced by `***`; so are the texts in `also`."""
    for secret in sorted({str(one) for one in also if one}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    if _pattern is not None:
        text = _pattern.sub(HIDDEN, text)
    return _PASSWORD_IN_URL.sub(rf"\1:{HIDDEN}@", text) if "://" in text else text


def texts_of(value: object) -> Iterator[str]:
    """Every text in a value, however deep; numbers as text."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from texts_of(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from texts_of(one)
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _forms(text: str) -> set[str]:
    lines = {line.strip() for line in text.splitlines() if len(line.strip()) >= SHORTEST} if "\n" in text else set()
    escaped = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
    return {text, quote(text, safe=""), quote_plus(text)} | escaped | lines
