"""The expressions of one module, asked of the records of batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, TypeVar

from ozzy.data.batch import Batch
from ozzy.data.expressions.columns import Columns
from ozzy.data.expressions.context import STEPS, Context
from ozzy.data.expressions.expression import Expression
from ozzy.data.expressions.values import settled
from ozzy.data.json_text import MISSING, encode_record
from ozzy.data.record import Record
from ozzy.errors import DataError

T = TypeVar("T")


class Evaluation:
    """Expressions that share a budget for each record, `start` as what is now, and their random numbers.

    Random numbers follow from the run's start, `salt`, the expressions, and the record's place in its split; where a stage has made rows
    of its own, from the record instead of its place. So a run that goes on after a kill draws what it would have drawn. `reads` are the
    fields that all of them look at, None where that is not known before.
    """

    def __init__(
        self,
        texts: Sequence[str],
        start: datetime,
        *,
        steps: int = STEPS,
        imports: Mapping[str, Any] | None = None,
        salt: str = "",
    ) -> None:
        self.context = Context(steps, start, open=bool(imports))
        self.expressions = [Expression(text, self.context, imports=imports) for text in texts]
        self.changes = any(expression.changes for expression in self.expressions)
        self.draws = any(expression.draws for expression in self.expressions)
        self.salt = "\n".join([salt, *(expression.text for expression in self.expressions)])
        fields = {field for expression in self.expressions for field in expression.reads or ()}
        whole = any(expression.reads is None for expression in self.expressions)
        self._fields = None if whole else tuple(sorted(fields))
        self.reads = None if self.draws else self._fields

    def at_once(self, batch: Batch, names: Sequence[str]) -> list[Sequence[Any]] | None:
        """The values of each expression, column by column; later ones see what earlier ones have put into the fields of these names.

        None where that is to be asked record by record: of expressions that are not simple, of values that are not, and where one fails.
        Raises DataError with the row whose fields can't be decoded.
        """
        codes = [expression.in_columns for expression in self.expressions]
        if self._fields is None or None in codes:
            return None
        fields: dict[str, Sequence[Any]] = dict(zip(self._fields, batch.columns(self._fields), strict=True))
        made: list[Sequence[Any]] = []
        try:
            for code, name in zip(codes, names, strict=True):
                assert code is not None
                made.append(code(Columns(fields, len(batch))))
                fields[name] = made[-1]
        except Exception:
            return None
        return made

    def looking(self, batch: Batch, work: Callable[[Record], T]) -> list[T]:
        """What `work` gives for each record; it may change what it is given, and no record. Raises DataError with the row."""
        return self._each(batch, self._looked_at(batch), work)

    def partly(self, batch: Batch, fields: tuple[str, ...], work: Callable[[Record], T]) -> list[T]:
        """What `work` gives for each record, of which it sees only these fields, and may change them. Raises DataError with the row."""
        return self._each(batch, _parts(batch, fields), work)

    def changing(self, batch: Batch, work: Callable[[Record], T]) -> list[T]:
        """What `work` gives for each record, which it may change. Raises DataError with the row."""
        return self._each(batch, iter(batch.records), work)

    def _each(self, batch: Batch, items: Iterator[Record], work: Callable[[Record], T]) -> list[T]:
        context, given = self.context, []
        for row, item in enumerate(items):
            context.begin(self._seed(batch, row) if self.draws else "")
            try:
                given.append(work(item))
            except DataError as error:
                error.row = row
                raise
        return given

    def _looked_at(self, batch: Batch) -> Iterator[Record]:
        if self._fields is None:
            rows: Iterator[Record] = iter(batch.records)
        elif not self._fields:
            rows = ({} for _ in range(len(batch)))
        else:
            rows = _parts(batch, self._fields)
        return rows if not self.changes else (settled(Context(1 << 62), row) for row in rows)

    def _seed(self, batch: Batch, row: int) -> str:
        if batch.origin is not None:
            return f"{self.salt}\n{batch.split}\n{batch.origin[row]}"
        return f"{self.salt}\n{blake2b(encode_record(batch.records[row])).hexdigest()}"


def _parts(batch: Batch, fields: tuple[str, ...]) -> Iterator[Record]:
    """Records with no more than these fields."""
    for values in batch.select(fields):
        yield {field: value for field, value in zip(fields, values, strict=True) if value is not MISSING}
