"""What the tests of the command share: a folder to stand in, configs, and the command called in this process."""

import io
import json
import logging
import sys

import attrs
import pytest

from ozzy.cli.main import call


@attrs.frozen
class Outcome:
    """What a call of the command left: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def make_terminal(monkeypatch):
    """Puts a terminal of so many columns in the place of `stdout` or `stderr`."""

    def make(name, columns=80, colour=False):
        stream = Terminal()
        monkeypatch.setattr(sys, name, stream)
        monkeypatch.setenv("COLUMNS", str(columns))
        if not colour:
            monkeypatch.setenv("NO_COLOR", "1")
        return stream

    return make


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("OZZY_STATE_DIR", "OZZY_BLOCK_PLUGINS", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    yield
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]
    logging.getLogger("ozzy").setLevel(logging.NOTSET)
    root.setLevel(logging.WARNING)


@pytest.fixture
def ozzy(capfd):
    """Calls the command with these arguments."""

    def run(*arguments):
        capfd.readouterr()
        code = call([str(argument) for argument in arguments])
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture
def config(tmp_path):
    """Writes a config, which may be changed section by section; its path is relative to the working folder."""

    def write(file="c.json", **sections):
        whole = {
            "name": "numbers",
            "reader": {"name": "random", "options": {"number_of_items": 30, "batch_size": 10, "seed": 3}},
            "writer": {"name": "fs", "options": {"filebase": "out/numbers", "compression": "none"}},
        } | sections
        (tmp_path / file).write_text(json.dumps({key: value for key, value in whole.items() if value is not None}))
        return file

    return write
