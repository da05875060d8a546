"""Python imports this at its start, where the tests put it: it sets the clock of the process, as `TEST_CLOCK` says.

That is a number of days from now, or `to and fro`: an hour more and an hour less in turn, each time the clock is looked at.
"""

import datetime as dt
import itertools
import os
import time

HOUR = 3600.0
real = time.time
way = os.environ.get("TEST_CLOCK", "0")
turns = itertools.cycle([HOUR, -HOUR]) if way == "to and fro" else itertools.repeat(float(way) * 24 * HOUR)


def moved() -> float:
    return real() + next(turns)


class MovedDatetime(dt.datetime):
    """A datetime whose now is that of the moved clock."""

    @classmethod
    def now(cls, tz=None):
        return datetime_class.fromtimestamp(moved(), tz)


datetime_class = dt.datetime
dt.datetime = MovedDatetime
time.time = moved
time.time_ns = lambda: int(moved() * 1_000_000_000)
