"""Whatever face a stage asks for, the outcome is the same: columns beside lines and records."""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ozzy import Batch, DataError
from ozzy.builtin.filters.key_value import KeyValueFilter, KeyValueRegexFilter
from ozzy.builtin.formatters.csv import CSVExportFormatter
from ozzy.builtin.groupers.file_key import FileKeyGrouper
from ozzy.builtin.transforms.cast import CastTransform
from ozzy.builtin.transforms.drop import DropTransform
from ozzy.builtin.transforms.rename import RenameTransform
from ozzy.builtin.transforms.select import SelectTransform
from ozzy.contracts.filter_chain import FilterChain
from ozzy.data.json_text import decode_line, encode_record

FIELDS = st.sampled_from(["a", "b", "c", "a.b", "é", "x"])
EXTREME = [2**63, -(2**63), 2**53 + 1, 2**64 - 1, 127.5, -0.5, 1e300, 2.0**53, 0.1]
WANTED = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from(EXTREME),
    st.sampled_from([0.0, 1.0, "", "a", "\ud800", "é", "2000-01-01", [1], {}]),
)
OPERATORS = ["==", "!=", ">", ">=", "<", "<=", "in", "not_in", "contains", "re_match", "exists"]
OPTIONS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@st.composite
def conditions(draw, values):
    operator = draw(st.sampled_from(OPERATORS))
    wanted = st.one_of(WANTED, st.sampled_from(values)) if values else WANTED
    value = draw(wanted)
    if operator in {"in", "not_in"}:
        value = draw(st.lists(wanted, max_size=3) | st.just("abc") | st.just({"a": 1}))
    elif operator in {">", ">=", "<", "<="} and (isinstance(value, (bool, list, dict)) or value is None):
        value = 1
    elif operator == "re_match":
        value = draw(st.sampled_from(["a", "[0-9]", ".", "true"]))
    elif operator == "exists":
        value = draw(st.booleans())
    return {"name": draw(FIELDS), "operator": operator, "value": value}


@st.composite
def filters(draw, values):
    made = [
        (KeyValueRegexFilter if entry["operator"] == "re_match" and draw(st.booleans()) else KeyValueFilter)({"options": {"keys": [entry]}})
        for entry in draw(st.lists(conditions(values), min_size=1, max_size=3))
    ]
    operator = draw(st.sampled_from(["and", "or", "not"]))
    if operator == "not":
        return FilterChain("not", [("not", made[0])])
    return FilterChain(operator, [(f"{operator}.{at}", one) for at, one in enumerate(made)])


@st.composite
def stages(draw, values):
    kind = draw(st.sampled_from(["filter", "filter", "take", "where", "select", "drop", "rename", "cast", "look"]))
    if kind == "filter":
        chosen = draw(filters(values))
        return lambda batch: batch.where(chosen.mask(batch))
    if kind == "take":
        return lambda batch: batch.take(range(len(batch) - 1, -1, -1))
    if kind == "where":
        every = draw(st.integers(1, 3))
        return lambda batch: batch.where([row % every == 0 for row in range(len(batch))])
    if kind == "look":
        return lambda batch: (batch.select(("a",)), batch)[1]
    fields = draw(st.lists(FIELDS, min_size=1, max_size=3, unique=True))
    separator = draw(st.sampled_from(["", "."]))
    options = {"fields": fields, "nested_field_separator": separator}
    if kind == "rename":
        news = draw(st.permutations(["a", "b", "n", "é"]))
        collision = draw(st.sampled_from(["replace", "keep", "reject"]))
        options |= {"fields": dict(zip(fields, news, strict=False)), "on_collision": collision}
    if kind == "cast":
        options |= {"fields": {fields[0]: draw(st.sampled_from(["str", "int", "float", "decimal", "datetime"]))}, "on_error": "null"}
    made = {"select": SelectTransform, "drop": DropTransform, "rename": RenameTransform, "cast": CastTransform}[kind]({"options": options})
    return made.transform_batch


def outcome(batch, steps):
    """All that can be seen of a batch after some stages, types included; or the row that fails."""
    try:
        for step in steps:
            if not len(batch):
                break
            batch = step(batch)
        groups = FileKeyGrouper({"options": {"keys": ["a", "a.b"]}}).keys(batch) if len(batch) else []
        parts = [Batch(**{face: getattr(batch, face)}) for face in batch.faces]
        return (
            len(batch),
            list(batch.origin),
            list(map(tuple, groups)),
            {repr(list(map(dict, part.records))) for part in parts},
            repr(list(map(decode_line, batch.lines))),
            repr(batch.select(("a", "x", "é"))),
        )
    except DataError as error:
        return error.row, error.message


@OPTIONS
@given(data=st.data())
def test_all_faces_come_to_the_same(tables, data):
    table = data.draw(tables)
    records = Batch.from_table(table).records
    values = [value for record in records for value in record.values() if isinstance(value, (int, float, str))]
    steps = data.draw(st.lists(stages(values), max_size=4))
    origin = range(10, 10 + len(records))

    by_columns = outcome(Batch.from_table(table, origin=origin), steps)
    by_records = outcome(Batch.from_records(Batch.from_table(table).records, origin=origin), steps)
    by_lines = outcome(Batch.from_lines(Batch.from_table(table).lines, origin=origin), steps)

    assert by_columns == by_records == by_lines


@OPTIONS
@given(data=st.data())
def test_lines_of_columns_are_those_of_their_records(tables, data):
    table = data.draw(tables)

    assert Batch.from_table(table).lines == [encode_record(record) for record in Batch.from_table(table).records]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("more", [{}, {"list": [[1.0]] * 5}, {'a "name"': [None] * 5}])
def test_a_number_that_json_has_not_is_told_with_its_row(bad, more):
    batch = Batch.from_table(pa.table({"text": ["null"] * 5, "number": [1.0, None, 2.5, bad, 1.0]} | more))

    with pytest.raises(DataError, match="it holds NaN or an infinite number") as raised:
        batch.lines  # noqa: B018
    assert raised.value.row == 3


def test_lines_of_columns_without_a_name_or_without_columns():
    assert Batch.from_table(pa.table({"": [1, None]})).lines == [b'{"":1}', b'{"":null}']
    assert Batch.from_table(pa.table({"a": [1, 2]}).select([])).lines == [b"{}", b"{}"]


@OPTIONS
@given(data=st.data())
def test_a_filter_says_the_same_of_each_row(plain_tables, data):
    table = data.draw(plain_tables)
    records = Batch.from_table(table).records
    values = [value for record in records for value in record.values() if isinstance(value, (int, float, str))]
    entry = data.draw(conditions(values))
    entry["name"] = data.draw(st.sampled_from([*table.column_names, "x"]))
    chosen = KeyValueFilter({"options": {"keys": [entry], "nested_field_separator": ""}})

    assert list(chosen.mask(Batch.from_table(table))) == [bool(chosen.filter(record)) for record in records]


@pytest.mark.parametrize("operator", ["==", "!=", ">", ">=", "<", "<=", "in", "not_in"])
@pytest.mark.parametrize("wanted", [0, 1.0, 0.5, -1, 2**53 + 1, 2**70, 1e300, float("inf"), "1", True, None])
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int64(), pa.uint8(), pa.bool_(), pa.string()])
def test_numbers_that_are_hard_to_compare(operator, wanted, kind):
    given_ = [None, 0, 1, float("nan"), 0.5, float("inf"), float("-inf")] if pa.types.is_floating(kind) else [None, 0, 1, 2]
    given_ = given_ if not pa.types.is_int64(kind) else [*given_, 2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, -(2**63)]
    table = pa.table({"a": pa.array([None if one is None else bool(one) for one in given_], kind)} if pa.types.is_boolean(kind)
                     else {"a": pa.array([None if one is None else str(one) for one in given_], kind)} if pa.types.is_string(kind)
                     else {"a": pa.array(given_, kind)})  # fmt: skip
    if operator in {">", ">=", "<", "<="} and (wanted is None or wanted is True):
        pytest.skip("no order")
    value = [wanted] if "in" in operator else wanted
    chosen = KeyValueFilter({"options": {"keys": [{"name": "a", "operator": operator, "value": value}]}})

    assert list(chosen.mask(Batch.from_table(table))) == [bool(chosen.filter(row)) for row in Batch.from_table(table).records]


def written(batch, fields, **options):
    formatter = CSVExportFormatter({"options": {"fields": fields, **options}})
    try:
        return formatter.format_rows(batch)
    except DataError as error:
        return error.row, error.message


@OPTIONS
@given(data=st.data())
def test_rows_of_csv_are_the_same_of_columns_and_of_records(tables, data):
    table = data.draw(tables)
    fields = data.draw(st.lists(st.sampled_from([*table.schema.names, "x"]), min_size=1, max_size=4, unique=True))
    options = data.draw(st.sampled_from([{}, {"delimiter": ";", "line_end": "crlf"}, {"quoting": "kept"}, {"quoting": "all"}]))
    records = Batch.from_table(table).records

    assert written(Batch.from_table(table), fields, **options) == written(Batch.from_records(records), fields, **options)


def test_a_cell_without_a_form_in_csv_is_told_with_its_row():
    row, message = written(Batch.from_table(pa.table({"a": [1.0, float("nan")], "b": ["x", "y"]})), ["b", "a"])

    assert row == 1
    assert "NaN" in message


def test_a_column_that_is_not_touched_stays_a_column():
    table = pa.table({"a": [1, 2, 3], "b": pa.array([1, 2, 3], pa.timestamp("ns", "UTC")), "c": ["x", "y", "z"]})
    batch = Batch.from_table(table, origin=range(3))
    batch = batch.where(KeyValueFilter({"options": {"keys": [{"name": "a", "operator": ">", "value": 1}]}}).mask(batch))
    batch = SelectTransform({"options": {"fields": ["c", "b", "x"]}}).transform_batch(batch)
    batch = RenameTransform({"options": {"fields": {"c": "d"}}}).transform_batch(batch)
    batch = DropTransform({"options": {"fields": ["nothing"]}}).transform_batch(batch)

    assert batch.faces == ("table",)
    assert batch.table.arrow().equals(pa.table({"d": ["y", "z"], "b": table["b"].slice(1)}))
    assert list(batch.origin) == [1, 2]


def test_a_row_that_is_no_json_is_bad_where_it_is_encoded_and_nowhere_else():
    batch = Batch.from_table(pa.table({"a": [1.0, float("nan")]}))

    assert batch.records[1]["a"] != batch.records[1]["a"]
    with pytest.raises(DataError, match="NaN") as caught:
        _ = batch.lines
    assert caught.value.row == 1


def test_a_change_in_place_leaves_no_columns():
    batch = Batch.from_table(pa.table({"a": [1]}))
    next(iter(batch))["a"] = 2

    assert batch.changed().faces == ("records",)
    assert batch.records == [{"a": 2}]


def test_batches_of_equal_columns_are_joined_as_columns():
    one, other = Batch.from_table(pa.table({"a": [1]}), origin=[4]), Batch.from_table(pa.table({"a": [2]}), origin=[7])

    assert Batch.joined([one, other]).table.arrow().equals(pa.table({"a": pa.chunked_array([[1], [2]])}))
    assert Batch.joined([one, other]).origin == [4, 7]
    assert Batch.joined([one, Batch.from_table(pa.table({"b": [2]}))]).records == [{"a": 1}, {"b": 2}]
    assert Batch.joined([one, Batch.from_records([{"a": 2}])]).faces == ("records",)
