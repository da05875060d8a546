"""CSV that is read as columns has the outcome of CSV that is read row by row: values, bad rows and their lines, rows as they stand."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ozzy
from ozzy import DataError
from ozzy.builtin.decoders import csv as decoder
from ozzy.builtin.decoders import csv_text
from ozzy.builtin.decoders.csv import CSVDecoder
from ozzy.builtin.filters.key_value import KeyValueFilter
from ozzy.contracts.decoder import decoded
from ozzy.data.codecs import open_decompressed
from ozzy.data.native import AVAILABLE

TYPES = {"n": "int", "f": "float", "m": "number", "b": "bool"}
TEXT = st.text(st.sampled_from('a,;"\n\r\t \0é\ufeff='), max_size=5)
NUMBER = st.sampled_from(
    [
        "",
        "1",
        "-0",
        "007",
        "1.50",
        "1e3",
        "+1",
        " 2 ",
        "1.",
        ".5",
        "1" * 25,
        "9" * 18,
        "nan",
        "inf",
        "0x1",
        "1_0",
        "true",
        "No",
        "\u017f",
        "é",
    ]
)


def found(data, options, wanted=(), *, way):
    """All that comes of a file: rows, as they stand and as records, bad ones, blank ones; or the error. And the faces of batches.

    The way is to read it as `columns`, as cells that are `packed` in their text, or by `rows`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "CHUNK_BYTES", 24)
        patch.setattr(csv_text, "PIECE", 16)
        patch.setattr(decoder, "BATCH_BYTES", 20)
        if way != "packed":
            patch.setattr(decoder, "packed_cells", lambda *_: None)
        if way == "rows":
            patch.setattr(decoder, "cell_columns", lambda *_: None)
        made = CSVDecoder({"name": "csv", "options": options}, None)
        made.wanted = wanted
        batches, faces = [], set()
        try:
            for batch in decoded(made, open_decompressed(io.BytesIO(data), "none", name="in"), None):
                faces.add(batch.faces)
                as_they_stand = batch.written.rows if batch.written is not None else [None] * len(batch)
                rows = list(zip(batch.origin, batch.lines, map(repr, batch.records), as_they_stand, strict=True))
                batches.append((batch.position, rows, list(batch.rejected), batch.blank))
        except DataError as error:
            return (batches, str(error)), faces
        return (batches, None), faces


def same(data, options, wanted=()):
    """Whether there were columns, and packed cells, where all ways have the same outcome, batch by batch."""
    by_rows, _ = found(data, options, way="rows")
    by_columns, faces = found(data, options, wanted, way="columns")
    packed, packed_faces = found(data, options, wanted, way="packed")
    assert by_columns == by_rows
    assert packed == by_rows
    return ("table",) in faces, ("cells",) in packed_faces


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(TEXT, min_size=1, max_size=3), max_size=20),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    nulls=st.sampled_from([[], ["a", ""]]),
)
def test_texts(rows, quoting, end, delimiter, nulls):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, delimiter=delimiter, quoting=quoting).writerows([["x", "y"], *rows])
    same(text.getvalue().encode(), {"delimiter": delimiter, "nulls": nulls}, wanted=("y", "z"))


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(st.binary(max_size=6) | st.text('",ab\r', max_size=7).map(str.encode), min_size=4, max_size=20),
    last=st.sampled_from([b"", b"\n"]),
    quotechar=st.sampled_from(['"', "'", None]),
)
@example(lines=[b'"a"b,c'] * 9, last=b"", quotechar='"')
@example(lines=[b'"a,"b,"c"'] * 9, last=b"", quotechar='"')
@example(lines=[b"a\xff,b"] * 9, last=b"", quotechar='"')
@example(lines=[b'a"b,c""'] * 9, last=b"\n", quotechar='"')
@example(lines=[b"1,2\r"] * 9, last=b"\n", quotechar='"')
@example(lines=[b"1,2\r", b"1,2", b'"\r'] * 5, last=b'"', quotechar='"')
@example(lines=[b"1,2"] * 9 + [b'"3', b'4",5'] + [b"1,2"] * 9, last=b"\n", quotechar='"')
def test_any_bytes(lines, last, quotechar):
    same(b"x,y\n" + b"\n".join(lines) + last, {"quotechar": quotechar})


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER), max_size=12), wanted=st.sampled_from([(), ("f", "t")]))
@example(rows=[("1", "1.50", "2.5", "no")] * 9, wanted=())
def test_types(rows, wanted):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[*TYPES, "t"], *[[*row, "é"] for row in rows]])
    same(text.getvalue().encode(), {"columns": TYPES}, wanted)


@pytest.mark.parametrize(
    ("data", "options", "columns", "packed"),
    [
        (b"x,y\n" + b"1,2\n" * 20, {}, True, True),
        (b"x,y\r\n" + b'1234,"a ""b"", c"\r\n' * 20, {}, True, True),
        (b"\xef\xbb\xbfx,y\n" + b"1,\xc3\xa9\n" * 20, {}, True, True),
        (b"x,y\n" + b"1,2\n" * 20 + b"1,2,3\n" + b"1,2\n" * 20, {}, True, True),
        (b"1;2\n" * 20, {"fields": ["x", "y"], "delimiter": ";"}, True, True),
        (b"x,y\n" + b"1,1.50\n,\n" * 20, {"columns": {"x": "int", "y": "number"}}, True, True),
        (b"x,y\n" + b'1,"a\nb"\n' * 20, {}, False, False),
        (b"x,y\n" + b"1,2\n" * 20, {"escapechar": "\\"}, False, False),
        (b"x,y\n" + b"1,2\n" * 20, {"skip_initial_space": True}, False, False),
        (b"x,y\n" + b"2024-01-01,2\n" * 20, {"columns": {"x": "date"}}, False, True),
        (b"x,y\n" + b"1,2\n" * 20, {"columns": {"y": "number"}}, False, True),
        (b"x,y\n" + b"[1],2\n" * 20, {"columns": {"x": "json"}, "nulls": ["2"]}, False, True),
    ],
)
def test_what_is_plain_is_not_read_row_by_row(data, options, columns, packed):
    assert same(data, options) == (columns, packed and AVAILABLE)


def test_a_small_file_is_not_worth_columns():
    made = CSVDecoder({"name": "csv", "options": {}}, None)
    made.wants_columns = True
    [batch] = decoded(made, open_decompressed(io.BytesIO(b"x\n1\n"), "none", name="in"), None)

    assert "table" not in batch.faces


@pytest.mark.parametrize("wanted", [True, False])
def test_columns_are_made_where_files_are_made_of_them(monkeypatch, wanted):
    monkeypatch.setattr(csv_text, "CHUNK_BYTES", 24)
    made = CSVDecoder({"name": "csv", "options": {}}, None)
    made.wants_columns = wanted
    [batch] = decoded(made, open_decompressed(io.BytesIO(b"x\n" + b"1\n" * 20), "none", name="in"), None)

    assert batch.faces == (("table",) if wanted or not AVAILABLE else ("cells",))
    assert batch.records == [{"x": "1"}] * 20


def test_only_the_columns_of_the_filter_are_parsed(monkeypatch):
    from ozzy.builtin.decoders.csv_columns import CellColumns

    parsed, read = [], CellColumns.read
    monkeypatch.setattr(CellColumns, "read", lambda self, text, names: parsed.append(tuple(names)) or read(self, text, names))
    monkeypatch.setattr(csv_text, "CHUNK_BYTES", 1024)
    made = CSVDecoder({"name": "csv", "options": {}}, None)
    made.wanted, made.wants_columns = ("y",), True
    data = b"x,y,z\n" + b"1,a,3\n" * 500 + b"2,b,4\n"
    chosen = KeyValueFilter({"name": "key_value", "options": {"keys": [{"name": "y", "value": "b"}]}}, None)
    kept = [batch.where(chosen.mask(batch)) for batch in decoded(made, open_decompressed(io.BytesIO(data), "none", name="in"), None)]

    assert [row for batch in kept for row in batch.written.rows] == [b"2,b,4"]
    assert set(parsed) == {("y",)}
    assert [record for batch in kept for record in batch.records] == [{"x": "2", "y": "b", "z": "4"}]


ROWS = b'1.50,"a, b",\n"2.0",c,"d ""e"""\n3,,\n'


@pytest.mark.parametrize(
    ("given", "stages", "options", "out"),
    [
        (ROWS, {}, {}, b'n,t,u\n1.50,"a, b",\n"2.0",c,"d ""e"""\n3,,\n'),
        (ROWS, {}, {"line_end": "crlf"}, b'n,t,u\r\n1.50,"a, b",\r\n"2.0",c,"d ""e"""\r\n3,,\r\n'),
        (ROWS, {"transform": {"name": "set", "options": {"fields": {"u": "'x'"}}}}, {}, b'n,t,u\n1.5,"a, b",x\n2.0,c,x\n3.0,,x\n'),
        (ROWS, {}, {"fields": ["t", "n", "u"]}, b't,n,u\n"a, b",1.5,\nc,2.0,"d ""e"""\n,3.0,\n'),
        (ROWS, {}, {"quoting": "minimal"}, b'n,t,u\n1.5,"a, b",\n2.0,c,"d ""e"""\n3.0,,\n'),
        (ROWS, {}, {"delimiter": ";"}, b'n;t;u\n1.5;a, b;\n2.0;c;"d ""e"""\n3.0;;\n'),
        (b"1.50,=x,\n", {}, {"neutralise_formulas": True}, b"n,t,u\n1.5,'=x,\n"),
        (b'7,"a\nb",c\r\n', {}, {}, b'n,t,u\n7,"a\nb",c\n'),
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_rows_that_nothing_changed_stay_as_they_came(tmp_path, monkeypatch, given, stages, options, out, *, large):
    if large:
        monkeypatch.setattr(csv_text, "CHUNK_BYTES", 1)
    (tmp_path / "in.csv").write_bytes(b"n,t,u\n" + given)
    config = {
        "name": "kept",
        "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.csv")}},
        "deserializer": {"name": "csv", "options": {"columns": {"n": "float"}}},
        "formatter": {"name": "csv", "options": {"fields": ["n", "t", "u"], "quoting": "kept", **options}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out/part"), "compression": "none"}},
        **stages,
    }
    ozzy.run(config, state_dir=tmp_path / "state")
    [path] = (tmp_path / "out").glob("*.csv")

    assert path.read_bytes() == out


MIXED = b"1,1.50,a\n" * 9 + b'2,7,"b\nc"\n3,,\n' * 9 + b"4,1e3,d\n" * 9 + b"x,1,e\n" + b"5,2,f\n" * 9


@pytest.mark.parametrize("head", [b"", b'0,1,"\n"\n' * 9])
def test_typed_csv_becomes_columns_whatever_its_rows_are_read_as(tmp_path, monkeypatch, head):
    monkeypatch.setattr(csv_text, "CHUNK_BYTES", 24)
    monkeypatch.setattr(csv_text, "PIECE", 16)
    (tmp_path / "in.csv").write_bytes(b"n,m,t\n" + head + MIXED)
    config = {
        "name": "typed",
        "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.csv")}},
        "deserializer": {"name": "csv", "options": {"columns": {"n": "int", "m": "number"}}},
        "errors": {"policy": "skip"},
        "formatter": "parquet",
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out/part")}},
    }
    result = ozzy.run(config, state_dir=tmp_path / "state")
    [path] = (tmp_path / "out").glob("*.parquet")
    table = pq.read_table(path)

    assert table.schema.equals(pa.schema([("n", pa.int64()), ("m", pa.float64()), ("t", pa.string())]))
    assert result.counts["reader"].reasons == {"bad": 1}
    assert table.num_rows == head.count(b"0,1") + 45
    assert table.slice(table.num_rows - 45).to_pylist() == [
        *[{"n": 1, "m": 1.5, "t": "a"}] * 9,
        *[{"n": 2, "m": 7.0, "t": "b\nc"}, {"n": 3, "m": None, "t": ""}] * 9,
        *[{"n": 4, "m": 1000.0, "t": "d"}] * 9,
        *[{"n": 5, "m": 2.0, "t": "f"}] * 9,
    ]


def test_reading_goes_on_after_any_batch(monkeypatch):
    monkeypatch.setattr(csv_text, "CHUNK_BYTES", 24)
    monkeypatch.setattr(csv_text, "PIECE", 16)

    def read(position=None):
        made = CSVDecoder({"name": "csv", "options": {"batch_size": 3, "columns": {"n": "int"}}}, None)
        stream = open_decompressed(io.BytesIO(b"n,m,t\n" + MIXED), "none", name="in")
        return [(batch.position, list(batch.origin), batch.written.rows) for batch in decoded(made, stream, position)]

    whole = read()
    assert sum(len(rows) for _, _, rows in whole) == 45
    for number, (position, _, _) in enumerate(whole, 1):
        assert read(position) == whole[number:]
