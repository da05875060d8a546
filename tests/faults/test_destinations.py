"""A destination that is full, can't be written, or is taken away."""

import shutil
from pathlib import Path

import pytest

from tests.faults.conftest import Report
from tests.faults.disk import small_disk
from tests.faults.scene import ROWS, Scene, limit, lines


def plain_files(scene: Scene) -> None:
    """Files that are not compressed, so that they need room."""
    scene.changes["writer"] = {"name": "fs", "options": {"filebase": f"{scene.out}/part", "compression": "none"}}


@pytest.mark.fault("The disk of the destination is full (a small tmpfs)")
def test_full_disk(scene: Scene, report: Report) -> None:
    plain_files(scene)
    with small_disk(scene.out, "24k") as disk:
        scene.prefix = disk.prefix
        told = scene.run()
        assert told.code == 6
        report(told, "stops at a write; what was committed stays, published files are whole")

        disk.remount("size=10m")

        assert scene.run("--resume").code == 0
        shutil.copytree(disk.seen, scene.folder / "copy")
    scene.out.rmdir()
    (scene.folder / "copy").rename(scene.out)
    scene.expect()


@pytest.mark.fault("A file may not grow any more (a limit on the size of files)")
def test_size_limit(scene: Scene, report: Report) -> None:
    plain_files(scene)

    told = scene.run(before=limit("RLIMIT_FSIZE", 6_000))

    assert told.code == 6
    scene.expect_nothing_twice()
    report(told, "stops at a write; what was committed stays, published files are whole")
    scene.go_on()


@pytest.mark.fault("The disk of the state is full (a small tmpfs)")
def test_full_state(scene: Scene, report: Report) -> None:
    """It is full before a run begins; with a little room, the run comes as far as that."""
    with small_disk(scene.folder / "disk", "12k") as disk:
        scene.prefix = disk.prefix
        told = scene.run("--state-dir", "disk/state")
        assert told.code == 7
        assert "No space left on device" in told.error
        scene.expect_nothing_twice()
        said = "can't write the state in …: No space left on device"
        report(told, "stops before it publishes what it can't write down", said=said)

        disk.remount("size=10m")

        scene.go_on("--resume-auto", "--state-dir", "disk/state")


@pytest.mark.fault("The folder of the destination may not be written (mounted read-only)")
def test_read_only_destination(scene: Scene, report: Report) -> None:
    scene.changes["writer"] = {"name": "fs", "options": {"filebase": "disk/out/part"}}
    with small_disk(scene.folder / "disk", "10m") as disk:
        scene.prefix = disk.prefix
        disk.remount("ro")
        told = scene.run()
        assert told.code == 6
        report(told, "stops at its first write")

        disk.remount("rw")

        assert scene.run("--resume").code == 0
        shutil.copytree(disk.seen / "out", scene.out)
    scene.expect()


@pytest.mark.fault("The folder of the destination becomes read-only in the middle")
def test_destination_becomes_read_only(scene: Scene, report: Report) -> None:
    scene.changes["writer"] = {"name": "fs", "options": {"filebase": "disk/out/part", "items_per_buffer_write": 40}}
    scene.deed(150, "wait for", scene.folder / "here", scene.folder / "go")
    with small_disk(scene.folder / "disk", "10m") as disk:
        scene.prefix = disk.prefix
        process = scene.start()
        scene.wait_for(scene.folder / "here")
        disk.remount("ro")
        (scene.folder / "go").touch()
        told = scene.ended(process)
        assert told.code == 6
        report(told, "stops at a write; what was committed stays")

        disk.remount("rw")

        assert scene.run("--resume").code == 0
        shutil.copytree(disk.seen / "out", scene.out)
    scene.expect()


@pytest.mark.fault("The folder of the state may not be written (mounted read-only)")
def test_read_only_state(scene: Scene, report: Report) -> None:
    with small_disk(scene.folder / "disk", "10m") as disk:
        scene.prefix = disk.prefix
        disk.remount("ro")
        told = scene.run("--state-dir", "disk/state")
        assert told.code == 7
        assert scene.files() == {}
        report(told, "refuses to begin")


@pytest.mark.fault("The staging folder is deleted in the middle")
@pytest.mark.parametrize("full_every", [None, {"records": 120}], ids=["nothing published", "some published"])
def test_staging_is_deleted(full_every: dict[str, int] | None, scene: Scene, report: Report) -> None:
    scene.changes["checkpoint"] = {"every_records": 20} | ({"full_every": full_every} if full_every else {})
    scene.deed(170, "delete folder", scene.out / ".ozzy-*")

    told = scene.run()

    assert told.code == 6
    scene.expect_nothing_twice()
    said = "out/part….jl.gz is not there, and its staged copy is gone"
    assert "is not there, and its staged copy is gone" in told.error
    report(told, "stops when it publishes; the resume goes back as far as it takes", "`--resume`", said=said)
    scene.go_on()


@pytest.mark.fault("The staged file that a run writes to is deleted in the middle")
def test_staged_file_is_deleted(scene: Scene, report: Report) -> None:
    """What is written after that must not be taken for the whole file."""
    scene.write_part(1, lines(1, 10_000), ".jl")
    scene.changes["checkpoint"] = {"every_records": 2_000}
    scene.changes["writer"] = {"name": "fs", "options": {"filebase": f"{scene.out}/{{source}}", "compression": "none"}}
    scene.deed(5_000, "delete", scene.out / ".ozzy-*" / "writer" / "000001.part")

    told = scene.run()

    assert told.code == 6
    assert scene.files() == {}
    report(told, "stops at its next write to it; the resume goes back as far as it takes", "`--resume`")
    assert scene.run("--resume").code == 0
    assert sum(scene.found().values()) == 2 * ROWS + 10_000
    scene.expect_nothing_twice()


@pytest.mark.fault("A folder below the one that the filebase names is on another disk")
def test_another_disk_below(scene: Scene, report: Report) -> None:
    scene.changes["grouper"] = {"name": "python_exp", "options": {"python_expressions": ["item['id'][0]"]}}
    scene.changes["writer"] = {"name": "fs", "options": {"filebase": f"{scene.out}/{{groups[0]}}/part"}}
    scene.out.mkdir()
    with small_disk(scene.out / "1", "10m") as disk:
        scene.prefix = disk.prefix
        told = scene.run()
        assert told.code == 6
        report(told, "stops when it publishes; what is staged stays")
    scene.prefix = ()
    scene.go_on()


@pytest.mark.fault("The destination's folder is deleted in the middle, before anything is published")
def test_destination_is_deleted(scene: Scene, report: Report) -> None:
    scene.changes["checkpoint"] = {"every_records": 20}
    scene.deed(170, "delete folder", scene.out)

    told = scene.run()

    assert told.code == 6
    report(told, "stops when it publishes; the resume starts over", "`--resume`")
    scene.go_on()


@pytest.mark.fault("Files that the run has published are deleted while it goes on")
def test_published_files_are_deleted(scene: Scene, report: Report) -> None:
    options = {"filebase": f"{scene.out}/part", "items_per_buffer_write": 40, "manifest": "manifest.json"}
    scene.changes["writer"] = {"name": "fs", "options": options}
    scene.deed(170, "wait for", scene.folder / "here", scene.folder / "go")
    process = scene.start()
    scene.wait_for(scene.folder / "here")
    for path in scene.out.glob("part*"):
        path.unlink()
    (scene.folder / "go").touch()
    assert scene.ended(process).code == 0

    told = scene.ozzy("verify", "out/manifest.json")

    assert told.code == 6
    assert "part0000.jl.gz: is missing" in told.out
    outcome = "ends well: what is published is its owner's, who may take it away. `ozzy verify` tells what is missing"
    report(told, outcome, "`ozzy run --fresh`, or what took them", said=told.out.splitlines()[0])


@pytest.mark.fault("Somebody takes the name of a file while the run makes it")
def test_name_is_taken(scene: Scene, report: Report) -> None:
    scene.changes["checkpoint"] = {"every_records": 20}
    scene.out.mkdir()
    scene.deed(170, "write", scene.out / "part0000.jl.gz", "not yours")

    told = scene.run()

    assert told.code == 6
    assert (scene.out / "part0000.jl.gz").read_text() == "not yours"
    report(told, "stops when it publishes; the other file stays as it is", "move the other file away, `--resume`")
    (scene.out / "part0000.jl.gz").unlink()
    scene.go_on()


@pytest.mark.fault("Standard output has no room (`ozzy validate CONFIG > /dev/full`)")
def test_full_standard_output(scene: Scene, report: Report) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    scene.prefix = ("sh", "-c", 'exec "$@" > /dev/full', "sh")

    told = scene.ozzy("validate", scene.write_config())

    assert told.code == 6
    report(told, "says so")
