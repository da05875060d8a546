"""Modules written to the inherited documentation run unchanged: by class path, and as a plugin by short name."""

import importlib
import json
import sys
from pathlib import Path

import pytest

import ozzy
from ozzy import Batch, ConfigError, DataError, Interrupted, Listener, Registry, Stop

SOURCE = Path(__file__).parent / "inherited_plugin" / "src"
PATHS = {
    "orchard": "exporters_orchard.reader.OrchardReader",
    "ripe": "exporters_orchard.filter.RipeFilter",
    "weigh": "exporters_orchard.transform.WeighTransform",
    "by_colour": "exporters_orchard.grouper.ColourGrouper",
    "label": "exporters_orchard.formatter.LabelFormatter",
    "crate": "exporters_orchard.writer.CrateWriter",
}


@pytest.fixture(autouse=True)
def orchard(tmp_path, monkeypatch):
    """The package as pip would install it."""
    info = tmp_path / "site" / "exporters_orchard-0.1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: exporters-orchard\nVersion: 0.1.2\n")
    (info / "entry_points.txt").write_text("[ozzy.plugins]\norchard = exporters_orchard.plugin\n")
    monkeypatch.syspath_prepend(str(SOURCE))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("ORCHARD_OWNER", "Zoë")
    monkeypatch.chdir(tmp_path)
    yield
    for name in [name for name in sys.modules if name.startswith("exporters_orchard")]:
        del sys.modules[name]


def apples(numbers, **more):
    return [{"number": n, "colour": ("red", "green")[n % 2], "owner": "Zoë", **more} for n in numbers]


def test_nothing_but_the_old_documentation_was_needed():
    old = {"ozzy.readers", "ozzy.records", "ozzy.utils", "ozzy.filters", "ozzy.exceptions", "ozzy.transform", "ozzy.groupers"}
    old |= {"ozzy.export_formatter", "ozzy.writers", "ozzy.stats_managers"}
    for file in (SOURCE / "exporters_orchard").glob("*.py"):
        imports = [line.split()[1] for line in file.read_text().splitlines() if line.startswith("from ozzy")]
        assert imports == ["ozzy"] if file.name == "plugin.py" else {".".join(name.split(".")[:2]) for name in imports} <= old


@pytest.mark.parametrize(("name", "path"), PATHS.items())
def test_short_name_and_class_path_are_the_same_module(name, path):
    registry = Registry.load()
    (row,) = [row for row in registry.rows() if row.name == name]
    assert (row.package, row.version, row.error) == ("exporters-orchard", "0.1.2", None)
    assert registry.resolve(row.kind, name).cls is registry.resolve(row.kind, path).cls


def test_modules_can_be_driven_by_hand():
    module = importlib.import_module("exporters_orchard.reader")
    reader = module.OrchardReader({"options": {"number_of_items": 5, "batch_size": 2, "colours": ["red"]}}, ozzy.Metadata())
    reader.set_last_position(None)
    batches = []
    while not reader.is_finished():
        batches.append([item["number"] for item in reader.get_next_batch()])
    assert batches == [[0, 1], [2, 3], [4]]
    assert reader.get_last_position() == {"last_read": 5}


def test_options_may_be_an_empty_mapping():
    transform = importlib.import_module("exporters_orchard.transform").WeighTransform({})
    assert [dict(item) for item in transform.transform_batch(Batch.from_records([{"number": 1}]))] == [{"number": 1, "weight": 101}]


def test_read_gives_what_the_modules_make():
    config = {
        "reader": {"name": "orchard", "options": {"number_of_items": 9, "batch_size": 2}},
        "filter": {"name": "ripe", "options": {"every": 2}},
        "transform": {"name": "weigh"},
    }
    assert list(ozzy.read(config)) == [dict(apple, weight=100 + apple["number"]) for apple in apples(range(0, 9, 2))]


def test_a_reader_that_returns_a_list_and_has_no_position():
    assert [record["number"] for record in ozzy.read({"reader": "orchard_list"})] == [0, 1, 2]


def test_a_transform_that_yields_plain_dicts_can_be_grouped(tmp_path):
    config = {
        "reader": {"name": "orchard", "options": {"number_of_items": 3}},
        "transform": {"name": "slice"},
        "grouper": {"name": "by_colour", "options": {"field": "half"}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out" / "{groups[0]}"), "compression": "none"}},
    }
    ozzy.run(config)
    halves = {file.stem: [json.loads(line)["number"] for line in file.read_text().splitlines()] for file in (tmp_path / "out").glob("*.jl")}
    assert halves == {"left": [0, 1, 2], "right": [0, 1, 2]}


@pytest.mark.parametrize("name_of", [str, PATHS.get], ids=["short names", "class paths"])
@pytest.mark.parametrize("formatter", ["label", "label_batch"])
def test_a_whole_pipeline_of_inherited_modules(tmp_path, name_of, formatter):
    (tmp_path / "crate").mkdir()
    path = {"label_batch": "exporters_orchard.formatter:BatchLabelFormatter"}.get(formatter, PATHS["label"])
    config = {
        "reader": {"name": name_of("orchard"), "options": {"number_of_items": 7, "batch_size": 2}},
        "filter_before": {"name": name_of("ripe"), "options": {"every": 1}},
        "transform": {"name": name_of("weigh"), "options": {"grams": 5}},
        "filter_after": {"name": name_of("ripe"), "options": {"every": 1}},
        "grouper": {"name": name_of("by_colour")},
        "writer": {"name": name_of("crate"), "options": {"crate": str(tmp_path / "crate")}},
        "stats_manager": {"name": "tally", "options": {"tally": str(tmp_path / "tally.txt")}},
        "exporter_options": {"formatter": {"name": formatter if name_of is str else path, "options": {"mark": "No. "}}},
    }
    result = ozzy.run(config)
    assert (result.records_read, result.records_written) == (7, 7)
    assert {file.name: file.read_text() for file in (tmp_path / "crate").iterdir()} == {
        "red": "apples\nNo. 0 red\nNo. 2 red\nNo. 4 red\nNo. 6 red\nthat was all\n",
        "green": "apples\nNo. 1 green\nNo. 3 green\nNo. 5 green\nthat was all\n",
    }
    tally = (tmp_path / "tally.txt").read_text().splitlines()
    assert tally[-1] == "final configuration start_time"
    assert all(line.startswith("iteration ") and "read" in line for line in tally[:-1])
    assert len(tally) > 1


@pytest.mark.parametrize("name", ["LabelFormatter", "BatchLabelFormatter"])
def test_a_formatter_gives_a_row_for_each_record(name):
    formatter = getattr(importlib.import_module("exporters_orchard.formatter"), name)({})
    rows = formatter.format_rows(Batch.from_records([{"number": 1, "colour": "röd"}, {"number": 2, "colour": "green"}]))
    assert rows == ["#1 röd".encode(), b"#2 green"]
    assert formatter.format_rows(Batch()) == []


def test_a_formatter_that_loses_a_record_is_found_out():
    class Loses(importlib.import_module("exporters_orchard.formatter").BatchLabelFormatter):
        def format(self, batch):
            return list(super().format(batch))[1:]

    with pytest.raises(DataError, match="Loses was given 2 records and gave back 1"):
        Loses({}).format_rows(Batch.from_records([{"number": 1, "colour": "red"}, {"number": 2, "colour": "green"}]))


def test_an_inherited_writer_gets_its_files_packed_with_gzip_whatever_the_formatter(tmp_path):
    (tmp_path / "crate").mkdir()
    config = {
        "reader": {"name": "orchard", "options": {"number_of_items": 3}},
        "writer": {"name": "crate", "options": {"crate": str(tmp_path / "crate")}},
    }
    ozzy.run(config)
    assert [json.loads(line) for line in (tmp_path / "crate" / "all").read_text().splitlines()] == apples(range(3))


@pytest.mark.parametrize("writer", ["crate", "fs"])
def test_a_stopped_run_of_inherited_modules_goes_on_where_it_stood(tmp_path, writer):
    (tmp_path / "crate").mkdir()
    options = {"crate": {"crate": str(tmp_path / "crate")}, "fs": {"filebase": str(tmp_path / "crate" / "all"), "compression": "none"}}
    config = {
        "name": "orchard",
        "reader": {"name": "orchard", "options": {"number_of_items": 20, "batch_size": 2}},
        "transform": {"name": "weigh"},
        "writer": {"name": writer, "options": options[writer]},
        "checkpoint": {"every_records": 2},
    }
    stop = Stop()

    class StopAfterTwo(Listener):
        batches = 0

        def batch_done(self, progress):
            self.batches += 1
            if self.batches == 2:
                stop.set()

    with pytest.raises(Interrupted):
        ozzy.run(config, listener=StopAfterTwo(), stop=stop)
    assert list((tmp_path / "crate").glob("all*")) == []
    result = ozzy.run(config, resume=True)
    assert (result.resumed, result.records_written) == (True, 20)
    (file,) = (tmp_path / "crate").glob("all*")
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        dict(apple, weight=100 + apple["number"]) for apple in apples(range(20))
    ]


def test_an_exporter_is_the_inherited_way_in(tmp_path):
    from ozzy.export_managers.basic_exporter import BasicExporter

    (tmp_path / "crate").mkdir()
    config = {
        "reader": {"name": PATHS["orchard"], "options": {"number_of_items": 3}},
        "writer": {"name": PATHS["crate"], "options": {"crate": str(tmp_path / "crate")}},
    }
    (tmp_path / "export.json").write_text(json.dumps(config))
    BasicExporter.from_file_configuration(str(tmp_path / "export.json")).export()
    assert (tmp_path / "crate" / "all").read_text().count("\n") == 3


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"number_of_items": "ten"}, "reader.options.number_of_items"),
        ({"colours": 5}, "reader.options.colours"),
        ({"number_of_item": 3}, "reader.options.number_of_item"),
    ],
)
def test_their_options_are_checked_like_any_other(options, problem):
    with pytest.raises(ConfigError) as caught:
        ozzy.validate({"reader": {"name": "orchard", "options": options}, "writer": {"name": "console"}})
    assert [one.path for one in caught.value.problems] == [problem]


def test_an_option_without_default_or_variable_is_required(monkeypatch):
    monkeypatch.delenv("ORCHARD_OWNER")
    with pytest.raises(ConfigError) as caught:
        ozzy.validate({"reader": "orchard", "writer": "crate"})
    assert [one.path for one in caught.value.problems] == ["reader.options.owner", "writer.options.crate"]


def test_what_a_constructor_refuses_is_a_config_error():
    with pytest.raises(ConfigError, match="an apple weighs something"):
        list(ozzy.read({"reader": "orchard_list", "transform": {"name": "weigh", "options": {"grams": -1}}}))
