"""Members of zip archives: which are read, in what order, and what is refused with its place."""

import io
import resource
import struct
import zipfile

import pytest

from ozzy.data.zip_archive import ZipArchive, is_archive, member_name, parts_of
from ozzy.errors import SourceError

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


def packed(members, method=zipfile.ZIP_DEFLATED):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return raw.getvalue()


def opened(data):
    return ZipArchive(io.BytesIO(data), "in/a.zip")


def content(archive, member, size=1000):
    with archive.open(member) as raw:
        return b"".join(iter(lambda: raw.read(size), b""))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1, 1000, 1 << 20, -1])
def test_members_are_read_in_the_order_of_the_archive(method, size):
    archive = opened(packed([("b.jl", b"two" * 500), ("a/c.jl", b"one"), ("empty", b"")], method))
    assert [name for name, _ in archive.members()] == ["b.jl", "a/c.jl", "empty"]
    assert [content(archive, name, size) for name in ("a/c.jl", "b.jl", "empty")] == [b"one", b"two" * 500, b""]
    archive.close()


def test_folders_and_hidden_members_are_passed_over():
    data = packed([("a/", b""), ("a/b.jl", b""), (".c", b""), ("a/.d/e.jl", b""), ("__MACOSX/._a", b""), ("f.", b"")])
    assert [name for name, _ in opened(data).members()] == ["a/b.jl", "f."]
    assert [name for name, _ in opened(data).members(hidden=True)] == ["a/b.jl", ".c", "a/.d/e.jl", "__MACOSX/._a", "f."]


def test_members_whose_names_lead_out_of_a_folder_are_read_as_any():
    data = packed([("../../a", b"1"), ("/b", b"2"), ("./c", b"3"), ("..d/e", b"4")])
    assert [name for name, _ in opened(data).members()] == ["../../a", "/b", "./c"]


def test_an_archive_may_be_empty():
    assert list(opened(packed([])).members()) == []


def test_sizes_are_those_in_the_archive():
    [(_, size)] = opened(packed([("a", b"x" * 100_000)])).members()
    assert size < 1000


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.zip!b", ("a.zip", "b")),
        ("a/b.ZIP!c.zip!d", ("a/b.ZIP", "c.zip!d")),
        ("a.zip", ("a.zip", None)),
        ("a!b", ("a!b", None)),
        ("a.zip!", ("a.zip", "")),
        ("a.zip!b\nc", ("a.zip", "b\nc")),
    ],
)
def test_a_name_tells_archive_and_member(name, parts):
    assert parts_of(name) == parts
    if parts[1] is not None:
        assert member_name(parts[0], parts[1]) == name


@pytest.mark.parametrize(("name", "answer"), [("a.zip", True), ("A.Zip", True), ("a.zip.gz", False), ("zip", False)])
def test_an_archive_is_told_by_its_name(name, answer):
    assert is_archive(name) is answer


def test_an_encrypted_member_is_refused():
    data = bytearray(packed([("a", b"x"), ("b", b"y")]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(SourceError, match=r"in/a\.zip!a is encrypted"):
        list(opened(bytes(data)).members())


@pytest.mark.parametrize("method", [9, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93])
def test_another_method_is_refused(method):
    data = bytearray(packed([("a", b"x")]))
    data[data.index(b"PK\x01\x02") + 10] = method
    with pytest.raises(SourceError, match=rf"in/a\.zip!a is compressed with method {method}"):
        list(opened(bytes(data)).members())


def test_a_name_that_is_there_twice_is_refused():
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed([("a", b"x"), ("a", b"y")])
    with pytest.raises(SourceError, match=r"in/a\.zip!a is there twice"):
        list(opened(data).members())


def test_a_member_that_is_gone_is_told():
    with pytest.raises(SourceError, match=r"in/a\.zip!b is not there"):
        opened(packed([("a", b"x")])).open("b")


@pytest.mark.parametrize(
    "data", [b"", b"no archive", b"PK\x03\x04", packed([("a", b"x" * 100)])[:-30]], ids=["empty", "text", "magic", "cut"]
)
def test_what_is_no_archive_is_refused(data):
    with pytest.raises(SourceError, match=r"in/a\.zip can't be read as a zip archive"):
        opened(data)


class OneWay(io.RawIOBase):
    def read(self, size=-1):
        return b""


def test_a_stream_that_is_read_forward_only_is_refused():
    with pytest.raises(SourceError, match="read forward only") as raised:
        ZipArchive(OneWay(), "in/a.zip")
    assert "local file" in raised.value.hint


@pytest.mark.parametrize("method", METHODS)
def test_a_flipped_bit_never_gives_other_content(method):
    wanted = bytes(range(256)) * 20
    data = packed([("a", wanted)], method)
    end = data.index(b"PK\x01\x02")
    refused = 0
    for place in range(0, end, 3):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        try:
            found = content(opened(bytes(damaged)), "a")
        except SourceError:
            refused += 1
        else:
            assert found == wanted
    assert refused > 10


def test_a_member_that_is_cut_off_is_refused():
    data = bytearray(packed([("a", b"x" * 1000)], zipfile.ZIP_STORED))
    header = data.index(b"PK\x01\x02")
    data[header + 20 : header + 28] = struct.pack("<II", 5000, 5000)
    with pytest.raises(SourceError, match=r"in/a\.zip!a is damaged or cut off"):
        content(opened(bytes(data)), "a")


def test_a_small_member_that_unpacks_to_much_is_read_in_bounded_memory():
    archive = opened(packed([("a", bytes(256 * 1024 * 1024))]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = 0
    with archive.open("a") as raw:
        while piece := raw.read(1 << 18):
            total += len(piece)
    assert total == 256 * 1024 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024


def test_closing_lets_go_of_the_file(tmp_path):
    (tmp_path / "a.zip").write_bytes(packed([("a", b"x")]))
    raw = (tmp_path / "a.zip").open("rb")
    archive = ZipArchive(raw, "a.zip")
    archive.close()
    assert raw.closed
