"""Rows of usual CSV out of columns of Arrow: texts, integers, true and false without a Python value for each."""

from collections.abc import Sequence
from typing import Any

from ozzy.builtin.formatters.csv_cells import cells_of
from ozzy.data.table import Table, arrow, compute
from ozzy.data.table_values import plain, values_of


def rows_of(table: Table, columns: Sequence[str], delimiter: str, end: bytes) -> list[bytes]:
    """One row with its end for each of the table, with empty cells of a column that it does not have. Raises DataError, without a row."""
    table.load(columns)
    cells = [_cells(table, name) for name in columns]
    rows = compute().binary_join_element_wise(*cells, delimiter)
    found: list[bytes] = compute().binary_join_element_wise(rows, "", end.decode()).cast(arrow().binary()).to_pylist()
    return found


def _cells(table: Table, name: str) -> Any:
    text = arrow().string()
    if name not in table.names:
        return arrow().array([""] * table.num_rows, text)
    types, column = arrow().types, table.column(name)
    bare = column if types.is_nested(column.type) else plain(column)
    if types.is_string(bare.type) or types.is_large_string(bare.type):
        doubled = compute().replace_substring(bare.cast(text), '"', '""')
        return compute().binary_join_element_wise("", doubled, "", '"').fill_null("")
    if types.is_integer(bare.type) or types.is_boolean(bare.type):
        return bare.cast(text).fill_null("")
    return arrow().array(cells_of(values_of(table, name)), text)
