"""Outlets: what is between the stages and a writer: groups, limits, refused rows, and the books of the writer."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ozzy.contracts.grouper import GroupKey
from ozzy.contracts.module import blamed_on, overrides
from ozzy.contracts.writer import BaseWriter, Receipt, takes_group
from ozzy.data.batch import Batch
from ozzy.errors import DataError, DestinationError
from ozzy.run.books import Books
from ozzy.run.error_policy import BAD, QUARANTINED, ErrorPolicy
from ozzy.run.kept import kept_row
from ozzy.run.reservoir import Reservoir
from ozzy.run.stages import between, refused_row


class Outlet:
    """Gives batches to one writer; with a `sample`, that instead of everything, at the end.

    With `dry_run`, a writer that would make anything visible is given nothing.
    """

    def __init__(
        self, label: str, writer: BaseWriter, books: Books, errors: ErrorPolicy, *, dry_run: bool = False, sample: Reservoir | None = None
    ) -> None:
        self.label = label
        self.writer = writer
        self.books = books
        self.errors = errors
        self.sample = sample
        self.counts_only = dry_run and not hasattr(writer, "files")
        self.takes_group = takes_group(writer)
        self.takes_groups = sample is None and overrides(writer, "write_groups", BaseWriter)
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
        return counts.records_in - counts.reasons["limited"] - counts.reasons[BAD] - counts.reasons[QUARANTINED]

    def write(self, batch: Batch, keys: Sequence[GroupKey] | None, rows: Sequence[int] | None = None) -> int | None:
        """Hand the rows over, group by group in the order they first appear; with `rows`, only those at these indices.

        Returns None, or how many rows of the batch were done with where the writer's limit cut it.
        """
        began = time.perf_counter()
        try:
            return self._write(batch, keys) if rows is None or len(rows) == len(batch) else self._write_some(batch, keys, rows)
        finally:
            self.seconds += time.perf_counter() - began

    def finish(self) -> None:
        """No more rows come: hand the sample over, where there is one."""
        began = time.perf_counter()
        if self.sample is not None:
            for key, batch in self.sample.drain():
                self._hand_over(batch, [key] * len(batch), self._give_on)
        self.seconds += time.perf_counter() - began

    def settle(self, receipt: Receipt) -> None:
        """Enter what the destination counts; for one that does not count, what it was given."""
        held = dropped = 0
        if self.sample is not None and not self.counts_only:
            held, dropped = self.sample.held, self.sample.dropped
            reasons = self.books.stages[self.label].reasons
            reasons["waiting"], reasons["sampled out"] = held, dropped
        if self.counts_only or "written" not in receipt:
            self.books.settle(self.label, self.given - held - dropped, 0)
        else:
            self.books.settle(self.label, receipt["written"], receipt.get("ignored", 0), receipt.get("absorbed", 0))

    def _write_some(self, batch: Batch, keys: Sequence[GroupKey] | None, rows: Sequence[int]) -> int | None:
        if not rows:
            return 0 if self.full else None
        taken = self._write(batch.take(rows), None if keys is None else [keys[row] for row in rows])
        return rows[taken - 1] + 1 if taken else taken

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
        groups: Mapping[GroupKey, Sequence[int]] = {(): range(len(batch))} if keys is None else _groups(keys)
        if keys is not None and len(groups) > 1 and self.takes_groups:
            self._hand_over(batch, keys, self._give_groups)
            return
        for key, members in groups.items():
            rows = batch if len(members) == len(batch) else batch.take(members)
            self._hand_over(rows, [key] * len(rows), self._give)

    def _hand_over(self, batch: Batch, keys: Sequence[GroupKey], give: Callable[[Batch, Sequence[GroupKey]], None]) -> None:
        """Give the writer a batch; a row that it refuses is taken out, and what stands around it is given again."""
        waiting = [(batch, keys)]
        while waiting:
            part, part_keys = waiting.pop()
            try:
                with blamed_on(self.label, self.writer, DestinationError):
                    if len(part):
                        give(part, part_keys)
            except DataError as error:
                bad = self._refused(part, part_keys, error)
                after = (part.take(range(bad + 1, len(part))), part_keys[bad + 1 :])
                waiting += [after, (part.take(range(bad)), part_keys[:bad])]

    def _refused(self, batch: Batch, keys: Sequence[GroupKey], error: DataError) -> int:
        """Book a row that the writer refuses; its index. Raises DataError where the row is not known, or bad rows end the run."""
        if error.row is None:
            raise DataError(f"{between(batch)}: {self.label}: {error.message}", hint=error.hint) from error
        row = error.row
        booked = self.errors.reject(
            error.stage or self.label,
            refused_row(batch, row, f"{self.label}: {error.message}"),
            error=type(error.__cause__ or error).__name__,
            split=batch.split,
            kept=lambda: kept_row(batch, row),
            writer=self.label,
            group=keys[row],
        )
        self.books.stages[self.label].reasons[booked] += 1
        return row

    def _give_groups(self, batch: Batch, keys: Sequence[GroupKey]) -> None:
        self.writer.write_groups(batch, _groups(keys))

    def _give(self, batch: Batch, keys: Sequence[GroupKey]) -> None:
        if self.sample is not None:
            self.sample.add(batch, keys[0], batch.split if getattr(self.writer, "by_split", False) else "")
        else:
            self._give_on(batch, keys)

    def _give_on(self, batch: Batch, keys: Sequence[GroupKey]) -> None:
        if self.takes_group:
            self.writer.write_batch(batch, keys[0])
            return
        for record in batch:
            record.group_membership = keys[0]
        self.writer.write_batch(batch)


def saved_samples(outlets: Iterable[Outlet]) -> dict[str, Any]:
    """Where the sample of each writer that gets one stands, by label, for a checkpoint."""
    return {outlet.label: outlet.sample.save() for outlet in outlets if outlet.sample is not None}


def _groups(keys: Sequence[GroupKey]) -> dict[GroupKey, list[int]]:
    """The rows of each group, groups in the order of their first row."""
    groups: dict[GroupKey, list[int]] = defaultdict(list)
    deque(map(list.append, map(groups.__getitem__, keys), range(len(keys))), 0)
    return groups
