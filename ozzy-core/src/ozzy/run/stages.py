"""The stages between reader and writer, each with its errors, its books and its time."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.grouper import BaseGrouper, GroupKey
from ozzy.contracts.module import blamed_on
from ozzy.contracts.stage import stateful
from ozzy.contracts.transform import BaseTransform
from ozzy.data.batch import Batch, Rejected, first_failing
from ozzy.data.positions import pack, unpack
from ozzy.errors import DataError, OzzyError, StateError
from ozzy.log import reason
from ozzy.plan.pipeline import Pipeline
from ozzy.run.books import Books
from ozzy.run.error_policy import ADVICE, ErrorPolicy
from ozzy.run.kept import kept_row

_MEND_THE_MODULE = "Mend the module: it has to give one for each record."


class Stage:
    """One module at work on batches. `name` is its place in the config, and its row in the books; `changes` whether it changes records."""

    changes = False
    writer: str | None = None
    """The writer that a stage chooses records for, where it does."""

    def __init__(self, name: str, module: Any, books: Books, errors: ErrorPolicy, *, reshapes: bool = False) -> None:
        self.name = name
        self.module = module
        self.books = books
        self.errors = errors
        self.seconds = 0.0
        self.stateful = stateful(module)
        books.open(name, reshapes=reshapes)

    def __call__(self, batch: Batch) -> Batch:
        """The batch after this stage."""
        began = time.perf_counter()
        try:
            return self.apply(batch) if len(batch) else batch
        finally:
            self.seconds += time.perf_counter() - began

    def state(self) -> Any:
        """What the module remembers, as JSON for a checkpoint; None for nothing."""
        with blamed_on(self.name, self.module, StateError):
            return pack(self.module.get_state(), f"what {self.name} ({type(self.module).__name__}) remembers")

    def restore(self, state: Any) -> None:
        """Let the module remember what a checkpoint has kept of it."""
        with blamed_on(self.name, self.module, StateError):
            if state is not None:
                self.module.set_state(unpack(state))

    def apply(self, batch: Batch) -> Batch:
        """What the stage does with a batch that is not empty."""
        raise NotImplementedError

    def each(self, batch: Batch, work: Callable[[Batch], Any]) -> tuple[Batch, list[Any]]:
        """Do `work` on every row alone, and refuse the rows where it fails: the batch without them, and what the others gave."""
        good, results = self.each_row(batch, work)
        return (batch if len(good) == len(batch) else batch.take(good)), results

    def each_row(self, batch: Batch, work: Callable[[Batch], Any]) -> tuple[list[int], list[Any]]:
        """As `each`, with the rows that are left by their indices."""
        good, results = [], []
        for row in range(len(batch)):
            one = batch.take([row])
            at_risk = self.changes and "lines" not in one.faces and self.errors.quarantines(self.name)
            before = kept_row(one, 0) if at_risk else None
            try:
                results.append(work(one))
                good.append(row)
            except Exception as error:
                if isinstance(error, OzzyError) and not isinstance(error, DataError):
                    raise
                self._refuse(batch, row, error, before)
        return good, results

    def _refuse(self, batch: Batch, row: int, error: Exception, before: dict[str, Any] | None) -> None:
        """Refuse a row; `before` is what the quarantine would keep of it, where the module may have changed it meanwhile."""
        booked = self.errors.reject(
            self.name,
            refused_row(batch, row, self.reason(error)),
            error=type(error).__name__,
            split=batch.split,
            kept=lambda: before or kept_row(batch, row),
            writer=self.writer,
            group=self.group_of(row),
        )
        self.books.reject(self.name, booked)

    def group_of(self, row: int) -> GroupKey:
        """The group of a row of the batch at hand, where that is known."""
        return ()

    @property
    def one_by_one(self) -> bool:
        """Whether records are given one by one: what a module remembers of a batch that failed could not be taken back."""
        return self.stateful and self.goes_on

    @property
    def goes_on(self) -> bool:
        """Whether the run goes on where this stage refuses a record."""
        return self.errors.goes_on(self.name)

    def reason(self, error: Exception) -> str:
        """What an error of this stage's module says about a record."""
        message = error.message if isinstance(error, OzzyError) else reason(error)
        return f"{self.name} ({type(self.module).__name__}): {message}"

    def failure(self, batch: Batch, error: Exception, work: Callable[[Batch], Any] | None, row: int | None = None) -> OzzyError:
        """The error to raise for a batch that failed, with the record's place where it is known or found by trying again."""
        if isinstance(error, OzzyError) and not isinstance(error, DataError):
            return error
        row = getattr(error, "row", None) if row is None else row
        if row is None and work is not None:
            row = first_failing(batch, work)
        place = where(batch, row) if row is not None and row < len(batch) else between(batch)
        raised = DataError(
            f"{place}: {self.reason(error)}",
            hint=ADVICE.format("record or the module"),
        )
        raised.__cause__ = error
        return raised


class FilterStage(Stage):
    """A filter: chooses rows by a mask."""

    module: BaseFilter

    def apply(self, batch: Batch) -> Batch:
        """The rows that pass."""
        rows, mask = self.judged(batch)
        passed = (batch if len(rows) == len(batch) else batch.take(rows)).where(mask)
        self.books.enter(self.name, len(rows), len(passed), "filtered")
        return passed

    def judged(self, batch: Batch) -> tuple[Sequence[int], Sequence[bool]]:
        """The rows that the filter could judge, and what it says of each."""
        rows: Sequence[int] = range(len(batch))
        if self.one_by_one:
            return self.each_row(batch, self._judge)
        try:
            mask: Sequence[bool] = self.module.mask(batch)
        except Exception as error:
            if not self.goes_on:
                raise self.failure(batch, error, None if self.stateful else self.module.mask) from error
            rows, mask = self.each_row(batch, self._judge)
        if len(mask) != len(rows):
            raise DataError(
                f"{self.name} ({type(self.module).__name__}) gave a mask of {len(mask)} for {len(rows)} records", hint=_MEND_THE_MODULE
            )
        return rows, mask

    def _judge(self, one: Batch) -> bool:
        return self.module.mask(one)[0]


class TransformStage(Stage):
    """A transform: makes records of records."""

    module: BaseTransform
    changes = True

    def __init__(self, name: str, module: BaseTransform, books: Books, errors: ErrorPolicy) -> None:
        super().__init__(name, module, books, errors, reshapes=not (module.one_to_one or module.at_most_one))

    def apply(self, batch: Batch) -> Batch:
        """What the transform makes of the rows. What it did to a batch that failed could not be taken back: one record at a time then."""
        if self.goes_on and (self.stateful or not self._stays(batch)):
            return self._each_alone(batch)
        made: list[Any] = []
        try:
            transformed = self._transformed(batch, made)
        except Exception as error:
            if self.goes_on:
                return self._each_alone(batch)
            raise self.failure(batch, error, None, row=len(made) if self.module.one_to_one and made else None) from error
        if self.module.one_to_one and len(transformed) == len(batch):
            transformed.origin = batch.origin
        self._book(len(batch), len(transformed))
        return transformed

    def _stays(self, batch: Batch) -> bool:
        """Whether the batch that the transform is given stays as it is."""
        return self.module.leaves_input or (self.module.patches and "records" not in batch.faces)

    def _transformed(self, batch: Batch, made: list[Any]) -> Batch:
        """What the transform makes of a batch; records that it yields are put into `made` one by one."""
        given = self.module.transform_batch(batch)
        if given is batch:
            return batch if self.module.writes == () or "records" not in batch.faces else batch.changed()
        if isinstance(given, Batch):
            given.split, given.position = batch.split, batch.position
            return given
        for record in given:
            if not isinstance(record, dict):
                raise DataError(f"a record must be a mapping, not {type(record).__name__}")
            made.append(record)
        return Batch.from_records(made, split=batch.split, position=batch.position)

    def _each_alone(self, batch: Batch) -> Batch:
        good, made = self.each(batch, self._alone)
        joined = Batch.joined(made)
        joined.split, joined.position = batch.split, batch.position
        if self.module.one_to_one and len(joined) == len(good):
            joined.origin = good.origin
        self._book(len(good), len(joined))
        return joined

    def _book(self, records_in: int, records_out: int) -> None:
        dropping = self.module.at_most_one and not self.module.one_to_one and records_out < records_in
        self.books.enter(self.name, records_in, records_out, "filtered" if dropping else None)

    def _alone(self, one: Batch) -> Batch:
        """What the transform makes of one record, looked at as far as it is not made of lines."""
        made = self._transformed(one, [])
        if "lines" not in made.faces:
            _ = made.records
        return made


class GroupStage(Stage):
    """A grouper: gives each row its group. The keys of the last batch are in `keys`."""

    module: BaseGrouper
    keys: Sequence[GroupKey] = ()

    def apply(self, batch: Batch) -> Batch:
        """The same rows; `keys` holds a group for each."""
        batch, self.keys = self.each(batch, self._key) if self.one_by_one else self._grouped(batch)
        if len(self.keys) != len(batch):
            raise DataError(
                f"{self.name} ({type(self.module).__name__}) gave {len(self.keys)} groups for {len(batch)} records", hint=_MEND_THE_MODULE
            )
        self.books.enter(self.name, len(batch), len(batch))
        return batch

    def _grouped(self, batch: Batch) -> tuple[Batch, Sequence[GroupKey]]:
        try:
            return batch, self.module.keys(batch)
        except Exception as error:
            if not self.goes_on:
                raise self.failure(batch, error, None if self.stateful else self.module.keys) from error
            return self.each(batch, self._key)

    def _key(self, one: Batch) -> GroupKey:
        return self.module.keys(one)[0]


def stages_of(pipeline: Pipeline, books: Books, errors: ErrorPolicy) -> list[Stage]:
    """What records go through before they are grouped, in order."""
    stages: list[Stage] = []
    if pipeline.filter_before is not None:
        stages.append(FilterStage("filter_before", pipeline.filter_before, books, errors))
    for i, transform in enumerate(pipeline.transforms):
        stages.append(TransformStage(f"transform.{i}" if len(pipeline.transforms) > 1 else "transform", transform, books, errors))
    if pipeline.filter_after is not None:
        stages.append(FilterStage("filter_after", pipeline.filter_after, books, errors))
    return stages


def where(batch: Batch, row: int) -> str:
    """The place of a row in the source, for a message: records are counted from 1."""
    if batch.origin is None:
        return between(batch)
    return f"{batch.split}, record {batch.origin[row] + 1}"


def between(batch: Batch) -> str:
    """The place of a whole batch in the source."""
    if not batch.origin:
        return batch.split
    if len(batch) == 1:
        return where(batch, 0)
    return f"{batch.split}, records {batch.origin[0] + 1} to {batch.origin[-1] + 1}"


def refused_row(batch: Batch, row: int, message: str) -> Rejected:
    """A row of a batch as a rejected one, with its line where that is at hand."""
    line = batch.lines[row] if "lines" in batch.faces else None
    return Rejected(where(batch, row), message, line, row=None if batch.origin is None else batch.origin[row])
