"""Exporters: factories, modules as attributes, outcomes, bypasses."""

import copy
import importlib
import json
from pathlib import Path

import pytest

import ozzy
from ozzy import ConfigError, Interrupted, Metadata, PluginError
from ozzy_exporters.bypass import BaseBypass
from ozzy_exporters.manager import BaseExporter, BasicExporter
from ozzy_exporters.meta import ExportMeta
from ozzy_exporters.retries import retry_short

READ = "exporters.readers.random_reader.RandomReader"
WRITE = "exporters.writers.fs_writer.FSWriter"


@pytest.fixture
def config():
    return {
        "reader": {"name": READ, "options": {"number_of_items": 20, "batch_size": 5, "seed": 3}},
        "filter": {
            "name": "exporters.filters.key_value_filters.KeyValueFilter",
            "options": {"keys": [{"name": "country_code", "value": "es"}]},
        },
        "writer": {"name": WRITE, "options": {"filebase": "out/part", "compression": "none"}},
        "exporter_options": {"log_level": "DEBUG"},
    }


@pytest.fixture
def file(config):
    Path("export.json").write_text(json.dumps(config))
    return "export.json"


def test_an_export_from_a_file_leaves_what_it_did_in_its_metadata(file):
    exporter = BasicExporter.from_file_configuration(file)
    result = exporter.export()
    count = Path("out/part0000.jl").read_text().count("\n")
    assert result is exporter.result
    assert exporter.metadata.writer["items_count"] == exporter.writer.get_metadata("items_count") == count == result.records_written
    assert exporter.metadata.reader["read_items"] == 20
    assert exporter.metadata.filter["filtered_out"] == 20 - count
    assert exporter.metadata.writer["files_written"][0]["number_of_records"] == count
    assert (exporter.metadata.accurate_items_count, exporter.metadata.bypassed_pipeline) == (True, False)
    assert exporter.metadata.end_time >= exporter.metadata.start_time
    assert exporter.metadata.to_dict()["writer"]["items_count"] == count


@pytest.mark.filterwarnings("ignore:exporters:DeprecationWarning")
def test_the_inherited_imports_are_these_classes():
    assert importlib.import_module("exporters").BasicExporter is BasicExporter
    assert importlib.import_module("exporters.export_managers.base_exporter").BaseExporter is BaseExporter
    assert issubclass(BasicExporter, ozzy.BasicExporter)


def test_the_modules_of_an_exporter_are_those_that_run(config):
    exporter = BaseExporter(config)
    before = {
        name: getattr(exporter, name) for name in ("reader", "filter_before", "writer", "export_formatter", "persistence", "stats_manager")
    }
    assert [type(module).__name__ for module in before.values()] == [
        "RandomReader",
        "KeyValueFilter",
        "FSWriter",
        "JsonExportFormatter",
        "FilePersistence",
        "BasicStatsManager",
    ]
    assert (exporter.transform, exporter.filter_after, exporter.grouper, exporter.notifiers) == (None, None, None, [])
    assert isinstance(exporter.metadata, ExportMeta)
    assert exporter.reader.metadata is exporter.metadata
    exporter.writer.set_metadata("mine", "kept")
    exporter.export()
    assert {name: getattr(exporter, name) for name in before} == before
    assert exporter.metadata.writer["mine"] == "kept"


def test_an_exporter_can_export_again(config):
    exporter = BaseExporter(config)
    first, reader = exporter.export(), exporter.reader
    second = exporter.export()
    assert first.run_id != second.run_id
    assert exporter.reader is not reader


def test_the_config_is_there_section_by_section(config):
    exporter = BaseExporter(config)
    assert exporter.config.reader_options == config["reader"]
    assert exporter.config.filter_before_options["name"].endswith("KeyValueFilter")
    assert exporter.config.transform_options == {"name": "exporters.transform.no_transform.NoTransform", "options": {}}
    assert exporter.config.grouper_options["name"].endswith("NoGrouper")
    assert exporter.config.exporter_options == {"log_level": "DEBUG"}
    assert exporter.config.log_options == {"log_level": "DEBUG", "logger_name": "export-pipeline"}
    assert exporter.config.notifiers == []
    assert exporter.config.configuration == config


def test_short_names_are_shown_as_the_class_paths_that_bypasses_look_for():
    exporter = BaseExporter(
        {"reader": "random", "writer": "console", "notifications": {"name": "webhook", "options": {"endpoints": ["http://127.0.0.1:9"]}}}
    )
    assert exporter.config.reader_options == {"name": READ, "options": {}}
    assert exporter.config.writer_options["name"] == "exporters.writers.console_writer.ConsoleWriter"
    assert exporter.config.persistence_options["name"] == "file"
    assert exporter.config.notifiers[0]["name"].endswith("WebhookNotifier")
    assert exporter.config.read_option("reader", "batch_size") == 100
    assert exporter.config.read_option("reader", "no_such_option") is None
    assert exporter.config.read_option("grouper", "keys") is None
    with pytest.raises(ConfigError, match="no section 'readers'"):
        exporter.config.read_option("readers", "batch_size")


def test_an_option_is_read_from_its_variable_too(monkeypatch, bloom):
    Path("own.py").write_text(
        "from ozzy import BaseReader\n"
        "class Own(BaseReader):\n"
        "    supported_options = {'place': {'type': str, 'env_fallback': 'OWN_PLACE'}}\n"
        "    def get_next_batch(self):\n"
        "        self.finished = True\n"
        "        return []\n"
    )
    monkeypatch.syspath_prepend(".")
    monkeypatch.setenv("OWN_PLACE", "here")
    assert BaseExporter({"reader": "own.Own", "writer": "console"}).config.read_option("reader", "place") == "here"


def test_a_dict_is_left_as_it_was(config):
    before = copy.deepcopy(config)
    BaseExporter(config).export()
    assert config == before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"reader": {"name": READ, "options": {"batch_size": "many"}}}, ConfigError),
        ({"writer": {"name": "exporters.writers.no.Such"}}, PluginError),
    ],
)
def test_what_is_wrong_is_found_when_an_exporter_is_made(config, change, error):
    with pytest.raises(error):
        BaseExporter({**config, **change})


def test_a_file_that_is_not_there():
    with pytest.raises(ConfigError, match="no config file"):
        BasicExporter.from_file_configuration("no.json")


def test_a_file_keeps_its_place_so_that_its_run_can_be_gone_on_with(file):
    Path("deeper").mkdir()
    result = BasicExporter.from_file_configuration(file).export()
    assert result.pipeline == str(Path(file).resolve())
    assert ozzy.run(file, resume=True).state == "already finished"


# Extending


def test_a_subclass_may_change_the_config_and_look_at_the_outcome(file):
    class Own(BaseExporter):
        def __init__(self, configuration):
            configuration["reader"]["options"]["number_of_items"] = 3
            super().__init__(configuration)

        def export(self):
            super().export()
            return self.metadata.reader["read_items"]

    exporter = Own.from_file_configuration(file)
    assert isinstance(exporter, Own)
    assert exporter.export() == 3


class Copy(BaseBypass):
    """Pretends to have copied."""

    wanted = True
    log: list

    @classmethod
    def meets_conditions(cls, config):
        cls.log.append(("asked", config.reader_options["name"].rpartition(".")[2], config.transform_options["name"].rpartition(".")[2]))
        return cls.wanted

    def execute(self):
        self.increment_items(self.read_option("reader", "number_of_items"))
        self.log.append("copied")

    def close(self):
        self.log.append("closed")


@pytest.fixture
def bypassing(config):
    """Makes an exporter with these bypasses, and tells what they were asked."""

    def made(*cases, **options):
        log: list = []
        for case in cases:
            case.log = log

        class Own(BaseExporter):
            bypass_cases = cases

        return Own({**config, "exporter_options": options}), log

    return made


def test_the_first_bypass_that_takes_the_config_does_the_export(bypassing):
    first, second, third = type("No", (Copy,), {"wanted": False}), type("Yes", (Copy,), {}), type("Never", (Copy,), {})
    exporter, log = bypassing(first, second, third)
    result = exporter.export()
    asked = ("asked", "RandomReader", "NoTransform")
    assert log == [asked, asked, "copied", "closed"]
    assert (result.state, result.records_written) == ("bypassed", 20)
    assert exporter.metadata.writer["items_count"] == 20
    assert (exporter.metadata.bypassed_pipeline, exporter.metadata.accurate_items_count) == (True, True)
    assert not Path("out").exists()


def test_notifiers_are_closed_after_they_were_told_of_a_bypass(bypassing, monkeypatch):
    from ozzy.builtin.notifications.webhook import WebhookNotifier

    calls: list = []
    for name in ("notify_start_dump", "notify_complete_dump", "close"):
        monkeypatch.setattr(WebhookNotifier, name, lambda self, *args, name=name: calls.append(name))
    notifier = {"name": "webhook", "options": {"endpoints": ["http://127.0.0.1:9"]}}
    exporter, _ = bypassing(type("Yes", (Copy,), {}), notifications=[notifier])
    exporter.export()
    assert calls == ["notify_start_dump", "notify_complete_dump", "close"]


def test_bypasses_may_be_set_in_the_constructor(config):
    class Own(BaseExporter):
        def __init__(self, configuration):
            super().__init__(configuration)
            self.bypass_cases = [type("Yes", (Copy,), {"log": []})]

    assert Own(config).export().state == "bypassed"


def test_without_a_bypass_that_wants_it_the_pipeline_does_the_export(bypassing):
    exporter, log = bypassing(type("No", (Copy,), {"wanted": False}))
    assert exporter.export().state == "finished"
    assert len(log) == 1


def test_a_config_can_prevent_bypasses(bypassing):
    exporter, log = bypassing(type("Yes", (Copy,), {}), prevent_bypass=True)
    assert exporter.export().state == "finished"
    assert log == []


def test_a_bypass_that_cannot_count_says_so(bypassing):
    class Uncounted(Copy):
        def execute(self):
            self.valid_total_count = False

    exporter, _ = bypassing(Uncounted)
    exporter.export()
    assert exporter.metadata.accurate_items_count is False


def test_a_failing_bypass_is_closed_and_the_failure_told(bypassing, httpserver):
    httpserver.expect_request("/hook").respond_with_data("ok")

    class Fails(Copy):
        def execute(self):
            raise OSError("the bucket is gone")

    notifier = {"name": "exporters.notifications.webhook_notifier.WebhookNotifier", "options": {"endpoints": [httpserver.url_for("/hook")]}}
    exporter, log = bypassing(Fails, notifications=[notifier])
    with pytest.raises(ozzy.DestinationError, match=r"bypass \(.*\) failed: OSError: the bucket is gone"):
        exporter.export()
    told = [request.get_json() for request, _ in httpserver.log]
    assert [one["job_status"] for one in told] == ["STARTED", "FAILED"]
    assert "the bucket is gone" in told[1]["msg"]
    assert "Traceback" in told[1]["stack_trace"]
    assert log[-1] == "closed"


def test_a_bypass_that_fails_when_it_is_asked(bypassing):
    class Fails(Copy):
        @classmethod
        def meets_conditions(cls, config):
            return config["reader"]

    exporter, _ = bypassing(Fails)
    with pytest.raises(PluginError, match="asking a bypass"):
        exporter.export()


def test_a_bypass_writes_its_own_methods():
    class Bare(BaseBypass):
        pass

    with pytest.raises(NotImplementedError, match="Bare has no meets_conditions"):
        Bare.meets_conditions(None)
    with pytest.raises(NotImplementedError, match="Bare has no execute"):
        Bare(None, Metadata()).execute()
    assert Bare(None, Metadata()).close() is None


# Retries, and going on


def test_a_config_switches_retries_off_while_it_runs(config):
    tries = []

    @retry_short
    def ask():
        tries.append(1)
        raise ConnectionError

    class Own(BaseExporter):
        bypass_cases = (type("Asks", (Copy,), {"log": [], "execute": lambda self: ask()}),)

    with pytest.raises(ozzy.DestinationError):
        Own({**config, "exporter_options": {"disable_retries": True}}).export()
    assert tries == [1]


@pytest.fixture
def stopped(config, bloom):
    """A run from a file that was stopped in its middle: its id."""
    config["checkpoint"] = {"every_records": 5}
    config["filter_after"] = {"name": "halfway.Halfway"}
    Path("halfway.py").write_text(
        "import pathlib\nfrom ozzy import BaseFilter, Interrupted\n"
        "class Halfway(BaseFilter):\n"
        "    def filter(self, item):\n"
        "        if item['key'] > 9 and not pathlib.Path('again').exists():\n"
        "            pathlib.Path('again').touch()\n"
        "            raise Interrupted('stop')\n"
        "        return True\n"
    )
    Path("export.json").write_text(json.dumps(config))
    with pytest.raises(Interrupted) as caught:
        BasicExporter.from_file_configuration("export.json").export()
    return caught.value.run_id


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    importlib.sys.modules.pop("halfway", None)
    importlib.sys.modules.pop("own", None)


def whole(config):
    config["writer"]["options"]["filebase"] = "whole/part"
    ozzy.run({key: value for key, value in config.items() if key not in {"filter_after", "checkpoint"}})
    return Path("whole/part0000.jl").read_bytes()


@pytest.mark.parametrize("how", ["by id", "by its beginning", "by the config", "by the config alone"])
def test_an_export_goes_on(config, stopped, how):
    if how.startswith("by the config"):
        given = {"resume": True, "persistence_state_id": stopped} if how == "by the config" else {"resume": True}
        Path("export.json").write_text(json.dumps({**config, "exporter_options": {**config["exporter_options"], **given}}))
        exporter = BasicExporter.from_file_configuration("export.json")
    else:
        exporter = BasicExporter.from_persistence_configuration(stopped if how == "by id" else stopped[:-2])
    result = exporter.export()
    assert (result.resumed, result.run_id) == (True, stopped)
    assert Path("out/part0000.jl").read_bytes() == whole(config)
    assert exporter.metadata.writer["items_count"] == result.records_written
    assert exporter.metadata.reader["read_items"] == 20
