"""The helpers that install and start servers for tests."""

import sys
import urllib.request

import pytest

from tests.servers import install, places
from tests.servers.process import Server, answers, free_port, started


def test_what_is_installed_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("OZZY_TEST_SERVERS", str(tmp_path))
    monkeypatch.setattr(install, "install_go", lambda name, folder, work: (folder / name).write_text(name))
    (tmp_path / "toxiproxy-2.5.0").mkdir()

    install.main([])
    install.main([])

    assert sorted(path.name for path in tmp_path.iterdir()) == ["toxiproxy-2.5.0", "versitygw-1.8.0"]
    assert (tmp_path / "versitygw-1.8.0" / "versitygw").read_text() == "versitygw"
    assert not list((tmp_path / "toxiproxy-2.5.0").iterdir())


def test_an_installation_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("OZZY_TEST_SERVERS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="built with Go"):
        install.main(["versitygw"])
    with pytest.raises(SystemExit, match="there is no server nothing"):
        install.main(["nothing"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("strict", "outcome"), [(True, pytest.fail.Exception), (False, pytest.skip.Exception)])
def test_a_server_that_is_missing_is_told_with_the_line_that_installs_it(tmp_path, monkeypatch, strict, outcome):
    monkeypatch.setattr(places, "FOLDER", tmp_path)
    monkeypatch.setattr(places, "STRICT", strict)
    with pytest.raises(outcome, match=r"python3 tests/servers/install.py versitygw"):
        places.binary("versitygw")


def test_a_server_is_started_awaited_and_ended(tmp_path):
    port = free_port()
    server = Server(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], lambda: answers(port), tmp_path / "log", folder=tmp_path
    )
    server.start()
    urllib.request.urlopen(f"http://127.0.0.1:{port}/").close()
    server.stop()
    server.stop()
    assert not answers(port)
    assert "GET /" in server.tail()


def test_a_server_that_ends_at_once_is_not_waited_for(tmp_path):
    server = Server([sys.executable, "-c", "print('the config is wrong'); raise SystemExit(3)"], lambda: False, tmp_path / "log")
    with pytest.raises(RuntimeError, match="ended with 3:\nthe config is wrong"):
        server.start()


def test_a_server_that_never_answers_is_ended(tmp_path):
    server = Server(
        [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"], lambda: False, tmp_path / "log"
    )
    with pytest.raises(RuntimeError, match="does not answer"):
        server.start(0.5)
    assert server.process is None


def test_a_port_that_was_taken_meanwhile_is_no_failure(tmp_path):
    commands = [[sys.executable, "-c", "raise SystemExit('address already in use')"], [sys.executable, "-c", "import time; time.sleep(60)"]]
    made = []

    def make():
        made.append(Server(commands[len(made)], lambda: len(made) == 2, tmp_path / f"log{len(made)}"))
        return made[-1]

    started(make).stop()
    assert len(made) == 2
