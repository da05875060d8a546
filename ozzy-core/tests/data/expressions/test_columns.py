"""Simple expressions that are asked of many records at once say what they say of each."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ozzy.builtin.filters.python_exp import PythonExpFilter
from ozzy.builtin.transforms.set import SetTransform
from ozzy.data.batch import Batch
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.data.expressions.expression import Expression
from ozzy.data.expressions.parsing import ExpressionError
from ozzy.data.json_text import encode_record
from ozzy.errors import DataError

START = datetime(2024, 5, 1, tzinfo=UTC)
FIELDS = ["a", "b", "c"]

LEAVES = st.sampled_from(
    ["item['a']", "item['b']", "item.get('a')", "item.get('c', 2)", "item.get('b', 'x')", "'c' in item", "'a' not in item"]
)
CONSTANTS = st.sampled_from(["0", "1", "-1", "1.21", "2.5", "100", "None", "True", "'es'", "''", "'x'", str(2**61), str(2**70)])


def _larger(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!="]), inner | CONSTANTS).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        st.tuples(inner, st.sampled_from(["is", "is not"]), st.sampled_from(["None", "True"])).map(
            lambda parts: "({} {} {})".format(*parts)
        ),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: "({} {} {})".format(*parts)),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
        inner.map(lambda one: f"round({one}, 2)"),
        inner.map(lambda one: f"abs({one})"),
        inner.map(lambda one: f"(not {one})"),
        inner.map(lambda one: f"(-{one})"),
    )


TEXTS = st.recursive(LEAVES | CONSTANTS, _larger, max_leaves=6)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([2**62 - 1, 2**62, -(2**63), 2**300, 1e300, 0.0, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["es", "", "x", "y" * 64, "y" * 200]),
    st.lists(st.integers(), max_size=2),
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3), max_size=6)
NUMBERS = st.lists(st.fixed_dictionaries({"a": st.floats(-1e6, 1e6), "b": st.integers(-1000, 1000)}), min_size=1, max_size=6)


def one_by_one(evaluation, batch):
    try:
        return evaluation.looking(batch, evaluation.expressions[0].settled)
    except DataError as error:
        return error.row


@settings(max_examples=600, deadline=None)
@given(text=TEXTS, records=RECORDS | NUMBERS, steps=st.sampled_from([1, 2, 100_000]))
def test_many_records_at_once_give_what_each_gives(text, records, steps):
    try:
        evaluation = Evaluation([text], START, steps=steps)
    except ExpressionError:
        assume(False)
    for batch in (Batch.from_records(records), Batch.from_lines(list(map(encode_record, records)))):
        found = evaluation.at_once(batch, ["x"])
        if found is not None:
            expected = one_by_one(evaluation, batch)
            assert repr(list(found[0])) == repr(expected)


@pytest.mark.parametrize(
    "text",
    [
        "round(item['price'] * 1.21, 2) if item.get('price') is not None else None",
        "item['price'] > 50 or item.get('country') == 'ES'",
        "not item.get('price') and 'b' in item",
        "-item['price'] + abs(item['price'] - 100) / 3",
        "item['price'] % 7 // 2",
    ],
)
def test_what_is_asked_at_once(text):
    records = [{"price": 10.5, "country": "ES"}, {"price": 60, "b": None}, {"price": 3}]
    evaluation = Evaluation([text], START)
    [found] = evaluation.at_once(Batch.from_records(records), ["x"])
    assert list(found) == [Expression(text).of(record) for record in records]


@pytest.mark.parametrize(
    "text",
    [
        "item",
        "len(item['a'])",
        "item['a'].upper()",
        "item['a'][0]",
        "[x for x in item['a']]",
        "random.random()",
        "1 < item['a'] < 3",
        "item['a'] ** 2",
        "item['a'] + ...",
        "round(item['a'], 300)",
        "round(item['a'])",
        "item.get('a', [])",
        "item.pop('a')",
        "f\"{item['a']}\"",
        "'a' in item['b']",
        "item['a'] is 1",
        "item['a'] < item['b']",
        f"item['a'] * {2**62}",
    ],
)
def test_what_is_left_to_each_record(text):
    try:
        expression = Expression(text)
    except Exception:
        return
    assert expression.in_columns is None


@pytest.mark.parametrize("records", [[{"a": 1}, {}], [{"a": 1}, {"a": "x"}], [{"a": 1}, {"a": 2**62}], [{"a": 0}], [{"a": True}]])
def test_values_that_are_not_simple_are_left_to_each_record(records):
    assert Evaluation(["1 / item['a'] * 2"], START).at_once(Batch.from_records(records), ["x"]) is None


def test_later_expressions_see_what_earlier_ones_have_set():
    module = SetTransform({"options": {"fields": {"b": "item['a'] * 2", "c": "item['b'] + item['a']", "a": "0"}}})
    lines = [b'{"a":1,"b":9}', b'{"a":2.5}']
    assert module.transform_batch(Batch.from_lines(lines)).records == [{"a": 0, "b": 2, "c": 3}, {"a": 0, "b": 5.0, "c": 7.5}]


def test_a_record_that_fails_is_told_as_ever():
    module = SetTransform({"options": {"fields": {"b": "1 / item['a']"}}})
    with pytest.raises(DataError, match="ZeroDivisionError") as caught:
        module.transform_batch(Batch.from_lines([b'{"a":1}', b'{"a":0}', b"{}"]))
    assert caught.value.row == 1
    with pytest.raises(DataError, match="number out of range") as caught:
        module.transform_batch(Batch.from_lines([b'{"a":1}', b'{"a":1e999}']))
    assert caught.value.row == 1


def test_a_filter_asks_at_once():
    module = PythonExpFilter({"options": {"python_expression": "item['a'] and item['a'] > 1"}})
    assert module.mask(Batch.from_lines([b'{"a":1}', b'{"a":2}', b'{"a":0}'])) == [False, True, False]
