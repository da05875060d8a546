"""The inherited names that `ozzy.…` does not have: module below `exporters` to its names, and where each is now.

What the core has too (`ozzy.plan.inherited`) stands there alone, unless it is something else here.
"""

MORE = {
    "": {"BasicExporter": "ozzy_exporters.manager:BasicExporter"},
    "bypasses.base": {"BaseBypass": "ozzy_exporters.bypass:BaseBypass"},
    "default_retries": {
        name: f"ozzy_exporters.retries:{name}"
        for name in (
            "NonGeneratorError",
            "disable_retries",
            "disabled_retries",
            "initialized_retry",
            "reenable_retries",
            "retry_generator",
            "retry_long",
            "retry_short",
            "set_retry_init",
        )
    },
    "exceptions": {
        name: f"ozzy_exporters.exceptions:{name}"
        for name in ("InvalidDateRangeError", "InvalidExpression", "UnsupportedCompressionFormat", "WriterNotSupportingGroupedBatch")
    },
    "export_managers.base_exporter": {"BaseExporter": "ozzy_exporters.manager:BaseExporter"},
    "export_managers.basic_exporter": {"BasicExporter": "ozzy_exporters.manager:BasicExporter"},
    "exporter_config": {
        "ExporterConfig": "ozzy_exporters.config:ExporterConfig",
        "check_for_errors": "ozzy_exporters.introspection:check_for_errors",
        "module_options": "ozzy_exporters.introspection:module_options",
    },
    "meta": {"ExportMeta": "ozzy_exporters.meta:ExportMeta"},
    "progress_callback": {
        name: f"ozzy_exporters.progress:{name}"
        for name in (
            "BaseProgressCallback",
            "BotoDownloadProgress",
            "BotoUploadProgress",
            "FtpDownloadProgress",
            "FtpUploadProgress",
            "SftpDownloadProgress",
            "SftpUploadProgress",
        )
    },
    "utils": {
        "TemporaryDirectory": "ozzy_exporters.helpers:TemporaryDirectory",
        "TmpFile": "ozzy_exporters.helpers:TmpFile",
        "nested_dict_value": "ozzy_exporters.helpers:nested_dict_value",
        "remove_if_exists": "ozzy_exporters.helpers:remove_if_exists",
    },
    "writers.base_writer": {
        "InconsistentWriteState": "ozzy_exporters.exceptions:InconsistentWriteState",
        "ItemsLimitReached": "ozzy_exporters.exceptions:ItemsLimitReached",
    },
}

INSTEAD = {
    "": "ozzy",
    "bypasses.base": "the pipeline itself, which decides by records, format and names",
    "default_retries": "ozzy.Retries, and self.calling(…) in a module",
    "exporter_config": "ozzy.validate, and ozzy.Registry for what is installed",
    "progress_callback": "self.logger of the module",
}
"""What to use instead of a module that has no `ozzy.…` spelling of its own."""

GONE = {
    "decompressors": "what is compressed is told by its first bytes; `decompressor` in a config is auto, none, or a compression",
    "iterio": "a decoder is given a stream of bytes, ozzy.contracts.decoder.BaseDecoder says how",
    "logger": "use self.logger of the module",
    "module_loader": "use ozzy.Registry",
    "python_interpreter": "use ozzy.data.expressions.expression.Expression",
    "write_buffers": "`write_buffer` in the options of a writer is default or reservoir_sampling",
}
"""Inherited modules without a counterpart, and what there is instead."""
