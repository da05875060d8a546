"""What modules of the core refuse by themselves, under each policy: kept or counted at their stage, and books that balance."""

import json
from pathlib import Path
from typing import Any

import pytest

import ozzy

BAD = {"id": 7, "n": "many", "at": "never", "text": "\x01", "big": True}
GOOD: dict[str, Any] = {"n": "5", "at": "2024-05-06T07:08:09Z", "text": "tap", "big": False}
LONG = "[x for x in range(90000 if item['big'] else 1) if x < 0]"


def jq(program: str) -> dict[str, Any]:
    return {"transform": {"name": "jq", "options": {"jq_filter": program}}}


def expression(section: str, name: str, **options: Any) -> dict[str, Any]:
    return {section: {"name": name, "options": options}}


REFUSALS: dict[str, tuple[str, dict[str, Any]]] = {
    "cast": ("transform", {"transform": {"name": "cast", "options": {"fields": {"n": "int"}}}}),
    "jq": ("transform", jq(". + {m: (.n | tonumber)}")),
    "explode": ("transform", {"transform": [{"name": "explode", "options": {"field": "list"}}]}),
    "mask": ("transform", {"transform": {"name": "mask", "options": {"fields": {"deep.in": "redact"}}}}),
    "flatten": ("transform", {"transform": {"name": "flatten", "options": {"separator": "."}}}),
    "rename": ("transform", {"transform": {"name": "rename", "options": {"fields": {"text": "also"}}}}),
    "set": ("transform", {"transform": {"name": "set", "options": {"fields": {"m": "int(item['n'])"}}}}),
    "python_map": ("transform", {"transform": {"name": "python_map", "options": {"map": "None if item['big'] else item"}}}),
    "python_exp over budget": ("transform", expression("transform", "python_exp", python_expressions=[LONG], steps=9000)),
    "filter over budget": ("filter_before", expression("filter", "python_exp", python_expression=f"{LONG} == []", steps=9000)),
    "grouper python_exp": ("grouper", {"grouper": {"name": "python_exp", "options": {"python_expressions": ["str(int(item['n']))"]}}}),
    "grouper time": ("grouper", {"grouper": {"name": "time", "options": {"field": "at", "format": "%Y", "missing": "reject"}}}),
    "xml": ("writer", {"formatter": "xml"}),
    "csv typed": ("reader", {"deserializer": {"name": "csv", "options": {"columns": {"n": "int"}}}}),
}


def config(folder: Path, name: str, policy: str) -> dict[str, Any]:
    records = [{"id": number, **GOOD} for number in range(20)]
    for record in records:
        record |= {"list": [1], "deep": {"in": "x"}}
    records[7] |= BAD | {"list": "none", "deep": "x", "deep.in": 1, "also": 1}
    if name == "flatten":
        records[7]["deep"] = {"in": 2}
    if name == "csv typed":
        lines = ["id,n", *(f"{record['id']},{record['n']}" for record in records)]
        source = folder / "in.csv"
    else:
        lines = [json.dumps(record) for record in records]
        source = folder / "in.jl"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "name": "refusing",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 6}},
        "writer": {"name": "fs", "options": {"filebase": str(folder / "out/x"), "compression": "none"}},
        "errors": policy,
    } | REFUSALS[name][1]


def balanced(result: ozzy.Result) -> None:
    for stage, counts in result.counts.items():
        assert counts.records_in == counts.records_out + sum(counts.reasons.values()), stage


@pytest.mark.parametrize("name", REFUSALS)
def test_fail_ends_the_run_and_names_the_place(name: str, tmp_path: Path) -> None:
    with pytest.raises(ozzy.DataError, match=r"in\.(jl|csv), (record 8|line 9)|in\.jl") as raised:
        ozzy.run(config(tmp_path, name, "fail"), state_dir=tmp_path / "state")
    assert raised.value.exit_code == 5


@pytest.mark.parametrize("policy", ["skip", "quarantine"])
@pytest.mark.parametrize("name", REFUSALS)
def test_the_others_arrive_and_the_books_balance(name: str, policy: str, tmp_path: Path) -> None:
    given = config(tmp_path, name, policy)
    result = ozzy.run(given, state_dir=tmp_path / "state")

    stage = REFUSALS[name][0]
    assert result.counts[stage].reasons[{"skip": "bad", "quarantine": "quarantined"}[policy]] == 1
    assert (result.records_written, result.quarantined) == (19, 1 if policy == "quarantine" else 0)
    balanced(result)
    if policy == "quarantine":
        (kept,) = ozzy.quarantined(result, state_dir=tmp_path / "state")
        assert kept.text == "7,many" if name == "csv typed" else json.loads(kept.text)["id"] == 7
        again = ozzy.replay(result, config=given, state_dir=tmp_path / "state")
        assert (again.records_read, again.quarantined) == ((0, 1) if stage == "reader" else (1, 1))
        balanced(again)


@pytest.mark.parametrize("name", ["jq", "explode", "cast", "grouper time"])
def test_looking_at_a_pipeline_leaves_no_trace(name: str, tmp_path: Path) -> None:
    given = config(tmp_path, name, "skip")
    before = sorted(tmp_path.rglob("*"))

    dry = ozzy.run(given, state_dir=tmp_path / "state", dry_run=True)
    assert (dry.records_read, dry.records_written) == (20, 19)
    assert ozzy.preview(given, 3)[0].name == "reader"
    assert ozzy.explain(given, state_dir=tmp_path / "state").guarantee.level == "exactly once"
    assert sorted(tmp_path.rglob("*")) == before
    assert ozzy.run(given, state_dir=tmp_path / "state", limit=10).records_read == 10
