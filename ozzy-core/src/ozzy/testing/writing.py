"""A writer at work outside a run: begun, written to and asked as a run does it, with an eye on the destination."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ozzy import BaseWriter, Batch, DestinationError, Metadata, OzzyError, Staging, WriterContext
from ozzy.contracts.file_writer import FedFiles
from ozzy.contracts.writer import needs_files, takes_group
from ozzy.data.json_text import encode_record
from ozzy.testing.found import ids_in, visible
from ozzy.testing.installed import make
from ozzy.testing.module import ModuleContract
from ozzy.testing.verdict import shown

_STARTED = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
STATE = "state"
"""The folder, below the test's, where a run would keep what belongs to it alone."""


class WriterAtWork(ModuleContract):
    """The base of the suite of writers: how a test makes one work, and sees what arrives."""

    formatter: Any = "json"
    speaks_with = (DestinationError,)
    local: ClassVar[bool] = True
    """Whether what is published lies below `self.folder`, so that bytes can be compared."""
    epoch: int = 0
    """That of the writer begun last."""

    def record(self, number: int) -> dict[str, Any]:
        """The record of an id. Some are large, so that more than one piece of a file is written at once."""
        return {
            "id": number,
            "name": f"näme {number}",
            "country": ("es", "日本")[number % 2],
            "text": "x" * (200_000 if number % 7 == 3 else 10),
        }

    def oracle(self) -> Iterable[Any]:
        """The ids of the records at the destination, each as often as it is there."""
        return ids_in(self.folder)

    # A writer at work

    def begin(
        self,
        module: Any = None,
        *,
        folder: Path | None = None,
        grouped: bool = False,
        dry_run: bool = False,
        run: str = "run-1",
        contested: bool = False,
    ) -> BaseWriter:
        """A new writer, started as the same run would start it, in whichever process: under an epoch that is one more each time."""
        self.epoch += 1
        place = folder or self.folder
        place.mkdir(exist_ok=True)
        writer: BaseWriter = module or self.make(folder=place)
        if needs_files(type(writer)):
            writer = FedFiles(writer)
        context = WriterContext(
            run_id=run,
            label="writer",
            started=_STARTED,
            staging_folder=place / STATE / "staged" / "writer",
            formatter=make("formatter", self.formatter, Metadata(working_folder=place)),
            grouped=grouped,
            dry_run=dry_run,
            epoch=self.epoch,
            contested=contested,
        )
        writer.start(context)
        if not dry_run:
            writer.fence(self.epoch)
        return writer

    def write(self, writer: BaseWriter, numbers: Iterable[int], group: tuple[str, ...] = ()) -> None:
        """Give a writer the records of these ids, as a run does."""
        records = [self.record(number) for number in numbers]
        self.give(writer, Batch.from_lines([encode_record(record) for record in records], split="all"), group)

    def give(self, writer: BaseWriter, batch: Batch, group: tuple[str, ...] = ()) -> None:
        """Give a writer a batch, as a run does."""
        if takes_group(writer):
            writer.write_batch(batch, group)
            return
        for record in batch:
            record.group_membership = group
        writer.write_batch(batch)

    def prepare(self, writer: BaseWriter, *, final: bool) -> dict[str, Any]:
        """What `prepare` gives, as it comes back from where it was saved."""
        receipt = writer.prepare(final=final)
        try:
            saved: dict[str, Any] = json.loads(json.dumps(receipt))
        except (TypeError, ValueError) as error:
            self.broken(f"the receipt of prepare() can't be saved as JSON ({error}): {shown(receipt)}")
        if saved != receipt:
            self.broken(f"the receipt of prepare() is not the same when it was saved as JSON: {receipt!r:.160} became {saved!r:.160}")
        return saved

    def finish(self, writer: BaseWriter) -> dict[str, Any]:
        """End a run: the last prepare and publish."""
        writer.finish_writing()
        receipt = self.prepare(writer, final=True)
        writer.publish(receipt)
        return receipt

    def exercise(self, module: Any) -> Any:
        writer = self.begin(module)
        writer.resume(None)
        self.write(writer, range(3))
        receipt = self.finish(writer)
        return receipt, writer.results(receipt)

    @contextmanager
    def works(self, when: str) -> Iterator[None]:
        """What is done here has to work; `when` says after what, for the message where it does not."""
        try:
            yield
        except OzzyError as error:
            self.broken(f"{when}, it fails: {error}")

    def expect(self, numbers: Iterable[int], when: str) -> None:
        """Fail where the destination does not hold exactly the records of these ids."""
        wanted, found = Counter(map(str, numbers)), Counter(map(str, self.oracle()))
        lost, doubled = wanted - found, found - wanted
        strange = [one for one in doubled if one not in wanted]
        if lost:
            self.broken(f"{when}, {_some(lost, 'record')} lost, of {wanted.total()}")
        if strange and not wanted:
            self.broken(f"{when}, the destination holds {_some(Counter(strange), 'record')} that nobody published")
        if doubled:
            self.broken(f"{when}, {_some(doubled, 'record')} more than once at the destination")

    def nothing_seen(self, when: str) -> None:
        """Fail where the destination shows anything."""
        files = visible(self.folder) if self.local else {}
        if files:
            self.broken(f"{when}, {min(files)} is to be seen at the destination")
        self.expect([], when)

    def same_as_undisturbed(self, when: str = "") -> None:
        """Fail where local files are not, byte for byte, those of a run in which the records 0 to 19 were written without trouble."""
        if not self.local or not (got := visible(self.folder)):
            return
        calm = self.folder / STATE / "calm"
        calm.parent.mkdir(exist_ok=True)
        writer = self.begin(folder=calm)
        writer.resume(None)
        self.write(writer, range(20))
        self.finish(writer)
        writer.close()
        wanted = visible(calm)
        for name in sorted({*wanted, *got}):
            if wanted.get(name) != got.get(name):
                told = f"{when}, {name}" if when else name
                self.broken(f"{told} is not, byte for byte, what a run that was never killed makes")

    @property
    def staging(self) -> Staging:
        """How the writer stages."""
        return Staging.DURABLE if needs_files(self.module) else self.module.staging

    def needs(self, *stagings: Staging) -> None:
        """Skip the test for writers that stage in other ways."""
        if self.staging not in stagings:
            pytest.skip(f"not for a writer whose staging is {self.staging.value}")

    def counted(self, receipt: dict[str, Any], written: int) -> None:
        if "written" not in receipt:
            if self.staging is not Staging.NONE:
                self.broken("its receipts do not count: prepare() has to return `written`, the rows since the run began")
            return
        told = receipt["written"] + receipt.get("ignored", 0) + receipt.get("absorbed", 0)
        if told != written:
            self.broken(f"its receipt says {told} rows are written, it was given {written}")


def _some(ids: Counter[str], what: str) -> str:
    names = ", ".join(sorted(ids, key=lambda one: (len(one), one))[:5])
    more = ", …" if len(ids) > 5 else ""
    return f"{what} {names} is" if len(ids) == 1 else f"{len(ids)} {what}s ({names}{more}) are"
