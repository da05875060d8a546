"""Every inherited spelling means what it should: in configs, and in imports."""

import importlib
import subprocess
import sys

import pytest

import ozzy
from ozzy import Registry
from ozzy.plan import inherited
from ozzy.plan.install_hints import PACKAGES

HERE = {(row.kind, row.name) for row in Registry.load().rows() if row.package == "ozzy-core"}
OURS = {path: found for path, found in inherited.MODULES.items() if found in HERE}


@pytest.fixture
def registry() -> Registry:
    return Registry.load()


# In configs


@pytest.mark.parametrize("root", ["exporters", "ozzy"])
@pytest.mark.parametrize("path", OURS)
def test_an_inherited_class_path_is_the_module_of_today(registry, root, path):
    kind, name = OURS[path]
    found = registry.resolve(kind, f"{root}.{path}")
    assert (found.name, found.kind, found.package) == (name, kind, "ozzy-core")
    assert found.cls is registry.resolve(kind, name).cls


NEW_TRANSFORMS = {("transform", name) for name in ("cast", "drop", "explode", "flatten", "mask", "rename", "select", "set")}


def test_every_built_in_module_with_an_ancestor_has_its_path():
    new = {
        ("deserializer", "json"),
        ("deserializer", "tsv"),
        ("deserializer", "xml"),
        ("engine", "local"),
        ("formatter", "avro"),
        ("formatter", "xlsx"),
        ("grouper", "time"),
        ("notifications", "smtp"),
        ("persistence", "file"),
    }
    assert HERE - set(OURS.values()) - NEW_TRANSFORMS == new


@pytest.mark.parametrize("root", ["exporters", "ozzy"])
@pytest.mark.parametrize(
    ("old", "kind", "name"),
    [
        ("filters.key_value_filter.KeyValueFilter", "filter", "key_value"),
        ("filters.key_value_regex_filter.KeyValueRegexFilter", "filter", "key_value_regex"),
        ("export_formatters.json_export_formatter.JsonExportFormatter", "formatter", "json"),
        ("notifications.s3_mail_notifier.SESMailNotifier", "notifications", "ses_mail"),
    ],
)
def test_a_path_that_was_old_already(root, old, kind, name):
    assert inherited.short_name(kind, f"{root}.{old}") == name


def test_a_path_of_another_kind_is_not_taken():
    assert inherited.short_name("writer", "exporters.readers.fs_reader.FSReader") is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "fs",
        "fs_reader.FSReader",
        "readers.fs_reader.FSReader",
        "ozzy",
        "ozzy.",
        "ozzy.Batch",
        "ozzy.builtin.readers.fs:FSReader",
        "other.readers.fs_reader.FSReader",
    ],
)
def test_any_other_name_is_not_inherited(name):
    assert inherited.plain(name) is None
    assert inherited.short_name("reader", name) is None


def test_whatever_is_below_exporters_is_an_inherited_spelling():
    assert inherited.plain("exporters.readers.my_own.MyReader") == "readers.my_own.MyReader"


def test_decompressors_are_values_of_an_option():
    values = {
        inherited.DECOMPRESSORS[inherited.plain(f"{root}.decompressors.{name}")]
        for root in ("ozzy", "exporters")
        for name in ("ZLibDecompressor", "NoDecompressor")
    }
    assert values == {"auto", "none"}


def test_the_tables_are_whole():
    kinds = {
        "reader",
        "deserializer",
        "filter",
        "transform",
        "grouper",
        "formatter",
        "writer",
        "persistence",
        "stats_manager",
        "notifications",
        "bypass",
    }
    assert {kind for kind, _ in inherited.MODULES.values()} == kinds
    assert len(set(inherited.MODULES.values())) == len(inherited.MODULES)
    assert {path.rpartition(".")[0] for path in inherited.MODULES} & inherited.MOVED.keys() == set()


@pytest.mark.parametrize("name", ["hubstorage", "kafka_random", "s3", "gstorage", "mail", "mysql", "sqlite", "s3_to_s3"])
def test_a_module_that_lives_in_a_package_of_its_own_says_so(name):
    assert name in {short for _, short in inherited.MODULES.values()}
    assert name in PACKAGES


# In imports


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("readers.base_reader", {"BaseReader": "BaseReader"}),
        ("readers.base_stream_reader", {"StreamBasedReader": "BaseStreamReader", "Stream": "Stream"}),
        ("filters.base_filter", {"BaseFilter": "BaseFilter"}),
        ("transform.base_transform", {"BaseTransform": "BaseTransform"}),
        ("groupers.base_grouper", {"BaseGrouper": "BaseGrouper"}),
        ("export_formatter.base_export_formatter", {"BaseExportFormatter": "BaseExportFormatter"}),
        ("export_formatters.base_export_formatter", {"BaseExportFormatter": "BaseExportFormatter"}),
        ("writers.base_writer", {"BaseWriter": "BaseWriter"}),
        ("persistence.base_persistence", {"BasePersistence": "BasePersistence"}),
        ("notifications.base_notifier", {"BaseNotifier": "BaseNotifier"}),
        ("stats_managers.base_stats_manager", {"BaseStatsManager": "BaseStatsManager"}),
        ("stats_managers.base_stats_managers", {"BaseStatsManager": "BaseStatsManager"}),
        ("records.base_record", {"BaseRecord": "BaseRecord"}),
        ("pipeline.base_pipeline_item", {"BasePipelineItem": "BaseModule"}),
        ("meta", {"ExportMeta": "Metadata"}),
        ("exceptions", {"ConfigurationError": "ConfigError", "ConfigCheckError": "ConfigError"}),
        ("export_managers.basic_exporter", {"BasicExporter": "BasicExporter"}),
        ("export_managers.base_exporter", {"BaseExporter": "BasicExporter"}),
    ],
)
def test_an_inherited_module_has_the_names_of_today(module, names):
    found = importlib.import_module(f"ozzy.{module}")
    for old, new in names.items():
        assert getattr(found, old) is getattr(ozzy, new)


def test_the_file_writer_takes_finished_files():
    from ozzy.writers.filebase_base_writer import FilebaseBaseWriter

    from ozzy.contracts.file_writer import BaseNamedFileWriter

    assert FilebaseBaseWriter is BaseNamedFileWriter


def test_typed_lists_come_from_utils():
    from ozzy.utils import dict_list, int_list, str_list

    from ozzy.options import values

    assert (dict_list, int_list, str_list) == (values.dict_list, values.int_list, values.str_list)


def test_receivers_come_from_their_module():
    from ozzy.notifications.receiver_groups import CLIENTS, TEAM

    assert (CLIENTS, TEAM) == (0, 1)


@pytest.mark.parametrize("path", OURS)
def test_every_built_in_module_can_be_imported_by_its_inherited_path(registry, path):
    module, _, name = path.rpartition(".")
    cls = getattr(importlib.import_module(f"ozzy.{module}"), name)
    assert cls is registry.resolve(*OURS[path]).cls


def test_a_package_has_the_names_of_its_modules(registry):
    from ozzy.readers import BaseReader, FSReader

    assert (FSReader, BaseReader) == (registry.resolve("reader", "fs").cls, ozzy.BaseReader)
    assert {"BaseReader", "FSReader", "S3Reader"} <= set(dir(importlib.import_module("ozzy.readers")))


def test_a_deprecated_module_can_be_imported(registry):
    from ozzy.filters.key_value_filter import KeyValueFilter

    assert KeyValueFilter is registry.resolve("filter", "key_value").cls


def test_a_class_that_only_the_old_documents_had_can_be_imported():
    from ozzy.writers.aggregation_writer import AggregationWriter

    assert AggregationWriter.__name__ == "AggregationWriter"


@pytest.mark.usefixtures("without_plugins")
def test_what_is_not_installed_is_an_import_error_that_says_what_to_install():
    with pytest.raises(ImportError) as caught:
        from ozzy.readers.s3_reader import S3Reader  # noqa: F401
    assert "pip install ozzy-s3" in str(caught.value)
    assert caught.value.name == "ozzy.readers.s3_reader.S3Reader"


def test_a_module_of_an_installed_plugin_can_be_imported_by_its_inherited_path(install, made):
    install(
        "ozzy-s3",
        plugin=made("ozzy_read", "{'s3': 'ozzy_s3.reader:S3Reader'}"),
        modules={"reader.py": "from ozzy import BaseReader\nclass S3Reader(BaseReader):\n    pass\n"},
    )
    from ozzy.readers.s3_reader import S3Reader

    assert S3Reader.__module__ == "ozzy_s3.reader"


def test_a_plugin_that_imports_an_inherited_name_while_plugins_load_works(install, made):
    text = "from ozzy.filters.no_filter import NoFilter\n" + made("ozzy_filter", "{'mine': NoFilter}")
    install("ozzy-mine", plugin=text)
    registry = Registry.load()
    assert registry.broken == []
    assert registry.resolve("filter", "mine").cls.__name__ == "NoFilter"


@pytest.mark.parametrize(
    "name", ["readers.no_such_reader", "no_such_thing", "utilities", "rea", "plan.no_such_thing", "readers.base_reader.deeper"]
)
def test_what_never_was_is_not_found(name):
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(f"ozzy.{name}")
    assert caught.value.name == f"ozzy.{name}"


def test_a_name_that_a_module_never_had():
    import ozzy.utils

    assert not hasattr(ozzy.utils, "TmpFile")
    with pytest.raises(ImportError, match="cannot import name 'TmpFile' from 'ozzy"):
        from ozzy.utils import TmpFile  # noqa: F401


def test_other_packages_are_none_of_the_finders_business():
    assert ozzy._InheritedNames.find_spec("readers.base_reader") is None
    assert ozzy._InheritedNames.find_spec("ozzy_s3.reader") is None


def test_importing_ozzy_does_not_load_the_table():
    code = "import sys, ozzy; assert 'ozzy.plan' not in sys.modules; import ozzy.utils; assert 'ozzy.plan.inherited' in sys.modules"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0


def test_a_package_of_another_root_finds_the_same_names_and_its_own():
    more = {"": {"Tap": "ozzy:Batch"}, "utils": {"TmpFile": "ozzy:Batch"}, "taps": {"Tap": "ozzy:Batch"}}

    def names(module):
        spec = inherited.module_spec(module, lambda kind, name: None, more)
        return set() if spec is None else set(spec.loader._names)

    assert names("exporters.utils") == {"TmpFile", "dict_list", "int_list", "str_list"}
    assert names("exporters.readers.base_reader") == {"BaseReader"}
    assert (names("exporters.taps"), names("exporters")) == ({"Tap"}, {"Tap"})
    assert names("exporters.no_such_thing") == set()
    assert inherited.module_spec("ozzy", lambda kind, name: None) is None
