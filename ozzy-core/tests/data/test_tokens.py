"""Lines that are taken apart into tokens and put together again: the same outcome as with records, and the bytes of values stay."""

import json
from copy import deepcopy

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import Batch, DataError
from ozzy.builtin.transforms.cast import CastTransform
from ozzy.builtin.transforms.drop import DropTransform
from ozzy.builtin.transforms.explode import ExplodeTransform
from ozzy.builtin.transforms.flatson import FlatsonTransform
from ozzy.builtin.transforms.flatten import FlattenTransform
from ozzy.builtin.transforms.mask import MaskTransform
from ozzy.builtin.transforms.rename import RenameTransform
from ozzy.builtin.transforms.select import SelectTransform
from ozzy.data.json_text import decode_line
from ozzy.data.tokens import PLAIN, TOKENS, join_tokens, split_line

LINE = '{ "n" : 1.50 , "s":"\\u0061\\/é" ,"o":{"x" : [1 , 2]}, "n":12345678901234567890123, "\\u00e9":null}'.encode()


def test_a_line_is_taken_apart_and_put_together():
    row = split_line(LINE)

    assert {name: bytes(value) for name, value in row.items()} == {
        "n": b"12345678901234567890123",
        "s": '"\\u0061\\/é"'.encode(),
        "o": b'{"x" : [1 , 2]}',
        "é": b"null",
    }
    assert join_tokens(row) == '{"n":12345678901234567890123,"s":"\\u0061\\/é","o":{"x" : [1 , 2]},"é":null}'.encode()


def test_rows_may_mix_tokens_with_plain_values():
    assert join_tokens({"a": msgspec.Raw(b"1.50"), 'b"': ["x", None]}) == b'{"a":1.50,"b\\"":["x",null]}'


@pytest.mark.parametrize("line", [b"[1]", b"{", b"", b'{"a":}', b'{"\xff":1}'])
def test_what_is_no_object_can_not_be_taken_apart(line):
    with pytest.raises(DataError):
        split_line(line)


@pytest.mark.parametrize("row", [{"\ud800": 1}, {"a": object()}])
def test_what_is_no_json_can_not_be_put_together(row):
    with pytest.raises(DataError, match="can't be written as JSON"):
        join_tokens(row)


def test_the_two_forms_say_the_same_of_a_value():
    for value in ({"a": 1}, [1, "x"], "{", "[", 1, -1.5, None, True, {}, []):
        token = TOKENS.made(value)
        members, elements = TOKENS.members(token), TOKENS.elements(token)

        assert (members is None, elements is None) == (PLAIN.members(value) is None, PLAIN.elements(value) is None)
        assert TOKENS.plain(token) == PLAIN.plain(PLAIN.made(value)) == value
        if members is not None or elements is not None:
            assert TOKENS.plain(TOKENS.whole(members if members is not None else list(elements))) == PLAIN.whole(value) == value


def test_a_number_out_of_range_is_refused_where_it_is_decoded():
    with pytest.raises(DataError, match="out of range"):
        TOKENS.plain(msgspec.Raw(b"1e999"))


def test_tokens_of_a_batch_and_a_batch_of_tokens():
    batch = Batch.from_lines([LINE, b'{"b": 2}'])
    made = Batch.from_tokens(batch.tokens(), split="s")

    assert made.lines == [join_tokens(split_line(LINE)), b'{"b":2}']
    assert (made.faces, made.split) == (("lines",), "s")
    assert Batch.from_records([{"a": 1.5}]).tokens() == [{"a": msgspec.Raw(b"1.5")}]
    with pytest.raises(DataError) as raised:
        Batch.from_tokens([{}, {"a": object()}])
    assert raised.value.row == 1
    with pytest.raises(DataError) as raised:
        Batch.from_lines([b"{}", b"{"]).tokens()
    assert raised.value.row == 1


def test_a_row_that_can_not_be_projected_is_told():
    with pytest.raises(DataError) as raised:
        Batch.from_lines([b"{}", b"[]"]).project(("a",))
    assert raised.value.row == 1
    with pytest.raises(DataError) as raised:
        Batch.from_lines([b"{}", b"[]"]).project(('"',))
    assert raised.value.row == 1


def test_new_rows_keep_place_and_origin_and_the_batch_stays():
    for batch in (
        Batch.from_lines([b'{"a": 1}'], split="s", position=2, origin=[5]),
        Batch.from_records([{"a": 1}], split="s", position=2, origin=[5]),
    ):
        before = deepcopy(batch.records) if batch.faces == ("records",) else list(batch.lines)
        for made in (batch.project(("b",)), batch.rewrite(lambda row, form: {"b": form.made(1)})):
            assert (made.faces, made.split, made.position, made.origin) == (batch.faces, "s", 2, [5])
        made = batch.unfold(lambda row, form: [row, {}])
        assert (made.faces, made.split, made.position, made.origin) == (batch.faces, "s", 2, None)
        assert len(made) == 2
        assert (batch.records if batch.faces == ("records",) else batch.lines) == before


def test_lines_come_before_records_that_were_looked_at():
    batch = Batch.from_lines([b'{ "a" : 1.50 }'])
    _ = batch.records

    assert batch.rewrite(lambda row, form: row).lines == [b'{ "a" : 1.50 }']


def test_batches_are_joined_as_lines_where_each_has_some():
    lines, records = Batch.from_lines([b'{"a" :1}'], origin=[3]), Batch.from_records([{"b": 2}], origin=[4])

    joined = Batch.joined([lines, lines])
    assert (joined.faces, joined.lines, joined.origin) == (("lines",), [b'{"a" :1}'] * 2, [3, 3])
    joined = Batch.joined([lines, records, Batch.from_records([])])
    assert (joined.faces, joined.records, joined.origin) == (("records",), [{"a": 1}, {"b": 2}], None)
    assert len(Batch.joined([])) == 0


# From lines and from records, each transform comes to the same.

NAMES = st.sampled_from(["a", "b", "é", "", '"'])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
SLASH = {"nested_field_separator": "/"}
COLLISION = st.sampled_from(["reject", "replace", "keep"])
TYPES = st.sampled_from(["int", "float", "str", "bool", "date", "datetime", "decimal"])
MASKS = st.sampled_from(["digest", "redact", "truncate"])


def apart(fields):
    """The fields without those that lie inside others."""
    return {path: value for path, value in fields.items() if not any(path.startswith(f"{other}/") for other in fields)}


def with_options(cls, **options):
    return st.fixed_dictionaries(options).map(lambda drawn: cls({"options": drawn}))


PROPERTIES = st.recursive(
    st.just({})
    | st.sampled_from(["extract_first", "join_values", None]).map(
        lambda method: {"type": "array"} | ({"flatson_serialize": {"method": method}} if method else {})
    ),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3).map(lambda found: {"type": "object", "properties": found}),
    max_leaves=5,
)
TRANSFORMS = st.one_of(
    with_options(SelectTransform, fields=st.lists(PATHS, min_size=1, max_size=4), nested_field_separator=st.just("/")),
    with_options(DropTransform, fields=st.lists(PATHS, min_size=1, max_size=4), nested_field_separator=st.just("/")),
    with_options(
        RenameTransform,
        fields=st.dictionaries(PATHS, NAMES, min_size=1, max_size=4),
        on_collision=COLLISION,
        nested_field_separator=st.just("/"),
    ),
    with_options(
        CastTransform,
        fields=st.dictionaries(PATHS, TYPES, min_size=1, max_size=3).map(apart),
        on_error=st.sampled_from(["reject", "null", "keep"]),
        nested_field_separator=st.just("/"),
    ),
    with_options(
        FlattenTransform,
        separator=st.sampled_from([".", "a"]),
        max_depth=st.none() | st.integers(1, 3),
        lists=st.sampled_from(["keep", "index", "json"]),
        on_collision=st.sampled_from(["reject", "first", "last"]),
    ),
    with_options(
        ExplodeTransform,
        field=PATHS.filter(bool),
        keep_empty=st.booleans(),
        index_field=st.sampled_from([None, "number"]),
        nested_field_separator=st.just("/"),
    ),
    with_options(
        MaskTransform,
        fields=st.dictionaries(PATHS, MASKS, min_size=1, max_size=3).map(apart),
        key=st.just("a key of sixteen characters"),
        nested_field_separator=st.just("/"),
    ),
    with_options(
        FlatsonTransform,
        flatson_schema=st.dictionaries(NAMES, PROPERTIES, max_size=4).map(lambda found: {"type": "object", "properties": found}),
    ),
)


def outcome(transform, batch):
    try:
        return repr([dict(record) for record in transform.transform_batch(batch).records])
    except DataError as error:
        return f"row {error.row}: {error.message}"


def decodes(line):
    try:
        decode_line(line)
    except DataError:
        return False
    return True


@settings(max_examples=100, deadline=None)
@given(data=st.data(), transform=TRANSFORMS)
def test_tokens_and_records_come_to_the_same(good_lines, data, transform):
    lines = list(filter(decodes, data.draw(st.lists(good_lines, min_size=1, max_size=4))))
    records = list(map(decode_line, lines))
    given = repr(records)

    assert outcome(transform, Batch.from_lines(list(lines))) == outcome(transform, Batch.from_records(records))
    assert repr(records) == given


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_values_that_stay_keep_their_bytes(good_lines, data):
    line = data.draw(good_lines)
    tokens = {name: bytes(value) for name, value in split_line(line).items()}
    dropped = data.draw(st.sampled_from([*tokens, "no such"]))
    for transform in (DropTransform({"options": {"fields": [dropped], "nested_field_separator": ""}}),):
        (made,) = transform.transform_batch(Batch.from_lines([line])).lines
        left = {name: value for name, value in tokens.items() if name != dropped}
        assert {name: bytes(value) for name, value in split_line(made).items()} == left
        assert made == line or len(left) < len(tokens)
    chosen = data.draw(st.permutations(list(tokens)))
    (made,) = Batch.from_lines([line]).project(tuple(chosen)).lines
    assert [(name, bytes(value)) for name, value in split_line(made).items()] == [(name, tokens[name]) for name in chosen]


def test_the_deepest_records_are_handled():
    record = 1
    for _ in range(256):
        record = {"a": record}
    line = json.dumps(record).encode()
    path = "/".join("a" * 256)
    for transform in (
        SelectTransform({"options": {"fields": [path], **SLASH}}),
        DropTransform({"options": {"fields": [path], **SLASH}}),
        RenameTransform({"options": {"fields": {path: "b"}, **SLASH}}),
        CastTransform({"options": {"fields": {path: "str"}, **SLASH}}),
        MaskTransform({"options": {"fields": {path: "redact"}, **SLASH}}),
        ExplodeTransform({"options": {"field": path.removesuffix("/a"), "keep_empty": True, **SLASH}}),
        FlattenTransform({"options": {}}),
    ):
        assert outcome(transform, Batch.from_lines([line])) == outcome(transform, Batch.from_records([decode_line(line)]))
