"""Writer console: what is printed, counted, and what happens when nobody reads any more."""

import io
import sys
from pathlib import Path

import pytest

from ozzy.builtin.formatters.csv import CSVExportFormatter
from ozzy.builtin.formatters.json import JsonExportFormatter
from ozzy.builtin.writers.console import ConsoleWriter
from ozzy.contracts.writer import Outcome, Staging, WriterContext
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, DataError, DestinationError


@pytest.fixture
def writer(tmp_path):
    def make(formatter=None, state=None):
        made = ConsoleWriter()
        made.start(
            WriterContext(
                run_id="r",
                label="writer",
                started=made.metadata.start_time,
                staging_folder=tmp_path / "staging",
                formatter=formatter or JsonExportFormatter(),
            )
        )
        made.resume(state)
        return made

    return make


def batch(*numbers):
    return Batch.from_lines([f'{{"n":{number}}}'.encode() for number in numbers])


class Closed(io.RawIOBase):
    """A pipe whose reader has gone after `room` bytes."""

    def __init__(self, room=0):
        self.room = room
        self.got = b""

    def writable(self):
        return True

    def write(self, data):
        if len(self.got) >= self.room:
            raise BrokenPipeError
        self.got += bytes(data)
        return len(data)


def test_a_closed_standard_output_is_told(writer, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(DestinationError, match="standard output is closed"):
        writer().write_batch(batch(1))


def test_a_standard_output_that_is_full_is_told(writer, monkeypatch):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(DestinationError, match="can't write to standard output: No space left on device"):
            writer().write_batch(batch(1))
        monkeypatch.undo()
        full.buffer.raw.close()


def test_rows_are_printed_as_formatted(writer, capfdbinary):
    made = writer()
    made.write_batch(batch(1, 2))
    made.write_batch(batch(3))
    made.finish_writing()
    assert capfdbinary.readouterr().out == b'{"n":1}\n{"n":2}\n{"n":3}\n'


def test_header_separators_and_footer_make_one_document(writer, capfdbinary):
    made = writer(JsonExportFormatter({"options": {"jsonlines": False}}))
    made.write_batch(batch(1, 2))
    made.write_batch(batch(3))
    made.finish_writing()
    assert capfdbinary.readouterr().out == b'[\n{"n":1},\n{"n":2},\n{"n":3}\n]\n'


@pytest.mark.parametrize(
    ("formatter", "expected"),
    [
        (JsonExportFormatter(), b""),
        (JsonExportFormatter({"options": {"jsonlines": False}}), b"[\n\n]\n"),
        (CSVExportFormatter({"options": {"fields": ["n"]}}), b'"n"\n'),
    ],
)
def test_no_rows_print_header_and_footer(writer, capfdbinary, formatter, expected):
    writer(formatter).finish_writing()
    assert capfdbinary.readouterr().out == expected


def test_text_that_was_printed_before_stays_before(writer, capfdbinary):
    sys.stdout.write("first ")
    writer().write_batch(batch(1))
    assert capfdbinary.readouterr().out == b'first {"n":1}\n'


def test_a_text_only_standard_output_is_written_as_text(writer, monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    writer().write_batch(Batch.from_records([{"a": "ñ"}]))
    assert out.getvalue() == '{"a":"ñ"}\n'


def test_a_bad_row_prints_nothing_of_its_batch(writer, capfdbinary):
    made = writer()
    with pytest.raises(DataError) as caught:
        made.write_batch(Batch.from_records([{"a": 1}, {"a": float("nan")}]))
    assert caught.value.row == 1
    assert capfdbinary.readouterr().out == b""
    assert made.prepare(final=False)["written"] == 0


def test_a_receipt_counts_and_a_resumed_writer_goes_on_counting(writer, capfdbinary):
    made = writer()
    made.write_batch(batch(1, 2))
    receipt = made.prepare(final=False)
    assert receipt == {"final": False, "written": 2, "ignored": 0}
    made = writer(state=receipt)
    made.write_batch(batch(3))
    assert made.prepare(final=True) == {"final": True, "written": 3, "ignored": 0}


def test_it_has_no_staging(writer):
    made = writer()
    assert (made.staging, made.resumable, made.recover({"final": True})) == (Staging.NONE, False, Outcome.PUBLISHED)


def test_when_nobody_reads_any_more_the_rest_is_counted_as_ignored(writer, monkeypatch):
    pipe = Closed(room=8)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(pipe)))
    made = writer()
    made.write_batch(batch(1))
    assert not made.full
    made.write_batch(batch(2, 3))
    assert made.full
    made.write_batch(batch(4))
    made.finish_writing()
    assert made.prepare(final=True) == {"final": True, "written": 1, "ignored": 3}
    assert pipe.got == b'{"n":1}\n'
    pipe.room = 1000
    sys.stdout.flush()


def test_a_format_of_whole_files_is_refused(writer):
    with pytest.raises(ConfigError, match="CSVExportFormatter makes whole files"):
        writer(CSVExportFormatter({"options": {"discover": True}}))
