"""What is looked at while it is copied comes out as it is."""

import gzip
import io
import json
import random

import pytest

from ozzy import Declined, SourceError
from ozzy.builtin.bypasses.checked import CheckedStream


def nothing():
    pass


def read(stream, size=1 << 20):
    return b"".join(iter(lambda: stream.read(size), b""))


def lines(number, seed=0):
    rnd = random.Random(seed)
    return b"".join(json.dumps({"id": n, "text": "ä" * rnd.randrange(3000)}).encode() + b"\n" for n in range(number))


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("packed", [False, True])
def test_every_byte_comes_out_and_every_line_is_counted(size, packed):
    content = lines(300)
    raw = gzip.compress(content[: len(content) // 2]) + gzip.compress(content[len(content) // 2 :]) if packed else content
    stream = CheckedStream(io.BytesIO(raw), "a.jl", "auto", nothing)
    stream.head(100)
    stream.check(1 << 20)

    assert read(stream, size) == raw
    assert stream.rows == 300
    assert stream.compression == ("gz" if packed else "none")


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_trusted_comes_out_too_and_is_not_counted(packed):
    raw = gzip.compress(lines(300)) + b"" if packed else b"{nonsense\n" + lines(300)
    stream = CheckedStream(io.BytesIO(raw), "a.jl", "auto", nothing)
    stream.head(64 * 1024)

    assert read(stream) == raw
    assert stream.rows is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"a": 1}\n{"a"', "its last line has no end"),
        (b'{"a": 1}\n\n', "line 2 is blank"),
        (b'{"a": 1}\n \t\n', "line 2 is blank"),
        (b'{"a": 1}\r\n', "carriage return"),
        (b'{"a": 1}\n[2]\n', "line 2 is bad"),
        (b'{"a": "\xff"}\n', "line 1 is bad"),
        (b"\xef\xbb\xbf{}\n", "line 1 is bad"),
        (b"{" * 300 + b"\n", "line 1 is bad"),
        (b'{"a": "' + b"x" * 2000 + b'"}\n', "a line of more than 1000 bytes"),
        (b'{"a": "' + b"x" * 2_000_000, "a line of more than 1000 bytes"),
        (lines(500) + b"{}\n{nonsense}\n{}\n", "line 502 is bad"),
    ],
)
def test_what_the_pipeline_would_write_otherwise_is_declined(content, why):
    stream = CheckedStream(io.BytesIO(content), "a.jl", "none", nothing)
    stream.check(1000 if b"xxx" in content else 1 << 20)

    with pytest.raises(Declined, match=why):
        read(stream)


@pytest.mark.parametrize("checked", [True, False])
def test_a_source_that_fails_is_named(checked):
    class Broken(io.RawIOBase):
        reads = 0

        def read(self, size=-1):
            self.reads += 1
            if self.reads > 3:
                raise OSError("gone")
            return b'{"a": 1}\n'

    stream = CheckedStream(Broken(), "a.jl", "none", nothing)
    if checked:
        stream.check(1000)

    with pytest.raises(SourceError, match=r"a\.jl can't be read"):
        read(stream)


def test_it_ends_where_it_is_told_to():
    calls = []

    def go_on():
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("stop")

    stream = CheckedStream(io.BytesIO(lines(3000)), "a.jl", "none", go_on)

    with pytest.raises(RuntimeError, match="stop"):
        read(stream, 1000)
