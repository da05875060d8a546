"""Formatter `avro`: object container files by a given schema. It needs the extra `ozzy-core[avro]`."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, BinaryIO, Literal

from ozzy.contracts.formatter import BaseExportFormatter, staged_lines
from ozzy.data.batch import Batch
from ozzy.errors import DataError, PluginError, Problem
from ozzy.options.option import option, options


@options
class AvroOptions:
    """Options of the formatter `avro`."""

    schema: dict[str, Any] = option(
        help="The Avro schema of a record: a record itself.",
        example={
            "type": "record",
            "name": "Order",
            "fields": [{"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"]}],
        },
    )
    codec: Literal["null", "deflate", "bzip2", "xz"] = option(
        default="deflate", help="How the blocks of a file are compressed; with null the writer compresses the file as a whole."
    )


class AvroExportFormatter(BaseExportFormatter):
    """Writes records as Avro object container files, in the form of version 1.11 of its specification.

    A record that the schema does not fit is a bad one: a number out of range, a text where a number should be, a field that is missing and
    has no default and can't be null. Fields that the schema does not have are left out. Values are those of JSON, so dates are texts, and
    fields of `bytes` and of logical types on numbers don't take them.
    """

    Options = AvroOptions
    options: AvroOptions
    file_extension = "avro"
    face = "records"
    item_separator = ""
    appendable = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.compressed = self.options.codec != "null"
        self._schema: Any = None

    @classmethod
    def check_options(cls, options: AvroOptions) -> Iterator[Problem]:
        """What is wrong with the schema, where the library that knows is installed."""
        if options.schema.get("type") not in {"record", "error"} or not isinstance(options.schema.get("fields"), list):
            yield Problem("schema", "expected the schema of a record: {type: record, name: …, fields: […]}")
            return
        try:
            _library().parse_schema(options.schema)
        except PluginError:
            return
        except Exception as error:
            yield Problem("schema", f"is no Avro schema: {type(error).__name__}: {error}")

    @property
    def schema(self) -> Any:
        """The schema as the library wants it."""
        if self._schema is None:
            self._schema = _library().parse_schema(self.options.schema)
        return self._schema

    def format_rows(self, batch: Batch) -> Sequence[bytes]:
        validate = _library().validate
        lines = staged_lines(batch)
        for row, record in enumerate(Batch.from_lines([line[:-1] for line in lines]).records):
            try:
                validate(record, self.schema, raise_errors=True)
            except Exception as error:
                raise DataError(f"the schema does not fit: {' '.join(str(error).split())[:200]}", row=row) from None
        return lines

    def assemble(self, rows: Callable[[], Iterator[Batch]], target: BinaryIO) -> None:
        marker = hashlib.sha256(json.dumps(self.options.schema, sort_keys=True).encode()).digest()[:16]
        records = (record for batch in rows() for record in batch.records)
        _library().writer(target, self.schema, records, codec=self.options.codec, sync_marker=marker)


def _library() -> Any:
    try:
        return import_module("fastavro")
    except ImportError as error:
        raise PluginError("the formatter avro needs a library that is not installed", hint="pip install 'ozzy-core[avro]'") from error
