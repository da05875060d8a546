"""Whatever face a stage asks for, the outcome is the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import BaseFilter, BaseGrouper, Batch, DataError
from ozzy.builtin.decoders.json_array import JsonDecoder
from ozzy.builtin.decoders.json_lines import JsonLinesDecoder
from ozzy.builtin.filters.key_value import KeyValueFilter, KeyValueRegexFilter
from ozzy.builtin.groupers.file_key import FileKeyGrouper
from ozzy.data.codecs import open_decompressed
from ozzy.data.json_text import check_line, decode_line

FIELDS = st.sampled_from(["a", "b", "a.b", "é", "", '"'])
WANTED = st.none() | st.booleans() | st.integers(-1, 1) | st.sampled_from([0.0, 1.0, "", "a", [1], {}])


def decodes(line):
    try:
        decode_line(line)
    except DataError:
        return False
    return True


@st.composite
def steps(draw):
    """A stage that looks at records or chooses some, as a function from a batch to what comes of it."""
    kind = draw(st.sampled_from(["==", "in", "contains", "re_match", "regex", "where", "take", "by_item", "iterate", "records", "lines"]))
    if kind in {"==", "in", "contains", "re_match", "regex"}:
        value = [draw(WANTED)] if kind == "in" else draw(st.sampled_from(["a", "1", "."])) if "re" in kind else draw(WANTED)
        entry = {"name": draw(FIELDS), "value": value, "operator": "==" if kind == "regex" else kind}
        module = (KeyValueRegexFilter if kind == "regex" else KeyValueFilter)({"options": {"keys": [entry]}})
        return lambda batch: batch.where(module.mask(batch))
    if kind == "where":
        every = draw(st.integers(1, 3))
        return lambda batch: batch.where([row % every == 0 for row in range(len(batch))])
    if kind == "take":
        return lambda batch: batch.take(range(len(batch) - 1, -1, -1))
    if kind == "by_item":

        class HasA(BaseFilter):
            def filter(self, item):
                return "a" in item

        return lambda batch: batch.where(HasA().mask(batch))
    return {"iterate": lambda batch: (list(batch), batch)[1], "records": lambda batch: (batch.records, batch)[1]}.get(
        kind, lambda batch: (batch.lines, batch)[1]
    )


def outcome(batch, stages, fields):
    """All that can be seen of a batch after some stages, types included."""
    for stage in stages:
        batch = stage(batch)

    class ByLength(BaseGrouper):
        def key(self, item):
            return len(item), item.get("a")

    groups = [grouper.keys(batch) for grouper in (FileKeyGrouper({"options": {"keys": ["a", "a.b"]}}), ByLength())]
    return (
        repr(batch.select(fields)),
        groups,
        repr([dict(record) for record in batch.records]),
        repr(list(map(decode_line, batch.lines))),
        list(batch.origin),
    )


@settings(max_examples=120)
@given(data=st.data(), stages=st.lists(steps(), max_size=4), fields=st.lists(FIELDS, max_size=3).map(tuple))
def test_lines_and_records_come_to_the_same(good_lines, data, stages, fields):
    lines = list(filter(decodes, data.draw(st.lists(good_lines, min_size=1, max_size=5))))
    by_lines = Batch.from_lines(lines, origin=range(len(lines)))
    by_records = Batch.from_records(list(map(decode_line, lines)), origin=range(len(lines)))

    assert outcome(by_lines, stages, fields) == outcome(by_records, stages, fields)


@settings(max_examples=120)
@given(data=st.data(), stages=st.lists(steps(), max_size=4))
def test_lines_that_stages_only_looked_at_leave_byte_for_byte(good_lines, data, stages):
    lines = list(filter(decodes, data.draw(st.lists(good_lines, min_size=1, max_size=5))))
    batch = Batch.from_lines(list(lines), origin=range(len(lines)))
    for stage in stages:
        batch = stage(batch)

    assert batch.lines == [lines[row] for row in batch.origin]


MARKS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe", b"\0\0\xfe\xff")
"""What a stream may begin with to tell its encoding: that belongs to the stream, not to a line."""


@settings(max_examples=120)
@given(data=st.data())
def test_what_is_bad_does_not_depend_on_the_decoder(any_lines, data):
    drawn = data.draw(st.lists(any_lines, min_size=1, max_size=4))
    lines = [line for line in drawn if line.strip() and b"\n" not in line and b"\r" not in line and not line.startswith(MARKS)]
    good = [line for line in lines if not refused(line)]
    decoder = JsonLinesDecoder().decode(open_decompressed(Bytes(b"\n".join(lines)), "none", name="in"))

    assert good == [line for batch in decoder for line in batch.lines]
    array = JsonDecoder().decode(open_decompressed(Bytes(b"[" + b",".join(good) + b"]"), "none", name="in"))
    assert [line.strip(b" \t") for line in good] == [line for batch in array for line in batch.lines]


@settings(max_examples=100)
@given(data=st.data())
def test_a_number_out_of_range_passes_until_it_is_decoded(good_lines, data):
    bad = data.draw(st.sampled_from([b'{"x":1e999}', b'{"y":1,"x":-1e400}', b'{"x":' + b"9" * 4301 + b"}"]))
    lines = [*list(filter(decodes, data.draw(st.lists(good_lines, max_size=3)))), bad]
    batch = Batch.from_lines(list(lines), origin=range(len(lines)))

    assert batch.where([True] * len(lines)).lines == lines
    assert batch.select(("y",))[-1] == ((1,) if b"y" in bad else batch.select(("y",))[-1])
    for look in (lambda: batch.select(("x",)), lambda: batch.records, lambda: list(batch)):
        with pytest.raises(DataError, match="out of range") as raised:
            look()
        assert raised.value.row == len(lines) - 1


def refused(line):
    try:
        check_line(line)
    except DataError:
        return True
    return False


class Bytes:
    """A file of bytes that can't seek."""

    def __init__(self, data):
        self._data = data

    def read(self, size):
        piece, self._data = self._data[:size], self._data[size:]
        return piece
