"""The suite of formatters."""

import io
from collections.abc import Sequence
from typing import Any

import pytest

from ozzy import BaseExportFormatter, Batch, OzzyError, Rows
from ozzy.contracts.module import overrides
from ozzy.testing.batches import BatchContract
from ozzy.testing.samples import HUGE, UNICODE, cuts
from ozzy.testing.verdict import difference, plain, shown


class FormatterContract(BatchContract):
    """What a formatter promises: one run of bytes a record, the same however records come, which make a file that can be read.

        class TestPipes(FormatterContract):
            module = PipesFormatter
            def parse(self, data):
                return [dict(zip(["id", "name"], line.split("|"))) for line in data.decode().splitlines()]
            def expected(self, records):
                return [{"id": str(record["id"]), "name": record["name"]} for record in records]

    `parse(data)` reads a whole file back into records, and `expected(records)` says what they are then; both are optional.
    """

    def parse(self, data: bytes) -> list[Any]:
        """The records in the bytes of a whole file."""
        raise NotImplementedError

    def expected(self, records: list[dict[str, Any]]) -> list[Any]:
        """What these records are when they are read back."""
        return records

    def outcome(self, module: Any, batch: Batch) -> Sequence[Any]:
        count = len(batch)
        rows = module.format_rows(batch)
        if not isinstance(rows, (list, Rows)):
            self.broken(f"format_rows() gives a {type(rows).__name__}, not a list or Rows")
        if isinstance(rows, Rows) and sum(rows.lengths) != len(rows.text):
            self.broken(f"the lengths of its Rows come to {sum(rows.lengths)} bytes, their text has {len(rows.text)}")
        for row, text in enumerate(rows):
            if not isinstance(text, bytes):
                self.broken(f"format_rows() gives {shown(text)} for row {row + 1}: a row is bytes")
        if len(rows) != count:
            self.broken(f"format_rows() gives {len(rows)} rows for a batch of {count} records")
        return rows

    def file(self, records: list[dict[str, Any]], module: BaseExportFormatter | None = None) -> bytes:
        """A whole file of these records."""
        module = module or self.make()
        if module.sinks:
            return self._sunk(records, module)
        rows = self.outcome(module, self.batch(records)) if records else []
        if not module.assembles:
            return module.header() + module.separator.join(rows) + module.footer()
        target = io.BytesIO()
        lines = [row.removesuffix(b"\n") for row in rows]
        module.assemble(lambda: (Batch.from_lines(lines[at : at + 3]) for at in range(0, len(lines), 3)), target)
        return target.getvalue()

    def _sunk(self, records: list[dict[str, Any]], module: BaseExportFormatter, sizes: Sequence[int] = ()) -> bytes:
        """A whole file that the module writes itself, given its records in batches of these sizes."""
        target = io.BytesIO()
        sink = module.open(target)
        start = 0
        for size in sizes or ([len(records)] if records else []):
            sink.write(module.fit(self.batch(records[start : start + size], first=start)))
            if sink.size() > target.tell():
                self.broken(f"size() of its sink gives {sink.size()} where {target.tell()} bytes were written")
            start += size
        sink.close()
        return target.getvalue()

    def test_a_file_that_it_writes_itself_is_the_same_however_records_come(self) -> None:
        """Where it has `open`, batches may be cut anyhow, and more than one file may be open."""
        module = self.make()
        if not module.sinks:
            return
        if module.resumable or module.appendable:
            self.broken("it writes files itself, so it can't be resumable or appendable")
        expected = self._sunk(self.samples, self.make())
        for sizes in cuts(len(self.samples)):
            if self._sunk(self.samples, self.make(), sizes) != expected:
                self.broken(f"in batches of {', '.join(map(str, sizes))} it makes another file of the same records")
        targets = [io.BytesIO(), io.BytesIO()]
        sinks = [module.open(target) for target in targets]
        for record in self.samples:
            for sink in sinks:
                sink.write(module.fit(self.batch([record])))
        for sink in sinks:
            sink.close()
        if targets[0].getvalue() != targets[1].getvalue():
            self.broken("two files that are open at a time and are given the same records are not the same")

    def test_records_are_left_as_they_are(self) -> None:
        """Several writers may be given the same batch."""
        batch = self.batch(self.samples)
        self.outcome(self.make(), batch)
        problem = difference(self.samples, [plain(record) for record in batch.records])
        if problem:
            self.broken(f"it changes the records it formats: {problem}")

    def test_header_footer_and_separator_are_bytes_and_stay(self) -> None:
        """They are asked for once a file, and are the same for each."""
        module = self.make()
        for name in ("header", "footer", "separator"):
            before = _asked(module, name)
            self.outcome(module, self.batch(self.samples))
            if not isinstance(before, bytes):
                self.broken(f"its {name} is {shown(before)}, not bytes")
            if _asked(module, name) != before or _asked(self.make(), name) != before:
                self.broken(f"its {name} is not the same each time: {shown(_asked(module, name))} after {shown(before)}")

    def test_the_extension_is_one(self) -> None:
        """A short text without a dot at its beginning."""
        extension = self.make().file_extension
        if not isinstance(extension, str) or not extension or extension.startswith(".") or "/" in extension:
            self.broken(f"its file_extension is {extension!r}: write it without a dot before it, such as 'csv'")

    def test_a_file_made_of_all_rows_is_the_same_each_time(self) -> None:
        """Where it assembles or writes files itself, the same rows make the same bytes."""
        if (self.make().assembles or self.make().sinks) and self.file(self.samples) != self.file(self.samples):
            self.broken("it makes two different files of the same rows: is there a time or something random in it?")

    def test_a_file_goes_on_in_another_process(self) -> None:
        """Where it says `resumable` or `appendable`, a new formatter goes on after any row as if nothing had been."""
        first = self.make()
        if not (first.resumable or first.appendable):
            return
        rows = self.whole()
        for at in range(1, len(self.samples)):
            rest = self.outcome(self.make(), self.batch(self.samples[at:], first=at))
            says = "resumable" if first.resumable else "appendable"
            self.same(rows[at:], rest, f"it says {says}, but a new one does not go on after row {at} as the old one did")

    def test_a_row_that_cannot_be_formatted_is_named(self) -> None:
        """Where a batch has a bad row, the DataError bears its index, so that the others can be saved."""
        for bad in (object(), float("nan")):
            name = next(iter(self.samples[0]))
            records = [plain(self.samples[0]), plain(self.samples[-1]) | {name: bad}, plain(self.samples[0])]
            try:
                self.make().format_rows(Batch.from_records(records))
            except OzzyError as error:
                row = getattr(error, "row", None)
                if row != 1:
                    spoken = "none" if row is None else f"row {row + 1}"
                    self.broken(f"row 2 of 3 can't be formatted, and the error speaks of {spoken}: {error}")
            except Exception as error:
                self.broken(f"a bad value makes it raise {type(error).__name__} ({error}), not a DataError with its row")

    @pytest.mark.parametrize("what", ["no record", "one record", "the samples", "odd texts", "a huge record"])
    def test_the_file_can_be_read_back(self, what: str) -> None:
        """Header, rows with separators, and footer make a file that holds the records."""
        if not overrides(self, "parse", FormatterContract):
            pytest.skip("define parse(data) to have this tested")
        texts = [name for name, value in self.samples[0].items() if isinstance(value, str)]
        records = {
            "no record": [],
            "one record": self.samples[:1],
            "the samples": self.samples,
            "odd texts": [self.samples[0] | dict.fromkeys(texts, text) for text in _ODD_TEXTS],
            "a huge record": [self.samples[0] | dict.fromkeys(texts, "x" * HUGE), self.samples[0]],
        }[what]
        data = self.file(records)
        try:
            found = self.parse(data)
        except Exception as error:
            self.broken(f"a file with {what} can't be read back ({type(error).__name__}: {error}): {shown(data)}")
        problem = difference(self.expected(records), list(found))
        if problem:
            self.broken(f"a file with {what}, read back, is not the same: {problem}")


_ODD_TEXTS = ("", UNICODE.strip("\0"), "NULL", ' "x" ', "a;b,c|d\te")


def _asked(module: Any, name: str) -> Any:
    found = getattr(module, name)
    return found() if callable(found) else found
