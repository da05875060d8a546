"""Rows that wait for their row group: the same bytes however they were cut, and no more of them copied than that takes."""

import io
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import Batch
from ozzy_arrow.formatter_arrow import ArrowExportFormatter
from ozzy_arrow.formatter_parquet import ParquetExportFormatter
from ozzy_arrow.pieces import Pieces


def written(formatter, *tables):
    target = io.BytesIO()
    made = formatter.open(target)
    for table in tables:
        made.write(formatter.fit(Batch.from_table(table)))
    made.close()
    formatter.close()
    return target.getvalue()


def repeated(table, count, stride):
    """So many rows of a table, in an order that is not the table's."""
    return table.take(pa.array([at * stride % table.num_rows for at in range(count)], pa.int64())).combine_chunks()


def cut(table, places):
    ends = [0, *sorted(place % (table.num_rows + 1) for place in places), table.num_rows]
    return [table.slice(first, end - first) for first, end in pairwise(ends)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_however_batches_are_cut_the_bytes_are_the_same(plain_tables, data):
    table = data.draw(plain_tables.filter(lambda one: one.num_rows))
    rows = repeated(table, data.draw(st.integers(1, 6000)), data.draw(st.sampled_from([1, 5, 7])))
    size = data.draw(st.sampled_from([1000, 1024, 3000, 4096, 131_072]))
    parts = cut(rows, data.draw(st.lists(st.integers(0, 6000), max_size=8)))
    some = data.draw(st.integers(0, len(parts)))
    parts = [*parts[:some], pa.concat_tables([rows.slice(0, 0), *parts[some:]])]

    whole = written(ParquetExportFormatter({"options": {"row_group_size": size}}), rows)

    assert written(ParquetExportFormatter({"options": {"row_group_size": size}}), *parts) == whole
    assert pq.read_table(io.BytesIO(whole)).cast(rows.schema).equals(rows)


@pytest.mark.parametrize("rows", [1, 1000, 1024])
def test_pages_end_at_the_same_rows_too(rows):
    texts = pa.table(
        {"text": [f"{at % 9000} {'word ' * 40}" for at in range(20_000)], "flag": [at % 3 == 0 or None for at in range(20_000)]}
    )
    parts = [texts.slice(at, rows) for at in range(0, 3000, rows)]
    parts.append(texts.slice(sum(part.num_rows for part in parts)))

    assert written(ParquetExportFormatter(), *parts) == written(ParquetExportFormatter(), texts)


def test_only_rows_around_the_seams_are_copied():
    pieces = Pieces(1024)
    tables = [pa.table({"a": pa.array(range(3000), pa.int64())}) for _ in range(3)]
    before = pa.total_allocated_bytes()
    for table in tables:
        pieces.add(table)
    taken = pieces.take()

    assert pa.total_allocated_bytes() - before <= 3 * 1024 * 8 + 4096
    assert [len(chunk) for chunk in taken.column("a").chunks] == [2048, 1024, 2048, 1024, 2048, 808]
    assert taken.equals(pa.concat_tables(tables))
    assert pieces.written(taken) is taken
    assert (pieces.rows, pieces.held) == (0, 0)


@pytest.mark.parametrize(
    ("step", "column"), [(None, [1, 2, 3]), (2, [[1], [2], []]), (2, pa.array(["a", "b", "a"]).dictionary_encode()), (2, [None] * 3)]
)
def test_what_is_not_encoded_row_by_row_becomes_one_piece(step, column):
    pieces = Pieces(step)
    table = pa.table({"a": column})
    pieces.add(table)
    pieces.add(table.slice(1))
    made = pieces.written(pieces.take())

    assert made.column("a").num_chunks == 1
    assert made.to_pylist() == table.to_pylist() + table.to_pylist()[1:]


def test_arrow_files_have_nothing_of_what_lay_around_their_rows():
    table = pa.table({"a": [f"secret {at}" for at in range(100)]})

    assert b"secret 50" not in written(ArrowExportFormatter({"options": {"codec": "none"}}), table.slice(0, 10), table.slice(90))
