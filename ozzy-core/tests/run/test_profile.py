"""The profile of a run: what it tells of each stage, and that it is there only where it was asked for."""

import gzip
import json

import pytest

import ozzy
from ozzy.data.codecs import open_decompressed
from ozzy.data.read_clock import ReadClock
from ozzy.run import profile as profiles
from ozzy.run.result import Result, StageResult


@pytest.fixture
def config(tmp_path):
    source = tmp_path / "in.jl.gz"
    source.write_bytes(gzip.compress(b"".join(b'{"a":%d,"t":"%s"}\n' % (number, b"x" * 50) for number in range(5000))))
    return {
        "name": "profiled",
        "reader": {"name": "fs", "options": {"input": str(source)}},
        "filter": {"name": "key_value", "options": {"keys": [{"name": "a", "value": 2500, "operator": "<"}]}},
        "transform": {"name": "python_exp", "options": {"python_expressions": ["item.update({'b': 1})"]}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out/kept"), "if_exists": "overwrite"}},
    }


def run(config, tmp_path, **more):
    return ozzy.run(config, state_dir=tmp_path / "state", **more)


def test_every_stage_is_told_with_what_it_got(config, tmp_path):
    profile = run(config, tmp_path, profile=True).profile
    stages = {stage.name: stage for stage in profile.stages}
    parts = ["reading", "decompressing", "decoding and checking"]
    assert list(stages) == ["reader", *parts, "filter_before", "transform", "writer", "checkpoints", "around it"]
    assert [stage.name for stage in profile.stages if stage.part] == parts
    assert {name: stages[name].face for name in ("reader", "filter_before", "transform", "writer")} == {
        "reader": "lines",
        "filter_before": "lines",
        "transform": "records",
        "writer": "records",
    }


def test_parts_add_up_to_their_stage_and_shares_to_the_whole(config, tmp_path):
    profile = run(config, tmp_path, profile=True).profile
    reader, *parts = profile.stages[:4]
    assert sum(part.seconds for part in parts) == pytest.approx(reader.seconds)
    assert all(part.seconds > 0 for part in parts)
    assert sum(stage.share for stage in profile.stages if not stage.part) == pytest.approx(1)
    assert profile.checkpoints == 1
    assert profile.memory > 1_000_000


def test_without_being_asked_for_it_is_neither_measured_nor_told(config, tmp_path):
    result = run(config, tmp_path)
    assert result.profile is None
    assert "profile" not in result.to_dict()


def test_it_is_plain_json(config, tmp_path):
    told = json.loads(json.dumps(run(config, tmp_path, profile=True).to_dict()["profile"]))
    assert set(told) == {"stages", "checkpoints", "memory"}
    assert set(told["stages"][0]) == {"name", "seconds", "share", "records_per_second", "bytes_per_second", "face", "part"}


def test_a_reader_without_streams_has_no_parts_and_no_bytes(tmp_path):
    reader = {"name": "random", "options": {"number_of_items": 20}}
    writer = {"name": "fs", "options": {"filebase": str(tmp_path / "out")}}
    stages = run({"name": "r", "reader": reader, "writer": writer}, tmp_path, profile=True).profile.stages
    assert [stage.name for stage in stages] == ["reader", "writer", "checkpoints", "around it"]
    assert [stage.face for stage in stages[:1]] == ["records"]
    assert all(stage.bytes_per_second is None for stage in stages)


def test_a_dry_run_has_one_too(config, tmp_path):
    assert run(config, tmp_path, profile=True, dry_run=True).profile.checkpoints == 0


def test_rates_are_of_what_went_in():
    counts = {"reader": StageResult(100, 100), "filter_before": StageResult(100, 10, {"filtered": 90}), "quick": StageResult(10, 10)}
    times = {"reader": 2.0, "filter_before": 0.5, "quick": 0.0}
    result = Result("r", "p", "finished", counts=counts, times=times, duration=4.0, records_read=100, bytes_read=1000)
    profile = profiles.Profile()
    profile.began -= 4.0
    reader, filter_, quick, rest = profile.report(result).stages
    assert (reader.records_per_second, reader.bytes_per_second, reader.share) == (50.0, 500.0, pytest.approx(0.5, abs=0.1))
    assert (filter_.records_per_second, filter_.bytes_per_second) == (200.0, 2000.0)
    assert (quick.records_per_second, quick.bytes_per_second) == (None, None)
    assert (rest.seconds, rest.records_per_second) == (pytest.approx(1.5, abs=0.5), None)


def test_memory_is_told_where_there_is_no_proc(monkeypatch):
    monkeypatch.setattr(profiles.Path, "read_text", lambda *_, **__: "")
    assert profiles.peak_memory() > 1_000_000


def test_a_measured_file_is_the_same_file(tmp_path):
    path = tmp_path / "in.gz"
    path.write_bytes(gzip.compress(b"some content" * 1000))
    clock = ReadClock()
    with path.open("rb") as raw:
        source = clock.stream(open_decompressed(clock.raw(raw), "auto", name="in"))
        assert source.read(4) + source.read() == b"some content" * 1000
    assert clock.reading > 0
    assert clock.streaming > 0
