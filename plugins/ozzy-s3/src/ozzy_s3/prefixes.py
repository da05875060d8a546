"""Prefixes of keys: given, or pointed to, with dates filled in for each day of a range."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from ozzy import ConfigError

LONGEST = 36_600
"""Days that a range of dates may have; a longer one is a slip."""


def day_of(text: str, now: datetime) -> date:
    """The day that a text tells: `2024-02-29`, `yesterday`, `2 days ago`. Raises ConfigError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    import dateparser

    found = dateparser.parse(text, settings={"RELATIVE_BASE": now.replace(tzinfo=None), "RETURN_AS_TIMEZONE_AWARE": False})
    if found is None:
        raise ConfigError(f"prefix_format_using_date: {text!r} is no date", hint="Write 2024-02-29, yesterday, or 2 days ago.")
    return found.date()


def days(using: str | Sequence[str] | None, now: datetime) -> Iterator[date]:
    """The days of a range, the first and the last among them; today where none is given. Raises ConfigError."""
    ends = [using] if isinstance(using, str) else list(using or ())
    if not ends:
        yield now.date()
        return
    first, last = day_of(ends[0], now), day_of(ends[-1], now)
    if first > last:
        raise ConfigError(
            f"prefix_format_using_date: the range ends before it begins ({first} to {last})", hint="Give the earlier day first."
        )
    if (last - first).days > LONGEST:
        raise ConfigError(f"prefix_format_using_date: {first} to {last} are more than {LONGEST} days", hint="Look at the dates.")
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def filled_in(prefixes: Iterable[str], using: str | Sequence[str] | None, now: datetime) -> list[str]:
    """The prefixes with their strftime codes filled in for each day, in the order of keys; what another one covers is left out.

    So each key is listed once, however prefixes overlap.
    """
    templates = list(prefixes)
    found: list[str] = []
    for prefix in sorted({day.strftime(template) if "%" in template else template for day in days(using, now) for template in templates}):
        if not found or not prefix.startswith(found[-1]):
            found.append(prefix)
    return found


def pointed(text: str) -> list[str]:
    """The prefixes that an object names, one a line; blank lines are passed over."""
    return [line for line in (line.strip() for line in text.splitlines()) if line]
