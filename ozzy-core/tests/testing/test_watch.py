"""Watching what touches the world, and letting all of that fail."""
# ruff: noqa: PTH105, PTH123, SIM115

import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ozzy.testing.watch import nothing_works, open_files, touched


def test_files_folders_connections_and_programs_are_seen(tmp_path):
    with touched() as seen:
        (tmp_path / "a").write_text("x")
        list(tmp_path.iterdir())
        with socket.socket() as one, pytest.raises(ConnectionRefusedError):
            one.connect(("127.0.0.1", 1))
        sqlite3.connect(":memory:").close()
        subprocess.run([sys.executable, "-c", ""], check=True)

    told = " ".join(seen)
    assert [word for word in ("open(", "os.listdir(", "socket.connect(", "sqlite3.connect(", "subprocess.Popen(") if word not in told] == []


def test_imports_are_not_seen(tmp_path, monkeypatch):
    (tmp_path / "ozzy_watch_sample.py").write_text("from pathlib import Path\nhere = Path(__file__).read_text()\n")
    monkeypatch.syspath_prepend(tmp_path)

    with touched() as seen:
        import ozzy_watch_sample

    assert seen == []
    assert "Path" in ozzy_watch_sample.here


def test_what_comes_later_is_not_seen(tmp_path):
    with touched() as seen:
        pass
    (tmp_path / "a").write_text("x")

    assert seen == []


@pytest.mark.parametrize(
    "work",
    [
        lambda: Path("x").read_text(),
        lambda: Path("x").write_text("y"),
        lambda: open("x"),
        lambda: os.open("x", os.O_RDONLY),
        lambda: list(Path().iterdir()),
        lambda: os.replace("x", "y"),
        lambda: Path("x").unlink(),
        lambda: sqlite3.connect("x"),
        lambda: subprocess.run(["true"], check=True),
    ],
)
def test_where_nothing_works_the_disk_denies(work):
    with nothing_works(), pytest.raises(PermissionError):
        work()


@pytest.mark.parametrize(
    "work",
    [
        lambda: socket.create_connection(("localhost", 1)),
        lambda: socket.getaddrinfo("localhost", 1),
        lambda: socket.socket().connect(("", 1)),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_where_nothing_works_connections_are_refused(work):
    with nothing_works(), pytest.raises(ConnectionRefusedError):
        work()


def test_afterwards_everything_works(tmp_path):
    with nothing_works():
        pass

    assert (tmp_path / "a").write_text("x") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells open files")
def test_open_files_are_known(tmp_path):
    before = open_files()
    with (tmp_path / "a").open("w"):
        opened = open_files() - before

    assert [one.partition(" ")[2] for one in opened] == [str(tmp_path / "a")]
