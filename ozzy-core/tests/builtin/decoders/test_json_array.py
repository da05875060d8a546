"""A JSON array of any size comes through record by record, and so do objects one after the other."""

import json
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import DataError, SourceError
from ozzy.builtin.decoders.json_array import BATCH_BYTES, JsonDecoder

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), max_size=8)


def lines_of(batches):
    return [line for batch in batches for line in batch.lines]


@pytest.mark.parametrize(
    "data",
    [
        b'[{"a":1},{"a":2}]',
        b'\xef\xbb\xbf[{"a":1},{"a":2}]\n',
        b' \r\n[ {"a":1}\n,\t{"a":2} ] ',
        b'{"a":1}{"a":2}',
        b'{"a":1}\n{"a":2}\n',
        b'[{"a":1}]\n[{"a":2}]',
        b'[]{"a":1}[{"a":2}]',
    ],
)
def test_the_records_of_a_stream(decode, data):
    [batch] = decode(JsonDecoder, data)

    assert batch.lines == [b'{"a":1}', b'{"a":2}']
    assert batch.position == {"rows": 2, "blank": 0}
    assert list(batch.origin) == [0, 1]


@pytest.mark.parametrize("data", [b"", b" \n", b"[]", b"[ ]\n", b"[][]", b"\xef\xbb\xbf"])
def test_a_stream_without_records_has_no_batches(decode, data):
    assert decode(JsonDecoder, data) == []


def test_a_record_stays_the_bytes_it_was_unless_it_holds_line_ends(decode):
    kept = b'{ "b":1.0,\t"a" : 1e999, "a":"]},{[\\"\\\\", "n":123456789012345678901234567890 }'
    broken = b'{\n  "a": [1,\r\n 2.50],\n  "t": "x  y"\n}'
    [batch] = decode(JsonDecoder, b"[" + kept + b", " + broken + b"]")

    assert batch.lines == [kept, b'{"a":[1,2.50],"t":"x  y"}']


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"1", "not int"),
        (b'"a, ] b"', "not str"),
        (b"null", "not null"),
        (b"[{}, 2]", "not array"),
        (b"nope", "JSON is malformed"),
        (b'{"a":1]', "JSON is malformed"),
        (b'{"a" 1}', "JSON is malformed"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":"x\ny"}', "invalid character"),
        (b'{"a":' * 257 + b"1" + b"}" * 257, "nested deeper than 256 levels"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested deeper than 256 levels"),
    ],
)
@pytest.mark.parametrize("drip", [None, 3])
def test_an_element_that_is_no_record_is_rejected_with_its_place(decode, bad, message, drip):
    [batch] = decode(JsonDecoder, b'[{"a":1}, ' + bad + b' ,{"a":2}]', drip=drip)
    [rejected] = batch.rejected

    assert batch.lines == [b'{"a":1}', b'{"a":2}']
    assert rejected.where == "in, record 2 at byte 10"
    assert message in rejected.message
    assert rejected.line == bad
    assert list(batch.origin) == [0, 2]
    assert batch.position == {"rows": 3, "blank": 0}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"[", "ends at byte 1, inside the array that begins at byte 0"),
        (b' [{"a":1}', "ends at byte 9, inside the array that begins at byte 1"),
        (b'[{"a":1},', "inside the array that begins at byte 0"),
        (b'[{"a":1}, {"a":', "ends at byte 15, inside the record that begins at byte 10"),
        (b'[{"a":1}, {"a":"x', "inside the record that begins at byte 10"),
        (b'[{"a":1}, {"a":"x\\', "inside the record that begins at byte 10"),
        (b"[12", "inside the value that begins at byte 1"),
        (b'["12', "inside the value that begins at byte 1"),
        (b'{"a":{}', "inside the record that begins at byte 0"),
    ],
)
@pytest.mark.parametrize("drip", [None, 1])
def test_a_stream_that_breaks_off_is_an_error_with_the_place(decode, data, place, drip):
    with pytest.raises(SourceError) as raised:
        decode(JsonDecoder, data, drip=drip)

    assert place in raised.value.message
    assert raised.value.message.startswith("in ends at byte ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "byte 0: expected an array or an object, found b'hello'"),
        (b'[{"a":1}] x', "byte 10: expected an array or an object"),
        (b'{"a":1},{"a":2}', "byte 7: expected an array or an object"),
        (b'[{"a":1} {"a":2}]', "byte 9: expected a comma or the end of the array"),
        (b'[{"a":1}}', "byte 8: expected a comma or the end of the array"),
        (b'[{"a":1},]', "byte 9: expected a value"),
        (b"[,]", "byte 1: expected a value"),
        (b"[}", "byte 1: expected a value"),
        (b"[1{}]", "byte 2: expected a comma or the end of the array"),
        (b"]", "byte 0: expected an array or an object"),
    ],
)
@pytest.mark.parametrize("drip", [None, 1])
def test_elements_that_can_not_be_told_apart_are_an_error_with_the_place(decode, data, message, drip):
    with pytest.raises(DataError) as raised:
        decode(JsonDecoder, data, drip=drip)

    assert message.partition(", found")[0] in raised.value.message
    assert raised.value.message.startswith("in, byte ")


def test_a_record_beyond_the_limit_is_an_error(decode):
    decode(JsonDecoder, b'[{"a":"' + b"x" * 1016 + b'"}]', record_limit=1024)
    for drip in (None, 100):
        with pytest.raises(DataError, match="in, byte 5: a record is longer than 1024 bytes"):
            decode(JsonDecoder, b'[{}, {"a":"' + b"x" * 2000 + b'"}]', record_limit=1024, drip=drip)
    with pytest.raises(DataError, match="in, byte 1: a record is longer than 1024 bytes"):
        decode(JsonDecoder, b'["' + b"x" * 2000, record_limit=1024)


def test_a_batch_ends_at_its_rows_or_with_the_row_that_reaches_its_bytes(decode):
    by_rows = decode(JsonDecoder, b"[" + b"{}," * 24 + b"{}]", batch_size=10)
    record = b'{"a":"' + b"x" * (BATCH_BYTES // 2) + b'"}'
    by_bytes = decode(JsonDecoder, b"[" + b",".join([record] * 5) + b"]")

    assert [len(batch) for batch in by_rows] == [10, 10, 5]
    assert [batch.position["rows"] for batch in by_rows] == [10, 20, 25]
    assert [len(batch) for batch in by_bytes] == [2, 2, 1]
    assert lines_of(by_bytes) == [record] * 5


@pytest.mark.parametrize("record", [b'{"a":"%s"}' % (b'x]"'.replace(b'"', b'\\"') * 2_000_000), b'{"a":[%s1]}' % (b"[{}],1.5," * 400_000)])
def test_a_large_record_is_read_in_linear_time(decode, record):
    began = time.process_time()
    [batch, *_] = decode(JsonDecoder, b"[" + record + b",{}]", drip=10_000)

    assert batch.lines[0] == record
    assert time.process_time() - began < 60


def test_a_long_array_is_read_in_little_memory(decode):
    class Endless:
        left = 50

        def read(self, size):
            self.left -= 1
            return (
                (b"[" if self.left == 49 else b"") + b'{"a":"%s"},\n' % (b"x" * 190) * 1000
                if self.left > 0
                else b"{}]"
                if self.left == 0
                else b""
            )

        def seekable(self):
            return False

    from ozzy.data.codecs import open_decompressed

    tracemalloc.start()
    stream = open_decompressed(Endless(), "none", name="in")
    rows = sum(len(batch) for batch in JsonDecoder().decode(stream))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert rows == 49_001
    assert peak < 8 * 1024 * 1024


@settings(max_examples=150)
@given(records=RECORDS, drip=st.integers(1, 50), batch_size=st.integers(1, 4), indent=st.sampled_from([None, 0, 2]), ascii=st.booleans())
def test_records_are_the_same_however_bytes_arrive_and_are_laid_out(decode, seen, records, drip, batch_size, indent, ascii):
    data = json.dumps(records, indent=indent, ensure_ascii=ascii).encode(errors="surrogatepass")
    one_by_one = "\n".join(json.dumps(record, indent=indent, ensure_ascii=ascii) for record in records).encode(errors="surrogatepass")
    whole = decode(JsonDecoder, data, batch_size=batch_size)

    assert list(map(seen, whole)) == list(map(seen, decode(JsonDecoder, data, batch_size=batch_size, drip=drip)))
    assert lines_of(whole) == lines_of(decode(JsonDecoder, one_by_one, batch_size=batch_size, drip=drip))
    assert [json.loads(line) for line in lines_of(whole)] == [
        record for row, record in enumerate(records) if row in {row for batch in whole for row in batch.origin}
    ]
    assert sum(len(batch) + len(batch.rejected) for batch in whole) == len(records)


@settings(max_examples=100)
@given(records=RECORDS, batch_size=st.integers(1, 4))
def test_reading_goes_on_after_any_batch(decode, seen, records, batch_size):
    data = json.dumps([*records, 5, *records]).encode()
    whole = decode(JsonDecoder, data, batch_size=batch_size)
    for done, batch in enumerate(whole, 1):
        rest = decode(JsonDecoder, data, position=batch.position, batch_size=batch_size)

        assert list(map(seen, whole[done:])) == list(map(seen, rest))


@settings(max_examples=200)
@given(
    data=st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"1", b" ", b"\n", b"a", b"\xc3"]), max_size=25).map(
        b"".join
    )
)
def test_any_text_is_read_or_refused(decode, seen, data):
    def outcome(drip):
        try:
            return list(map(seen, decode(JsonDecoder, data, drip=drip)))
        except (DataError, SourceError) as error:
            return error.message

    assert outcome(None).__class__ is outcome(1).__class__
    if isinstance(outcome(None), list):
        assert outcome(None) == outcome(1)
