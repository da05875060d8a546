"""A resume that finds another config, another version or another source than the run had."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.errors import ConfigError, Interrupted, SourceError, StateError
from ozzy.run.listener import Listener, Stop

Config = dict[str, Any]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(3):
        (folder / f"part-{part}.jl").write_text("".join(json.dumps({"id": part * 40 + i, "c": "ab"[i % 2]}) + "\n" for i in range(40)))
    return folder


@pytest.fixture
def config(source: Path, tmp_path: Path) -> Config:
    return {
        "name": "changing",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 10}},
        "writer": {"name": "fs", "options": {"filebase": f"{tmp_path}/out/x", "compression": "none"}},
        "checkpoint": {"every_records": 10},
    }


class After(Listener):
    def __init__(self, batches: int, stop: Stop) -> None:
        self.left = batches
        self.stop = stop

    def batch_done(self, progress: Any) -> None:
        self.left -= 1
        if not self.left:
            self.stop.set()


def stopped(config: Config, tmp_path: Path, batches: int) -> str:
    """Run so many batches; the run's id."""
    stop = Stop()
    with pytest.raises(Interrupted) as raised:
        ozzy.run(config, state_dir=tmp_path / "state", stop=stop, listener=After(batches, stop))
    assert raised.value.run_id is not None
    return raised.value.run_id


def changed(config: Config, path: str, value: Any) -> Config:
    """A copy of a config with another value at a path; None takes it out."""
    copy: Config = json.loads(json.dumps(config))
    *above, last = path.split(".")
    inner = copy
    for step in above:
        inner = inner.setdefault(step, {})
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
    return copy


def resume(config: Config, tmp_path: Path, **more: Any) -> ozzy.Result:
    return ozzy.run(config, state_dir=tmp_path / "state", resume=True, **more)


def ids(tmp_path: Path) -> list[int]:
    return [json.loads(line)["id"] for path in sorted((tmp_path / "out").glob("*.jl")) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("checkpoint.every_records", 25),
        ("checkpoint.every_seconds", 5),
        ("stats_manager", "logging"),
        ("writer.options.check_consistency", True),
        ("errors", {"policy": "skip", "limit": 3}),
    ],
)
def test_what_can_not_change_the_outcome_needs_no_question(path: str, value: Any, config: Config, tmp_path: Path) -> None:
    stopped(config, tmp_path, 3)

    result = resume(changed(config, path, value), tmp_path)

    assert ids(tmp_path) == list(range(120))
    assert [notice for notice in result.notices if notice.startswith("changed since the run began: ")]


ACCEPTABLE = [
    ("reader.options.batch_size", 15, "reader.options.batch_size: was 10, is 15"),
    ("writer.options.items_per_buffer_write", 50, "writer.options.items_per_buffer_write: was 0, is 50"),
    ("writer.options.if_exists", "overwrite", "writer.options.if_exists: was None, is 'overwrite'"),
    ("checkpoint.full_every", {"records": 30}, "checkpoint.full_every: was None, is not there"),
]


@pytest.mark.parametrize(("path", "value", "told"), ACCEPTABLE)
def test_what_may_change_the_outcome_is_told_exactly_and_has_to_be_accepted(
    path: str, value: Any, told: str, config: Config, tmp_path: Path
) -> None:
    run_id = stopped(config, tmp_path, 3)
    other = changed(config, path, value)

    with pytest.raises(StateError) as raised:
        resume(other, tmp_path)
    assert raised.value.message.startswith(f"the pipeline has changed since run {run_id} began:\n  ")
    assert f"  {told}" in raised.value.message.splitlines()
    assert "--accept-changes" in str(raised.value)

    result = resume(other, tmp_path, accept_changes=True)
    assert sorted(ids(tmp_path)) == list(range(120))
    assert f"changed since the run began: {told}" in result.notices


FORMER = "staged files were begun in the former format"


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("writer.options.compression", "gz", FORMER),
        ("formatter", {"name": "csv", "options": {"fields": ["id"]}}, FORMER),
        ("writer.options.filebase", "OUT/y", "the run's staged and published files lie where it said"),
        ("writer.options.generate_md5", True, "the checksums of the files before were taken, or not, by what it said"),
        ("writer.options.manifest", "m.json", "the run keeps the manifest it began with"),
        ("writer.options.start_file_count", 3, "staged data may depend on it"),
        ("writer", "console", "what the run has written belongs to the former writer"),
        ("reader", {"name": "random", "options": {"number_of_items": 9}}, "the run's position is that of the former reader"),
        ("filter", {"name": "key_value", "options": {"keys": [{"name": "c", "value": "a"}]}}, "the records before went another way"),
        ("grouper", {"name": "file_key", "options": {"keys": ["c"]}}, "the records before went another way"),
    ],
)
def test_what_the_runs_past_depends_on_is_never_accepted(path: str, value: Any, why: str, config: Config, tmp_path: Path) -> None:
    stopped(config, tmp_path, 3)
    if isinstance(value, str):
        value = value.replace("OUT", str(tmp_path / "out"))

    with pytest.raises(StateError) as raised:
        resume(changed(config, path, value), tmp_path, accept_changes=True)
    assert f"({why}" in raised.value.message
    assert "--fresh" in str(raised.value)
    assert not list((tmp_path / "out").glob("*.jl*"))

    resume(config, tmp_path)
    assert ids(tmp_path) == list(range(120))


def test_with_nothing_staged_the_form_of_files_may_change(config: Config, tmp_path: Path) -> None:
    full = changed(config, "checkpoint", {"full_every": {"records": 30}})
    stop = Stop()

    class Fail(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            if kind == "full":
                raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        ozzy.run(full, state_dir=tmp_path / "state", stop=stop, listener=Fail())
    other = changed(full, "formatter", {"name": "csv", "options": {"fields": ["id"]}})
    with pytest.raises(StateError, match=r"formatter.name: was 'json', is 'csv'"):
        resume(other, tmp_path)

    resume(other, tmp_path, accept_changes=True)
    names = {path.suffix for path in (tmp_path / "out").iterdir()}
    rows = sum(len(path.read_text().splitlines()) - (path.suffix == ".csv") for path in (tmp_path / "out").iterdir())
    assert (names, rows) == ({".jl", ".csv"}, 120)


def test_before_the_first_checkpoint_all_but_the_place_may_change(config: Config, tmp_path: Path) -> None:
    (tmp_path / "in/part-0.jl").write_text("{nonsense\n")
    with pytest.raises(ozzy.DataError):
        ozzy.run(config, state_dir=tmp_path / "state")
    (tmp_path / "in/part-0.jl").write_text('{"id": 1}\n')
    other = changed(config, "writer.options.compression", "gz")

    with pytest.raises(StateError, match=r"filebase: was .* lie where it said"):
        resume(changed(other, "writer.options.filebase", f"{tmp_path}/elsewhere/x"), tmp_path, accept_changes=True)
    with pytest.raises(StateError, match="the pipeline has changed"):
        resume(other, tmp_path)
    resume(other, tmp_path, accept_changes=True)
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".gz"]


def test_where_every_checkpoint_publishes_its_schedule_is_asked_about(config: Config, tmp_path: Path) -> None:
    console = changed(config, "writer", "console")
    stopped(console, tmp_path, 3)

    with pytest.raises(StateError, match=r"checkpoint.every_records: was 10, is 20"):
        resume(changed(console, "checkpoint.every_records", 20), tmp_path)


def test_an_accepted_change_is_part_of_the_run_from_then_on(config: Config, tmp_path: Path) -> None:
    run_id = stopped(config, tmp_path, 3)
    other = changed(config, "reader.options.batch_size", 20)
    stop = Stop()
    with pytest.raises(Interrupted):
        resume(other, tmp_path, accept_changes=True, stop=stop, listener=After(1, stop))

    with pytest.raises(StateError, match=r"batch_size: was 20, is 10"):
        resume(config, tmp_path)
    result = ozzy.resume(run_id, state_dir=tmp_path / "state")

    assert result.state == "finished"
    assert ids(tmp_path) == list(range(120))
    (facts,) = (tmp_path / "state").glob("*/*/run.json")
    assert json.loads(facts.read_bytes())["content"]["changes"] == ["reader.options.batch_size: was 10, is 20"]


def test_another_place_for_the_checkpoint_is_never_accepted(config: Config, tmp_path: Path) -> None:
    registry = ozzy.Registry.load()

    class Plugin:
        @ozzy.hookimpl
        def ozzy_persist(self) -> dict[str, str]:
            return {"other": "ozzy.builtin.persistence.file:FilePersistence"}

    registry.register(Plugin(), package="other", version="1", entry_name="other")
    stopped(config, tmp_path, 3)

    with pytest.raises(StateError, match="the run's checkpoint is kept there"):
        resume(changed(config, "persistence", "other"), tmp_path, accept_changes=True, registry=registry)


@pytest.fixture
def older(tmp_path: Path) -> Callable[[dict[str, str]], None]:
    """Makes the state say that the run began with other versions."""
    from ozzy.staging.state_files import read_json, write_json

    def make(versions: dict[str, str]) -> None:
        (path,) = (tmp_path / "state").glob("*/*/run.json")
        write_json(path, read_json(path) | {"versions": versions})

    return make


def test_another_version_has_to_be_accepted(config: Config, tmp_path: Path, older: Callable[[dict[str, str]], None]) -> None:
    stopped(config, tmp_path, 3)
    older({"ozzy-core": "0.0.9", "gone": "1"})

    with pytest.raises(StateError, match=rf"package ozzy-core: was 0.0.9, is {ozzy.__version__}"):
        resume(config, tmp_path)
    resume(config, tmp_path, accept_changes=True)
    assert ids(tmp_path) == list(range(120))


def test_a_run_that_did_not_note_versions_goes_on(config: Config, tmp_path: Path, older: Callable[[dict[str, str]], None]) -> None:
    stopped(config, tmp_path, 3)
    older({})

    resume(config, tmp_path)
    assert ids(tmp_path) == list(range(120))


def test_the_version_of_what_only_tells_of_a_run_is_no_question(
    config: Config, tmp_path: Path, older: Callable[[dict[str, str]], None]
) -> None:
    registry = ozzy.Registry.load()

    class Plugin:
        @ozzy.hookimpl
        def ozzy_stats(self) -> dict[str, str]:
            return {"mine": "ozzy.builtin.stats.basic:BasicStatsManager"}

    registry.register(Plugin(), package="telling", version="2", entry_name="mine")
    told = changed(config, "stats_manager", "mine")
    stop = Stop()
    with pytest.raises(Interrupted):
        ozzy.run(told, state_dir=tmp_path / "state", registry=registry, stop=stop, listener=After(3, stop))
    older({"ozzy-core": ozzy.__version__, "telling": "1"})

    result = resume(told, tmp_path, registry=registry)
    assert "changed since the run began: package telling: was 1, is 2" in result.notices


def test_another_deserializer_is_noticed(config: Config, tmp_path: Path) -> None:
    stopped(config, tmp_path, 3)

    with pytest.raises(StateError, match=r"deserializer\.name: was not there, is 'json_lines'"):
        resume(config | {"deserializer": "json_lines"}, tmp_path)


def test_accepting_goes_with_a_resume(config: Config, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="accept_changes is about a run that is resumed"):
        ozzy.run(config, state_dir=tmp_path / "state", accept_changes=True)


def rewrite(path: Path, text: str) -> None:
    """Change a file, and its time for certain."""
    path.write_text(text)
    os.utime(path, (1, 1))


def test_a_part_that_changed_before_it_was_read_is_named_and_may_be_accepted(config: Config, source: Path, tmp_path: Path) -> None:
    run_id = stopped(config, tmp_path, 3)
    rewrite(source / "part-1.jl", '{"id": 1000}\n')
    (source / "part-2.jl").unlink()

    with pytest.raises(SourceError) as raised:
        resume(config, tmp_path)
    assert raised.value.message.splitlines() == [
        f"the source has changed since run {run_id} began:",
        f"  {source}/part-1.jl has changed",
        f"  {source}/part-2.jl is gone",
    ]
    assert "--accept-changes" in str(raised.value)

    result = resume(config, tmp_path, accept_changes=True)
    assert ids(tmp_path) == [*range(40), 1000]
    assert f"accepted: {source}/part-2.jl is gone" in result.notices


def test_an_accepted_part_stays_accepted_and_may_change_again(config: Config, source: Path, tmp_path: Path) -> None:
    stopped(config, tmp_path, 3)
    rewrite(source / "part-2.jl", '{"id": 1000}\n')
    stop = Stop()
    with pytest.raises(Interrupted):
        resume(config, tmp_path, accept_changes=True, stop=stop, listener=After(1, stop))
    rewrite(source / "part-1.jl", '{"id": 2000}\n')

    with pytest.raises(SourceError) as raised:
        resume(config, tmp_path)
    assert raised.value.message.splitlines()[1:] == [f"  {source}/part-1.jl has changed"]
    resume(config, tmp_path, accept_changes=True)
    assert ids(tmp_path) == [*range(40), 2000, 1000]


def test_the_part_in_which_a_run_stands_may_not_change(config: Config, source: Path, tmp_path: Path) -> None:
    stopped(config, tmp_path, 3)
    rewrite(source / "part-0.jl", '{"id": 1}\n')

    with pytest.raises(SourceError, match=r"part-0\.jl has changed or is gone, and the run stands in the middle of it"):
        resume(config, tmp_path, accept_changes=True)


def test_parts_read_before_and_new_ones_are_only_told(config: Config, source: Path, tmp_path: Path) -> None:
    stopped(config, tmp_path, 5)
    (source / "part-0.jl").unlink()
    for number in range(5):
        (source / f"new-{number}.jl").write_text("{}\n")

    result = resume(config, tmp_path)

    assert ids(tmp_path) == list(range(120))
    assert f"changed or gone since they were read: {source}/part-0.jl" in result.notices
    new = f"new in the source, and left for the next run: {source}/new-0.jl, {source}/new-1.jl, {source}/new-2.jl and 2 more"
    assert new in result.notices


def test_a_source_that_can_not_be_listed_again_is_taken_as_it_was(config: Config, source: Path, tmp_path: Path) -> None:
    named = changed(config, "reader.options.input", [f"{source}/part-0.jl", f"{source}/part-1.jl"])
    stopped(named, tmp_path, 5)
    (source / "part-0.jl").unlink()

    result = resume(named, tmp_path)

    assert ids(tmp_path) == list(range(80))
    assert any(notice.startswith("the source can't be listed again, and is taken as it was: ") for notice in result.notices)


def test_many_changes_are_cut_to_twenty_lines(config: Config, source: Path, tmp_path: Path) -> None:
    for number in range(30):
        (source / f"z{number:02}.jl").write_text("{}\n")
    stopped(config, tmp_path, 3)
    for number in range(30):
        (source / f"z{number:02}.jl").unlink()

    with pytest.raises(SourceError) as raised:
        resume(config, tmp_path)
    assert len(raised.value.message.splitlines()) == 22
    assert raised.value.message.splitlines()[-1] == "  and 10 more"


def test_with_a_bookmark_a_changed_part_is_not_accepted_and_one_that_is_gone_is(config: Config, source: Path, tmp_path: Path) -> None:
    incremental = config | {"bookmark": True}
    stopped(incremental, tmp_path, 3)
    (source / "part-2.jl").unlink()
    text = (source / "part-1.jl").read_text()
    rewrite(source / "part-1.jl", '{"id": 1000}\n')

    with pytest.raises(SourceError, match=r"part-1\.jl has changed") as raised:
        resume(incremental, tmp_path, accept_changes=True)
    assert "the next run would read it again" in str(raised.value)

    listed = json.loads(next((tmp_path / "state").glob("*/*/splits.jsonl")).read_text().splitlines()[1])
    (source / "part-1.jl").write_text(text)
    modified = int(listed["fingerprint"].partition("-")[2])
    os.utime(source / "part-1.jl", ns=(modified, modified))
    resume(incremental, tmp_path, accept_changes=True)
    assert ids(tmp_path) == list(range(80))
