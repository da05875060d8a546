"""Records land in the day, hour or month that clocks in a zone show, whatever form their moment has."""

import json
import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from ozzy import Batch, ConfigError, DataError
from ozzy.builtin.groupers.time import TimeGrouper

MISSING = object()


def make(**options):
    return TimeGrouper({"name": "time", "options": {"field": "at", **options}})


def groups(values, **options):
    """The groups of some values: from lines, from records and one by one, which all have to agree."""
    records = [{"id": 1} if value is MISSING else {"id": 1, "at": value} for value in values]
    lines = [json.dumps(record).encode() for record in records]
    grouper = make(**options)
    found = list(grouper.keys(Batch.from_records(records)))

    assert found == list(grouper.keys(Batch.from_lines(lines)))
    assert found == list(make(**options).keys(Batch.from_lines(lines)))
    assert found == [make(**options).key(record) for record in records]
    return found


def group(value, **options):
    [[found]] = groups([value], **options)
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-31T02:30:00Z", "2024-03-31"),
        ("2024-03-31T02:30:00+00:00", "2024-03-31"),
        ("2024-03-31T01:30:00+02:00", "2024-03-30"),
        ("2024-03-31T23:30:00-02:00", "2024-04-01"),
        ("2024-03-31T23:59:59.999999Z", "2024-03-31"),
        ("2024-03-31T23:59:59,999Z", "2024-03-31"),
        ("2024-03-31 23:59:59", "2024-03-31"),
        ("2024-03-31T23:59", "2024-03-31"),
        ("2024-03-31", "2024-03-31"),
        ("20240331T235959Z", "2024-03-31"),
        ("2024-W13-7", "2024-03-31"),
        ("2024-02-29T12:00:00Z", "2024-02-29"),
        ("0001-01-01T00:00:00Z", "0001-01-01"),
        ("0999-12-31T00:00:00Z", "0999-12-31"),
        ("9999-12-31T23:59:59Z", "9999-12-31"),
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (86_399, "1970-01-01"),
        (86_399.5, "1970-01-01"),
        (86_400, "1970-01-02"),
        (1.5e9, "2017-07-14"),
        (253_402_300_799, "9999-12-31"),
        (-62_135_596_800, "0001-01-01"),
    ],
)
def test_the_day_of_a_moment(value, expected):
    assert group(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        MISSING, None, True, False, [], {}, [0], "", "soon", "2024-02-30", "2023-02-29T00:00:00Z", "2024-13-01", "2024-01-01T25:00:00Z",
        "1700000000", "2024-01-01T00:00:00+99:00", "x" * 10_000, "\u0000", 253_402_300_800, -62_135_596_801,
        1e300, 10**30, 10**100,
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
    ],
    ids=lambda value: "missing" if value is MISSING else repr(value)[:30],
)  # fmt: skip
def test_what_is_no_moment_is_unknown_or_refused(value):
    assert group(value) == "unknown"
    assert groups([value], format=["%Y", "%m"]) == [("unknown", "unknown")]
    batch = Batch.from_records([{"at": 0}, {} if value is MISSING else {"at": value}])
    with pytest.raises(DataError, match=r"^at is (missing|null|no moment between)") as raised:
        make(missing="reject").keys(batch)
    assert raised.value.row == 1
    assert len(raised.value.message) < 200


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none(value):
    assert make().key({"at": value}) == ("unknown",)


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("s", 1_700_000_000, "2023-11-14T22:13:20.000000"),
        ("s", 1_700_000_000.25, "2023-11-14T22:13:20.250000"),
        ("ms", 1_700_000_000_123, "2023-11-14T22:13:20.123000"),
        ("ms", 1_700_000_000_123.5, "2023-11-14T22:13:20.123500"),
        ("us", 1_700_000_000_123_456, "2023-11-14T22:13:20.123456"),
        ("ns", 1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456"),
        ("ms", -1, "1969-12-31T23:59:59.999000"),
        ("ns", -1, "1969-12-31T23:59:59.999999"),
    ],
)
def test_units_of_numbers(unit, value, expected):
    assert group(value, unit=unit, format="%Y-%m-%dT%H:%M:%S.%f") == expected


MADRID = {"zone": "Europe/Madrid", "format": "%Y-%m-%d %H:%M"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-31T00:59:59Z", "2024-03-31 01:59"),
        ("2024-03-31T01:00:00Z", "2024-03-31 03:00"),
        ("2024-10-27T00:30:00Z", "2024-10-27 02:30"),
        ("2024-10-27T01:30:00Z", "2024-10-27 02:30"),
        ("2024-10-27T02:00:00Z", "2024-10-27 03:00"),
        ("2024-12-31T23:00:00Z", "2025-01-01 00:00"),
        ("2024-06-30T22:00:00Z", "2024-07-01 00:00"),
        ("1900-01-01T00:00:00Z", "1899-12-31 23:45"),
        ("9999-12-31T22:59:59Z", "9999-12-31 23:59"),
        ("9999-12-31T23:00:00Z", "unknown"),
    ],
)
def test_summer_time(value, expected):
    assert group(value, **MADRID) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-31T01:59:59", "2024-03-31 00:59"),
        ("2024-03-31T02:30:00", "2024-03-31 01:30"),
        ("2024-03-31T03:00:00", "2024-03-31 01:00"),
        ("2024-10-27T02:30:00", "2024-10-27 00:30"),
        ("2024-10-27T02:30:00+01:00", "2024-10-27 01:30"),
        ("2024-07-01", "2024-06-30 22:00"),
        ("2024-07-01T00:00:00Z", "2024-07-01 00:00"),
    ],
)
def test_texts_without_an_offset_are_in_the_assumed_zone(value, expected):
    assert group(value, assume_zone="Europe/Madrid", format="%Y-%m-%d %H:%M") == expected


def test_a_time_that_does_not_exist_is_shown_as_clocks_do():
    assert group("2024-03-31T02:30:00", assume_zone="Europe/Madrid", **MADRID) == "2024-03-31 03:30"


def test_the_hour_that_comes_twice_can_be_told_apart():
    twice = ["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"]

    assert groups(twice, zone="Europe/Madrid", format="%H") == [("02",), ("02",)]
    assert groups(twice, zone="Europe/Madrid", format="%H%z") == [("02+0200",), ("02+0100",)]
    assert groups(twice, zone="Europe/Madrid", format="%H %Z") == [("02 CEST",), ("02 CET",)]


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("%Y", "0987"),
        ("%G-W%V", "0987-W06"),
        ("%y", "87"),
        ("%j", "036"),
        ("week %U of {0} %%Y", "week 05 of {0} %Y"),
        ("%Y年%m月", "0987年02月"),
        ("%I %p", "03 AM"),
        ("%H:%M", "03:04"),
        ("%S", "05"),
        ("%u", "1"),
    ],
)
def test_formats(format, expected):
    assert group("0987-02-05T03:04:05Z", format=format) == expected


def test_weeks_of_iso_have_years_of_their_own():
    assert groups(["2024-12-29", "2024-12-30", "2021-01-03"], format="%G-W%V") == [("2024-W52",), ("2025-W01",), ("2020-W53",)]


def test_several_formats_are_several_values():
    assert groups(["2024-03-31T01:00:00Z", None], zone="Europe/Madrid", format=["%Y", "%m", "%d %H"]) == [
        ("2024", "03", "31 03"),
        ("unknown",) * 3,
    ]
    assert TimeGrouper.width(make(format=["%Y", "%m"]).options) == 2
    assert TimeGrouper.width(make().options) == 1


def test_nested_fields():
    grouper = make(field="order.at")
    batch = Batch.from_records([{"order": {"at": 0}}, {"order": 5}, {"order.at": 0}, {}])

    assert list(grouper.keys(batch)) == [("1970-01-01",), ("unknown",), ("unknown",), ("unknown",)]
    assert grouper.reads == ("order",)


def test_moments_that_are_no_texts():
    west = timezone(timedelta(hours=-2))
    values = [datetime(2024, 1, 1, 23, tzinfo=UTC), datetime(2024, 1, 1, 23, tzinfo=west), datetime(2024, 1, 1), date(2024, 1, 1)]

    assert [make().key({"at": value}) for value in values] == [("2024-01-01",), ("2024-01-02",), ("2024-01-01",), ("2024-01-01",)]


@pytest.mark.parametrize("format", ["%Y-%m-%d", "%d %H", "%d %H:%M"])
def test_what_is_remembered_changes_nothing(format, monkeypatch):
    """Each moment around changes of clocks and days, with a memory of any size, lands where a grouper without memory puts it."""
    zone = zoneinfo.ZoneInfo("Europe/Madrid")
    start = datetime(2024, 10, 26, 20, tzinfo=UTC)
    moments = [start + timedelta(minutes=7 * number, seconds=number % 60) for number in range(300)]
    expected = [(moment.astimezone(zone).strftime(format),) for moment in moments]
    for kept in (0, 3, 10_000):
        monkeypatch.setattr("ozzy.builtin.groupers.time._KEPT", kept)
        assert groups([moment.isoformat() for moment in moments], zone="Europe/Madrid", format=format) == expected
        assert groups([int(moment.timestamp()) for moment in moments], zone="Europe/Madrid", format=format) == expected


def test_one_and_true_are_not_the_same():
    assert groups([1, True, 1.0, "1", 1]) == [("1970-01-01",), ("unknown",), ("1970-01-01",), ("unknown",), ("1970-01-01",)]


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({"field": ""}, "field", "at least 1"),
        ({"format": "%Q"}, "format", "unknown directive %Q"),
        ({"format": "%Y %"}, "format", "unknown directive %"),
        ({"format": "%-d"}, "format", "unknown directive %-"),
        ({"format": "%c"}, "format", "unknown directive %c"),
        ({"format": "year"}, "format", "the same for all times"),
        ({"format": "%%"}, "format", "the same for all times"),
        ({"format": ["%Y", "m"]}, "format.1", "the same for all times"),
        ({"format": []}, "format", "1"),
        ({"zone": "Europe/Madird"}, "zone", "unknown time zone 'Europe/Madird'"),
        ({"assume_zone": "../etc/passwd"}, "assume_zone", "unknown time zone"),
        ({"zone": ""}, "zone", "unknown time zone"),
        ({"zone": "Europe"}, "zone", "unknown time zone"),
        ({"unit": "h"}, "unit", "expected one of"),
        ({"missing": "drop"}, "missing", "expected one of"),
    ],
)
def test_wrong_options(options, path, message):
    with pytest.raises(ConfigError) as raised:
        make(**options)

    [problem] = raised.value.problems
    assert problem.path == f"grouper.options.{path}"
    assert message in problem.message


def test_a_misspelt_zone_is_told_near_ones():
    with pytest.raises(ConfigError, match=r"did you mean Europe/Madrid"):
        make(zone="Europe/Madird")


def test_without_rules_of_zones_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    with pytest.raises(ConfigError, match=r"no rules of time zones here.*\n?.*pip install tzdata"):
        make(zone="Europe/Nowhere")


def test_the_field_has_to_be_given():
    with pytest.raises(ConfigError, match="field: missing"):
        TimeGrouper()
