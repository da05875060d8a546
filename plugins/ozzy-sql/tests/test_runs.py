"""Whole runs as a user starts them: killed and resumed by their URI, two at once, through restarts, and without a trace of the password."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.servers.database import PASSWORD

pytestmark = pytest.mark.slow

RECORDS = 6000
FORMS = (PASSWORD, quote(PASSWORD, safe=""), json.dumps(PASSWORD)[1:-1], "s3cret")


@pytest.fixture(params=["postgresql", "mysql", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, new_store: Callable[..., Any]) -> Any:
    """Each of the three."""
    return new_store(request.param, tmp_path)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of a run that nothing happened to."""
    folder = tmp_path_factory.mktemp("calm")
    ended = ozzy("run", config(folder, None))
    assert ended.returncode == 0, ended.stderr
    return files(folder)


def config(folder: Path, persistence: dict[str, Any] | None, **more: Any) -> Path:
    """A config in a folder of its own that takes some seconds, since it has many checkpoints."""
    folder.mkdir(exist_ok=True)
    rows = [json.dumps({"id": number, "country": "esukde"[number % 3 * 2 :][:2], "text": "ñ" * (number % 50)}) for number in range(RECORDS)]
    (folder / "in.jl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    whole = {
        "name": "orders",
        "reader": {"name": "fs", "options": {"input": "in.jl", "batch_size": 20}},
        "grouper": {"name": "file_key", "options": {"keys": ["country"]}},
        "writer": {"name": "fs", "options": {"filebase": "out/{groups[0]}/part", "compression": "gz"}},
        "checkpoint": {"every_records": 20, "full_every": {"records": 1500}},
        **({"persistence": persistence} if persistence is not None else {}),
        **more,
    }
    path = folder / "orders.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def command(*arguments: Any) -> list[str]:
    return [sys.executable, "-m", "ozzy", *map(str, arguments)]


def ozzy(*arguments: Any, environment: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    folder = arguments[1].parent if isinstance(arguments[1], Path) else Path("/")
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, cwd=folder, env=os.environ | (environment or {}), check=False
    )


@contextlib.contextmanager
def running(path: Path, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """A run in the background; killed at the end where it is still there."""
    child = subprocess.Popen(
        command("run", path, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=path.parent, stdin=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def until(happened: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
    return found


def in_the_main_job(store: Any, number: int = 1) -> Callable[[], Any]:
    """Whether a run has published something and goes on."""
    return lambda: [run for run, position, *_ in store.jobs() if position and json.loads(position)["number"] >= number]


def files(folder: Path) -> dict[str, str]:
    out = folder / "out"
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.rglob("*")) if path.is_file()
    }


def test_killed_in_the_main_job_and_gone_on_with_by_its_uri(store, tmp_path, expected):
    path = config(tmp_path / "killed", store.section())
    with running(path) as child:
        (run,) = until(in_the_main_job(store))
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert files(path.parent) != expected

    ended = ozzy("resume", store.uri(run), environment=store.environment)

    assert ended.returncode == 0, ended.stderr
    assert files(path.parent) == expected
    assert [(name, bool(finished)) for name, _, finished, _ in store.jobs()] == [(run, True)]
    again = ozzy("resume", store.uri(run), environment=store.environment)
    assert (again.returncode, files(path.parent)) == (0, expected)


def test_a_uri_may_bring_the_password(store, tmp_path, expected):
    """And it is in nothing that is printed."""
    path = config(tmp_path / "killed", store.section())
    with running(path) as child:
        (run,) = until(in_the_main_job(store))
        child.send_signal(signal.SIGKILL)
        child.wait()

    ended = ozzy("resume", store.uri(run, password=True))
    missing = ozzy("resume", store.uri("20200101-000000-abcdef", password=True))

    assert ended.returncode == 0, ended.stderr
    assert files(path.parent) == expected
    assert missing.returncode == 7
    assert "there is no run 20200101-000000-abcdef" in missing.stderr
    for form in FORMS:
        assert form not in ended.stdout + ended.stderr + missing.stdout + missing.stderr


def test_of_two_runs_at_once_one_goes_on(store, tmp_path, expected):
    path = config(
        tmp_path / "two",
        store.section(),
        reader={"name": "fs", "options": {"input": "in.jl", "batch_size": 4}},
        checkpoint={"every_records": 4, "full_every": {"records": 1500}},
    )
    with running(path) as child:
        (run,) = until(in_the_main_job(store))
        with ThreadPoolExecutor(2) as threads:
            others = threads.submit(ozzy, "run", path), threads.submit(ozzy, "resume", store.uri(run), environment=store.environment)
        second, third = (one.result() for one in others)
        _, errors = child.communicate()

    assert (second.returncode, third.returncode) == (7, 7)
    assert f"this pipeline is running already: run {run}, process {child.pid} on" in second.stderr
    assert f"this pipeline is running already: run {run}" in third.stderr
    assert child.returncode == 0, errors
    assert files(path.parent) == expected


@pytest.mark.parametrize("server", ["postgresql", "mysql"])
def test_the_database_crashes_and_comes_back_again_and_again(server, tmp_path, expected, new_store):
    """Whatever a run was doing at that moment, a commit among others: it goes on, and all is there once."""
    store = new_store(server, tmp_path)
    path = config(tmp_path / "restarts", store.section(lease_seconds=30.0))
    with running(path) as child:
        for number in (1, 2):
            until(in_the_main_job(store, number))
            store.server.restart(signal.SIGQUIT if server == "postgresql" else signal.SIGKILL, seconds=0.3)
        _, errors = child.communicate()

    assert child.returncode == 0, errors
    assert "trying again in" in errors
    assert files(path.parent) == expected
    assert len(store.jobs()) == 1


def test_a_file_that_is_locked_for_a_while_is_waited_for(tmp_path, expected, new_store):
    import sqlite3

    store = new_store("sqlite", tmp_path)
    path = config(tmp_path / "locked", store.section())
    with running(path) as child:
        until(in_the_main_job(store))
        with contextlib.closing(sqlite3.connect(store.database, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            time.sleep(1.5)
            connection.execute("ROLLBACK")
        _, errors = child.communicate()

    assert child.returncode == 0, errors
    assert files(path.parent) == expected


def test_the_password_is_nowhere(store, tmp_path):
    """Not in the log at its loudest, an error, the state, a command line, or the environment of any process."""
    path = config(tmp_path / "secret", store.section() if store.server else store.section(password=PASSWORD))
    with running(path, "--log-level", "debug") as child:
        until(in_the_main_job(store))
        processes = [Path("/proc") / str(child.pid)]
        processes += [Path("/proc") / pid for pid in children(child.pid)]
        seen = b"".join((process / name).read_bytes() for process in processes for name in ("cmdline", "environ"))
        child.send_signal(signal.SIGTERM)
        told = "".join(child.communicate())
    assert child.returncode == 143, told
    assert f"ozzy resume {store.uri('')}" in told or f"ozzy resume '{store.uri('')}" in told
    shown = ozzy("runs", "list", "--config", path).stdout + ozzy("explain", path).stdout
    left = b"".join(one.read_bytes() for one in path.parent.rglob("*") if one.is_file() and one != path)

    for form in FORMS:
        assert form not in told + shown
        assert form.encode() not in seen + left + store.everything()


def children(pid: int) -> list[str]:
    return [one for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]


def test_what_the_table_job_shows(store, tmp_path):
    path = config(tmp_path / "job", store.section())
    assert ozzy("run", path).returncode == 0
    ((run, position, finished, configuration),) = store.jobs()

    assert bool(finished)
    assert json.loads(position)["phase"] == "committed"
    assert json.loads(position)["place"]["finished"] is True
    shown = json.loads(configuration)
    assert shown["reader"]["options"]["input"] == "in.jl"
    assert "password" not in shown["persistence"]["options"]
    ((committed,),) = store.ask("SELECT last_committed FROM job")
    assert str(committed).startswith(run[:4])

    assert ozzy("runs", "clean", "--config", path).returncode == 0
    assert store.jobs() == []
