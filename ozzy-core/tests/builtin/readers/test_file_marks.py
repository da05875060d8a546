"""What incremental reading takes for new, changed and read before."""

import os
from pathlib import Path

import pytest

from ozzy import Metadata, SourceError, Split
from ozzy.builtin.readers.file_marks import BLOCK, beside, mark_of, same
from ozzy.builtin.readers.fs import FSReader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "in" / name).write_text(f'{{"n":"{name}"}}\n')
    return tmp_path / "in"


def listed(folder, marks=(), input="in"):
    """The files that are new since these marks, and the marks after them."""
    reader = FSReader({"name": "fs", "options": {"input": input}}, Metadata(working_folder=folder.parent))
    found = list(reader.splits_since(iter(marks)))
    return [one.split.id for one in found if one.split is not None], [one.mark for one in found if one.mark is not None]


def test_without_a_bookmark_all_is_new_and_the_splits_are_those_of_any_run(folder):
    reader = FSReader({"name": "fs", "options": {"input": "in"}}, Metadata(working_folder=folder.parent))

    found = list(reader.splits_since(iter(())))

    assert [one.split for one in found] == list(reader.splits())
    assert [one.mark["path"] for one in found] == [str(folder / name) for name in "abc"]


def test_since_its_own_marks_nothing_is_new(folder):
    _, marks = listed(folder)

    assert listed(folder, marks) == ([], marks)


def test_a_new_file_is_new_however_old_its_time_is(folder):
    _, marks = listed(folder)
    (folder / "aa").write_text("{}")
    os.utime(folder / "aa", (1, 1))

    assert listed(folder, marks)[0] == ["in/aa"]


def test_a_file_that_was_appended_to_is_new(folder):
    _, marks = listed(folder)
    with (folder / "b").open("a") as file:
        file.write("{}\n")

    assert listed(folder, marks)[0] == ["in/b"]


def test_a_file_with_other_bytes_is_new_though_size_and_time_are_the_same(folder):
    _, marks = listed(folder)
    status = (folder / "b").stat()
    (folder / "b").write_text('{"n":"B"}\n')
    os.utime(folder / "b", ns=(status.st_atime_ns, status.st_mtime_ns))

    assert listed(folder, marks)[0] == ["in/b"]


def test_a_file_that_was_only_touched_is_not_new_and_its_mark_has_the_new_time(folder):
    _, marks = listed(folder)
    os.utime(folder / "b", (5, 5))

    new, after = listed(folder, marks)

    assert new == []
    assert after[1]["modified"] == 5_000_000_000
    assert listed(folder, after) == ([], after)


def test_an_untouched_file_is_not_opened(folder, monkeypatch):
    _, marks = listed(folder)
    monkeypatch.setattr(Path, "open", lambda *_, **__: pytest.fail("opened"))

    assert listed(folder, marks) == ([], marks)


def test_a_file_that_is_gone_is_forgotten_and_new_when_it_comes_back(folder):
    _, marks = listed(folder)
    text = (folder / "b").read_text()
    (folder / "b").unlink()

    new, after = listed(folder, marks)
    (folder / "b").write_text(text)

    assert (new, after) == ([], [marks[0], marks[2]])
    assert listed(folder, after)[0] == ["in/b"]


def test_a_folder_that_is_empty_all_at_once_is_not_forgotten(folder):
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "x").write_text("{}")
    _, marks = listed(folder, input=["other", "in"])
    folder.rename(folder.parent / "unplugged")
    folder.mkdir()
    (folder.parent / "other" / "y").write_text("{}")

    new, after = listed(folder, marks, input=["other", "in"])
    folder.rmdir()
    (folder.parent / "unplugged").rename(folder)

    assert new == ["other/y"]
    assert [mark["path"] for mark in after] == [str(folder / name) for name in "abc"] + [
        str(folder.parent / "other" / name) for name in "xy"
    ]
    assert listed(folder, after, input=["other", "in"])[0] == []


def test_a_file_is_the_same_by_whatever_path_it_is_named(folder):
    _, marks = listed(folder)

    assert listed(folder, marks, input=["./in//c", str(folder / "a"), "in/../in"])[0] == []


def test_files_in_folders_are_compared_in_the_order_of_whole_paths(folder):
    (folder / "b.d").mkdir()
    (folder / "b.d" / "é").write_text("{}")
    (folder / "b-1").write_text("")
    _, marks = listed(folder)

    assert [mark["path"] for mark in marks] == sorted(mark["path"] for mark in marks)
    assert listed(folder, marks) == ([], marks)


def test_a_new_file_that_can_not_be_read_stops_the_listing(folder, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(SourceError, match="in/a can't be read: Permission denied"):
        listed(folder)


def test_the_first_and_the_last_block_have_checksums(tmp_path):
    contents = {
        "was": bytes(3 * BLOCK),
        "begins otherwise": b"1" + bytes(3 * BLOCK - 1),
        "ends otherwise": bytes(3 * BLOCK - 1) + b"1",
        "is longer": bytes(3 * BLOCK + 1),
        "has another middle": bytes(BLOCK) + b"1" * BLOCK + bytes(BLOCK),
    }
    marks = {}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        marks[name] = mark_of(str(tmp_path / name), (tmp_path / name).stat(), None)

    assert [name for name, mark in marks.items() if same(marks["was"], mark)] == ["was", "has another middle"]
    assert not same(None, marks["was"])


def test_a_mark_of_an_older_version_has_no_last_block_and_still_counts(tmp_path):
    (tmp_path / "x").write_bytes(bytes(2 * BLOCK))
    mark = mark_of(str(tmp_path / "x"), (tmp_path / "x").stat(), None)
    older = {key: value for key, value in mark.items() if key != "end"}

    assert same(older, mark)


@pytest.mark.parametrize(("blocks", "warns"), [(2, False), (3, True)])
def test_a_touched_file_with_a_middle_that_nobody_looked_at_is_told(blocks, warns, folder, caplog):
    (folder / "b").write_bytes(b"{}\n" + b" " * (blocks * BLOCK - 3))
    _, marks = listed(folder)
    os.utime(folder / "b", (1, 1))

    assert listed(folder, marks)[0] == []
    told = "in/b was touched since it was read; its size, beginning and end are the same, so it is not read again"
    assert (told in caplog.text) == warns


@pytest.mark.parametrize(
    ("found", "marks", "expected"),
    [
        ("", "", []),
        ("", "ab", ["-a", "-b"]),
        ("ab", "", ["a-", "b-"]),
        ("bd", "ace", ["-a", "b-", "-c", "d-", "-e"]),
        ("abc", "b", ["a-", "bb", "c-"]),
        ("abc", "abc", ["aa", "bb", "cc"]),
    ],
)
def test_files_and_marks_are_joined_by_their_paths(found, marks, expected):
    joined = beside(((one, one) for one in found), ({"path": one} for one in marks))

    assert [f"{name or '-'}{mark['path'] if mark else '-'}" for _, name, mark in joined] == expected


def test_marks_are_held_one_at_a_time():
    drawn = 0

    def marks():
        nonlocal drawn
        for number in range(10):
            drawn += 1
            yield {"path": str(number)}

    joined = beside(((str(number), "x") for number in range(10)), marks())
    next(joined)

    assert drawn <= 2


def test_an_empty_file_is_new_once(folder):
    (folder / "a").write_text("")
    new, marks = listed(folder)

    assert new == ["in/a", "in/b", "in/c"]
    assert listed(folder, marks)[0] == []


def test_a_changed_file_has_the_fingerprint_of_its_present_state(folder):
    reader = FSReader({"name": "fs", "options": {"input": "in"}}, Metadata(working_folder=folder.parent))
    (folder / "a").write_text('{"longer": true}\n')

    first = next(iter(reader.splits_since(iter(()))))

    assert first.split == next(iter(reader.splits()))
    assert isinstance(first.split, Split)
