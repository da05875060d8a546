import errno
import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.builtin.writers.fs import FSWriter
from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.module import Metadata
from ozzy.contracts.writer import Outcome, WriterContext
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, DestinationError

START = datetime(2026, 3, 4, 5, 6).astimezone()
ONE, TWO, THREE = b'{"n":1}\n', b'{"n":2}\n', b'{"n":3}\n'


class Lines(BaseExportFormatter):
    file_extension = "jl"
    item_separator = ""

    def format_rows(self, batch):
        return [line + b"\n" for line in batch.lines]


class Killed(BaseException):
    """Stands for kill -9: nothing in the process handles it."""


def fs(folder: Path, *, label: str = "writer", dry_run: bool = False, grouped: bool = True, **options: Any) -> FSWriter:
    given = {"filebase": "out/{groups[0]}/x" if grouped else "out/x", "compression": "none", "items_per_buffer_write": 1, **options}
    writer = FSWriter({"options": given}, Metadata(working_folder=folder))
    writer.start(WriterContext("run-1", label, START, folder / "state", Lines(), grouped=grouped, dry_run=dry_run))
    return writer


def written(folder: Path, **more: Any) -> tuple[FSWriter, dict[str, Any]]:
    """A writer with two files in es/ and one in fr/, prepared."""
    writer = fs(folder, **more)
    writer.resume(None)
    writer.write_batch(Batch.from_records([{"n": 1}, {"n": 2}]), ("es",))
    writer.write_batch(Batch.from_records([{"n": 3}]), ("fr",))
    return writer, json.loads(json.dumps(writer.prepare(final=True)))


def visible(folder: Path) -> dict[str, bytes]:
    found = [path for path in sorted((folder / "out").rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder / "out")): path.read_bytes() for path in found if ".ozzy-run-1" not in path.parts}


def staged(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out" / ".ozzy-run-1" / "writer").iterdir())


ALL = {"es/x0000.jl": ONE, "es/x0001.jl": TWO, "fr/x0000.jl": THREE}
MODES = ["fail", "overwrite", "number", "skip"]


@pytest.mark.parametrize("mode", MODES)
def test_files_appear_whole_when_they_are_published(mode, tmp_path):
    writer, receipt = written(tmp_path, if_exists=mode)
    assert (visible(tmp_path), staged(tmp_path)) == ({}, ["000000.part", "000001.part", "000002.part"])
    assert writer.recover(receipt) is Outcome.STAGED

    writer.publish(receipt)
    assert (visible(tmp_path), staged(tmp_path)) == (ALL, [])
    assert writer.recover(receipt) is Outcome.PUBLISHED
    assert [(file["name"], file["path"]) for file in writer.results(receipt)] == [(name, str(tmp_path / "out" / name)) for name in ALL]

    writer.abandon()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["es", "fr"]


@pytest.mark.parametrize("mode", MODES)
def test_publishing_twice_is_the_same_as_once_in_another_object_too(mode, tmp_path):
    writer, receipt = written(tmp_path, if_exists=mode, check_consistency=True)
    writer.publish(receipt)
    writer.publish(receipt)
    fs(tmp_path, if_exists=mode).publish(receipt)

    assert (visible(tmp_path), staged(tmp_path)) == (ALL, [])


STEPS = ("link", "replace", "rename", "unlink", "fsync", "mkdir")


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize("mode", ["fail", "overwrite"])
def test_a_kill_before_any_step_of_publishing_is_made_good(mode, links, tmp_path):
    step, killed = 0, True
    while killed:
        folder = tmp_path / str(step)
        writer, receipt = written(folder, if_exists=mode)
        killed = kill_at(step, lambda writer=writer, receipt=receipt: writer.publish(receipt), links=links)
        again = fs(folder, if_exists=mode)
        assert again.recover(receipt) in {Outcome.STAGED, Outcome.PUBLISHED}
        assert kill_at(step // 2, lambda again=again, receipt=receipt: again.publish(receipt), links=links) in {True, False}
        last = fs(folder, if_exists=mode)
        last.publish(receipt)
        last.resume(receipt)

        assert (visible(folder), staged(folder)) == (ALL, []), f"killed at step {step}"
        step += 1
    assert step > 8


def kill_at(step: int, work: Any, *, links: bool) -> bool:
    """Do the work, with an end before the given step on the disk; whether it came to that."""
    count = 0

    def patched(name: str) -> Any:
        original = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            if count == step:
                raise Killed
            count += 1
            if name == "link" and not links:
                raise OSError(errno.EPERM, os.strerror(errno.EPERM))
            return original(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, patched(name))
        try:
            work()
        except Killed:
            return True
    return False


def test_a_kill_between_link_and_unlink_leaves_one_file_with_two_names(tmp_path):
    writer, receipt = written(tmp_path)
    (tmp_path / "out/es").mkdir()
    os.link(tmp_path / "out/.ozzy-run-1/writer/000000.part", tmp_path / "out/es/x0000.jl")

    assert fs(tmp_path).recover(receipt) is Outcome.STAGED
    writer.publish(receipt)
    assert (visible(tmp_path), staged(tmp_path)) == (ALL, [])


# names that are taken


def put(folder: Path, name: str, text: bytes = b"old") -> Path:
    path = folder / "out" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return path


def test_fail_refuses_at_first_use(tmp_path):
    path = put(tmp_path, "es/x0001.jl")
    with pytest.raises(DestinationError) as caught:
        written(tmp_path)

    assert caught.value.message == f"{path} exists already"
    assert visible(tmp_path) == {"es/x0001.jl": b"old"}


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize("mode", ["fail", "number", "skip"])
def test_a_name_that_was_taken_since_is_not_overwritten(mode, links, tmp_path):
    writer, receipt = written(tmp_path, if_exists=mode)
    path = put(tmp_path, "es/x0001.jl")
    with pytest.raises(DestinationError) as caught:
        kill_at(99, lambda: writer.publish(receipt), links=links)

    assert caught.value.message == f"{path} exists already"
    assert path.read_bytes() == b"old"

    path.unlink()
    again = fs(tmp_path, if_exists=mode)
    assert again.recover(receipt) is Outcome.STAGED
    again.publish(receipt)
    assert visible(tmp_path) == ALL


def test_a_dangling_link_takes_a_name_too(tmp_path):
    writer, receipt = written(tmp_path)
    (tmp_path / "out" / "es").mkdir()
    (tmp_path / "out" / "es" / "x0000.jl").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DestinationError, match="exists already"):
        writer.publish(receipt)

    assert not (tmp_path / "nowhere").exists()


def test_overwrite_replaces(tmp_path):
    put(tmp_path, "es/x0001.jl")
    writer, receipt = written(tmp_path, if_exists="overwrite")
    assert visible(tmp_path)["es/x0001.jl"] == b"old"

    writer.publish(receipt)
    assert visible(tmp_path) == ALL


def test_number_takes_the_next_free_one(tmp_path):
    put(tmp_path, "es/x0001.jl")
    writer, receipt = written(tmp_path, if_exists="number")
    writer.publish(receipt)

    assert visible(tmp_path) == {"es/x0000.jl": ONE, "es/x0001.jl": b"old", "es/x0002.jl": TWO, "fr/x0000.jl": THREE}


def test_skip_leaves_what_is_there(tmp_path):
    put(tmp_path, "es/x0001.jl")
    writer, receipt = written(tmp_path, if_exists="skip")
    writer.publish(receipt)

    assert visible(tmp_path) == ALL | {"es/x0001.jl": b"old"}
    assert (receipt["written"], receipt["ignored"]) == (2, 1)


def test_a_folder_of_that_name_is_an_error_even_for_overwrite(tmp_path):
    writer, receipt = written(tmp_path, if_exists="overwrite")
    (tmp_path / "out" / "es" / "x0000.jl").mkdir(parents=True)
    with pytest.raises(DestinationError, match=r"can't write .*x0000.jl: Is a directory"):
        writer.publish(receipt)


# what is gone, and what is taken back


def test_staged_data_that_is_gone_is_told(tmp_path):
    writer, receipt = written(tmp_path)
    shutil.rmtree(tmp_path / "out")

    assert writer.recover(receipt) is Outcome.GONE
    with pytest.raises(DestinationError, match=r"es/x0000.jl is not there, and its staged copy is gone"):
        writer.publish(receipt)


def test_a_published_file_that_was_changed_is_told(tmp_path):
    writer, receipt = written(tmp_path)
    writer.publish(receipt)
    put(tmp_path, "es/x0001.jl", b"changed")

    assert writer.recover(receipt) is Outcome.GONE


def test_a_staged_file_that_was_changed_is_gone(tmp_path):
    writer, receipt = written(tmp_path)
    (tmp_path / "out/.ozzy-run-1/writer/000001.part").write_bytes(b'{"n":9}\n')

    assert writer.recover(receipt) is Outcome.GONE


@pytest.mark.parametrize("published", range(4))
def test_what_is_discarded_is_taken_back(published, tmp_path):
    writer, receipt = written(tmp_path)
    writer.publish(receipt | {"closed": receipt["closed"][:published]})
    other = fs(tmp_path)
    other.discard(receipt)
    other.discard(receipt)

    assert (visible(tmp_path), staged(tmp_path)) == ({}, [])


def test_what_is_half_published_is_taken_back(tmp_path):
    writer, receipt = written(tmp_path)
    (tmp_path / "out/es").mkdir()
    os.link(tmp_path / "out/.ozzy-run-1/writer/000000.part", tmp_path / "out/es/x0000.jl")
    writer.discard(receipt)

    assert (visible(tmp_path), staged(tmp_path)) == ({}, [])


def test_files_of_others_are_not_taken_back(tmp_path):
    """Not even one with the same content, as long as ours is still staged."""
    put(tmp_path, "es/x0000.jl", ONE)
    put(tmp_path, "es/x0001.jl", b"other")
    writer, receipt = written(tmp_path, if_exists="overwrite")
    writer.discard(receipt)

    assert visible(tmp_path) == {"es/x0000.jl": ONE, "es/x0001.jl": b"other"}


def test_a_published_file_that_was_changed_is_not_taken_back(tmp_path):
    writer, receipt = written(tmp_path)
    writer.publish(receipt)
    put(tmp_path, "es/x0001.jl", b"changed")
    writer.discard(receipt)

    assert visible(tmp_path) == {"es/x0001.jl": b"changed"}


def test_discarding_where_nothing_is_left(tmp_path):
    writer, receipt = written(tmp_path)
    shutil.rmtree(tmp_path / "out")
    writer.discard(receipt)

    assert list(tmp_path.iterdir()) == []


# several writers, checks, errors


def test_two_writers_share_a_folder(tmp_path):
    one, first = written(tmp_path, label="one")
    other, second = written(tmp_path, label="two", filebase="out/{groups[0]}/y")
    one.publish(first)
    one.abandon()
    assert [path.name for path in (tmp_path / "out" / ".ozzy-run-1").iterdir()] == ["two"]

    other.publish(second)
    other.abandon()
    assert visible(tmp_path) == ALL | {name.replace("x", "y"): data for name, data in ALL.items()} | ALL
    assert not (tmp_path / "out" / ".ozzy-run-1").exists()


@pytest.mark.parametrize("mode", ["fail", "overwrite"])
def test_two_writers_that_would_take_each_others_names_are_refused(mode, tmp_path):
    (tmp_path / "in.jl").write_text('{"n": 1}\n')
    one = {"name": "fs", "label": "one", "options": {"filebase": f"{tmp_path}/out/x", "if_exists": mode}}
    config = {"name": "two", "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl")}}}
    two = one | {"label": "two"}
    with pytest.raises(ConfigError, match="the writers one and two would write files of the same names"):
        ozzy.run(config | {"writer": [one, two]}, state_dir=tmp_path / "state")
    assert not (tmp_path / "out").exists()

    two["options"] = {"filebase": f"{tmp_path}/out/y"}
    result = ozzy.run(config | {"writer": [one, two]}, state_dir=tmp_path / "state", fresh=True)
    assert [file.name for file in result.files] == ["x0000.jl.gz", "y0000.jl.gz"]


def test_files_without_a_group(tmp_path):
    writer = fs(tmp_path, grouped=False)
    writer.resume(None)
    writer.write_batch(Batch.from_records([{"n": 1}]))
    receipt = writer.prepare(final=True)
    writer.publish(receipt)
    writer.abandon()

    assert visible(tmp_path) == {"x0000.jl": ONE}


def test_a_name_without_a_folder_belongs_to_the_working_folder(tmp_path):
    writer = fs(tmp_path, filebase="x", grouped=False)
    writer.resume(None)
    writer.write_batch(Batch.from_records([{"n": 1}]))
    writer.publish(writer.prepare(final=True))
    writer.abandon()

    assert [path.name for path in tmp_path.iterdir()] == ["x0000.jl"]


def test_a_value_stays_in_its_folder(tmp_path):
    writer = fs(tmp_path / "deep", filebase="out/{groups[0]}/{groups[1]}")
    writer.resume(None)
    writer.write_batch(Batch.from_records([{"n": 1}]), ("../..", "/etc/passwd"))
    writer.publish(writer.prepare(final=True))

    assert list(visible(tmp_path / "deep")) == ["%2E.%2F.%2E/%2Fetc%2Fpasswd.jl"]


def test_a_file_that_does_not_read_back_is_told(tmp_path, monkeypatch):
    writer, receipt = written(tmp_path, check_consistency=True)
    monkeypatch.setattr("ozzy.builtin.writers.fs.same_content", lambda path, entry: "x0001" not in path.name)
    with pytest.raises(DestinationError, match=r"es/x0001.jl does not read back as it was written"):
        writer.publish(receipt)


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOSPC, "Make room"), (errno.EACCES, "Choose a folder"), (errno.EROFS, "Choose a folder")]
)
def test_what_the_disk_refuses_is_told(number, hint, tmp_path, monkeypatch):
    writer, receipt = written(tmp_path)

    def link(*paths: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(DestinationError, match=rf"can't write .*es/x0000.jl: {os.strerror(number)}") as caught:
        writer.publish(receipt)
    assert caught.value.hint.startswith(hint)

    monkeypatch.undo()
    fs(tmp_path).publish(receipt)
    assert visible(tmp_path) == ALL


def test_a_dry_run_leaves_no_trace(tmp_path):
    writer = fs(tmp_path, dry_run=True)
    writer.resume(None)
    writer.write_batch(Batch.from_records([{"n": 1}]), ("es",))
    receipt = writer.prepare(final=True)
    writer.abandon()

    assert [file["name"] for file in writer.results(receipt)] == ["es/x0000.jl"]
    assert list(tmp_path.iterdir()) == []


def test_published_folders_and_files_are_as_open_as_any_other(tmp_path):
    os.umask(umask := os.umask(0o022))
    writer, receipt = written(tmp_path)
    writer.publish(receipt)

    assert (tmp_path / "out/es/x0000.jl").stat().st_mode & 0o777 == 0o666 & ~umask
    assert (tmp_path / "out/es").stat().st_mode & 0o777 == 0o777 & ~umask
    assert (tmp_path / "out/.ozzy-run-1").stat().st_mode & 0o777 == 0o700


def test_names_are_on_disk_before_the_staged_copies_go(tmp_path):
    writer, receipt = written(tmp_path)
    steps = recorded(lambda: writer.publish(receipt))
    out = tmp_path / "out"
    staging = out / ".ozzy-run-1" / "writer"

    links = [step for step in steps if step[0] == "link"]
    last_link, first_unlink = steps.index(links[-1]), next(at for at, step in enumerate(steps) if step[0] == "unlink")
    between = steps[last_link + 1 : first_unlink]
    assert [step[1] for step in links] == [str(out / name) for name in ALL]
    assert {step[1] for step in between if step[0] == "fsync"} >= {str(out / "es"), str(out / "fr"), str(out)}
    assert steps[-1] == ("fsync", str(staging))
    made = [at for at, step in enumerate(steps) if step[0] == "mkdir"]
    assert [step[1] for step in steps[made[0] : made[-1] + 1]] == [str(out / "es"), str(out / "fr")]
    assert steps[made[-1] + 1] == ("fsync", str(out))
    assert made[-1] + 1 < steps.index(links[0])


@pytest.mark.parametrize("mode", ["fail", "overwrite"])
def test_names_that_a_killed_process_made_are_put_on_disk_by_the_next(mode, tmp_path):
    writer, receipt = written(tmp_path, if_exists=mode)
    writer.publish(receipt)
    again = fs(tmp_path, if_exists=mode)
    assert again.recover(receipt) is Outcome.PUBLISHED

    synced = {step[1] for step in recorded(lambda: again.publish(receipt)) if step[0] == "fsync"}
    assert synced >= {str(tmp_path / folder) for folder in ("out", "out/es", "out/fr")}


def recorded(work: Any) -> list[tuple[str, str]]:
    """The steps on the disk: what was done, and to which path."""
    steps: list[tuple[str, str]] = []
    paths: dict[int, str] = {}
    real = {name: getattr(os, name) for name in ("open", "fsync", "link", "unlink", "mkdir")}

    def opened(path: Any, *more: Any) -> int:
        paths[descriptor := real["open"](path, *more)] = str(path)
        return int(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", opened)
        patch.setattr(os, "fsync", lambda descriptor: steps.append(("fsync", paths[descriptor])) or real["fsync"](descriptor))
        patch.setattr(os, "link", lambda a, b: steps.append(("link", str(b))) or real["link"](a, b))
        patch.setattr(os, "unlink", lambda a: steps.append(("unlink", str(a))) or real["unlink"](a))
        patch.setattr(os, "mkdir", lambda a, mode: steps.append(("mkdir", str(a))) or real["mkdir"](a, mode))
        work()
    return steps
