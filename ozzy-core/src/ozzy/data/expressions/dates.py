"""The module datetime as expressions know it. What is now is the run's start, so that a resumed run has the same now."""
# ruff: noqa: ARG001 - functions of expressions are all called alike, with the context first

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final

from ozzy.data.expressions.context import Context, Function, LimitExceeded
from ozzy.data.expressions.texts import date_format

_LONGEST: Final = 200


def _now(context: Context, tz: Any = None) -> datetime:
    return context.start.replace(tzinfo=None) if tz is None else context.start.astimezone(tz)


def _utcnow(context: Context) -> datetime:
    return context.start.astimezone(UTC).replace(tzinfo=None)


def _today(context: Context) -> datetime:
    return context.start.replace(tzinfo=None)


def _date_today(context: Context) -> date:
    return context.start.date()


def _parsed(context: Context, text: Any, pattern: Any) -> datetime:
    if type(text) is not str or type(pattern) is not str:
        raise TypeError("strptime() takes a text and its format")
    if len(text) > _LONGEST or len(pattern) > _LONGEST:
        raise LimitExceeded(f"strptime() takes texts of at most {_LONGEST} characters")
    context.spend(len(text) + len(date_format(context, pattern)))
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - as it is written


def _of(method: Any) -> Any:
    def run(context: Context, *values: Any, **named: Any) -> Any:
        for value in (*values, *named.values()):
            if type(value) is str and len(value) > _LONGEST:
                raise LimitExceeded(f"a date's text may have {_LONGEST} characters")
        return method(*values, **named)

    return run


def _utc_from(context: Context, seconds: Any) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _methods(kind: Any, names: str) -> dict[str, Any]:
    return {name: Function(name, _of(getattr(kind, name))) for name in names.split()}


_bounds = ("min", "max", "resolution")

DATETIME: Final[dict[str, Any]] = {
    "MINYEAR": 1,
    "MAXYEAR": 9999,
    "UTC": UTC,
    "datetime": Function(
        "datetime",
        _of(datetime),
        kind=datetime,
        attributes={
            **{name: getattr(datetime, name) for name in _bounds},
            **_methods(datetime, "combine fromisocalendar fromisoformat fromordinal fromtimestamp"),
            "now": Function("now", _now),
            "strptime": Function("strptime", _parsed),
            "today": Function("today", _today),
            "utcfromtimestamp": Function("utcfromtimestamp", _utc_from),
            "utcnow": Function("utcnow", _utcnow),
        },
    ),
    "date": Function(
        "date",
        _of(date),
        kind=date,
        attributes={
            **{name: getattr(date, name) for name in _bounds},
            **_methods(date, "fromisocalendar fromisoformat fromordinal fromtimestamp"),
            "today": Function("today", _date_today),
        },
    ),
    "time": Function(
        "time",
        _of(time),
        kind=time,
        attributes={**{name: getattr(time, name) for name in _bounds}, **_methods(time, "fromisoformat")},
    ),
    "timedelta": Function("timedelta", _of(timedelta), kind=timedelta, attributes={name: getattr(timedelta, name) for name in _bounds}),
    "timezone": Function(
        "timezone", _of(timezone), kind=timezone, attributes={name: getattr(timezone, name) for name in ("utc", "min", "max")}
    ),
}
