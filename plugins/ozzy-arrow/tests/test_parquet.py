"""Parquet as users have it: read as far as is needed, written within bounds, schemas given and learnt."""

import io
import json
import os
import subprocess
import sys
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ozzy
from ozzy import Batch, ConfigError, DataError, SourceError, StateError
from ozzy.builtin.filters.key_value import KeyValueFilter
from ozzy.contracts.decoder import decoded
from ozzy.data import table as data_table
from ozzy.data.codecs import open_decompressed
from ozzy.staging.files import StagedFiles
from ozzy_arrow import decoder_parquet, sink
from ozzy_arrow.decoder_arrow import ArrowDecoder, FeatherDecoder
from ozzy_arrow.decoder_parquet import ParquetDecoder
from ozzy_arrow.formatter_arrow import ArrowExportFormatter
from ozzy_arrow.formatter_parquet import ParquetExportFormatter

TABLE = pa.table(
    {
        "id": list(range(30)),
        "name": [f"n{number}" for number in range(30)],
        "price": [None if number % 7 == 0 else number / 2 for number in range(30)],
        "at": pa.array(range(30), pa.timestamp("us", "UTC")),
        "seller": [{"id": number % 3, "tags": ["a", None]} for number in range(30)],
    }
)


@pytest.fixture
def file(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet", row_group_size=10)
    return tmp_path / "t.parquet"


def batches(path, position=None, *, batch_size=4):
    with path.open("rb", buffering=0) as raw:
        decoder = ParquetDecoder({"options": {"batch_size": batch_size}})
        yield from decoded(decoder, open_decompressed(raw, name=path.name), position)


def keeping(**condition):
    return KeyValueFilter({"options": {"keys": [condition]}})


@pytest.fixture
def reads(monkeypatch):
    """The row groups and columns that are read from files."""
    seen = []
    rows = decoder_parquet._RowGroup.rows

    def noted(self, names, start, count):
        seen.append((self.number, names))
        return rows(self, names, start, count)

    monkeypatch.setattr(decoder_parquet._RowGroup, "rows", noted)
    return seen


def test_only_the_columns_of_a_filter_are_read_where_it_keeps_nothing(file, reads):
    chosen = keeping(name="name", operator="contains", value="n25")
    kept = []
    for batch in batches(file):
        part = batch.where(chosen.mask(batch))
        kept += part.records if len(part) else []

    assert [record["id"] for record in kept] == [25]
    assert [names for _, names in reads if names != ("name",)] == [("id", "price", "at", "seller")]


@pytest.mark.parametrize(
    ("condition", "groups"),
    [
        ({"name": "id", "operator": ">", "value": 24}, {2}),
        ({"name": "id", "operator": ">=", "value": 10.5}, {1, 2}),
        ({"name": "id", "operator": "<", "value": 10}, {0}),
        ({"name": "id", "operator": "<=", "value": 10}, {0, 1}),
        ({"name": "id", "operator": "==", "value": 12}, {1}),
        ({"name": "id", "operator": "in", "value": [1, 29]}, {0, 2}),
        ({"name": "id", "operator": "in", "value": [1, None]}, {0, 1, 2}),
        ({"name": "id", "operator": "==", "value": "12"}, {0, 1, 2}),
        ({"name": "name", "operator": ">", "value": "n3"}, {0}),
        ({"name": "price", "operator": ">", "value": 12}, {2}),
        ({"name": "price", "operator": "==", "value": None}, {0, 1, 2}),
        ({"name": "id", "operator": "!=", "value": 100}, {0, 1, 2}),
        ({"name": "at", "operator": ">", "value": "2030"}, {0, 1, 2}),
    ],
)
def test_row_groups_whose_statistics_say_no_are_not_read(file, reads, condition, groups):
    chosen = keeping(**condition)
    masks = [kept for batch in batches(file) for kept in chosen.mask(batch)]

    assert masks == [bool(chosen.filter(record)) for record in Batch.from_table(TABLE).records]
    assert {number for number, _ in reads} == groups


def test_bounds_are_not_asked_for_where_they_mean_nothing(tmp_path):
    table = pa.table({"a": [1.0, float("nan")], "b": [None, None], "c": [True, False], "d.e": [1, 2], "d": [{"e": 5}, {"e": 6}]})
    pq.write_table(table, tmp_path / "t.parquet")
    (batch,) = batches(tmp_path / "t.parquet")

    assert [batch.table.bounds(name) for name in ("b", "c", "d", "d.e")] == [None] * 4
    assert list(keeping(name="a", operator=">", value=0).mask(batch)) == [True, False]
    assert batch.select(("d.e", "d")) == [(1, {"e": 5}), (2, {"e": 6})]


def test_batches_live_longer_than_their_file(file):
    found = list(batches(file))
    file.unlink()

    assert [record["id"] for batch in reversed(found) for record in batch.records][-4:] == [0, 1, 2, 3]


def test_reading_goes_on_inside_a_row_group(file):
    rest = list(batches(file, {"rows": 14}))

    assert [len(batch) for batch in rest] == [4, 2, 4, 4, 2]
    assert rest[0].origin[0] == rest[0].records[0]["id"] == 14
    assert rest[-1].position == {"rows": 30, "offset": 0, "lines": 0}
    with pytest.raises(SourceError, match="has 30 rows, fewer than the 31"):
        list(batches(file, {"rows": 31}))


def test_a_compressed_file_is_read_through_a_copy(file, tmp_path):
    import gzip

    packed = tmp_path / "t.parquet.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))

    assert [record["id"] for batch in batches(packed) for record in batch.records] == list(range(30))


def test_texts_that_are_not_utf8_are_told_with_the_file(tmp_path):
    raw = pa.table({"a": pa.array([b"\xff"], pa.binary())})
    pq.write_table(raw, tmp_path / "t.parquet", store_schema=False)
    damaged = pa.Array.from_buffers(pa.string(), 1, raw["a"].chunk(0).buffers())
    pq.write_table(pa.table({"a": damaged}), tmp_path / "t.parquet")

    with pytest.raises(DataError, match=r"t\.parquet can't be read as Parquet"):
        _ = next(batches(tmp_path / "t.parquet")).records


def test_what_a_filter_leaves_out_is_not_looked_at(tmp_path):
    raw = pa.array([b"good", b"\xff"], pa.binary())
    damaged = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    pq.write_table(pa.table({"id": [1, 2], "a": damaged}), tmp_path / "t.parquet")

    (batch,) = batches(tmp_path / "t.parquet")
    good = batch.where(keeping(name="id", value=1).mask(batch))
    assert good.records == [{"id": 1, "a": "good"}]
    assert good.of_table(good.table.rename({"a": "b"})).records == [{"b": "good"}]
    bad = batch.where(keeping(name="id", value=2).mask(batch))
    for chosen in (bad, bad.of_table(bad.table.rename({"a": "b"})), batch.take([1]), batch):
        with pytest.raises(DataError, match=r"t\.parquet can't be read as Parquet"):
            _ = chosen.table.arrow()


def test_a_column_is_looked_at_once(tmp_path, monkeypatch):
    seen = []
    check = decoder_parquet._Part.check
    monkeypatch.setattr(decoder_parquet._Part, "check", lambda self, table: (seen.append(table.column_names), check(self, table)))
    pq.write_table(TABLE, tmp_path / "t.parquet")

    (batch,) = batches(tmp_path / "t.parquet", batch_size=30)
    chosen = batch.where(keeping(name="id", value=3, operator=">").mask(batch))
    assert len(chosen.table.arrow()) == len(chosen.records) == 26
    assert chosen.where(keeping(name="name", value="n7").mask(chosen)).records[0]["id"] == 7
    assert seen == [["id"], ["name", "price", "at", "seller"]]


def test_two_columns_of_one_name_are_refused(tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")

    with pytest.raises(DataError, match="two columns are called 'a'"):
        list(batches(tmp_path / "t.parquet"))


@pytest.mark.parametrize("decoder", [ArrowDecoder, FeatherDecoder])
def test_feather_of_version_1_is_told(decoder):
    stream = open_decompressed(io.BytesIO(b"FEA1" + b"\0" * 60 + b"FEA1"), name="t.feather")

    with pytest.raises(DataError, match=r"t\.feather is Feather of version 1"):
        list(decoder().decode(stream))


def test_a_stream_that_is_shorter_than_what_was_read_is_told():
    target = io.BytesIO()
    with pa.ipc.new_file(target, TABLE.schema) as writer:
        writer.write_table(TABLE)
    stream = open_decompressed(io.BytesIO(target.getvalue()), name="t.arrow")

    with pytest.raises(SourceError, match="has 30 rows, fewer than the 40"):
        list(decoded(ArrowDecoder(), stream, {"rows": 40}))


# Writing


def written(formatter, *given):
    target = io.BytesIO()
    made = formatter.open(target)
    for batch in given:
        made.write(formatter.fit(batch))
    made.close()
    return target.getvalue()


def of_file(data):
    return pq.read_table(io.BytesIO(data))


def parquet(**options):
    return ParquetExportFormatter({"options": options})


def test_columns_stay_what_they_are():
    assert of_file(written(parquet(), Batch.from_table(TABLE))).equals(TABLE)


def test_a_given_schema_makes_columns_of_records():
    schema = {
        "id": "int32 not null",
        "price": "decimal(10, 2)",
        "at": "timestamp[ms]",
        "local": "datetime",
        "day": "date",
        "hour": "time[s]",
        "took": "duration",
        "kind": "dictionary",
        "raw": "binary",
        "tags": ["string"],
        "seller": {"id": "uint8", "names": ["string"]},
        "large": "decimal(50, 2)",
    }
    record = {
        "id": 1,
        "price": 1.5,
        "at": "2024-05-01T00:00:00.5Z",
        "local": "2024-05-01T00:00:00",
        "day": "2024-05-01",
        "hour": "10:00:00",
        "took": 5,
        "kind": "x",
        "raw": "eA==",
        "tags": ["a", None],
        "seller": {"id": 3, "names": []},
        "large": "1" * 40,
    }
    table = of_file(written(parquet(schema=schema), Batch.from_records([record, {"id": 2}])))

    assert not table.schema.field("id").nullable
    assert [str(table.schema.field(name).type) for name in ("id", "price", "at", "local", "hour")] == [
        "int32",
        "decimal128(10, 2)",
        "timestamp[ms, tz=UTC]",
        "timestamp[us]",
        "time32[ms]",
    ]
    assert Batch.from_table(table).records[0] == record | {
        "price": "1.50",
        "at": "2024-05-01T00:00:00.500Z",
        "local": "2024-05-01T00:00:00.000000",
        "hour": "10:00:00.000",
        "large": "1" * 40 + ".00",
    }


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"a": "integer"}, "schema.a: 'integer' is no type of a column"),
        ({"a": "decimal(5, 6)"}, "schema.a"),
        ({"a": "decimal(77, 2)"}, "schema.a"),
        ({"a": {}}, "schema.a: an object needs one field at least"),
        ({"a": ["string", "int64"]}, "schema.a: a list has one type for its elements"),
        ({"a": [{"b": 5}]}, "schema.a.0.b: 5 is no type of a column"),
    ],
)
def test_a_type_that_there_is_not_is_told(schema, told):
    with pytest.raises(ConfigError) as caught:
        parquet(schema=schema)
    assert told in str(caught.value)


def test_without_a_schema_the_whole_first_file_decides():
    formatter = parquet()
    first = written(
        formatter, Batch.from_records([{"a": 1}, {"b": "x"}]), Batch.from_records([{"a": 1.5, "c": [{"d": True}]}, {"e": None}])
    )

    assert of_file(first).to_pylist() == [
        {"a": 1.0, "b": None, "c": None, "e": None},
        {"a": None, "b": "x", "c": None, "e": None},
        {"a": 1.5, "b": None, "c": [{"d": True}], "e": None},
        {"a": None, "b": None, "c": None, "e": None},
    ]
    with pytest.raises(DataError, match="'f' is no column of the schema") as caught:
        formatter.fit(Batch.from_records([{"a": 1}, {"f": 1}]))
    assert caught.value.row == 1
    assert of_file(written(formatter, Batch.from_records([{"a": 2}]))).schema == of_file(first).schema


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([{"a": 1}, {"a": "x"}], "a is an integer in record 1 of the file, and a text in record 2"),
        ([{"a": True}, {}, {"a": 1.5}], "a is true or false in record 1 of the file, and a float in record 3"),
        ([{"a": [1]}, {"a": {"b": 1}}], "a is a list in record 1 of the file, and an object in record 2"),
        ([{"a": {"b": [1, "x"]}}], r"a\.b\[\] is an integer in record 1 of the file, and a text in record 1"),
        ([{"a": {}}], "a is an empty object wherever it is there"),
        ([{}, {"a": 2**63}], "a is an integer of more than 64 bits in record 2"),
        ([{"a": 0.5}, {"a": 2**53 + 1}], "record 2 of a file does not fit .* a: 9007199254740993 does not fit"),
    ],
)
def test_records_without_columns_that_hold_them_are_told(records, told):
    with pytest.raises(DataError, match=told) as caught:
        written(parquet(), Batch.from_records(records))
    assert "schema" in caught.value.hint


def test_a_second_file_that_was_open_already_has_to_fit():
    formatter = parquet()
    one, other = formatter.open(io.BytesIO()), formatter.open(io.BytesIO())
    one.write(formatter.fit(Batch.from_records([{"a": 1}])))
    other.write(formatter.fit(Batch.from_records([{"a": 1}, {"a": "x"}])))
    one.close()

    with pytest.raises(DataError, match="record 2 of a file does not fit the columns of the first file: a: 'x' does not fit"):
        other.close()


def test_what_was_learnt_is_remembered():
    formatter, again = parquet(), parquet()
    written(formatter, Batch.from_table(TABLE.replace_schema_metadata({"pandas": "{}", "k": "v"})))
    again.set_state(json.loads(json.dumps(formatter.get_state())))

    assert again.columns.equals(TABLE.schema)
    assert again.columns.metadata == {b"k": b"v"}
    assert parquet(schema={"a": "int8"}).get_state() is None
    with pytest.raises(StateError, match="can't be read"):
        again.set_state("bm8=")


def test_columns_of_other_types_are_fitted_or_refused():
    formatter = parquet(schema={"a": "float64", "b": "string", "n": "int8"})
    given = pa.table({"b": ["x", "y"], "a": pa.array([1, 2**53 + 1])})

    assert formatter.fit(Batch.from_table(given.slice(0, 1))).records == [{"a": 1.0, "b": "x", "n": None}]
    with pytest.raises(DataError, match="a: 9007199254740993 does not fit") as caught:
        formatter.fit(Batch.from_table(given))
    assert caught.value.row == 1
    with pytest.raises(DataError, match="'c' is no column of the schema"):
        formatter.fit(Batch.from_table(pa.table({"c": [1]})))
    dropping = parquet(schema={"a": "float64"}, extra_fields="drop")
    assert dropping.fit(Batch.from_table(given.slice(0, 1))).records == [{"a": 1.0}]


def test_a_null_does_not_fit_columns_that_have_none():
    formatter = parquet(schema={"a": "int64 not null"})

    with pytest.raises(DataError, match="a: a value is missing") as caught:
        formatter.fit(Batch.from_table(pa.table({"a": [1, None]})))
    assert caught.value.row == 1


def test_row_groups_are_cut_alike_however_batches_come():
    whole = written(parquet(row_group_size=7), Batch.from_table(TABLE))
    pieces = written(parquet(row_group_size=7), *(Batch.from_table(TABLE.slice(at, 4)) for at in range(0, 30, 4)))

    assert whole == pieces
    assert [pq.ParquetFile(io.BytesIO(whole)).metadata.row_group(at).num_rows for at in range(5)] == [7, 7, 7, 7, 2]


def test_what_is_held_in_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(sink, "HELD_BYTES", 3000)
    formatter = parquet()
    targets = [io.BytesIO() for _ in range(4)]
    sinks = [formatter.open(target) for target in targets]
    for at in range(0, 30, 5):
        for one in sinks:
            one.write(formatter.fit(Batch.from_table(TABLE.slice(at, 5))))
            assert sum(held.held for held in sinks) <= 3000
    for one in sinks:
        one.close()
    formatter.close()

    assert all(of_file(target.getvalue()).equals(TABLE) for target in targets)


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "lz4", "brotli", "none"])
def test_the_codec_is_the_one_asked_for(codec):
    metadata = pq.ParquetFile(io.BytesIO(written(parquet(codec=codec), Batch.from_table(TABLE)))).metadata

    assert metadata.row_group(0).column(0).compression in {
        codec.upper(),
        "LZ4_RAW" if codec == "lz4" else "UNCOMPRESSED" if codec == "none" else "",
    }


def test_only_columns_that_repeat_have_dictionaries():
    table = pa.table(
        {"id": list(range(1000)), "country": ["es", "pt"] * 500, "map": pa.array([[]] * 1000, pa.map_(pa.string(), pa.int8()))}
    )
    metadata = pq.ParquetFile(io.BytesIO(written(parquet(), Batch.from_table(table)))).metadata.row_group(0)

    assert ["RLE_DICTIONARY" in metadata.column(at).encodings for at in range(2)] == [False, True]


def test_arrow_streams_have_a_name_of_their_own():
    assert ArrowExportFormatter({"options": {"layout": "stream"}}).file_extension == "arrows"
    assert ArrowExportFormatter().file_extension == "arrow"


# Whole runs


def run(folder, **config):
    given = {"reader": {"name": "fs", "options": {"input": str(folder / "in")}}, "formatter": "parquet"}
    writer = {"name": "fs", "options": {"filebase": str(folder / "out/part")}}
    return ozzy.run({"name": "columns", "writer": writer} | given | config, state_dir=folder / "state")


@pytest.fixture
def here(file, tmp_path):
    (tmp_path / "in").mkdir()
    file.rename(tmp_path / "in/t.parquet")
    return tmp_path


def test_a_filter_keeps_columns_and_the_books(here, monkeypatch):
    monkeypatch.setattr("ozzy.data.batch.records_of", lambda _: pytest.fail("columns became records"))
    result = run(
        here,
        filter={"or": [{"name": "key_value", "options": {"keys": [{"name": name, "operator": operator, "value": value}]}}
                       for name, operator, value in (("id", "<", 3), ("price", ">", 12))]},
        transform=[{"name": "drop", "options": {"fields": ["name"]}}, {"name": "rename", "options": {"fields": {"id": "number"}}}],
    )  # fmt: skip
    ids = [0, 1, 2, 25, 26, 27, 29]

    assert (result.records_read, result.records_written) == (30, 7)
    assert [counts.reasons for counts in result.counts.values() if counts.reasons] == [{"filtered": 23}]
    assert pq.read_table(here / "out/part0000.parquet").equals(TABLE.take(ids).drop_columns(["name"]).rename_columns({"id": "number"}))


def test_parquet_leaves_as_lines_and_comes_back(here):
    run(here, formatter="json", writer={"name": "fs", "options": {"filebase": str(here / "lines/part"), "compression": "none"}})
    lines = (here / "lines/part0000.jl").read_text().splitlines()

    assert json.loads(lines[1]) == {
        "id": 1,
        "name": "n1",
        "price": 0.5,
        "at": "1970-01-01T00:00:00.000001Z",
        "seller": {"id": 1, "tags": ["a", None]},
    }
    schema = {"id": "int64", "name": "string", "price": "float64", "at": "timestamp", "seller": {"id": "int64", "tags": ["string"]}}
    ozzy.run(
        {
            "name": "back",
            "reader": {"name": "fs", "options": {"input": str(here / "lines")}},
            "formatter": {"name": "parquet", "options": {"schema": schema}},
            "writer": {"name": "fs", "options": {"filebase": str(here / "back/part")}},
        },
        state_dir=here / "state",
    )
    assert pq.read_table(here / "back/part0000.parquet").cast(TABLE.schema).equals(TABLE)


def test_a_run_imports_no_more_of_the_library_than_it_needs(here):
    config = {
        "name": "columns",
        "reader": {"name": "fs", "options": {"input": str(here / "in")}},
        "filter": {"or": [{"name": "key_value", "options": {"keys": [{"name": "id", "value": 3, "operator": ">"}]}} for _ in range(2)]},
        "formatter": "parquet",
        "writer": {"name": "fs", "options": {"filebase": str(here / "out/part")}},
    }
    code = (
        f"import sys, ozzy; print(ozzy.run({config!r}, state_dir={str(here / 'state')!r}).records_written)\n"
        "print({'pyarrow.compute', 'pyarrow.dataset', 'numpy', 'pandas'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split("\n")[:2] == ["26", "set()"]


def test_functions_are_found_where_the_library_has_moved_them(monkeypatch):
    asked = []
    found = data_table.part

    def moved(name):
        asked.append(name)
        if name == "_compute":
            raise ImportError(name)
        return found(name)

    monkeypatch.setattr(data_table, "part", moved)
    data_table._caller.cache_clear()
    assert data_table.call("equal", pa.array([1, 2]), pa.scalar(2)).to_pylist() == [False, True]
    assert asked == ["_compute", "compute"]
    data_table._caller.cache_clear()


def test_a_file_a_group_and_more_groups_than_can_be_open(here, monkeypatch):
    monkeypatch.setattr("ozzy.contracts.file_writer.StagedFiles", partial(StagedFiles, group_limit=2))
    run(
        here,
        grouper={"name": "file_key", "options": {"keys": ["seller.id"]}},
        writer={"name": "fs", "options": {"filebase": str(here / "out/{groups[0]}")}},
    )
    files = sorted((here / "out").iterdir())

    assert [path.name for path in files] == ["0.parquet", "1.parquet", "2.parquet"]
    assert [pq.read_table(path)["id"].to_pylist() for path in files] == [list(range(at, 30, 3)) for at in range(3)]


def test_bad_rows_are_passed_over_and_counted(tmp_path):
    (tmp_path / "in").mkdir()
    lines = [json.dumps({"id": number if number % 10 else str(number)}) for number in range(1, 31)]
    (tmp_path / "in/a.jl").write_text("\n".join(lines))
    result = run(tmp_path, formatter={"name": "parquet", "options": {"schema": {"id": "int64"}}}, errors={"policy": "skip"})

    assert result.counts["writer"].reasons == {"bad": 3}
    assert pq.read_table(tmp_path / "out/part0000.parquet")["id"].to_pylist() == [number for number in range(1, 31) if number % 10]


def test_files_roll_by_rows(here):
    run(here, writer={"name": "fs", "options": {"filebase": str(here / "out/part"), "items_per_buffer_write": 12}})

    assert [pq.read_table(path).num_rows for path in sorted((here / "out").iterdir())] == [12, 12, 6]


def test_files_roll_by_bytes_the_same_each_time(here):
    formatter = {"name": "parquet", "options": {"row_group_size": 3}}
    reader = {"name": "fs", "options": {"input": str(here / "in"), "batch_size": 3}}
    for name in ("one", "two"):
        writer = {"name": "fs", "options": {"filebase": str(here / name / "part"), "size_per_buffer_write": 2000}}
        run(here, formatter=formatter, reader=reader, writer=writer, name=name)
    one, two = ({path.name: path.read_bytes() for path in (here / name).iterdir()} for name in ("one", "two"))

    assert one == two
    assert len(one) > 1


def test_a_dry_run_leaves_nothing(here):
    before = sorted(path.name for path in here.iterdir())
    config = {
        "name": "dry",
        "reader": {"name": "fs", "options": {"input": str(here / "in")}},
        "formatter": "parquet",
        "writer": {"name": "fs", "options": {"filebase": str(here / "out/part")}},
    }
    result = ozzy.run(config, dry_run=True, state_dir=here / "state")

    assert result.records_written == 30
    assert sorted(path.name for path in here.iterdir()) == before


DEFAULT = {"jemalloc"} & set(pa.supported_memory_backends()) or {pa.default_memory_pool().backend_name}


@pytest.mark.parametrize("first", ["pa", "pc", "pq", "ipc"])
@pytest.mark.parametrize(("asked", "got"), [("", DEFAULT), ("system", {"system"})])
def test_memory_comes_from_the_pool_that_is_asked_for(asked, got, first):
    code = f"from ozzy_arrow import library as all; all.{first}(); print(all.pa().default_memory_pool().backend_name)"
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    environment |= {"ARROW_DEFAULT_MEMORY_POOL": asked} if asked else {}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert {done.stdout.strip()} == got


def test_numbers_and_lists_have_bounds_that_are_used_only_where_they_tell(tmp_path):
    table = pa.table({"a": pa.array([[1], [2]]), "n": pa.array([float("nan")] * 2), "s": ["a", "b"]})
    pq.write_table(table, tmp_path / "t.parquet", write_statistics=["s"])
    (batch,) = batches(tmp_path / "t.parquet")

    assert [batch.table.bounds(name) for name in ("a", "n", "s")] == [None, None, ("a", "b")]


def test_a_file_that_has_fewer_rows_than_it_says_is_damaged():
    with pytest.raises(DataError, match="fewer rows than it says"):
        decoder_parquet._Columns(iter([pa.record_batch({"a": [1]})])).rows(0, 2)


@pytest.mark.parametrize("asked", [range(8), [0, 2, 3, 5, 7], [3, 4], [7], [1, 6]])
def test_batches_can_be_passed_over_while_the_next_is_read_ahead(tmp_path, asked):
    pq.write_table(pa.table({"a": range(80), "b": list(map(str, range(80)))}), tmp_path / "in.parquet", row_group_size=30)
    found = [batch for number, batch in enumerate(batches(tmp_path / "in.parquet", batch_size=10)) if number in asked]

    assert [batch.table.column("a").to_pylist() for batch in found] == [list(range(10 * one, 10 * one + 10)) for one in asked]
    assert [batch.table.column("b").to_pylist()[0] for batch in reversed(found)] == [str(10 * one) for one in reversed(asked)]
