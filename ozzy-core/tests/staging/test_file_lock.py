"""A lock is held by one, wherever the others are, and goes with the process that has it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ozzy.staging.file_lock import FileLock

HOLDER = """
import sys
from pathlib import Path
from ozzy.staging.file_lock import FileLock

lock = FileLock(Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lease.lock"


def test_one_has_it_and_nobody_else_until_it_is_given_back(path):
    one, other = FileLock(path), FileLock(path)
    assert (one.take(), other.take()) == (True, False)
    one.release()
    assert other.take()


def test_giving_it_back_twice_is_the_same_as_once(path):
    one, other = FileLock(path), FileLock(path)
    assert one.take()
    one.release()
    assert other.take()
    one.release()
    assert not FileLock(path).take()


def test_one_that_is_forgotten_is_given_back(path):
    one = FileLock(path)
    assert one.take()
    del one
    assert FileLock(path).take()


def test_it_is_waited_for_as_long_as_was_said(path):
    one, other = FileLock(path), FileLock(path)
    assert one.take()
    began = time.monotonic()
    assert not other.take(0.1)
    assert 0.1 <= time.monotonic() - began < 5


def test_another_process_that_has_it_keeps_it_until_it_ends(path):
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert not FileLock(path).take()
        process.kill()
        process.wait()
    assert FileLock(path).take()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_fork_that_lets_go_leaves_it_with_the_process_that_has_it(path):
    lock = FileLock(path)
    assert lock.take()
    child = os.fork()
    if not child:
        lock.let_go()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert not FileLock(path).take()
    lock.release()
    assert FileLock(path).take()


def test_the_lock_of_a_file_that_was_deleted_holds_nobody_up(path):
    old = FileLock(path)
    assert old.take()
    path.unlink()
    assert FileLock(path).take()


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        FileLock(tmp_path / "missing" / "lease.lock").take()
