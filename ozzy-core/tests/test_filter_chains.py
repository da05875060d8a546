"""Chains of filters and the filter `dupe` in whole runs: from the config to the books, the state, and what is told."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import ozzy
from ozzy.api import Listener, Stop
from ozzy.errors import ConfigError, DataError, Interrupted, PluginError, StateError
from ozzy.options.schema import json_schema
from ozzy.plan.registry import Registry
from ozzy.run.runs import StateFolder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = [json.dumps({"id": i, "_key": f"k{i % 30}", "country": ("es", "uk", "de")[i % 3], "price": i}) for i in range(80)]
    (tmp_path / "in.jl").write_text("\n".join(rows) + "\n")
    return tmp_path / "in.jl"


@pytest.fixture
def config(source: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "name": "chained",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 10}},
        "writer": {"name": "fs", "options": {"filebase": f"{tmp_path}/out/part", "compression": "none"}},
        "checkpoint": {"every_records": 20},
    }


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OZZY_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def key_value(name: str, value: Any, operator: str = "==") -> dict[str, Any]:
    return {"name": "key_value", "options": {"keys": [{"name": name, "value": value, "operator": operator}]}}


def ids(tmp_path: Path) -> list[int]:
    return [json.loads(line)["id"] for path in sorted((tmp_path / "out").iterdir()) for line in path.read_text().splitlines()]


class StopAfter(Listener):
    def __init__(self, batches: int, stop: Stop) -> None:
        self.left, self.stop = batches, stop

    def batch_done(self, progress: Any) -> None:
        self.left -= 1
        if not self.left:
            self.stop.set()


def interrupted(config: dict[str, Any], batches: int = 5) -> None:
    stop = Stop()
    with pytest.raises(Interrupted):
        ozzy.run(config, listener=StopAfter(batches, stop), stop=stop)


SPANISH_OR_CHEAP_BUT_NOT_FIVE = {
    "and": [{"or": [key_value("country", "es"), key_value("price", 10, "<")]}, {"not": key_value("id", 5)}],
}


@pytest.mark.parametrize("place", ["filter", "filter_before", "filter_after"])
def test_a_chain_chooses_and_its_total_is_in_the_books(config: dict[str, Any], tmp_path: Path, place: str) -> None:
    result = ozzy.run(config | {place: SPANISH_OR_CHEAP_BUT_NOT_FIVE})
    expected = [i for i in range(80) if (i % 3 == 0 or i < 10) and i != 5]

    assert ids(tmp_path) == expected
    counts = result.counts["filter_after" if place == "filter_after" else "filter_before"]
    assert (counts.records_in, counts.records_out, counts.reasons) == (80, len(expected), {"filtered": 80 - len(expected)})
    assert [record["id"] for record in ozzy.read(config | {place: SPANISH_OR_CHEAP_BUT_NOT_FIVE})] == expected


def test_a_writer_may_choose_by_a_chain(config: dict[str, Any], tmp_path: Path) -> None:
    when = [key_value("country", "es"), {"not": key_value("price", 30, ">=")}]
    result = ozzy.run(config | {"writer": config["writer"] | {"when": when}})

    assert ids(tmp_path) == [i for i in range(30) if i % 3 == 0]
    assert result.counts["writer.when"].reasons == {"not taken": 70}


def test_dupe_in_or_knows_only_what_reaches_it(config: dict[str, Any], tmp_path: Path) -> None:
    """Of ids below 40 none is asked of dupe, so each of its keys comes once more."""
    ozzy.run(config | {"filter": {"or": [key_value("id", 40, "<"), "dupe"]}})

    assert ids(tmp_path) == list(range(70))


def test_a_chain_is_seen_everywhere(config: dict[str, Any]) -> None:
    whole = config | {"filter": [key_value("country", "es"), {"or": ["dupe", {"not": "no_filter"}]}]}
    explained = ozzy.explain(whole)

    assert [(one.stage, one.name) for one in explained.modules if one.stage.startswith("filter")] == [
        ("filter_before.0", "key_value"), ("filter_before.1.or.0", "dupe"), ("filter_before.1.or.1.not", "no_filter"),
    ]  # fmt: skip
    assert explained.guarantee.level == "exactly once"
    assert explained.guarantee.remembers == ["filter_before.1.or.0 (dupe)"]
    assert [one.section.path for one in ozzy.validate(whole).modules][1:4] == ["filter.0", "filter.1.or.0", "filter.1.or.1.not"]
    [_, seen] = ozzy.preview(whole, 4)
    assert (seen.name, seen.module) == ("filter_before", "KeyValueFilter and (DupeFilter or not NoFilter)")
    assert [record and record["id"] for record in seen.records] == [0, None, None, 3]


def test_errors_point_to_the_place(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as raised:
        ozzy.validate(config | {"filter_before": {"or": ["no_filter", {"name": "key_value", "options": {"kyes": []}}]}})

    assert {problem.path for problem in raised.value.problems} == {"filter_before.or.1.options.keys", "filter_before.or.1.options.kyes"}
    with pytest.raises(PluginError, match=r"filter.1.not: .*key_valeu"):
        ozzy.validate(config | {"filter": ["no_filter", {"not": "key_valeu"}]})


def test_options_in_chains_can_be_set(config: dict[str, Any]) -> None:
    whole = config | {"filter": {"or": ["dupe", {"name": "dupe", "options": {"key_field": "a"}}]}}
    found = ozzy.validate(whole, set={"filter.or.1.options.key_field": "b"})

    assert found.modules[2].options.key_field == "b"


def test_a_bad_record_names_the_member(config: dict[str, Any], source: Path) -> None:
    source.write_text('{"id": 1}\n{"id": 2, "_key": 1e999}\n')
    with pytest.raises(DataError, match=r"record 2: filter_before \(FilterChain\): and.1.not \(DupeFilter\): "):
        ozzy.run(config | {"filter": {"and": ["no_filter", {"not": "dupe"}]}})


def test_bad_records_are_passed_over_and_leave_no_trace(config: dict[str, Any], source: Path, tmp_path: Path) -> None:
    source.write_text('{"id": 1, "_key": "a"}\n{"id": 2, "_key": 1e999}\n{"id": 3, "_key": "a"}\n{"id": 4, "_key": "b"}\n')
    result = ozzy.run(config | {"filter": ["no_filter", "dupe"], "errors": "skip"})

    assert ids(tmp_path) == [1, 4]
    assert result.counts["filter_before"].reasons == {"filtered": 1, "bad": 1}


CHAINS: list[Any] = [
    "dupe",
    ["no_filter", "dupe"],
    {"or": [{"not": "no_filter"}, ["dupe", key_value("id", 3, "!=")]]},
    {"not": {"not": "dupe"}},
]


@pytest.mark.parametrize("chain", CHAINS)
def test_an_interrupted_run_goes_on_with_what_it_knew(config: dict[str, Any], tmp_path: Path, state: Path, chain: Any) -> None:
    whole = config | {"filter": chain}
    interrupted(whole)
    assert list(state.glob("*/*/stages/*/keys.sqlite"))
    result = ozzy.run(whole, resume=True)

    assert ids(tmp_path) == [i for i in range(30) if i != 3 or "3" not in json.dumps(chain)]
    assert result.counts["filter_before"].records_in == 80
    assert list(state.glob("*/*/stages")) == []


def test_without_the_folder_a_run_is_not_resumed(config: dict[str, Any], state: Path) -> None:
    whole = config | {"filter": ["no_filter", "dupe"]}
    interrupted(whole)
    [folder] = state.glob("*/*/stages")
    shutil.rmtree(folder)
    with pytest.raises(StateError, match=r"the keys that were seen are gone: there is no .*filter_before.1/keys.sqlite") as raised:
        ozzy.run(whole, resume=True)

    assert "--fresh" in str(raised.value.hint)
    assert ozzy.run(whole, fresh=True).records_written == 30


def test_a_run_that_begins_anew_knows_nothing_of_the_one_before(config: dict[str, Any], tmp_path: Path) -> None:
    whole = config | {"filter": "dupe"}
    ozzy.run(whole)
    shutil.rmtree(tmp_path / "out")

    assert ozzy.run(whole).records_written == 30


def test_what_a_run_that_is_given_up_knew_is_deleted(config: dict[str, Any], state: Path) -> None:
    interrupted(config | {"filter": "dupe"})
    [record] = StateFolder(state).runs()
    ozzy.api.abandon(record.id, state_dir=state)

    assert list(state.glob("*/*/stages")) == []


def test_what_can_not_be_deleted_is_told(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    delete = shutil.rmtree

    def refused(path: Path, *more: Any, **options: Any) -> None:
        if Path(path).name == "stages":
            raise PermissionError(13, "Permission denied", str(path))
        delete(path, *more, **options)

    monkeypatch.setattr(shutil, "rmtree", refused)
    result = ozzy.run(config | {"filter": "dupe"})

    assert result.records_written == 30
    assert any("all is done, but something is left: can't write the state in" in notice for notice in result.notices)


def test_a_chain_that_has_changed_is_not_resumed(config: dict[str, Any]) -> None:
    interrupted(config | {"filter": {"and": ["no_filter", "dupe"]}})
    with pytest.raises(StateError, match="filter_before"):
        ozzy.run(config | {"filter": {"or": ["no_filter", "dupe"]}}, resume=True)


@pytest.mark.parametrize("run", [lambda config: list(ozzy.read(config)), ozzy.preview, lambda config: ozzy.run(config, dry_run=True)])
def test_without_a_run_nothing_is_left(config: dict[str, Any], state: Path, tmp_path: Path, run: Any) -> None:
    run(config | {"filter": [{"name": "dupe", "options": {"memory": 65536}}]})

    assert sorted(path.name for path in tmp_path.iterdir()) in (["in.jl"], ["in.jl", "out"])
    assert not list(tmp_path.glob("out/*"))


def test_a_run_without_a_name_leaves_nothing(config: dict[str, Any], state: Path) -> None:
    del config["name"]

    assert ozzy.run(config | {"filter": "dupe"}).records_written == 30
    assert list(state.glob("**/keys.sqlite")) == []


@pytest.mark.parametrize(
    ("chain", "valid"),
    [
        (["dupe"], True),
        ({"or": ["dupe", {"not": {"and": ["no_filter", [key_value("a", 1, ">")]]}}]}, True),
        ({"not": ["dupe", "no_filter"]}, True),
        ([], False),
        ({"or": "dupe"}, False),
        ({"or": []}, False),
        ({"or": ["dupe"], "and": ["dupe"]}, False),
        ({"not": {"name": "key_value"}}, False),
        (["dupe", {"name": "dupe", "options": {"key_filed": "a"}}], False),
        ({"or": [{"name": "time"}]}, False),
        ([7], False),
    ],
)
def test_the_schema_knows_chains(config: dict[str, Any], chain: Any, valid: bool) -> None:
    validator = Draft202012Validator(json_schema(Registry.load()))
    for whole in (config | {"filter": chain}, config | {"writer": [config["writer"] | {"when": chain}]}):
        assert validator.is_valid(whole) is valid
        if valid:
            ozzy.validate(whole)
        else:
            with pytest.raises((ConfigError, PluginError)):
                ozzy.validate(whole)
