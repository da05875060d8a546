"""A batch: one set of rows with several faces, each made once and kept.

`lines` is one JSON document in bytes a row, as it was read; `records` is a list of dicts; `table` has them as columns of Arrow, where a
reader gave those: nothing is made into columns unasked. A stage asks for the face it needs. Rows that are only chosen (`where`, `take`)
keep every face that exists, so a line that nothing touched leaves byte for byte as it came, and a column as a column.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

import attrs

from ozzy.data.json_text import MISSING, decode_line, each, encode_records, select_fields
from ozzy.data.packed import Packed, PackedLines
from ozzy.data.record import BaseRecord, Record
from ozzy.data.table import Chosen, Mask, Table
from ozzy.data.table import joined as joined_tables
from ozzy.data.table_lines import lines_of
from ozzy.data.table_values import records_of, values_of
from ozzy.data.tokens import (
    PLAIN,
    TOKENS,
    Change,
    Column,
    Row,
    Tokens,
    Unfold,
    join_tokens,
    picked_lines,
    split_line,
    token_columns,
    values_of_tokens,
)
from ozzy.data.written import Written
from ozzy.errors import DataError


@attrs.frozen
class Rejected:
    """One row that could not become a record.

    `where` names file and line, `message` says what is wrong, `line` holds the bytes where there are any; `whole` is false where these are
    only their beginning. `head` is what a decoder has to be given before the line to read it alone, such as the header of a CSV file.
    `row` is the row's index in its split, counted as a batch's `origin`, where it is known.
    """

    where: str
    message: str
    line: bytes | None = None
    row: int | None = None
    head: bytes = b""
    whole: bool = True


class Batch:
    """Some records on their way, in whichever form is cheapest.

    `split` is the id of the part of the source they come from; `position` is where the reader stands after them (JSON);
    `rejected` lists rows that were read with them but are bad; `blank` counts empty rows that were skipped;
    `origin` gives each row's index in its split, counted from 0, or is None where a stage has made rows of its own. `written` has the rows
    as they stand in their source, where they came with it and no stage has made others of them.
    """

    __slots__ = (
        "_columns",
        "_lines",
        "_packed",
        "_records",
        "_selected",
        "_table",
        "_tokens",
        "blank",
        "origin",
        "position",
        "rejected",
        "split",
        "written",
    )

    def __init__(
        self,
        *,
        lines: list[bytes] | None = None,
        records: list[Any] | None = None,
        table: Table | None = None,
        packed: Packed | None = None,
        split: str = "",
        position: Any = None,
        rejected: Sequence[Rejected] = (),
        blank: int = 0,
        origin: Sequence[int] | None = None,
        written: Written | None = None,
    ) -> None:
        if lines is None and records is None and table is None and packed is None:
            records = []
        self._lines = lines
        self._packed = packed
        self._records = records
        self._selected: _Rows | None = None
        self._tokens: dict[str, Tokens] = {}
        self._columns: dict[str, list[Any]] = {}
        self._table = table
        self.split = split
        self.position = position
        self.rejected = rejected
        self.blank = blank
        self.origin = origin
        self.written = written

    @classmethod
    def from_lines(cls, lines: list[bytes], **more: Any) -> "Batch":
        """A batch of JSON documents, one object a row, without line ends, each already checked by who read it."""
        return cls(lines=lines, **more)

    @classmethod
    def from_records(cls, records: Iterable[Any], **more: Any) -> "Batch":
        """A batch of dicts; a record that is not a mapping is a DataError of its row."""
        rows = records if isinstance(records, list) else list(records)
        for row, record in enumerate(rows):
            if not isinstance(record, dict):
                raise DataError(f"a record must be a mapping, not {type(record).__name__}", row=row)
        return cls(records=rows, **more)

    @classmethod
    def from_table(cls, table: Any, **more: Any) -> "Batch":
        """A batch of the rows of a `pyarrow.Table`, a RecordBatch, or a `Table`. Raises DataError where two columns have one name."""
        return cls(table=table if isinstance(table, Table) else Table.of(table), **more)

    @classmethod
    def from_tokens(cls, rows: Iterable[Row], **more: Any) -> "Batch":
        """A batch of lines, each joined from its tokens: field names to `msgspec.Raw` or to plain values. Raises DataError with the row."""
        return cls(lines=each(join_tokens, list(rows)), **more)

    @classmethod
    def joined(cls, parts: Sequence["Batch"]) -> "Batch":
        """The rows of several batches, one after the other: columns or lines where each of them has the same, else records."""
        tables = [part.table for part in parts if part.table is not None]
        table = joined_tables(tables) if tables and len(tables) == len(parts) else None
        lines = table is None and all("lines" in part.faces for part in parts)
        origins = [part.origin for part in parts]
        return cls(
            table=table,
            lines=[line for part in parts for line in part.lines] if lines else None,
            records=None if lines or table is not None else [record for part in parts for record in part.records],
            origin=None if None in origins else [row for origin in origins for row in origin or ()],
            written=Written.joined([part.written for part in parts]),
        )

    def __len__(self) -> int:
        if self._table is not None:
            return self._table.num_rows
        if self._packed is not None:
            return len(self._packed)
        return len(self._lines if self._lines is not None else self._records or ())

    def __iter__(self) -> Iterator[BaseRecord]:
        """The records, as inherited modules know them (`BaseRecord`); changing one changes the batch's `records`."""
        records = self.records
        if any(type(record) is dict for record in records):
            records[:] = [record if isinstance(record, BaseRecord) else BaseRecord(record) for record in records]
        return iter(records)  # type: ignore[arg-type]

    @property
    def faces(self) -> tuple[str, ...]:
        """The faces that exist now: `lines`, `records`, `table`, or several of them; and what rows that are packed call theirs."""
        packed = None if self._packed is None else self._packed.face
        pairs = (("lines", self._lines), ("records", self._records), ("table", self._table))
        faces = tuple(name for name, face in pairs if face is not None or name == packed)
        return faces if packed is None or packed in faces else (*faces, packed)

    @property
    def lines(self) -> list[bytes]:
        """One JSON document in bytes a row. Raises DataError with the row that can't be encoded."""
        if self._lines is None:
            self._lines = self._encoded()
        return self._lines

    def _encoded(self) -> list[bytes]:
        if self._packed is not None:
            return self._packed.lines()
        if self._table is not None and self._records is None:
            return lines_of(self._table)
        return encode_records(self.records)

    @property
    def size(self) -> int:
        """Bytes of the rows where they are lines, without their ends; 0 where they are none."""
        if self._packed is not None and self._packed.face == "lines":
            return self._packed.size
        return sum(map(len, self.lines)) if "lines" in self.faces else 0

    @property
    def packed_lines(self) -> PackedLines | None:
        """The rows where they still lie in the text they were read in, as lines, and no stage has made others of them; else None."""
        return self._packed if isinstance(self._packed, PackedLines) else None

    @property
    def records(self) -> list[Record]:
        """One dict a row. Raises DataError with the row that can't be decoded."""
        if self._records is None:
            self._records = self._decoded()
        return self._records

    def _decoded(self) -> list[Record]:
        if self._table is not None:
            return records_of(self._table)
        return self._packed.records() if self._packed is not None else each(decode_line, self._lines or [])

    @property
    def table(self) -> Table | None:
        """The rows as columns, where the rows came as columns and nothing was done since that needed records; else None."""
        return self._table

    def select(self, fields: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """The values of these top-level fields, a tuple a row, `MISSING` where a row has no such field.

        From lines, only these fields are decoded; of columns, only these are read. Raises DataError with the row that can't be.
        """
        if self._records is not None:
            return [tuple([record.get(field, MISSING) for field in fields]) for record in self._records]
        if self._selected is not None and self._selected[0] == fields:
            return self._selected[1]
        columns = self.columns(fields)
        return list(zip(*columns, strict=True)) if columns else [()] * len(self)

    def columns(self, fields: tuple[str, ...]) -> list[list[Any]]:
        """What `select` gives column by column, not to be changed. Raises DataError with the row that can't be decoded."""
        if self._records is not None:
            return [[record.get(field, MISSING) for record in self._records] for field in fields]
        unknown = tuple([field for field in dict.fromkeys(fields) if field not in self._columns])
        if unknown:
            self._columns.update(zip(unknown, self._read(unknown), strict=True))
        return [self._columns[field] for field in fields]

    def compared(self, field: str, operator: str, wanted: Any) -> list[bool] | None:
        """Which values of a field are `==`, `>`, `>=`, `<` or `<=` another, where that can be told without making them; else None."""
        if self._packed is None or self._records is not None or field in self._columns:
            return None
        return self._packed.compared(field, operator, wanted)

    def _read(self, fields: tuple[str, ...]) -> list[list[Any]]:
        """These columns out of what is there without records."""
        if self._table is not None:
            self._table.load(fields)
            return [values_of(self._table, field) if field in self._table.names else [MISSING] * len(self) for field in fields]
        if (selected := _columns(self._selected, fields)) is not None:
            return selected
        if self._packed is not None:
            try:
                return [self._packed.values(field) for field in fields]
            except DataError:
                pass
        if self._tokens.keys() >= set(fields):
            try:
                return [values_of_tokens(self._tokens[field]) for field in fields]
            except DataError:
                pass
        rows = select_fields(self.lines, fields)
        return [[row[place] for row in rows] for place in range(len(fields))]

    def with_selected(self, fields: tuple[str, ...], rows: list[tuple[Any, ...]]) -> "Batch":
        """This batch, which need not decode these fields of its lines any more: `rows` is what `select` would give."""
        self._selected = (fields, rows)
        return self

    def with_tokens(self, columns: Mapping[str, Sequence[Any]]) -> "Batch":
        """This batch, which need not take its lines apart for these fields any more: `columns` has what `column_tokens` would give."""
        self._tokens = {field: column if isinstance(column, Tokens) else Tokens(column) for field, column in columns.items()}
        return self

    def column_tokens(self, fields: tuple[str, ...]) -> list[Column]:
        """These top-level fields column by column: from lines as `Tokens`, else as lists of values, `MISSING` where a row has none.

        Raises DataError with the row that can't be taken apart.
        """
        if "lines" not in self.faces:
            return list(self.columns(fields))
        if self._tokens.keys() >= set(fields):
            return [self._tokens[field] for field in fields]
        return list(token_columns(self.lines, fields))

    def packed_columns(self, fields: tuple[str, ...]) -> tuple[bytes, list[bytes | list[Any]]] | None:
        """These top-level fields where the rows are `packed_lines`: their text, and for each field its spans there, or plain values.

        None where the rows are no such lines, or one of them has such a field twice.
        """
        packed = self.packed_lines
        spans = packed.spans(fields) if packed is not None else None
        return None if packed is None or spans is None else (packed.text, list(spans))

    def packed_texts(self, fields: tuple[str, ...]) -> tuple[bytes, list[bytes | list[Any]], tuple[bytes, ...]] | None:
        """These fields as cells that stand in a text of CSV (`Packed.texts`); None where the rows are no such cells any more."""
        return self._packed.texts(fields) if self._packed is not None and self._records is None else None

    @property
    def names(self) -> tuple[str, ...] | None:
        """The fields that each row has, where that is known without a look at the rows: in columns, and in cells of CSV."""
        if self._table is not None:
            return self._table.names
        return self._packed.names if self._packed is not None and self._records is None else None

    def tokens(self) -> list[Row]:
        """One dict a row with its values as they stand in the line (`msgspec.Raw`): only the outermost object is taken apart.

        Key order and the bytes of values stay; of duplicate keys the last wins. Raises DataError with the row that can't be.
        """
        return each(split_line, self.lines)

    def project(self, fields: tuple[str, ...]) -> "Batch":
        """New rows with only these top-level fields, in this order; columns stay, and the bytes of values in lines. Raises DataError."""
        if self._table is not None:
            return self.of_table(self._table.select([name for name in dict.fromkeys(fields) if name in self._table.names]))
        if self._packed is not None and (names := self.names) is not None:
            return self._remade(packed=self._packed.project([name for name in dict.fromkeys(fields) if name in names]))
        if "lines" in self.faces:
            return self._remade(lines=picked_lines(self.lines, fields))
        return self._remade(records=[{name: record[name] for name in fields if name in record} for record in self.records])

    def rewrite(self, change: Change) -> "Batch":
        """New rows, each what `change(row, form)` makes of a row; this batch stays as it is.

        From lines, a row is a dict of tokens and its values keep their bytes; else it is the record. `form` takes nested values apart
        and puts them together, so that `change` is the same for both. It gives a new dict, or the very one it was given where nothing
        changes: then the line leaves as it came. Raises DataError with the row.
        """
        if "lines" not in self.faces:
            return self._remade(records=each(lambda record: change(record, PLAIN), self.records))

        def rewritten(line: bytes) -> bytes:
            row = split_line(line)
            new = change(row, TOKENS)
            return line if new is row else join_tokens(new)

        return self._remade(lines=each(rewritten, self.lines))

    def unfold(self, unfold: Unfold) -> "Batch":
        """As `rewrite`, with any number of new rows for each: `unfold(row, form)` gives a list. No row has an origin then."""
        if "lines" not in self.faces:
            unfolded = each(lambda record: unfold(record, PLAIN), self.records)
            return Batch(records=[record for records in unfolded for record in records], split=self.split, position=self.position)

        def several(line: bytes) -> list[bytes]:
            row = split_line(line)
            return [line if new is row else join_tokens(new) for new in unfold(row, TOKENS)]

        lines = [line for lines in each(several, self.lines) for line in lines]
        return Batch(lines=lines, split=self.split, position=self.position)

    def of_table(self, table: Table) -> "Batch":
        """The same rows with these columns instead of what they had."""
        return self._remade(table=table)

    def _remade(self, **face: Any) -> "Batch":
        return Batch(split=self.split, position=self.position, origin=self.origin, **face)

    def changed(self) -> "Batch":
        """The batch after its records were changed in place: no other face is left of it."""
        self._records, self._lines, self._packed, self._table, self._selected = self.records, None, None, None, None
        self._columns, self._tokens = {}, {}
        self.written = None
        return self

    def where(self, mask: Sequence[bool]) -> "Batch":
        """The rows whose mask is true, in every face that exists."""
        if len(mask) != len(self):
            raise DataError(f"a mask of {len(mask)} for a batch of {len(self)} rows")
        if self._table is None:
            if all(mask):
                return self
            packed = self._packed.where(mask if isinstance(mask, list) else list(mask)) if self._packed is not None else None
            chosen = self._chosen(lambda rows: list(compress(rows, mask)), packed=packed)
        else:
            mask = truths = Mask.of(mask)
            if truths.kept == len(truths):
                return self
            chosen = self._chosen(lambda rows: list(compress(rows, mask)), self._table.filter(truths), origin=False)
            chosen.origin = None if self.origin is None else Chosen(self.origin, truths)
        chosen.written = None if self.written is None else self.written.where(mask)
        return chosen

    def take(self, indices: Sequence[int]) -> "Batch":
        """The rows at these indices, in that order, in every face that exists."""
        table = None if self._table is None else self._table.take(indices)
        packed = None if self._packed is None else self._packed.take(indices)
        chosen = self._chosen(lambda rows: [rows[index] for index in indices], table, packed=packed)
        chosen.written = None if self.written is None else self.written.take(indices)
        return chosen

    def _chosen(
        self,
        choose: Callable[[Sequence[Any]], list[Any]],
        table: Table | None = None,
        *,
        packed: Packed | None = None,
        origin: bool = True,
    ) -> "Batch":
        chosen = Batch(
            lines=None if self._lines is None or packed is not None else choose(self._lines),
            records=None if self._records is None else choose(self._records),
            table=table,
            packed=packed,
            split=self.split,
            position=self.position,
            origin=choose(self.origin) if origin and self.origin is not None else None,
        )
        if self._selected is not None:
            chosen.with_selected(self._selected[0], choose(self._selected[1]))
        if self._tokens:
            chosen.with_tokens({field: choose(column) for field, column in self._tokens.items()})
        return chosen


_Rows = tuple[tuple[str, ...], list[tuple[Any, ...]]]
"""Some fields, and their values in each row."""


def _columns(rows: _Rows | None, fields: tuple[str, ...]) -> list[list[Any]] | None:
    """These fields column by column; None where one of them is not there."""
    if rows is None or not set(fields) <= set(rows[0]):
        return None
    places = [rows[0].index(field) for field in fields]
    return [[row[place] for row in rows[1]] for place in places]


def first_failing(batch: Batch, work: Callable[[Batch], Any]) -> int | None:
    """The first row on which `work` fails by itself."""
    for row in range(len(batch)):
        try:
            work(batch.take([row]))
        except Exception:
            return row
    return None
