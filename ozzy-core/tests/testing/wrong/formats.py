"""Formatters and decoders that are wrong, each in one way."""
# ruff: noqa: RUF012

import json
from array import array

from ozzy import BaseDecoder, BaseExportFormatter, Batch, ConfigError, DataError, Range, Rows
from ozzy.testing import DecoderContract, FormatterContract


class Lines(BaseExportFormatter):
    """Lines of JSON, rightly."""

    file_extension = "jl"
    item_separator = ""

    def format_rows(self, batch):
        return [line + b"\n" for line in batch.lines]


class NumbersRowsOfABatch(Lines):
    """What it writes depends on how records are cut into batches."""

    def format_rows(self, batch):
        return [b"%d %s\n" % (number, line) for number, line in enumerate(batch.lines)]


class TestNumbersRowsOfABatch(FormatterContract):
    module = NumbersRowsOfABatch
    says = {
        "test_it_does_not_matter_how_records_are_cut_into_batches": r"in batches of 1, 1",
        "test_a_file_goes_on_in_another_process": r"it says resumable, but a new one does not go on after row 1 as the old one did",
    }


class FewerRows(Lines):
    """Leaves out the last record of a batch."""

    def format_rows(self, batch):
        return super().format_rows(batch)[:-1]


class TestFewerRows(FormatterContract):
    module = FewerRows
    says = {"test_one": r"format_rows\(\) gives 0 rows for a batch of 1 records"}


class Texts(Lines):
    """Its rows are no bytes."""

    def format_rows(self, batch):
        return [line.decode() for line in batch.lines]


class TestTexts(FormatterContract):
    module = Texts
    says = {"test_one": r"format_rows\(\) gives '.*' for row 1: a row is bytes"}


class NoSeparator(BaseExportFormatter):
    """An array without commas."""

    file_extension = "json"
    item_separator = ""

    def header(self):
        return b"["

    def footer(self):
        return b"]"

    def format_rows(self, batch):
        return list(batch.lines)


class TestNoSeparator(FormatterContract):
    module = NoSeparator

    def parse(self, data):
        return json.loads(data)

    says = {"test_the_file_can_be_read_back[the samples]": r"a file with the samples can't be read back \(JSONDecodeError"}


class LosesNulls(Lines):
    """Fields that are null are not there any more."""

    def format_rows(self, batch):
        return [json.dumps({name: value for name, value in record.items() if value is not None}).encode() + b"\n" for record in batch]


class TestLosesNulls(FormatterContract):
    module = LosesNulls
    records = [{"id": 1, "name": "a"}, {"id": 2, "name": None}]

    def parse(self, data):
        return [json.loads(line) for line in data.splitlines()]

    says = {"test_the_file_can_be_read_back[the samples]": r"a file with the samples, read back, is not the same: record 2"}


class NoRow(Lines):
    """Its errors do not say which row they are about."""

    def format_rows(self, batch):
        try:
            return super().format_rows(batch)
        except DataError as error:
            raise DataError("a record is bad") from error


class TestNoRow(FormatterContract):
    module = NoRow
    says = {"test_a_row_that_cannot_be_formatted_is_named": r"row 2 of 3 can't be formatted, and the error speaks of none: a record is bad"}


class OtherHeader(Lines):
    """Its header is another one each time."""

    asked = 0

    def header(self):
        OtherHeader.asked += 1
        return b"%d\n" % self.asked


class TestOtherHeader(FormatterContract):
    module = OtherHeader
    says = {"test_header_footer_and_separator_are_bytes_and_stay": r"its header is not the same each time"}


class WithADot(Lines):
    """Its extension begins with a dot."""

    file_extension = ".jl"


class TestWithADot(FormatterContract):
    module = WithADot
    says = {"test_the_extension_is_one": r"its file_extension is '.jl': write it without a dot before it"}


class ChangesWhatItFormats(Lines):
    """Takes fields out of the records."""

    def format_rows(self, batch):
        for record in batch:
            record.pop("name", None)
        return [json.dumps(record).encode() for record in batch]


class TestChangesWhatItFormats(FormatterContract):
    module = ChangesWhatItFormats
    says = {"test_records_are_left_as_they_are": r"it changes the records it formats: record 1"}


class PieceByPiece(BaseDecoder):
    """Takes what it is given for whole lines."""

    def decode(self, stream):
        while piece := stream.read():
            records = [{"line": line} for line in piece.decode().splitlines()]
            for start in range(0, len(records), self.options.batch_size):
                yield Batch.from_records(records[start : start + self.options.batch_size])


class LinesContract(DecoderContract):
    content = b"one\ntwo\nthree\nfour\n"
    records = [{"line": line} for line in ("one", "two", "three", "four")]


class TestPieceByPiece(LinesContract):
    module = PieceByPiece
    says = {
        "test_it_does_not_matter_how_bytes_come[2]": r"when bytes come 2 at a time, record 3 is",
        "test_garbage_is_refused": r"it raises UnicodeDecodeError .*: raise DataError, or put bad rows into `rejected`",
    }


class WholeFile(BaseDecoder):
    """Decodes the whole file at once."""

    def decode(self, stream):
        text = b"".join(iter(stream.read, b"")).decode(errors="replace")
        yield Batch.from_records([{"line": line} for line in text.splitlines()])


class TestWholeFile(LinesContract):
    module = WholeFile
    says = {"test_batches_are_no_larger_than_asked_for[1]": r"batch 1 has 4 rows, batch_size is 1"}


class StartsElsewhere(BaseDecoder):
    """Says that it starts anywhere, and starts at the line after."""

    starts_anywhere = True

    def decode(self, stream):
        row, offset = stream.row, stream.offset
        lines = b"".join(iter(stream.read, b"")).decode(errors="replace").splitlines(keepends=True)
        for start in range(0, len(lines), self.options.batch_size):
            part = lines[start : start + self.options.batch_size]
            row += len(part)
            offset += len("".join(part).encode())
            position = {"rows": row, "offset": offset + 1, "lines": row}
            yield Batch.from_records([{"line": line.strip()} for line in part], position=position)


class TestStartsElsewhere(LinesContract):
    module = StartsElsewhere
    says = {"test_after_every_position_exactly_the_rest_comes": r"after resuming from \{\"rows\": 3, .*\} record 4 is"}


class NoFileInItsErrors(BaseDecoder):
    """Its errors don't say which file."""

    def decode(self, stream):
        if stream.head(3) != b"one":
            raise DataError("this is no such file")
        yield from WholeFile.decode(self, stream)


class TestNoFileInItsErrors(LinesContract):
    module = NoFileInItsErrors
    says = {"test_garbage_is_refused": r"it does not name the file in its error: this is no such file"}


class ATuple(Lines):
    """Its rows come in a tuple."""

    def format_rows(self, batch):
        return tuple(super().format_rows(batch))


class TestATuple(FormatterContract):
    module = ATuple
    says = {"test_one": r"format_rows\(\) gives a tuple, not a list or Rows"}


class WrongLengths(Lines):
    """The lengths of its Rows leave the line ends out."""

    def format_rows(self, batch):
        rows = super().format_rows(batch)
        return Rows(b"".join(rows), array("I", [len(row) - 1 for row in rows]))


class TestWrongLengths(FormatterContract):
    module = WrongLengths
    says = {"test_one": r"the lengths of its Rows come to \d+ bytes, their text has \d+"}


class TextHeader(Lines):
    """Its header is text."""

    def header(self):
        return "id"


class TestTextHeader(FormatterContract):
    module = TextHeader
    says = {"test_header_footer_and_separator_are_bytes_and_stay": r"its header is 'id', not bytes"}


class BareTypeError(Lines):
    """What it can't format is a TypeError."""

    def format_rows(self, batch):
        return [json.dumps(record, allow_nan=False).encode() + b"\n" for record in batch]


class TestBareTypeError(FormatterContract):
    module = BareTypeError
    says = {"test_a_row_that_cannot_be_formatted_is_named": r"a bad value makes it raise TypeError \(.*\), not a DataError with its row"}


class TestNothingToDecode(DecoderContract):
    module = WholeFile
    says = {"test_the_file_is_decoded": r"there is no file to decode: give `content` and `records`, or encode\(records\)"}


class TestOtherRecords(DecoderContract):
    module = WholeFile
    content = b"one\ntwo\n"
    records = [{"line": "one"}]
    says = {"test_the_file_is_decoded": r"the sample file is not decoded as expected: record 2 is"}


class TestDoesNotComeBack(DecoderContract):
    module = WholeFile

    def encode(self, records):
        return b"".join(json.dumps(record).encode() + b"\n" for record in records)

    says = {"test_a_file_with[one record]": r"of a file with one record: record 1 is \{\"line\""}


class InHalves(WholeFile):
    """Decodes halves of a file, cut in the middle of a line."""

    def ranges(self, stream, size):
        end = len(b"".join(iter(stream.read, b"")))
        return [Range(0, end // 2), Range(end // 2, end)]

    def decode_range(self, stream, part):
        text = b"".join(iter(stream.read, b""))[part.start : part.end].decode()
        yield Batch.from_records([{"line": line} for line in text.splitlines()])


class TestInHalves(LinesContract):
    module = InHalves
    says = {"test_parts_hold_every_record_once[1]": r"decoded in parts of 1 bytes, the file is not the same: record 3 is"}


class LeavesTheEndOut(InHalves):
    """The second part begins behind the end of the first one."""

    def ranges(self, stream, size):
        return [Range(0, 4), Range(8, 19)]


class TestLeavesTheEndOut(LinesContract):
    module = LeavesTheEndOut
    says = {"test_parts_hold_every_record_once[1]": r"the parts of a file leave something out, or lie over each other"}


class CutByPieces(BaseDecoder):
    """A batch ends where a piece of the stream does."""

    def decode(self, stream):
        left = b""
        while piece := stream.read():
            *lines, left = (left + piece).split(b"\n")
            for start in range(0, len(lines), self.options.batch_size):
                yield Batch.from_records(
                    [{"line": line.decode(errors="replace")} for line in lines[start : start + self.options.batch_size]]
                )


class TestCutByPieces(LinesContract):
    module = CutByPieces
    says = {"test_it_does_not_matter_how_bytes_come[7]": r"when bytes come 7 at a time, batches are cut elsewhere"}


class RowsOf(BaseDecoder):
    """Lines, a batch each, rightly; the wrong ones derive from it."""

    def decode(self, stream):
        content = b"".join(iter(stream.read, b""))
        for line in content.splitlines():
            yield self.batch(stream, line.decode(errors="replace"))

    def batch(self, stream, line):
        return Batch.from_records([{"line": line}])


class NoPosition(RowsOf):
    """Says that it starts anywhere, and bears no positions."""

    starts_anywhere = True


class TestNoPosition(LinesContract):
    module = NoPosition
    says = {"test_after_every_position_exactly_the_rest_comes": r"batch 1 bears the position null: it has to have rows, offset and lines"}


class BeyondTheEnd(RowsOf):
    """Its positions lie behind the end of the file."""

    starts_anywhere = True

    def batch(self, stream, line):
        return Batch.from_records([{"line": line}], position={"rows": 1, "offset": 10_000, "lines": 1})


class TestBeyondTheEnd(LinesContract):
    module = BeyondTheEnd
    says = {"test_after_every_position_exactly_the_rest_comes": r"after resuming from .* it fails: sample.file ends at byte 19"}


class CountsFromTheStart(RowsOf):
    """Resumed, its positions count rows anew."""

    starts_anywhere = True

    def decode(self, stream):
        offset = stream.offset
        for rows, line in enumerate(b"".join(iter(stream.read, b"")).splitlines(keepends=True), 1):
            offset += len(line)
            position = {"rows": rows, "offset": offset, "lines": rows}
            yield Batch.from_records([{"line": line.decode(errors="replace").strip()}], position=position)


class TestCountsFromTheStart(LinesContract):
    module = CountsFromTheStart
    says = {"test_after_every_position_exactly_the_rest_comes": r"after resuming from .* the positions of the same batches are others"}


class FailsWhereNothingIs(RowsOf):
    """An empty file is an error."""

    def decode(self, stream):
        if not stream.head(1):
            raise DataError(f"{stream.name} is empty")
        yield from super().decode(stream)


class TestFailsWhereNothingIs(LinesContract):
    module = FailsWhereNothingIs
    says = {"test_an_empty_file_has_no_records": r"an empty file fails: sample.file is empty"}


class MakesOneUp(RowsOf):
    """Of an empty file it makes a record."""

    def decode(self, stream):
        content = b"".join(iter(stream.read, b"")).decode(errors="replace")
        for line in content.split("\n")[: max(1, content.count("\n"))]:
            yield Batch.from_records([{"line": line}])


class TestMakesOneUp(LinesContract):
    module = MakesOneUp
    says = {"test_an_empty_file_has_no_records": r"of an empty file it makes \{\"line\": \"\"\}"}


class Backwards(RowsOf):
    """Gives the lines from the last to the first."""

    def decode(self, stream):
        yield from reversed(list(super().decode(stream)))


class TestBackwards(LinesContract):
    module = Backwards
    records = LinesContract.records[::-1]
    says = {"test_a_file_that_is_cut_off_gives_its_beginning_or_an_error": r"cut off after \d+ bytes the file has other records"}


class OfAnotherKind(RowsOf):
    """Bad bytes are an error in the config."""

    def decode(self, stream):
        if not stream.head(1 << 20).isascii():
            raise ConfigError(f"{stream.name} is wrong")
        yield from super().decode(stream)


class TestOfAnotherKind(LinesContract):
    module = OfAnotherKind
    says = {"test_garbage_is_refused": r"it raises ConfigError, not DataError: sample.file is wrong"}
