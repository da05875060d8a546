"""How many workers the engine `local` would use, and how it is told otherwise."""

import threading
from pathlib import Path
from typing import Any

import pytest

from ozzy import ConfigError, PluginError, SourceError
from ozzy.builtin.engines import local
from ozzy.builtin.engines.local import LocalEngine, cores
from ozzy.builtin.engines.worker import as_it_can_be_sent


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A machine with so many cores, and a quota where one is given."""

    def made(known: int, quota: str | None = None) -> None:
        monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(known)), raising=False)
        monkeypatch.setattr(local, "QUOTA", tmp_path / "cpu.max")
        if quota is not None:
            (tmp_path / "cpu.max").write_text(quota)

    return made


@pytest.mark.parametrize(
    ("known", "quota", "found"),
    [
        (4, None, 4),
        (4, "max 100000\n", 4),
        (64, "200000 100000\n", 2),
        (64, "150000 100000\n", 2),
        (64, "10000 100000\n", 1),
        (2, "800000 100000\n", 2),
        (4, "garbage\n", 4),
    ],
)
def test_cores_are_those_that_may_be_used(machine: Any, known: int, quota: str | None, found: int) -> None:
    machine(known, quota)
    assert cores() == found


def test_unasked_there_are_eight_at_the_most(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "can_fork", lambda: True)
    machine(64)
    assert LocalEngine().usable() == 8
    machine(3)
    assert LocalEngine().usable() == 3


def test_a_process_with_threads_is_not_forked() -> None:
    ready = threading.Event()
    thread = threading.Thread(target=ready.wait)
    thread.start()
    try:
        assert not local.can_fork()
        assert LocalEngine().usable() == 1
    finally:
        ready.set()
        thread.join()


def test_how_many_are_asked_for() -> None:
    assert LocalEngine().workers() is None
    assert LocalEngine({"options": {"workers": 3}}).workers() == 3
    with pytest.raises(ConfigError):
        LocalEngine({"options": {"workers": 0}})


def test_an_error_is_sent_as_it_is_or_as_text() -> None:
    class Own(SourceError):
        pass

    error = SourceError("a.jl is gone", hint="Bring it back.")
    assert as_it_can_be_sent(error) is error
    assert str(as_it_can_be_sent(KeyError("x"))) == "a worker failed: KeyError: 'x'"
    told = as_it_can_be_sent(Own("no class of that name elsewhere"))
    assert (type(told), str(told)) == (PluginError, "a worker failed: Own: no class of that name elsewhere")
