"""Writers without a manager: what a run does for them, done when a program calls `write_batch`, `flush`, `finish_writing`, `close`."""

import secrets
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ozzy import BaseExportFormatter, BaseWriter, Batch, Metadata, Staging, WriterContext
from ozzy.contracts.file_writer import FedFiles
from ozzy.contracts.grouper import GroupKey, membership
from ozzy.contracts.writer import needs_files
from ozzy_exporters.batches import as_batch
from ozzy_exporters.exceptions import ItemsLimitReached


class _WriteBatch:
    """`write_batch`: the writer's own in a run, and where its class is looked at; by hand the one that takes any records."""

    def __get__(self, writer: "WriterByHand | None", cls: type) -> Any:
        if writer is None:
            return super(WriterByHand, cls).write_batch  # type: ignore[misc]
        return super(WriterByHand, writer).write_batch if writer.in_a_run else writer.write_by_hand


class WriterByHand(BaseWriter):
    """A writer that a run drives, or else a program.

    By hand, `write_batch(records)` takes any iterable of records; those that a grouper has seen go to their groups. `flush()` makes what
    was written so far visible, `finish_writing()` all of it. A writer of files that is closed without either leaves nothing.
    `items_limit` raises ItemsLimitReached once so many are written.
    """

    write_batch = _WriteBatch()

    def __init__(self, options: Any = None, metadata: Metadata | None = None, export_formatter: BaseExportFormatter | None = None) -> None:
        super().__init__(options, metadata)
        self._formatter = export_formatter
        self._hand: _Hand | None = None

    @property
    def in_a_run(self) -> bool:
        """Whether a run drives it."""
        return self._hand is None and hasattr(self, "context")

    def write_by_hand(self, batch: Iterable[Any], group_key: GroupKey | None = None) -> None:
        """Write records, all of them to one group where that is given."""
        self._in_hand().write(as_batch(batch), group_key)

    def flush(self) -> None:
        if self._hand is None or self._hand.busy:
            super().flush()
        else:
            self._hand.flush()

    def finish_writing(self) -> None:
        if self.in_a_run or (self._hand is not None and self._hand.busy):
            super().finish_writing()
        else:
            self._in_hand().finish()

    def close(self) -> None:
        if self._hand is not None and not self._hand.busy:
            self._hand.close()
        super().close()

    def _in_hand(self) -> "_Hand":
        if self._hand is None:
            self._hand = _Hand(self, self._formatter or _json(self.metadata))
        return self._hand


class _Hand:
    """Does for one writer what a run does: starts it, takes checkpoints and publishes them. `busy` while the writer is called from here."""

    def __init__(self, writer: WriterByHand, formatter: BaseExportFormatter) -> None:
        self.writer = writer
        self.formatter = formatter
        self.fed = needs_files(type(writer))
        self.target: BaseWriter = FedFiles(writer) if self.fed else writer
        self.limit = int(writer.read_option("items_limit", 0) or 0)
        self.written = self.unpublished = 0
        self.begun = self.finished = self.busy = False
        self.folder = Path()
        if self.target.staging is Staging.DURABLE:
            self.folder = Path(tempfile.mkdtemp(prefix="ozzy-by-hand-"))

    def write(self, batch: Batch, group_key: GroupKey | None) -> None:
        left = self.limit - self.written if self.limit else len(batch)
        rows = batch if left >= len(batch) else batch.take(range(max(0, left)))
        if len(rows):
            self._write(rows, _groups(rows) if group_key is None else {membership(group_key): list(range(len(rows)))})
        if self.limit and self.written >= self.limit:
            raise ItemsLimitReached(f"{type(self.writer).__name__} has written {self.written:,} records, its limit")

    def flush(self) -> None:
        """A full checkpoint."""
        if self.begun:
            self._called(self._publish)

    def finish(self) -> None:
        """The last one."""
        self._begin(grouped=False)
        if not self.finished:
            self._called(self._finish)

    def close(self) -> None:
        if self.begun and not self.finished:
            if self.target.staging is Staging.NONE:
                self.finish()
            elif self.unpublished:
                self.writer.logger.warning("closed without flush(): what was written since the last one is gone", records=self.unpublished)
        if self.begun:
            self._called(self.target.abandon)
        if self.folder.name and self.folder.exists():
            shutil.rmtree(self.folder)

    def _write(self, rows: Batch, groups: Mapping[GroupKey, list[int]]) -> None:
        self._begin(grouped=any(groups))
        for group, members in groups.items():
            part = rows if len(members) == len(rows) else rows.take(members)
            write = self.target.write_batch if self.fed else super(WriterByHand, self.writer).write_batch
            self._called(write, part, group)
            self.finished = False
            self.written += len(part)
            self.unpublished += len(part)
            self.writer.set_metadata("items_count", self.written)

    def _begin(self, *, grouped: bool) -> None:
        if self.begun:
            return
        context = WriterContext(
            run_id=f"by-hand-{secrets.token_hex(4)}",
            label="writer",
            started=self.writer.metadata.start_time,
            staging_folder=self.folder / "staged",
            formatter=self.formatter,
            grouped=grouped,
            inherited=True,
        )
        self.begun = True
        self._called(self.target.start, context)
        self._called(self.target.resume, None)

    def _publish(self) -> None:
        receipt = self.target.prepare(final=True)
        self.target.publish(receipt)
        self.unpublished = 0

    def _finish(self) -> None:
        self.finished = True
        if not self.fed:
            self.target.finish_writing()
        self._publish()

    def _called(self, method: Any, *arguments: Any) -> None:
        self.busy = True
        try:
            method(*arguments)
        finally:
            self.busy = False


def _groups(batch: Batch) -> dict[GroupKey, list[int]]:
    """The rows of each group, in the order in which groups first appear."""
    groups: dict[GroupKey, list[int]] = defaultdict(list)
    for row, item in enumerate(batch):
        groups[membership(item.group_membership)].append(row)
    return groups


def _json(metadata: Metadata) -> BaseExportFormatter:
    from ozzy import Registry

    made: BaseExportFormatter = Registry.load().resolve("formatter", "json").cls({}, metadata)
    return made
