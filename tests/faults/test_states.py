"""State that is cut, garbled or gone: it is told, and never taken for nothing."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Report
from tests.faults.scene import Scene, Told


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def garble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


WAYS: dict[str, Callable[[Path], None]] = {"cut": cut, "garbled": garble, "empty": empty}
way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def killed(scene: Scene) -> Scene:
    """A run that was killed at record 150: it has published once, its newest checkpoint is light."""
    scene.deed(150, "wait", scene.folder / "here")
    process = scene.start()
    scene.wait_for(scene.folder / "here")
    process.kill()
    assert scene.ended(process).code == -signal.SIGKILL
    return scene


def run_id(scene: Scene) -> str:
    return scene.state_file("run.json").parent.name


def refused(scene: Scene) -> Told:
    """What a resume says; nothing is changed by it."""
    before = scene.files()
    told = scene.run("--resume")
    assert told.code == 7
    assert scene.files() == before
    return told


@pytest.mark.fault("The newest checkpoint is cut, garbled or empty")
@way
def test_checkpoint(way: str, killed: Scene, report: Report) -> None:
    WAYS[way](killed.state_file("checkpoint.json"))

    told = refused(killed)

    way_on = "`ozzy state rewind RUN --to previous` where nothing was published since (it looks), then `--resume`"
    report(told, "refuses to go on; nothing is touched", way_on)
    assert killed.ozzy("state", "check").code == 7
    assert killed.ozzy("state", "rewind", run_id(killed), "--to", "previous", "--yes").code == 0
    killed.go_on()


@pytest.mark.fault("The newest checkpoint and the one before are cut, garbled or empty")
@way
def test_both_generations(way: str, killed: Scene, report: Report) -> None:
    for name in ("checkpoint.json", "checkpoint.1.json"):
        WAYS[way](killed.state_file(name))

    told = refused(killed)

    back = killed.ozzy("state", "rewind", run_id(killed), "--to", "previous", "--yes")
    assert back.code == 7
    report(told, "refuses to go on, and to go back", "a backup of the state; or take away what is published, and `--fresh`")
    shutil.rmtree(killed.out)
    killed.go_on("--fresh")


@pytest.mark.fault("The newest checkpoint is gone")
def test_checkpoint_is_gone(killed: Scene, report: Report) -> None:
    killed.state_file("checkpoint.json").unlink()

    told = refused(killed)

    report(told, "refuses: a state file that is gone is no beginning", "`ozzy state rewind RUN --to previous`, then `--resume`")
    assert killed.ozzy("state", "rewind", run_id(killed), "--to", "previous", "--yes").code == 0
    killed.go_on()


@pytest.mark.fault("The record of the run is cut, garbled or empty")
@way
def test_record(way: str, killed: Scene, report: Report) -> None:
    path = killed.state_file("run.json")
    kept = path.read_bytes()
    WAYS[way](path)

    told = refused(killed)

    assert killed.run().code == 7
    report(told, "refuses to go on, and to begin anew unasked", "a backup of the state; or take away what is published, and `--fresh`")
    path.write_bytes(kept)
    killed.go_on()


@pytest.mark.fault("The list of the parts of the source is cut, garbled or empty")
@way
def test_splits(way: str, killed: Scene, report: Report) -> None:
    path = killed.state_file("splits.jsonl")
    kept = path.read_bytes()
    WAYS[way](path)

    told = refused(killed)

    report(told, "refuses to go on", "a backup of the state; or take away what is published, and `--fresh`")
    path.write_bytes(kept)
    killed.go_on()


@pytest.mark.fault("The note of the lease is cut, garbled or empty")
@way
def test_lease(way: str, killed: Scene, report: Report) -> None:
    (note,) = killed.folder.glob(".ozzy/*/lease.json")
    WAYS[way](note)

    told = killed.run("--resume")

    assert told.code == 0
    killed.expect()
    report(told, "nothing: the lock decides, and the next epoch is above every counted one", "none needed")


@pytest.mark.fault("The rows that wait beside staged files are cut, garbled or gone")
@pytest.mark.parametrize("way", ["cut", "garbled", "gone"])
def test_tails(way: str, killed: Scene, report: Report) -> None:
    for path in killed.out.glob(".ozzy-*/*/tails-*"):
        {**WAYS, "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]), "gone": Path.unlink}[way](path)

    told = killed.run("--resume")

    assert told.code == 0
    killed.expect()
    report(told, "goes back to the last full checkpoint and reads again what came after", "`--resume`")


@pytest.mark.fault("A staged file is cut off")
def test_staged_file(scene: Scene, report: Report) -> None:
    scene.deed(210, "wait", scene.folder / "here")
    process = scene.start()
    scene.wait_for(scene.folder / "here")
    process.kill()
    scene.ended(process)
    (path, *_) = [path for path in scene.out.glob(".ozzy-*/*/*.part") if path.stat().st_size]
    path.write_bytes(path.read_bytes()[:-1])

    told = scene.run("--resume")

    assert told.code == 0
    scene.expect()
    report(told, "goes back to the last full checkpoint and reads again what came after", "`--resume`")


@pytest.mark.fault("The state folder is deleted, all of it")
def test_state_is_gone(killed: Scene, report: Report) -> None:
    shutil.rmtree(killed.folder / ".ozzy")

    told = killed.run()

    assert told.code == 6
    killed.expect_nothing_twice()
    outcome = "a new run, since nothing is known of the old one: it stops at the files that one published"
    report(told, outcome, "take away what is published, and run again")
    assert killed.run("--resume").code == 6
    shutil.rmtree(killed.out)
    killed.go_on("--fresh")


@pytest.mark.fault("A process that shares nothing with the run deletes its lock")
def test_lock_is_gone(killed: Scene, report: Report) -> None:
    (lock,) = killed.folder.glob(".ozzy/*/lease.lock")
    lock.unlink()

    told = killed.run("--resume")

    assert told.code == 0
    killed.expect()
    report(told, "it is made again; the epoch keeps two runs apart", "`--resume`")
