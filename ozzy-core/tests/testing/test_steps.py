"""Steps are counted in order, and the process ends just before the one that was asked for."""
# ruff: noqa: PTH105, PTH123

import builtins
import io
import os
import signal
import socket
from pathlib import Path

import pytest

from ozzy import BaseReader, Batch, Split
from ozzy.contracts.module import overrides
from ozzy.testing.process import in_child
from ozzy.testing.steps import Steps


class Stopped(Exception):
    pass


def stop():
    raise Stopped


def work(folder):
    with (folder / "a").open("wb", buffering=0) as file:
        file.write(b"x")
        os.fsync(file.fileno())
    os.replace(folder / "a", folder / "b")
    with (folder / "c").open("w") as file:
        file.write("many " * 10_000)
        file.write("more")
    (folder / "b").read_bytes()
    (folder / "c").unlink()


def test_what_outlives_the_process_is_a_step(tmp_path):
    steps = Steps()
    with steps.watching():
        work(tmp_path)

    assert steps.names == ["open for writing", "write", "fsync", "rename", "open for writing", "write", "write", "remove"]


def test_the_system_is_as_before_afterwards(tmp_path):
    before = (os.write, os.fsync, builtins.open, io.open, socket.socket.send, vars(BaseReader)["read"])
    steps = Steps()
    with steps.watching(BaseReader):
        assert overrides(BaseReader, "read", BaseReader) is False
    work(tmp_path)

    assert (os.write, os.fsync, builtins.open, io.open, socket.socket.send, vars(BaseReader)["read"]) == before
    assert steps.names == []


@pytest.mark.parametrize(("last", "left"), [(1, []), (2, ["a"]), (4, ["a"]), (5, ["b"]), (8, ["b", "c"])])
def test_it_ends_before_the_step(tmp_path, last, left):
    with pytest.raises(Stopped), Steps(last, die=stop).watching():
        work(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_a_killed_process_leaves_what_it_had_done(tmp_path):
    def killed():
        with Steps(6).watching():
            work(tmp_path)

    ended = in_child(killed, tmp_path.parent / "log")

    assert (ended.status, ended.killed, ended.failed) == (-signal.SIGKILL, True, False)
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {"b": 1, "c": 0}


@pytest.mark.parametrize("mode", ["w", "wb", "a", "r+", "x+b", "w+"])
def test_files_that_are_watched_are_files(tmp_path, mode):
    path = tmp_path / "file"
    if mode.startswith("r"):
        path.write_text("")
    text = "ü\n" if "b" not in mode else "ü\n".encode()
    with Steps().watching(), path.open(mode, **({} if "b" in mode else {"encoding": "utf-8", "newline": "\n"})) as file:
        file.write(text)
        if "+" in mode:
            file.seek(0)
            assert file.read() == text

    assert path.read_bytes() == "ü\n".encode()
    with Steps().watching(), open(os.open(path, os.O_WRONLY), "wb") as file:
        file.write(b"z")
    assert path.read_bytes()[:1] == b"z"


class Two(BaseReader):
    def read(self, split, position):
        try:
            yield Batch.from_records([{"id": 1}])
            yield Batch.from_records([{"id": 2}])
        finally:
            self.freed = True


def test_calls_and_batches_are_steps_and_iterators_are_closed():
    steps = Steps()
    with steps.watching(Two, system=False):
        reader = Two()
        batches = reader.read(Split(), None)
        next(batches)
        batches.close()
        reader.acknowledge(None)

    assert reader.freed
    assert steps.names == ["before a batch of the reader", "before acknowledge()", "after acknowledge()"]


def test_an_inherited_method_is_still_inherited_while_it_is_counted():
    class Another(Two):
        pass

    with Steps().watching(Two, Another, system=False):
        assert overrides(Another, "read", Two) is False
        assert overrides(Another, "read", BaseReader) is True
        assert overrides(Another, "acknowledge", BaseReader) is False


def test_what_happens_in_a_call_says_so(tmp_path):
    class Saving(BaseReader):
        def acknowledge(self, position):
            Path(position).write_text("x")

    steps = Steps()
    with steps.watching(Saving):
        Saving().acknowledge(str(tmp_path / "a"))

    assert steps.names == ["before acknowledge()", "open for writing, in acknowledge()", "write, in acknowledge()", "after acknowledge()"]


def test_a_child_that_fails_says_why(tmp_path):
    def fails():
        print("a line before")
        raise ValueError("no\nwater")

    ended = in_child(fails, tmp_path / "log")

    assert (ended.failed, ended.reason) == (True, "ValueError: no water")


def test_a_child_that_says_nothing_has_its_status(tmp_path):
    ended = in_child(lambda: os._exit(7), tmp_path / "log")

    assert (ended.failed, ended.reason) == (True, "it ended with status 7 and said nothing")


def test_a_child_that_takes_too_long_is_killed(tmp_path):
    import time

    ended = in_child(lambda: time.sleep(60), tmp_path / "log", seconds=0.05)

    assert (ended.killed, in_child(lambda: None, tmp_path / "log").status) == (True, 0)
