"""What programs with a user interface ask."""

import pytest

import ozzy
from ozzy import ConfigError, PluginError, Registry
from ozzy.options.values import dict_list
from ozzy_exporters.introspection import check_for_errors, module_options

FAMILIES = {
    "readers", "writers", "transform", "groupers", "persistence", "filters", "stats_managers", "export_formatter", "notifications",
    "decompressors", "deserializers",
}  # fmt: skip


def test_every_family_is_there_with_its_modules():
    options = module_options()
    assert options.keys() == FAMILIES
    names = {family: {one["name"] for one in modules} for family, modules in options.items()}
    assert "exporters.readers.random_reader.RandomReader" in names["readers"]
    assert names["decompressors"] == {"exporters.decompressors.ZLibDecompressor", "exporters.decompressors.NoDecompressor"}
    assert all(one.keys() == {"name", "options"} for modules in options.values() for one in modules)


def test_options_are_told_in_the_inherited_form():
    options = module_options()
    (random,) = [one["options"] for one in options["readers"] if one["name"].endswith("RandomReader")]
    (key_value,) = [one["options"] for one in options["filters"] if one["name"].endswith("KeyValueFilter")]
    assert {key: random["batch_size"][key] for key in ("type", "default")} == {"type": int, "default": 100}
    assert (key_value["keys"]["type"], "default" in key_value["keys"]) == (dict_list, False)


def test_every_name_is_one_that_a_config_takes():
    kinds = {"readers": "reader", "writers": "writer", "persistence": "persistence", "deserializers": "deserializer", "filters": "filter"}
    registry = Registry.load()
    for family, kind in kinds.items():
        for one in module_options()[family]:
            assert registry.resolve(kind, one["name"]).kind == kind


def test_a_module_that_cannot_be_imported_is_left_out_and_told(monkeypatch, caplog):
    real = Registry.resolve

    def resolve(self, kind, name):
        if name.endswith("/console"):
            raise PluginError("its library is missing")
        return real(self, kind, name)

    monkeypatch.setattr(Registry, "resolve", resolve)
    assert [one["name"].rpartition(".")[2] for one in module_options()["writers"]] == ["AggregationStatsWriter", "FSWriter", "ReduceWriter"]
    assert "its library is missing" in caplog.text


GOOD = {
    "reader": {"name": "exporters.readers.random_reader.RandomReader"},
    "writer": {"name": "exporters.writers.console_writer.ConsoleWriter"},
}


def test_a_good_config_has_no_errors():
    assert check_for_errors(GOOD) == check_for_errors(GOOD, raise_exception=False) == {}


def test_errors_are_told_by_section_and_option():
    config = {
        "reader": {**GOOD["reader"], "options": {"batch_size": "many", "speed": 3}},
        "exporter_options": {"formatter": {"name": "csv", "options": {"fields": 5}}, "notifications": [{"options": {}}]},
    }
    errors = check_for_errors(config, raise_exception=False)
    assert errors.keys() == {"reader", "writer", "formatter", "notifications_0_name"}
    assert errors["reader"].keys() == {"batch_size", "speed"}
    assert errors["reader"]["speed"] == "unknown option"
    assert errors["writer"].startswith("missing")
    with pytest.raises(ConfigError) as caught:
        check_for_errors(config)
    assert isinstance(caught.value, ValueError)
    assert caught.value.errors == errors
    assert str(caught.value).count("\n") == len(caught.value.problems)


def test_a_module_that_is_not_there_is_told_too():
    config = {**GOOD, "writer": {"name": "exporters.writers.s3_writer.S3Writer"}}
    assert "pip install ozzy-s3" in check_for_errors(config, raise_exception=False)["config"]
    with pytest.raises(PluginError):
        check_for_errors(config)


def test_a_section_that_is_wrong_as_a_whole_hides_its_options():
    from ozzy_exporters.introspection import _enter

    errors: dict = {}
    _enter(errors, "reader", "missing")
    _enter(errors, "reader.options.batch_size", "missing")
    assert errors == {"reader": "missing"}


def test_what_is_no_config_at_all():
    assert check_for_errors("no/such.json", raise_exception=False) == {"config": "there is no config file no/such.json"}
    assert ozzy.ConfigError
