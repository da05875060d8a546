"""What the quarantine keeps of records of any kind, and what replays make of pipelines that have changed."""

import datetime as dt
import decimal
import json
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy import BaseReader, BaseTransform, Batch, Registry, Rejected, api, hookimpl
from ozzy.data.positions import unpack
from ozzy.run.error_policy import ErrorPolicy, Refused
from ozzy.run.kept import kept_record
from ozzy.run.quarantine import CAUSES, Cause, Entry, Quarantine, lines_of
from tests.bad_records.test_each_stage import BAD, balanced, config, source, wanted, written

RECORDS: list[dict[str, Any]] = [
    {"n": float("nan"), "infinite": [float("-inf")]},
    {"at": dt.datetime(2026, 1, 2, 3, 4, 5), "day": dt.date(2026, 1, 2), "pair": (1, 2), "raw": b"\xff"},
    {1: "a key that is no text"},
    {"text": "日本 'n' \x00", "big": 2**80, "none": None, "one": 1.0},
]


@pytest.mark.parametrize("record", RECORDS, ids=["numbers", "dates", "keys", "plain"])
def test_a_record_that_json_has_no_form_for_comes_back_as_it_was(record: dict[Any, Any]) -> None:
    kept = kept_record(record)

    back = json.loads(kept["line"]) if "line" in kept else unpack(json.loads(json.dumps(kept["value"])))
    assert repr(back) == repr(record)


class Odd:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (decimal.Decimal("1.5"), "{'v': Decimal('1.5')}"),
        ("\ud800", "{'v': '\\ud800'}"),
        (Odd(), "a record that can't be shown: RuntimeError"),
    ],
    ids=["decimal", "surrogate", "odd"],
)
def test_a_record_that_can_not_be_brought_back_is_kept_as_it_looks(value: Any, shown: str) -> None:
    assert kept_record({"v": value}) == {"shown": shown}


def refused(message: str, **more: Any) -> Refused:
    return Refused("transform", Rejected("a, record 1", message, **more), "ValueError", "a")


def test_causes_are_told_apart_by_what_does_not_vary_and_not_without_end(tmp_path: Path) -> None:
    made = Quarantine(tmp_path / "quarantine.jsonl", lambda _: ("m", "p", "1"))
    for number in range(5):
        made.add(refused(f"can't read '{number}x' of {number}"))
    made.add(refused("another"))
    facts = made.sync()
    lines = [line for _, line in lines_of(tmp_path / "quarantine.jsonl")]
    assert [line.message for line in lines if isinstance(line, Cause)] == ["can't read '0x' of 0", "another"]
    assert [line.cause for line in lines if isinstance(line, Entry)] == [1] * 5 + [2]

    made.add(refused("lost"))
    made.sync()
    made.stand_at(facts)
    made.add(refused("another"))
    made.add(refused("new"))
    for number in range(CAUSES + 5):
        made.add(refused("word " + "abcdefghij"[number % 10] * (number // 10 + 1)))
    made.sync()
    causes = [line for _, line in lines_of(tmp_path / "quarantine.jsonl") if isinstance(line, Cause)]
    assert [cause.message for cause in causes[:3]] == ["can't read '0x' of 0", "another", "new"]
    assert len(causes) == CAUSES + 1
    assert causes[-1].message == "further causes"


def test_a_line_cut_by_a_kill_is_passed_over_and_bytes_stay_bytes(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    made = Quarantine(path, lambda _: ("m", "p", "1"))
    made.add(refused("no", line=b"\xff\xfe"))
    made.add(refused("no", line=b"cut", whole=False))
    made.sync()
    with path.open("ab") as file:
        file.write(b'{"is":"rec')

    entries = [line for _, line in lines_of(path, torn=True) if isinstance(line, Entry)]
    assert [(entry.raw, entry.replayable) for entry in entries] == [(b"\xff\xfe", True), (b"cut", False)]
    with pytest.raises(ozzy.StateError, match="can't be read"):
        list(lines_of(path))


def test_a_disk_that_fails_is_an_error_of_the_state(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    path.mkdir()
    made = Quarantine(path, lambda _: ("m", "p", "1"))

    made.add(refused("it is bad"))
    with pytest.raises(ozzy.StateError, match=r"can't write the state in .*quarantine\.jsonl: Is a directory"):
        made.sync()


def test_one_that_is_deleted_while_it_is_written_is_told(tmp_path: Path) -> None:
    """Else what was kept before would be missing, and the books would still count it."""
    made = Quarantine(tmp_path / "quarantine.jsonl", lambda _: ("m", "p", "1"))
    made.add(refused("it is bad"))
    made.sync()
    made.journal.path.unlink()

    made.add(refused("it is bad"))
    with pytest.raises(ozzy.StateError, match="was deleted or changed by somebody else while it was written"):
        made.sync()


def test_without_a_place_to_keep_them_records_are_only_counted() -> None:
    assert ErrorPolicy("quarantine").reject("reader", Rejected("a", "bad")) == "quarantined"


def test_a_config_without_a_name_can_not_have_a_quarantine(tmp_path: Path) -> None:
    source(tmp_path, "reader")
    nameless = config(tmp_path, errors="quarantine")
    del nameless["name"]
    with pytest.raises(ozzy.ConfigError, match="needs a `name` to have a quarantine"):
        ozzy.run(nameless, state_dir=tmp_path / "state")


def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    source(tmp_path, "transform")
    result = ozzy.run(config(tmp_path, errors="quarantine"), state_dir=tmp_path / "state", dry_run=True)
    assert result.quarantined == 2
    assert not (tmp_path / "state").exists()


def kept_run(folder: Path, stage: str) -> tuple[str, Path]:
    source(folder, stage)
    state = folder / "state"
    return ozzy.run(config(folder, stage=stage, errors="quarantine"), state_dir=state).run_id, state


def test_where_the_stage_is_no_more_a_record_goes_on_from_the_next_one(tmp_path: Path) -> None:
    run, state = kept_run(tmp_path, "doubling")
    changed = config(tmp_path, errors="quarantine", mended=True)
    changed["transform"] = {"name": "tests.bad_records.test_quarantine:Late", "options": {}}
    result = ozzy.replay(run, config=changed, state_dir=state)

    balanced(result)
    assert result.counts["transform"].records_in == 0
    assert result.counts["filter_after"].records_in == 2
    assert written_ids(tmp_path, "other") == sorted([n for n, _, _ in wanted(*BAD)] + list(BAD))


class Late(BaseTransform):
    """Leaves records alone."""

    one_to_one = True

    def transform_batch(self, batch: Batch) -> Any:
        return batch


def written_ids(folder: Path, label: str) -> list[int]:
    return sorted(json.loads(line)["id"] for path in (folder / "out" / label).rglob("*.jl") for line in path.read_text().splitlines())


def test_without_any_stage_left_a_record_goes_to_all_writers_but_never_past_their_choice(tmp_path: Path) -> None:
    run, state = kept_run(tmp_path, "filter_after")
    bare = config(tmp_path, mended=True)
    for key in ("filter_before", "transform", "filter_after"):
        del bare[key]
    balanced(ozzy.replay(run, config=bare, state_dir=state))
    assert written(tmp_path, "all") == written(tmp_path, "other") == wanted()


def test_a_writer_that_is_no_more_and_other_groups_are_errors_that_leave_all_as_it_was(tmp_path: Path) -> None:
    run, state = kept_run(tmp_path, "all")
    renamed = config(tmp_path, mended=True)
    renamed["writer"][0]["label"] = "renamed"
    with pytest.raises(ozzy.StateError, match="refused by the writer all, and the pipeline has none of that name") as raised:
        ozzy.replay(run, config=renamed, state_dir=state)
    with pytest.raises(ozzy.StateError, match="is unfinished"):
        ozzy.replay(run, config=renamed, state_dir=state)
    assert raised.value.run_id is not None
    with pytest.raises(ozzy.StateError, match="is unfinished"):
        api.discard(run, state_dir=state)
    api.abandon(raised.value.run_id, config=renamed, state_dir=state)

    other = config(tmp_path, mended=True)
    other["grouper"] = {"name": "file_key", "options": {"keys": ["id", "half"]}}
    with pytest.raises(ozzy.StateError, match="grouped by another number of values") as raised:
        ozzy.replay(run, config=other, state_dir=state)
    api.abandon(str(raised.value.run_id), config=other, state_dir=state)
    ozzy.replay(run, config=config(tmp_path, mended=True), state_dir=state)
    assert written(tmp_path, "all") == wanted()


def test_a_config_of_another_pipeline_is_refused(tmp_path: Path) -> None:
    run, state = kept_run(tmp_path, "transform")
    with pytest.raises(ozzy.ConfigError, match="is of the pipeline picky, and this config is of another one"):
        ozzy.replay(run, config=config(tmp_path) | {"name": "else"}, state_dir=state)


def test_a_run_that_was_given_up_is_superseded(tmp_path: Path) -> None:
    source(tmp_path, "transform")
    state = tmp_path / "state"
    with pytest.raises(ozzy.DataError) as raised:
        ozzy.run(config(tmp_path, errors={"policy": "quarantine", "limit": 1}), state_dir=state)
    ozzy.run(config(tmp_path, errors="quarantine"), state_dir=state, fresh=True)

    assert ozzy.quarantined(str(raised.value.run_id), state_dir=state).superseded
    with pytest.raises(ozzy.StateError, match="was given up"):
        ozzy.replay(str(raised.value.run_id), state_dir=state)


def test_a_replay_goes_by_the_config_in_the_state_where_there_is_no_file(tmp_path: Path) -> None:
    run, state = kept_run(tmp_path, "transform")
    result = ozzy.replay(run, state_dir=state)
    assert result.quarantined == 2
    assert len(ozzy.quarantined(result, state_dir=state)) == 2
    mended = {"transform.0.options.mended": "true"}
    assert ozzy.replay(result, set=mended, state_dir=state).quarantined == 0
    assert written(tmp_path, "other") == wanted()


class Halves(BaseReader):
    """No records at all: what it gives is refused."""

    def get_next_batch(self) -> Any:
        self.finished = True
        return [{"id": 1}, 5, "text", {"id": 2}, object()]


class Plugin:
    @hookimpl
    def ozzy_read(self) -> dict[str, type]:
        return {"halves": Halves}


def test_what_a_reader_without_a_decoder_gives_is_kept_where_it_has_a_form(tmp_path: Path) -> None:
    registry = Registry.load()
    registry.register(Plugin(), package="test-modules", version="1")
    made = {
        "name": "halves",
        "reader": "halves",
        "writer": {"name": "fs", "options": {"filebase": f"{tmp_path}/x"}},
        "errors": "quarantine",
    }
    result = ozzy.run(made, state_dir=tmp_path / "state", registry=registry)

    found = list(ozzy.quarantined(result, state_dir=tmp_path / "state"))
    assert [(one.text, one.place, one.replayable) for one in found] == [
        ("5", "all, record 2", True),
        ('"text"', "all, record 3", True),
        ("", "all, record 5", False),
    ]
    again = ozzy.replay(result, state_dir=tmp_path / "state", registry=registry)
    assert again.quarantined == 2
    assert [one.text for one in ozzy.quarantined(result, state_dir=tmp_path / "state")] == [""]


def test_a_row_of_a_csv_file_is_read_again_with_its_header(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('id,"a name"\n1,x\n2\n3,y\n4,"z\nz"\n5,6,7\n')
    made: dict[str, Any] = {
        "name": "cells",
        "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.csv")}},
        "writer": {"name": "fs", "options": {"filebase": f"{tmp_path}/out/x", "compression": "none"}},
        "errors": "quarantine",
    }
    result = ozzy.run(made, state_dir=tmp_path / "state")
    found = [(one.text, one.place, one.message) for one in ozzy.quarantined(result, state_dir=tmp_path / "state")]
    place = str(tmp_path / "in.csv")
    assert found == [
        ("2", f"{place}, line 3", "1 cells where the header has 2"),
        ("5,6,7", f"{place}, line 7", "3 cells where the header has 2"),
    ]

    again = ozzy.replay(result, state_dir=tmp_path / "state")
    assert [(one.text, one.place, one.message) for one in ozzy.quarantined(again, state_dir=tmp_path / "state")] == found

    path = next((tmp_path / "state").glob(f"*/{again.run_id}/quarantine.jsonl"))
    entry = next(line for _, line in lines_of(path) if isinstance(line, Entry))
    assert (entry.head, entry.record) == ('id,"a name"', 2)


def test_rows_of_a_replay_stay_what_they_are_when_some_are_chosen() -> None:
    from ozzy.run.returned import Returned

    batch: Batch = Returned(stage="s", writer="w", groups=[("a",), ("b",)], ends=[5, 9], lines=[b"{}", b"[]"], origin=[3, 4])
    chosen = batch.take([1])
    assert isinstance(chosen, Returned)
    assert (chosen.stage, chosen.writer, chosen.groups, chosen.ends, chosen.lines, chosen.origin) == ("s", "w", [("b",)], [9], [b"[]"], [4])


def test_a_replay_that_a_limit_ends_leaves_the_rest(tmp_path: Path) -> None:
    run, state = kept_run(tmp_path, "transform")
    single = config(tmp_path, mended=True)
    single["transform"] = single["transform"][:1]
    limited = json.loads(json.dumps(single))
    for writer in limited["writer"]:
        writer["options"]["items_limit"] = 1
    assert ozzy.replay(run, config=limited, state_dir=state).records_written == 2
    assert [json.loads(one.text)["id"] for one in ozzy.quarantined(run, state_dir=state)] == [BAD[1]]

    assert ozzy.replay(run, config=single, state_dir=state).records_written == 2
    assert len(ozzy.quarantined(run, state_dir=state)) == 0
    assert written_ids(tmp_path, "other") == sorted([n for n, _, _ in wanted(*BAD)] + list(BAD))


def test_secrets_of_the_config_never_stand_in_a_cause(tmp_path: Path) -> None:
    from ozzy import log

    log.remember("hunter22-secret")
    made = Quarantine(tmp_path / "quarantine.jsonl", lambda _: ("m", "p", "1"))
    made.add(refused("login with hunter22-secret failed"))
    made.sync()
    assert "hunter22-secret" not in (tmp_path / "quarantine.jsonl").read_text()
    assert "***" in (tmp_path / "quarantine.jsonl").read_text()


@pytest.mark.parametrize("stage", ["filter_before", "all.when", "formatter", "all"])
@pytest.mark.parametrize("choosing", [True, False])
def test_a_replay_through_a_pipeline_of_nothing_but_writers_balances(stage: str, choosing: bool, tmp_path: Path) -> None:
    source(tmp_path, stage)
    state = tmp_path / "state"

    def bare(*, mended: bool) -> dict[str, Any]:
        made = config(tmp_path, errors="quarantine", mended=mended)
        for key in ("transform", "filter_after", "grouper", *(("filter_before",) if mended or stage != "filter_before" else ())):
            del made[key]
        if not choosing:
            del made["writer"][0]["when"]
        for writer in made["writer"]:
            writer["options"]["filebase"] = writer["options"]["filebase"].replace("/{groups[0]}", "/x")
        return made

    run = ozzy.run(bare(mended=False), state_dir=state)
    assert bool(run.quarantined) == (choosing or stage != "all.when")
    if run.quarantined:
        balanced(ozzy.replay(run, config=bare(mended=True), state_dir=state))
    left_out = {number for number in range(30) if number % 5 == 4}
    everything = set(range(30)) - (left_out if stage == "filter_before" else set())
    assert written_ids(tmp_path, "other") == sorted(everything)
    assert written_ids(tmp_path, "all") == sorted(everything - (left_out if choosing else set()))
