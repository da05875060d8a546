"""The extension takes a text of CSV where each line is a plain row, as a pattern says it, and its cells are those of Python's reader."""

import csv
import io
import math
import re
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ozzy.builtin.decoders.columns import Columns, value_maker
from ozzy.builtin.filters.operators import make_column_test

native = pytest.importorskip("ozzy.data._native")

ALPHABET = 'ab,;"\n\r\t \0é\ufeff\u2028😀\x0b\x85'
CELL = st.text(st.sampled_from(ALPHABET), max_size=6) | st.text(st.sampled_from('a",'), min_size=14, max_size=40)
TEXT = st.text(st.sampled_from(ALPHABET), max_size=60).map(str.encode) | st.lists(
    st.sampled_from([b'"', b",", b"a" * 15, b"\n", b"\r\n"])
).map(b"".join)
SIGNS = st.sampled_from([(",", '"'), (";", "'"), ("\t", '"'), (",", None), ("\x01", "\t"), ("a", "b")])


def is_plain(text, count, delimiter, quotechar):
    """What the module says in words."""
    if any((b"\0" in text, text.count(b"\r") != text.count(b"\r\n"), not _is_utf8(text))):
        return False
    sign, quote = re.escape(delimiter.encode()), re.escape(quotechar.encode()) if quotechar else b""
    bare = b"[^%b%b][^%b]*" % (sign, quote, sign)
    cell = b"(?:%b(?:[^%b]|%b%b)*%b|%b)?" % (quote, quote, quote, quote, quote, bare) if quote else b"(?:%b)?" % bare
    row = re.compile(b"%b(?:%b%b){%d}" % (cell, sign, cell, count - 1))
    lines = text.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n") if text else []
    return all(line and row.fullmatch(line) for line in lines)


def _is_utf8(text):
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def scanned(text, count, delimiter, quotechar, wanted=None):
    return native.scan_csv(
        text, count, tuple(range(count)) if wanted is None else wanted, ord(delimiter), ord(quotechar) if quotechar else -1
    )


def texts(text, column, quotechar):
    return native.csv_values(text, column, "str", ord(quotechar) if quotechar else -1, (), str)


def read(text, delimiter, quotechar):
    quoting = csv.QUOTE_MINIMAL if quotechar else csv.QUOTE_NONE
    lines = (line + "\n" for line in text.decode().removesuffix("\n").split("\n"))
    return list(csv.reader(lines, delimiter=delimiter, quotechar=quotechar, quoting=quoting, strict=True)) if text else []


def check(text, count, delimiter, quotechar):
    found = scanned(text, count, delimiter, quotechar)
    assert (found is not None) == is_plain(text, count, delimiter, quotechar)
    if found is None:
        return
    rows = read(text, delimiter, quotechar)
    columns = [texts(text, column, quotechar) for column in found[1:]]
    assert list(map(list, zip(*columns, strict=True))) == rows
    assert native.cut(text, found[0]) == text.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n") if text else rows == []
    last = (count - 1,)
    signs = (ord(delimiter), ord(quotechar) if quotechar else -1)
    assert native.csv_cells(text, found[0], count, last, *signs) == scanned(text, count, delimiter, quotechar, last)[1:] == found[-1:]


@settings(max_examples=300, deadline=None)
@given(TEXT, st.integers(1, 3), SIGNS)
@example(b'"' + b"a" * 40 + b'",b\n', 2, (",", '"'))
@example(b'"a""b",b\r\n', 2, (",", '"'))
@example(b"a\r", 1, (",", '"'))
@example(b'"a\xc3\xa9', 1, (",", '"'))
@example(b"\xc3", 1, (",", '"'))
@example(b"," * 20 + b"\xed\xa0\x80", 21, (",", '"'))
@example(b'""""\n', 1, (",", '"'))
@example(b'"""\n', 1, (",", '"'))
@example(b"a\n\nb\n", 1, (",", '"'))
def test_a_text_is_taken_where_it_is_plain_and_only_there(text, count, signs):
    check(text, count, *signs)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(1, 3), SIGNS)
def test_any_bytes(text, count, signs):
    check(text, count, *signs)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda count: st.lists(st.lists(CELL, min_size=count, max_size=count), min_size=1, max_size=20)),
    SIGNS.filter(lambda signs: signs[1]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_as_csv(rows, signs, quoting, end):
    text = io.StringIO(newline="")
    delimiter, quotechar = signs
    csv.writer(text, delimiter=delimiter, quotechar=quotechar, quoting=quoting, lineterminator=end).writerows(rows)
    check(text.getvalue().encode(), len(rows[0]), delimiter, quotechar)


NUMBER = st.from_regex(r"[-+]?[0-9]{0,20}(\.[0-9]{0,20})?([eE][-+]?[0-9]{0,3})?", fullmatch=True)
ODD = st.sampled_from(
    [
        *["", " ", "\u3000", "-", ".", "1..5", "1.5.", "1e", "007", "-0", "-0.0", "+1", " 2 ", "1.", ".5", "nan", "inf", "0x1", "1_0"],
        *["\x11", "\u0663", "9" * 18, "9" * 19, "9007199254740993", "9007199254740993.0", "1e23", "1" * 5000, '"', "a", "NA", "0", "-1"],
    ]
)
TRUTH = st.sampled_from(["true", "TRUE", "t", "Yes", "1", "false", "F", "nO", "0", "\x11", "tru", "truee", "yes\0", " true", "\u017f", "y"])


CELLS = st.lists(NUMBER | ODD | TRUTH | st.floats().map(repr) | st.integers().map(str))
KINDS = st.sampled_from(["str", "int", "float", "number", "bool", "json"])
NULLS = st.sampled_from([[], ["NA"], ["NA", "0", "-1", "", '"']])


def column_of(cells):
    """The text of these cells, one after the other, and their column."""
    text, column = b"", b""
    for cell in cells:
        content = cell.replace('"', '""').encode()
        end = len(text) + len(content) | (0x80000000 if '"' in cell else 0)
        column += struct.pack("=II", len(text), end)
        text += content
    return text, column


@settings(max_examples=400, deadline=None)
@given(CELLS, KINDS, NULLS)
def test_a_cell_has_the_value_that_it_has_row_by_row(cells, kind, nulls):
    """Which cells have none is found out by `other`, and so is each that is spelt in a way of its own."""
    columns = Columns(["a"], {"a": kind}, nulls)

    def value(cell):
        row = [cell]
        return ("bad", cell) if columns.convert(row) else row[0]

    text, column = column_of(cells)
    made = native.csv_values(text, column, kind, ord('"'), tuple(null.encode() for null in nulls), value)
    assert list(map(repr, made)) == [repr(value(cell)) for cell in cells]


@settings(max_examples=200, deadline=None)
@given(CELLS, KINDS, NULLS)
def test_cells_are_checked_as_their_values_are_made(cells, kind, nulls):
    def outcome(function):
        arguments = (*column_of(cells), kind, ord('"'), tuple(null.encode() for null in nulls), value_maker(kind, nulls))
        try:
            function(*arguments)
        except ValueError as error:
            return str(error)
        return None

    assert outcome(native.csv_check) == outcome(native.csv_values)


WANTED = st.sampled_from(
    [
        0,
        1,
        -1,
        2**53,
        2**53 + 1,
        10**17,
        2**70,
        0.0,
        -0.0,
        1.5,
        9007199254740993.0,
        1e23,
        math.inf,
        math.nan,
        "",
        "a",
        "1",
        "é",
        "\ud800",
        '"',
        None,
        True,
        [1],
    ]
)


@settings(max_examples=500, deadline=None)
@given(
    CELLS,
    KINDS,
    NULLS,
    st.sampled_from(["==", ">", ">=", "<", "<=", "!=", "in"]),
    WANTED | st.floats() | st.integers() | st.text(max_size=2),
)
@example(["9007199254740993", "9007199254740992.0"], "number", [], "==", 9007199254740992.0)
@example(["-0", "0.0"], "float", [], "<", 0)
def test_cells_are_compared_as_their_values_are(cells, kind, nulls, operator, wanted):
    def value(cell):
        try:
            return make(cell)
        except ValueError:
            return None

    make = value_maker(kind, nulls)
    mask = native.csv_mask(*column_of(cells), kind, ord('"'), tuple(null.encode() for null in nulls), value, operator, wanted)
    texts = kind == "str" and type(wanted) is str and wanted != "\ud800"
    whole = type(wanted) is int and -(2**63) <= wanted < 2**63
    numbers = kind in {"int", "float", "number"} and (whole or (type(wanted) is float and math.isfinite(wanted)))
    assert (mask is not None) == (operator not in {"!=", "in"} and (texts or numbers))
    if mask is not None:
        assert mask == make_column_test(operator, wanted)([value(cell) for cell in cells])


def test_arguments_that_are_none_are_refused():
    with pytest.raises(ValueError, match="one cell at the least"):
        scanned(b"a", 0, ",", None)
    with pytest.raises(ValueError, match="no such cell"):
        scanned(b"a", 1, ",", None, (1,))
    with pytest.raises(ValueError, match="no such cell"):
        scanned(b"a", 2, ",", None, (1, 1))
    with pytest.raises(ValueError, match="no such cell"):
        scanned(b"a", 2, ",", None, (-1,))
    with pytest.raises(TypeError):
        scanned(b"a", 1, ",", None, ("a",))
    [rows] = scanned(b"a,b\n", 2, ",", None, ())
    assert native.csv_cells(b"a,b\n", rows, 2, (), 44, -1) == ()
    with pytest.raises(ValueError, match="no rows of this form"):
        native.csv_cells(b"a,b\n", rows, 1, (0,), 44, -1)
    with pytest.raises(ValueError, match="no spans of this text"):
        native.csv_cells(b"a,b", rows + rows[::-1], 2, (0,), 44, -1)
    with pytest.raises(TypeError, match="are bytes"):
        native.csv_values(b"a", rows[:0], "str", -1, ("a",), str)


def test_an_error_of_a_cell_is_raised():
    [rows] = scanned(b"1\nx\n", 1, ",", None, ())
    with pytest.raises(ValueError, match="invalid literal"):
        native.csv_values(b"1\nx\n", rows, "int", -1, (), int)


def test_texts_that_repeat_are_one():
    text = b"Spain\n" * 9
    [rows] = scanned(text, 1, ",", None, ())
    assert len({id(value) for value in native.csv_values(text, rows, "str", -1, (), str)}) == 1
