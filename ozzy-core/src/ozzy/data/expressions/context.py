"""What one evaluation has: its budget of steps, the start of the run, and random numbers that a resumed run draws again."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, Final

STEPS: Final = 100_000
"""Steps that the expressions of a module may take for one record, unless its option says otherwise."""

TEXT_SHIFT: Final = 6
"""A step is paid for 64 characters that are made or looked at."""

ROW_SHIFT: Final = 3
"""A step is paid for 8 members of a list that is made or looked at."""

INT_BITS: Final = 14_000
"""Whole numbers that are made have at most so many bits: about 4,200 digits, as many as can be written."""


def effort(number: int) -> int:
    """The steps that are paid for a whole number which is divided or made a text: they grow as the square of its size."""
    return number.bit_length() ** 2 >> 17


class LimitExceeded(Exception):  # noqa: N818 - what is refused, told as it is
    """An expression wants more than it may have."""


class Context:
    """What operations know of the record at hand. `left` steps may still be taken; `start` is the run's start.

    `open` says that imported objects take part, whose methods no table lists.
    """

    __slots__ = ("_random", "left", "open", "seed", "start", "steps")

    def __init__(self, steps: int = STEPS, start: datetime | None = None, *, open: bool = False) -> None:
        self.steps = steps
        self.start = start if start is not None else datetime.now().astimezone()
        self.open = open
        self.seed = ""
        self.begin()

    def begin(self, seed: str = "") -> None:
        """Another record: the budget is whole again. Random numbers follow from the run's start and `seed`."""
        self.left = self.steps
        self.seed = seed
        self._random: Random | None = None

    def spend(self, steps: int) -> None:
        """Pay so many steps. Raises LimitExceeded where the budget has not as many."""
        self.left -= steps
        if self.left < 0:
            raise LimitExceeded(f"it takes more than {self.steps:,} steps")

    @property
    def random(self) -> Random:
        """The random numbers of this record."""
        if self._random is None:
            self._random = Random(f"{self.start.timestamp()!r} {self.seed}")  # noqa: S311 - it is to be foreseen
        return self._random


class Function:
    """A function that expressions know: `run(context, *arguments)` does its work.

    `kind` is the type that it makes, where it is one of Python's types. `attributes` are what can be written behind it with a dot.
    """

    __slots__ = ("attributes", "kind", "name", "run")

    def __init__(self, name: str, run: Callable[..., Any], *, kind: type | None = None, attributes: dict[str, Any] | None = None) -> None:
        self.name = name
        self.run = run
        self.kind = kind
        self.attributes = attributes if attributes is not None else {}

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """For imported code that is given the function: it works within a budget of its own."""
        return self.run(Context(), *arguments, **named)

    def __repr__(self) -> str:
        return self.name


def call(context: Context, function: Any, *arguments: Any, **named: Any) -> Any:
    """Call what expressions may call."""
    if type(function) is Function:
        return function.run(context, *arguments, **named)
    if context.open and callable(function):
        return function(*arguments, **named)
    raise TypeError(f"a value of type {type(function).__name__} can't be called")
