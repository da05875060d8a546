"""Right modules of unusual kinds pass the suites: endless, unsteady, inherited, without files."""

import itertools
import random
import shutil

import pytest

from ozzy import (
    BaseExportFormatter,
    BaseFilter,
    BaseNotifier,
    BasePersistence,
    BaseReader,
    BaseStatsManager,
    BaseTransform,
    BaseWriter,
    Batch,
    DataError,
    StateError,
    WriterOptions,
    option,
    options,
)
from ozzy.testing import (
    FilterContract,
    FormatterContract,
    NotifierContract,
    PersistenceContract,
    ReaderContract,
    StatsManagerContract,
    TransformContract,
    WriterContract,
)


class Endless(BaseReader):
    """Numbers without end, in batches that are cut by chance."""

    def read(self, split, position):
        numbers = itertools.count(position or 0)
        while True:
            records = [{"id": next(numbers)} for _ in range(random.randint(1, 3))]
            yield Batch.from_records(records, split=split.id, position=records[-1]["id"] + 1)


class TestEndless(ReaderContract):
    module = Endless
    enough = 4
    steady = False

    def test_the_same_records_come_each_time(self):
        pytest.skip("batches are cut by chance, so that four of them hold more or less")

    test_resuming_from_every_position_gives_exactly_the_rest = test_the_same_records_come_each_time


class Steady(BaseReader):
    """Numbers without end, one a batch, with pauses."""

    def read(self, split, position):
        for number in itertools.count(position or 0):
            yield Batch.from_records([], split=split.id, position=number)
            yield Batch.from_records([{"id": number}], split=split.id, position=number + 1)


class TestSteady(ReaderContract):
    module = Steady
    enough = 3


class OnceOnly(BaseReader):
    """What is read is gone, and nobody knows where."""

    replayable = False
    serial = itertools.count()

    def get_next_batch(self):
        self.finished = True
        return [{"id": next(self.serial)}]


class TestOnceOnly(ReaderContract):
    module = OnceOnly


class AskedEachTime(BaseReader):
    """The inherited way: its position is the dict that it changes."""

    def set_last_position(self, position):
        self.at = position or {"next": 0}

    def get_last_position(self):
        return self.at

    def get_next_batch(self):
        start, self.at["next"] = self.at["next"], min(self.at["next"] + 3, 10)
        self.finished = self.at["next"] == 10
        for number in range(start, self.at["next"]):
            yield {"id": number}


class TestAskedEachTime(ReaderContract):
    module = AskedEachTime
    records = [{"id": number} for number in range(10)]  # noqa: RUF012


@options
class CrateOptions(WriterOptions):
    crate: str = option(default="crate", help="The folder.")


class Crate(BaseWriter):
    """An inherited writer: it has only write(), and is fed finished files."""

    Options = CrateOptions

    def write(self, dump_path, group_key=None):
        from ozzy import DestinationError

        try:
            self.path(self.options.crate).mkdir(exist_ok=True)
            shutil.copyfile(dump_path, self.path(self.options.crate) / f"crate-{'-'.join(group_key or ())}.jl.gz".replace("/", "_"))
        except OSError as error:
            raise DestinationError(f"the crate {self.options.crate} can't be used: {error}") from error


class TestCrate(WriterContract):
    module = Crate

    def test_receipts_count_from_the_beginning_of_the_run(self):
        pytest.skip("each checkpoint overwrites the file of the one before")

    test_going_on_after_a_full_checkpoint = test_receipts_count_from_the_beginning_of_the_run
    test_discard_leaves_what_was_published_before = test_receipts_count_from_the_beginning_of_the_run
    test_who_was_overtaken_publishes_nothing_twice = test_receipts_count_from_the_beginning_of_the_run


class Shouts(BaseWriter):
    """An inherited writer: write_batch() with one argument."""

    shouted: list[str] = []  # noqa: RUF012

    def write_batch(self, batch):
        for record in batch:
            if not isinstance(record.get("name"), str):
                raise DataError("nobody to shout at", row=0)
            assert record.group_membership in {(), ("es",), ("uk",), ("../a/日本",)}
            self.shouted.append(record["id"])


class TestShouts(WriterContract):
    module = Shouts
    local = False

    @pytest.fixture(autouse=True)
    def silence(self):
        Shouts.shouted.clear()

    def oracle(self):
        return self.module.shouted


class Tabled(BaseExportFormatter):
    """A formatter whose files can't be gone on with: each row has its number in the file."""

    file_extension = "txt"
    resumable = appendable = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = 0

    def format_rows(self, batch):
        lines = [(number, line) for number, line in enumerate(batch.lines, self.rows)]
        self.rows += len(lines)
        return [b"%d %s" % line for line in lines]


class TestTabled(FormatterContract):
    module = Tabled


class Labels(BaseTransform):
    """Says what it reads and what it writes, and keeps to both."""

    one_to_one = True
    reads = ("id",)
    writes = ("label",)

    def transform_batch(self, batch):
        for item in batch:
            yield {**item, "label": str(item.get("id"))}


class TestLabels(TransformContract):
    module = Labels


class InBatches(BaseTransform):
    """Gives a batch for a batch, and reads no field in particular."""

    reads = ()

    def transform_batch(self, batch):
        return Batch.from_lines([line for line in batch.lines for _ in range(2)])


class TestInBatches(TransformContract):
    module = InBatches


class Picky(BaseFilter):
    """Refuses records without a number."""

    reads = ("id",)

    def filter(self, item):
        if not isinstance(item.get("id"), int):
            raise DataError("no number in the field id")
        return item["id"] > 3


class TestPicky(FilterContract):
    module = Picky


class TestPickyWithSamplesFromAFixture(FilterContract):
    module = Picky

    @pytest.fixture
    def records(self, tmp_path):
        return [{"id": number} for number in range(len(str(tmp_path)))]


class Vault(BasePersistence):
    """Keeps its documents in the memory of the class, as texts."""

    kept: dict[str, str] = {}  # noqa: RUF012

    def generate_new_job(self):
        self.kept.pop(self.location.run, None)

    def get_last_position(self):
        import json

        text = self.kept.get(self.location.run)
        return None if text is None else json.loads(text)

    def commit_position(self, last_position):
        import json

        try:
            self.kept[self.location.run] = json.dumps(last_position)
        except TypeError as error:
            raise StateError("no JSON") from error


class TestVault(PersistenceContract):
    module = Vault

    @pytest.fixture(autouse=True)
    def empty(self):
        Vault.kept.clear()

    def test_a_kill_in_a_commit_leaves_the_old_or_the_new(self):
        pytest.skip("its memory is gone with its process")


class Bell(BaseNotifier):
    """Notes down all it is told."""

    def notify_start_dump(self, *receivers):
        self.note("start")

    def notify_complete_dump(self):
        self.note("complete")

    def notify_failed_job(self, msg, stack_trace):
        self.note(msg)

    def note(self, text):
        from ozzy import DestinationError

        try:
            with self.path("bell.txt").open("a", encoding="utf-8", newline="") as file:
                file.write(f"{text}\n")
        except OSError as error:
            raise DestinationError(f"{self.path('bell.txt')}: {error.strerror}") from error


class TestBell(NotifierContract):
    module = Bell

    def sent(self):
        return [path.read_text(encoding="utf-8") for path in self.folder.glob("bell.txt")]


class Meter(BaseStatsManager):
    """Takes only what it needs, and all of it."""

    def iteration_report(self, times):
        self.seconds = sum(times.values())

    def final_report(self):
        self.logger.info("done")


class TestMeter(StatsManagerContract):
    module = Meter
