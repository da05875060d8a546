"""Grouping by time: the day, month, hour or whatever else of a moment, in a time zone."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from typing import Any, ClassVar, Final

from ozzy import BaseGrouper, Batch, DataError, Problem, option, options
from ozzy.contracts.grouper import GroupKey
from ozzy.data.field_path import FieldPath
from ozzy.data.json_text import MISSING

UNKNOWN: Final = "unknown"

_UNITS: Final = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT: Final = 10_000
_DIRECTIVE: Final = re.compile(r"%(.?)", re.DOTALL)
_OF_A_DAY: Final = frozenset("YmdjyUWuwGVAaBb%")
_OF_A_MOMENT: Final = frozenset("HIMSfpzZ")

_BUCKETS: Final[tuple[tuple[frozenset[str], Callable[[datetime], Any]], ...]] = (
    (_OF_A_DAY, datetime.date),
    (_OF_A_DAY | frozenset("HIp"), lambda local: (local.toordinal(), local.hour)),
    (_OF_A_DAY | frozenset("HIpM"), lambda local: (local.toordinal(), local.hour, local.minute)),
)
"""What all times have in common that some letters write alike, the coarsest first."""


@options
class TimeOptions:
    """Options of the grouper by time."""

    field: str = option(minimum=1, help="The field with the moment; nested ones with dots between the names.", example="order.created_at")
    format: str | list[str] = option(
        default="%Y-%m-%d",
        minimum=1,
        help="What of it makes the group, in the letters of strftime; a list gives a group of several values.",
        example=["%Y", "%m"],
    )
    zone: str = option(default="UTC", help="The time zone of the groups, by its IANA name.", example="Europe/Madrid")
    assume_zone: str = option(default="UTC", help="The time zone of texts without an offset.", example="Europe/Madrid")
    unit: str = option(default="s", choices=tuple(_UNITS), help="What numbers count since 1970-01-01 UTC.")
    missing: str = option(
        default="unknown",
        choices=("unknown", "reject"),
        help="What becomes of a record whose field is missing, null or no moment: it lands in the group `unknown`, or is a bad record.",
    )


class TimeGrouper(BaseGrouper):
    """A group for each day, or whatever the format makes, of a moment, as clocks in a zone show it.

    Texts are ISO 8601: `2024-03-31T02:30:00+01:00`, with `Z`, without an offset, or a date alone, which is its first moment. Numbers count
    from 1970, fractions included. A moment that does not exist because clocks went forward is taken with the offset before; one that
    exists twice without saying which is the first. The hour that clocks go through twice is one group, unless the format has `%z`. Years
    are 1 to 9999; a moment outside of them, in UTC or in the zone, is none.
    """

    Options: ClassVar[type] = TimeOptions
    independent = True

    @classmethod
    def check_options(cls, options: TimeOptions) -> Iterator[Problem]:
        """Zones that are not known, and formats that are the same for all times."""
        for name in ("zone", "assume_zone"):
            if (told := _problem_with_zone(getattr(options, name))) is not None:
                yield Problem(name, *told)
        several = isinstance(options.format, list)
        for number, text in enumerate(_formats(options)):
            path = f"format.{number}" if several else "format"
            letters = _DIRECTIVE.findall(text)
            wrong = sorted({letter for letter in letters if letter not in _OF_A_DAY | _OF_A_MOMENT or not letter})
            if wrong:
                known = " ".join(f"%{letter}" for letter in sorted(_OF_A_DAY | _OF_A_MOMENT))
                yield Problem(path, f"unknown directive {', '.join(f'%{letter}' for letter in wrong)}", f"known are {known}")
            elif not set(letters) - {"%"}:
                yield Problem(path, f"the same for all times, given {text!r}", "%Y-%m-%d makes a group a day")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._path = FieldPath.parse(self.options.field)
        self._formats = [_portable(text) for text in _formats(self.options)]
        self._zone, self._assumed = _zone(self.options.zone), _zone(self.options.assume_zone)
        letters = {letter for text in self._formats for letter in _DIRECTIVE.findall(text)}
        self._bucket = next((bucket for known, bucket in _BUCKETS if letters <= known), None)
        self._units = _UNITS[self.options.unit]
        self._by_value: dict[Any, GroupKey] = {}
        self._by_bucket: dict[Any, GroupKey] = {}
        self.reads = (self._path.root,)

    @classmethod
    def width(cls, options: TimeOptions) -> int:
        return len(_formats(options))

    def key(self, item: Any) -> tuple[Any, ...]:
        return self._group(self._path.get(item))

    def keys(self, batch: Batch) -> Sequence[GroupKey]:
        values = [value for (value,) in batch.select((self._path.root,))]
        if len(self._path.steps) > 1:
            values = list(map(self._path.within, values))
        known, groups = self._by_value, []
        for row, value in enumerate(values):
            keep = type(value) is str or type(value) is int
            group = known.get(value) if keep else None
            if group is None:
                try:
                    group = self._group(value)
                except DataError as error:
                    error.row = row
                    raise
                if keep:
                    if len(known) >= _KEPT:
                        known.clear()
                    known[value] = group
            groups.append(group)
        return groups

    def _group(self, value: Any) -> GroupKey:
        try:
            local = self._moment(value).astimezone(self._zone)
        except (ValueError, OverflowError) as error:
            if self.options.missing == "reject":
                raise DataError(f"{self.options.field} {_told(value)}") from error
            return (UNKNOWN,) * len(self._formats)
        if self._bucket is None:
            return tuple([_written(local, text) for text in self._formats])
        bucket = self._bucket(local)
        group = self._by_bucket.get(bucket)
        if group is None:
            if len(self._by_bucket) >= _KEPT:
                self._by_bucket.clear()
            group = self._by_bucket[bucket] = tuple([_written(local, text) for text in self._formats])
        return group

    def _moment(self, value: Any) -> datetime:
        """The moment that a value tells, in UTC. Raises ValueError or OverflowError where it is none."""
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
        elif isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime.combine(value, time())
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            return _EPOCH + _duration(value, self._units)
        else:
            raise ValueError("no moment")  # noqa: TRY004 - of a record, not of a program
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=self._assumed)).astimezone(UTC)


def _duration(value: Any, units: int) -> timedelta:
    if isinstance(value, float):
        return timedelta(seconds=value / units)
    seconds, rest = divmod(value, units)
    return timedelta(seconds=seconds, microseconds=rest * 1_000_000 // units)


def _formats(options: TimeOptions) -> list[str]:
    return options.format if isinstance(options.format, list) else [options.format]


def _portable(text: str) -> str:
    """A format without `%Y` and `%G`, which systems write in different ways before the year 1000."""
    return _DIRECTIVE.sub(lambda found: {"Y": "{0:04}", "G": "{1:04}"}.get(found[1], found[0]), text.replace("{", "{{").replace("}", "}}"))


def _written(local: datetime, text: str) -> str:
    return local.strftime(text).format(local.year, local.isocalendar().year)


def _told(value: Any) -> str:
    if value is MISSING:
        return "is missing"
    return "is null" if value is None else f"is no moment between the years 1 and 9999: {str(value)[:60]!r}"


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return UTC if name == "UTC" else ZoneInfo(name)


def _problem_with_zone(name: str) -> tuple[str, str | None] | None:
    """What is wrong with the name of a zone, and what to do; it is looked up in the rules of the system, or of the package tzdata."""
    from zoneinfo import available_timezones

    try:
        _zone(name)
    except (ValueError, OSError, LookupError):
        names = sorted(available_timezones())
        if not names:
            return f"there are no rules of time zones here, so {name!r} can't be looked up", "pip install tzdata"
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        return f"unknown time zone {name!r}", f"did you mean {' or '.join(near)}?" if near else "IANA names are like Europe/Madrid"
    return None
