"""Lines that stay in their text: what the extension takes for good is good, and the same to all who look at it."""

import json

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ozzy.builtin.filters.key_value import KeyValueFilter
from ozzy.builtin.formatters.csv_cells import rows_of, rows_of_spans
from ozzy.data.batch import Batch
from ozzy.data.json_text import MISSING, bad_lines, decode_line, select_fields
from ozzy.data.native import AVAILABLE
from ozzy.data.packed import PackedLines
from ozzy.data.patched import patched
from ozzy.data.rows import Rows
from ozzy.data.tokens import token_columns
from ozzy.errors import DataError

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="the extension is not there")

ALL = 1 << 30
NAMES = ("a", "b", "ñ", "long name", "")
text = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.integers(min_value=-(10**25), max_value=10**25))
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)
records = st.dictionaries(st.sampled_from(NAMES) | text, values, max_size=6)
layouts = st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", "\t: ")])

SPOILING = (
    *(bytes([one]) for one in b'"\\{}[],:\n\r\t 0-.e\0\x1f\xff\xc3'),
    *(b"", b"\r\n", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xef\xbb\xbf"),
    *(b"\\u12", b"\\ud800", b"\\ud83d\\ude00", b"tru", b"null", b"1e5"),
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """A record as one line, spelt in one of many ways."""
    record = draw(records)
    line = json.dumps(record, ensure_ascii=draw(st.booleans()), separators=draw(layouts))
    return (draw(st.sampled_from(["", " ", "\t"])) + line + draw(st.sampled_from(["", "  "]))).encode("utf-8", "replace")


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Some lines, in which a few bytes are others, or are gone."""
    content = bytearray(b"\n".join(draw(st.lists(documents(), min_size=1, max_size=4))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 2))] = draw(st.sampled_from(SPOILING))
    return bytes(content)


def scanned(content: bytes, fields: tuple[str, ...] = NAMES) -> PackedLines | None:
    found = PackedLines.scanned(content, fields, ALL)
    assert found is None or found[1] == len(content)
    return None if found is None else found[0]


def lines_of(content: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in content.removesuffix(b"\n").split(b"\n")]


@given(st.lists(documents(), min_size=1, max_size=5), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_sound_lines_are_taken_and_give_the_same_values(lines, end, ends):
    content = end.join(lines) + (end if ends else b"")
    packed = scanned(content)
    assert packed is not None
    assert packed.lines() == lines
    assert packed.size == sum(map(len, lines))
    assert packed.records() == [decode_line(line) for line in lines]
    selected = select_fields(lines, NAMES)
    for place, name in enumerate(NAMES):
        found, wanted = packed.values(name), [row[place] for row in selected]
        assert found == wanted
        assert list(map(type, found)) == list(map(type, wanted))


@given(spoilt())
def test_what_is_taken_for_good_is_good(content):
    packed = scanned(content)
    if packed is None:
        return
    lines = lines_of(content)
    assert packed.lines() == lines
    assert bad_lines(lines) == {}
    assert not any(b"\r" in line or not line.strip() for line in lines)
    tokens = token_columns(lines, NAMES)
    for column, spans in zip(tokens, packed.spans(NAMES), strict=True):
        places = [(int.from_bytes(spans[at : at + 4], "little"), int.from_bytes(spans[at + 4 : at + 8], "little") & ~(1 << 31))
                  for at in range(0, len(spans), 8)]  # fmt: skip
        assert [content[start:end] for start, end in places] == list(map(bytes, column))


@given(st.binary(max_size=80))
def test_any_bytes_at_all(content):
    packed = scanned(content)
    assert packed is None or not len(packed) or bad_lines(lines_of(content)) == {}


@given(st.lists(documents(), min_size=1, max_size=6), st.data())
def test_rows_are_chosen_as_from_a_list(lines, data):
    packed = scanned(b"\n".join(lines))
    assert packed is not None
    mask = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    kept = packed.where(mask)
    assert kept.lines() == [line for line, keep in zip(lines, mask, strict=True) if keep]
    indices = data.draw(st.lists(st.integers(-len(lines), len(lines) - 1), max_size=8))
    picked = packed.take(indices)
    assert picked.lines() == [lines[index] for index in indices]
    assert picked.values("a") == [packed.values("a")[index] for index in indices]
    rows = kept.rows(b"\r\n")
    assert list(rows) == [line + b"\r\n" for line in kept.lines()]


@given(st.lists(documents(), min_size=1, max_size=6), st.booleans())
def test_cells_of_csv_are_those_of_tokens(lines, patch):
    def batch() -> Batch:
        packed = scanned(b"\n".join(lines))
        assert packed is not None
        return Batch(packed=packed)

    def changed(one: Batch) -> Batch:
        return patched(one, {"new": [1.5] * len(lines), "a": ['x"y'] * len(lines)}, {"b"}) if patch else one

    columns = (*NAMES, "new", "absent")
    try:
        wanted = rows_of(changed(Batch.from_lines(lines)).column_tokens(columns), b",", b"\n")
    except DataError:
        assume(False)
    found = changed(batch()).packed_columns(columns)
    assert found is not None
    assert list(rows_of_spans(*found, len(lines), b",", b"\n")) == wanted


def test_no_more_lines_are_read_than_asked_for():
    content = b'{"a":1}\n{"a":2}\n\n{"broken'
    found = PackedLines.scanned(content, ("a",), 2)
    assert found is not None
    packed, end = found
    assert packed.values("a") == [1, 2]
    assert content[end:] == b'\n{"broken'


def test_fields_that_were_not_read_are_read_later():
    packed = scanned(b'{"a":1,"b":[2]}\n{"b":"x"}\n{"a":3}', ("a",))
    assert packed is not None
    kept = packed.where([False, True, True])
    assert kept.values("b") == ["x", MISSING]
    assert kept.values("a") == [MISSING, 3]


def test_keys_are_known_by_what_they_mean():
    content = b'{"\\u00f1":1,"\\u0061":2,"\\ud83d\\ude00\\n\\/":3,"\\b":4}'
    packed = scanned(content, ("ñ", "a", "😀\n/", "\b", "b"))
    assert packed is not None
    assert [packed.values(name) for name in ("ñ", "a", "😀\n/", "\b", "b")] == [[1], [2], [3], [4], [MISSING]]


def test_a_long_key_with_escapes_is_left_to_others():
    assert scanned(b'{"' + b"\\u0061" * 600 + b'":1}') is None
    assert scanned(b'{"' + b"a" * 6000 + b'":1}') is not None


def test_lines_with_a_field_twice_are_left_to_others():
    """The last one counts, but each of them has to be a value."""
    content = b'{"a":1,"b":1e999,"b":2}'
    assert scanned(content, ("a", "b")) is None
    packed = scanned(content, ("a",))
    assert packed is not None
    with pytest.raises(DataError, match="out of range"):
        packed.values("b")
    assert Batch(packed=packed).packed_columns(("a", "b")) is None
    assert packed.compared("b", "==", 2) is None
    twice = scanned(b'{"a":1,"a":2,"b":3}', ("b",))
    assert twice is not None
    assert twice.values("a") == [2]
    assert Batch(packed=twice).columns(("a", "b")) == [[2], [3]]


@pytest.mark.parametrize(
    ("depth", "taken"), [(1, True), (255, True), (256, False), (100_000, False)], ids=["flat", "deepest", "too deep", "far too deep"]
)
def test_depth(depth, taken):
    assert (scanned(b'{"a":' + b"[" * depth + b"]" * depth + b"}") is not None) is taken


@pytest.mark.parametrize("number", ["-", "01", "1.", ".5", "1e", "1e+", "+1", "1.5.5", "0x1", "NaN", "Infinity", "--1", "-01"])
def test_numbers_that_are_none(number):
    assert scanned(f'{{"a":{number}}}'.encode()) is None


SPELLINGS = """
0 -0 -0.0 1e22 1e23 123456789012345678901234567890 9007199254740993 9007199254740993.0 0.1 4.35 1E-22 5e-324 0.000001
1.7976931348623157e308 100000000000000000000.5
"""


@pytest.mark.parametrize("spelling", SPELLINGS.split())
def test_numbers_are_rounded_as_everywhere(spelling):
    packed = scanned(f'{{"a":{spelling}}}'.encode())
    assert packed is not None
    [value] = packed.values("a")
    wanted = msgspec.json.decode(spelling)
    assert repr(value) == repr(wanted)


def test_a_number_out_of_range_is_an_error_only_where_it_is_decoded():
    packed = scanned(b'{"a":1,"b":1e999}')
    assert packed is not None
    assert packed.values("a") == [1]
    with pytest.raises(DataError, match="out of range"):
        packed.values("b")


def test_an_error_in_a_batch_knows_its_row():
    packed = scanned(b'{"a":1}\n{"a":1e999}')
    with pytest.raises(DataError) as raised:
        Batch(packed=packed).columns(("a",))
    assert raised.value.row == 1


@given(st.lists(documents(), min_size=1, max_size=6), st.sampled_from(["==", "!=", ">", ">=", "<", "<=", "in", "not_in"]), values)
def test_conditions_hold_as_of_values(lines, operator, wanted):
    if operator in {"in", "not_in"}:
        wanted = [wanted, "x"]
    elif operator not in {"==", "!="}:
        assume(isinstance(wanted, (str, int, float)) and not isinstance(wanted, bool))
    chosen = KeyValueFilter({"name": "key_value", "options": {"keys": [{"name": "a", "value": wanted, "operator": operator}]}})
    packed = scanned(b"\n".join(lines))
    assert packed is not None
    assert list(chosen.mask(Batch(packed=packed))) == list(chosen.mask(Batch.from_lines(lines)))


@pytest.mark.parametrize("value", ["1e999", '{"x":1e999}', "[1e999]", '"\\u0045S"', "9007199254740993", "1e23", "null", '"ES"', "true"])
@pytest.mark.parametrize(
    "condition", [{"value": "ES"}, {"value": 9007199254740992}, {"value": 50, "operator": ">"}, {"value": 1e23, "operator": "<="}]
)
def test_conditions_on_unusual_values(value, condition):
    line = f'{{"a":{value}}}'.encode()
    chosen = KeyValueFilter({"name": "key_value", "options": {"keys": [{"name": "a", **condition}]}})
    packed = scanned(line)

    def told(batch: Batch) -> object:
        try:
            return list(chosen.mask(batch))
        except DataError as error:
            return error.message, error.row

    assert told(Batch(packed=packed)) == told(Batch.from_lines([line]))


@given(st.lists(st.binary(max_size=5), max_size=8), st.data())
def test_rows_of_groups(rows, data):
    places = st.lists(st.integers(0, len(rows) - 1), max_size=5) if rows else st.just([])
    groups = data.draw(st.lists(places, max_size=4))
    lengths = b"".join(len(row).to_bytes(4, "little") for row in rows)
    found = Rows.measured(b"".join(rows), lengths).grouped(groups)
    assert [list(one) for one in found] == [[rows[index] for index in group] for group in groups]
    assert [one.text for one in found] == [b"".join(rows[index] for index in group) for group in groups]
