"""Bad records where a stage is made of several modules: each of several readers, and filters of a chain."""

import json
from pathlib import Path
from typing import Any

import pytest

import ozzy


def table(folder: Path) -> None:
    (folder / "a.jl").write_text('{"id": 1}\nno record\n{"id": 2}\n')
    (folder / "b.csv").write_text("id;day\n3;2024-01-02\nx;2024-01-02\n4;never\n5;2024-01-03\n")


def config(folder: Path, first: Any = None, second: Any = None, **more: Any) -> dict[str, Any]:
    readers = [
        {"name": "fs", "options": {"input": str(folder / "a.jl")}, **({"errors": first} if first else {})},
        {
            "name": "fs",
            "label": "table",
            "deserializer": {"name": "csv", "options": {"delimiter": ";", "columns": {"id": "int", "day": "date"}}},
            "options": {"input": str(folder / "b.csv")},
            **({"errors": second} if second else {}),
        },
    ]
    return {
        "name": "places",
        "reader": readers,
        "writer": {"name": "fs", "options": {"filebase": str(folder / "out/x"), "compression": "none"}},
    } | more


def written(folder: Path) -> list[int]:
    return sorted(json.loads(line)["id"] for path in (folder / "out").glob("*.jl") for line in path.read_text().splitlines())


def test_what_one_of_several_readers_refuses_is_kept_and_replayed_by_its_own_decoder(tmp_path: Path) -> None:
    table(tmp_path)
    state = tmp_path / "state"
    result = ozzy.run(config(tmp_path, errors="quarantine"), state_dir=state)

    assert (result.quarantined, written(tmp_path)) == (3, [1, 2, 3, 5])
    kept = ozzy.quarantined(result, state_dir=state)
    assert {(cause.stage, cause.module) for cause in kept.causes} == {("reader", "fs")}
    assert [one.place.rpartition("/")[2] for one in kept] == ["a.jl, line 2", "b.csv, line 3", "b.csv, line 4"]

    mended = config(tmp_path, errors="quarantine")
    mended["reader"][1]["deserializer"]["options"]["columns"] = {"id": "str", "day": "str"}
    again = ozzy.replay(result, config=mended, state_dir=state)
    assert (again.records_read, again.quarantined) == (2, 1)
    lines = [line for path in (tmp_path / "out").glob("*.jl") for line in path.read_text().splitlines()]
    assert '{"id":"x","day":"2024-01-02"}' in lines
    assert '{"id":"4","day":"never"}' in lines


def test_a_reader_that_is_no_more_gives_its_rows_to_nobody(tmp_path: Path) -> None:
    table(tmp_path)
    state = tmp_path / "state"
    result = ozzy.run(config(tmp_path, errors="quarantine"), state_dir=state)
    gone = config(tmp_path, errors="quarantine")
    del gone["reader"][1]

    again = ozzy.replay(result, config=gone, state_dir=state)
    assert (again.records_read, again.quarantined) == (0, 3)


@pytest.mark.parametrize(
    ("first", "second", "bad"),
    [("skip", "quarantine", {"bad": 1, "quarantined": 2}), ({"policy": "skip", "limit": 1}, {"policy": "skip", "limit": 2}, {"bad": 3})],
)
def test_each_of_several_readers_has_a_policy_and_a_limit_of_its_own(first: Any, second: Any, bad: Any, tmp_path: Path) -> None:
    table(tmp_path)
    result = ozzy.run(config(tmp_path, first, second), state_dir=tmp_path / "state")

    assert result.counts["reader"].reasons == bad
    assert written(tmp_path) == [1, 2, 3, 5]
    assert [record["id"] for record in ozzy.read(config(tmp_path, "skip", "skip"))] == [1, 2, 3, 5]


def test_the_policy_and_the_limit_of_one_reader_leave_the_others_alone(tmp_path: Path) -> None:
    table(tmp_path)
    with pytest.raises(ozzy.DataError, match="line 3"):
        ozzy.run(config(tmp_path, "skip"), state_dir=tmp_path / "state")
    with pytest.raises(ozzy.DataError, match=r"more than 1 bad records in reader\.1"):
        ozzy.run(config(tmp_path, None, {"limit": 1}, errors="skip", name="other"), state_dir=tmp_path / "state")


CHAINS = [
    [{"name": "key_value", "options": {"keys": [{"name": "id", "value": 0, "operator": ">"}]}}, "tests.bad_records.picky:NoSevens"],
    {"or": ["tests.bad_records.picky:NoSevens", "dupe"]},
    {"not": {"not": "tests.bad_records.picky:NoSevens"}},
]


@pytest.mark.parametrize("chain", CHAINS, ids=["and", "or", "not"])
@pytest.mark.parametrize("place", ["filter_before", "filter_after", "when"])
@pytest.mark.parametrize("policy", ["fail", "skip", "quarantine"])
def test_a_record_that_a_filter_of_a_chain_can_not_handle(policy: str, place: str, chain: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jl").write_text("".join(f'{{"id": {number}}}\n' for number in range(1, 20)))
    given: dict[str, Any] = {
        "name": "chained",
        "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl"), "batch_size": 4}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out/x"), "compression": "none"}},
        "errors": policy,
    }
    (given["writer"] if place == "when" else given)[place] = chain
    state = tmp_path / "state"
    if policy == "fail":
        with pytest.raises(ozzy.DataError, match="7 ends in 7"):
            ozzy.run(given, state_dir=state)
        return
    result = ozzy.run(given, state_dir=state)

    row = "writer.when" if place == "when" else place
    assert result.counts[row].reasons[{"skip": "bad"}.get(policy, "quarantined")] == 2
    assert written(tmp_path) == [number for number in range(1, 20) if number % 10 != 7]
    for name, counts in result.counts.items():
        assert counts.records_in == counts.records_out + sum(counts.reasons.values()), name
    if policy == "quarantine":
        assert {(cause.stage, cause.module) for cause in ozzy.quarantined(result, state_dir=state).causes} == {(row, "chain")}
        (given["writer"] if place == "when" else given)[place] = ["no_filter", "no_filter"]
        again = ozzy.replay(result, config=given, state_dir=state)
        assert (again.records_read, again.quarantined) == (2, 0)
        assert written(tmp_path) == list(range(1, 20))


@pytest.mark.parametrize("chain", [[{"name": "dupe", "errors": "skip"}], {"not": {"name": "dupe", "errors": "skip"}}])
def test_a_filter_of_a_chain_has_no_policy_of_its_own(chain: Any, tmp_path: Path) -> None:
    with pytest.raises(ozzy.ConfigError, match=r"errors: a filter of a chain has none of its own"):
        ozzy.validate({"reader": "random", "filter": chain, "writer": "console"})
