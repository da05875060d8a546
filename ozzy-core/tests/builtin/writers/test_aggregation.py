"""Writer `aggregation`: which fields records have, and how many have them."""

import json
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import ConfigError, DestinationError, Interrupted, Metadata
from ozzy.api import Listener, Stop
from ozzy.builtin.writers.aggregation import Counts


def source(tmp_path: Path, *records: Any) -> dict[str, Any]:
    path = tmp_path / "in.jl"
    text = "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return {"name": "fs", "options": {"input": str(path), "batch_size": 3}}


def run(tmp_path: Path, *records: Any, options: Any = None, how: Any = None, **config: Any) -> ozzy.Result:
    made = {"name": "counting", "reader": source(tmp_path, *records), "writer": {"name": "aggregation", "options": options or {}}, **config}
    return ozzy.run(made, state_dir=tmp_path / "state", **(how or {}))


RECORDS = [{"a": 1, "b": None}, {"a": 2}, {"a": 3, "ü b": []}, {}]
FIELDS = {
    "a": {"occurrences": 3, "coverage": 75.0},
    "b": {"occurrences": 1, "coverage": 25.0},
    "ü b": {"occurrences": 1, "coverage": 25.0},
}


def test_fields_are_counted_null_ones_too(tmp_path: Path) -> None:
    result = run(tmp_path, *RECORDS)
    assert result.summaries == {"writer": {"records": 4, "fields": FIELDS}}


def test_the_books_say_absorbed(tmp_path: Path) -> None:
    result = run(tmp_path, *RECORDS)
    counts = result.counts["writer"]
    assert (counts.records_in, counts.records_out, counts.reasons) == (4, 0, {"absorbed": 4})
    assert (result.records_written, result.files) == (0, [])


@pytest.mark.parametrize("face", ["lines", "records"])
def test_both_faces_count_the_same(tmp_path: Path, face: str) -> None:
    lines = ['{"a":1,"a":2}', '{"a\\u0062":1,"nested":{"inner":1}}', '{"ab":2}']
    more = {"grouper": {"name": "file_key", "options": {"keys": ["none"]}}} if face == "records" else {}
    more |= {"transform": [{"name": "no_transform"}]} if face == "records" else {}
    found = run(tmp_path, *lines, **more).summaries["writer"]["fields"]
    assert found == {
        "a": {"occurrences": 1, "coverage": 33.33},
        "ab": {"occurrences": 2, "coverage": 66.67},
        "nested": {"occurrences": 1, "coverage": 33.33},
    }


def test_without_records_there_is_an_empty_result(tmp_path: Path) -> None:
    result = run(tmp_path, options={"path": str(tmp_path / "fields.json")})
    assert json.loads((tmp_path / "fields.json").read_text()) == result.summaries["writer"] == {"records": 0, "fields": {}}


def test_each_group_has_counts_of_its_own(tmp_path: Path) -> None:
    records = [{"c": "es", "x": 1}, {"c": "uk"}, {"c": "es"}, {}, {"c": "uk", "x": 2}, {"c": "uk", "x": 2}]
    found = run(tmp_path, *records, grouper={"name": "file_key", "options": {"keys": ["c"]}}).summaries["writer"]
    assert found["records"] == 6
    assert [
        (group["group"], group["records"], {name: one["coverage"] for name, one in group["fields"].items()}) for group in found["groups"]
    ] == [
        (["es"], 2, {"c": 100.0, "x": 50.0}),
        (["uk"], 3, {"c": 100.0, "x": 66.67}),
        (["unknown"], 1, {}),
    ]


def test_the_result_is_a_file_where_a_path_is_given(tmp_path: Path) -> None:
    result = run(tmp_path, *RECORDS, options={"path": f"{tmp_path}/out/%Y/fields.json"})
    [file] = result.files
    assert json.loads(Path(file.path or "").read_text()) == result.summaries["writer"]
    assert (file.rows, Path(file.path or "").parent.name.isdigit()) == (4, True)
    assert [path.name for path in Path(file.path or "").parent.iterdir()] == ["fields.json"]


def test_a_name_that_is_taken_fails_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "fields.json").write_text("mine")
    with pytest.raises(DestinationError, match=r"fields\.json exists already"):
        run(tmp_path, "{", options={"path": str(tmp_path / "fields.json")})
    assert (tmp_path / "fields.json").read_text() == "mine"


def test_a_name_that_is_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    class Taking(Listener):
        def batch_done(self, progress: Any) -> None:
            (tmp_path / "fields.json").write_text("mine")

    with pytest.raises(DestinationError, match=r"fields\.json exists already"):
        run(tmp_path, {}, options={"path": str(tmp_path / "fields.json")}, how={"listener": Taking()})
    assert (tmp_path / "fields.json").read_text() == "mine"


def test_it_may_be_overwritten(tmp_path: Path) -> None:
    (tmp_path / "fields.json").write_text("old")
    run(tmp_path, {"a": 1}, options={"path": str(tmp_path / "fields.json"), "if_exists": "overwrite"})
    assert json.loads((tmp_path / "fields.json").read_text())["records"] == 1


@pytest.mark.parametrize("path", ["", "folder/", "a\0b"])
def test_a_path_must_be_one_of_a_file(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError, match=r"writer\.options\.path: expected the path of a file"):
        run(tmp_path, options={"path": path})


def test_two_may_not_share_a_file(tmp_path: Path) -> None:
    one = {"name": "aggregation", "label": "one", "options": {"path": str(tmp_path / "fields.json")}}
    with pytest.raises(ConfigError, match="the writers one and two would write files of the same names"):
        run(tmp_path, {}, writer=[one, one | {"label": "two"}])
    run(tmp_path, {}, writer=["aggregation", {"name": "aggregation", "label": "two"}], how={"fresh": True})


def test_the_file_is_replaced_at_each_full_checkpoint(tmp_path: Path) -> None:
    seen = []

    class Looking(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            seen.append(json.loads((tmp_path / "fields.json").read_text())["records"])

    options = {"path": str(tmp_path / "fields.json")}
    run(tmp_path, *[{}] * 8, options=options, checkpoint={"full_every": {"records": 3}}, how={"listener": Looking()})
    assert seen == [3, 6, 8]


def test_a_resumed_run_goes_on_counting(tmp_path: Path) -> None:
    stop = Stop()

    class Stopping(Listener):
        def batch_done(self, progress: Any) -> None:
            stop.set()

    grouper = {"name": "file_key", "options": {"keys": ["a"]}}
    with pytest.raises(Interrupted):
        run(tmp_path, *RECORDS, grouper=grouper, how={"listener": Stopping(), "stop": stop})
    result = run(tmp_path, *RECORDS, grouper=grouper, how={"resume": True})
    assert result.summaries["writer"]["fields"] == FIELDS
    assert [group["group"] for group in result.summaries["writer"]["groups"]] == [["1"], ["2"], ["3"], ["unknown"]]
    again = run(tmp_path, *RECORDS, grouper=grouper, how={"resume": True})
    assert (again.state, again.summaries) == ("already finished", result.summaries)


def test_items_limit_is_respected(tmp_path: Path) -> None:
    assert run(tmp_path, *RECORDS, options={"items_limit": 2}).summaries["writer"]["records"] == 2


def test_beyond_the_limit_fields_are_added_up(tmp_path: Path) -> None:
    found = run(tmp_path, {"a": 1, "b": 2}, {"c": 1, "a": 2}, {"d": 1}, {"d": 1}, options={"counters_limit": 2}).summaries["writer"]
    assert (list(found["fields"]), found["other_fields"], found["records"]) == (["a", "b"], 3, 4)


def test_beyond_the_limit_groups_are_not_told_apart(tmp_path: Path) -> None:
    records = [{"k": number} for number in range(5)]
    grouper = {"name": "file_key", "options": {"keys": ["k"]}}
    found = run(tmp_path, *records, options={"counters_limit": 5}, grouper=grouper).summaries["writer"]
    assert ([group["group"] for group in found["groups"]], found["records_of_other_groups"]) == ([["0"], ["1"]], 3)
    assert found["fields"]["k"]["occurrences"] == 5


def test_counts_of_old_fields_go_on_beyond_the_limit() -> None:
    counts = Counts()
    assert counts.add(1, {"a": 1}, 1) == 1
    assert counts.add(2, {"a": 2, "b": 1}, 0) == 0
    assert (counts.records, dict(counts.fields), counts.others) == (3, {"a": 3}, 1)


def test_the_log_has_a_line_for_each_field(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="ozzy"):
        run(tmp_path, {"a": 1}, {"a": 1, "b": 2})
    told = [record.getMessage() for record in caplog.records if "coverage" in record.getMessage()]
    assert len(told) == 2
    assert "50.0" in told[1]


def test_the_metadata_has_the_result(tmp_path: Path) -> None:
    from ozzy.builtin.writers.aggregation import AggregationWriter
    from ozzy.contracts.writer import WriterContext
    from ozzy.data.batch import Batch
    from ozzy.testing.installed import make

    metadata = Metadata()
    writer = AggregationWriter({}, metadata)
    writer.start(WriterContext("run", "writer", metadata.start_time, tmp_path, make("formatter", "json")))
    writer.resume(None)
    writer.write_batch(Batch.from_records([{"a": 1}]))
    writer.finish_writing()
    assert metadata.to_dict()["writer"]["aggregation"] == {"records": 1, "fields": {"a": {"occurrences": 1, "coverage": 100.0}}}


def test_a_dry_run_gives_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, *RECORDS, options={"path": str(tmp_path / "fields.json")}, how={"dry_run": True})
    assert (result.summaries, (tmp_path / "fields.json").exists()) == ({}, False)


@pytest.mark.parametrize(
    "name",
    [
        "aggregation_stats",
        "exporters.writers.aggregation_stats_writer.AggregationStatsWriter",
        "ozzy.writers.aggregation_writer.AggregationWriter",
    ],
)
def test_the_inherited_names_work(tmp_path: Path, name: str) -> None:
    assert run(tmp_path, {"a": 1}, writer={"name": name}).summaries["writer"]["records"] == 1


def at_work(tmp_path: Path) -> Any:
    from ozzy.builtin.writers.aggregation import AggregationWriter
    from ozzy.contracts.writer import WriterContext
    from ozzy.data.batch import Batch
    from ozzy.testing.installed import make

    metadata = Metadata(working_folder=tmp_path)
    writer = AggregationWriter({"options": {"path": "fields.json"}}, metadata)
    writer.start(WriterContext("run", "writer", metadata.start_time, tmp_path / "state", make("formatter", "json")))
    writer.resume(None)
    writer.write_batch(Batch.from_records([{"a": 1}]))
    return writer


def test_what_was_published_is_taken_back_where_it_is_the_runs_own(tmp_path: Path) -> None:
    writer = at_work(tmp_path)
    receipt = writer.prepare(final=True)
    writer.publish(receipt)
    writer.discard(receipt)
    assert not (tmp_path / "fields.json").exists()
    assert writer.recover(receipt).name == "GONE"


def test_taking_back_leaves_what_an_earlier_checkpoint_published(tmp_path: Path) -> None:
    writer = at_work(tmp_path)
    first = writer.prepare(final=True)
    writer.publish(first)
    again = writer.prepare(final=True)
    writer.publish(again)
    writer.discard(again)
    assert (tmp_path / "fields.json").exists()


def test_a_staged_file_that_is_gone_is_told(tmp_path: Path) -> None:
    writer = at_work(tmp_path)
    receipt = writer.prepare(final=True)
    writer.abandon()
    assert writer.recover(receipt).name == "GONE"
    with pytest.raises(DestinationError, match=r"is gone, and .*fields\.json was not published"):
        writer.publish(receipt)


def test_without_a_path_there_is_nothing_to_take_back(tmp_path: Path) -> None:
    result = run(tmp_path, {"a": 1})
    assert result.files == []
    writer = at_work(tmp_path)
    writer.target = None
    receipt = writer.prepare(final=True)
    assert (writer.recover(receipt).name, writer.recover(receipt | {"final": False}).name) == ("PUBLISHED", "STAGED")
    writer.publish(receipt)
    writer.discard(receipt)
    assert list(tmp_path.glob("*.json")) == []


def test_the_command_tells_how_many_were_absorbed_and_what_came_of_it(tmp_path: Path) -> None:
    from ozzy.cli.progress import summary

    told = summary(run(tmp_path, *RECORDS))
    assert "4 records read" in told
    assert "4 absorbed" in told
    assert " written" not in told.splitlines()[1]
    assert 'writer: {"records": 4, "fields": {"a": {"occurrences": 3' in told
