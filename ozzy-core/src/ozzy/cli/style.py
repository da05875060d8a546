"""How things look: colour where it is seen, numbers for people, columns that fit the screen."""

import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

import click

DEFAULT_WIDTH = 80
NARROWEST = 12


def say(text: str) -> None:
    """Tell something on standard error: what is said about a run never mixes with what is asked for."""
    click.echo(text, err=True)


def styled(text: str, *, err: bool = False, **style: Any) -> str:
    """The text in a style, or as it is where the stream is no terminal or NO_COLOR is set."""
    stream = sys.stderr if err else sys.stdout
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return click.style(text, **style)


def screen_width(stream: TextIO | None = None) -> int:
    """How many columns the terminal has; 80 where there is none."""
    if not (stream or sys.stdout).isatty():
        return DEFAULT_WIDTH
    return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns


def width_of(text: str) -> int:
    """How many columns a text takes: two for each wide character, none for a mark on another."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def fitted(text: str, width: int) -> str:
    """The text, cut to so many columns where it is wider.

    >>> fitted("records", 4), fitted("東京都", 5)
    ('rec…', '東京…')
    """
    if width_of(text) <= width:
        return text
    while text and width_of(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def padded(text: str, width: int) -> str:
    """The text with blanks after it, up to so many columns."""
    return text + " " * (width - width_of(text))


def one_line(text: str) -> str:
    """The text without line ends and other control characters, which would move the cursor."""
    return "".join(char if char.isprintable() else " " for char in text)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns; on a terminal, the last one is broken into lines where it is too wide."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(width_of, column)) for column in zip(heads, *cells, strict=True)][:-1]
    room = screen_width() - sum(widths) - 2 * len(widths) if sys.stdout.isatty() else sys.maxsize
    click.echo(styled("  ".join([*map(padded, heads, widths), heads[-1]]), dim=True))
    for row in cells:
        parts = _broken(row[-1], max(NARROWEST, room))
        for at, part in enumerate(parts):
            left = row[:-1] if at == 0 else [""] * len(widths)
            click.echo("  ".join([*map(padded, left, widths), part]).rstrip())


def _broken(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and width_of(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


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
