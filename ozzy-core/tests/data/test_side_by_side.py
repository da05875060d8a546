"""Threads beside the stages: the same bytes, errors where they belong, and no thread that outlives its work."""

import gzip
import io
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.data import side_by_side
from ozzy.data.codecs import PIECE, open_decompressed
from ozzy.data.side_by_side import Ahead
from ozzy.errors import SourceError


class Given:
    """A source of pieces; an exception among them is raised."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def piece(self, size):
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


def threads():
    return [thread.name for thread in threading.enumerate() if thread.name == "ozzy-ahead"]


@settings(max_examples=100, deadline=None)
@given(pieces=st.lists(st.binary(min_size=1, max_size=9), max_size=30), size=st.integers(1, 9))
def test_what_is_read_ahead_is_what_there_is(pieces, size):
    ahead = Ahead(Given(*pieces), 9)
    found = list(iter(lambda: ahead.piece(size), b""))
    ahead.close()
    assert b"".join(found) == b"".join(pieces)
    assert all(len(piece) <= size for piece in found[1:])
    assert ahead.piece(size) == b""
    assert threads() == []


def test_a_source_of_one_piece_needs_no_thread():
    ahead = Ahead(Given(b"one"), 9)
    assert ahead.piece(9) == b"one"
    assert threads() == []
    ahead.close()


def test_an_error_comes_where_its_bytes_would_have_been():
    ahead = Ahead(Given(b"1", b"2", b"3", SourceError("broken"), b"4"), 9)
    assert [ahead.piece(9) for _ in range(3)] == [b"1", b"2", b"3"]
    with pytest.raises(SourceError, match="broken"):
        ahead.piece(9)
    assert ahead.piece(9) == b""
    ahead.close()
    assert threads() == []


def test_who_stops_early_leaves_no_thread():
    ahead = Ahead(Given(*[b"x"] * 1000), 9)
    ahead.piece(9)
    ahead.piece(9)
    ahead.close()
    assert threads() == []


@pytest.mark.parametrize("size", [0, 1, PIECE, 5 * PIECE + 7])
def test_a_stream_that_is_read_ahead_has_the_same_bytes(size):
    content = os.urandom(size // 2) + bytes(size - size // 2)
    stream = open_decompressed(io.BytesIO(gzip.compress(content)), name="a.gz")
    head = stream.head(64)
    with stream.read_ahead():
        stream.skip_to(min(size, 10), 0)
        rest = b"".join(iter(stream.read, b""))
    assert (head, rest) == (content[:64], content[10:] if size > 10 else b"")
    assert threads() == []


def test_a_damaged_stream_is_told_as_ever():
    damaged = gzip.compress(os.urandom(4 * PIECE))[: 3 * PIECE]
    stream = open_decompressed(io.BytesIO(damaged), name="a.gz")
    with stream.read_ahead(), pytest.raises(SourceError, match=r"a.gz ends at byte 786432, in the middle of its gz data"):
        list(iter(stream.read, b""))
    assert threads() == []


def test_alone_there_are_none(monkeypatch):
    monkeypatch.setattr(side_by_side, "_allowed", True)
    monkeypatch.setattr(side_by_side, "_processors", lambda: 2)
    assert side_by_side.threads() is not None
    side_by_side.alone()
    assert side_by_side.threads() is None
    assert not side_by_side.is_allowed()


def test_with_one_processor_there_are_none(monkeypatch):
    monkeypatch.setattr(side_by_side, "_processors", lambda: 1)
    assert side_by_side.threads() is None


def test_a_forked_process_has_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(side_by_side, "_processors", lambda: 2)
    assert side_by_side.threads().submit(sum, [1, 2]).result() == 3
    child = os.fork()
    if not child:
        os._exit(side_by_side.threads().submit(sum, [1, 2]).result(timeout=20))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
