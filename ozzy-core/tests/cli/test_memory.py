"""How the command has memory managed: above all while a run lasts, and nowhere outside of it."""

import ctypes
import gc
import sys

import pytest

from ozzy.cli import memory
from ozzy.cli.main import main


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

    monkeypatch.setattr(ctypes, "CDLL", without)
    assert memory.keep_freed_blocks() is False


def test_at_its_end_the_command_looks_at_nothing_any_more(monkeypatch):
    before = gc.get_threshold()
    monkeypatch.setattr(sys, "argv", ["ozzy", "--help"])
    try:
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code, gc.get_freeze_count() > 0) == (0, True)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
