"""Every inherited spelling, in one file.

Configs may give a module by its inherited class path (`exporters.readers.fs_reader.FSReader`, or the same with `ozzy`); code may import the
inherited modules as `ozzy.readers.base_reader` and so on. This file maps both to what they are now. To drop them, delete this file, the
finder in `ozzy/__init__.py` and the mentions in `plan/registry.py`.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType
from typing import Any

from ozzy.errors import PluginError

ROOTS = ("exporters.", "ozzy.")

# Modules in configs: inherited class path without its root, to kind and short name

MODULES = {
    "readers.fs_reader.FSReader": ("reader", "fs"),
    "readers.hubstorage_reader.HubstorageReader": ("reader", "hubstorage"),
    "readers.kafka_random_reader.KafkaRandomReader": ("reader", "kafka_random"),
    "readers.kafka_scanner_reader.KafkaScannerReader": ("reader", "kafka_scanner"),
    "readers.random_reader.RandomReader": ("reader", "random"),
    "readers.s3_reader.S3Reader": ("reader", "s3"),
    "deserializers.CSVDeserializer": ("deserializer", "csv"),
    "deserializers.JsonLinesDeserializer": ("deserializer", "json_lines"),
    "filters.dupe_filter.DupeFilter": ("filter", "dupe"),
    "filters.key_value_filters.KeyValueFilter": ("filter", "key_value"),
    "filters.key_value_filters.KeyValueRegexFilter": ("filter", "key_value_regex"),
    "filters.no_filter.NoFilter": ("filter", "no_filter"),
    "filters.pythonexp_filter.PythonexpFilter": ("filter", "python_exp"),
    "transform.flatson_transform.FlatsonTransform": ("transform", "flatson"),
    "transform.jq_transform.JQTransform": ("transform", "jq"),
    "transform.no_transform.NoTransform": ("transform", "no_transform"),
    "transform.pythonexp_transform.PythonexpTransform": ("transform", "python_exp"),
    "transform.pythonmap.PythonMapTransform": ("transform", "python_map"),
    "groupers.file_key_grouper.FileKeyGrouper": ("grouper", "file_key"),
    "groupers.no_grouper.NoGrouper": ("grouper", "no_grouper"),
    "groupers.python_exp_grouper.PythonExpGrouper": ("grouper", "python_exp"),
    "export_formatter.csv_export_formatter.CSVExportFormatter": ("formatter", "csv"),
    "export_formatter.json_export_formatter.JsonExportFormatter": ("formatter", "json"),
    "export_formatter.xml_export_formatter.XMLExportFormatter": ("formatter", "xml"),
    "contrib.writers.odo_writer.ODOWriter": ("writer", "odo"),
    "writers.aggregation_stats_writer.AggregationStatsWriter": ("writer", "aggregation"),
    "writers.azure_blob_writer.AzureBlobWriter": ("writer", "azure_blob"),
    "writers.azure_file_writer.AzureFileWriter": ("writer", "azure_file"),
    "writers.cloudsearch_writer.CloudSearchWriter": ("writer", "cloudsearch"),
    "writers.console_writer.ConsoleWriter": ("writer", "console"),
    "writers.dropbox_writer.DropboxWriter": ("writer", "dropbox"),
    "writers.fs_writer.FSWriter": ("writer", "fs"),
    "writers.ftp_writer.FTPWriter": ("writer", "ftp"),
    "writers.gdrive_writer.GDriveWriter": ("writer", "gdrive"),
    "writers.gstorage_writer.GStorageWriter": ("writer", "gstorage"),
    "writers.hs_reduce_writer.HubstorageReduceWriter": ("writer", "hubstorage_reduce"),
    "writers.hubstorage_writer.HubstorageWriter": ("writer", "hubstorage"),
    "writers.mail_writer.MailWriter": ("writer", "mail"),
    "writers.reduce_writer.ReduceWriter": ("writer", "reduce"),
    "writers.s3_writer.S3Writer": ("writer", "s3"),
    "writers.sftp_writer.SFTPWriter": ("writer", "sftp"),
    "persistence.alchemy_persistence.MysqlPersistence": ("persistence", "mysql"),
    "persistence.alchemy_persistence.PostgresqlPersistence": ("persistence", "postgresql"),
    "persistence.alchemy_persistence.SqlitePersistence": ("persistence", "sqlite"),
    "persistence.pickle_persistence.PicklePersistence": ("persistence", "pickle"),
    "stats_managers.basic_stats_manager.BasicStatsManager": ("stats_manager", "basic"),
    "stats_managers.logging_stats_manager.LoggingStatsManager": ("stats_manager", "logging"),
    "notifications.ses_mail_notifier.SESMailNotifier": ("notifications", "ses_mail"),
    "notifications.webhook_notifier.WebhookNotifier": ("notifications", "webhook"),
    "bypasses.s3_to_azure_blob_bypass.S3AzureBlobBypass": ("bypass", "s3_to_azure_blob"),
    "bypasses.s3_to_azure_file_bypass.S3AzureFileBypass": ("bypass", "s3_to_azure_file"),
    "bypasses.s3_to_s3_bypass.S3Bypass": ("bypass", "s3_to_s3"),
    "bypasses.stream_bypass.StreamBypass": ("bypass", "stream"),
}

MOVED = {
    "export_formatters": "export_formatter",
    "filters.key_value_filter": "filters.key_value_filters",
    "filters.key_value_regex_filter": "filters.key_value_filters",
    "notifications.s3_mail_notifier": "notifications.ses_mail_notifier",
    "stats_managers.base_stats_managers": "stats_managers.base_stats_manager",
    "writers.aggregation_writer": "writers.aggregation_stats_writer",
}
"""Module names that were already old, or only in the old documents, to the ones above."""

RENAMED = {"AggregationWriter": "AggregationStatsWriter"}
"""Names of classes that were only in the old documents."""

DECOMPRESSORS = {
    "decompressors.NoDecompressor": "none",
    "decompressors.ZLibDecompressor": "auto",
}
"""Decompressors are an option of readers now: class path to the option's value."""

WRITE_BUFFERS = {
    "write_buffers.base.WriteBuffer": "default",
    "write_buffers.reservoir_sampling_buffer.ReservoirSamplingWriteBuffer": "reservoir_sampling",
}
"""Write buffers are an option of writers: class path to the option's value."""

WRITER_OPTIONS = ("check_consistency", "compression", "items_per_buffer_write", "size_per_buffer_write")
"""Options that every inherited writer took, though only those of files do anything with them."""


def plain(name: str) -> str | None:
    """An inherited class path without its root and up to date, None for any other name.

    >>> plain("exporters.filters.key_value_filter.KeyValueFilter"), plain("ozzy_s3.reader:S3Reader")
    ('filters.key_value_filters.KeyValueFilter', None)
    """
    root, dot, rest = name.partition(".")
    if not dot or f"{root}." not in ROOTS:
        return None
    module, _, last = rest.rpartition(".")
    path = f"{_current(module)}.{RENAMED.get(last, last)}"
    known = any(path in table for table in (MODULES, DECOMPRESSORS, WRITE_BUFFERS))
    return path if known or root == "exporters" else None


def short_name(kind: str, name: str) -> str | None:
    """The short name that an inherited class path of this kind stands for."""
    found = MODULES.get(plain(name) or "")
    return found[1] if found and found[0] == kind else None


def _current(module: str) -> str:
    if module in MOVED:
        return MOVED[module]
    package, dot, rest = module.partition(".")
    return MOVED.get(package, package) + dot + rest


# Imports: inherited module below `ozzy`, to its names and where they are now; built-in and installed modules come from the registry

IMPORTS = {
    "exceptions": {"ConfigCheckError": "ozzy.errors:ConfigError", "ConfigurationError": "ozzy.errors:ConfigError"},
    "export_formatter.base_export_formatter": {"BaseExportFormatter": "ozzy.contracts.formatter:BaseExportFormatter"},
    "export_managers.base_exporter": {"BaseExporter": "ozzy:BasicExporter"},
    "export_managers.basic_exporter": {"BasicExporter": "ozzy:BasicExporter"},
    "filters.base_filter": {"BaseFilter": "ozzy.contracts.filter:BaseFilter"},
    "groupers.base_grouper": {"BaseGrouper": "ozzy.contracts.grouper:BaseGrouper"},
    "meta": {"ExportMeta": "ozzy.contracts.module:Metadata"},
    "notifications.base_notifier": {"BaseNotifier": "ozzy.contracts.report:BaseNotifier"},
    "notifications.receiver_groups": {"CLIENTS": "ozzy.contracts.report:CLIENTS", "TEAM": "ozzy.contracts.report:TEAM"},
    "persistence.base_persistence": {"BasePersistence": "ozzy.contracts.persistence:BasePersistence"},
    "pipeline.base_pipeline_item": {"BasePipelineItem": "ozzy.contracts.module:BaseModule"},
    "readers.base_reader": {"BaseReader": "ozzy.contracts.reader:BaseReader"},
    "readers.base_stream_reader": {
        "Stream": "ozzy.contracts.reader:Stream",
        "StreamBasedReader": "ozzy.contracts.reader:BaseStreamReader",
    },
    "records.base_record": {"BaseRecord": "ozzy.data.record:BaseRecord"},
    "stats_managers.base_stats_manager": {"BaseStatsManager": "ozzy.contracts.report:BaseStatsManager"},
    "transform.base_transform": {"BaseTransform": "ozzy.contracts.transform:BaseTransform"},
    "utils": {name: f"ozzy.options.values:{name}" for name in ("dict_list", "int_list", "str_list")},
    "writers.base_writer": {"BaseWriter": "ozzy.contracts.writer:BaseWriter"},
    "writers.filebase_base_writer": {"FilebaseBaseWriter": "ozzy.contracts.file_writer:BaseNamedFileWriter"},
}

ClassOf = Callable[[str, str], Any]
"""Kind and short name to the class that is installed."""


def module_spec(name: str, class_of: ClassOf, more: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> ModuleSpec | None:
    """How to import the inherited module of this full name (`ozzy.readers.fs_reader`); None where there was none.

    Its names are looked up when they are asked for, so the module itself costs nothing. `more` has further names, in the form of `IMPORTS`,
    for a package of another root; those of `""` are the names of that package itself.
    """
    module = _current(name.partition(".")[2])
    names = dict[str, str | tuple[str, str]](more.get("", {})) if not module else _names_of(module, more)
    if not names:
        return None
    spec = ModuleSpec(name, _Loader(names, class_of), is_package=True)
    spec.submodule_search_locations = []
    return spec


def _names_of(module: str, more: Mapping[str, Mapping[str, str]]) -> dict[str, str | tuple[str, str]]:
    """The names of one module; a package has those of all its modules, as the inherited ones mostly had."""
    names: dict[str, str | tuple[str, str]] = {}
    for path, found in MODULES.items():
        home, _, name = path.rpartition(".")
        if f"{home}.".startswith(f"{module}."):
            names[name] = found
    for home, exported in (*IMPORTS.items(), *more.items()):
        if f"{home}.".startswith(f"{module}."):
            names |= exported
    return names | {old: names[new] for old, new in RENAMED.items() if new in names}


class _Loader(Loader):
    def __init__(self, names: dict[str, str | tuple[str, str]], class_of: ClassOf) -> None:
        self._names = names
        self._class_of = class_of

    def create_module(self, spec: ModuleSpec) -> None:
        """Python makes the module."""

    def exec_module(self, module: ModuleType) -> None:
        """Nothing but the look-up of names is put into the module."""

        def __getattr__(name: str) -> Any:  # noqa: N807
            if name not in self._names:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            return self._value(self._names[name], f"{module.__name__}.{name}")

        vars(module).update(__getattr__=__getattr__, __dir__=lambda: sorted(self._names), __doc__="An inherited spelling of names of ozzy.")

    def _value(self, home: str | tuple[str, str], name: str) -> Any:
        if isinstance(home, str):
            module, _, attribute = home.partition(":")
            return getattr(import_module(module), attribute)
        try:
            return self._class_of(*home)
        except PluginError as error:
            raise ImportError(f"{name}: {error}", name=name) from error
