"""Outlets: what is between the stages and a writer: groups, limits, refused rows, and the books of the writer."""

import time
from collections.abc import Sequence

from ozzy.contracts.grouper import GroupKey
from ozzy.contracts.writer import BaseWriter, Receipt, hand_over
from ozzy.data.batch import Batch, Rejected
from ozzy.errors import DataError, DestinationError, OzzyError
from ozzy.run.books import Books
from ozzy.run.stages import ErrorPolicy, line_of, where


class Outlet:
    """Gives batches to one writer. With `dry_run`, a writer that would make anything visible is given nothing."""

    def __init__(self, label: str, writer: BaseWriter, books: Books, errors: ErrorPolicy, *, dry_run: bool = False) -> None:
        self.label = label
        self.writer = writer
        self.books = books
        self.errors = errors
        self.counts_only = dry_run and not hasattr(writer, "files")
        self.limit = int(writer.read_option("items_limit", 0) or 0)
        self.seconds = 0.0
        books.open(label)
        books.writers = (*books.writers, label)

    @property
    def full(self) -> bool:
        """Whether the writer's limit is reached."""
        return bool(self.limit) and self.given >= self.limit

    @property
    def given(self) -> int:
        """Rows that the writer was given since the run began."""
        counts = self.books.stages[self.label]
        return counts.records_in - counts.reasons["limited"] - counts.reasons["bad"]

    def write(self, batch: Batch, keys: Sequence[GroupKey] | None) -> int | None:
        """Hand the rows over, group by group in the order they first appear.

        Returns None, or how many rows were taken where the writer's limit cut the batch.
        """
        began = time.perf_counter()
        try:
            return self._write(batch, keys)
        finally:
            self.seconds += time.perf_counter() - began

    def settle(self, receipt: Receipt) -> None:
        """Enter what the destination counts; for one that does not count, what it was given."""
        counts = self.books.stages[self.label]
        if self.counts_only or "written" not in receipt:
            self.books.settle(self.label, self.given, 0)
        else:
            counts.records_out = 0
            self.books.settle(self.label, receipt["written"], receipt.get("ignored", 0))

    def _write(self, batch: Batch, keys: Sequence[GroupKey] | None) -> int | None:
        counts = self.books.stages[self.label]
        taken = None
        counts.records_in += len(batch)
        if self.limit and len(batch) > self.limit - self.given + len(batch):
            taken = self.limit - (self.given - len(batch))
            counts.reasons["limited"] += len(batch) - taken
            batch = batch.take(range(taken))
            keys = keys[:taken] if keys is not None else None
        if self.counts_only or not len(batch):
            return taken
        if keys is None:
            self._hand_over(batch, (), None)
            return taken
        groups: dict[GroupKey, list[int]] = {}
        for row, key in enumerate(keys):
            try:
                groups[key].append(row)
            except KeyError:
                groups[key] = [row]
        for key, rows in groups.items():
            self._hand_over(batch if len(groups) == 1 else batch.take(rows), key, [key] * len(rows))
        return taken

    def _hand_over(self, batch: Batch, key: GroupKey, keys: Sequence[GroupKey] | None) -> None:
        while len(batch):
            try:
                hand_over(self.writer, batch, key, keys)
                return
            except DataError as error:
                if error.row is None:
                    raise
                place = where(batch, error.row)
                one = batch.take([error.row])
                self.errors.reject(self.label, Rejected(place, f"{self.label}: {error.message}", line_of(one)))
                self.books.stages[self.label].reasons["bad"] += 1
                batch = batch.take([row for row in range(len(batch)) if row != error.row])
                keys = keys[: len(batch)] if keys is not None else None
            except OzzyError:
                raise
            except Exception as error:
                raise DestinationError(f"{self.label} ({type(self.writer).__name__}) failed: {type(error).__name__}: {error}") from error


def label_of(index: int, given: str | None, count: int) -> str:
    """A writer's label: as given, `writer` for the only one, else `writer.N`."""
    return given or ("writer" if count == 1 else f"writer.{index}")


