import errno
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozzy.errors import DestinationError, StateError
from ozzy.staging.state_files import read_json, write_json, writing_state


@pytest.mark.parametrize(
    "content",
    [None, {}, [], {"a": 1, "b": [1.0, None, True, "日本\n"]}, {"big": 2**80}, "text", {"nested": {"content": {"sha256": "x"}}}],
)
def test_content_comes_back(content, tmp_path):
    write_json(tmp_path / "x.json", content)

    assert read_json(tmp_path / "x.json") == content


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_any_json_comes_back(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        write_json(path, content)

    assert read_json(path) == content


def test_texts_and_numbers_of_a_subclass_are_written_as_what_they_derive_from(tmp_path):
    class Text(str):
        __slots__ = ()

    class Count(float):
        __slots__ = ()

    write_json(tmp_path / "x.json", [Text("a"), Count(1.5)])

    assert read_json(tmp_path / "x.json") == ["a", 1.5]


@pytest.mark.parametrize("content", [{"x": object()}, "\ud800", {"x": {1, object()}}])
def test_what_json_has_no_form_for_is_refused_and_the_old_content_stays(content, tmp_path):
    write_json(tmp_path / "x.json", "old")
    with pytest.raises(StateError, match=r"can't write the state file .*x.json: it would hold a value that JSON has no form for"):
        write_json(tmp_path / "x.json", content)

    assert read_json(tmp_path / "x.json") == "old"


def test_there_is_nothing_where_no_file_is(tmp_path):
    assert read_json(tmp_path / "x.json") is None
    assert read_json(tmp_path / "folder" / "x.json") is None


def test_files_and_new_folders_are_private(tmp_path):
    os.umask(umask := os.umask(0o022))
    write_json(tmp_path / "a" / "b" / "x.json", 1)

    assert [stat.S_IMODE((tmp_path / path).stat().st_mode) for path in ("a/b/x.json", "a/b", "a")] == [0o600, 0o700, 0o777 & ~umask]


def test_the_content_before_is_kept_where_asked(tmp_path):
    for number in range(3):
        write_json(tmp_path / "x.json", number, keep_previous=True)

    assert (read_json(tmp_path / "x.json"), read_json(tmp_path / "x.1.json")) == (2, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.1.json", "x.json"]


def test_the_content_before_is_copied_where_there_are_no_links(tmp_path, monkeypatch):
    def link(*paths: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    for number in range(3):
        write_json(tmp_path / "x.json", number, keep_previous=True)

    assert (read_json(tmp_path / "x.json"), read_json(tmp_path / "x.1.json")) == (2, 1)


def test_every_cut_of_a_file_is_told(tmp_path):
    write_json(tmp_path / "x.json", {"a": "content"})
    whole = (tmp_path / "x.json").read_bytes()
    for size in range(len(whole) - 1):
        (tmp_path / "x.json").write_bytes(whole[:size])
        with pytest.raises(StateError, match="is damaged: its checksum does not match"):
            read_json(tmp_path / "x.json")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"content":1}',
        b'{"sha256":5,"content":1}',
        b'{"sha256":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}',
        b'{"sha256":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b","content":2}',
        b'{"sha256":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b","content":1} x',
        b"\xff\xfe",
        b'{"sha256":"\xff","content":1}',
    ],
)
def test_garbled_files_are_told(text, tmp_path):
    (tmp_path / "x.json").write_bytes(text)
    with pytest.raises(StateError, match=r"the state file .*x.json is damaged: its checksum does not match") as caught:
        read_json(tmp_path / "x.json")

    assert caught.value.hint == "Restore it from a backup, or start again with --fresh."


def test_a_file_that_was_taken_away_is_told_by_the_one_before_it(tmp_path):
    write_json(tmp_path / "x.json", 1, keep_previous=True)
    write_json(tmp_path / "x.json", 2, keep_previous=True)
    (tmp_path / "x.json").unlink()
    with pytest.raises(StateError, match=r"the state file .*x.json is gone, though x.1.json, the state before it, is there"):
        read_json(tmp_path / "x.json")


def test_a_flipped_byte_is_told(tmp_path):
    write_json(tmp_path / "x.json", {"a": 17}, keep_previous=True)
    write_json(tmp_path / "x.json", {"a": 18}, keep_previous=True)
    text = (tmp_path / "x.json").read_bytes()
    (tmp_path / "x.json").write_bytes(text.replace(b"18", b"19"))
    with pytest.raises(StateError) as caught:
        read_json(tmp_path / "x.json")

    assert caught.value.hint.endswith("The state before it may stand in x.1.json beside it.")


def test_a_file_that_can_not_be_read_is_not_taken_for_nothing(tmp_path):
    (tmp_path / "x.json").mkdir()
    with pytest.raises(StateError, match=r"can't read the state file .*x.json: Is a directory"):
        read_json(tmp_path / "x.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="Not a directory"):
        read_json(tmp_path / "file" / "x.json")


def test_where_rights_are_missing_room_would_not_help(tmp_path, monkeypatch):
    def fail(*args: object) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(StateError, match="Permission denied") as caught:
        write_json(tmp_path / "x.json", "new")

    assert caught.value.hint == "Change its permissions or choose another --state-dir, then go on with --resume."


@pytest.mark.parametrize("step", ["write", "fsync", "open"])
def test_a_failing_write_leaves_the_old_content(step, tmp_path, monkeypatch):
    write_json(tmp_path / "x.json", "old", keep_previous=True)

    def fail(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(StateError, match=r"can't write the state in .*x.json: No space left on device") as caught:
            write_json(tmp_path / "x.json", "new", keep_previous=True)

    assert caught.value.hint == "Make room or choose another --state-dir, then go on with --resume."
    assert read_json(tmp_path / "x.json") == "old"
    write_json(tmp_path / "x.json", "newer", keep_previous=True)
    assert read_json(tmp_path / "x.json") == "newer"


def test_a_folder_that_can_not_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"can't write the state in .*x.json: File exists"):
        write_json(tmp_path / "file" / "x.json", 1)


def test_an_error_without_a_cause_keeps_its_words():
    with pytest.raises(StateError, match="can't write the state in x: no place"), writing_state(Path("x")):
        raise DestinationError("no place")


def test_new_then_synced_then_renamed_then_the_folder_synced(tmp_path, monkeypatch):
    steps: list[str] = []
    real = {name: getattr(os, name) for name in ("write", "fsync", "replace", "link", "open")}
    names: dict[int, str] = {}

    def opened(path: str, *more: int) -> int:
        names[descriptor := real["open"](path, *more)] = Path(path).name
        return int(descriptor)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "write", lambda to, data: steps.append(f"write {names[to]}") or real["write"](to, data))
    monkeypatch.setattr(os, "fsync", lambda to: steps.append(f"fsync {names[to]}") or real["fsync"](to))
    monkeypatch.setattr(os, "link", lambda a, b: steps.append(f"link {Path(b).name}") or real["link"](a, b))
    monkeypatch.setattr(os, "replace", lambda a, b: steps.append(f"replace {Path(a).name} {Path(b).name}") or real["replace"](a, b))
    write_json(tmp_path / "x.json", 1, keep_previous=True)
    write_json(tmp_path / "x.json", 2, keep_previous=True)

    first = ["write x.json.new", "fsync x.json.new", "replace x.json.new x.json", f"fsync {tmp_path.name}"]
    assert steps == [*first, *first[:2], "link x.1.json", *first[2:]]


def test_a_person_can_read_it(tmp_path):
    write_json(tmp_path / "x.json", {"a": 1})

    assert json.loads((tmp_path / "x.json").read_text())["content"] == {"a": 1}
