"""How the command has memory managed: only while a run lasts, and nowhere else."""

import gc
import subprocess
import sys

from ozzy.cli import memory


def test_rubbish_is_looked_for_rarely_while_a_run_lasts_and_as_before_after_it():
    before = gc.get_threshold()
    with memory.memory_for_a_run():
        assert gc.get_threshold()[0] == memory.COLLECT_AFTER
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_another_c_library_stays_as_it_is(monkeypatch):
    def without(_name):
        raise OSError("no such library")

    monkeypatch.setattr(memory.ctypes, "CDLL", without)
    assert memory.keep_freed_blocks() is False


def test_nothing_is_searched_for_rubbish_when_the_command_ends():
    code = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 0)); from ozzy.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "True"
