"""What the core offers, through the same entry point as any other package."""

from ozzy import Module, hookimpl


@hookimpl
def ozzy_read() -> dict[str, Module]:
    """Readers."""
    return {
        "fs": Module("ozzy.builtin.readers.fs:FSReader", "Files, folders and patterns of the local file system, compressed or not."),
        "random": Module("ozzy.builtin.readers.random:RandomReader", "Made-up records, the same ones for the same seed."),
    }


@hookimpl
def ozzy_decode() -> dict[str, Module]:
    """Decoders."""
    return {
        "csv": Module("ozzy.builtin.decoders.csv:CSVDecoder", "Comma-separated values; the first row names the fields."),
        "json": Module("ozzy.builtin.decoders.json_array:JsonDecoder", "One JSON array of objects, or one object, read as a stream."),
        "json_lines": Module("ozzy.builtin.decoders.json_lines:JsonLinesDecoder", "One JSON object a line."),
        "tsv": Module("ozzy.builtin.decoders.csv:TSVDecoder", "Tab-separated values; the first row names the fields."),
        "xml": Module("ozzy.builtin.decoders.xml:XMLDecoder", "XML: elements of a document as records, read as a stream."),
    }


@hookimpl
def ozzy_filter() -> dict[str, Module]:
    """Filters."""
    return {
        "dupe": Module("ozzy.builtin.filters.dupe:DupeFilter", "Keeps the first record of each key."),
        "key_value": Module("ozzy.builtin.filters.key_value:KeyValueFilter", "Keeps records whose fields have given values."),
        "key_value_regex": Module("ozzy.builtin.filters.key_value:KeyValueRegexFilter", "Keeps records whose fields match patterns."),
        "no_filter": Module("ozzy.builtin.filters.no_filter:NoFilter", "Keeps every record.", aliases=("none",)),
        "python_exp": Module("ozzy.builtin.filters.python_exp:PythonExpFilter", "Keeps records for which an expression is true."),
    }


@hookimpl
def ozzy_transform() -> dict[str, Module]:
    """Transforms."""
    return {
        "cast": Module("ozzy.builtin.transforms.cast:CastTransform", "Makes values of a type out of others, where nothing is lost by it."),
        "drop": Module("ozzy.builtin.transforms.drop:DropTransform", "Leaves out some fields."),
        "explode": Module("ozzy.builtin.transforms.explode:ExplodeTransform", "Makes a record of each element of a list."),
        "flatson": Module("ozzy.builtin.transforms.flatson:FlatsonTransform", "Flattens records by a JSON Schema."),
        "flatten": Module("ozzy.builtin.transforms.flatten:FlattenTransform", "Makes fields of nested objects fields of the record."),
        "jq": Module("ozzy.builtin.transforms.jq:JQTransform", "Makes records by a jq program."),
        "mask": Module("ozzy.builtin.transforms.mask:MaskTransform", "Hides what values say: digests, fixed texts, cut texts."),
        "no_transform": Module("ozzy.builtin.transforms.no_transform:NoTransform", "Leaves records as they are.", aliases=("none",)),
        "python_exp": Module("ozzy.builtin.transforms.python_exp:PythonExpTransform", "Changes records by expressions with an effect."),
        "python_map": Module("ozzy.builtin.transforms.python_map:PythonMapTransform", "Makes of each record what an expression gives."),
        "rename": Module("ozzy.builtin.transforms.rename:RenameTransform", "Gives fields other names."),
        "select": Module("ozzy.builtin.transforms.select:SelectTransform", "Keeps only some fields, in a given order."),
        "set": Module("ozzy.builtin.transforms.set:SetTransform", "Sets fields to the values of expressions."),
    }


@hookimpl
def ozzy_group() -> dict[str, Module]:
    """Groupers."""
    return {
        "file_key": Module("ozzy.builtin.groupers.file_key:FileKeyGrouper", "A file for each combination of values of some fields."),
        "no_grouper": Module("ozzy.builtin.groupers.no_grouper:NoGrouper", "All records belong together.", aliases=("none",)),
        "python_exp": Module("ozzy.builtin.groupers.python_exp:PythonExpGrouper", "A file for each combination of values of expressions."),
        "time": Module("ozzy.builtin.groupers.time:TimeGrouper", "A file for each day, month or hour of a moment."),
    }


@hookimpl
def ozzy_format() -> dict[str, Module]:
    """Formatters."""
    return {
        "avro": Module("ozzy.builtin.formatters.avro:AvroExportFormatter", "Avro container files by a given schema."),
        "csv": Module("ozzy.builtin.formatters.csv:CSVExportFormatter", "Comma-separated values, with a header."),
        "json": Module("ozzy.builtin.formatters.json:JsonExportFormatter", "JSON lines, or one JSON array."),
        "xlsx": Module("ozzy.builtin.formatters.xlsx:XLSXExportFormatter", "Workbooks for spreadsheet programs, where texts stay texts."),
        "xml": Module("ozzy.builtin.formatters.xml:XMLExportFormatter", "XML: an element for each record and field, with its type."),
    }


@hookimpl
def ozzy_write() -> dict[str, Module]:
    """Writers."""
    return {
        "aggregation": Module(
            "ozzy.builtin.writers.aggregation:AggregationWriter",
            "Counts which fields records have, for each group too.",
            aliases=("aggregation_stats",),
        ),
        "console": Module("ozzy.builtin.writers.console:ConsoleWriter", "Standard output."),
        "fs": Module("ozzy.builtin.writers.fs:FSWriter", "Files of the local file system, put in place whole."),
        "reduce": Module("ozzy.builtin.writers.reduce:ReduceWriter", "One value of all records, by a function of your own."),
    }


@hookimpl
def ozzy_bypass() -> dict[str, Module]:
    """Bypasses."""
    return {"stream": Module("ozzy.builtin.bypasses.stream:StreamBypass", "Copies files as they are, from any reader of streams.")}


@hookimpl
def ozzy_engine() -> dict[str, Module]:
    """Engines."""
    return {"local": Module("ozzy.builtin.engines.local:LocalEngine", "This process, or several of this machine.")}


@hookimpl
def ozzy_persist() -> dict[str, Module]:
    """Persistences."""
    return {
        "file": Module("ozzy.builtin.persistence.file:FilePersistence", "State in plain files of the state folder."),
        "pickle": Module("ozzy.builtin.persistence.pickle:PicklePersistence", "The inherited name for state in files of a folder."),
    }


@hookimpl
def ozzy_notify() -> dict[str, Module]:
    """Notifiers."""
    return {
        "ses_mail": Module("ozzy.builtin.notifications.mail:SESMailNotifier", "Mail through Amazon SES."),
        "smtp": Module("ozzy.builtin.notifications.mail:SMTPNotifier", "Mail through a server of your own."),
        "webhook": Module("ozzy.builtin.notifications.webhook:WebhookNotifier", "JSON posted to web addresses, signed if you like."),
    }


@hookimpl
def ozzy_stats() -> dict[str, Module]:
    """Stats managers."""
    return {
        "basic": Module("ozzy.builtin.stats.basic:BasicStatsManager", "Logs what the modules counted, at the end and for debugging only."),
        "logging": Module("ozzy.builtin.stats.logging:LoggingStatsManager", "Logs the seconds each stage took, batch by batch."),
    }
