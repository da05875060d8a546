"""Decoders are chosen by name and content, and their batches go on after a position."""

import io

import pytest

from ozzy import BaseDecoder, Batch, Rejected, SourceError, StateError
from ozzy.contracts.decoder import choose, decoded
from ozzy.data.codecs import open_decompressed


class Words(BaseDecoder):
    """A record a word; a word with an `x` is bad, two blanks are a blank one."""

    size = 2

    def decode(self, stream):
        words = b"".join(iter(stream.read, b"")).split(b" ")
        for start in range(0, len(words), self.size):
            some = words[start : start + self.size]
            yield Batch.from_records(
                [{"word": word.decode()} for word in some if word and b"x" not in word],
                rejected=[Rejected("", "bad") for word in some if b"x" in word],
                blank=some.count(b""),
            )


def read(data, position=None, decoder=Words):
    return list(decoded(decoder(), open_decompressed(io.BytesIO(data), name="in"), position))


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.jl", b"[", "json_lines"),
        ("a.jsonl", b"", "json_lines"),
        ("a.ndjson", b"", "json_lines"),
        ("a.csv", b"", "csv"),
        ("a.tsv", b"[", "tsv"),
        ("x/A.CSV.GZ", b"", "csv"),
        ("a.jsonl.bz2", b"", "json_lines"),
        ("a.csv.xz", b"", "csv"),
        ("a.csv.zst", b"", "csv"),
        ("a.json", b'[{"a":1}]', "json"),
        ("a.json.gz", b'{"a":1}\n{"a":2}', "json_lines"),
        ("a.json", b'{"a":1}\r\n', "json_lines"),
        ("a.json", b'{"a":1}', "json_lines"),
        ("a.json", b'{"a":"' + b"x" * 100, "json_lines"),
        ("a.json", b'{\n  "a": 1\n}', "json"),
        ("a.json", b'{"a": [\n1]}', "json"),
        ("a.json", b" \n\t[", "json"),
        ("a.json", b"\xef\xbb\xbf[", "json"),
        ("a.json", b'\xef\xbb\xbf{"a":1}\n', "json_lines"),
        ("a.json", b'{"a": nope}\n', "json_lines"),
        ("a.json", b"", "json_lines"),
        ("folder.csv/a", b"[", "json"),
        ("a", b"{", "json_lines"),
        ("", b" \r\n", "json_lines"),
        ("a.gz", b"[]", "json"),
        ("a.dat", b'{"a":1}\n', "json_lines"),
        ("a.xml.lz4", b"", "xml"),
        ("a", b"\n<items>", "xml"),
        ("a", '\ufeff{"a":1}\n'.encode("utf-16-le"), "json_lines"),
        ("a", "\ufeff[1]".encode("utf-32-be"), "json"),
    ],
)
def test_the_decoder_goes_by_suffix_and_then_by_content(name, head, expected):
    assert choose(name, head) == expected


@pytest.mark.parametrize("name", ["a", "a.txt", "a.json", "csv", "a.csv/b"])
@pytest.mark.parametrize("head", [b"a,b\n1,2", b"\x00\x01", b'"text"', b"\xff\xfea\x00"])
def test_what_tells_nothing_is_refused(name, head):
    with pytest.raises(SourceError, match=f"can't tell the format of {name}.*it begins with") as raised:
        choose(name, head)

    assert "Set deserializer to" in str(raised.value)


def test_positions_count_rows_bad_ones_and_blank_ones():
    batches = read(b"a b cx   d")

    assert [batch.position for batch in batches] == [{"rows": 2, "blank": 0}, {"rows": 3, "blank": 1}, {"rows": 4, "blank": 2}]


def test_reading_goes_on_after_any_position():
    batches = read(b"a b cx     d ex f")
    for done, batch in enumerate(batches, 1):
        rest = read(b"a b cx     d ex f", batch.position)

        assert [(each.records, each.position) for each in batches[done:]] == [(each.records, each.position) for each in rest]


def test_a_stream_that_has_become_shorter_is_refused():
    with pytest.raises(SourceError, match="in has 2 rows, fewer than the 4 that were read earlier"):
        read(b"a b", {"rows": 4, "blank": 0})


def test_a_position_in_the_middle_of_a_batch_is_refused():
    with pytest.raises(StateError, match="in was read to row 3, which no longer ends a batch"):
        read(b"a b c d", {"rows": 3})


def test_one_that_starts_anywhere_is_given_the_stream_there():
    class Anywhere(BaseDecoder):
        starts_anywhere = True

        def decode(self, stream):
            place = (stream.offset, stream.row, stream.line)
            yield Batch.from_records([{"place": place, "rest": stream.read()}])

    assert read(b"abcdef", decoder=Anywhere)[0].records == [{"place": (0, 0, 0), "rest": b"abcdef"}]
    assert read(b"abcdef", {"rows": 2, "offset": 4, "lines": 3}, Anywhere)[0].records == [{"place": (4, 2, 3), "rest": b"ef"}]
    assert read(b"abcdef", {"rows": 2, "offset": 4}, Anywhere)[0].records == [{"place": (4, 2, 0), "rest": b"ef"}]


def test_a_decoder_without_decode_says_so():
    with pytest.raises(NotImplementedError, match="BaseDecoder has no decode"):
        read(b"", decoder=BaseDecoder)
