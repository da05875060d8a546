"""Columns as records, and records as columns: exactly, or not at all."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ozzy import Batch, DataError
from ozzy.data.json_text import decode_line
from ozzy_arrow.fitting import fitted

OPTIONS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@OPTIONS
@given(data=st.data())
def test_columns_come_back_from_records_and_from_lines(tables, data):
    table = data.draw(tables)
    records, lines = Batch.from_table(table).records, Batch.from_table(table).lines

    for again in (records, list(map(decode_line, lines))):
        made = fitted(again, table.schema)
        made.validate(full=True)
        assert made.equals(pa.Table.from_batches(table.combine_chunks().to_batches(), schema=table.schema))


@pytest.mark.parametrize(
    ("kind", "value", "form"),
    [
        (pa.timestamp("ns", "Europe/Madrid"), 1, "1970-01-01T00:00:00.000000001Z"),
        (pa.timestamp("s"), datetime(2024, 5, 1, 10), "2024-05-01T10:00:00"),
        (pa.timestamp("us", "UTC"), datetime(2024, 5, 1, 10, tzinfo=UTC), "2024-05-01T10:00:00.000000Z"),
        (pa.date32(), date(2024, 5, 1), "2024-05-01"),
        (pa.date64(), date(2024, 5, 1), "2024-05-01"),
        (pa.time64("us"), time(1, 2, 3), "01:02:03.000000"),
        (pa.duration("s"), timedelta(minutes=1), 60),
        (pa.decimal128(38, 20), Decimal("1e-20"), "0.00000000000000000001"),
        (pa.decimal256(50, 2), Decimal("1.10"), "1.10"),
        (pa.binary(), b"\xff\x00", "/wA="),
        (pa.float16(), 1.5, 1.5),
        (pa.float32(), 0.5, 0.5),
        (pa.uint64(), 2**64 - 1, 2**64 - 1),
        (pa.map_(pa.string(), pa.int8()), [("k", 1)], {"k": 1}),
        (pa.map_(pa.int8(), pa.string()), [(1, "x")], [{"key": 1, "value": "x"}]),
        (pa.list_(pa.int8(), 2), [1, None], [1, None]),
        (pa.struct([("a", pa.list_(pa.date32()))]), {"a": [date(2024, 5, 1), None]}, {"a": ["2024-05-01", None]}),
        (pa.dictionary(pa.int8(), pa.string()), "x", "x"),
    ],
)
def test_what_a_value_is_in_a_record(kind, value, form):
    table = pa.table({"a": pa.array([None, value], kind)})

    assert Batch.from_table(table.slice(1)).records == [{"a": form}]
    assert Batch.from_table(table).records == [{"a": None}, {"a": form}]
    assert repr(Batch.from_table(table).select(("a",))) == repr([(None,), (form,)])
    if not pa.types.is_date64(kind):
        assert fitted([{"a": None}, {"a": form}], table.schema).equals(table)


@pytest.mark.parametrize("kind", [pa.string_view(), pa.binary_view(), pa.list_view(pa.int8())])
def test_views_are_values_too(kind):
    value = {"string_view": "x", "binary_view": b"x"}.get(str(kind), [1, 2])
    form = "eA==" if value == b"x" else value

    assert Batch.from_table(pa.table({"a": pa.array([value, None], kind)})).records == [{"a": form}, {"a": None}]


def test_runs_and_extensions_are_what_they_hold():
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], ["x", None])

    assert [row["a"] for row in Batch.from_table(pa.table({"a": runs})).records] == ["x", "x", None]
    assert Batch.from_table(pa.table({"a": pa.array(['{"b":1}'], pa.json_())})).records == [{"a": '{"b":1}'}]


def test_a_type_without_a_form_in_records_is_told():
    table = pa.table({"a": pa.array([(1, 2, 3)], pa.month_day_nano_interval())})

    with pytest.raises(DataError, match="a: values of the type month_day_nano_interval have no form in a record"):
        _ = Batch.from_table(table).records


def test_texts_that_are_not_utf8_are_bad_rows():
    texts = pa.Array.from_buffers(pa.string(), 2, pa.array([b"a", b"\xff"], pa.binary()).buffers())

    with pytest.raises(DataError, match="a: not UTF-8") as caught:
        _ = Batch.from_table(pa.table({"a": texts})).records
    assert caught.value.row == 1


def test_two_columns_of_one_name_are_refused():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])

    with pytest.raises(DataError, match="two columns are called 'a'"):
        Batch.from_table(table)
    inner = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["b", "b"])
    with pytest.raises(DataError, match="two fields of an object have one name"):
        _ = Batch.from_table(pa.table({"a": inner})).records


def test_a_table_without_columns_has_records():
    table = pa.table({"a": [1, 2]}).select([])

    assert Batch.from_table(table).records == [{}, {}]
    assert Batch.from_table(table).select(()) == [(), ()]
    assert fitted([{}, {}], pa.schema([])).num_rows == 2


@pytest.mark.parametrize(
    ("kind", "bad", "told"),
    [
        (pa.int64(), 1.0, "1.0 does not fit a column of the type int64"),
        (pa.int64(), True, "True does not fit"),
        (pa.int64(), 2**63, "does not fit"),
        (pa.int8(), 128, "128 does not fit"),
        (pa.uint8(), -1, "-1 does not fit"),
        (pa.float64(), 2**53 + 1, "9007199254740993 does not fit"),
        (pa.float64(), 10**400, "does not fit"),
        (pa.float64(), "1", "'1' does not fit"),
        (pa.float32(), 0.1, "0.1 does not fit"),
        (pa.float32(), 1e300, "does not fit"),
        (pa.bool_(), 1, "1 does not fit"),
        (pa.string(), 1, "1 does not fit"),
        (pa.string(), "\ud800", "does not fit"),
        (pa.date32(), "2024-05-01T00:00:00", "does not fit"),
        (pa.date32(), "2024-02-30", "does not fit"),
        (pa.date32(), datetime(2024, 5, 1), "does not fit"),
        (pa.timestamp("s"), "2024-05-01T00:00:00.5", "does not fit"),
        (pa.timestamp("us"), "2024-05-01T00:00:00Z", "does not fit"),
        (pa.timestamp("us", "UTC"), "2024-05-01T00:00:00", "does not fit"),
        (pa.timestamp("us"), 5, "5 does not fit"),
        (pa.time32("s"), "25:00:00", "does not fit"),
        (pa.duration("s"), "PT1S", "does not fit"),
        (pa.duration("s"), timedelta(microseconds=1), "does not fit"),
        (pa.decimal128(4, 2), "1.234", "does not fit"),
        (pa.decimal128(4, 2), "100", "does not fit"),
        (pa.decimal128(4, 2), "NaN", "does not fit"),
        (pa.decimal128(4, 2), "x", "does not fit"),
        (pa.binary(), "no base64!", "does not fit"),
        (pa.binary(), "YR==", "does not fit"),
        (pa.binary(2), "YQ==", "does not fit"),
        (pa.null(), 1, "1 does not fit"),
        (pa.list_(pa.int8()), [1, "x"], "'x' does not fit"),
        (pa.list_(pa.int8()), {}, "{} does not fit"),
        (pa.list_(pa.int8(), 2), [1], "does not fit"),
        (pa.struct([("a", pa.int8())]), {"a": "x"}, "a: 'x' does not fit"),
        (pa.struct([("a", pa.int8())]), {"b": 1}, "'b' is no field of its type"),
        (pa.struct([pa.field("a", pa.int8(), nullable=False)]), {"a": None}, "a: a value is missing"),
        (pa.map_(pa.string(), pa.int8()), {"a": "x"}, "does not fit"),
        (pa.map_(pa.string(), pa.int8()), [], "does not fit"),
        (pa.dictionary(pa.int32(), pa.string()), 1, "1 does not fit"),
        (pa.month_day_nano_interval(), "x", "can't be made into columns"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_of_its_row(kind, bad, told):
    rows = [{"a": None}, {"a": None}, {"a": bad}, {"a": None}]
    if kind == pa.month_day_nano_interval():
        rows = rows[2:]

    with pytest.raises(DataError) as caught:
        fitted(rows, pa.schema([("a", kind)]))
    assert told in caught.value.message
    assert caught.value.message.startswith("a: ")
    assert caught.value.row == rows.index({"a": bad})


def test_the_row_is_found_behind_lists():
    rows = [{"a": [[1], None]}, {"a": None}, {"a": []}, {"a": [None, [2, "x"]]}, {"a": [[3]]}]

    with pytest.raises(DataError) as caught:
        fitted(rows, pa.schema([("a", pa.list_(pa.list_(pa.int64())))]))
    assert caught.value.row == 3


def test_numbers_fit_where_the_column_holds_exactly_them():
    schema = pa.schema([("a", pa.float64()), ("b", pa.decimal128(10, 2))])

    made = fitted([{"a": 1, "b": 1.5}, {"a": 2**60, "b": 3}, {"a": float("nan"), "b": Decimal("0.10")}], schema)
    assert str(made.column("a").to_pylist()) == "[1.0, 1.152921504606847e+18, nan]"
    assert made.column("b").to_pylist() == [Decimal("1.50"), Decimal("3.00"), Decimal("0.10")]


def test_values_of_python_fit_too():
    schema = pa.schema(
        [("a", pa.timestamp("ms", "UTC")), ("b", pa.date32()), ("c", pa.time64("us")), ("d", pa.duration("ms")), ("e", pa.binary())]
    )
    row = {"a": datetime(2024, 5, 1, tzinfo=UTC), "b": date(2024, 5, 1), "c": time(1), "d": timedelta(seconds=1), "e": b"x"}

    assert fitted([row], schema).to_pylist() == [row]


def test_a_field_without_a_column_is_refused_or_dropped():
    schema = pa.schema([("a", pa.int64())])

    with pytest.raises(DataError, match="'b' is no column of the schema") as caught:
        fitted([{"a": 1}, {"a": 1, "b": 2}], schema)
    assert caught.value.row == 1
    assert fitted([{"a": 1, "b": 2}, {}], schema, drop_others=True).to_pylist() == [{"a": 1}, {"a": None}]


def test_a_value_that_has_to_be_there_has_to_be_there():
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False)])

    for rows in ([{"a": 1}, {"a": None}], [{"a": 1}, {}]):
        with pytest.raises(DataError, match="a: a value is missing") as caught:
            fitted(rows, schema)
        assert caught.value.row == 1
