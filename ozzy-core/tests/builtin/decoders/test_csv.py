"""CSV gives a dict of texts a row, and says which rows are bad and where."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import DataError
from ozzy.builtin.decoders.csv import BATCH_BYTES, CELL_LIMIT, CSVDecoder, TSVDecoder

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


def test_the_header_names_the_texts_of_each_row(decode):
    [batch] = decode(CSVDecoder, b"id,name\n1,Ann\n2,\xc3\x89ric\n")

    assert batch.records == [{"id": "1", "name": "Ann"}, {"id": "2", "name": "Éric"}]
    assert batch.position == {"rows": 2, "blank": 0}
    assert list(batch.origin) == [0, 1]


@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"a,b", b"a,b\r\n", b"\xef\xbb\xbfa,b\n"])
def test_a_stream_without_rows_has_no_batches(decode, data):
    assert decode(CSVDecoder, data) == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_marks_are_no_part_of_values(decode, end, last, mark):
    [batch] = decode(CSVDecoder, mark + b"a,b" + end + b'1,""' + end + b",4" + last)

    assert batch.records == [{"a": "1", "b": ""}, {"a": "", "b": "4"}]


def test_quoted_cells_keep_line_ends_delimiters_and_quotes(decode):
    [batch] = decode(CSVDecoder, b'a,b\r\n"x\r\ny\n\nz","1,""2"""\r\n5" pipe,\xe2\x80\xa8\n')

    assert batch.records == [{"a": "x\r\ny\n\nz", "b": '1,"2"'}, {"a": '5" pipe', "b": "\u2028"}]


def test_tabs_separate_in_tsv(decode):
    [batch] = decode(TSVDecoder, b'a\tb\n1,2\t"x\ty"\n')

    assert batch.records == [{"a": "1,2", "b": "x\ty"}]


def test_blank_lines_are_counted_and_no_rows(decode):
    [batch] = decode(CSVDecoder, b"\na\n1\n\n\r\n2\n\n")

    assert batch.records == [{"a": "1"}, {"a": "2"}]
    assert batch.blank == 3
    assert list(batch.origin) == [0, 1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"1", "1 cells where the header has 2"),
        (b" ", "1 cells where the header has 2"),
        (b"1,2,3", "3 cells where the header has 2"),
        (b"1,2,", "3 cells where the header has 2"),
        (b'1,"x"y', "',' expected after '\"'"),
        (b"1,\0", "holds a NUL byte"),
        (b"1,\xff", "not UTF-8"),
        (b"1,\xed\xa0\x80", "not UTF-8"),
        (b"1\r2,3", "a carriage return inside a row"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_its_bytes(decode, row, message):
    [batch] = decode(CSVDecoder, b'a,b\n1,"x\ny"\n' + row + b"\n3,4\n")
    [rejected] = batch.rejected

    assert [record["a"] for record in batch.records] == ["1", "3"]
    assert rejected.where == "in, line 4"
    assert rejected.message == message
    assert rejected.line == row
    assert list(batch.origin) == [0, 2]
    assert batch.position == {"rows": 3, "blank": 0}


def test_a_bad_row_of_several_lines_is_named_by_its_first(decode):
    [batch] = decode(CSVDecoder, b'a,b\n"x\ny",1,2\n"x\ny"z\n3,4\n')

    assert [(rejected.where, rejected.line) for rejected in batch.rejected] == [("in, line 2", b'"x\ny",1,2'), ("in, line 4", b'"x\ny"z')]
    assert batch.records == [{"a": "3", "b": "4"}]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"a,b,a", "'a' stands there twice"),
        (b"a,,b", "a name is empty"),
        (b"a,", "a name is empty"),
        (b"a,\xff", "not UTF-8"),
        (b"a,\0", "NUL"),
        (b'a,"b"c', "line 1: the header can't be read"),
        (b'a,"b', "line 1: the header can't be read: unexpected end of data"),
        (b"a,b\r1,2\r", "line 1: the header can't be read: a carriage return inside a row"),
    ],
)
def test_a_bad_header_is_an_error_of_the_stream(decode, header, message):
    with pytest.raises(DataError) as raised:
        decode(CSVDecoder, header + (b"" if header.endswith(b'"b') else b"\n1,2,3\n"))

    assert message in raised.value.message
    assert raised.value.message.startswith("in")


@pytest.mark.parametrize("row", [b'2,"x\n3,4\n', b'2,"' + b"x" * (CELL_LIMIT - 5) + b"\n" + b"y" * 100 + b'"\n'])
def test_a_quote_that_is_never_closed_is_an_error_with_its_line(decode, row):
    with pytest.raises(DataError, match="in, line 3: a quote is never closed, or a cell has more than"):
        decode(CSVDecoder, b"a,b\n1,2\n" + row)


def test_a_line_that_is_too_long_is_an_error_with_its_number(decode):
    with pytest.raises(DataError, match=f"in, line 2: longer than {CELL_LIMIT} bytes"):
        decode(CSVDecoder, b"a,b\n" + b"1," * (CELL_LIMIT // 2 + 1))


def test_a_cell_may_be_larger_than_python_has_it(decode):
    [batch] = decode(CSVDecoder, b"a\n" + b"x" * 500_000 + b"\n")

    assert batch.records == [{"a": "x" * 500_000}]


def test_a_batch_ends_at_its_rows_or_with_the_row_that_reaches_its_bytes(decode):
    by_rows = decode(CSVDecoder, b"a\n" + b"1\n" * 25, batch_size=10)
    row = b"x" * (BATCH_BYTES // 4 - 1) + b"\n"
    by_bytes = decode(CSVDecoder, b"a\n" + row * 9)

    assert [len(batch) for batch in by_rows] == [10, 10, 5]
    assert [batch.position["rows"] for batch in by_rows] == [10, 20, 25]
    assert [len(batch) for batch in by_bytes] == [4, 4, 1]


@settings(max_examples=150)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8),
    drip=st.integers(1, 30),
    batch_size=st.integers(1, 4),
    end=st.sampled_from(["\n", "\r\n"]),
    decoder=st.sampled_from([CSVDecoder, TSVDecoder]),
)
def test_what_a_writer_wrote_comes_back_however_bytes_arrive(decode, rows, drip, batch_size, end, decoder):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, delimiter="," if decoder is CSVDecoder else "\t", quoting=csv.QUOTE_ALL).writerows(
        [["a", "b"], *rows]
    )
    data = text.getvalue().encode()
    whole = decode(decoder, data, batch_size=batch_size)
    dripped = decode(decoder, data, batch_size=batch_size, drip=drip)

    assert [record for batch in whole for record in batch.records] == [{"a": a, "b": b} for a, b in rows]
    assert [batch.records for batch in whole] == [batch.records for batch in dripped]
    assert [len(batch) for batch in whole[:-1]] == [batch_size] * len(whole[:-1])


@settings(max_examples=150)
@given(
    data=st.lists(st.sampled_from([b"a", b",", b"\n", b"\r\n", b"\r", b'"', b"\0", b"\xff", b"x,y\n"]), max_size=25).map(b"".join),
    batch_size=st.integers(1, 3),
)
def test_any_rows_are_read_or_refused_and_can_be_gone_on_with(decode, data, batch_size):
    def outcome(**how):
        try:
            batches = decode(CSVDecoder, b"a,b\n" + data, batch_size=batch_size, **how)
        except DataError as error:
            return error.message
        return [(batch.records, list(batch.rejected), batch.blank, batch.origin, batch.position) for batch in batches]

    whole = outcome()
    assert whole == outcome(drip=1)
    if isinstance(whole, list):
        for done, (*_, position) in enumerate(whole, 1):
            assert whole[done:] == outcome(position=position)
