"""`cast` makes values of a type out of others where nothing is lost, and does with the rest what it is told."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from ozzy import Batch, ConfigError, DataError
from ozzy.builtin.transforms.cast import CastTransform
from ozzy.builtin.transforms.casts import CASTS, NoCast

FAILS = object()


def cast(fields, **options):
    return CastTransform({"options": {"fields": fields, **options}})


@pytest.mark.parametrize(
    ("wanted", "value", "expected"),
    [
        ("int", 2**70, 2**70),
        ("int", "12", 12),
        ("int", " -12\n", -12),
        ("int", "+0012", 12),
        ("int", "12.", 12),
        ("int", "-3.00", -3),
        ("int", "9" * 4300, int("9" * 4300)),
        ("int", "9" * 4301, FAILS),
        ("int", 3.0, 3),
        ("int", 1e300, int(1e300)),
        ("int", True, 1),
        ("int", 3.7, FAILS),
        ("int", "3.7", FAILS),
        ("int", "1e3", FAILS),
        ("int", "1_000", FAILS),
        ("int", "٣", FAILS),
        ("int", "", FAILS),
        ("int", "abc", FAILS),
        ("int", [[1, "2"]], [[1, 2]]),
        ("int", {}, FAILS),
        ("float", 1.5, 1.5),
        ("float", 3, 3.0),
        ("float", True, 1.0),
        ("float", "1.5e3", 1500.0),
        ("float", ".5", 0.5),
        ("float", "-7", -7.0),
        ("float", 2**53, float(2**53)),
        ("float", 2**53 + 1, FAILS),
        ("float", str(2**53 + 1), FAILS),
        ("float", 10**400, FAILS),
        ("float", "1e999", FAILS),
        ("float", "-1e999", FAILS),
        ("float", "nan", FAILS),
        ("float", "inf", FAILS),
        ("float", "1,5", FAILS),
        ("str", "é", "é"),
        ("str", 2**70, str(2**70)),
        ("str", 1.0, "1.0"),
        ("str", True, "true"),
        ("str", ["a", 1, None], ["a", "1", None]),
        ("str", {"a": 1}, FAILS),
        ("bool", False, False),
        ("bool", "Yes", True),
        ("bool", " off ", False),
        ("bool", "t", True),
        ("bool", "N", False),
        ("bool", "0", False),
        ("bool", 1, True),
        ("bool", 0.0, False),
        ("bool", 2, FAILS),
        ("bool", "", FAILS),
        ("bool", "maybe", FAILS),
        ("decimal", 5, "5"),
        ("decimal", 2**70, str(2**70)),
        ("decimal", 0.1, "0.1"),
        ("decimal", 1e22, "10000000000000000000000"),
        ("decimal", "1.50", "1.50"),
        ("decimal", " 1.50 ", "1.50"),
        ("decimal", "12345678901234567890.123456789012345678901234567890", "12345678901234567890.123456789012345678901234567890"),
        ("decimal", "1.5e3", "1500"),
        ("decimal", "1e-3", "0.001"),
        ("decimal", "1e4300", "1" + "0" * 4300),
        ("decimal", "1e4301", FAILS),
        ("decimal", "1e-4301", FAILS),
        ("decimal", "1e99999999999", FAILS),
        ("decimal", "9" * 4301, FAILS),
        ("decimal", True, FAILS),
        ("decimal", "NaN", FAILS),
        ("decimal", "abc", FAILS),
        ("decimal", {}, FAILS),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "20260228", "2026-02-28"),
        ("date", "2026-02-28T23:59:59Z", "2026-02-28"),
        ("date", "2026-02-30", FAILS),
        ("date", "28/02/2026", FAILS),
        ("date", 20260228, FAILS),
        ("date", True, FAILS),
        ("datetime", "2026-02-28", "2026-02-28T00:00:00"),
        ("datetime", " 2026-02-28 12:30 ", "2026-02-28T12:30:00"),
        ("datetime", "2026-02-28T12:30:00+00:00", "2026-02-28T12:30:00Z"),
        ("datetime", "2026-02-28T12:30:00.123456+01:00", "2026-02-28T12:30:00.123456+01:00"),
        ("datetime", "2026-02-28T12:30:00.1234567", FAILS),
        ("datetime", "", FAILS),
        ("datetime", 1772281800, FAILS),
        ("datetime", [], []),
    ],
)
def test_what_casts_to_what(made, wanted, value, expected):
    record, nested = {"a": value, "b": 1}, {"x": [{"y": value}, {}, None]}
    if expected is not FAILS:
        assert repr(made(cast({"a": wanted}), record)) == repr([{"a": expected, "b": 1}])
        assert repr(made(cast({"x.y": wanted}), nested)) == repr([{"x": [{"y": expected}, {}, None]}])
        return
    assert made(cast({"a": wanted}, on_error="null"), record) == [{"a": None, "b": 1}]
    assert made(cast({"a": wanted}, on_error=None), record) == [{"a": None, "b": 1}]
    assert repr(made(cast({"a": wanted}, on_error="keep"), record)) == repr([record])
    for batch in (Batch.from_records([{}, record]), Batch.from_lines([b"{}", Batch.from_records([record]).lines[0]])):
        with pytest.raises(DataError, match=f"^a does not cast to {wanted}: .") as raised:
            cast({"a": wanted}).transform_batch(batch)
        assert raised.value.row == 1


@pytest.mark.parametrize(
    ("wanted", "value", "expected"),
    [
        ("date", date(2026, 2, 28), "2026-02-28"),
        ("date", datetime(2026, 2, 28, 12), "2026-02-28"),
        ("datetime", date(2026, 2, 28), "2026-02-28T00:00:00"),
        ("datetime", datetime(2026, 2, 28, 12, tzinfo=UTC), "2026-02-28T12:00:00Z"),
        ("datetime", datetime(2026, 2, 28, 12, tzinfo=timezone(timedelta(hours=1))), "2026-02-28T12:00:00+01:00"),
        ("str", date(2026, 2, 28), "2026-02-28"),
        ("decimal", Decimal("1.50"), "1.50"),
    ],
)
def test_values_that_only_python_has(wanted, value, expected):
    assert CASTS[wanted](value) == expected


@pytest.mark.parametrize("wanted", ["int", "float", "bool", "decimal"])
def test_no_number_is_infinite(wanted):
    for value in (math.nan, math.inf, -math.inf):
        if wanted == "float":
            continue
        with pytest.raises((NoCast, DataError)):
            CASTS[wanted](value)


def test_null_stays_null_and_missing_missing(made):
    assert made(cast({"a": "int", "b.c": "str"}), {"a": None, "b": {}}, {"b": None}, {"b": 5}) == [
        {"a": None, "b": {}},
        {"b": None},
        {"b": 5},
    ]


def test_what_is_of_the_type_already_keeps_its_bytes(new_lines):
    line = '{ "f": 1.50, "n":[1, 2] ,"d":"2026-01-01", "s":"\\u0061"}'

    assert new_lines(cast({"f": "float", "n": "int", "d": "date", "s": "str"}), line) == [line]
    assert new_lines(cast({"n": "str"}), line) == ['{"f":1.50,"n":["1","2"],"d":"2026-01-01","s":"\\u0061"}']


def test_only_what_does_not_cast_becomes_null(made):
    assert made(cast({"a": "int"}, on_error="null"), {"a": ["1", "x", 2]}) == [{"a": [1, None, 2]}]


def test_long_values_are_cut_in_messages():
    with pytest.raises(DataError, match=r"^a does not cast to int: 'x{40}…' \(str\)$"):
        cast({"a": "int"}).transform_batch(Batch.from_records([{"a": "x" * 1000}]))
    with pytest.raises(DataError, match="it is an integer of very many digits"):
        cast({"a": "float"}).transform_batch(Batch.from_records([{"a": 10**5000}]))


def test_numbers_out_of_range_are_bad(new_lines):
    with pytest.raises(DataError, match="out of range") as raised:
        new_lines(cast({"a": "int"}, on_error="keep"), "{}", '{"a":1e999}')

    assert raised.value.row == 1
    assert new_lines(cast({"b": "int"}), '{"a":1e999,"b":"1"}') == ['{"a":1e999,"b":1}']


def test_formats(made):
    formats = {"a": "%d/%m/%Y", "b.c": "%Y %m %d %H:%M %z"}
    transform = cast({"a": "date", "b.c": "datetime", "d": "date"}, formats=formats, on_error="null")

    assert made(transform, {"a": " 31/12/2026 ", "b": {"c": "2026 01 02 03:04 +0000"}, "d": "2026-01-01"}) == [
        {"a": "2026-12-31", "b": {"c": "2026-01-02T03:04:00Z"}, "d": "2026-01-01"}
    ]
    assert made(transform, {"a": "2026-12-31", "b": {"c": 5}}) == [{"a": None, "b": {"c": None}}]
    records = transform.transform_batch(Batch.from_records([{"a": date(2026, 1, 2), "b": {"c": datetime(2026, 1, 2)}}])).records
    assert records == [{"a": "2026-01-02", "b": {"c": "2026-01-02T00:00:00"}}]


def test_separators(made):
    assert made(cast({"a.b": "int"}, nested_field_separator=""), {"a.b": "1", "a": {"b": "2"}}) == [{"a.b": 1, "a": {"b": "2"}}]


def test_what_it_says_of_itself():
    transform = cast({"a.b": "int", "c": "str"})

    assert (transform.reads, transform.writes, transform.face) == (("a", "c"), ("a", "c"), "fields a, c")


def test_mistakes():
    with pytest.raises(ConfigError) as raised:
        cast({"a": "int", "a.b": "date"}, formats={"a": "%d", "x": "%d"})

    assert [str(problem) for problem in raised.value.problems] == [
        "transform.options.fields.a.b: it lies inside 'a', which is named too",
        "transform.options.formats.a: it is the format of a field that is not cast to date or datetime",
        "transform.options.formats.x: it is the format of a field that is not cast to date or datetime",
    ]
    for options in ({"fields": {"a": "integer"}}, {"fields": {}}, {"fields": {"a": "int"}, "on_error": "skip"}):
        with pytest.raises(ConfigError):
            CastTransform({"options": options})
