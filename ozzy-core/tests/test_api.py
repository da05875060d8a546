"""The library: run, resume, read, preview, explain, validate, and what state a run leaves."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.api import BasicExporter, Listener, Stop
from ozzy.errors import ConfigError, DataError, DestinationError, Interrupted, OzzyError, SourceError, StateError
from ozzy.run.listener import Progress


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(2):
        rows = [json.dumps({"id": i, "country": "es" if i % 3 else "uk", "price": i / 2}) for i in range(part * 50, part * 50 + 50)]
        (folder / f"part-{part}.jl").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def config(source: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "name": "main job",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 10}},
        "filter": {"name": "key_value", "options": {"keys": [{"name": "country", "value": "es"}]}},
        "writer": {"name": "fs", "options": {"filebase": f"{tmp_path}/out/all", "compression": "none"}},
    }


class StopAfter(Listener):
    """Asks the run to stop after some batches."""

    def __init__(self, batches: int, stop: Stop) -> None:
        self.batches = batches
        self.stop = stop
        self.seen: list[Progress] = []

    def batch_done(self, progress: Progress) -> None:
        self.seen.append(progress)
        if len(self.seen) == self.batches:
            self.stop.set()


def interrupt(config: Any, state: Path, batches: int = 3, **more: Any) -> Interrupted:
    stop = Stop()
    with pytest.raises(Interrupted) as raised:
        ozzy.run(config, state_dir=state, stop=stop, listener=StopAfter(batches, stop), **more)
    return raised.value


def rows(path: Path) -> list[Any]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_says_what_it_did(config: dict[str, Any], tmp_path: Path) -> None:
    result = ozzy.run(config, state_dir=tmp_path / "state")

    wanted = [{"id": i, "country": "es", "price": i / 2} for i in range(100) if i % 3]
    assert rows(tmp_path / "out/all0000.jl") == wanted
    assert result.state == "finished"
    assert (result.records_read, result.records_written) == (100, len(wanted))
    assert [(file.name, file.rows, file.path) for file in result.files] == [("all0000.jl", len(wanted), f"{tmp_path}/out/all0000.jl")]
    assert result.files[0].size == (tmp_path / "out/all0000.jl").stat().st_size
    assert result.counts["filter_before"].reasons == {"filtered": 100 - len(wanted)}
    assert result.bound_by in result.times
    assert list((tmp_path / "out").iterdir()) == [tmp_path / "out/all0000.jl"]


def test_lines_that_nothing_touched_leave_as_they_came(config: dict[str, Any], source: Path, tmp_path: Path) -> None:
    odd = b'{ "country":"es",  "n":1.0, "big":123456789012345678901234567890, "n":2 , "t":"\\u00f1"}'
    (source / "part-0.jl").write_bytes(odd + b"\r\n\n")
    (source / "part-1.jl").write_bytes(odd)

    ozzy.run(config, state_dir=tmp_path / "state")

    assert (tmp_path / "out/all0000.jl").read_bytes() == odd + b"\n" + odd + b"\n"


def test_an_unfinished_run_is_not_run_over(config: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    error = interrupt(config, state)
    assert error.code == 130
    assert error.run_id is not None
    assert not (tmp_path / "out/all0000.jl").exists()

    with pytest.raises(StateError, match=f"the last run of this pipeline, {error.run_id}, is unfinished"):
        ozzy.run(config, state_dir=state)

    result = ozzy.run(config, state_dir=state, resume=True)
    assert result.resumed
    assert result.run_id == error.run_id
    assert result.records_read == 100
    assert [row["id"] for row in rows(tmp_path / "out/all0000.jl")] == [i for i in range(100) if i % 3]


def test_resuming_what_is_finished_says_so_and_what_never_began_is_an_error(config: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    with pytest.raises(StateError, match="no run of main job has begun"):
        ozzy.run(config, state_dir=state, resume=True)
    first = ozzy.run(config, state_dir=state)

    again = ozzy.run(config, state_dir=state, resume=True)

    assert again.state == "already finished"
    assert again.run_id == first.run_id
    assert again.counts == first.counts
    assert again.files == first.files


def test_resume_auto_goes_on_or_starts_anew(config: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    config["writer"]["options"]["if_exists"] = "number"
    error = interrupt(config, state)
    assert ozzy.run(config, state_dir=state, resume="auto").run_id == error.run_id
    assert ozzy.run(config, state_dir=state, resume="auto").run_id != error.run_id
    assert (tmp_path / "out/all0001.jl").read_bytes() == (tmp_path / "out/all0000.jl").read_bytes()


def test_fresh_gives_up_the_old_run(config: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    error = interrupt(config, state)
    assert list((tmp_path / "out").glob(".ozzy-*"))

    result = ozzy.run(config, state_dir=state, fresh=True)

    assert result.run_id != error.run_id
    assert result.records_read == 100
    assert f"run {error.run_id} was abandoned" in " ".join(result.notices)
    assert not list((tmp_path / "out").glob(".ozzy-*"))
    assert error.run_id is not None
    with pytest.raises(StateError, match="abandoned"):
        ozzy.resume(error.run_id, state_dir=state)


def test_fresh_names_what_the_old_run_had_published_and_finds_its_old_place(config: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    config["checkpoint"] = {"full_every": {"records": 20}}
    config["writer"]["options"]["filebase"] = f"{tmp_path}/elsewhere/all"
    interrupt(config, state, batches=5)
    assert list((tmp_path / "elsewhere").glob(".ozzy-*"))
    config["writer"]["options"]["filebase"] = f"{tmp_path}/out/all"

    result = ozzy.run(config, state_dir=state, fresh=True)

    assert f"2 files that it had published are left: {tmp_path}/elsewhere/all0000.jl, {tmp_path}/elsewhere/all0001.jl" in result.notices[0]
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["all0000.jl", "all0001.jl"]


@pytest.mark.parametrize("file", ["run.json", "checkpoint.json"])
def test_a_run_whose_state_is_damaged_refuses_and_can_be_given_up(file: str, config: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    run_id = interrupt(config, state).run_id
    assert run_id is not None
    [damaged] = state.glob(f"*/*/{file}")
    damaged.write_text("garbage")

    for asked in (True, "auto"):
        with pytest.raises(StateError, match=rf"{file} is damaged"):
            ozzy.run(config, state_dir=state, resume=asked)  # type: ignore[arg-type]
    with pytest.raises(StateError, match=rf"{file} is damaged"):
        ozzy.resume(run_id, state_dir=state)
    with pytest.raises(StateError):
        ozzy.run(config, state_dir=state)

    result = ozzy.run(config, state_dir=state, fresh=True)

    assert f"run {run_id} was abandoned" in result.notices[0]
    assert ("what it had published is not known" in result.notices[0]) == (file == "checkpoint.json")
    assert not list((tmp_path / "out").glob(".ozzy-*"))
    assert ozzy.run(config, state_dir=state, resume=True).state == "already finished"


def test_a_changed_config_refuses_to_resume(config: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    interrupt(config, state)
    config["filter"]["options"]["keys"][0]["value"] = "uk"

    with pytest.raises(StateError) as raised:
        ozzy.run(config, state_dir=state, resume=True)

    assert "filter_before.options.keys.0.value: was 'es', is 'uk'" in str(raised.value)


def test_resume_by_id_needs_no_config(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(config))
    error = interrupt(file, tmp_path / "state", set={"writer.options.compression": "gz"}, limit=90)
    file.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert error.run_id is not None

    result = ozzy.resume(error.run_id, state_dir=tmp_path / "state")

    assert result.records_read == 90
    assert [row["id"] for row in rows(tmp_path / "out/all0000.jl.gz")] == [i for i in range(90) if i % 3]


def test_relative_paths_belong_to_where_the_run_began(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config["reader"]["options"]["input"] = "in"
    config["writer"]["options"]["filebase"] = "here/all"
    monkeypatch.chdir(tmp_path)
    error = interrupt(config, tmp_path / "state")
    monkeypatch.chdir("/")
    assert error.run_id is not None

    ozzy.resume(error.run_id, state_dir=tmp_path / "state")

    assert (tmp_path / "here/all0000.jl").exists()


def test_a_dry_run_leaves_no_trace(config: dict[str, Any], tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))

    result = ozzy.run(config, state_dir=tmp_path / "state", dry_run=True)

    assert sorted(tmp_path.rglob("*")) == before
    assert result.state == "dry run"
    assert (result.records_read, result.records_written) == (100, 66)
    assert [(file.name, file.rows) for file in result.files] == [("all0000.jl", 66)]


def test_a_limit_counts_records_read(config: dict[str, Any], tmp_path: Path) -> None:
    result = ozzy.run(config, state_dir=tmp_path / "state", limit=25)

    assert result.state == "finished"
    assert result.records_read == 25
    assert [row["id"] for row in rows(tmp_path / "out/all0000.jl")] == [i for i in range(25) if i % 3]


def test_items_limit_ends_the_run_in_the_middle_of_a_batch(config: dict[str, Any], tmp_path: Path) -> None:
    config["writer"]["options"]["items_limit"] = 7

    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert len(rows(tmp_path / "out/all0000.jl")) == 7
    assert result.counts["writer"].records_out == 7
    assert result.counts["writer"].reasons["limited"] > 0


def test_a_name_that_is_taken_stops_the_run_before_anything_is_lost(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/all0000.jl").write_text("precious")

    with pytest.raises(DestinationError, match=r"all0000\.jl exists already"):
        ozzy.run(config, state_dir=tmp_path / "state")

    assert (tmp_path / "out/all0000.jl").read_text() == "precious"


@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_bad_records(config: dict[str, Any], source: Path, tmp_path: Path, policy: str) -> None:
    (source / "part-0.jl").write_text('{"country": "es"}\nnonsense\n\n{"country": "es"\n')
    config["errors"] = {"policy": policy}
    if policy == "fail":
        with pytest.raises(DataError, match=r"part-0\.jl, line 2"):
            ozzy.run(config, state_dir=tmp_path / "state")
        return

    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert result.counts["reader"].reasons == {"bad": 2, "blank": 1}
    assert result.records_read == 51


def test_too_many_bad_records_fail(config: dict[str, Any], source: Path, tmp_path: Path) -> None:
    (source / "part-0.jl").write_text("a\nb\nc\n")
    config["errors"] = {"policy": "skip", "limit": 2}

    with pytest.raises(DataError, match="more than 2 bad records"):
        ozzy.run(config, state_dir=tmp_path / "state")


def test_an_unnamed_mapping_leaves_no_state_and_can_not_be_resumed(config: dict[str, Any], tmp_path: Path) -> None:
    del config["name"]
    ozzy.run(config, state_dir=tmp_path / "state")
    assert not list((tmp_path / "state").iterdir())
    with pytest.raises(ConfigError, match="needs a `name`"):
        ozzy.run(config, state_dir=tmp_path / "state", resume=True)

    config["reader"]["options"]["input"] = "missing"
    with pytest.raises(SourceError):
        ozzy.run(config, state_dir=tmp_path / "state")
    assert not list((tmp_path / "state").iterdir())


def test_two_runs_at_once(config: dict[str, Any], tmp_path: Path) -> None:
    class Meddler(Listener):
        def batch_done(self, progress: Progress) -> None:
            with pytest.raises(StateError, match="is running already"):
                ozzy.run(config, state_dir=tmp_path / "state")

    assert ozzy.run(config, state_dir=tmp_path / "state", listener=Meddler()).state == "finished"


def test_a_source_that_changed_stops_a_resume(config: dict[str, Any], source: Path, tmp_path: Path) -> None:
    interrupt(config, tmp_path / "state", batches=2)
    with (source / "part-0.jl").open("a") as file:
        file.write('{"id": 1000, "country": "es"}\n')

    with pytest.raises(SourceError, match=r"part-0\.jl"):
        ozzy.run(config, state_dir=tmp_path / "state", resume=True)


def test_files_that_came_later_are_not_part_of_the_run(config: dict[str, Any], source: Path, tmp_path: Path) -> None:
    interrupt(config, tmp_path / "state", batches=2)
    (source / "part-00.jl").write_text('{"id": 1000, "country": "es"}\n')

    result = ozzy.run(config, state_dir=tmp_path / "state", resume=True)

    assert result.records_read == 100


def test_read_gives_records_up_to_the_last_filter(config: dict[str, Any]) -> None:
    del config["writer"]

    found = ozzy.read(config)

    assert isinstance(found, Iterator)
    assert [record["id"] for record in found] == [i for i in range(100) if i % 3]


def test_preview_shows_records_side_by_side(config: dict[str, Any]) -> None:
    stages = ozzy.preview(config, 3)

    assert [stage.name for stage in stages] == ["reader", "filter_before"]
    assert [record and record["id"] for record in stages[0].records] == [0, 1, 2]
    assert [record and record["id"] for record in stages[1].records] == [None, 1, 2]


def test_explain_works_out_the_guarantee(config: dict[str, Any], tmp_path: Path) -> None:
    explanation = ozzy.explain(config, state_dir=tmp_path / "state")
    assert explanation.guarantee.level == "exactly once"
    assert explanation.guarantee.weaknesses == []
    assert {module.stage: module.name for module in explanation.modules}["writer"] == "fs"
    assert not (tmp_path / "state").exists()

    config["writer"] = "console"
    explanation = ozzy.explain(config)
    assert explanation.guarantee.level == "at least once"
    assert explanation.guarantee.weaknesses[0].part == "writer (console)"

    config["delivery"] = "exactly once"
    with pytest.raises(ConfigError, match=r"console.*no staging"):
        ozzy.run(config, state_dir=tmp_path / "state")


def test_validate_finds_every_problem_and_tells_origins(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    validation = ozzy.validate(config, set={"reader.options.batch_size": "7"})
    origins = {module.section.path: module.origins for module in validation.modules}
    assert str(origins["reader"]["batch_size"]) == "--set"
    assert str(origins["writer"]["filebase"]) == "config"
    assert str(origins["writer"]["items_limit"]) == "default"

    config["reader"]["options"]["batch_size"] = "many"
    config["writer"]["options"]["filebas"] = 1
    with pytest.raises(ConfigError) as raised:
        ozzy.validate(config)
    assert {problem.path for problem in raised.value.problems} == {"reader.options.batch_size", "writer.options.filebas"}


def test_the_inherited_way_in(config: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(config))

    BasicExporter.from_file_configuration(str(file)).export()

    assert (tmp_path / "out/all0000.jl").exists()
    assert (tmp_path / ".ozzy").is_dir()


def test_every_error_is_an_ozzy_error(tmp_path: Path) -> None:
    with pytest.raises(OzzyError, match="exclude each other"):
        ozzy.run({}, resume=True, fresh=True)
    with pytest.raises(OzzyError, match="limit must be at least 1"):
        ozzy.run({}, limit=0)


def test_several_writers_get_every_record(config: dict[str, Any], tmp_path: Path) -> None:
    config["writer"] = [
        {"name": "fs", "label": "first", "options": {"filebase": f"{tmp_path}/out/a", "compression": "none"}},
        {"name": "fs", "label": "second", "options": {"filebase": f"{tmp_path}/out/b"}},
    ]

    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert rows(tmp_path / "out/a0000.jl") == rows(tmp_path / "out/b0000.jl.gz")
    assert {file.writer for file in result.files} == {"first", "second"}


def test_a_listener_sees_the_pipeline_before_anything_begins(config: dict[str, Any], tmp_path: Path) -> None:
    class Looker(Listener):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def pipeline_built(self, pipeline: Any) -> None:
            self.seen.append(pipeline)

        def run_started(self, run_id: str, pipeline: str, *, resumed: bool, prints: bool = False) -> None:
            self.seen.append(run_id)

    looker = Looker()
    result = ozzy.run(config, state_dir=tmp_path / "state", listener=looker)
    built, run_id = looker.seen
    assert isinstance(built, ozzy.Pipeline)
    assert built.metadata.per_module["reader"]["read_items"] == result.records_read
    assert run_id == result.run_id


def test_a_pipeline_that_is_built_already_is_the_one_that_runs(config: dict[str, Any], tmp_path: Path) -> None:
    from ozzy.plan.config import load_config
    from ozzy.plan.pipeline import build, metadata_of
    from ozzy.run.start import Start

    loaded, registry = load_config(config), ozzy.Registry.load()
    pipeline = build(loaded, registry, metadata_of(loaded))
    start = Start(loaded, {}, tmp_path / "state", None, None, None, registry, built=pipeline)
    assert start.go(False).state == "finished"
    assert pipeline.metadata.run_id
    assert start.built is None
