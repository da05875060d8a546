"""Readers of both kinds give batches with positions, and readers of streams go on at the row."""

import gzip
import io
from typing import ClassVar

import pytest

from ozzy import BaseReader, BaseStreamReader, Batch, ConfigError, Listed, Range, SourceError, Split, Stream
from ozzy.builtin.decoders.csv import CSVDecoder
from ozzy.builtin.decoders.json_lines import JsonLinesDecoder


class Numbers(BaseReader):
    """Counts in batches of three, the inherited way."""

    last = -1

    def get_next_batch(self):
        for number in range(self.last + 1, min(self.last + 4, 8)):
            self.last = number
            yield {"n": number}
        self.finished = self.last == 7

    def get_last_position(self):
        return {"last": self.last}

    def set_last_position(self, position):
        self.told = position
        self.last = -1 if position is None else position["last"]


class Parts(BaseReader):
    """Two parts, read by splits."""

    def splits(self):
        return [Split("a"), Split("b")]

    def read(self, split, position):
        yield Batch.from_records([{"from": split.id}], position=1)
        yield Batch.from_records([], position=2)
        yield Batch.from_records([{"from": split.id}], position=3)


class Streams(BaseStreamReader):
    """Streams out of a dict."""

    content: ClassVar[dict] = {}
    closed = 0

    def get_read_streams(self):
        yield from [Stream(name, len(data), fingerprint="1") for name, data in self.content.items()]
        yield Stream(next(iter(self.content)))

    def open_stream(self, stream):
        reader = self

        class File(io.BytesIO):
            def close(self):
                reader.closed += 1
                super().close()

        return File(self.content[stream.filename])


def streams(content, **options):
    reader = Streams({"options": options})
    reader.content = content
    kinds = {"json_lines": JsonLinesDecoder, "csv": CSVDecoder}
    reader.asked = []

    def decoders(asked, name, head, batch_size):
        reader.asked.append((asked, name, head, batch_size))
        return kinds["csv" if name.startswith("c") else "json_lines"]({"options": {"batch_size": batch_size}})

    reader.decoders = decoders
    return reader


def test_the_inherited_way_is_read_as_one_split():
    reader = Numbers()
    batches = list(reader.read(Split("all"), None))

    assert list(reader.splits()) == [Split()]
    assert reader.told is None
    assert [batch.records for batch in batches] == [[{"n": 0}, {"n": 1}, {"n": 2}], [{"n": 3}, {"n": 4}, {"n": 5}], [{"n": 6}, {"n": 7}]]
    assert [batch.position for batch in batches] == [{"last": 2}, {"last": 5}, {"last": 7}]
    assert [index for batch in batches for index in batch.origin] == list(range(8))
    assert {batch.split for batch in batches} == {"all"}


def test_the_inherited_way_goes_on_after_a_position():
    [batch] = Numbers().read(Split(), {"last": 5})

    assert batch.records == [{"n": 6}, {"n": 7}]


def test_a_reader_may_be_read_again():
    reader = Numbers()

    assert [len(batch) for batch in reader.read(Split(), None)] == [len(batch) for batch in reader.read(Split(), None)]


def test_what_is_no_record_is_rejected_with_its_place():
    class Odd(BaseReader):
        def get_next_batch(self):
            self.finished = True
            return [{"a": 1}, ["b"], {"a": 2}, None]

    [batch] = Odd().read(Split(), None)

    assert batch.records == [{"a": 1}, {"a": 2}]
    assert [(one.where, one.message) for one in batch.rejected] == [
        ("all, record 2", "a record must be a mapping, not list"),
        ("all, record 4", "a record must be a mapping, not NoneType"),
    ]
    assert list(batch.origin) == [0, 2]


def test_a_reader_of_splits_can_be_driven_by_hand():
    reader = Parts()
    reader.set_last_position(None)
    given = []
    while not reader.is_finished():
        given += reader.get_next_batch()

    assert given == [{"from": "a"}, {"from": "a"}, {"from": "b"}, {"from": "b"}]
    assert reader.get_last_position() is None


def test_a_reader_without_a_method_says_so():
    with pytest.raises(SourceError, match="BaseReader has neither"):
        next(BaseReader().read(Split(), None))


def test_resumable_is_who_tells_a_position():
    class Plain(BaseReader):
        def get_next_batch(self):
            return []

    assert [reader().resumable for reader in (Plain, Numbers, Parts, Streams)] == [False, True, True, True]


def test_defaults_do_nothing():
    reader = Numbers()

    assert reader.acknowledge({"last": 1}) is None


def test_incremental_is_who_tells_what_is_new():
    class Incremental(Numbers):
        def splits_since(self, bookmark):
            yield Listed(Split(), {"seen": len(list(bookmark))})

    assert [reader().incremental for reader in (Numbers, Incremental)] == [False, True]
    assert list(Incremental().splits_since(iter([{"seen": 0}]))) == [Listed(Split(), {"seen": 1})]
    with pytest.raises(SourceError, match=r"Numbers has no splits_since\(\)"):
        Numbers().splits_since(iter(()))


def test_each_stream_is_one_split_and_comes_once():
    reader = streams({"a": b"{}", "b": b""})

    assert list(reader.splits()) == [Split("a", "1", 2), Split("b", "1", 0)]


def test_a_stream_is_decompressed_and_decoded():
    data = b'{"a":1}\n{"a":2}\n'
    reader = streams({"x": gzip.compress(data)}, batch_size=1)
    batches = list(reader.read(Split("x"), None))

    assert [batch.lines for batch in batches] == [[b'{"a":1}'], [b'{"a":2}']]
    assert {batch.split for batch in batches} == {"x"}
    assert reader.asked == [("auto", "x", data, 1)]
    assert reader.closed == 1


@pytest.mark.parametrize("name", ["x", "c"])
def test_a_stream_goes_on_after_any_position(name):
    data = b'{"a":1}\n\n{"a":2}\nbad\n{"a":3}' if name == "x" else b"a\n1\n\n2\n3,4\n5\n"
    reader = streams({name: data}, batch_size=1)
    batches = list(reader.read(Split(name), None))

    def seen(batches):
        return [(batch.lines, batch.position, list(batch.rejected), list(batch.origin)) for batch in batches]

    for done, batch in enumerate(batches, 1):
        assert seen(batches[done:]) == seen(reader.read(Split(name), batch.position))


def test_a_stream_is_closed_when_reading_stops():
    reader = streams({"x": b'{"a":1}\n{"a":2}\n'}, batch_size=1)
    batches = reader.read(Split("x"), None)
    next(batches)
    batches.close()

    assert reader.closed == 1


def test_compression_is_an_option_and_may_be_set():
    reader = streams({"x": gzip.compress(b"{}")}, decompressor="none")

    assert reader.compression == "none"
    [batch] = reader.read(Split("x"), None)
    assert len(batch.rejected) == 1
    reader.compression = "gz"
    [batch] = reader.read(Split("x"), None)
    assert batch.lines == [b"{}"]


def test_the_meta_of_a_stream_comes_back():
    class Tagged(Streams):
        def get_read_streams(self):
            return [Stream("a", 1, {"tag": 5}), Stream("b")]

    reader = Tagged()

    assert reader.stream(Split("a", "f", 1)) == Stream("a", 1, {"tag": 5}, "f")
    assert reader.stream(Split("b")) == Stream("b")


def test_an_inherited_reader_of_streams_needs_no_options_class():
    class Inherited(BaseStreamReader):
        supported_options: ClassVar[dict] = {"bucket": {"type": str}}

        def get_read_streams(self):
            yield Stream("a", 3, {"key": 1})

        def open_stream(self, stream):
            assert stream.meta == {"key": 1}
            return io.BytesIO(b"{}\n")

    reader = Inherited({"options": {"bucket": "b", "batch_size": 5}})
    reader.decoders = lambda asked, name, head, batch_size: JsonLinesDecoder({"options": {"batch_size": batch_size}})
    [split] = reader.splits()
    [batch] = reader.read(split, None)

    assert batch.lines == [b"{}"]
    assert reader.read_option("bucket") == "b"


def test_an_unfinished_reader_of_streams_says_what_it_lacks():
    with pytest.raises(SourceError, match="no get_read_streams"):
        list(BaseStreamReader().splits())
    with pytest.raises(SourceError, match="no open_stream"):
        BaseStreamReader().open_stream(Stream("a"))
    with pytest.raises(SourceError, match="was given no decoders"):
        BaseStreamReader().decoder("a", b"")


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"decompressor": "rar"}, {"deserialiser": "csv"}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ConfigError):
        BaseStreamReader({"options": options})


def anywhere(content, **options):
    """A reader of streams that can begin anywhere in them."""
    reader = streams(content, **options)
    reader.at = []

    def open_stream_at(stream, offset):
        reader.at.append(offset)
        raw = reader.open_stream(stream)
        raw.seek(offset)
        return raw

    reader.__class__ = type("Anywhere", (Streams,), {"open_stream_at": lambda _, stream, offset: open_stream_at(stream, offset)})
    return reader


LINES = b'\xef\xbb\xbf{"n": 0}\n{"n": 1}\r\n\n{"n": 2}\n{"n": 3}'


def test_ranges_of_a_stream_of_lines_hold_each_record_once():
    reader = anywhere({"a": LINES})
    [split] = reader.splits()
    for size in range(1, len(LINES)):
        parts = list(reader.ranges(split, size))
        read = [[record["n"] for batch in reader.read_range(split, part) for record in batch] for part in parts]
        assert [n for numbers in read for n in numbers] == [0, 1, 2, 3]
    assert reader.closed == len(reader.at) + 1, "each range is closed, and so is the one look at the beginning"


def test_rows_of_a_range_are_counted_from_its_first_one():
    reader = anywhere({"a": LINES + b"\nbad\n"})
    [split] = reader.splits()
    last = list(reader.ranges(split, 20))[-1]
    [batch] = reader.read_range(split, last)
    assert (
        batch.split,
        [one.where for one in batch.rejected],
        batch.position,
    ) == ("a", ["a, line 1"], {"rows": 1, "offset": 44, "lines": 1})


@pytest.mark.parametrize(
    ("content", "options", "why"),
    [
        ({"a": LINES}, {"size": 1000}, "it is small"),
        ({"a": gzip.compress(LINES * 9)}, {"size": 10}, "it is compressed"),
        ({"c": b"n\n1\n2\n"}, {"size": 2}, "a row of CSV may have several lines"),
        ({"a": '{"n": 1}\n'.encode("utf-16")}, {"size": 10}, "it is in UTF-16"),
        ({"a": b""}, {"size": 1}, "it is empty"),
    ],
)
def test_a_stream_is_read_whole_where(content, options, why):
    reader = anywhere(content)
    [split] = reader.splits()
    assert list(reader.ranges(split, options["size"])) == [], why


def test_readers_have_no_ranges_unless_they_say_so():
    reader = streams({"a": LINES})
    [split] = reader.splits()
    assert (list(reader.ranges(split, 5)), list(Parts().ranges(Split("a"), 5))) == ([], [])
    with pytest.raises(SourceError, match="has no read_range"):
        Parts().read_range(Split("a"), Range(0, 5))
    with pytest.raises(SourceError, match="has no open_stream_at"):
        list(reader.read_range(split, Range(0, 5)))
