"""Standard output that takes no more: the command says so, and does not call it a bug."""

import errno
import io
import os
import sys

import pytest


class Full(io.StringIO):
    """Takes nothing: it fails when it is written to, or when it is flushed, as a buffered one does."""

    def __init__(self, fails, number=errno.ENOSPC):
        super().__init__()
        self.fails = fails
        self.number = number
        self.null = os.open(os.devnull, os.O_WRONLY)

    def _fail(self):
        raise OSError(self.number, os.strerror(self.number))

    def write(self, text):
        if self.fails == "write":
            self._fail()
        return len(text)

    def flush(self):
        if self.fails == "flush":
            self._fail()

    def fileno(self):
        return self.null


@pytest.mark.parametrize("fails", ["write", "flush"])
@pytest.mark.parametrize("command", ["validate", "explain"])
def test_no_room_is_told(fails, command, ozzy, config, monkeypatch):
    file = config()
    monkeypatch.setattr(sys, "stdout", Full(fails))

    told = ozzy(command, file)

    assert told.code == 6
    assert told.err.splitlines()[0] == "error: can't write to standard output: No space left on device"


def test_an_error_of_the_command_is_told_first(ozzy, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Full("flush"))

    told = ozzy("validate", "missing.json")

    assert told.code == 2
    assert "there is no config file missing.json" in told.err


def test_what_is_left_at_the_end_is_told_too(ozzy, config, monkeypatch):
    """A run prints nothing to standard output itself, but something before it may have left text there."""
    file = config()
    monkeypatch.setattr(sys, "stdout", Full("flush"))

    told = ozzy("run", file, "--quiet")

    assert told.code == 6
    assert "can't write to standard output" in told.err


def test_that_nobody_reads_is_no_error(ozzy, config, monkeypatch):
    file = config()
    monkeypatch.setattr(sys, "stdout", Full("flush", errno.EPIPE))

    assert ozzy("run", file, "--quiet").code == 0
