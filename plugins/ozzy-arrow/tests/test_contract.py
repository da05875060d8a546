"""The modules of this package keep the contracts of their kinds, and nothing is lost or doubled when a run is killed."""
# ruff: noqa: RUF012

import io
import os
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from ozzy import Batch, Registry
from ozzy.builtin.readers.fs import FSReader
from ozzy.testing.decoder import DecoderContract
from ozzy.testing.formatter import FormatterContract
from ozzy.testing.found import ids_in as ids_of_lines
from ozzy.testing.kill import KillContract
from ozzy_arrow.decoder_arrow import ArrowDecoder, FeatherDecoder
from ozzy_arrow.decoder_parquet import ParquetDecoder
from ozzy_arrow.formatter_arrow import ArrowExportFormatter, FeatherExportFormatter
from ozzy_arrow.formatter_parquet import ParquetExportFormatter

SCHEMA = {"id": "int64", "name": "string", "country": "string", "active": "bool", "tags": ["string"]}


def read_back(table):
    return Batch.from_table(table).records


def filled(records):
    names = list(dict.fromkeys(name for record in records for name in record))
    return [{name: record.get(name) for name in names} for record in records]


def parquet_of(records, rows=7):
    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), target, row_group_size=rows)
    return target.getvalue()


class TestParquetDecoder(DecoderContract):
    module = ParquetDecoder

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        return parquet_of(records)

    def expected(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return filled(records)


class TestArrowFileDecoder(TestParquetDecoder):
    module = ArrowDecoder

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        target = io.BytesIO()
        table = pa.Table.from_pylist(records)
        with pa.ipc.new_file(target, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_table(table, max_chunksize=7)
        return target.getvalue()


class TestArrowStreamDecoder(TestParquetDecoder):
    module = ArrowDecoder

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        target = io.BytesIO()
        table = pa.Table.from_pylist(records)
        with pa.ipc.new_stream(target, table.schema) as writer:
            writer.write_table(table, max_chunksize=7)
        return target.getvalue()


class TestFeatherDecoder(TestParquetDecoder):
    module = FeatherDecoder

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        target = io.BytesIO()
        pyarrow.feather.write_feather(pa.Table.from_pylist(records), target, chunksize=7)
        return target.getvalue()


class TestParquetFormatter(FormatterContract):
    module = ParquetExportFormatter
    options = {"schema": SCHEMA, "extra_fields": "drop", "row_group_size": 3}

    def parse(self, data: bytes) -> list[Any]:
        return read_back(pq.read_table(io.BytesIO(data)))

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        return [{name: record.get(name) for name in SCHEMA} for record in records]


class TestParquetFormatterThatInfers(FormatterContract):
    module = ParquetExportFormatter
    options = {"codec": "zstd"}

    def parse(self, data: bytes) -> list[Any]:
        return read_back(pq.read_table(io.BytesIO(data)))

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        return filled(records)


class TestFeatherFormatter(TestParquetFormatter):
    module = FeatherExportFormatter

    def parse(self, data: bytes) -> list[Any]:
        return read_back(pyarrow.feather.read_table(io.BytesIO(data)))


class TestArrowFormatter(TestParquetFormatter):
    module = ArrowExportFormatter

    def parse(self, data: bytes) -> list[Any]:
        return read_back(pa.ipc.open_file(io.BytesIO(data)).read_all())


class TestArrowStreamFormatter(TestParquetFormatter):
    module = ArrowExportFormatter
    options = {"schema": SCHEMA, "extra_fields": "drop", "layout": "stream", "codec": "none"}

    def parse(self, data: bytes) -> list[Any]:
        return read_back(pa.ipc.open_stream(io.BytesIO(data)).read_all())


def ids_in(folder):
    for path in sorted(folder.rglob("*.parquet")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield from pq.read_table(path).column("id").to_pylist()


class _Killed(KillContract):
    kills = 12
    moments = 2
    same_bytes = True
    fork = False

    def oracle(self):
        return ids_in(self.here / "out")


class TestKillParquetWriting(_Killed):
    writer = {"name": "fs", "options": {"filebase": "out/part"}}
    config = {"formatter": {"name": "parquet", "options": {"row_group_size": 8}}}


class TestKillParquetWritingByGroup(_Killed):
    config = {
        "formatter": {"name": "parquet", "options": {"extra_fields": "drop", "schema": {"id": "int64"}}},
        "grouper": {"name": "file_key", "options": {"keys": ["id"]}},
        "checkpoint": {"every_records": 30},
    }
    writer = {"name": "fs", "options": {"filebase": "out/{groups[0]}"}}
    kills = 6
    moments = 1


class TestKillColumns(_Killed):
    reader = {"name": FSReader, "options": {"input": "in", "batch_size": 4}}
    config = {
        "formatter": "parquet",
        "filter": {"name": "key_value", "options": {"keys": [{"name": "id", "operator": "!=", "value": 5}]}},
        "checkpoint": {"every_records": 10, "full_every": {"records": 18}},
    }

    def arrange(self, folder):
        (folder / "in").mkdir()
        records = [{"id": number, "name": f"n{number}"} for number in range(50)]
        (folder / "in/a.parquet").write_bytes(parquet_of(records[:30], 9))
        (folder / "in/b.parquet").write_bytes(parquet_of(records[30:], 50))
        for path in (folder / "in").iterdir():
            os.utime(path, ns=(10**18, 10**18))


class TestKillParquetReading(KillContract):
    reader = {"name": FSReader, "options": {"input": "in", "batch_size": 4}}
    kills = 12
    moments = 2
    fork = False

    def oracle(self):
        return ids_of_lines(self.here / "out")

    arrange = TestKillColumns.arrange


@pytest.mark.parametrize("name", ["parquet", "arrow", "feather"])
def test_modules_are_found_by_their_short_names(name):
    registry = Registry.load()

    assert registry.resolve("deserializer", name).package == registry.resolve("formatter", name).package == "ozzy-arrow"
