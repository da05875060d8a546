"""A source that vanishes, grows, changes or breaks off while it is read."""

import bz2
import gzip
import json
import lzma
import os
import shutil
import zlib
from collections.abc import Callable
from importlib import import_module

import pytest

from tests.faults.conftest import Report
from tests.faults.scene import Scene, lines


def zstandard(data: bytes) -> bytes:
    try:
        compressed: bytes = import_module("compression.zstd").compress(data)
    except ImportError:
        compressed = import_module("backports.zstd").compress(data)
    return compressed


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard,
    "zlib": zlib.compress,
    "gz": lambda data: gzip.compress(data, mtime=0),
}


@pytest.mark.fault("A file vanishes before it is read")
def test_vanishes_before_it_is_read(scene: Scene, report: Report) -> None:
    scene.deed(50, "move away", scene.part(1))

    told = scene.run()

    assert told.code == 4
    report(told, "stops at the file; what was read before it is committed", "put it back as it was, `--resume`")
    shutil.move(scene.source / "part-1.jl.gz.away", scene.source / "part-1.jl.gz")
    scene.go_on()


@pytest.mark.fault("A file vanishes while it is read")
def test_vanishes_while_it_is_read(scene: Scene, report: Report) -> None:
    scene.deed(150, "move away", scene.part(1))

    told = scene.run()

    assert told.code == 4
    report(told, "stops at the end of the file; no checkpoint is taken after it", "put it back as it was, `--resume`")
    shutil.move(scene.source / "part-1.jl.gz.away", scene.source / "part-1.jl.gz")
    scene.go_on()


@pytest.mark.fault("A file grows while it is read")
@pytest.mark.parametrize("suffix", [".jl", ".jl.gz"])
def test_grows(suffix: str, scene: Scene, report: Report) -> None:
    """Whether it is compressed or not: what is added to an archive is not taken for damage."""
    if suffix == ".jl":
        scene.write_part(1, lines(1), suffix)
    scene.changes["checkpoint"] = {"every_records": 20}
    scene.deed(150, "append", scene.part(1), '{"id":"more"}\n')

    told = scene.run()

    assert told.code == 4
    assert told.error.endswith(f"part-1{suffix} has changed since the run began")
    assert scene.found().total() == 0
    report(told, "stops; nothing of that reading is published", said="in/part-1.jl… has changed since the run began")
    scene.write_part(1, lines(1) + b'{"id":"more"}\n', ".jl")
    refused = scene.run("--resume")
    assert refused.code == 4
    assert "in the middle of it" in refused.err or "has changed" in refused.err
    scene.go_on("--fresh", more=["more"])


@pytest.mark.fault("A file is written anew while it is read")
def test_changes(scene: Scene, report: Report) -> None:
    scene.write_part(1, lines(1), ".jl")
    scene.changes["checkpoint"] = {"every_records": 20}
    scene.deed(150, "write", scene.part(1), '{"id":"another"}\n')

    told = scene.run()

    assert told.code == 4
    report(told, "stops; nothing of that reading is published")
    scene.go_on("--fresh", parts=[0, 2], more=["another"])


@pytest.mark.fault("A file that was not read yet changes between a run and its resume")
def test_changes_before_it_is_read(scene: Scene, report: Report) -> None:
    scene.deed(50, "move away", scene.part(1))
    assert scene.run().code == 4
    scene.write_part(1, lines(1) + b'{"id":"more"}\n', ".jl")
    (scene.source / "part-1.jl").rename(scene.source / "part-1.jl.gz")

    told = scene.run("--resume")

    assert told.code == 4
    report(told, "says which part has changed", "`--resume --accept-changes`, or put it back")
    scene.go_on("--resume", "--accept-changes", more=["more"])


@pytest.mark.fault("An archive in the middle of a source is cut off (gz, bz2, xz, zst, zlib)")
def test_truncated_archives(scene: Scene, report: Report) -> None:
    for codec, compress in COMPRESS.items():
        whole = compress(lines(1))
        path = scene.write_part(1, whole[: len(whole) // 2], f".jl.{codec}")

        told = scene.run("--fresh")

        assert told.code == 4
        assert told.error.endswith(f"part-1.jl.{codec} ends at byte {len(whole) // 2}, in the middle of its {codec} data")
        scene.expect_nothing_twice()
        path.write_bytes(whole)
        refused = scene.run("--resume")
        assert refused.code == 4, "a part that was begun has changed"
        scene.go_on("--resume", "--accept-changes") if "None of it was read yet" in refused.err else scene.go_on("--fresh")
        shutil.rmtree(scene.out)
    outcome = "stops there; what came before it is committed, nothing is taken for its end"
    report(told, outcome, "get it again; `--resume --accept-changes`, or `--fresh` where the run stands in the midst of it")


@pytest.mark.fault("An archive in the middle of a source is corrupt (gz, bz2, xz, zst, zlib)")
def test_corrupt_archives(scene: Scene, report: Report) -> None:
    for codec, compress in COMPRESS.items():
        whole = compress(lines(1))
        damaged = bytearray(whole)
        damaged[len(whole) // 2 : len(whole) // 2 + 20] = bytes(20)
        path = scene.write_part(1, bytes(damaged), f".jl.{codec}")

        told = scene.run("--fresh")

        assert told.code == 4
        assert f"part-1.jl.{codec} holds {codec} data that can't be decompressed" in told.error
        scene.expect_nothing_twice()
        path.write_bytes(whole)
        refused = scene.run("--resume")
        assert refused.code == 4
        scene.go_on("--resume", "--accept-changes") if "None of it was read yet" in refused.err else scene.go_on("--fresh")
        shutil.rmtree(scene.out)
    outcome = "stops there; what came before it is committed"
    said = "in/part-1.jl.gz holds gz data that can't be decompressed, before byte …: …"
    report(told, outcome, "get it again; `--resume --accept-changes`, or `--fresh` where the run stands in the midst of it", said=said)


@pytest.mark.fault("An archive in the middle of a source whose first bytes are damaged (gz, bz2, xz, zst), under `errors: skip`")
def test_archives_that_begin_with_damage(scene: Scene, report: Report) -> None:
    """Nothing tells it from text but its name: read as lines, its records would be gone, and a few bad lines in their place."""
    scene.changes["errors"] = {"policy": "skip"}
    for codec in ("bz2", "xz", "zst", "gz"):
        whole = COMPRESS[codec](lines(1))
        path = scene.write_part(1, b"\0" + whole[1:], f".jl.{codec}")

        told = scene.run("--fresh")

        assert told.code == 4
        assert f"part-1.jl.{codec} is named as {codec} data, and begins with" in told.error
        scene.expect_nothing_twice()
        path.write_bytes(whole)
        scene.go_on("--resume", "--accept-changes")
        shutil.rmtree(scene.out)
    said = "in/part-1.jl.gz is named as gz data, and begins with …, which is neither that nor text"
    report(told, "stops there; what came before it is committed", "get it again; `--resume --accept-changes`", said=said)


@pytest.mark.fault("A file that has an archive's name and no bytes")
def test_no_bytes(scene: Scene, report: Report) -> None:
    scene.write_part(1, b"")

    told = scene.run()

    assert told.code == 0
    assert "part-1.jl.gz has no bytes, not even those of an empty archive, and counts as a file without records" in told.err
    scene.expect([0, 2])
    report(
        told,
        "goes on, with a warning",
        "none needed; where it was to hold something, get it again",
        said="in/part-1.jl.gz has no bytes, not even those of an empty archive, and counts as a file without records",
    )


def test_an_archive_of_nothing_is_not_told(scene: Scene) -> None:
    scene.write_part(1, gzip.compress(b""))

    told = scene.run()

    assert (told.code, told.err) == (0, "")
    scene.expect([0, 2])


@pytest.mark.fault("A source that is a pipe")
def test_pipe_as_source(scene: Scene, report: Report) -> None:
    pipe = scene.folder / "pipe"
    os.mkfifo(pipe)
    scene.changes["reader"] = {"name": "fs", "options": {"input": str(pipe)}}

    told = scene.run()

    assert told.code == 4
    report(told, "refused: what is read from it can't be read again")


@pytest.mark.fault("A config that is a pipe")
def test_pipe_as_config(scene: Scene, report: Report) -> None:
    os.mkfifo(scene.folder / "config")

    told = scene.ozzy("run", "config")

    assert told.code == 2
    report(told, "refused, without waiting for it")


@pytest.mark.fault("A record that can't be read, in the middle of a file")
def test_bad_record(scene: Scene, report: Report) -> None:
    broken = lines(1).splitlines(keepends=True)
    broken[60] = b'{"id": "1-60", "note\n'
    scene.write_part(1, b"".join(broken), ".jl")

    told = scene.run()

    assert told.code == 5
    scene.expect_nothing_twice()
    report(told, "stops before it; nothing after it is read")
    scene.changes["errors"] = {"policy": "skip"}
    assert scene.run("--resume").code == 0
    assert scene.found().total() == 299
    counts = json.loads(scene.ozzy("runs", "show", "--json", scene.state_file("run.json").parent.name).out)["counts"]
    assert counts["reader"]["reasons"] == {"bad": 1}
