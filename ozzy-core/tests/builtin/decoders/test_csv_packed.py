"""CSV whose rows stay in their text has the outcome of CSV that is read row by row, batch by batch."""

import csv
import io
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import Batch, DataError
from ozzy.builtin.decoders import csv as decoder
from ozzy.builtin.decoders import csv_text
from ozzy.builtin.decoders.csv import CSVDecoder
from ozzy.builtin.formatters.csv import CSVExportFormatter
from ozzy.builtin.transforms.drop import DropTransform
from ozzy.builtin.transforms.set import SetTransform
from ozzy.contracts.decoder import decoded
from ozzy.data.codecs import open_decompressed
from ozzy.data.json_text import MISSING
from ozzy.data.native import AVAILABLE

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="the extension is not there")

TYPES = {"n": "int", "f": "float", "m": "number", "b": "bool", "d": "date", "j": "json"}
CELL = st.sampled_from(
    [
        "",
        " ",
        "1",
        "-0",
        "007",
        "1.50",
        "1e3",
        "+1",
        " 2 ",
        ".5",
        "1" * 25,
        "nan",
        "true",
        "No",
        "2024-01-01",
        "[1]",
        '{"a": 1}',
        "é",
        "NA",
        "0",
    ]
)


def batches(data, packed, **options):
    """Each batch: its position, its rows as they are asked for, those that are bad and the blank ones; then the error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "CHUNK_BYTES", 40)
        patch.setattr(csv_text, "PIECE", 16)
        patch.setattr(decoder, "BATCH_BYTES", 30)
        patch.setattr(decoder, "cell_columns", lambda *_: None)
        if not packed:
            patch.setattr(decoder, "packed_cells", lambda *_: None)
        made = CSVDecoder({"name": "csv", "options": options}, None)
        made.wanted = ("m", "t", "x")
        found = []
        try:
            for batch in decoded(made, open_decompressed(io.BytesIO(data), "none", name="in"), None):
                some = batch.where([number % 3 > 0 for number in range(len(batch))]).take(range(max(0, len(batch) * 2 // 3 - 1)))
                rows = list(map(repr, batch.select(("t", "n", "none", "d"))))
                chosen = [
                    some.origin and list(some.origin),
                    some.written.rows,
                    list(some.written.ended(b"\r\n")),
                    repr(some.columns(("m",))),
                ]
                parts = (*others(batch), *others(some), rows, chosen, batch.lines, list(map(repr, batch.records)), repr(some.records))
                found.append((batch.position, list(batch.origin), parts, list(batch.rejected), batch.blank))
        except DataError as error:
            return found, str(error)
        return found, None


WRITTEN = [
    CSVExportFormatter({"name": "csv", "options": {"fields": fields}}, None) for fields in (["t", "m", "none"], ["j", "x", "t", "d"], ["x"])
]
DROP = DropTransform({"name": "drop", "options": {"fields": ["t", "n"]}}, None)
NESTED = DropTransform({"name": "drop", "options": {"fields": ["t", "j.a"]}}, None)
SET = SetTransform({"name": "set", "options": {"fields": {"y": "item.get('t')", "x": "1"}}}, None)


def same_rows(batch):
    """The rows once more, so that a transform may change them."""
    return Batch.from_records(deepcopy(batch.records)) if batch.faces == ("records",) else batch.take(range(len(batch)))


def others(batch):
    """What formatters and transforms make of the rows, before anything else is asked of them."""
    yield [list(formatter.format_rows(batch)) for formatter in WRITTEN]
    for transform in (DROP, NESTED, SET):
        yield [list(formatter.format_rows(transform.transform_batch(same_rows(batch)))) for formatter in WRITTEN]
        yield transform.transform_batch(same_rows(batch)).lines
    yield repr(batch.project(("t", "none", "j")).where([number % 2 > 0 for number in range(len(batch))]).records)
    yield batch.project(("none",)).lines


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(CELL, min_size=7, max_size=7), max_size=12),
    st.sampled_from([[], ["NA", "0"]]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 5),
)
def test_typed_cells(rows, nulls, end, most):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([[*TYPES, "t"], *rows])
    data = text.getvalue().encode()
    options = {"columns": TYPES, "nulls": nulls, "batch_size": most}

    assert batches(data, packed=True, **options) == batches(data, packed=False, **options)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.sampled_from('a,"\n\ré\0'), max_size=8), max_size=20), st.sampled_from(['"', None]), st.integers(1, 5))
def test_any_texts(lines, quotechar, most):
    data = b"t,x\n" + "\n".join(lines).encode()
    options = {"quotechar": quotechar, "batch_size": most}

    assert batches(data, packed=True, **options) == batches(data, packed=False, **options)


def rows_of(data, **options):
    return list(
        decoded(CSVDecoder({"name": "csv", "options": options}, None), open_decompressed(io.BytesIO(data), "none", name="in"), None)
    )


def test_plain_rows_stay_in_their_text():
    [batch] = rows_of(b'a,b\n1,"x ""y"""\n2,z\n')

    assert batch.faces == ("cells",)
    assert batch.columns(("b", "c")) == [['x "y"', "z"], [MISSING, MISSING]]
    assert list(batch.written.rows) == [b'1,"x ""y"""', b"2,z"]
    assert batch.lines == [b'{"a":"1","b":"x \\"y\\""}', b'{"a":"2","b":"z"}']
    assert batch.project(("b",)).records == [{"b": 'x "y"'}, {"b": "z"}]


def test_values_that_may_be_changed_are_made_for_each_who_asks():
    [batch] = rows_of(b"a,b\n[1],2\n", columns={"a": "json"})
    [[value]] = batch.columns(("a",))
    value.append(2)

    assert batch.records == [{"a": [1], "b": "2"}]
    assert batch.take([0]).records == [{"a": [1], "b": "2"}]


@pytest.mark.parametrize(
    "options", [{"escapechar": "\\"}, {"doublequote": False, "escapechar": "\\"}, {"skip_initial_space": True}, {"delimiter": "é"}]
)
def test_other_dialects_are_read_row_by_row(options):
    [batch] = rows_of(b"a\n1\n", **options)

    assert batch.faces == ("records",)
