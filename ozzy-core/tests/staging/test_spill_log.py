import os
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.errors import DestinationError, StateError
from ozzy.staging.spill_log import SpillLog, holds_log


def collected(log: SpillLog) -> list[tuple[int, list[bytes]]]:
    """The rows of each group, as they come."""
    groups: list[tuple[int, list[bytes]]] = []
    for group, rows in log.groups():
        if groups and groups[-1][0] == group:
            groups[-1][1].extend(rows)
        else:
            groups.append((group, list(rows)))
    return groups


def test_groups_come_in_order_and_rows_as_they_were_added(tmp_path):
    log = SpillLog(tmp_path / "log")
    log.add(2, [b"a", b""])
    log.add(0, [b"b"])
    log.sync()
    log.add(2, [b"c"])
    log.add(1, ["ü".encode()])

    assert collected(log) == [(0, [b"b"]), (1, ["ü".encode()]), (2, [b"a", b"", b"c"])]
    assert (log.rows, log.size) == (5, 5)


def test_an_empty_one_gives_nothing(tmp_path):
    log = SpillLog(None)
    assert collected(log) == []
    log.delete()


def test_a_huge_row_comes_back(tmp_path):
    log = SpillLog(tmp_path / "log")
    huge = os.urandom(3_000_000)
    log.add(1, [b"x", huge, b"y"])
    log.add(0, [b"z" * 200_000] * 3)

    assert collected(log) == [(0, [b"z" * 200_000] * 3), (1, [b"x", huge, b"y"])]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.lists(st.binary(max_size=30), min_size=1, max_size=4)), max_size=60),
    st.sampled_from([1, 400, 1 << 20]),
    st.integers(2, 4),
    st.booleans(),
)
def test_the_order_holds_however_many_runs_there_are(added, memory, fan_in, named):
    with tempfile.TemporaryDirectory() as folder:
        log = SpillLog(Path(folder) / "log" if named else None, memory=memory, fan_in=fan_in)
        wanted = defaultdict(list)
        for group, rows in added:
            log.add(group, rows)
            wanted[group] += rows

        assert collected(log) == sorted(wanted.items())
        assert sorted(path.name for path in Path(folder).iterdir()) in ([], ["log"])
        log.delete()
        assert list(Path(folder).iterdir()) == []


def test_memory_is_bounded(tmp_path):
    log = SpillLog(tmp_path / "log", memory=10_000)
    for number in range(1000):
        log.add(number % 7, [b"x" * 100])

    assert log.length > 1000 * 100 * 0.9


def test_a_resumed_one_forgets_what_is_newer(tmp_path):
    log = SpillLog(tmp_path / "log")
    log.add(0, [b"a"])
    log.sync()
    facts = log.facts()
    log.add(0, [b"lost"])
    log.sync()
    again = SpillLog(tmp_path / "log")

    assert holds_log(tmp_path, facts)
    again.go_back(facts)
    again.add(0, [b"b"])
    assert collected(again) == [(0, [b"a", b"b"])]
    assert (again.rows, again.size) == (2, 2)


def test_one_that_is_damaged_or_short_is_told(tmp_path):
    log = SpillLog(tmp_path / "log")
    log.add(0, [b"abc"])
    log.sync()
    facts, whole = log.facts(), (tmp_path / "log").read_bytes()

    (tmp_path / "log").write_bytes(whole[:-1] + b"?")
    with pytest.raises(StateError, match=r"the staged rows in .*log are not what the checkpoint says"):
        SpillLog(tmp_path / "log").go_back(facts)
    (tmp_path / "log").write_bytes(whole[:-1])
    assert not holds_log(tmp_path, facts)
    with pytest.raises(StateError, match="shorter than the checkpoint says"):
        SpillLog(tmp_path / "log").go_back(facts)
    with pytest.raises(StateError, match=r"the staged rows in .*log end too early"):
        list(log.groups())
    (tmp_path / "log").unlink()
    assert not holds_log(tmp_path, facts)
    with pytest.raises(DestinationError, match="No such file"):
        list(log.groups())
