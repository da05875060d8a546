"""Filters by values keep what is equal as JSON has it, the same from lines and from records."""

import json
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import Batch, ConfigError
from ozzy.builtin.filters.key_value import KeyValueFilter, KeyValueRegexFilter
from ozzy.builtin.filters.operators import OPERATORS, check, make_column_test, make_test
from ozzy.data.json_text import MISSING as NOT_THERE
from ozzy.data.packed import PackedLines

MISSING = object()


def section(*entries, **options):
    return {"name": "key_value", "options": {"keys": list(entries), **options}}


def kept(filter, *records):
    """The mask of some records: from lines, from records and one by one, which all have to agree."""
    lines = [json.dumps(record).encode() for record in records]
    by_lines = list(filter.mask(Batch.from_lines(lines)))

    assert all(type(one) is bool for one in by_lines)
    assert by_lines == list(filter.mask(Batch.from_records(list(records))))
    assert by_lines == [filter.filter(record) for record in records]
    packed = PackedLines.scanned(b"\n".join(lines), filter.reads or (), len(lines) + 1)
    if packed is not None:
        assert by_lines == list(filter.mask(Batch(packed=packed[0])))
    return by_lines


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("==", "es", "es", True),
        ("==", "es", "ES", False),
        ("==", "", "", True),
        ("==", "é", "é", True),
        ("==", "1", 1, False),
        ("==", 1, "1", False),
        ("==", 1, 1, True),
        ("==", 1, 1.0, True),
        ("==", 10**30, 10**30, True),
        ("==", 10**30, 10**30 + 1, False),
        ("==", 1, True, False),
        ("==", True, 1, False),
        ("==", True, True, True),
        ("==", 0, False, False),
        ("==", False, None, False),
        ("==", None, None, True),
        ("==", None, MISSING, False),
        ("==", None, 0, False),
        ("==", [1, "a"], [1.0, "a"], True),
        ("==", [1], [True], False),
        ("==", [1], [1, 2], False),
        ("==", [], {}, False),
        ("==", {"a": [1]}, {"a": [1]}, True),
        ("==", {"a": 1}, {"a": True}, False),
        ("==", {"a": 1}, {"b": 1}, False),
        ("==", {"a": 1}, [1], False),
        ("==", "es", MISSING, False),
        ("==", {}, MISSING, False),
        ("in", ["es", "uk"], "es", True),
        ("in", ["es", "uk"], "fr", False),
        ("in", ["es", "uk"], ["es"], False),
        ("in", ["es", None], None, True),
        ("in", [1, 2], True, False),
        ("in", [1, True], True, True),
        ("in", [[1]], [1], True),
        ("in", [], "es", False),
        ("in", "es,uk", "es", True),
        ("in", "es,uk", 5, False),
        ("in", {"es": 1}, "es", True),
        ("in", {"es": 1}, 1, False),
        ("in", ["es", 1], MISSING, False),
        ("contains", "a", "banana", True),
        ("contains", "x", "banana", False),
        ("contains", 1, "1", False),
        ("contains", "a", ["a", "b"], True),
        ("contains", 1, [True], False),
        ("contains", [1], [[1], 2], True),
        ("contains", "a", {"a": 1}, True),
        ("contains", 1, {"a": 1}, False),
        ("contains", "a", None, False),
        ("contains", 1, 1, False),
        ("contains", "a", MISSING, False),
        ("!=", "es", "uk", True),
        ("!=", "es", "es", False),
        ("!=", "1", 1, False),
        ("!=", 1, "1", False),
        ("!=", 1.5, "es", False),
        ("!=", 1, 2, True),
        ("!=", 1, [], True),
        ("!=", 1, 1.0, False),
        ("!=", 1, True, True),
        ("!=", "es", None, True),
        ("!=", None, None, False),
        ("!=", None, MISSING, False),
        ("!=", "es", MISSING, False),
        ("!=", [1], [1.0], False),
        (">", 1, 2, True),
        (">", 1, 1, False),
        (">", 1, 1.5, True),
        (">", 1.5, 1, False),
        (">", 10**30, 10**30 + 1, True),
        (">", -1, 0, True),
        (">", 1, "2", False),
        (">", "1", 2, False),
        (">", 0, True, False),
        (">", 0, None, False),
        (">", 0, [1], False),
        (">", "", {"a": 1}, False),
        (">", 0, MISSING, False),
        (">", "a", MISSING, False),
        (">", "a", "b", True),
        (">", "Z", "a", True),
        (">", "z", "é", True),
        (">", "10", "9", True),
        (">", "2024-01-31", "2024-02-01", True),
        (">", "2024-01-31", "2024-01-31T00:00:00Z", True),
        (">=", 1, 1.0, True),
        (">=", 1, 0.9, False),
        (">=", "a", "a", True),
        (">=", "a", None, False),
        (">=", 0, False, False),
        ("<", 1, 0, True),
        ("<", 1, 1, False),
        ("<", 1, "0", False),
        ("<", 1, False, False),
        ("<", "b", "a", True),
        ("<", "b", "", True),
        ("<", "b", 1, False),
        ("<", 1, MISSING, False),
        ("<=", 1, 1, True),
        ("<=", 1, 2, False),
        ("<=", "b", "b", True),
        ("<=", 5, None, False),
        ("not_in", ["es", "uk"], "fr", True),
        ("not_in", ["es", "uk"], "es", False),
        ("not_in", ["es"], None, True),
        ("not_in", ["es", None], None, False),
        ("not_in", [1], True, True),
        ("not_in", [1], 1.0, False),
        ("not_in", [], "es", True),
        ("not_in", [], MISSING, False),
        ("not_in", "es,uk", "es", False),
        ("not_in", "es,uk", 5, True),
        ("not_in", {"es": 1}, "es", False),
        ("exists", True, "es", True),
        ("exists", True, None, True),
        ("exists", True, MISSING, False),
        ("exists", False, "es", False),
        ("exists", False, None, False),
        ("exists", False, MISSING, True),
        ("re_match", "b.n", "banana", True),
        ("re_match", "an", "banana", False),
        ("re_match", "^ES$|^UK$", "ES", True),
        ("re_match", "US|3", 3, True),
        ("re_match", "3$", 3.0, False),
        ("re_match", r"3\.0$", 3.0, True),
        ("re_match", "true", True, True),
        ("re_match", r'\["a"', ["a"], True),
        ("re_match", ".*", None, False),
        ("re_match", "None", None, False),
        ("re_match", ".*", MISSING, False),
        ("re_match", "", "", True),
        ("re_match", "é", "été", True),
    ],
)
def test_one_condition(operator, wanted, value, expected):
    record = {"other": 1} if value is MISSING else {"a": value}
    nested = {"x": 0} if value is MISSING else {"x": {"y": value}}

    assert kept(KeyValueFilter(section({"name": "a", "value": wanted, "operator": operator})), record) == [expected]
    assert kept(KeyValueFilter(section({"name": "x.y", "value": wanted, "operator": operator})), nested) == [expected]


def test_equality_is_the_default():
    assert kept(KeyValueFilter(section({"name": "a", "value": "x"})), {"a": "x"}, {"a": "y"}) == [True, False]


def test_all_conditions_have_to_hold():
    filter = KeyValueFilter(
        section({"name": "a.b", "value": 1}, {"name": "c", "value": ["x"], "operator": "in"}, {"name": "a.c", "value": None})
    )

    assert kept(
        filter,
        {"a": {"b": 1, "c": None}, "c": "x"},
        {"a": {"b": 1}, "c": "x"},
        {"a": {"b": 2, "c": None}, "c": "x"},
        {"a": {"b": 1, "c": None}, "c": "y"},
        {},
    ) == [True, False, False, False, False]


def test_without_conditions_everything_is_kept():
    assert kept(KeyValueFilter(section()), {}, {"a": 1}) == [True, True]


@pytest.mark.parametrize("value", ["b", ["b"], None, 5, True, {"c": {"b": 1}}])
def test_a_step_through_what_is_no_mapping_is_not_kept(value):
    assert kept(KeyValueFilter(section({"name": "a.b.c", "value": "b"})), {"a": {"b": value}}, {"a": value}, {}) == [False, False, False]


@pytest.mark.parametrize(("separator", "name"), [("/", "a/b"), ("->", "a->b"), (".", "a.b")])
def test_the_separator_is_an_option(separator, name):
    filter = KeyValueFilter(section({"name": name, "value": 1}, nested_field_separator=separator))

    assert kept(filter, {"a": {"b": 1}}, {name: 1}) == [True, False]


def test_without_a_separator_names_are_taken_as_they_are():
    filter = KeyValueFilter(section({"name": "a.b", "value": 1}, nested_field_separator=""))

    assert kept(filter, {"a.b": 1}, {"a": {"b": 1}}, {}) == [True, False, False]


def test_odd_names_are_found():
    for name in ('a"b', "a\\b", "a\nb", "", " ", "é"):
        filter = KeyValueFilter(section({"name": name, "value": 1}))

        assert kept(filter, {name: 1}, {name: 2}, {"x": 1}) == [True, False, False]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("USA", True), (3, True), ("Peru", False), (None, False), (MISSING, False), ("x US", False), (31.5, True), ({"US": 1}, False)],
)
@pytest.mark.parametrize("operator", [{}, {"operator": "in"}, {"operator": "=="}])
def test_the_regex_filter_matches_whatever_the_operator_says(value, expected, operator):
    filter = KeyValueRegexFilter(section({"name": "a", "value": "US|3", **operator}))

    assert kept(filter, {} if value is MISSING else {"a": value}) == [expected]


@pytest.mark.parametrize(
    ("filter", "entry", "path", "message"),
    [
        (KeyValueFilter, {"name": "a", "value": 1, "operator": "~"}, "keys.0.operator", "expected one of"),
        (KeyValueFilter, {"name": "a"}, "keys.0.value", "missing"),
        (KeyValueFilter, {"value": 1}, "keys.0.name", "missing"),
        (KeyValueFilter, {"name": 1, "value": 1}, "keys.0.name", "expected str"),
        (KeyValueFilter, {"name": "a", "value": 1, "operater": "in"}, "keys.0.operater", "unknown option"),
        (KeyValueFilter, {"name": "a", "value": "(", "operator": "re_match"}, "keys.0.value", "not a regular expression"),
        (KeyValueFilter, {"name": "a", "value": 5, "operator": "re_match"}, "keys.0.value", "expected a regular expression, given 5"),
        (KeyValueFilter, {"name": "a", "value": 5, "operator": "in"}, "keys.0.value", "expected a list, a text or a mapping"),
        (KeyValueFilter, {"name": "a", "value": 5, "operator": "not_in"}, "keys.0.value", "for the operator not_in, given 5"),
        (KeyValueFilter, {"name": "a", "value": None, "operator": ">"}, "keys.0.value", "expected a number or a text for the operator >"),
        (KeyValueFilter, {"name": "a", "value": True, "operator": ">="}, "keys.0.value", "expected a number or a text"),
        (KeyValueFilter, {"name": "a", "value": [1], "operator": "<"}, "keys.0.value", "expected a number or a text"),
        (KeyValueFilter, {"name": "a", "value": float("nan"), "operator": "<="}, "keys.0.value", "expected a number or a text"),
        (KeyValueFilter, {"name": "a", "value": "yes", "operator": "exists"}, "keys.0.value", "expected true or false"),
        (KeyValueFilter, {"name": "a", "value": None, "operator": "exists"}, "keys.0.value", "expected true or false"),
        (KeyValueFilter, {"name": "a"}, "keys.0.value", "missing; expected what the operator == compares with"),
        (KeyValueFilter, {"name": "a", "operator": "in"}, "keys.0.value", "missing; expected what the operator in compares with"),
        (KeyValueRegexFilter, {"name": "a"}, "keys.0.value", "missing; expected what the operator re_match compares with"),
        (KeyValueRegexFilter, {"name": "a", "value": "("}, "keys.0.value", "not a regular expression"),
        (KeyValueRegexFilter, {"name": "a", "value": None, "operator": "=="}, "keys.0.value", "expected a regular expression"),
        (KeyValueFilter, "a", "keys.0", "expected dict"),
    ],
)
def test_wrong_conditions_are_errors_of_the_config(filter, entry, path, message):
    with pytest.raises(ConfigError) as raised:
        filter(section(entry))

    [problem] = raised.value.problems
    assert problem.path == f"filter.options.{path}"
    assert message in problem.message


def test_keys_have_to_be_given():
    with pytest.raises(ConfigError, match=r"keys: missing"):
        KeyValueFilter()


def test_a_filter_tells_what_it_reads():
    assert KeyValueFilter(section({"name": "a.b", "value": 1}, {"name": "a.c", "value": 1}, {"name": "d", "value": 1})).reads == ("a", "d")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 1.5, "a", "b", "", "1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200)
@given(
    records=st.lists(st.dictionaries(st.sampled_from(["a", "b"]), JSON, max_size=2), min_size=1, max_size=5),
    name=st.sampled_from(["a", "a.b", "b.a.a", ""]),
    operator=st.sampled_from(OPERATORS),
    value=JSON,
)
def test_lines_and_records_are_filtered_the_same(records, name, operator, value):
    try:
        filter = KeyValueFilter(section({"name": name, "value": value, "operator": operator}))
    except ConfigError:
        return
    kept(filter, *records)


class Number(IntEnum):
    ONE = 1


class Text(StrEnum):
    A = "a"


ANY = JSON | st.sampled_from([NOT_THERE, Number.ONE, Text.A, float("nan"), float("inf"), 2**70, (1,), {1}, "ab", "\ud800"])


@settings(max_examples=500)
@given(operator=st.sampled_from(OPERATORS), wanted=JSON, values=st.lists(ANY, max_size=6))
def test_many_values_pass_a_test_at_once_as_they_do_one_by_one(operator, wanted, values):
    if list(check(operator, wanted, "")):
        return
    test = make_test(operator, wanted)
    if operator == "re_match":
        values = [value for value in values if isinstance(value, str)]
    assert make_column_test(operator, wanted)(values) == list(map(test, values))


@settings(max_examples=200)
@given(one=JSON, other=JSON)
def test_values_are_equal_where_their_json_is(one, other):
    def canonical(value):
        if isinstance(value, dict):
            return {key: canonical(each) for key, each in value.items()}
        if isinstance(value, list):
            return [canonical(each) for each in value]
        return f"{float(value)}" if isinstance(value, (int, float)) and not isinstance(value, bool) else json.dumps(value)

    [equal] = kept(KeyValueFilter(section({"name": "a", "value": one})), {"a": other})
    assert equal == (canonical(one) == canonical(other) or (one == 0 and other == 0 and type(one) is not bool and type(other) is not bool))


def test_exists_needs_no_value():
    made = KeyValueFilter(section({"name": "a.b", "operator": "exists"}))

    assert [made.filter(record) for record in ({"a": {"b": None}}, {"a": {}}, {"a": 1}, {})] == [True, False, False, False]


def test_a_way_through_what_is_no_mapping_leads_to_nothing_that_exists():
    absent = KeyValueFilter(section({"name": "a.b", "value": False, "operator": "exists"}))

    assert kept(absent, {"a": {"b": 1}}, {"a": 5}, {"a": None}, {}, {"a": {}}) == [False, True, True, True, True]


def test_a_range_is_two_conditions():
    between = KeyValueFilter(section({"name": "n", "value": 2, "operator": ">="}, {"name": "n", "value": 4, "operator": "<"}))

    assert kept(between, {"n": 1}, {"n": 2}, {"n": 3.5}, {"n": 4}, {"n": "3"}) == [False, True, True, False, False]
