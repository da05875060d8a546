"""Incremental runs: what each reads, when the bookmark moves, and what becomes of it when a run ends badly."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import BaseReader, BaseWriter, Batch, ConfigError, Interrupted, Listed, SourceError, Split, StateError, hookimpl
from ozzy.api import Listener, Stop, bookmark
from ozzy.plan.registry import Registry
from ozzy.run.bookmarks import Bookmark, BookmarkStore
from ozzy.run.runs import RunRecord


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    put(tmp_path / "in" / "a.jl", "a", 30)
    put(tmp_path / "in" / "b.jl", "b", 30)
    return tmp_path / "in"


def put(path: Path, letter: str, count: int) -> None:
    path.write_text("".join(f'{{"id":"{letter}{number}"}}\n' for number in range(count)))


class Job:
    """A pipeline, its state and what it has exported."""

    def __init__(self, source: Path, tmp_path: Path) -> None:
        self.out, self.state = tmp_path / "out", tmp_path / "state"
        self.config: dict[str, Any] = {
            "name": "job",
            "bookmark": True,
            "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 10}},
            "writer": {"name": "fs", "options": {"filebase": f"{self.out}/all", "if_exists": "number", "compression": "none"}},
        }

    def run(self, **how: Any) -> Any:
        return ozzy.run(self.config, state_dir=self.state, **how)

    @property
    def store(self) -> BookmarkStore:
        return bookmark(self.config, state_dir=self.state)

    @property
    def current(self) -> Bookmark | None:
        return self.store.current()

    @property
    def marked(self) -> list[str]:
        """The names of the files in the bookmark."""
        current = self.current
        return [] if current is None else [Path(mark["path"]).name for mark in self.store.marks(current)]

    @property
    def ids(self) -> list[str]:
        return [json.loads(line)["id"] for path in sorted(self.out.glob("*.jl")) for line in path.read_text().splitlines()]

    def interrupt(self, **how: Any) -> None:
        stop = Stop()
        with pytest.raises(Interrupted):
            self.run(stop=stop, listener=StopAfter(2, stop), **how)


class StopAfter(Listener):
    """Asks the run to stop after some batches."""

    def __init__(self, batches: int, stop: Stop) -> None:
        self.left, self.stop = batches, stop

    def batch_done(self, progress: Any) -> None:
        self.left -= 1
        if self.left == 0:
            self.stop.set()


@pytest.fixture
def job(source: Path, tmp_path: Path) -> Job:
    return Job(source, tmp_path)


def numbered(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


def test_the_second_run_reads_what_is_new_and_names_its_file_by_number(job: Job, source: Path) -> None:
    job.run()
    put(source / "c.jl", "c", 5)
    put(source / "a.jl", "A", 31)
    result = job.run()

    assert (result.records_read, [file.name for file in result.files]) == (36, ["all0001.jl"])
    assert job.ids == numbered("a", 30) + numbered("b", 30) + numbered("A", 31) + numbered("c", 5)
    assert job.marked == ["a.jl", "b.jl", "c.jl"]


def test_a_run_with_nothing_new_succeeds_says_so_and_writes_no_file(job: Job) -> None:
    first = job.run()
    second = job.run()

    assert (second.state, second.records_read, second.files) == ("finished", 0, [])
    assert second.notices == [f"nothing is new since run {first.run_id}, so nothing was read"]
    assert job.current is not None
    assert job.current.run == second.run_id


def test_the_first_run_has_no_such_notice_even_where_there_is_nothing(job: Job, source: Path) -> None:
    shutil.rmtree(source)
    source.mkdir()

    assert job.run().notices == []
    assert job.marked == []


def test_a_fixed_name_is_refused_the_second_time(job: Job, source: Path) -> None:
    del job.config["writer"]["options"]["if_exists"]
    job.run()
    put(source / "c.jl", "c", 5)

    with pytest.raises(ozzy.DestinationError, match=r"all0000.jl"):
        job.run()
    assert job.marked == ["a.jl", "b.jl"]


def test_files_named_by_the_time_of_the_run_need_no_number(job: Job, source: Path) -> None:
    job.config["writer"]["options"] = {"filebase": f"{job.out}/%Y%m%d-%H%M%S-%f-", "compression": "none"}
    job.run()
    put(source / "c.jl", "c", 5)
    job.run()

    assert len(list(job.out.glob("*.jl"))) == 2
    assert job.ids == numbered("a", 30) + numbered("b", 30) + numbered("c", 5)


def test_old_marks_do_not_pile_up_in_the_state_folder(job: Job, source: Path) -> None:
    for name in "cde":
        job.run()
        put(source / f"{name}.jl", name, 1)

    assert job.current is not None
    assert [path.name for path in job.store.folder.glob("bookmark*.jsonl")] == [job.current.file]
    assert list(job.store.folder.glob("*/bookmark.jsonl")) == []
    assert len((job.store.folder / job.current.file).read_text().splitlines()) == job.current.marks == 4


def test_a_dry_run_reads_what_is_new_and_moves_nothing(job: Job, source: Path) -> None:
    assert job.run(dry_run=True).records_read == 60
    assert not job.state.exists()
    job.run()
    before = job.current
    put(source / "c.jl", "c", 5)

    assert job.run(dry_run=True).records_read == 5
    assert job.current == before


def test_a_limit_leaves_the_bookmark_where_it_was(job: Job, source: Path) -> None:
    job.run()
    before = job.current
    put(source / "c.jl", "c", 5)
    for limit in (2, 100):
        result = job.run(limit=limit)
        assert result.notices == ["a run with a limit leaves the bookmark where it was"]
        assert job.current == before
    assert job.run().records_read == 5


def test_a_limit_stays_with_a_run_that_is_resumed(job: Job) -> None:
    job.interrupt(limit=50)
    assert job.run(resume=True).records_read == 50
    assert job.current is None


def test_a_writer_that_takes_only_so_many_leaves_the_bookmark_where_it_was(job: Job) -> None:
    job.config["writer"]["options"]["items_limit"] = 15
    result = job.run()

    assert result.records_written == 15
    assert result.notices == ["a writer's limit cut this run short, so the bookmark stays where it was"]
    assert job.current is None


def test_a_limit_of_one_of_several_writers_leaves_it_too(job: Job, tmp_path: Path) -> None:
    other = {"name": "fs", "label": "few", "options": {"filebase": f"{tmp_path}/few/x", "items_limit": 15, "if_exists": "number"}}
    job.config["writer"] = [job.config["writer"], other]
    job.run()

    assert len(job.ids) == 60
    assert job.current is None


def test_a_limit_that_was_not_reached_moves_it(job: Job) -> None:
    job.config["writer"]["options"]["items_limit"] = 61
    job.run()

    assert job.marked == ["a.jl", "b.jl"]


def test_a_run_that_was_cut_short_does_not_move_it_when_it_is_finished_by_a_resume(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.config["writer"]["options"]["items_limit"] = 15
    with dying_before_it_says_finished(monkeypatch):
        job.run()
    assert job.run(resume=True).state == "already finished"
    assert job.current is None


def test_a_failed_and_an_interrupted_run_leave_it_and_a_resumed_one_moves_it(job: Job, source: Path) -> None:
    job.run()
    before = job.current
    put(source / "c.jl", "c", 35)
    job.interrupt()
    assert job.current == before
    put(source / "d.jl", "d", 5)
    result = job.run(resume=True)

    assert result.resumed
    assert job.ids == numbered("a", 30) + numbered("b", 30) + numbered("c", 35)
    assert job.marked == ["a.jl", "b.jl", "c.jl"]
    assert job.run().records_read == 5


def test_a_bad_record_fails_the_run_and_leaves_the_bookmark(job: Job, source: Path) -> None:
    (source / "b.jl").write_text('{"id":"b0"}\n{bad\n')
    with pytest.raises(ozzy.DataError):
        job.run()
    assert job.current is None
    job.config["errors"] = "skip"
    job.run(fresh=True)
    assert job.marked == ["a.jl", "b.jl"]


def test_giving_an_unfinished_run_up_leaves_the_bookmark(job: Job) -> None:
    job.interrupt()

    assert job.run(fresh=True).records_read == 60
    assert job.ids == numbered("a", 30) + numbered("b", 30)


class Died(BaseException):
    """Stands for a kill."""


class dying_before_it_says_finished:
    """Ends a run between its last checkpoint and the moment its record says that it has finished."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def __enter__(self) -> None:
        save = RunRecord.save

        def saved(record: RunRecord, **facts: Any) -> None:
            if facts.get("state") in {"finished", "failed"}:
                raise Died
            save(record, **facts)

        self.monkeypatch.setattr(RunRecord, "save", saved)
        self.raises = pytest.raises(Died)
        self.raises.__enter__()

    def __exit__(self, *error: Any) -> bool:
        self.monkeypatch.undo()
        return bool(self.raises.__exit__(*error))


@pytest.fixture
def dying_before_the_move(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Ends a run between its last checkpoint and the move of the bookmark."""

    def arm() -> Any:
        def move(*_: Any) -> None:
            raise Died

        monkeypatch.setattr(BookmarkStore, "move", move)
        return pytest.raises(Died)

    return arm


def test_killed_before_the_move_a_resume_moves_it(job: Job, dying_before_the_move: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with dying_before_the_move():
        job.run()
    monkeypatch.undo()
    with pytest.raises(StateError, match="is unfinished"):
        job.run()
    assert job.run(resume="auto").state == "already finished"

    assert job.marked == ["a.jl", "b.jl"]
    assert job.run().records_read == 0
    assert job.ids == numbered("a", 30) + numbered("b", 30)


def test_killed_after_the_move_a_resume_changes_nothing(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    with dying_before_it_says_finished(monkeypatch):
        job.run()
    assert job.marked == ["a.jl", "b.jl"]
    before = job.current
    job.run(resume=True)

    assert job.current == before
    assert job.run().records_read == 0


@pytest.mark.parametrize("changed", [False, True], ids=["as it was", "with another config"])
def test_killed_before_the_move_and_given_up_nothing_is_exported_again(
    job: Job, changed: bool, dying_before_the_move: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying_before_the_move():
        job.run()
    monkeypatch.undo()
    if changed:
        job.config["reader"]["options"]["batch_size"] = 7
    result = job.run(fresh=True)

    assert result.records_read == 0
    assert any(notice.endswith("was published, so the bookmark moved on to it") for notice in result.notices)
    assert job.ids == numbered("a", 30) + numbered("b", 30)


def test_given_up_with_a_damaged_checkpoint_the_bookmark_stays(
    job: Job, dying_before_the_move: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying_before_the_move():
        job.run()
    monkeypatch.undo()
    (checkpoint,) = job.state.glob("*/*/checkpoint.json")
    checkpoint.write_text("{")

    assert job.run(fresh=True).records_read == 60


def test_given_up_before_its_last_checkpoint_was_published_the_bookmark_stays(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    from ozzy.builtin.writers.fs import FSWriter

    def publish(*_: Any) -> None:
        raise Died

    monkeypatch.setattr(FSWriter, "publish", publish)
    with pytest.raises(Died):
        job.run()
    monkeypatch.undo()

    assert job.run(fresh=True).records_read == 60
    assert job.ids == numbered("a", 30) + numbered("b", 30)


def test_cleaning_up_runs_leaves_the_bookmark(job: Job) -> None:
    job.run()
    for run in job.store.state.runs():
        run.delete()

    assert job.run().records_read == 0


def test_without_bookmark_a_run_reads_everything_and_leaves_it(job: Job, source: Path) -> None:
    job.run()
    before = job.current
    put(source / "c.jl", "c", 5)
    plain = Job(source, job.out.parent)
    plain.config["bookmark"] = False

    assert plain.run().records_read == 65
    assert job.current == before
    assert job.run().records_read == 5


def test_a_run_does_not_go_on_without_the_bookmark_it_began_with(job: Job) -> None:
    job.interrupt()
    del job.config["bookmark"]

    with pytest.raises(StateError, match="bookmark: was True, is not there"):
        job.run(resume=True)


def test_a_config_file_without_a_name_has_one(job: Job, tmp_path: Path) -> None:
    del job.config["name"]
    file = tmp_path / "job.json"
    file.write_text(json.dumps(job.config))

    assert [ozzy.run(file, state_dir=job.state).records_read for _ in range(2)] == [60, 0]


def test_an_unfinished_run_of_a_nameless_file_is_resumed_by_its_id(job: Job, tmp_path: Path) -> None:
    del job.config["name"]
    file = tmp_path / "job.json"
    file.write_text(json.dumps(job.config))
    stop = Stop()
    with pytest.raises(Interrupted) as interrupted:
        ozzy.run(file, state_dir=job.state, stop=stop, listener=StopAfter(2, stop))
    file.unlink()

    assert ozzy.resume(str(interrupted.value.run_id), state_dir=job.state).state == "finished"
    file.write_text(json.dumps(job.config))
    assert ozzy.run(file, state_dir=job.state).records_read == 0


@pytest.mark.parametrize("call", [ozzy.run, ozzy.validate, ozzy.explain, bookmark])
def test_a_mapping_without_a_name_can_not_have_one(job: Job, call: Callable[..., Any]) -> None:
    del job.config["name"]

    with pytest.raises(ConfigError, match="bookmark: a config that is no file needs a name to have one"):
        call(job.config)


def test_of_a_mapping_without_name_nor_bookmark_there_is_none_to_ask_for(job: Job) -> None:
    del job.config["name"], job.config["bookmark"]

    with pytest.raises(ConfigError, match="needs a `name` to have a bookmark"):
        bookmark(job.config)


def test_a_reader_that_can_not_is_named(job: Job) -> None:
    job.config["reader"] = {"name": "random", "options": {"number_of_items": 1}}

    with pytest.raises(ConfigError, match="bookmark: the reader random can't tell what is new since the last run"):
        job.run()


def test_text_from_the_environment_may_switch_it_on(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCREMENTAL", "true")
    job.config["bookmark"] = "${INCREMENTAL}"
    assert [job.run().records_read for _ in range(2)] == [60, 0]
    assert job.run(set={"bookmark": "false"}).records_read == 60


def test_explain_says_what_a_run_would_start_from(job: Job) -> None:
    def told() -> str | None:
        return ozzy.explain(job.config, state_dir=job.state).bookmark

    assert told() == "everything: no run has left a bookmark yet"
    result = job.run()
    text = told()
    assert text is not None
    assert text.startswith(f"what is new or has changed since run {result.run_id} of 20")
    del job.config["bookmark"]
    assert told() is None


# Reset


def test_reset_forgets_it_once(job: Job) -> None:
    assert job.store.reset() is False
    assert not job.state.exists()
    job.run()

    assert job.store.reset() is True
    assert job.store.reset() is False
    assert list(job.store.folder.glob("bookmark*")) == []
    assert job.run().records_read == 60


def test_reset_is_refused_while_a_run_is_unfinished(job: Job, source: Path) -> None:
    job.run()
    put(source / "c.jl", "c", 35)
    job.interrupt()

    with pytest.raises(StateError, match=r"is unfinished, and moves the bookmark when it succeeds\nGo on with it: ozzy resume 2"):
        job.store.reset()
    assert job.current is not None


def test_reset_helps_where_it_is_damaged(job: Job) -> None:
    job.run()
    (job.store.folder / "bookmark.json").write_text("{")

    for wanted in (job.run, lambda: job.current):
        with pytest.raises(StateError, match=r"checksum does not match\n`ozzy bookmark reset CONFIG` forgets it"):
            wanted()
    job.run(fresh=True, set={"bookmark": "false"})
    assert job.store.reset() is True
    assert job.run().records_read == 60


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_marks_that_are_damaged_are_noticed_before_anything_is_read(job: Job, damage: str) -> None:
    job.run()
    assert job.current is not None
    marks = job.store.folder / job.current.file
    marks.write_text(marks.read_text()[:-9]) if damage == "cut" else marks.unlink()

    with pytest.raises(StateError, match=r"bookmark's marks .*\n`ozzy bookmark reset CONFIG`"):
        job.run()
    assert len(job.ids) == 60


def test_marks_of_an_unfinished_run_that_are_damaged_stop_its_resume(job: Job) -> None:
    job.interrupt()
    (marks,) = job.state.glob("*/*/bookmark.jsonl")
    marks.write_text("")

    with pytest.raises(StateError, match=r"marks .* are damaged"):
        job.run(resume=True)


def test_a_bookmark_of_another_version_is_refused(job: Job) -> None:
    from ozzy.staging.state_files import read_json, write_json

    job.run()
    path = job.store.folder / "bookmark.json"
    write_json(path, read_json(path) | {"format": 99})

    with pytest.raises(StateError, match="written by another version of ozzy"):
        job.run()


# Readers of all kinds


class Log(BaseReader):
    """A log that grows: its split ends where it ended when the run began."""

    length = 10

    def splits(self) -> Iterator[Split]:
        yield Split(f"0-{self.length}")

    def splits_since(self, bookmark: Iterator[Any]) -> Iterator[Listed]:
        last = next(bookmark, {"end": 0})["end"]
        yield Listed(Split(f"{last}-{self.length}") if last < self.length else None, {"end": self.length})

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        start, end = map(int, split.id.split("-"))
        for number in range(start if position is None else position, end):
            yield Batch.from_records([{"id": number}], split=split.id, position=number + 1)


class Other(Log):
    pass


class Odd(Log):
    mark: Any = None

    def splits_since(self, bookmark: Iterator[Any]) -> Iterator[Listed]:
        yield Listed(Split(), self.mark)


class Sink(BaseWriter):
    got: list[int]

    def write_batch(self, batch: Any, group_key: Any = None) -> None:
        self.got.extend(record["id"] for record in batch)


class Plugin:
    @hookimpl
    def ozzy_read(self) -> dict[str, Any]:
        return {"log": Log, "other": Other, "odd": Odd}

    @hookimpl
    def ozzy_write(self) -> dict[str, Any]:
        return {"sink": Sink}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    found = Registry.load()
    found.register(Plugin(), package="plumbing", version="1", entry_name="plumbing")
    monkeypatch.setattr(Sink, "got", [], raising=False)
    monkeypatch.setattr(Log, "length", 10)
    return found


def test_a_log_is_read_from_where_it_ended(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"name": "log", "bookmark": True, "reader": "log", "writer": "sink"}
    ozzy.run(config, state_dir=tmp_path, registry=registry)
    monkeypatch.setattr(Log, "length", 25)
    ozzy.run(config, state_dir=tmp_path, registry=registry)
    ozzy.run(config, state_dir=tmp_path, registry=registry)

    assert Sink.got == list(range(25))


def test_marks_of_one_reader_are_not_given_to_another(registry: Registry, tmp_path: Path) -> None:
    config = {"name": "log", "bookmark": True, "reader": "log", "writer": "sink"}
    ozzy.run(config, state_dir=tmp_path, registry=registry)

    with pytest.raises(StateError, match="made by the reader log, and can't be used by other"):
        ozzy.run(config | {"reader": "other"}, state_dir=tmp_path, registry=registry)


@pytest.mark.parametrize("mark", [{1: 2}, (1, 2), object(), b"x", "\ud800"])
def test_a_mark_that_is_no_json_is_an_error_of_the_reader(
    mark: Any, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Odd, "mark", mark)

    with pytest.raises(SourceError, match="the reader odd gave a mark for the bookmark that is no plain JSON"):
        ozzy.run({"name": "odd", "bookmark": True, "reader": "odd", "writer": "sink"}, state_dir=tmp_path, registry=registry)


def test_many_marks_are_streamed_and_come_back_in_order(job: Job, source: Path) -> None:
    for number in range(1500):
        (source / f"{number:05}").touch()
        os.utime(source / f"{number:05}", (number, number))
    assert job.run().records_read == 60
    (source / "00700").write_text('{"id":"new"}\n')

    assert job.run().records_read == 1
    assert len(job.marked) == 1502


def test_where_the_marks_can_not_be_written_the_run_fails_as_state(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def full(path: Path, *how: Any, **more: Any) -> Any:
        if path.name == "bookmark.jsonl":
            raise OSError(28, "No space left on device")
        return opened(path, *how, **more)

    monkeypatch.setattr(Path, "open", full)

    with pytest.raises(StateError, match=r"can't write the state in .*bookmark.jsonl: No space left"):
        job.run()


def test_a_part_without_a_mark_is_read_every_time(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Odd, "splits_since", lambda *_: [Listed(Split("0-3"))])
    config = {"name": "odd", "bookmark": True, "reader": "odd", "writer": "sink"}
    for _ in range(2):
        ozzy.run(config, state_dir=tmp_path, registry=registry)

    assert Sink.got == [0, 1, 2, 0, 1, 2]


def test_a_run_is_not_given_up_where_its_bookmark_should_move_and_can_not(
    job: Job, dying_before_the_move: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying_before_the_move():
        job.run()
    monkeypatch.undo()
    (marks,) = job.state.glob("*/*/bookmark.jsonl")
    kept = marks.read_text()
    marks.write_text("")
    with pytest.raises(StateError, match="damaged"):
        job.run(fresh=True)
    marks.write_text(kept)

    assert job.run(fresh=True).records_read == 0
