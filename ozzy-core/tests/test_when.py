"""Writers that choose: `when` from the config to the books."""

import json
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.api import Listener, Stop
from ozzy.errors import ConfigError, DataError, Interrupted, PluginError, StateError
from ozzy.run.runs import RunRecord, StateFolder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = [json.dumps({"id": i, "country": ("es", "uk", "de", None)[i % 4], "price": i}) for i in range(80)]
    (tmp_path / "in.jl").write_text("\n".join(rows) + "\n")
    return tmp_path / "in.jl"


def key_value(name: str, value: Any, operator: str = "==") -> dict[str, Any]:
    return {"name": "key_value", "options": {"keys": [{"name": name, "value": value, "operator": operator}]}}


def writer(out: Path, label: str, when: Any = None, **options: Any) -> dict[str, Any]:
    made = {"name": "fs", "label": label, "options": {"filebase": f"{out}/{label}", "compression": "none", **options}}
    return made if when is None else made | {"when": when}


@pytest.fixture
def config(source: Path, tmp_path: Path) -> dict[str, Any]:
    out = tmp_path / "out"
    return {
        "name": "routed",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 10}},
        "writer": [writer(out, "es", key_value("country", "es")), writer(out, "west", key_value("country", ["es", "uk"], "in"))],
        "checkpoint": {"every_records": 20},
    }


def ids(path: Path) -> list[int]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def counted(result: ozzy.Result) -> dict[str, Any]:
    return {stage: (counts.records_in, counts.records_out, counts.reasons) for stage, counts in result.counts.items()}


def runs(state: Path) -> list[RunRecord]:
    return StateFolder(state).runs()


ROUTED = {
    "reader": (80, 80, {}),
    "routing": (80, 40, {"unrouted": 40}),
    "es.when": (80, 20, {"not taken": 60}),
    "west.when": (80, 40, {"not taken": 40}),
    "es": (20, 20, {}),
    "west": (40, 40, {}),
}


def test_each_writer_gets_its_records_and_the_books_say_what_none_got(config: dict[str, Any], tmp_path: Path) -> None:
    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert ids(tmp_path / "out/es0000.jl") == list(range(0, 80, 4))
    assert ids(tmp_path / "out/west0000.jl") == [i for i in range(80) if i % 4 < 2]
    assert counted(result) == ROUTED
    assert runs(tmp_path / "state")[0].facts["counts"]["routing"] == {"records_in": 80, "records_out": 40, "reasons": {"unrouted": 40}}
    assert result.times["es.when"] > 0


def test_one_writer_may_choose_too(config: dict[str, Any], tmp_path: Path) -> None:
    config["writer"] = config["writer"][0]
    del config["writer"]["label"]
    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert list(result.counts) == ["reader", "routing", "writer.when", "writer"]
    assert result.counts["routing"].reasons == {"unrouted": 60}
    assert result.records_written == 20


def test_a_writer_without_a_when_gets_all_beside_one_with(config: dict[str, Any], tmp_path: Path) -> None:
    del config["writer"][1]["when"]
    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert counted(result)["routing"] == (80, 80, {})
    assert counted(result)["west"] == (80, 80, {})
    assert "west.when" not in result.counts


def test_without_a_when_the_books_are_as_ever(config: dict[str, Any], tmp_path: Path) -> None:
    for section in config["writer"]:
        del section["when"]
    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert list(result.counts) == ["reader", "es", "west"]
    document = json.loads(next((tmp_path / "state").glob("*/*/checkpoint.json")).read_bytes())["content"]
    assert list(document["books"]) == ["reader", "es", "west"]
    assert document["states"] == {}


def test_with_a_grouper(config: dict[str, Any], tmp_path: Path) -> None:
    config["grouper"] = {"name": "file_key", "options": {"keys": ["country"]}}
    config["writer"][1]["options"]["filebase"] = f"{tmp_path}/out/{{groups[0]}}/west"
    config["writer"][0]["options"]["filebase"] = f"{tmp_path}/out/{{groups[0]}}/es"
    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert sorted(path.relative_to(tmp_path).as_posix() for path in (tmp_path / "out").rglob("*.*")) == [
        "out/es/es0000.jl",
        "out/es/west0000.jl",
        "out/uk/west0000.jl",
    ]
    assert counted(result)["grouper"] == (80, 80, {})
    assert counted(result)["routing"] == (80, 40, {"unrouted": 40})


def test_limits_end_the_run_when_every_writer_has_enough(config: dict[str, Any], tmp_path: Path) -> None:
    config["writer"][0]["options"]["items_limit"] = 3
    config["writer"][1]["options"]["items_limit"] = 5
    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert ids(tmp_path / "out/es0000.jl") == [0, 4, 8]
    assert ids(tmp_path / "out/west0000.jl") == [0, 1, 4, 5, 8]
    assert counted(result)["west"] == (6, 5, {"limited": 1})
    assert result.records_read == 10


def test_a_dry_run_counts_the_same(config: dict[str, Any], tmp_path: Path) -> None:
    config["writer"].append({"name": "console", "label": "shown", "when": key_value("country", "de")})
    result = ozzy.run(config, dry_run=True)

    assert counted(result)["routing"] == (80, 60, {"unrouted": 20})
    assert counted(result)["shown"] == (20, 20, {})
    assert not (tmp_path / "out").exists()


def test_preview_shows_what_each_writer_would_get(config: dict[str, Any]) -> None:
    stages = {stage.name: [record and record["id"] for record in stage.records] for stage in ozzy.preview(config, 4)}

    assert stages == {"reader": [0, 1, 2, 3], "es.when": [0, None, None, None], "west.when": [0, 1, None, None]}


def test_explain_says_which_face_it_gets(config: dict[str, Any], tmp_path: Path) -> None:
    found = ozzy.explain(config, state_dir=tmp_path / "state")

    assert [(one.stage, one.name, one.face) for one in found.modules if one.stage.startswith("es")] == [
        ("es.when", "key_value", "fields country"),
        ("es", "fs", "rows as formatted"),
    ]
    assert found.guarantee.level == "exactly once"
    assert found.light_checkpoints == "light ones, and a full one at the end"


def test_every_problem_has_its_place(config: dict[str, Any]) -> None:
    config["writer"][0]["when"]["options"] = {"kyes": [], "keys": [{"name": "country", "value": 1, "operator": "is"}]}
    config["writer"][1]["when"] = {"nam": "key_value", "label": "x"}
    config["reader"]["when"] = "key_value"
    with pytest.raises(ConfigError) as raised:
        ozzy.validate(config)

    assert {problem.path for problem in raised.value.problems} == {
        "reader.when",
        "writer.0.when.options.kyes",
        "writer.0.when.options.keys.0.operator",
        "writer.1.when.nam",
        "writer.1.when.name",
        "writer.1.when.label",
    }


@pytest.mark.parametrize("when", [7, None, "", True])
def test_a_when_is_one_filter(config: dict[str, Any], when: Any) -> None:
    config["writer"] = config["writer"][0] | {"when": when}
    with pytest.raises(ConfigError) as raised:
        ozzy.validate(config)
    (problem,) = raised.value.problems
    assert (problem.path, "expected the name of a filter" in problem.message) == ("writer.when", True)


def test_an_unknown_filter_is_an_error_of_plugins(config: dict[str, Any]) -> None:
    config["writer"][0]["when"] = "key_valeu"
    with pytest.raises(PluginError, match=r"writer.0.when: .*key_valeu"):
        ozzy.validate(config)


def test_validate_tells_where_values_came_from(config: dict[str, Any]) -> None:
    found = ozzy.validate(config, set={"writer.1.when.options.nested_field_separator": "/"})
    whens = {one.section.path: one for one in found.modules if one.section.path.endswith("when")}

    assert list(whens) == ["writer.0.when", "writer.1.when"]
    assert str(whens["writer.1.when"].origins["nested_field_separator"]) == "--set"
    assert str(whens["writer.0.when"].origins["keys"]) == "config"


def test_a_writer_called_as_the_books_call_the_rest_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    config["writer"][1] = writer(tmp_path / "out", "routing")
    with pytest.raises(ConfigError, match=r"writer.1.label: routing is what the books count under"):
        ozzy.validate(config)
    del config["writer"][0]["when"]
    assert ozzy.validate(config)


def test_a_filter_by_an_inherited_path_makes_the_inherited_shape(config: dict[str, Any]) -> None:
    config["writer"][0]["when"]["name"] = "exporters.filters.key_value_filter.KeyValueFilter"

    assert ozzy.validate(config).config.inherited


def test_the_schema_knows_it(config: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from ozzy.options.schema import json_schema
    from ozzy.plan.registry import Registry

    validator = jsonschema.Draft202012Validator(json_schema(Registry.load()))
    assert list(validator.iter_errors(config)) == []
    config["writer"][0]["when"]["options"]["kyes"] = 1
    assert list(validator.iter_errors(config)) != []
    config["writer"] = {"name": "console", "when": "package.module:Filter"}
    assert list(validator.iter_errors(config)) == []


class StopAfter(Listener):
    """Asks the run to stop after some batches."""

    def __init__(self, batches: int, stop: Stop) -> None:
        self.batches, self.stop = batches, stop

    def batch_done(self, progress: Any) -> None:
        self.batches -= 1
        if not self.batches:
            self.stop.set()


def interrupt(config: Any, state: Path, batches: int) -> None:
    stop = Stop()
    with pytest.raises(Interrupted):
        ozzy.run(config, state_dir=state, stop=stop, listener=StopAfter(batches, stop))


def test_a_resumed_run_counts_on(config: dict[str, Any], tmp_path: Path) -> None:
    interrupt(config, tmp_path / "state", 3)
    result = ozzy.run(config, state_dir=tmp_path / "state", resume=True)

    assert counted(result) == ROUTED
    assert ids(tmp_path / "out/es0000.jl") == list(range(0, 80, 4))


def test_another_when_is_another_pipeline(config: dict[str, Any], tmp_path: Path) -> None:
    interrupt(config, tmp_path / "state", 3)
    config["writer"][0]["when"]["options"]["keys"][0]["value"] = "de"
    del config["writer"][1]["when"]
    with pytest.raises(StateError, match="can't go on with what has changed since it began") as raised:
        ozzy.run(config, state_dir=tmp_path / "state", resume=True)

    assert "es.when.options.keys.0.value: was 'es', is 'de'" in str(raised.value)
    assert "west.when.name: was 'key_value', is not there" in str(raised.value)


def test_a_bad_record_is_one_of_that_when(config: dict[str, Any], source: Path, tmp_path: Path) -> None:
    source.write_text(source.read_text().replace('"id": 3,', '"id": 3, "price": 1e999,'))
    config["writer"][0]["when"] = key_value("price", 4)
    with pytest.raises(DataError, match=r"in.jl, record 4: es.when \(KeyValueFilter\): "):
        ozzy.run(config, state_dir=tmp_path / "state")
    source.write_text(source.read_text().replace('"price": 3', '"x": 3'))
    with pytest.raises(DataError, match=r"in.jl, record 4: es.when \(KeyValueFilter\): "):
        ozzy.run(config, state_dir=tmp_path / "state", fresh=True)

    result = ozzy.run(config | {"errors": "skip"}, state_dir=tmp_path / "state", fresh=True)
    assert counted(result)["es.when"] == (80, 1, {"bad": 1, "not taken": 78})
    assert counted(result)["west.when"] == (80, 40, {"not taken": 40})


@pytest.mark.parametrize("full_every", [None, 30])
def test_several_writers_have_one_receipt_each(config: dict[str, Any], tmp_path: Path, full_every: int | None) -> None:
    """In light and in full checkpoints, whether a writer was given anything or not."""
    out = tmp_path / "out"
    config["writer"] += [writer(out, "all"), writer(out, "none", key_value("country", "nowhere"))]
    config["checkpoint"] = {"every_records": 20} | ({"full_every": {"records": full_every}} if full_every else {})
    documents: list[Any] = []

    class Seen(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            text = next((tmp_path / "state").glob("*/*/checkpoint.json")).read_bytes()
            documents.append(json.loads(text)["content"])

    result = ozzy.run(config, state_dir=tmp_path / "state", listener=Seen())

    kinds = [document["kind"] for document in documents]
    assert (set(kinds), kinds[-1]) == ({"light", "full"}, "full")
    for document in documents:
        assert list(document["writers"]) == ["es", "west", "all", "none"]
        assert all(receipt["final"] == (document["kind"] == "full") for receipt in document["writers"].values())
        assert {label: receipt["written"] for label, receipt in document["writers"].items()} == {
            label: document["books"][label]["in"] for label in document["writers"]
        }
    assert [document["number"] for document in documents if document["kind"] == "full"] == list(range(1, kinds.count("full") + 1))
    assert {file.writer: file.rows for file in result.files if not full_every} == ({} if full_every else {"es": 20, "west": 40, "all": 80})
