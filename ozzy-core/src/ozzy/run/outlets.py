"""Outlets: what is between the stages and a writer: groups, limits, refused rows, and the books of the writer."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from ozzy.contracts.grouper import GroupKey
from ozzy.contracts.module import blamed_on, overrides
from ozzy.contracts.writer import BaseWriter, Receipt, takes_group
from ozzy.data.batch import Batch, Rejected
from ozzy.errors import DataError, DestinationError
from ozzy.run.books import Books
from ozzy.run.stages import ErrorPolicy, between, line_of, where


class Outlet:
    """Gives batches to one writer. With `dry_run`, a writer that would make anything visible is given nothing."""

    def __init__(self, label: str, writer: BaseWriter, books: Books, errors: ErrorPolicy, *, dry_run: bool = False) -> None:
        self.label = label
        self.writer = writer
        self.books = books
        self.errors = errors
        self.counts_only = dry_run and not hasattr(writer, "files")
        self.takes_group = takes_group(writer)
        self.limit = int(writer.read_option("items_limit", 0) or 0)
        self.seconds = 0.0
        books.open(label)
        books.writers = (*books.writers, label)

    @property
    def full(self) -> bool:
        """Whether the writer's limit is reached, or it takes no more."""
        return (bool(self.limit) and self.given >= self.limit) or bool(getattr(self.writer, "full", False))

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
        if self.counts_only or "written" not in receipt:
            self.books.settle(self.label, self.given, 0)
        else:
            self.books.settle(self.label, receipt["written"], receipt.get("ignored", 0))

    def _write(self, batch: Batch, keys: Sequence[GroupKey] | None) -> int | None:
        counts = self.books.stages[self.label]
        done = 0
        while done < len(batch) and not self.full:
            end = min(len(batch), done + self.limit - self.given) if self.limit else len(batch)
            counts.records_in += end - done
            if not self.counts_only:
                whole = end - done == len(batch)
                self._by_group(batch if whole else batch.take(range(done, end)), keys if whole or keys is None else keys[done:end])
            done = end
        if done == len(batch):
            return None
        counts.records_in += len(batch) - done
        counts.reasons["limited"] += len(batch) - done
        return done

    def _by_group(self, batch: Batch, keys: Sequence[GroupKey] | None) -> None:
        if keys is None:
            self._hand_over(batch, ())
            return
        groups: dict[GroupKey, list[int]] = defaultdict(list)
        for row, key in enumerate(keys):
            groups[key].append(row)
        if len(groups) > 1 and overrides(self.writer, "write_groups", BaseWriter):
            self._hand_over_together(batch, groups)
            return
        for key, members in groups.items():
            self._hand_over(batch if len(members) == len(batch) else batch.take(members), key)

    def _hand_over_together(self, batch: Batch, groups: Mapping[GroupKey, Sequence[int]]) -> None:
        """Give the writer all groups at once; a row that it refuses is taken out, and the rest is given again."""
        while len(batch):
            try:
                with blamed_on(self.label, self.writer, DestinationError):
                    self.writer.write_groups(batch, groups)
                return
            except DataError as error:
                bad = self._refused(batch, error)
                batch = batch.take([row for row in range(len(batch)) if row != bad])
                groups = {key: [row - (row > bad) for row in members if row != bad] for key, members in groups.items()}

    def _hand_over(self, batch: Batch, key: GroupKey) -> None:
        """Give the writer a batch of one group; a row that it refuses is taken out, and what stands around it is given again."""
        waiting = [batch]
        while waiting:
            part = waiting.pop()
            try:
                if len(part):
                    self._give(part, key)
            except DataError as error:
                bad = self._refused(part, error)
                waiting += [part.take(range(bad + 1, len(part))), part.take(range(bad))]

    def _refused(self, batch: Batch, error: DataError) -> int:
        """Book a row that the writer refuses; its index. Raises DataError where the row is not known, or bad rows end the run."""
        if error.row is None:
            raise DataError(f"{between(batch)}: {self.label}: {error.message}", hint=error.hint) from error
        line = line_of(batch.take([error.row]))
        self.errors.reject(self.label, Rejected(where(batch, error.row), f"{self.label}: {error.message}", line))
        self.books.stages[self.label].reasons["bad"] += 1
        return error.row

    def _give(self, batch: Batch, key: GroupKey) -> None:
        with blamed_on(self.label, self.writer, DestinationError):
            if self.takes_group:
                self.writer.write_batch(batch, key)
                return
            for record in batch:
                record.group_membership = key
            self.writer.write_batch(batch)
