"""Formatters and decoders that are wrong, each in one way."""
# ruff: noqa: RUF012

import json

from ozzy import BaseDecoder, BaseExportFormatter, Batch, DataError
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
