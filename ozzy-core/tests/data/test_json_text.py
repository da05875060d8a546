"""What is bad, what a value is and how it is written are decided in one place."""

import datetime as dt
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import BaseRecord, DataError
from ozzy.data.json_text import (
    DEPTH_LIMIT,
    MISSING,
    bad_lines,
    check_line,
    compacted,
    decode_line,
    encode_record,
    encode_records,
    encode_values,
    select_fields,
)


def nested(depth, opening=b'{"a":', closing=b"}", inner=b"1"):
    return opening * depth + inner + closing * depth


def problem(function, *args):
    try:
        function(*args)
    except DataError as error:
        return error.message
    return None


GOOD = [
    b"{}",
    b' {"a" : 1 }\t',
    b'{"a":1,"a":2}',
    b'{"a":1e999}',
    b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":"\\ud83d\\ude00"}',
    b'{"a":"\xf0\x9f\x98\x80"}',
    b'{"a":"\x7f"}',
    b'{"":null}',
    nested(DEPTH_LIMIT),
    b'{"a":' + nested(DEPTH_LIMIT - 1, b"[", b"]") + b"}",
    b'{"a":"' + b"[{" * 1000 + b'"}',
    b'{"a":"' + b'\\"[' * 1000 + b'"}',
    b'{"a":[' + b"[]," * 1000 + b"[]]}",
]
BAD = [
    b"",
    b" ",
    b"[]",
    b"1",
    b"null",
    b'"a"',
    b"{",
    b'{"a"',
    b'{"a":1',
    b'{"a":1,}',
    b'{"a":1}}',
    b'{"a":1} {}',
    b"{'a':1}",
    b"{a:1}",
    b'{"a":01}',
    b'{"a":+1}',
    b'{"a":.5}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":tru}',
    b'{"a":"\t"}',
    b'{"a":"\\x"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\udc00"}',
    b'{"a":1}\0',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":"\xff"}',
    b'{"\xff":1}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xc0\x80"}',
    nested(DEPTH_LIMIT + 1),
    b'{"a":' + nested(DEPTH_LIMIT, b"[", b"]") + b"}",
    nested(5000),
    nested(200_000, b"["),
    b'{"a":"' + b'\\"' * 1000 + b'","b":' + nested(DEPTH_LIMIT) + b"}",
]


@pytest.mark.parametrize("line", GOOD)
def test_good_lines_pass_every_check(line):
    assert problem(check_line, line) is None
    assert bad_lines([line]) == {}


@pytest.mark.parametrize("line", BAD)
def test_bad_lines_are_bad_to_every_check(line):
    assert problem(check_line, line)
    assert problem(decode_line, line)
    assert bad_lines([b"{}", line, b"{}"]) == {1: problem(check_line, line)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[1]", "a row must be a JSON object, not array"),
        (b"", "JSON is malformed: it ends too early, or holds half of a surrogate pair"),
        (b'{"a":"\\ud800"}', "JSON is malformed: it ends too early, or holds half of a surrogate pair"),
        (b'{"a":}', "JSON is malformed: invalid character (byte 5)"),
        (b'{"a":"\xff"}', "not UTF-8: invalid start byte"),
        (nested(257), "nested deeper than 256 levels"),
        (nested(2000), "nested deeper than 256 levels"),
        (b'{"a":1e999}', "number out of range"),
        (b'{"a":' + b"9" * 5000 + b"}", "integer value out of range"),
    ],
)
def test_messages_say_what_is_wrong(line, message):
    assert problem(decode_line, line) == message


def test_no_lines_are_not_bad():
    assert bad_lines([]) == {}


@settings(max_examples=150)
@given(data=st.data())
def test_checking_and_decoding_agree_but_for_numbers_out_of_range(any_lines, data):
    line = data.draw(any_lines)
    checked, decoded = problem(check_line, line), problem(decode_line, line)

    assert decoded is None or "out of range" in decoded if checked is None else decoded
    assert (bad_lines([line]) == {}) == (checked is None)


@settings(max_examples=100)
@given(data=st.data())
def test_many_lines_are_as_bad_as_each(any_lines, data):
    lines = data.draw(st.lists(any_lines, max_size=6))

    assert bad_lines(lines) == {row: message for row, line in enumerate(lines) if (message := problem(check_line, line))}


@settings(max_examples=100)
@given(data=st.data())
def test_what_is_good_is_what_json_is(any_lines, data):
    line = data.draw(any_lines)
    try:
        value = json.loads(line.decode(), parse_int=str, parse_float=str, parse_constant=lambda name: 1 / 0)
        json.dumps(value, ensure_ascii=False).encode()
        good = isinstance(value, dict)
    except (ValueError, ZeroDivisionError):
        good = False

    assert good == (problem(check_line, line) is None)


@settings(max_examples=100)
@given(data=st.data())
def test_compacting_keeps_every_token(good_lines, data):
    line = data.draw(good_lines)
    pairs = json.loads(compacted(line), parse_int=str, parse_float=str, object_pairs_hook=list)

    assert pairs == json.loads(line, parse_int=str, parse_float=str, object_pairs_hook=list)
    assert not {b"\r", b"\n"} & {bytes([byte]) for byte in compacted(line)}
    assert compacted(compacted(line)) == compacted(line)


def test_compacting_refuses_what_is_no_json():
    with pytest.raises(DataError, match="JSON is malformed"):
        compacted(b'{"a":01}')


@settings(max_examples=100)
@given(data=st.data(), fields=st.lists(st.sampled_from(["a", "b", "é", "", '"', "zz", "a\nb"]), max_size=4).map(tuple))
def test_selected_fields_are_those_of_the_record(good_lines, data, fields):
    line = data.draw(good_lines)
    try:
        record = decode_line(line)
    except DataError:
        return

    [selected] = select_fields([line], fields)
    expected = tuple(record.get(field, MISSING) for field in fields)
    assert selected == expected
    assert list(map(type, selected)) == list(map(type, expected))


@pytest.mark.parametrize("field", ["a", "a\\b"])
def test_a_number_out_of_range_matters_only_where_it_is_selected(field):
    lines = [json.dumps({field: 1, "z": 2}).encode(), json.dumps({field: 1}).encode()[:-1] + b',"z":1e999}']

    assert select_fields(lines, (field,)) == [(1,), (1,)]
    with pytest.raises(DataError, match="number out of range") as raised:
        select_fields(lines, (field, "z"))
    assert raised.value.row == 1


def test_a_field_name_that_no_json_has_is_missing():
    assert select_fields([b'{"a":1}'], ("\ud800", "a")) == [(MISSING, 1)]


def test_rows_that_fail_only_together_are_selected_one_by_one(mocker):
    def select(lines):
        if len(lines) > 1:
            raise RecursionError
        return [(lines[0],)]

    mocker.patch("ozzy.data.json_text._selector", return_value=select)

    assert select_fields([b"1", b"2"], ("a",)) == [(b"1",), (b"2",)]


def test_nesting_beyond_what_python_bears_is_too_deep():
    with pytest.raises(DataError, match="nested deeper than 256 levels"):
        select_fields([nested(100_000)], ("a",))


def test_no_fields_select_nothing():
    assert select_fields([b"{}", b'{"a":1}'], ()) == [(), ()]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, b"{}"),
        ({"b": 1, "a": [True, None, 1.0, "é\n\u2028"]}, '{"b":1,"a":[true,null,1.0,"é\\n\u2028"]}'.encode()),
        ({"n": 10**100, "m": -(10**30)}, b'{"n":1' + b"0" * 100 + b',"m":-1' + b"0" * 30 + b"}"),
        (BaseRecord(a=BaseRecord(b=1)), b'{"a":{"b":1}}'),
        ({"d": dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC), "e": dt.date(2024, 2, 29)}, b'{"d":"2024-02-29T12:00:00Z","e":"2024-02-29"}'),
        ({"t": (1, 2), "x": "null"}, b'{"t":[1,2],"x":"null"}'),
        ({1: "int key"}, b'{"1":"int key"}'),
        ([1, None], b"[1,null]"),
        ({"a": type("Name", (str,), {})("x"), "b": type("Some", (list,), {})([1])}, b'{"a":"x","b":[1]}'),
    ],
)
def test_values_are_written_as_compact_json(value, expected):
    assert encode_record(value) == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "put",
    [lambda bad: {"a": bad}, lambda bad: {"a": [{"b": (None, bad)}]}, lambda bad: {"x": None, "a": {"b": bad}}, lambda bad: {"a": {bad}}],
)
def test_what_is_no_number_is_not_written(put, bad):
    with pytest.raises(DataError, match="NaN or an infinite number"):
        encode_record(put(bad))


@pytest.mark.parametrize("value", [{"a": object()}, {"a": "\ud800"}, {"\ud800": 1}, {(1, 2): 3}, {"a": 10**5000}, {"a": 1j}])
def test_what_has_no_json_form_is_not_written(value):
    with pytest.raises(DataError, match="can't be written as JSON"):
        encode_record(value)


def test_what_nests_too_deep_is_not_written():
    def deep(levels):
        value = 1
        for _ in range(levels):
            value = {"a": value}
        return value

    assert encode_record(deep(DEPTH_LIMIT)) == nested(DEPTH_LIMIT)
    with pytest.raises(DataError, match="nested deeper than 256 levels"):
        encode_record(deep(DEPTH_LIMIT + 1))
    with pytest.raises(DataError, match="nested deeper than 256 levels"):
        encode_record(deep(100_000))


@settings(max_examples=100)
@given(data=st.data())
def test_a_record_written_and_read_is_the_same(good_lines, data):
    line = data.draw(good_lines)
    try:
        record = decode_line(line)
    except DataError:
        return
    again = decode_line(encode_record(record))

    assert repr(again) == repr(record)
    assert list(again) == list(record)


@settings(max_examples=100)
@given(data=st.data())
def test_many_values_are_written_as_each(good_lines, data):
    records = []
    for line in data.draw(st.lists(good_lines, max_size=5)):
        if problem(decode_line, line) is None:
            records.append(decode_line(line))

    assert encode_values(records) == encode_records(records) == [encode_record(record) for record in records]


def test_many_records_are_refused_with_the_row_of_the_first_that_is_bad():
    good = {"a": None, "b": [{"c": "null"}, (1.5, None)], "d": b"x".decode()}
    for bad in ({"a": math.nan}, {"a": [1, {"b": -math.inf}]}, {"a": object()}, {"a": decode_line(nested(DEPTH_LIMIT))}, {"a": {math.inf}}):
        for before in (0, 3, 5000):
            with pytest.raises(DataError) as raised:
                encode_records([*[good] * before, bad, good, bad])
            assert (raised.value.row, raised.value.message) == (before, problem(encode_record, bad))
    assert encode_records([]) == []
    assert encode_records([good] * 3000) == [encode_record(good)] * 3000


def test_many_values_are_refused_as_each():
    good = {"a": None, "b": "x" * 1000}

    assert encode_values([]) == []
    assert encode_values([good, {"a": (1,)}]) == [encode_record(good), b'{"a":[1]}']
    for bad in ({"a": math.nan}, {"a": object()}, decode_line(nested(DEPTH_LIMIT)) and {"a": decode_line(nested(DEPTH_LIMIT))}):
        with pytest.raises(DataError) as raised:
            encode_values([good, bad])
        assert raised.value.message == problem(encode_record, bad)
