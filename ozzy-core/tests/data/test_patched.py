"""Lines with fields added and left out give what records with the same changes give, whatever is asked of them first."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.data.batch import Batch
from ozzy.data.json_text import MISSING, decode_line, encode_record
from ozzy.data.patched import patched
from ozzy.data.tokens import ABSENT, Tokens
from ozzy.errors import DataError

LINES = [b'{"a":1.50,"b":"x"}', b'{ "b" : null }', b"{}", b'{"c":[1, 2],"c":3} ']
NAMES = st.sampled_from(["a", "b", "c", 'quo"te'])
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=2)
RECORDS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=4)


def batch(lines=LINES):
    return Batch.from_lines(list(lines), split="s", position=7, origin=range(len(lines)))


def test_a_new_field_stands_at_the_end_and_all_else_keeps_its_bytes():
    made = patched(batch(), {"n": [1, None, "é", [2]]})
    assert made.lines == [b'{"a":1.50,"b":"x","n":1}', b'{ "b" : null,"n":null}', '{"n":"é"}'.encode(), b'{"c":[1, 2],"c":3,"n":[2]}']


def test_a_field_that_is_there_keeps_its_place():
    assert patched(batch(), {"a": [9, 9, 9, 9]}).lines[:2] == [b'{"a":9,"b":"x"}', b'{ "b" : null,"a":9}']


def test_a_dropped_field_is_gone_and_other_lines_leave_as_they_came():
    assert patched(batch(), {}, ["a"]).lines == [b'{"b":"x"}', *LINES[1:]]


def test_a_field_dropped_and_added_again_stands_at_the_end():
    made = patched(patched(batch(), {}, ["a"]), {"a": [2, 2, 2, 2]})
    assert made.lines[0] == b'{"b":"x","a":2}'


def test_a_field_added_and_dropped_again_is_gone():
    assert patched(patched(batch(), {"n": [1, 2, 3, 4]}), {}, ["n"]).lines == LINES


def test_place_in_the_source_is_kept():
    made = patched(batch(), {"n": [1, 2, 3, 4]}).take([3, 1])
    assert (made.split, made.position, list(made.origin), len(made)) == ("s", 7, [3, 1], 2)
    assert made.select(("n", "b")) == [(4, MISSING), (2, None)]


def test_a_value_without_a_form_in_json_is_an_error_of_its_row():
    with pytest.raises(DataError) as caught:
        _ = patched(batch(), {"n": [1, 2, float("nan"), 4]}).lines
    assert caught.value.row == 2


def test_columns_are_tokens_but_for_what_was_added():
    a, n, gone = patched(batch(), {"n": [1, 2, 3, 4]}, ["b"]).column_tokens(("a", "n", "b"))
    assert isinstance(a, Tokens)
    assert bytes(a[0]) == b"1.50"
    assert a[1] is ABSENT
    assert n == [1, 2, 3, 4]
    assert all(token is ABSENT for token in gone)


def test_faces_are_lines_until_records_are_asked_for():
    made = patched(batch(), {"n": [1, 2, 3, 4]})
    assert made.faces == ("lines",)
    assert made.records[2] == {"n": 3}
    assert made.faces == ("lines", "records")
    assert made.select(("n",)) == [(1,), (2,), (3,), (4,)]


def test_no_rows_stay_no_rows():
    made = patched(Batch.from_lines([]), {"n": []}, ["a"])
    assert (made.lines, made.records, made.select(("n", "a")), len(made)) == ([], [], [], 0)


@settings(max_examples=100, deadline=None)
@given(
    RECORDS,
    st.dictionaries(NAMES, VALUES, max_size=2),
    st.sets(NAMES, max_size=2),
    st.sampled_from(["lines", "select", "where", "rewrite"]),
)
def test_patched_lines_are_the_lines_of_changed_records(records, added, dropped, first):
    expected = [{name: value for name, value in record.items() if name not in dropped} | added for record in records]
    lines = [encode_record(record) for record in records]
    made = patched(patched(Batch.from_lines(lines), {}, dropped), {name: [value] * len(lines) for name, value in added.items()})
    names = ("a", "b", "c", 'quo"te')
    if first == "select":
        assert made.select(names) == [tuple(record.get(name, MISSING) for name in names) for record in expected]
    elif first == "where":
        mask = [row % 2 == 0 for row in range(len(lines))]
        made, expected = made.where(mask), expected[::2]
    elif first == "rewrite":
        assert made.rewrite(lambda row, _: row).lines == made.lines
        assert made.project(("a",)).records == [{"a": record["a"]} if "a" in record else {} for record in expected]
        assert made.unfold(lambda row, _: [row, row]).lines == [line for line in made.lines for _ in range(2)]
    assert [list(decode_line(line).items()) for line in made.lines] == [list(record.items()) for record in expected]
    assert made.records == expected
