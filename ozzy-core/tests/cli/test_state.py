"""`ozzy state show`, `check` and `rewind`."""

import io
import json
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

from ozzy.contracts import file_writer
from ozzy.errors import StateError
from ozzy.run.runs import Lease, StateFolder
from ozzy.run.state import rewind
from ozzy.staging.files import StagedFiles
from ozzy.staging.state_files import read_json, write_json

ROWS = 120
BAD = "{nonsense\n"


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(2):
        rows = "".join(json.dumps({"id": part * 60 + i, "text": "x" * 50}) + "\n" for i in range(60))
        (folder / f"part-{part}.jl").write_text(rows + (BAD if part else ""))
    return folder


@pytest.fixture
def failed(ozzy, config, sources):
    """Makes a run that fails at a bad record at its end, with checkpoints as asked for; its id."""

    def make(checkpoint, **more):
        reader = {"name": "fs", "options": {"input": "in", "batch_size": 20}}
        assert ozzy("run", config(reader=reader, checkpoint=checkpoint, **more)).code == 5
        return ozzy("runs", "list", "--json").json[-1]["run"]

    return make


LIGHT = {"every_records": 20}
BOTH = {"every_records": 20, "full_every": {"records": 80}}
SKIP = ("--set", "errors.policy=skip")


def folder_of(run_id):
    (folder,) = Path(".ozzy").glob(f"*/{run_id}")
    return folder


def record_of(run_id):
    return StateFolder(Path(".ozzy")).find(run_id)


def ids():
    return [json.loads(line)["id"] for path in sorted(Path("out").glob("*.jl")) for line in path.read_text().splitlines()]


def finishes_whole(ozzy):
    assert ozzy("run", "c.json", "--resume", *SKIP).code == 0
    return ids() == list(range(ROWS))


def test_a_run_is_shown_where_it_stands(ozzy, failed):
    run_id = failed(BOTH)

    lines = ozzy("state", "show", "c.json").out.splitlines()

    assert lines[0] == f"{run_id}  failed"
    assert lines[1:3] == ["  pipeline: numbers", "  lease: free, epoch 1"]
    assert lines[3].startswith("  checkpoint: light, number 1, committed, of 2")
    assert lines[3].endswith("; the last full one: 1")
    assert "  the one before: light 1, committed" in lines or "  the one before: full 1, committed" in lines
    assert "  in/part-0.jl: done" in lines
    assert any(line.startswith("  in/part-1.jl: under way at {") and line.endswith(", and 0 rows") for line in lines)
    assert any(line.startswith("  writer: files 1 published, 0 finished, 1 open; ") for line in lines)
    assert ozzy("state", "show", run_id[:-2]).out.splitlines() == lines


def test_a_run_is_shown_as_json(ozzy, failed):
    run_id = failed(LIGHT)

    told = ozzy("state", "show", run_id, "--json").json

    assert (told["run"], told["state"], told["lease"]["held"]) == (run_id, "failed", False)
    assert (told["checkpoint"]["kind"], told["checkpoint"]["last_full"]) == ("light", None)
    assert told["checkpoint"]["writers"]["writer"]["written"] == told["checkpoint"]["books"]["reader"]["out"]
    assert [split["state"] for split in told["checkpoint"]["splits"]] == ["done", "under way"]


def test_a_finished_run_and_one_without_a_checkpoint_are_shown(ozzy, config, failed, sources):
    (sources / "part-0.jl").write_text(BAD)
    run_id = failed({"every_seconds": 100})
    assert "no checkpoint yet: a resume starts at the beginning" in ozzy("state", "show", run_id).out
    assert ozzy("state", "show", run_id, "--json").json["checkpoint"] is None

    ozzy("run", config(name="other", writer={"name": "console", "options": {}}))
    told = ozzy("state", "show", "c.json")
    assert (told.code, "full, number 1, committed" in told.out) == (0, True)
    assert ozzy("state", "show", "c.json", "--json").json["checkpoint"]["writers"] == {"writer": {"written": 30, "ignored": 0}}


def test_many_parts_are_cut(ozzy, failed, sources):
    for number in range(30):
        (sources / f"z{number:02}.jl").write_text("{}\n")
    run_id = failed(LIGHT)
    assert "  and 12 parts more of the source" in ozzy("state", "show", run_id).out.splitlines()


def test_what_is_not_there_is_told(ozzy, config):
    assert ozzy("state", "show", "none").code == 7
    told = ozzy("state", "show", config())
    assert (told.code, "no run of c.json has begun" in told.err) == (7, True)


def test_the_holder_of_the_lease_is_shown(ozzy, failed):
    run_id = failed(LIGHT)
    lease = Lease(folder_of(run_id).parent).take(run_id)
    try:
        assert f"lease: held by run {run_id}, process {os.getpid()} on " in ozzy("state", "show", run_id).out
    finally:
        lease.release()


def test_healthy_state_is_well(ozzy, failed):
    assert ozzy("state", "check").out == "all is well: 0 runs\n"
    failed(BOTH)
    told = ozzy("state", "check")
    assert (told.code, told.out) == (0, "all is well: 1 run\n")
    assert ozzy("state", "check", "--json").json == []


@pytest.mark.parametrize("name", ["run.json", "checkpoint.json", "checkpoint.1.json", "../lease.json"])
def test_a_damaged_file_is_named(name, ozzy, failed):
    path = folder_of(failed(LIGHT)) / name
    path.write_text(path.read_text()[:-9])

    told = ozzy("state", "check")
    assert told.code == 7
    assert any(line.endswith(f"{path.name}: its checksum does not match") for line in told.out.splitlines())


def test_a_folder_that_can_not_be_listed_is_named_and_the_rest_is_looked_at(ozzy, failed, monkeypatch):
    folder = folder_of(failed(LIGHT))
    (folder.parent / "lease.json").write_text("{")
    listed = Path.iterdir

    def iterdir(path):
        if path.name == folder.parent.name:
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)

    told = ozzy("state", "check")

    assert told.code == StateError.exit_code
    assert told.out.splitlines()[0].endswith("lease.json: its checksum does not match")
    assert told.out.splitlines()[1:] == [f"{folder.parent.absolute()}: can't be listed: Permission denied", "not well: 2 things wrong"]


def test_a_list_of_splits_that_is_missing_or_changed_is_named(ozzy, failed):
    path = folder_of(failed(LIGHT)) / "splits.jsonl"
    text = path.read_text()
    path.write_text(text + text)
    assert "splits.jsonl: is not the list that the checkpoint was made with" in ozzy("state", "check").out
    path.unlink()
    assert "splits.jsonl: is missing" in ozzy("state", "check").out


def test_staged_data_that_is_not_as_the_checkpoint_says_is_named(ozzy, failed):
    run_id = failed(LIGHT, writer={"name": "fs", "options": {"filebase": "out/x", "compression": "none", "items_per_buffer_write": 50}})
    staged = Path(f"out/.ozzy-{run_id}/writer")
    closed = staged / "000000.part"
    closed.write_bytes(closed.read_bytes()[:-1])
    (tails,) = [
        path
        for path in staged.glob("tails-*")
        if path.name == read_json(folder_of(run_id) / "checkpoint.json")["writers"]["writer"]["tails"]["file"]
    ]
    tails.unlink()

    out = ozzy("state", "check").out
    assert "000000.part: the checkpoint counts on " in out
    assert f"{tails.name}: the rows that wait there are missing or damaged" in out


def test_an_open_file_that_is_too_short_is_named(ozzy, failed):
    run_id = failed(LIGHT)
    path = folder_of(run_id) / "checkpoint.json"
    document = read_json(path)
    document["writers"]["writer"]["open"][0]["length"] = 1234
    write_json(path, document)

    assert "000000.part: the checkpoint counts on 1,234 bytes, there are 0" in ozzy("state", "check").out


def test_staging_folders_that_nobody_needs_are_named(ozzy, failed):
    failed(BOTH)
    Path("out/.ozzy-20200101-000000-abcdef").mkdir()
    Path("out/.ozzy-file").write_text("")

    told = ozzy("state", "check", "--json")
    assert told.code == 7
    assert [flaw["path"].rpartition("/")[2] for flaw in told.json] == [".ozzy-20200101-000000-abcdef"]


def test_a_folder_without_a_run_is_named(ozzy, failed):
    (folder_of(failed(LIGHT)).parent / "stray").mkdir()
    assert "stray: has no run.json: no run is known by it" in ozzy("state", "check").out


def test_orphans_beside_the_outputs_of_finished_runs_are_found(ozzy, config):
    ozzy("run", config())
    Path("out/.ozzy-old").mkdir()
    assert "out/.ozzy-old: staged data of a run that is over" in ozzy("state", "check").out


def test_a_run_goes_back_to_its_start_while_nothing_is_published(ozzy, failed):
    run_id = failed(LIGHT)

    told = ozzy("state", "rewind", run_id, "--to", "start", "--yes")

    assert (told.code, told.out) == (0, f"run {run_id} stands at its start\nGo on with it: ozzy resume {run_id}\n")
    again = ozzy("state", "rewind", run_id, "--to", "start", "--yes").out
    assert again.startswith(f"run {run_id} has no checkpoint yet: it stands at its start")
    assert finishes_whole(ozzy)


def test_what_is_published_keeps_a_run_from_its_start(ozzy, failed):
    run_id = failed(BOTH)

    told = ozzy("state", "rewind", run_id, "--to", "start", "--yes")

    assert told.code == 7
    assert "has published what it read up to checkpoint 1, and that would come twice" in told.err


def test_a_run_goes_back_to_its_last_full_checkpoint(ozzy, failed):
    run_id = failed(BOTH)

    assert ozzy("state", "rewind", run_id, "--to", "last-full", "--yes").out.startswith(
        f"run {run_id} stands at its last full checkpoint, 1\n"
    )
    assert ozzy("state", "show", run_id, "--json").json["checkpoint"]["kind"] == "full"
    again = ozzy("state", "rewind", run_id, "--to", "last-full", "--yes").out
    assert again.startswith(f"run {run_id} stands at its last full checkpoint, 1, already")
    assert finishes_whole(ozzy)


def test_without_a_full_checkpoint_the_last_full_one_is_the_start(ozzy, failed):
    run_id = failed(LIGHT)
    assert ozzy("state", "rewind", run_id, "--to", "last-full", "--yes").out.startswith(f"run {run_id} stands at its start")
    assert finishes_whole(ozzy)


@pytest.mark.parametrize("checkpoint", [LIGHT, BOTH])
def test_a_damaged_checkpoint_is_mended_by_the_one_before(checkpoint, ozzy, failed):
    run_id = failed(checkpoint)
    (folder_of(run_id) / "checkpoint.json").write_text("{}")
    refused = ozzy("run", "c.json", "--resume", *SKIP)
    assert refused.code == 7
    assert f"ozzy state rewind {run_id} --to previous" in refused.err

    told = ozzy("state", "rewind", run_id, "--to", "previous", "--yes")

    assert (told.code, told.out.startswith(f"run {run_id} stands at its ")) == (0, True)
    assert finishes_whole(ozzy)


def test_a_readable_checkpoint_can_be_left_for_the_one_before(ozzy, failed):
    run_id = failed(LIGHT)
    assert ozzy("state", "rewind", run_id, "--to", "previous", "--yes").code == 0
    assert finishes_whole(ozzy)


def damaged(ozzy, failed, **changes):
    """A run whose checkpoint is damaged, and whose generation before is changed; its id and staging folder."""
    run_id = failed(LIGHT)
    folder = folder_of(run_id)
    (folder / "checkpoint.json").write_text("{}")
    previous = read_json(folder / "checkpoint.1.json")
    previous["writers"]["writer"] |= changes
    write_json(folder / "checkpoint.1.json", previous)
    return run_id, Path(f"out/.ozzy-{run_id}/writer")


def refused(ozzy, run_id):
    told = ozzy("state", "rewind", run_id, "--to", "previous", "--yes")
    assert told.code == 7
    return told.err


def test_what_was_published_since_keeps_a_run_from_the_generation_before(ozzy, failed):
    run_id, staged = damaged(ozzy, failed)
    (staged / "000000.part").write_text("rows")
    os.link(staged / "000000.part", "out/numbers0000.jl")

    assert "has published since the previous generation" in refused(ozzy, run_id)


def test_staged_data_that_is_gone_keeps_a_run_from_the_generation_before(ozzy, failed):
    run_id, staged = damaged(ozzy, failed)
    for path in staged.iterdir():
        path.unlink()

    assert "is not what the previous generation says" in refused(ozzy, run_id)


def test_where_nothing_is_staged_all_may_be_published(ozzy, failed):
    run_id, staged = damaged(ozzy, failed, final=True)
    for path in staged.iterdir():
        path.unlink()

    assert "either nothing was written since, or all is published and would come twice" in refused(ozzy, run_id)


def test_a_writer_that_can_not_be_looked_into_keeps_a_run_from_the_generation_before(ozzy, failed):
    run_id = failed(LIGHT, writer={"name": "console", "options": {}})
    (folder_of(run_id) / "checkpoint.json").write_text("{}")

    assert "can't be seen from here, and might come twice" in refused(ozzy, run_id)


def test_samples_and_what_stages_remember_belong_to_what_is_checked(ozzy, failed):
    sample = {"filebase": "out/sample", "write_buffer": "reservoir_sampling", "write_buffer_options": {"sample_size": 3, "seed": 1}}
    dupe = {"name": "dupe", "options": {"key_field": "id"}}
    run_id = failed(LIGHT, filter=["no_filter", dupe], writer={"name": "fs", "options": sample})
    assert ozzy("state", "check").code == 0
    (folder_of(run_id) / "sample-writer.jsonl").write_text("")
    shutil.rmtree(folder_of(run_id) / "stages")

    told = ozzy("state", "check")

    assert told.code == 7
    assert "sample-writer.jsonl: the sample that the checkpoint counts on is missing or damaged" in told.out
    assert "stages/filter_before.1: what a stage remembers there is missing" in told.out


@pytest.mark.parametrize("target", ["previous", "last-full", "start"])
def test_what_is_remembered_goes_back_with_the_run(target, ozzy, config, failed):
    more = {
        "filter": [{"name": "dupe", "options": {"key_field": "id", "memory": "64 KiB"}}],
        "writer": [
            {"name": "fs", "label": "all", "options": {"filebase": "out/all", "compression": "none"}},
            {"name": "aggregation", "options": {"path": "out/fields.json"}},
            {
                "name": "fs",
                "label": "some",
                "options": {
                    "filebase": "out/some",
                    "compression": "none",
                    "write_buffer": "reservoir_sampling",
                    "write_buffer_options": {"sample_size": 7, "seed": 1},
                },
            },
        ],
        "errors": {"policy": "fail"},
    }
    run_id = failed(LIGHT, **more)
    assert ozzy("state", "rewind", run_id, "--to", target, "--yes").code == 0
    assert ozzy("resume", run_id, *SKIP, "--accept-changes").code == 0
    found = {path.name: path.read_bytes() for path in Path("out").iterdir() if path.is_file()}
    shutil.rmtree("out")
    calm = config(name="calm", reader={"name": "fs", "options": {"input": "in", "batch_size": 20}}, checkpoint=LIGHT, **more)
    assert ozzy("run", calm, *SKIP).code == 0

    assert found == {path.name: path.read_bytes() for path in Path("out").iterdir() if path.is_file()}


@pytest.mark.parametrize("target", ["previous", "last-full", "start"])
def test_a_prepared_checkpoint_is_for_a_resume_to_decide(target, ozzy, failed):
    run_id = failed(LIGHT)
    path = folder_of(run_id) / "checkpoint.json"
    write_json(path, read_json(path) | {"phase": "prepared"})

    with pytest.raises(StateError, match="is prepared: some of it may be published already"):
        rewind(record_of(run_id), target)


def test_a_prepared_generation_before_is_safe_to_go_back_to(ozzy, failed):
    run_id = failed(BOTH)
    folder = folder_of(run_id)
    full = read_json(folder / "checkpoint.json")["last_full"]
    prepared = full | {"phase": "prepared", "previous": None, "last_full": None}
    write_json(folder / "checkpoint.1.json", prepared)
    (folder / "checkpoint.json").write_text("{}")

    assert ozzy("state", "rewind", run_id, "--to", "previous", "--yes").out.startswith(f"run {run_id} stands at its full checkpoint of ")
    assert finishes_whole(ozzy)


def test_a_run_that_is_over_or_has_no_generation_before_is_not_put_back(ozzy, config, failed, sources):
    (sources / "part-0.jl").write_text(BAD)
    with pytest.raises(StateError, match="has no generation before its checkpoint"):
        rewind(record_of(failed({"every_seconds": 100})), "previous")
    ozzy("run", config(file="d.json", name="done"))
    (done,) = [run["run"] for run in ozzy("runs", "list", "--json").json if run["state"] == "finished"]
    with pytest.raises(StateError, match="is finished: there is nothing to put back"):
        rewind(record_of(done), "start")


def test_a_checkpoint_kept_elsewhere_is_not_put_back(ozzy, failed):
    record = record_of(failed(LIGHT))
    record.facts["signature"]["persistence.name"] = "elsewhere"
    with pytest.raises(StateError, match="is not kept in files"):
        rewind(record, "start")


def test_a_run_under_way_is_not_put_back(ozzy, failed):
    run_id = failed(LIGHT)
    lease = Lease(folder_of(run_id).parent).take(run_id)
    try:
        assert "this pipeline is running already" in ozzy("state", "rewind", run_id, "--to", "start", "--yes").err
    finally:
        lease.release()


def test_without_yes_it_asks(ozzy, failed, monkeypatch):
    run_id = failed(LIGHT)
    before = (folder_of(run_id) / "checkpoint.json").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))

    told = ozzy("state", "rewind", run_id, "--to", "start")

    assert f"Put run {run_id} back to start?" in told.err
    assert (told.code, (folder_of(run_id) / "checkpoint.json").read_bytes()) == (130, before)


MANY = {"grouper": {"name": "file_key", "options": {"keys": ["id"]}}, "writer": {"name": "fs", "options": {"filebase": "out/{groups[0]}"}}}


@pytest.fixture
def spilled(failed, monkeypatch):
    """A run of many groups that failed: rows of most wait in the spill log; its id."""
    monkeypatch.setattr(file_writer, "StagedFiles", partial(StagedFiles, group_limit=5, receipt_limit=5))
    return failed(LIGHT, **MANY)


@pytest.mark.parametrize(
    ("pattern", "flaw"),
    [
        ("out/.ozzy-*/writer/*spill*", "the rows of further groups that wait there are missing"),
        (".ozzy/*/*/staged/writer.files", "the list of files that the checkpoint counts on is missing or damaged"),
    ],
)
@pytest.mark.parametrize("readable", [True, False], ids=["checkpoint readable", "checkpoint damaged"])
def test_what_the_generation_before_rests_on_is_looked_at_first(readable, pattern, flaw, ozzy, spilled):
    paths = list(Path().glob(pattern))
    assert paths
    for path in paths:
        path.unlink()
    if not readable:
        (folder_of(spilled) / "checkpoint.json").write_text("{}")

    told = refused(ozzy, spilled)

    assert f"run {spilled} can't go on from there: " in told
    assert flaw in told


def test_a_run_of_many_groups_goes_back_where_all_is_there(ozzy, spilled):
    assert ozzy("state", "rewind", spilled, "--to", "previous", "--yes").code == 0
    assert ozzy("run", "c.json", "--resume", *SKIP).code == 0
    assert len(list(Path("out").glob("*"))) == ROWS
