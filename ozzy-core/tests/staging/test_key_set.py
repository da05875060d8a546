"""A set of keys tells exactly what is new, in bounded memory, and goes back to any checkpoint."""

import shutil
import sqlite3
import tracemalloc
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.errors import StateError
from ozzy.staging import key_set
from ozzy.staging.key_set import SMALLEST_MEMORY, KeySet


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stages" / "filter" / "keys.sqlite"


def asked(path, query):
    with closing(sqlite3.connect(path)) as file:
        return file.execute(query).fetchone()


def key(number):
    return f'"key {number}"'


def numbered(start, end):
    return [key(number) for number in range(start, end)]


@pytest.fixture
def made(path):
    """Sets that are closed at the end."""
    several = []

    def make(*, file=path, memory=SMALLEST_MEMORY):
        several.append(KeySet(file, memory))
        return several[-1]

    yield make
    for one in several:
        one.close()


def test_a_key_is_new_once(made):
    keys = made()

    assert keys.add([]) == []
    assert keys.add(['"a"', '"b"', '"a"', "1", '"1"', '""']) == [True, True, False, True, True, True]
    assert keys.add(['"b"', '"c"', "1"]) == [False, True, False]
    assert keys.count == 6


def test_nothing_is_written_before_it_has_to_be(made, path):
    keys = made()
    keys.add(numbered(0, 10))

    assert not path.parent.exists()
    assert made(file=None).save()["keys"] == 0


@pytest.mark.parametrize("file", ["kept", None])
def test_far_more_keys_than_memory_holds(made, path, file):
    keys = made(file=path if file else None)
    for start in range(0, 20_000, 500):
        assert all(keys.add(numbered(start, start + 500)))
    for start in range(0, 20_000, 999):
        assert keys.add([key(start), key(-1 - start), key(start + 1)]) == [False, True, start == 19_980 and start + 1 >= 20_000]

    assert keys.count == 20_000 + len(range(0, 20_000, 999))


def test_memory_is_bounded(made):
    keys = made(memory=1 << 20)
    tracemalloc.start()
    for start in range(0, 60_000, 1000):
        keys.add(numbered(start, start + 1000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 3 << 20


def test_odd_texts_are_keys_like_others(made):
    long = "x" * 100_000
    odd = ['"\\u0000"', '"é"', '"日本"', '"😀"', '"\\""', "null", '{"a":1}', "'; DROP TABLE runs", long[:200], long[:201], long, long + "x"]
    keys = made()
    facts = [keys.add(odd), keys.save()][1]
    keys.go_back(facts)

    assert keys.add(odd) == [False] * len(odd)


def test_it_goes_on_where_it_was_saved(made):
    first = made()
    first.add(numbered(0, 2000))
    facts = first.save()
    first.close()
    second = made()
    second.go_back(facts)

    assert second.count == 2000
    assert second.save() == facts
    assert second.add([key(0), key(1999), key(2000), key(0)]) == [False, False, True, False]


def test_what_is_newer_than_a_checkpoint_is_forgotten(made):
    keys = made()
    documents = []
    for start in range(0, 4000, 200):
        keys.add(numbered(start, start + 200))
        documents.append(keys.save())
    keys.add(numbered(4000, 4100))
    keys.close()
    for number, facts in reversed(list(enumerate(documents, 1))):
        other = made()
        other.go_back(facts)
        end = number * 200

        assert other.count == end
        assert other.add([key(end - 1), key(end), key(0)]) == [False, True, False]
        other.close()


def test_going_back_and_on_again_is_as_if_never_disturbed(made):
    keys = made()
    keys.add(numbered(0, 100))
    earlier = keys.save()
    keys.add(numbered(100, 300))
    keys.save()
    keys.close()
    again = made()
    again.go_back(earlier)
    again.add(numbered(200, 250))
    later = again.save()
    again.close()
    last = made()
    last.go_back(later)

    assert last.count == 150
    assert last.add([key(99), key(150), key(225)]) == [False, True, False]


def test_from_the_start_nothing_is_left_of_what_was_there(made, path):
    keys = made()
    nothing = keys.save()
    keys.add(numbered(0, 10))
    keys.save()
    keys.close()
    again = made()
    again.go_back(nothing)

    assert again.add(numbered(0, 10)) == [True] * 10
    again.save()
    again.close()
    assert asked(path, "SELECT sum(keys) FROM runs") == (10,)


def test_what_was_not_saved_is_gone_with_its_process(made, path):
    keys = made()
    keys.add(numbered(0, 10))
    facts = keys.save()
    keys.add(numbered(10, 3000))
    copy = path.with_name("copy.sqlite")
    shutil.copy(path, copy)
    shutil.copy(f"{path}-journal", f"{copy}-journal")
    other = made(file=copy)
    other.go_back(facts)

    assert other.count == 10


def test_saving_again_without_new_keys_changes_nothing(made, path):
    keys = made()
    keys.add(numbered(0, 10))
    facts = keys.save()
    before = path.read_bytes()
    keys.add(numbered(0, 10))

    assert keys.save() == facts
    assert path.read_bytes() == before


def test_a_missing_file_is_told(made, path):
    keys = made()
    keys.add(["1"])
    facts = keys.save()
    keys.close()
    path.unlink()
    with pytest.raises(StateError, match=f"the keys that were seen are gone: there is no {path}") as raised:
        made().go_back(facts)
    assert "--fresh" in raised.value.hint
    with pytest.raises(StateError, match="without a state folder nothing is kept"):
        made(file=None).go_back(facts)


def test_a_file_that_is_older_than_the_checkpoint_is_told(made, path):
    keys = made()
    keys.add(["1", "2"])
    keys.save()
    older = path.read_bytes()
    keys.add(["3"])
    facts = keys.save()
    keys.close()
    path.write_bytes(older)
    with pytest.raises(StateError, match="holds 2 of the 3 keys that the checkpoint counts on"):
        made().go_back(facts)


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_damaged_file_is_told(made, path, content):
    keys = made()
    keys.add(["1"])
    facts = keys.save()
    keys.close()
    path.write_bytes(content)
    with pytest.raises(StateError, match="are damaged"):
        made().go_back(facts)


def test_a_full_disk_is_told(made, monkeypatch):
    keys = made()
    keys.add(numbered(0, 100))
    keys.save()
    keys._opened().execute("PRAGMA max_page_count = 10")
    with pytest.raises(StateError, match=r"can't keep the keys that were seen in .*full") as raised:
        keys.add(numbered(100, 3000))
    assert "--resume" in raised.value.hint


def test_a_folder_that_can_not_be_made_is_told(made, tmp_path):
    (tmp_path / "file").write_text("")
    keys = made(file=tmp_path / "file" / "keys.sqlite")
    keys.add(["1"])
    with pytest.raises(StateError, match="can't write the state in"):
        keys.save()


def test_a_file_that_can_not_be_opened_leaves_nothing_open(made, path, monkeypatch):
    keys = made()
    keys.add(["1"])
    path.mkdir(parents=True)
    with pytest.raises(StateError, match="can't"):
        keys.save()


def test_runs_stay_few(made, path):
    keys = made()
    for start in range(0, 3000, 10):
        keys.add(numbered(start, start + 10))
        keys.save()
    keys.close()

    assert asked(path, "SELECT count(*) < 12, sum(keys) FROM runs") == (1, 3000)


def test_what_is_saved_is_synced_with_its_folder(made, path, monkeypatch):
    synced = []
    monkeypatch.setattr(key_set, "sync_folder", synced.append)
    keys = made()
    keys.add(["1"])
    keys.save()

    assert synced == [path.parent]
    assert keys._opened().execute("PRAGMA synchronous").fetchone() == (3,)


def test_where_keys_are_too_many_for_the_bits_all_are_looked_up(made, monkeypatch):
    keys = made()
    keys.add(numbered(0, 1000))
    facts = keys.save()
    keys.close()
    monkeypatch.setattr(key_set, "_TOO_MANY", 0)
    again = made()
    again.go_back(facts)

    assert set(again._bits) == {255}
    assert again.add([key(0), key(5000), key(999)]) == [False, True, False]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 60).map(key), st.just("save"), st.just("spill"), st.integers(0, 5)), max_size=60))
def test_it_is_a_set_with_a_past(tmp_path_factory, steps):
    """Keys, saves, full memory and ways back in any order give what a set of Python gives."""
    folder = tmp_path_factory.mktemp("set")
    keys, expected, past = KeySet(folder / "keys.sqlite", SMALLEST_MEMORY), set(), []
    for step in steps:
        if step == "save":
            past.append((keys.save(), set(expected)))
        elif step == "spill":
            keys._make_room()
        elif isinstance(step, int):
            if past:
                del past[step % len(past) + 1 :]
                facts, held = past[-1]
                keys.go_back(facts)
                expected = set(held)
        else:
            assert keys.add([step]) == [step not in expected]
            expected.add(step)
        assert keys.count == len(expected)
    keys.close()
