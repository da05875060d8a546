"""One Parquet file, shared by several workers: each reads row groups of its own, and all comes out as from one."""
# ruff: noqa: RUF012

import gzip
import json
import math
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ozzy
from ozzy import BaseEngine, DataError, Range
from ozzy.builtin.engines.local import LocalEngine
from ozzy.builtin.readers.fs import FSReader
from ozzy.data.codecs import open_decompressed
from ozzy.run import sharing
from ozzy.testing.found import ids_in
from ozzy.testing.kill import KillContract
from ozzy.testing.reading import ready
from ozzy_arrow import decoder_parquet
from ozzy_arrow.decoder_parquet import ParquetDecoder

ROWS = 1000


def table(rows=ROWS):
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "name": [f"näme {number * 7919 % 1000}" for number in range(rows)],
            "group": [("a", "b", None)[number % 3] for number in range(rows)],
            "price": [math.nan if number in {123, 907} else number / 4 for number in range(rows)],
        }
    )


def parts(path, size):
    with path.open("rb", buffering=0) as raw:
        return list(ParquetDecoder().ranges(open_decompressed(raw, name=path.name), size))


def decoded(path, part):
    with path.open("rb", buffering=0) as raw:
        for batch in ParquetDecoder({"options": {"batch_size": 7}}).decode_range(open_decompressed(raw, name=path.name), part):
            yield from batch.select(("id",))


@settings(max_examples=40, deadline=None)
@given(counts=st.lists(st.integers(0, 40), max_size=9), size=st.integers(1, 3000))
def test_parts_are_row_groups_of_the_size_asked_for(tmp_path_factory, counts, size):
    path = tmp_path_factory.mktemp("groups") / "t.parquet"
    rows, done = table(sum(counts)), 0
    with pq.ParquetWriter(path, rows.schema) as writer:
        for count in counts:
            writer.write_table(rows.slice(done, count))
            done += count
    found = parts(path, size)

    assert all(part.end - part.start >= size for part in found[:-1])
    if found:
        assert (found[0].start, found[-1].end, len(found) > 1) == (0, path.stat().st_size, True)
        assert all(one.end == following.start for one, following in pairwise(found))
        assert [n for part in found for (n,) in decoded(path, part)] == list(range(sum(counts)))


def test_a_part_reads_its_own_row_groups_and_none_ahead(tmp_path, monkeypatch):
    pq.write_table(table(), tmp_path / "t.parquet", row_group_size=100)
    begun = []
    make = decoder_parquet._RowGroup._begun
    monkeypatch.setattr(decoder_parquet._RowGroup, "_begun", lambda self, names: begun.append(self.number) or make(self, names))
    found = parts(tmp_path / "t.parquet", 1)

    assert len(found) == 10
    assert [n for (n,) in decoded(tmp_path / "t.parquet", found[4])] == list(range(400, 500))
    assert begun == [4]


def test_rows_are_counted_from_the_first_one_of_a_part(tmp_path):
    pq.write_table(table(), tmp_path / "t.parquet", row_group_size=100)
    last = parts(tmp_path / "t.parquet", 1)[-1]
    with (tmp_path / "t.parquet").open("rb", buffering=0) as raw:
        [batch] = ParquetDecoder().decode_range(open_decompressed(raw, name="t.parquet"), last)

    assert (batch.origin, batch.position) == (range(100), {"rows": 100, "offset": 0, "lines": 0})


def shuffled(path, monkeypatch):
    pq.write_table(table(), path, row_group_size=100)
    monkeypatch.setattr(decoder_parquet._File, "_start", lambda _, number: 10_000 - number)


def cut_off(path, _):
    pq.write_table(table(), path, row_group_size=100)
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path, _: pq.write_table(table(), path), "it has one row group"),
        (lambda path, _: pq.write_table(table(0), path), "it has no rows"),
        (lambda path, _: path.write_bytes(b""), "it is empty"),
        (shuffled, "its row groups lie in another order"),
        (cut_off, "it is damaged, which is told by who reads it"),
    ],
)
def test_a_file_is_read_whole_where(tmp_path, monkeypatch, make, why):
    make(tmp_path / "t.parquet", monkeypatch)

    assert parts(tmp_path / "t.parquet", 1) == [], why


def test_a_file_that_is_compressed_once_more_is_read_whole(tmp_path):
    pq.write_table(table(), tmp_path / "t.parquet", row_group_size=100)
    (tmp_path / "t.parquet.gz").write_bytes(gzip.compress((tmp_path / "t.parquet").read_bytes()))
    reader = ready(FSReader({"options": {"input": str(tmp_path / "t.parquet.gz")}}))
    [split] = reader.splits()

    assert list(reader.ranges(split, 1)) == []
    assert sum(len(batch) for batch in reader.read(split, None)) == ROWS


def test_damage_behind_the_footer_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(table(), path, row_group_size=100, compression="none", use_dictionary=False)
    found = parts(path, 1)
    content = bytearray(path.read_bytes())
    content[found[3].start : found[3].start + 8] = b"\xff" * 8
    path.write_bytes(content)

    assert [n for (n,) in decoded(path, found[2])] == list(range(200, 300))
    with pytest.raises(DataError, match=r"t\.parquet can't be read as Parquet"):
        list(decoded(path, Range(found[3].start, found[3].end)))


class TestRuns:
    """Two workers do what one does."""

    @pytest.fixture(autouse=True)
    def source(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sharing, "TASK_BYTES", 2000)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "in").mkdir()
        pq.write_table(table(), tmp_path / "in/a.parquet", row_group_size=60)
        pq.write_table(table(90), tmp_path / "in/b.parquet", row_group_size=30)

    def run(self, workers, **more):
        config = {
            "name": "shared",
            "reader": {"name": "fs", "options": {"input": "in"}},
            "filter": {"name": "key_value", "options": {"keys": [{"name": "price", "operator": "!=", "value": 3}]}},
            "writer": {"name": "fs", "options": {"filebase": f"out{workers}/part", "compression": "none"}},
            "engine": {"options": {"workers": workers}},
            "errors": "quarantine",
        }
        return ozzy.run(config | more, state_dir=f"state{workers}")

    @pytest.mark.parametrize("formatter", ["json", {"name": "csv", "options": {"fields": ["id", "name", "price"]}}, "xml"])
    def test_the_same_files(self, tmp_path, formatter):
        results = {workers: self.run(workers, formatter=formatter) for workers in (1, 2)}
        [one], [two] = ([path.read_bytes() for path in (tmp_path / f"out{workers}").iterdir()] for workers in (1, 2))

        assert one == two
        assert results[2].workers == 2
        assert results[1].records_written == results[2].records_written > ROWS

    def test_bad_records_have_the_same_place(self):
        told = {}
        for workers in (1, 2):
            result = self.run(workers)
            told[workers] = [one.place for one in ozzy.quarantined(result.run_id, state_dir=f"state{workers}")]

        assert told[1] == told[2]
        assert [where.rpartition(" ")[2] for where in told[2]] == ["124", "908"]

    def test_a_large_file_is_shared_unasked(self, monkeypatch):
        asked = []
        make = ParquetDecoder.ranges
        monkeypatch.setattr(ParquetDecoder, "ranges", lambda self, stream, size: asked.append(size) or make(self, stream, size))
        monkeypatch.setattr(sharing, "LARGE", 1)
        monkeypatch.setattr(sharing, "LARGE_COMPRESSED", 1)
        monkeypatch.setattr(LocalEngine, "usable", lambda _: 2)
        monkeypatch.setattr(LocalEngine, "run", BaseEngine.run)
        result = self.run(None)

        assert (result.workers, set(asked)) == (2, {2000})


class TestKillRowGroups(KillContract):
    """Killed anywhere, two workers make the same bytes from row groups."""

    same_bytes = True
    kills = 12
    moments = 2
    config = {"engine": {"options": {"workers": 2}}, "checkpoint": {"every_records": 10}}

    @pytest.fixture
    def reader(self, tmp_path, monkeypatch) -> dict[str, Any]:
        monkeypatch.setattr(sharing, "TASK_BYTES", 500)
        (tmp_path / "source").mkdir()
        pq.write_table(table(60).drop(["price"]), tmp_path / "source/a.parquet", row_group_size=7)
        (tmp_path / "source/b.jl").write_text("".join(json.dumps({"id": n}) + "\n" for n in range(60, 90)))
        return {"name": "fs", "options": {"input": str(tmp_path / "source"), "batch_size": 4}}

    def oracle(self):
        return ids_in(self.here / "out")
