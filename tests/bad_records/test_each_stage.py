"""A bad record in each stage under each policy: what comes out, what is kept, what a replay brings, and books that balance."""

import json
from pathlib import Path
from typing import Any

import pytest

import ozzy

BAD = (7, 18)
PICKY = "tests.bad_records.picky"
STAGES = ["reader", "filter_before", "transform", "doubling", "filter_after", "grouper", "all.when", "formatter", "all"]
ROWS = {"doubling": "transform.1", "transform": "transform.0"}
"""The names of stages in the books, where they are others than in here."""


def source(folder: Path, stage: str) -> None:
    lines = []
    for number in range(30):
        record = {"id": number, "note": f"n'{number}", "bad": stage if number in BAD else None}
        line = json.dumps(record)
        lines.append(line[:-1] if number in BAD and stage == "reader" else line)
    (folder / "in.jl").write_text("\n".join(lines) + "\n")


def config(folder: Path, *, stage: str = "", errors: Any = None, here: Any = None, mended: bool = False, **more: Any) -> dict[str, Any]:
    """A pipeline with every stage; `errors` of the pipeline, `here` those of the stage that refuses records."""

    def section(name: str, module: str) -> dict[str, Any]:
        own = {"errors": here} if here is not None and name == stage else {}
        return {"name": f"{PICKY}:{module}", "options": {"word": name, "mended": mended}, **own}

    def writer(label: str) -> dict[str, Any]:
        made = section(label, "PickyWriter") | {"label": label}
        made["options"] |= {"filebase": f"{folder}/out/{label}/{{groups[0]}}", "compression": "none"}
        return made

    both = [writer("all") | {"when": section("all.when", "PickyFilter")}, writer("other")]
    return {
        "name": "picky",
        "reader": {"name": "fs", "options": {"input": str(folder / "in.jl"), "batch_size": 4}}
        | ({"errors": here} if here is not None and stage == "reader" else {}),
        "filter_before": section("filter_before", "PickyFilter"),
        "transform": [section("transform", "PickyTransform"), section("doubling", "PickyDoubling")],
        "filter_after": section("filter_after", "PickyFilter"),
        "grouper": section("grouper", "PickyGrouper"),
        "formatter": section("formatter", "PickyFormatter"),
        "writer": both,
        "checkpoint": {"every_records": 8},
        **({"errors": errors} if errors is not None else {}),
    } | more


def written(folder: Path, label: str) -> list[tuple[int, int, int]]:
    """What a writer has, in any order: id, half and how often the transform saw it."""
    lines = [line for path in (folder / "out" / label).rglob("*.jl") for line in path.read_text().splitlines()]
    return sorted((one["id"], one["half"], one["seen"]) for one in map(json.loads, lines))


def wanted(*without: int) -> list[tuple[int, int, int]]:
    return [(number, half, 1) for number in range(30) for half in (1, 2) if number % 5 != 4 and number not in without]


def balanced(result: ozzy.Result) -> dict[str, dict[str, int]]:
    """The reasons of each stage; every stage accounts for what it was given."""
    for name, counts in result.counts.items():
        if name != "transform.1":
            assert counts.records_in == counts.records_out + sum(counts.reasons.values()), name
    return {name: dict(counts.reasons) for name, counts in result.counts.items()}


@pytest.mark.parametrize("how", ["pipeline", "stage"])
@pytest.mark.parametrize("stage", STAGES)
def test_fail_stops_at_the_first_bad_record_and_says_where(stage: str, how: str, tmp_path: Path) -> None:
    source(tmp_path, stage)
    policy = {"errors": "fail"} if how == "pipeline" else {"errors": "skip", "here": {"policy": "fail"}}

    with pytest.raises(ozzy.DataError) as raised:
        ozzy.run(config(tmp_path, stage=stage, **policy), state_dir=tmp_path / "state")

    assert raised.value.exit_code == 5
    assert "in.jl" in str(raised.value)
    assert not written(tmp_path, "other")


@pytest.mark.parametrize("how", ["pipeline", "stage"])
@pytest.mark.parametrize("stage", STAGES)
def test_skip_counts_bad_records_where_they_were_refused(stage: str, how: str, tmp_path: Path) -> None:
    source(tmp_path, stage)
    policy = {"errors": "skip"} if how == "pipeline" else {"here": "skip"}
    result = ozzy.run(config(tmp_path, stage=stage, **policy), state_dir=tmp_path / "state")

    count = 4 if stage in {"filter_after", "grouper", "all.when", "formatter", "all"} else 2
    row = "all" if stage == "formatter" else ROWS.get(stage, stage)
    assert balanced(result)[row]["bad"] == count
    assert result.quarantined == 0
    assert written(tmp_path, "all") == wanted(*BAD)
    assert written(tmp_path, "other") == wanted(*(() if stage.startswith("all") else BAD))
    assert not ozzy.quarantined(result, state_dir=tmp_path / "state").causes


@pytest.mark.parametrize("how", ["pipeline", "stage"])
@pytest.mark.parametrize("stage", STAGES)
def test_quarantine_keeps_bad_records_until_a_replay_brings_them_to_where_they_were_missing(stage: str, how: str, tmp_path: Path) -> None:
    source(tmp_path, stage)
    state = tmp_path / "state"
    policy = {"errors": {"policy": "quarantine"}} if how == "pipeline" else {"errors": "fail", "here": {"policy": "quarantine"}}
    result = ozzy.run(config(tmp_path, stage=stage, **policy), state_dir=state)

    halves = 2 if stage in {"filter_after", "grouper", "all.when", "formatter", "all"} else 1
    writers = ["all", "other"] if stage == "formatter" else ["all"] if stage.startswith("all") else [None]
    row = "all" if stage == "formatter" else ROWS.get(stage, stage)
    assert balanced(result)[row]["quarantined"] == 2 * halves
    assert result.quarantined == 2 * halves * len(writers)
    assert written(tmp_path, "all") == wanted(*BAD)
    assert written(tmp_path, "other") == wanted(*(() if stage.startswith("all") else BAD))

    kept = ozzy.quarantined(result, state_dir=state)
    assert len(kept) == result.quarantined
    assert [cause.writer for cause in kept.causes] == writers
    assert {cause.stage for cause in kept.causes} == {ROWS.get(stage, stage)}
    assert {cause.error for cause in kept.causes} == {"DataError" if stage == "reader" else "ValueError"}
    if stage != "reader":
        assert {json.loads(one.text)["id"] for one in kept} == set(BAD)
        assert {json.loads(one.text).get("seen") for one in kept} == {None if stage in {"filter_before", "transform"} else 1}

    mended = config(tmp_path, stage=stage, mended=True, **policy)
    if stage == "reader":
        before = [(one.text, one.place) for one in kept]
        again = ozzy.replay(result, config=mended, state_dir=state)
        assert again.quarantined == 2
        assert [(one.text, one.place) for one in ozzy.quarantined(again, state_dir=state)] == before
        return
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    again = ozzy.replay(result, config=mended, state_dir=state)

    balanced(again)
    assert again.records_read == result.quarantined
    assert again.quarantined == 0
    assert written(tmp_path, "all") == wanted()
    assert written(tmp_path, "other") == wanted()
    assert all(path.read_bytes() == content for path, content in files.items())
    assert len(ozzy.quarantined(result, state_dir=state)) == 0
    with pytest.raises(ozzy.StateError, match="there is nothing to replay"):
        ozzy.replay(result, config=mended, state_dir=state)


@pytest.mark.parametrize("policy", ["skip", "quarantine"])
@pytest.mark.parametrize("stage", STAGES)
def test_the_limits_of_a_stage_and_of_all_end_the_run(stage: str, policy: str, tmp_path: Path) -> None:
    source(tmp_path, stage)
    for number, more in enumerate([{"errors": {"policy": policy, "limit": 1}}, {"errors": policy, "here": {"limit": 1}}]):
        given = config(tmp_path, stage=stage, **more) | {"name": f"limited-{number}"}
        with pytest.raises(ozzy.DataError, match="more than 1 bad records") as raised:
            ozzy.run(given, state_dir=tmp_path / "state")
        assert raised.value.exit_code == 5
        assert raised.value.run_id is not None
        kept = ozzy.quarantined(raised.value.run_id, state_dir=tmp_path / "state")
        assert len(kept) == (2 if policy == "quarantine" else 0), "what ended the run can be looked at"
        with pytest.raises(ozzy.StateError, match="is unfinished"):
            ozzy.replay(raised.value.run_id, state_dir=tmp_path / "state")

        raised_limit = config(tmp_path, stage=stage, errors=policy) | {"name": f"limited-{number}"}
        result = ozzy.run(raised_limit, resume=True, state_dir=tmp_path / "state")
        balanced(result)
        assert written(tmp_path, "all") == wanted(*BAD)
        for path in list((tmp_path / "out").rglob("*.jl")):
            path.unlink()


def test_the_policy_of_a_stage_wins_over_that_of_the_pipeline_and_leaves_others_alone(tmp_path: Path) -> None:
    source(tmp_path, "transform")
    with pytest.raises(ozzy.DataError):
        ozzy.run(config(tmp_path, stage="filter_before", here="quarantine"), state_dir=tmp_path / "state")
