"""A run that is ended, disturbed or moved to another time: it is gone on with, and all records come once."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ozzy.staging.state_files import read_json, write_json
from tests.faults.conftest import Report
from tests.faults.scene import Scene, limit, lines

CLOCK = Path(__file__).parent / "clock"


def in_the_middle(scene: Scene) -> "subprocess.Popen[str]":
    """A run that has come to record 150 and waits there: it has published once and has light checkpoints since."""
    scene.deed(150, "wait", scene.folder / "here")
    process = scene.start()
    scene.wait_for(scene.folder / "here")
    return process


def signalled(scene: Scene, number: signal.Signals, *, twice: bool) -> "subprocess.Popen[str]":
    if twice:
        process = in_the_middle(scene)
    else:
        scene.deed(150, "wait for", scene.folder / "here", scene.folder / "go")
        process = scene.start()
        scene.wait_for(scene.folder / "here")
    process.send_signal(number)
    assert process.stderr is not None
    while "stopping after this batch" not in process.stderr.readline():
        assert process.poll() is None
    if twice:
        process.send_signal(number)
    else:
        (scene.folder / "go").touch()
    return process


@pytest.mark.fault("kill -9, the machine's end, or lack of memory for all (every step: `tests/crash`)")
def test_kill_9(scene: Scene, report: Report) -> None:
    process = in_the_middle(scene)
    process.kill()
    assert scene.ended(process).code == -signal.SIGKILL
    scene.expect_nothing_twice()

    told = scene.run()

    assert told.code == 7
    report(told, "nothing half made is visible; the next plain run refuses", "`--resume`, `--resume-auto` or `--fresh`")
    scene.go_on()


@pytest.mark.fault("Ctrl-C once")
def test_ctrl_c_once(scene: Scene, report: Report) -> None:
    told = scene.ended(signalled(scene, signal.SIGINT, twice=False))

    assert told.code == 130
    assert read_json(scene.state_file("run.json"))["state"] == "interrupted"
    report(told, "finishes the batch, takes a light checkpoint, stops", "`ozzy resume RUN`")
    scene.go_on()


@pytest.mark.fault("Ctrl-C twice")
def test_ctrl_c_twice(scene: Scene, report: Report) -> None:
    told = scene.ended(signalled(scene, signal.SIGINT, twice=True))

    assert told.code == 130
    assert "stopped at once" in told.err
    report(told, "ends at once, as if killed", "`ozzy resume RUN`", said="stopped at once")
    scene.go_on()


@pytest.mark.fault("SIGTERM once")
def test_sigterm_once(scene: Scene, report: Report) -> None:
    told = scene.ended(signalled(scene, signal.SIGTERM, twice=False))

    assert told.code == 143
    report(told, "finishes the batch, takes a light checkpoint, stops", "`ozzy resume RUN`")
    scene.go_on()


@pytest.mark.fault("SIGTERM twice")
def test_sigterm_twice(scene: Scene, report: Report) -> None:
    told = scene.ended(signalled(scene, signal.SIGTERM, twice=True))

    assert told.code == 143
    assert "stopped at once" in told.err
    report(told, "ends at once, as if killed", "`ozzy resume RUN`", said="stopped at once")
    scene.go_on()


@pytest.mark.fault("Two runs of one pipeline at once")
def test_two_at_once(scene: Scene, report: Report) -> None:
    scene.deed(150, "wait for", scene.folder / "here", scene.folder / "go")
    first = scene.start()
    scene.wait_for(scene.folder / "here")

    told = scene.run()

    assert told.code == 7
    report(told, "the second one stops before it reads anything; the first is not disturbed")
    (scene.folder / "go").touch()
    assert scene.ended(first).code == 0
    scene.expect()


@pytest.mark.fault("A lease whose owner is gone: its process was killed, or was on another machine")
@pytest.mark.parametrize("owner", [{}, {"host": "another-machine", "pid": 1}], ids=["killed", "elsewhere"])
def test_owner_is_gone(owner: dict[str, object], scene: Scene, report: Report) -> None:
    process = in_the_middle(scene)
    process.kill()
    scene.ended(process)
    (note,) = scene.folder.glob(".ozzy/*/lease.json")
    before = read_json(note)
    write_json(note, before | owner)

    told = scene.run("--resume")

    assert told.code == 0
    assert read_json(note)["epoch"] > before["epoch"]
    scene.expect()
    report(told, "the lock went with its owner; the resumed run takes the lease with a higher epoch", "`--resume`")


@pytest.mark.fault("A run that hangs, and whose lease another process takes meanwhile")
def test_taken_over(scene: Scene, report: Report) -> None:
    scene.deed(150, "wait for", scene.folder / "here", scene.folder / "go")
    process = scene.start()
    scene.wait_for(scene.folder / "here")
    (note,) = scene.folder.glob(".ozzy/*/lease.json")
    write_json(note, read_json(note) | {"epoch": read_json(note)["epoch"] + 1, "run": "another"})
    (scene.folder / "go").touch()

    told = scene.ended(process)

    assert told.code == 7
    report(told, "it stops before its next checkpoint: nothing more of it is saved or published", "whoever has the lease goes on")
    scene.go_on()


def clock(way: str) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(CLOCK), *map(str, [Path(__file__).parents[2]])]), "TEST_CLOCK": way}


@pytest.mark.fault("The clock jumps back and forth by hours, at each look")
def test_clock_jumps_within_a_run(scene: Scene, report: Report) -> None:
    calm = Scene(scene.folder / "calm") if (scene.folder / "calm").mkdir() is None else scene
    assert calm.run().code == 0

    told = scene.run(env=clock("to and fro"))

    assert told.code == 0
    scene.expect()
    assert scene.files() == calm.files()
    report(told, "nothing: what a file holds is decided by rows and bytes, durations by a clock that never jumps", "none needed")


@pytest.mark.fault("The clock is set back, or forward, between a run and its resume")
@pytest.mark.parametrize("days", ["-300", "300"])
def test_clock_is_set_between_runs(days: str, scene: Scene, report: Report) -> None:
    process = in_the_middle(scene)
    process.kill()
    scene.ended(process)

    assert scene.run(env=clock(days)).code == 7
    told = scene.run("--resume", env=clock(days))

    assert told.code == 0
    scene.expect()
    report(told, "nothing: runs are told apart by epochs, and names keep the start of the run", "none needed")


def test_the_run_before_is_told_by_its_epoch_not_by_its_date(scene: Scene) -> None:
    """A run finishes, the clock is set back, the next one is killed: it is the last one, though its date is older."""
    scene.changes["reader"] = {"name": "fs", "options": {"input": str(scene.part(0))}}
    assert scene.run().code == 0
    before = scene.files()
    scene.changes.pop("reader")
    scene.changes["writer"] = {"name": "fs", "options": {"filebase": f"{scene.out}/again/part"}}
    scene.deed(150, "wait", scene.folder / "here")
    process = scene.start(env=clock("-300"))
    scene.wait_for(scene.folder / "here")
    process.kill()
    scene.ended(process)

    assert scene.run().code == 7, "a killed run that is older by its date was overlooked"
    assert scene.run("--resume").code == 0

    again = {name: content for name, content in scene.files().items() if name.startswith("again/")}
    assert again
    assert {name: content for name, content in scene.files().items() if name not in again} == before


def test_the_clock_of_these_tests_does_move(scene: Scene) -> None:
    scene.run(env=clock("-300"))

    assert scene.state_file("run.json").parent.name < time.strftime("%Y%m%d", time.gmtime(time.time() - 200 * 86400))


@pytest.mark.fault("The config is edited in the middle: the formatter, while files are staged in the former format")
def test_config_is_edited(scene: Scene, report: Report) -> None:
    process = in_the_middle(scene)
    process.kill()
    scene.ended(process)
    scene.changes["formatter"] = {"name": "json", "options": {"jsonlines": False}}

    told = scene.run("--resume")

    assert told.code == 7
    assert "formatter.options.jsonlines: was True, is False" in told.hint
    del scene.changes["formatter"]
    report(told, "it says value by value what differs, and goes on only where that is safe", "put it back and `--resume`, or `--fresh`")
    scene.go_on()


@pytest.mark.fault("No file can be opened any more")
def test_no_descriptors(scene: Scene, report: Report) -> None:
    scene.deed(150, "use up descriptors")

    told = scene.run(before=limit("RLIMIT_NOFILE", 64))

    assert told.code == 6
    assert "Too many open files" in told.error
    report(told, "stops; what was committed stays")
    scene.go_on()


@pytest.mark.fault("A record that does not fit into memory")
def test_no_memory(scene: Scene, report: Report) -> None:
    """The process may have 400 MB, and one record has 200 MB."""
    huge = b'{"id":"huge","note":"' + b"x" * 200_000_000 + b'"}\n'
    scene.write_part(1, lines(1) + huge, ".jl")

    told = scene.run(before=limit("RLIMIT_AS", 400_000_000))

    assert told.code == 4
    scene.expect_nothing_twice()
    report(told, "stops; what was committed stays")
    scene.go_on(more=["huge"])


@pytest.mark.fault("A destination that takes nothing and does not end: standard output that nobody reads")
def test_blocked_destination(scene: Scene, report: Report) -> None:
    scene.changes["writer"] = "console"
    scene.changes["checkpoint"] = {"every_records": 20}
    big = [json.dumps({"id": f"0-{row}", "note": "x" * 2000}) for row in range(100)]
    scene.write_part(0, "\n".join(big).encode(), ".jl")
    reading, writing = os.pipe()
    process = scene.start(stdout=writing)
    os.close(writing)
    scene.wait_for(scene.folder / ".ozzy")
    time.sleep(0.7)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    process.stderr.readline()
    assert "stopping after this batch" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)

    told = scene.ended(process)

    os.close(reading)
    assert told.code == 143
    scene.changes["writer"] = "console"
    again = scene.run("--resume")
    assert again.code == 0
    last = json.loads(again.out.splitlines()[-1])
    assert last["id"] == "2-99"
    outcome = "waits, in bounded memory; the first signal can't end the batch, the second ends at once. `console` is at least once"
    report(told, outcome, "`ozzy resume RUN`", said="stopped at once")
