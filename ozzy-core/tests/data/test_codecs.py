"""Codecs write the same bytes for the same input, and whatever was written is read back whole or refused with the place."""

import bz2
import gzip
import io
import lzma
import resource
import struct
import subprocess
import sys
import tracemalloc
import zlib

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozzy.data.codecs import CODECS, COMPRESSIONS, PIECE, open_decompressed
from ozzy.errors import ConfigError, DataError, PluginError, SourceError

COMPRESSED = [name for name in CODECS if name != "none"]


class Dripping(io.RawIOBase):
    """A file that hands out a few bytes at a time."""

    def __init__(self, data, most=1):
        self._data = io.BytesIO(data)
        self._most = most

    def readable(self):
        return True

    def read(self, size=-1):
        return self._data.read(min(size, self._most))


class Failing(io.RawIOBase):
    """A file that can't be read any further after some bytes."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def read(self, size=-1):
        piece = self._data.read(size)
        if not piece:
            raise OSError(5, "Input/output error")
        return piece

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        raise OSError(29, "Illegal seek")


def content(raw, compression="auto", size=PIECE, called="in.gz"):
    stream = open_decompressed(raw if hasattr(raw, "read") else io.BytesIO(raw), compression, name=called)
    pieces = []
    while piece := stream.read(size):
        pieces.append(piece)
    assert stream.offset == sum(map(len, pieces))
    assert stream.read(size) == b""
    return b"".join(pieces)


@pytest.mark.parametrize("name", CODECS)
@given(members=st.lists(st.binary(max_size=2000), min_size=1, max_size=4), size=st.integers(1, 5000))
def test_members_one_after_the_other_read_as_their_content(name, members, size):
    data = b"".join(map(CODECS[name].compress, members))

    assert content(data, name, size) == b"".join(members)


@pytest.mark.parametrize("name", CODECS)
def test_compressing_twice_gives_the_same_bytes(name, monkeypatch):
    first = CODECS[name].compress(b"some rows\n" * 100)
    monkeypatch.setattr("time.time", lambda: 4e9)

    assert first == CODECS[name].compress(b"some rows\n" * 100)


@pytest.mark.parametrize(("name", "tool"), [("gz", "gzip"), ("bz2", "bzip2"), ("xz", "xz"), ("zst", "zstd")])
def test_the_usual_tools_read_what_is_written(name, tool):
    data = CODECS[name].compress(b"one\n") + CODECS[name].compress(b"two\n")
    try:
        done = subprocess.run([tool, "-dc"], input=data, capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip(f"{tool} is not installed")

    assert done.stdout == b"one\ntwo\n"


def test_a_gz_member_bears_no_time_and_no_name():
    header = CODECS["gz"].compress(b"x")[:10]

    assert header[3:8] == bytes(5)


@pytest.mark.parametrize("name", COMPRESSED)
def test_auto_goes_by_the_first_bytes(name):
    assert content(CODECS[name].compress(b'{"a":1}\n')) == b'{"a":1}\n'


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"x^2,y\n", b"BZ\n", b"\x1f", b"\xef\xbb\xbf{}"])
def test_auto_takes_what_it_does_not_know_as_it_is(text):
    assert content(text, called="in") == text


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_compressed_file_whose_beginning_is_damaged_is_not_taken_for_bad_lines(name):
    data = CODECS[name].compress(b'{"a":1}\n' * 1000)
    magic = {"gz": 2, "bz2": 3, "xz": 6, "zst": 4}[name]
    for place in range(magic):
        damaged = bytearray(data)
        damaged[place] ^= 0x21
        with pytest.raises(SourceError, match=f"in.{name} is named as {name} data, and begins with"):
            content(bytes(damaged), called=f"in.{name}")
    for length in range(1, magic):
        with pytest.raises(SourceError, match=f"in.{name} ends at byte {length}, in the middle of its {name} data"):
            content(data[:length], called=f"in.{name}")


@pytest.mark.parametrize(
    "text", [b'{"a":1}\n', b"BZ\n", "é\t\r\n\f".encode("latin-1") * 200, b"\xef\xbb\xbf{}", '\ufeff{"a":1}'.encode("utf-16")]
)
def test_text_with_the_name_of_a_compressed_file_is_taken_as_it_is(text):
    assert content(text, called="in.bz2") == text


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_an_empty_file_is_empty(compression):
    assert content(b"", compression) == b""


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_file_that_drips_is_read_as_one_that_pours(name):
    data = CODECS[name].compress(b"abc" * 500) + CODECS[name].compress(b"d")

    assert content(Dripping(data), size=7) == b"abc" * 500 + b"d"


@pytest.mark.parametrize("flags", range(0, 32, 2))
def test_gz_headers_with_name_comment_extra_and_checksum_are_read(flags):
    head = b"\x1f\x8b\x08" + bytes([flags]) + struct.pack("<IBB", 0, 0, 255)
    head += struct.pack("<H", 60_000) + bytes(60_000) if flags & 4 else b""
    head += b"a name\0" if flags & 8 else b""
    head += b"some words\0" if flags & 16 else b""
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF) if flags & 2 else b""
    data = head + gzip.compress(b"content")[10:]

    assert content(data * 3) == b"content" * 3
    assert content(Dripping(data * 2, most=11)) == b"content" * 2


def test_zlib_streams_are_read():
    for level in (1, 6, 9):
        assert content(zlib.compress(b"content", level)) == b"content"
    assert content(zlib.compress(b"content", 6), "zlib") == b"content"


def test_skippable_zstd_frames_are_skipped():
    skippable = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 3) + b"any"

    assert content(skippable + CODECS["zst"].compress(b"rows") + skippable) == b"rows"


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_file_cut_off_anywhere_is_refused_with_the_place(name):
    compress = CODECS[name].compress
    first = compress(b"first member")
    data = first + compress(b"second member")
    for length in range(1, len(data)):
        if length == len(first):
            assert content(data[:length], name) == b"first member"
            continue
        with pytest.raises(SourceError, match=r"in\.gz") as raised:
            content(data[:length], name)
        if length >= 6:
            assert f"at byte {length}" in raised.value.message
        if length > len(first) + 6:
            assert f"member that begins at byte {len(first)}" in raised.value.message


@pytest.mark.parametrize("name", COMPRESSED)
def test_what_follows_the_last_member_is_refused_with_the_place(name):
    data = CODECS[name].compress(b"rows")
    for tail in (b"\0", b"\0" * 512, b"{}\n" * 20, b"\x1f\x9d garbage"):
        with pytest.raises(SourceError, match=f"from byte {len(data)} on"):
            content(data + tail)


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_flipped_bit_never_gives_other_content(name):
    data = CODECS[name].compress(bytes(range(256)) * 4)
    refused = 0
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        try:
            read = content(bytes(damaged), name)
        except SourceError:
            refused += 1
        else:
            assert read == bytes(range(256)) * 4

    assert refused > len(data) * 0.9


def test_a_file_that_is_not_compressed_as_said_is_refused():
    with pytest.raises(SourceError, match=r"in\.gz is not compressed as gz: it begins with b'\{\}'"):
        content(b"{}", "gz")
    with pytest.raises(SourceError, match="not compressed as bz2"):
        content(gzip.compress(b""), "bz2")


def test_none_leaves_compressed_data_alone():
    data = gzip.compress(b"x")

    assert content(data, "none") == data


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"PK\x03\x04", "a zip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"\x02\x21\x4c\x18", "lz4 in its legacy format"),
        (b"\x1f\x9d\x90", r"\.Z"),
    ],
)
def test_archives_that_are_not_read_are_named(beginning, kind):
    with pytest.raises(SourceError, match=kind):
        content(beginning + bytes(10))


def test_a_small_file_that_unpacks_to_much_is_read_in_little_memory():
    packers = {"gz": gzip.compress, "bz2": bz2.compress, "zst": CODECS["zst"].compress}
    for name, pack in packers.items():
        data = pack(bytes(32 * 1024 * 1024))
        tracemalloc.start()
        stream = open_decompressed(io.BytesIO(data), name=name)
        total = 0
        while piece := stream.read(PIECE):
            assert len(piece) <= PIECE
            total += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert total == 32 * 1024 * 1024
        assert peak < 4 * 1024 * 1024


def test_a_window_that_needs_too_much_memory_is_refused():
    data = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 29}])

    with pytest.raises(SourceError, match="too much memory"):
        content(data)


@pytest.mark.parametrize("name", CODECS)
def test_head_consumes_nothing(name):
    stream = open_decompressed(Dripping(CODECS[name].compress(b"0123456789")), name, name="f")

    assert stream.head(4) == b"0123"
    assert stream.head(2) == b"01"
    assert stream.offset == 0
    assert stream.read(3) == b"012"
    assert stream.offset == 3
    assert stream.head(100) == b"3456789"
    assert b"".join(iter(lambda: stream.read(4), b"")) == b"3456789"
    assert stream.head() == b""


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("peek", [0, 5])
def test_skip_to_goes_forward_to_a_byte(name, peek):
    stream = open_decompressed(io.BytesIO(CODECS[name].compress(b"0123456789")), name, name="f")
    stream.head(peek)
    stream.skip_to(4, 2)

    assert (stream.offset, stream.row) == (4, 2)
    assert b"".join(iter(stream.read, b"")) == b"456789"
    stream.skip_to(10, 5)
    assert stream.read() == b""


def test_skip_to_works_where_a_file_can_not_seek():
    stream = open_decompressed(Dripping(b"0123456789", most=3), name="f")
    stream.skip_to(7, 1)

    assert stream.read() + stream.read() == b"789"


@pytest.mark.parametrize("name", CODECS)
def test_skip_to_refuses_a_place_that_is_not_there(name):
    stream = open_decompressed(io.BytesIO(CODECS[name].compress(b"0123")), name, name="f")

    with pytest.raises(SourceError, match="f ends at byte 4 of its content, before byte 5"):
        stream.skip_to(5, 1)


def test_skip_to_does_not_go_back():
    stream = open_decompressed(io.BytesIO(b"0123"), name="f")
    stream.read(3)

    with pytest.raises(SourceError, match="forward only"):
        stream.skip_to(1, 0)


def test_a_file_that_can_not_be_read_further_is_named():
    with pytest.raises(SourceError, match=r"in\.gz can't be read: .*Input/output error"):
        content(Failing(gzip.compress(b"rows")[:-1]))
    with pytest.raises(SourceError, match=r"can't be read from byte 3: .*Illegal seek"):
        open_decompressed(Failing(b"rows and more"), name="f").skip_to(3, 0)


def test_importing_codecs_imports_no_codec():
    codecs = ("isal", "lzma", "bz2", "backports.zstd", "compression.zstd")
    code = f"import sys, ozzy.data.codecs; print([name for name in {codecs} if name in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", CODECS)
def test_a_byte_order_mark_is_passed_over_and_counted(name):
    stream = open_decompressed(io.BytesIO(CODECS[name].compress(b"\xef\xbb\xbf{}\xef\xbb\xbf")), name="f")
    stream.skip_mark()

    assert stream.offset == 3
    stream.skip_mark()
    assert b"".join(iter(stream.read, b"")) == b"{}\xef\xbb\xbf"


@pytest.mark.parametrize("text", [b"", b"\xef", b"\xef\xbb", b"{}"])
def test_what_is_no_byte_order_mark_stays(text):
    stream = open_decompressed(io.BytesIO(text), name="f")
    stream.skip_mark()

    assert b"".join(iter(stream.read, b"")) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_other_encodings_are_named(encoding):
    with pytest.raises(DataError, match="f is encoded in UTF-16 or UTF-32"):
        open_decompressed(io.BytesIO("\ufeff{}".encode(encoding)), name="f").skip_mark()


def test_an_unknown_compression_is_an_error_of_the_config():
    with pytest.raises(ConfigError, match="'rar' is no compression that ozzy reads"):
        open_decompressed(io.BytesIO(b""), "rar", name="f")


def test_lz4_frames_are_read_one_after_the_other():
    data = lz4.frame.compress(b"one\n", content_checksum=True) + lz4.frame.compress(b"two\n" * 50_000, block_linked=False)

    for raw in (data, Dripping(data, most=5)):
        assert content(raw) == b"one\n" + b"two\n" * 50_000
    assert content(data, "lz4", size=7) == b"one\n" + b"two\n" * 50_000


def test_an_lz4_file_cut_off_or_damaged_is_refused_with_the_place():
    first = lz4.frame.compress(b"first frame", content_checksum=True)
    data = first + lz4.frame.compress(bytes(range(256)), content_checksum=True)
    for length in range(1, len(data)):
        if length != len(first):
            with pytest.raises(SourceError, match=r"in\.gz"):
                content(data[:length], "lz4")
    for place in range(15, len(first)):
        damaged = bytearray(first)
        damaged[place] ^= 0x10
        with pytest.raises(SourceError, match=r"in\.gz holds|in\.gz ends"):
            content(bytes(damaged), "lz4")
    with pytest.raises(SourceError, match="something else than lz4"):
        content(first + b"tail")


def test_lz4_is_read_in_bounded_memory():
    stream = open_decompressed(io.BytesIO(lz4.frame.compress(bytes(64 * 1024 * 1024))), name="f")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = 0
    while piece := stream.read(PIECE):
        assert len(piece) <= PIECE
        total += len(piece)

    assert total == 64 * 1024 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024


def test_without_the_library_lz4_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lz4.frame", None)

    with pytest.raises(PluginError, match="needs a library that is not installed") as raised:
        content(lz4.frame.compress(b"x"))
    assert raised.value.hint == "pip install 'ozzy-core[lz4]'"
