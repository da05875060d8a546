"""Logs, and what must never appear in them.

A library configures no logging: `logger` speaks through Python's own, which the host sets up. The command calls `set_up`, which shows the
lines to people on stderr, or as JSON. Secrets are remembered here when options are structured; every line that is logged, every error that
is printed and every stack trace passes `redact`.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

HIDDEN = "***"
SHORTEST = 4
"""Shorter secrets are not searched for in texts: they would tear holes into everything."""
FORMATS = ("people", "json")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# Secrets that are remembered

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


def hides_password(text: str) -> bool:
    """Whether a text has a password in a URL."""
    return "://" in text and _PASSWORD_IN_URL.search(text) is not None


def reason(error: BaseException) -> str:
    """What an error of somebody else's says, with its type in front, its notes behind and secrets hidden."""
    return redact(f"{type(error).__name__}: {error}{notes(error)}")


def notes(error: BaseException) -> str:
    """What was noted on an error, such as how often a call was tried: each note in brackets, with a blank before it."""
    return "".join(f" ({note})" for note in getattr(error, "__notes__", ()))


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
    return {text, quote(text, safe="", errors="replace"), quote_plus(text, errors="replace")} | escaped | lines


# Secrets that are told by the name of their key

_REFERENCE = re.compile(r"(\$\{[A-Za-z_][A-Za-z0-9_]*\})+")
_SECRET_NAME = re.compile(
    r"(^|[_\W])(password|passwd|passphrase|secret|token|api_?key|auth_key|access_key|account_key|private_key|secret_key|credentials?"
    r"|authorization|cookie)$"
)


def names_a_secret(name: str) -> bool:
    """Whether a key is called like a secret: `password`, `api_key`, `aws_secret_access_key`, `clientSecret`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    return _SECRET_NAME.search(words) is not None


def secrets_by_name(value: Any) -> Iterator[Any]:
    """What stands in a value under a key that is called like a secret."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if names_a_secret(str(name)):
                yield one
            else:
                yield from secrets_by_name(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from secrets_by_name(one)


def hidden_by_name(value: Any) -> Any:
    """A copy of a value with `***` under every key that is called like a secret; a `${VARIABLE}` alone, and null, stay."""
    if isinstance(value, Mapping):
        return {name: masked_value(one) if names_a_secret(str(name)) else hidden_by_name(one) for name, one in value.items()}
    return [hidden_by_name(one) for one in value] if isinstance(value, (list, tuple)) else value


def masked_value(value: Any) -> Any:
    """What is shown in the place of a secret: `***`; null and a reference to a variable hide nothing."""
    return value if value is None or is_reference(value) else HIDDEN


def is_reference(value: Any) -> bool:
    """Whether a text is `${VARIABLE}` and nothing else, so that it may be shown and stored even in the place of a secret."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def without_references(text: str) -> str:
    """A text without the `${VARIABLE}` in it."""
    return _REFERENCE.sub("", text)


# Logging


def logger(name: str, **bound: Any) -> Any:
    """A structlog logger whose lines go to Python's logging under `ozzy`, redacted; `bound` goes with each line.

    What is logged with it takes keywords, and `%s` arguments as Python's own loggers do.
    """
    return _Logger(name if name == "ozzy" or name.startswith("ozzy.") else f"ozzy.{name}", bound)


class _Logger:
    """The structlog logger, made when there is a first line to log: many a run logs nothing, and need not pay for what it imports."""

    def __init__(self, name: str, bound: Mapping[str, Any]) -> None:
        self._logger = logging.getLogger(name)
        self._bound = bound
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        level = logging.getLevelNamesMapping().get(name.upper())
        if level is not None and not self._logger.isEnabledFor(level):
            return _nothing
        self._made = self._made or _structlog_logger(self._logger, self._bound)
        return getattr(self._made, name)


def _nothing(*_arguments: Any, **_keywords: Any) -> None:
    """What a logger does below its level."""


def _structlog_logger(target: logging.Logger, bound: Mapping[str, Any]) -> Any:
    from structlog import stdlib, wrap_logger

    processors: list[Any] = [stdlib.filter_by_level, stdlib.PositionalArgumentsFormatter(), _redacted, _for_logging]
    return wrap_logger(target, processors=processors, wrapper_class=stdlib.BoundLogger, cache_logger_on_first_use=True, **bound)


def _redacted(_logger: Any, _method: str, event: Any) -> Any:
    """Hide what is secret: by its key, and by what is remembered."""
    return {name: _redacted_value(one) for name, one in hidden_by_name(event).items()}


def _redacted_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(name)): _redacted_value(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_redacted_value(one) for one in value]
    return value


def _for_logging(_logger: Any, _method: str, event: Any) -> tuple[tuple[str], dict[str, Any]]:
    """The arguments of a stdlib logger: a line for hosts, with the keywords beside it for our own formatter."""
    kept = {name: event.pop(name) for name in ("exc_info", "stack_info") if name in event}
    words = [f"{name}={redact(str(value))}" for name, value in event.items() if name != "event"]
    text = " ".join([str(event.get("event", "")), *words])
    return (text,), {**kept, "extra": {"ozzy": event}}


class Lines(logging.Formatter):
    """Log lines for people, or as one JSON object each; nothing secret in either, stack traces included."""

    def __init__(self, render: Callable[[dict[str, Any]], str]) -> None:
        super().__init__()
        self.render = render

    def format(self, record: logging.LogRecord) -> str:
        event = getattr(record, "ozzy", None) or {"event": redact(record.getMessage())}
        time = self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z")
        own = {"timestamp": time, "level": record.levelname.lower(), "logger": record.name}
        line = {**own, **event, **own}
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return redact(self.render(line))


def set_up(level: str = "INFO", format: str = "people", stream: TextIO | None = None) -> None:
    """Show logs on `stream` (stderr by default): for the command alone, a library leaves logging to its host.

    `level` is for ozzy and its plugins; libraries below them speak from WARNING on, or from `level` where that is DEBUG. `format` is
    `people` or `json`, one object a line. Calling it again replaces what was set up before. Raises ValueError for anything else.
    """
    if level.upper() not in LEVELS or format not in FORMATS:
        raise ValueError(f"expected one of {', '.join(LEVELS)} and one of {', '.join(FORMATS)}, given {level} and {format}")
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one.formatter, Lines)]:
        root.removeHandler(handler)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(_as_json if format == "json" else _for_people(handler.stream)))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if level.upper() == "DEBUG" else logging.WARNING)
    logging.getLogger("ozzy").setLevel(level.upper())


def _as_json(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, default=str)


def _for_people(stream: TextIO) -> Callable[[dict[str, Any]], str]:
    def line(event: dict[str, Any]) -> str:
        shown = {name: value for name, value in event.items() if name != "logger"}
        render = _renderer(stream.isatty())
        return str(render(None, "", {**shown, "timestamp": str(event["timestamp"])[11:19]}))

    return line


@cache
def _renderer(colours: bool) -> Any:
    """What makes a line for people; with the first of them, since many a run logs nothing and need not pay for what it imports."""
    from structlog.dev import ConsoleRenderer, plain_traceback

    return ConsoleRenderer(colors=colours, exception_formatter=plain_traceback, pad_event_to=0)
