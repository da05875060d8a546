from datetime import datetime
from pathlib import Path

import pytest

from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.writer import BaseWriter, Outcome, Staging, WriterContext, needs_files, no_room_for, takes_group
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError


class Kept(BaseWriter):
    def __init__(self, *args):
        super().__init__(*args)
        self.flushed = 0

    def write_batch(self, batch, group_key=None):
        pass

    def flush(self):
        self.flushed += 1


def test_a_writer_without_staging():
    writer = Kept()
    context = WriterContext("run", "writer", datetime.now().astimezone(), Path("staged"), BaseExportFormatter())
    writer.start(context)
    writer.resume(None)
    receipt = writer.prepare(final=False)
    writer.finish_writing()
    final = writer.prepare(final=True)
    writer.publish(final)
    writer.discard(final)
    writer.abandon()

    assert (writer.staging, writer.resumable, writer.context) == (Staging.NONE, False, context)
    assert (receipt, final, writer.flushed) == ({"final": False}, {"final": True}, 2)
    assert (writer.recover(final), writer.staged_bytes(), writer.results(final)) == (Outcome.PUBLISHED, 0, [])


@pytest.mark.parametrize(("staging", "resumable"), [(Staging.DURABLE, True), (Staging.TRANSACTION, False), (Staging.NONE, False)])
def test_only_durable_staging_can_be_continued(staging, resumable):
    writer = Kept()
    writer.staging = staging

    assert writer.resumable is resumable


def test_the_limit_of_items():
    assert Kept({"options": {"items_limit": 5}}).read_option("items_limit") == 5
    with pytest.raises(ConfigError):
        Kept({"options": {"items_limit": -1}})


def test_an_author_is_told_what_is_missing():
    class Empty(BaseWriter):
        pass

    with pytest.raises(NotImplementedError, match=r"^Empty has no write_batch\(\)$"):
        Empty().write_batch(Batch.from_records([{}]))


def test_groups_come_one_by_one_unless_a_writer_takes_them_together():
    class Lists(BaseWriter):
        def __init__(self):
            super().__init__()
            self.seen = []

        def write_batch(self, batch, group_key=None):
            self.seen.append((group_key, [record["n"] for record in batch.records]))

    writer = Lists()
    writer.write_groups(Batch.from_records([{"n": n} for n in range(4)]), {("a",): [0, 3], ("b",): [1, 2]})

    assert writer.seen == [(("a",), [0, 3]), (("b",), [1, 2])]


class Old(BaseWriter):
    def write_batch(self, batch):
        pass


class Either(BaseWriter):
    def write_batch(self, *args):
        pass


class ByName(BaseWriter):
    def write_batch(self, batch, **more):
        pass


class OnlyWrite(BaseWriter):
    def write(self, dump_path, group_key=None):
        pass


class Both(OnlyWrite):
    def write_batch(self, batch, group_key=None):
        pass


class NotAWriter:
    def write(self, dump_path):
        pass


@pytest.mark.parametrize(("writer", "takes"), [(Kept, True), (Old, False), (Either, True), (ByName, False)])
def test_the_signature_tells_whether_a_writer_takes_the_group(writer, takes):
    assert takes_group(writer()) is takes


@pytest.mark.parametrize(("cls", "needs"), [(OnlyWrite, True), (Both, False), (Kept, False), (NotAWriter, False)])
def test_a_writer_with_only_write_is_fed_files(cls, needs):
    assert needs_files(cls) is needs


def test_a_name_that_is_taken():
    error = no_room_for("out/a.jl")

    assert error.message == "out/a.jl exists already"
    assert "if_exists" in error.hint
