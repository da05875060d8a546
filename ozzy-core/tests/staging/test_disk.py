import errno
import os
import stat
from pathlib import Path

import pytest

from ozzy.errors import DestinationError, StateError
from ozzy.staging.disk import (
    BEHIND,
    at_destination,
    checksum,
    make_folder,
    read_exactly,
    size_of,
    sync_file,
    sync_folder,
    sync_path,
    write_all,
    write_behind,
    write_parts,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def failing(error: int):
    def call(*args, **kwargs):
        raise OSError(error, os.strerror(error))

    return call


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Make room, then go on with --resume: nothing that was committed is lost."),
        (errno.EDQUOT, "Make room, then go on with --resume: nothing that was committed is lost."),
        (errno.EFBIG, "Make room, then go on with --resume: nothing that was committed is lost."),
        (errno.EMFILE, "Raise the limit on open files (ulimit -n), then go on with --resume."),
        (errno.EACCES, "Choose a folder that may be written, or change its permissions."),
        (errno.EROFS, "Choose a folder that may be written, or change its permissions."),
        (errno.EIO, None),
    ],
)
def test_an_error_of_the_disk_names_the_place_and_what_to_do(number, advice):
    with pytest.raises(DestinationError) as caught, at_destination(Path("out/file")):
        raise OSError(number, os.strerror(number))

    assert (caught.value.message, caught.value.hint) == (f"can't write out/file: {os.strerror(number)}", advice)
    assert caught.value.__cause__.errno == number


def test_an_error_of_the_disk_without_a_number_keeps_its_words():
    with pytest.raises(DestinationError, match="can't write x: odd"), at_destination(Path("x")):
        raise OSError("odd")


def test_other_errors_pass():
    with pytest.raises(ValueError, match="mine"), at_destination(Path("x")):
        raise ValueError("mine")


def test_everything_is_written_however_few_bytes_a_call_takes(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:3]))
    with (tmp_path / "x").open("wb") as file:
        write_all(file.fileno(), bytearray(b"0123456789"))
        write_all(file.fileno(), b"")

    assert (tmp_path / "x").read_bytes() == b"0123456789"


@pytest.mark.parametrize("count", [0, 1, 3, 2_000])
@pytest.mark.parametrize("at_once", [None, 1, 7])
def test_every_part_is_written_however_few_bytes_a_call_takes(tmp_path, monkeypatch, count, at_once):
    writev = os.writev
    if at_once is not None:
        monkeypatch.setattr(os, "writev", lambda descriptor, parts: writev(descriptor, [b"".join(parts)[:at_once]]))
    parts = [b"%d," % number * (number % 3) for number in range(count)]
    with (tmp_path / "x").open("wb", buffering=0) as file:
        write_parts(file.fileno(), [memoryview(part) if at % 2 else part for at, part in enumerate(parts)])

    assert (tmp_path / "x").read_bytes() == b"".join(parts)


def test_syncing_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DestinationError, match=r"can't write .*gone: No such file"):
        sync_file(tmp_path / "gone")
    with pytest.raises(DestinationError, match=r"can't write .*gone: No such file"):
        sync_folder(tmp_path / "gone")


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP])
def test_a_file_system_that_syncs_no_folders_is_taken_as_it_is(number, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", failing(number))
    sync_folder(tmp_path)
    with pytest.raises(DestinationError):
        sync_file(tmp_path)


def test_a_folder_that_can_not_be_opened_is_not_synced(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "open", failing(errno.EACCES))
    sync_folder(tmp_path)


def test_a_sync_that_fails_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(DestinationError, match="Input/output error"):
        sync_folder(tmp_path)


def test_a_path_is_synced_to_the_root(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("ozzy.staging.disk.sync_folder", seen.append)
    sync_path(tmp_path)

    assert seen == [tmp_path, *tmp_path.parents]
    assert seen[-1] == Path("/")


def test_a_new_folder_and_those_above_it_are_put_on_disk(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("ozzy.staging.disk.sync_folder", seen.append)
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")

    assert seen == [tmp_path, tmp_path / "a"]
    assert (tmp_path / "a" / "b").is_dir()


def test_only_the_last_new_levels_are_private(tmp_path):
    os.umask(umask := os.umask(0o022))
    make_folder(tmp_path / "a" / "b" / "c" / "d", private=2)

    assert [mode(tmp_path / path) for path in ("a", "a/b", "a/b/c", "a/b/c/d")] == [0o777 & ~umask, 0o777 & ~umask, 0o700, 0o700]


def test_folders_that_are_there_keep_their_mode(tmp_path):
    make_folder(tmp_path / "a")
    before = mode(tmp_path / "a")
    make_folder(tmp_path / "a" / "b", private=2)

    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (before, 0o700)


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(DestinationError, match=r"can't write .*a"):
        make_folder(tmp_path / "a")
    with pytest.raises(DestinationError, match=r"can't write .*a"):
        make_folder(tmp_path / "a" / "b")


def test_sizes(tmp_path):
    (tmp_path / "x").write_bytes(b"123")

    assert [size_of(tmp_path / path) for path in ("x", "y", "x/y")] == [3, -1, -1]


@pytest.mark.parametrize("size", [0, 5, (1 << 20) + 7])
def test_checksums(size, tmp_path):
    (tmp_path / "x").write_bytes(b"x" * size)
    import hashlib

    assert checksum(tmp_path / "x") == hashlib.sha256(b"x" * size).hexdigest()
    assert checksum(tmp_path / "x", "md5") == hashlib.md5(b"x" * size).hexdigest()


def test_reading_exactly(tmp_path):
    (tmp_path / "x").write_bytes(bytes(range(200)) * 10_000)
    with (tmp_path / "x").open("rb") as file:
        assert b"".join(read_exactly(file, 1_500_000)) == (bytes(range(200)) * 10_000)[:1_500_000]
        assert list(read_exactly(file, 0)) == []
        with pytest.raises(StateError, match=r"the staged file .*x is shorter than the checkpoint says"):
            list(read_exactly(file, 1_500_000))


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (0, BEHIND - 1, []),
        (0, BEHIND, [(0, BEHIND)]),
        (BEHIND - 1, BEHIND + 1, [(0, BEHIND)]),
        (BEHIND, 2 * BEHIND - 1, []),
        (BEHIND + 1, 4 * BEHIND, [(BEHIND, 3 * BEHIND)]),
    ],
)
def test_the_disk_begins_with_whole_parts_of_a_file_each_of_them_once(monkeypatch, start, end, told):
    seen = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _file, begin, size, _advice: seen.append((begin, size)), raising=False)
    monkeypatch.setattr(os, "POSIX_FADV_DONTNEED", 4, raising=False)
    write_behind(0, start, end)
    assert seen == told


def test_a_system_that_takes_no_advice_writes_when_it_likes(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    with (tmp_path / "large").open("wb") as file:
        write_behind(file.fileno(), 0, BEHIND)
    assert (tmp_path / "large").read_bytes() == b""
