"""Chunks are whole lines, the same however bytes arrive, and go back and forth."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozzy.builtin.decoders import csv_text
from ozzy.builtin.decoders.csv_text import CHUNK_BYTES, Text
from ozzy.data.codecs import PIECE, open_decompressed


class Drip(io.BytesIO):
    """Gives a few bytes at a time."""

    def __init__(self, data, step):
        super().__init__(data)
        self.step = step

    def read(self, size=-1):
        return super().read(self.step if size < 0 else min(size, self.step))


def chunks(data, step=1 << 20, limit=1 << 20):
    text = Text(open_decompressed(Drip(data, step), "none", name="in"), limit)
    found = []
    while chunk := text.chunk():
        found.append(chunk)
    return found, text.too_long


@given(lines=st.lists(st.binary(max_size=30)), step=st.integers(1, 20))
def test_chunks_are_whole_lines_and_the_same_however_bytes_arrive(lines, step):
    data = b"\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "CHUNK_BYTES", 24)
        patch.setattr(csv_text, "PIECE", 8)
        found, too_long = chunks(data, step)
        assert (found, too_long) == chunks(data)

    assert b"".join(found) == data
    assert not too_long
    assert all(chunk.endswith(b"\n") for chunk in found[:-1])


def test_a_chunk_has_its_size_but_for_the_rest_of_a_line():
    line = b"x" * 999 + b"\n"
    found, _ = chunks(line * 10_000)

    assert len(found) == 3
    assert all(CHUNK_BYTES - 1000 < len(chunk) < CHUNK_BYTES + PIECE for chunk in found[:2])


def test_a_line_beyond_the_limit_ends_the_text():
    assert chunks(b"a\n" + b"x" * (2 * CHUNK_BYTES), limit=CHUNK_BYTES) == ([b"a\n"], True)
    assert chunks(b"a\n" + b"x" * (CHUNK_BYTES // 2), limit=CHUNK_BYTES) == ([b"a\n" + b"x" * (CHUNK_BYTES // 2)], False)


def test_what_is_given_back_comes_again_first():
    text = Text(open_decompressed(io.BytesIO(b"a\nb\n"), "none", name="in"), 100)
    assert text.chunk() == b"a\nb\n"
    text.give_back(b"b\n")
    text.give_back(b"a\n")
    text.give_back(b"")

    assert not text.is_large()
    assert [text.chunk(), text.chunk(), text.chunk()] == [b"a\n", b"b\n", b""]
