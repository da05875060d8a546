"""The scripted reader: records, and faults between them."""

import json

import pytest

import ozzy
from ozzy import Batch, DataError, SourceError, Split
from ozzy.testing import Abort, Bad, End, Pause, ReaderContract, ScriptedReader, registry
from ozzy.testing.modules import HOOKS


class TestScriptedReader(ReaderContract):
    module = ScriptedReader
    options = {"items": [{"id": 1, "nested": {"a": [1]}}, Bad(), {"id": 2}, Pause(), {"id": 3}], "count": 9, "batch_size": 3}  # noqa: RUF012


def pipeline(tmp_path, items, **more):
    return {
        "name": "scripted",
        "reader": {"name": "scripted", "options": {"items": items, "batch_size": 2}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out"), "compression": "none"}},
        "checkpoint": {"every_records": 1},
        **more,
    }


def ids(tmp_path):
    return [json.loads(line)["id"] for path in sorted(tmp_path.glob("out*.jl")) for line in path.read_text().splitlines()]


def test_a_crash_and_a_resume_are_six_lines(tmp_path):
    config = pipeline(tmp_path, [{"id": 1}, {"id": 2}, {"id": 3}, Abort("the pipe bursts"), {"id": 4}])
    with pytest.raises(SourceError, match="reading was aborted: the pipe bursts"):
        ozzy.run(config, registry=registry(), state_dir=tmp_path / "state")
    assert ids(tmp_path) == []

    ozzy.run(config, registry=registry(), state_dir=tmp_path / "state", resume=True)

    assert ids(tmp_path) == [1, 2, 3, 4]


def test_a_source_ends_and_a_later_run_finds_more(tmp_path):
    config = pipeline(tmp_path, [{"id": 1}, End(), {"id": 2}])

    read = [ozzy.run(config, registry=registry(), state_dir=tmp_path / "state", dry_run=True).records_read for _ in range(2)]

    assert read == [1, 2]


def test_a_bad_row_is_refused_with_its_place(tmp_path):
    config = pipeline(tmp_path, [{"id": 1}, Bad("{nothing", "no JSON"), {"id": 2}])
    with pytest.raises(DataError, match="script, item 2: no JSON"):
        ozzy.run(config, registry=registry(), state_dir=tmp_path / "state")

    result = ozzy.run(config | {"errors": {"policy": "skip"}}, registry=registry(), state_dir=tmp_path / "state", fresh=True)

    assert (result.records_read, result.counts["reader"].reasons, ids(tmp_path)) == (2, {"bad": 1}, [1, 2])


def test_a_pause_is_an_empty_batch():
    reader = ScriptedReader({"options": {"items": [{"id": 1}, Pause(0.001), {"id": 2}]}})

    assert [(len(batch), batch.position) for batch in reader.read(Split(), None)] == [(1, 1), (0, 2), (1, 3)]


def test_markers_survive_a_config_file(tmp_path):
    config = pipeline(tmp_path, [{"id": 1}, Abort(), {"id": 2}])
    (tmp_path / "config.json").write_text(json.dumps(config))

    with pytest.raises(SourceError, match="the script says so"):
        ozzy.run(tmp_path / "config.json", registry=registry(), state_dir=tmp_path / "state")


def test_records_are_copies():
    reader = ScriptedReader({"options": {"items": [{"id": 1, "tags": []}]}})
    for batch in reader.read(Split(), None):
        batch.records[0]["tags"].append("changed")

    assert [batch.records for batch in reader.read(Split(), None)] == [[{"id": 1, "tags": []}]]
    assert isinstance(batch, Batch)


def test_every_kind_has_its_hook_in_the_registry():
    from ozzy.hookspecs import KINDS

    assert KINDS == HOOKS
