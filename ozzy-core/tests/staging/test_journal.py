import os
from pathlib import Path

import pytest

from ozzy.errors import DestinationError, StateError
from ozzy.staging.journal import Journal


def made(tmp_path: Path, *lines: object) -> Journal:
    journal = Journal(tmp_path / "state" / "list")
    for line in lines:
        journal.add(line)
    return journal


def test_lines_come_back_between_any_two_lengths(tmp_path):
    journal = made(tmp_path, {"a": 1})
    middle = journal.length
    journal.add(["日本", None])

    assert list(journal.lines(0, journal.length)) == [{"a": 1}, ["日本", None]]
    assert list(journal.lines(middle, journal.length)) == [["日本", None]]
    assert list(journal.lines(middle, middle)) == []


def test_an_empty_one_is_no_file(tmp_path):
    journal = made(tmp_path)
    journal.sync()

    assert (list(journal.lines(0, 0)), list(tmp_path.iterdir())) == ([], [])


def test_long_lists_do_not_wait_in_memory(tmp_path):
    journal = made(tmp_path, "x" * 2_000_000)

    assert journal.path.stat().st_size == journal.length


def test_it_is_on_disk_after_a_sync_and_synced_once(tmp_path, monkeypatch):
    journal = made(tmp_path, 1, 2)
    real, synced = os.fsync, []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: (synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink())), real(descriptor))
    )
    journal.sync()
    journal.sync()

    assert journal.path.read_bytes() == b"1\n2\n"
    assert [str(journal.path), str(journal.path.parent)] == synced[-2:]
    assert synced.count(str(journal.path)) == 1


def test_it_goes_back_to_what_a_receipt_says(tmp_path):
    journal = made(tmp_path, 1, 2)
    journal.sync()
    length, crc32 = journal.length, journal.crc32
    journal.add(3)
    journal.sync()
    again = Journal(journal.path)

    assert again.holds(length, crc32)
    again.go_back(length, crc32)
    again.add(4)
    assert list(again.lines(0, again.length)) == [1, 2, 4]
    assert again.holds(length, crc32)


@pytest.mark.parametrize("content", [None, b"1", b"1\n2\n3\n"], ids=["deleted", "cut", "longer"])
def test_one_that_somebody_changes_while_it_grows_is_told(content, tmp_path):
    journal = made(tmp_path, 1, 2)
    journal.sync()
    journal.path.unlink()
    if content is not None:
        journal.path.write_bytes(content)
    journal.add(3)

    with pytest.raises(DestinationError, match="was deleted or changed by somebody else while it was written"):
        journal.sync()


@pytest.mark.parametrize("content", [None, b"", b"1\n", b"1\n9\n"])
def test_one_that_is_not_what_a_receipt_says_is_told(content, tmp_path):
    journal = made(tmp_path, 1, 2)
    journal.sync()
    journal.path.unlink() if content is None else journal.path.write_bytes(content)

    assert not journal.holds(journal.length, journal.crc32)
    with pytest.raises(StateError, match=r"the list of files .*list is not what the checkpoint says"):
        journal.go_back(journal.length, journal.crc32)


def test_lines_that_are_gone_are_told(tmp_path):
    journal = made(tmp_path, 1, 2)
    journal.sync()
    journal.path.write_bytes(b"1\n")

    with pytest.raises(StateError, match="is not what the checkpoint says"):
        list(journal.lines(0, journal.length))


def test_deleting_begins_anew(tmp_path):
    journal = made(tmp_path, 1)
    journal.sync()
    journal.delete()
    journal.delete()
    journal.add(2)

    assert list(journal.lines(0, journal.length)) == [2]
