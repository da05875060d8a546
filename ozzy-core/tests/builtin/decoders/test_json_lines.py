"""JSON lines come through byte for byte, in the same batches however they arrive, and bad ones are named."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import ConfigError, DataError
from ozzy.builtin.decoders.json_lines import BATCH_BYTES, JsonLinesDecoder
from ozzy.builtin.decoders.pieces import SHORTEST_LIMIT
from ozzy.data.codecs import open_decompressed

LINES = st.one_of(
    st.sampled_from(
        [
            b"",
            b" ",
            b"\t\r",
            b"{}",
            b'{"a":1}',
            b'{"a": 1.0}',
            b'{"a":"\xc3\xa9"}',
            b'{"a":"\xff"}',
            b"[1]",
            b"nope",
            b'{"a":\r2}',
            b'{"a":"\r"}',
        ]
    ),
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=3).map(lambda record: json.dumps(record).encode()),
)
FILES = st.builds(
    lambda mark, lines, ends, last: (b"\xef\xbb\xbf" if mark else b"") + b"".join(a + b for a, b in zip(lines, ends, strict=True)) + last,
    st.booleans(),
    st.shared(st.lists(LINES, max_size=12), key="lines"),
    st.shared(st.lists(LINES, max_size=12), key="lines").flatmap(
        lambda lines: st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=len(lines), max_size=len(lines))
    ),
    LINES,
)


def test_lines_stay_the_bytes_they_were(decode):
    lines = [b'{"b":1,"a":2}', b' {"a" : 1.0, "a":1e999} ', b'{"n":123456789012345678901234567890,"u":"\\u00e9\xc3\xa9"}']
    [batch] = decode(JsonLinesDecoder, b"\n".join(lines) + b"\n")

    assert batch.faces == ("lines",)
    assert lines == batch.lines
    assert batch.position == {"rows": 3, "offset": sum(map(len, lines)) + 3, "lines": 3}
    assert list(batch.origin) == [0, 1, 2]


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
def test_an_empty_stream_has_no_batches(decode, data):
    assert decode(JsonLinesDecoder, data) == []


@pytest.mark.parametrize("data", [b'{"a":1}', b'{"a":1}\n', b'{"a":1}\r\n', b'\xef\xbb\xbf{"a":1}\n'])
def test_the_last_line_needs_no_end(decode, data):
    [batch] = decode(JsonLinesDecoder, data)

    assert batch.lines == [b'{"a":1}']
    assert batch.position == {"rows": 1, "offset": len(data), "lines": 1}


def test_blank_lines_are_counted_and_no_rows(decode):
    [batch] = decode(JsonLinesDecoder, b'\n{"a":1}\n \t\r\n\r\n{"a":2}\n\n')

    assert batch.lines == [b'{"a":1}', b'{"a":2}']
    assert batch.blank == 4
    assert batch.rejected == []
    assert list(batch.origin) == [0, 1]
    assert batch.position == {"rows": 2, "offset": 24, "lines": 6}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b'{"a":}', "JSON is malformed"),
        (b'{"a":1', "ends too early"),
        (b"[1]", "must be a JSON object, not array"),
        (b"1", "not int"),
        (b"null", "not null"),
        (b'{"a":1}{"a":2}', "trailing characters"),
        (b'{"a":"\xff"}', "not UTF-8: invalid start byte"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":"\x01"}', "invalid character"),
        (b'{"a":"x\ry"}', "invalid character"),
        (b'\xef\xbb\xbf{"a":1}', "invalid character"),
        (b'{"a":' * 257 + b"1" + b"}" * 257, "nested deeper than 256 levels"),
        (b'{"a":NaN}', "JSON is malformed"),
    ],
)
def test_a_bad_line_is_rejected_with_its_number_and_its_bytes(decode, bad, message):
    [batch] = decode(JsonLinesDecoder, b'{"a":1}\n\n' + bad + b'\n{"a":2}\n')
    [rejected] = batch.rejected

    assert batch.lines == [b'{"a":1}', b'{"a":2}']
    assert rejected.where == "in, line 3"
    assert message in rejected.message
    assert rejected.line == bad
    assert list(batch.origin) == [0, 2]
    assert batch.position["rows"] == 3


def test_numbers_out_of_range_are_no_business_of_the_decoder(decode):
    [batch] = decode(JsonLinesDecoder, b'{"a":1e999,"b":' + b"9" * 5000 + b"}\n")

    assert len(batch) == 1
    with pytest.raises(DataError, match="out of range"):
        batch.select(("a",))


def test_a_return_between_tokens_is_dropped_and_nothing_else(decode):
    [batch] = decode(JsonLinesDecoder, b'{"a": 1.0,\r "b" :"x y",\r"a":1e999}\r\r\n{"a": 1}\r\n')

    assert batch.lines == [b'{"a":1.0,"b":"x y","a":1e999}', b'{"a": 1}']


def test_a_batch_ends_at_its_rows(decode):
    batches = decode(JsonLinesDecoder, b'{"a":1}\n' * 25, batch_size=10)

    assert [len(batch) for batch in batches] == [10, 10, 5]
    assert [batch.position["rows"] for batch in batches] == [10, 20, 25]
    assert [batch.origin[0] for batch in batches] == [0, 10, 20]


def test_a_batch_ends_with_the_row_that_reaches_its_bytes(decode):
    line = b'{"a":"' + b"x" * (BATCH_BYTES // 4 - 9) + b'"}'
    assert len(line) + 1 == BATCH_BYTES // 4
    batches = decode(JsonLinesDecoder, (line + b"\n") * 9)

    assert [len(batch) for batch in batches] == [4, 4, 1]
    assert [batch.position["offset"] for batch in batches] == [BATCH_BYTES, 2 * BATCH_BYTES, 9 * BATCH_BYTES // 4]


def test_a_line_longer_than_many_chunks_comes_whole(decode):
    line = b'{"a":"' + b"x" * (3 * BATCH_BYTES) + b'"}'
    batches = decode(JsonLinesDecoder, b"{}\n" + line + b"\n{}", drip=100_000)

    assert [batch.lines for batch in batches] == [[b"{}", line], [b"{}"]]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("drip", [None, 70_001, 262_144])
@pytest.mark.parametrize("before", [b"", b"{}\n"])
def test_a_line_beyond_the_limit_is_rejected_and_the_next_one_read(decode, end, drip, before):
    line = b" " * 2000 + b'{"a":"' + b"x" * SHORTEST_LIMIT + b'"}'
    data = before + line + end + (b'{"a":1}\n' if end else b"")
    batches = decode(JsonLinesDecoder, data, drip=drip, line_limit=SHORTEST_LIMIT)
    [rejected] = [rejected for batch in batches for rejected in batch.rejected]

    assert [line for batch in batches for line in batch.lines] == [b"{}"] * bool(before) + [b'{"a":1}'] * bool(end)
    assert rejected.where == f"in, line {2 if before else 1}"
    assert rejected.message == f"longer than {SHORTEST_LIMIT} bytes"
    assert rejected.line == b" " * 1024
    assert batches[-1].position["offset"] == len(data)
    assert batches[-1].blank == 0


def test_a_line_at_the_limit_is_read(decode):
    line = b'{"a":"' + b"x" * (SHORTEST_LIMIT - 8) + b'"}'
    assert len(line) == SHORTEST_LIMIT
    for drip in (None, 1000):
        [batch] = decode(JsonLinesDecoder, line + b"\n" + line, drip=drip, line_limit=SHORTEST_LIMIT)

        assert batch.lines == [line, line]
        assert batch.rejected == []


def test_limits_have_a_lower_bound(decode):
    with pytest.raises(ConfigError):
        JsonLinesDecoder({"options": {"line_limit": 1}})
    with pytest.raises(ConfigError):
        JsonLinesDecoder({"options": {"batch_size": 0}})


@settings(max_examples=150)
@given(data=FILES, drip=st.integers(1, 40), batch_size=st.integers(1, 5))
def test_batches_do_not_depend_on_how_bytes_arrive(decode, seen, data, drip, batch_size):
    whole = decode(JsonLinesDecoder, data, batch_size=batch_size)
    dripped = decode(JsonLinesDecoder, data, batch_size=batch_size, drip=drip)

    assert list(map(seen, whole)) == list(map(seen, dripped))


@settings(max_examples=150)
@given(data=FILES, batch_size=st.integers(1, 5))
def test_reading_goes_on_after_any_batch(decode, seen, data, batch_size):
    whole = decode(JsonLinesDecoder, data, batch_size=batch_size)
    for done, batch in enumerate(whole, 1):
        rest = decode(JsonLinesDecoder, data, position=batch.position, batch_size=batch_size)

        assert list(map(seen, whole[done:])) == list(map(seen, rest))


@settings(max_examples=150)
@given(data=FILES, batch_size=st.integers(1, 5))
def test_every_line_is_a_row_or_rejected_or_blank(decode, data, batch_size):
    batches = decode(JsonLinesDecoder, data, batch_size=batch_size)
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    rows = [line for line in lines if line.strip(b" \t\r")]

    assert len(rows) == sum(len(batch) + len(batch.rejected) for batch in batches)
    assert sum(len(batch) + len(batch.rejected) + batch.blank for batch in batches) == len(lines) - (lines[-1] == b"")
    assert all(json.loads(rows[row]) == json.loads(line) for batch in batches for row, line in zip(batch.origin, batch.lines, strict=True))
    numbers = [int(rejected.where.rpartition(" ")[2]) for batch in batches for rejected in batch.rejected]
    assert [rejected.line for batch in batches for rejected in batch.rejected] == [
        lines[number - 1].removesuffix(b"\r") for number in numbers
    ]
    assert not any(b"\r" in line or b"\n" in line for batch in batches for line in batch.lines)


@settings(max_examples=60)
@given(sizes=st.lists(st.integers(2, BATCH_BYTES // 2), max_size=12), drip=st.integers(50_000, 400_000))
def test_batches_by_bytes_do_not_depend_on_how_bytes_arrive(decode, seen, sizes, drip):
    data = b"".join(b'{"a":"' + b"x" * size + b'"}\n' for size in sizes)
    whole = decode(JsonLinesDecoder, data)

    assert list(map(seen, whole)) == list(map(seen, decode(JsonLinesDecoder, data, drip=drip)))
    assert [line for batch in whole for line in batch.lines] == data.splitlines()


@pytest.mark.parametrize("wanted", [("a",), ("a", "b"), ('q"',)])
def test_fields_that_are_wanted_come_with_the_batch_and_change_nothing_else(wanted):
    texts = [
        b'{"a":1,"b":"\xc3\xa9"}\n{"b":null}\r\n',
        b'{"a":1}\n\n{"a":}\n',
        b'{"a":1e999}\n{"a":2}\n',
        b'{"a":"\xff"}\n{"a":[' * 3,
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}\n",
    ]
    for text in texts:
        plain, asked = (list(decoder_of(fields).decode(open_decompressed(io.BytesIO(text), "none", name="in"))) for fields in ((), wanted))
        assert [(batch.lines, batch.rejected, batch.blank, batch.position) for batch in asked] == [
            (batch.lines, batch.rejected, batch.blank, batch.position) for batch in plain
        ]
        for one, other in zip(plain, asked, strict=True):
            assert selected(one, wanted) == selected(other, wanted)


def decoder_of(wanted):
    decoder = JsonLinesDecoder({})
    decoder.wanted = wanted
    return decoder


def selected(batch, fields):
    try:
        return batch.select(fields)
    except DataError as error:
        return error.row, error.message
