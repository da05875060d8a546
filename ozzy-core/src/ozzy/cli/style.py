"""Colour, only where it is seen: on a terminal, and unless NO_COLOR is set."""

import os
import sys
from typing import Any

import click


def styled(text: str, *, err: bool = False, **style: Any) -> str:
    """The text in a style, or as it is where the stream is no terminal."""
    stream = sys.stderr if err else sys.stdout
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return click.style(text, **style)


def size(count: float) -> str:
    """Bytes for people.

    >>> size(999), size(1536), size(5 * 2**30)
    ('999 B', '1.5 KiB', '5.0 GiB')
    """
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    value = float(count)
    for unit in units[:-1]:
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} {units[-1]}"


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(0.0421), duration(75), duration(3700)
    ('0.04 s', '1 min 15 s', '1 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "file"), count(12345, "record")
    ('1 file', '12,345 records')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
