"""Writers: where records go.

A writer says what its `staging` is. *Durable*: what is prepared outlives the process and is published later, by any process.
*Transaction*: what is prepared dies with the process, and the destination stores the checkpoint's number in the same transaction.
*None*: what is written is there at once, so a resumed run may write it twice.

At a checkpoint the run calls `prepare`, saves the receipt it returns, and for a full checkpoint calls `publish` with it.
"""

import enum
import inspect
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import attrs

from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.module import BaseModule, overrides
from ozzy.data.batch import Batch
from ozzy.errors import DestinationError
from ozzy.options.option import option, options

GroupKey = tuple[str, ...]
Receipt = dict[str, Any]


class Staging(enum.Enum):
    """Where prepared data waits."""

    NONE = "none"
    """Nowhere: it is there at once, and a resumed run may write it twice."""
    DURABLE = "durable"
    """Where it outlives the process, to be published later by any process."""
    TRANSACTION = "transaction"
    """In a transaction that dies with the process, and that stores the checkpoint's number too."""


class Outcome(enum.Enum):
    """What became of a receipt."""

    PUBLISHED = "published"
    """It is there for everybody."""
    STAGED = "staged"
    """It waits, and can be published."""
    GONE = "gone"
    """It is lost, and the run falls back to what came before."""


@attrs.frozen
class WriterContext:
    """What a writer is told before a run.

    `started` is the run's start, the same after a resume; `staging_folder` is a private local folder of this writer in this run, for
    writers whose destination has no place of its own; `formatter` belongs to this writer; `grouped` says whether a grouper is set;
    a `dry_run` is to leave no trace. `beside` says that what this run writes belongs beside the files of an earlier one: a replay, which
    takes the next free name wherever one is taken. `epoch` is the number of the lease under which the run is done; where that is
    `contested`, since the lease is limited in time, an earlier holder that was taken for dead may still be at work.
    """

    run_id: str
    label: str
    started: datetime
    staging_folder: Path
    formatter: BaseExportFormatter
    grouped: bool = False
    inherited: bool = False
    dry_run: bool = False
    beside: bool = False
    epoch: int = 0
    contested: bool = False


@options
class WriterOptions:
    """Options of every writer."""

    items_limit: int = option(default=0, minimum=0, help="Stop after this many records were written; 0 is no limit.")
    write_buffer: str = option(
        default="default",
        help="default writes records as they come; reservoir_sampling holds a sample of each group and writes that at the end.",
    )
    write_buffer_options: dict[str, Any] = option(
        factory=dict, help="Of reservoir_sampling: sample_size (1000 records of each group), seed.", example={"sample_size": 100}
    )


class BaseWriter(BaseModule):
    """Takes batches and brings them to their destination.

    Write `write_batch(batch, group_key)`. The base has no staging; a writer that has overrides `staging`, `prepare`, `publish`,
    `recover`, `discard` and `resume`.

    >>> class Keep(BaseWriter):
    ...     kept = []
    ...     def write_batch(self, batch, group_key=None):
    ...         self.kept += batch.records
    >>> Keep().write_batch(Batch.from_records([{"n": 1}]))
    """

    kind: ClassVar[str] = "writer"
    Options: ClassVar[type] = WriterOptions
    staging: Staging = Staging.NONE
    """Where what is prepared waits: the plan works out the guarantee from it. With `NONE`, rows may come twice after a crash."""

    context: WriterContext
    """What `start` was told."""

    def check_formatter(self, formatter: BaseExportFormatter) -> None:
        """See that this writer can write what a formatter makes. Called when a pipeline is made, before `start`. Raises ConfigError."""

    def start(self, context: WriterContext) -> None:
        """Get ready to write. Called once, before anything else; `resume` follows it always."""
        self.context = context

    def fence(self, epoch: int) -> None:
        """Shut out whoever works at this run under an older epoch: from now on nothing of it is published or gone on with.

        Called once in every run but a dry one, after `start` and before `recover`. A writer in transactions stores the epoch at the
        destination, in a transaction of its own, and commits a checkpoint only while that epoch stands there. Raises DestinationError
        where a newer one does.
        """

    def write_batch(self, batch: Batch, group_key: GroupKey | None = None) -> None:
        """Take the rows of a batch that belong to one group (an empty key without a grouper). Never called with no rows.

        One written with a single argument is given records that bear their `group_membership`. A DataError with a `row` means that
        nothing of the batch was taken: what is left without that row is offered again.
        """
        raise NotImplementedError(f"{type(self).__name__} has no write_batch()")

    def write_groups(self, batch: Batch, groups: Mapping[GroupKey, Sequence[int]]) -> None:
        """Take a batch whose rows belong to several groups: each group's rows by their indices, in order.

        Called instead of `write_batch` where a writer overrides it. A DataError that names a row means that nothing was taken: the run
        takes the row out and calls again.
        """
        for key, members in groups.items():
            self.write_batch(batch.take(members), key)

    def flush(self) -> None:
        """Bring what is buffered to the destination. Called at each checkpoint, for a writer without staging."""

    def write_stream(self, stream: BinaryIO, name: str) -> Receipt:
        """Stage a whole output as it comes, durably and invisibly: `stream` to its end; `name` is that of its source.

        For bypasses; only where `takes_streams` is true. Called in threads, several at once, ahead of the turn of what is copied: it names
        and counts nothing. Returns what `take_stream` is to know, with its `size`. Leaves nothing behind where it raises.
        """
        raise NotImplementedError(f"{type(self).__name__} has no write_stream()")

    def take_stream(self, receipt: Receipt, name: str) -> None:
        """Count a staged copy among the outputs from now on, and name it. Called in turn; `receipt` has its `rows` too, None if unknown.

        What was staged and never taken is forgotten when a run is resumed.
        """
        raise NotImplementedError(f"{type(self).__name__} has no take_stream()")

    @property
    def takes_streams(self) -> bool:
        """Whether whole outputs can be copied to where it writes, one for each part of the source, under names that follow the source's."""
        return False

    def finish_writing(self) -> None:
        """No more records come. Called once, before the last `prepare`."""

    def resume(self, state: Receipt | None) -> None:
        """Stand where the receipt of the last committed checkpoint was made (None: at the start); forget all that is newer."""

    def prepare(self, final: bool) -> Receipt:
        """Make everything written so far durable, or ready in the open transaction, and invisible. Small JSON.

        `final` means that `publish` follows and files are to be complete; otherwise writing goes on. A receipt should count:
        `written`, `ignored` and `absorbed` rows since the run began.
        """
        self.flush()
        return {"final": final}

    def publish(self, receipt: Receipt) -> None:
        """Make a receipt visible. Doing so twice is the same as once, in another process too; durable when it returns."""

    def publish_manifest(self, receipt: Receipt, content: bytes) -> None:
        """Put the manifest of a receipt at its place, once all of the checkpoint is published, replacing this run's former one.

        Called only for a receipt that has a `manifest`, its name; with the same content again after a kill. Readers of the destination
        find the old one or the new one, whole; durable when it returns.
        """

    def recover(self, receipt: Receipt) -> Outcome:
        """What became of a receipt of a run that ended without warning. Changes nothing."""
        return Outcome.PUBLISHED

    def discard(self, receipt: Receipt) -> None:
        """Take a prepared receipt back: delete what is staged, and what was published only where it is provably this run's own.

        Called where the run falls back to an older checkpoint; doing so twice is the same as once.
        """

    def abandon(self) -> None:
        """The run is over for good: leave nothing behind that nobody can see. Called after the last commit, and by `--fresh`."""

    def overtaken(self) -> None:
        """Another process has the lease, and this one ends: delete only what is provably of this epoch's own, if there is any."""

    def staged_bytes(self) -> int:
        """How many bytes wait to be published."""
        return 0

    def results(self, receipt: Receipt) -> list[dict[str, Any]]:
        """The files or objects a receipt has made visible: `name`, `rows`, `size`, `sha256` of each, and `path` where there is one."""
        return []

    def visible(self, receipt: Receipt) -> list[dict[str, Any]]:
        """Those of the results that are there, of a receipt whose publishing may have been cut short."""
        return self.results(receipt if self.recover(receipt) is Outcome.PUBLISHED else receipt | {"final": False})

    def summary(self, receipt: Receipt) -> Any:
        """What a writer that absorbs records has made of them until this receipt, as JSON: given back by the run. None for others."""
        return None

    @property
    def resumable(self) -> bool:
        """Whether a light checkpoint can be taken: staged data can be continued in another process."""
        return self.staging is Staging.DURABLE


def takes_group(writer: BaseWriter) -> bool:
    """Whether `write_batch` is given the group: told by its signature."""
    parameters = inspect.signature(writer.write_batch).parameters.values()
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    return len(positional) > 1 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def needs_files(cls: type) -> bool:
    """Whether a writer class has only the inherited `write(dump_path, group_key)` and is to be fed finished files."""
    return issubclass(cls, BaseWriter) and hasattr(cls, "write") and not overrides(cls, "write_batch", BaseWriter)


def no_room_for(name: str) -> DestinationError:
    """The error of a name that is taken."""
    return DestinationError(
        f"{name} exists already",
        hint="Nothing was overwritten. Move it away, choose another filebase, or set the writer's if_exists to overwrite, number or skip.",
    )
