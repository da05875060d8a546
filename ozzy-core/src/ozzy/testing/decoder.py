"""The suite of decoders."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ozzy import BaseDecoder, Batch, DataError, OzzyError, Range, SourceError, Split, StateError
from ozzy.contracts.decoder import decoded
from ozzy.contracts.module import overrides
from ozzy.data.codecs import ByteStream, open_decompressed
from ozzy.testing.module import ModuleContract
from ozzy.testing.reading import Piece, check_batch, joined, records_of
from ozzy.testing.samples import HUGE, UNICODE, plain_records
from ozzy.testing.verdict import as_text, difference, plain, shown

_FILE = "sample.file"


class DecoderContract(ModuleContract):
    r"""What a decoder promises: the same batches however bytes come, and after every position exactly the rest.

        class TestPipes(DecoderContract):
            module = PipesDecoder
            content = b"id|name\n1|a\n2|b\n"
            records = [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]

    `content` is a file with several records, `records` are those in it. With `encode(records)`, which makes a file, and
    `expected(records)`, which says what comes out of it, more is tested.
    """

    content: ClassVar[bytes] = b""
    records: ClassVar[list[dict[str, Any]]] = []
    speaks_with = (DataError, SourceError)

    def encode(self, records: list[dict[str, Any]]) -> bytes:
        """A file that holds these records."""
        raise NotImplementedError

    def expected(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What comes out of a file that holds these records."""
        return records

    @property
    def file(self) -> bytes:
        """The sample file."""
        return self.content or (self.encode(plain_records(23)) if overrides(self, "encode", DecoderContract) else b"")

    def stream(self, content: bytes, most: int = 1 << 30) -> ByteStream:
        """A stream of bytes that come so many at a time, at the most."""
        return open_decompressed(_Trickle(content, most), "none", name=_FILE)  # type: ignore[arg-type]

    def pieces(self, content: bytes, position: Any = None, *, most: int = 1 << 30, batch_size: int = 5) -> list[Piece]:
        """The batches of a file, checked."""
        decoder: BaseDecoder = self.make(self.given | {"batch_size": batch_size})
        return list(self._checked(decoded(decoder, self.stream(content, most), position)))

    def _checked(self, batches: Iterator[Any]) -> Iterator[Piece]:
        for number, batch in enumerate(batches, 1):
            check_batch(self.name, batch, Split(_FILE), number)
            if len(batch) or batch.rejected or batch.blank:
                yield Piece([plain(record) for record in batch], len(batch.rejected), batch.position, batch.position)

    def exercise(self, module: Any) -> Any:
        return [piece.position for piece in self._checked(decoded(module, self.stream(self.file), None))]

    def test_the_file_is_decoded(self) -> None:
        """The records of the sample come out, in order."""
        if not self.file:
            self.broken("there is no file to decode: give `content` and `records`, or encode(records)")
        wanted = self.records if self.content else self.expected(plain_records(23))
        problem = difference(wanted, records_of(self.pieces(self.file)))
        if problem:
            self.broken(f"the sample file is not decoded as expected: {problem}")

    @pytest.mark.parametrize("most", [1, 2, 7, 64])
    def test_it_does_not_matter_how_bytes_come(self, most: int) -> None:
        """A byte at a time or all at once: the same batches."""
        whole, trickled = self.pieces(self.file), self.pieces(self.file, most=most)
        problem = difference(records_of(whole), records_of(trickled))
        if problem:
            self.broken(f"when bytes come {most} at a time, {problem}")
        if [len(piece.records) for piece in whole] != [len(piece.records) for piece in trickled]:
            self.broken(f"when bytes come {most} at a time, batches are cut elsewhere")

    @pytest.mark.parametrize("size", [1, 3])
    def test_batches_are_no_larger_than_asked_for(self, size: int) -> None:
        """`batch_size` bounds the rows of a batch, bad ones included."""
        for number, piece in enumerate(self.pieces(self.file, batch_size=size), 1):
            if len(piece.records) + piece.bad > size:
                self.broken(f"batch {number} has {len(piece.records) + piece.bad} rows, batch_size is {size}")

    def test_after_every_position_exactly_the_rest_comes(self) -> None:
        """Decoding goes on after any batch with the record after it."""
        batches = self.pieces(self.file, batch_size=3)
        for number, piece in enumerate(batches, 1):
            if not isinstance(piece.position, dict) or "rows" not in piece.position:
                self.broken(f"batch {number} bears the position {shown(piece.position)}: it has to have rows, offset and lines")
            try:
                rest = self.pieces(self.file, piece.position, batch_size=3)
            except (DataError, SourceError, StateError) as error:
                self.broken(f"after resuming from {shown(piece.position)} it fails: {error}")
            problem = difference(records_of(batches[number:]), records_of(rest), before=records_of(batches[:number]))
            if problem:
                self.broken(f"after resuming from {shown(piece.position)} {problem}")
            if [as_text(one.position) for one in rest] != [as_text(one.position) for one in batches[number:]]:
                self.broken(f"after resuming from {shown(piece.position)} the positions of the same batches are others")

    @pytest.mark.parametrize("size", [1, 100, 1000])
    def test_parts_hold_every_record_once(self, size: int, tmp_path: Path) -> None:
        """The parts of a file lie side by side, and what they hold, decoded last one first, is what the file holds."""
        if not overrides(self.module, "ranges", BaseDecoder):
            pytest.skip("files are not cut by what they say: it has no ranges()")
        path = tmp_path / _FILE
        path.write_bytes(self.file)
        with path.open("rb", buffering=0) as raw:
            parts = list(self.make(self.given).ranges(open_decompressed(raw, name=_FILE), size))
        if [part.start for part in parts[1:]] != [part.end for part in parts[:-1]] or (parts and parts[0].start):
            self.broken(f"the parts of a file leave something out, or lie over each other: {shown(parts)}")

        def decoded(part: Range) -> Iterator[Batch]:
            with path.open("rb", buffering=0) as raw:
                yield from self.make(self.given).decode_range(open_decompressed(raw, name=_FILE), part)

        problem = difference(records_of(self.pieces(self.file)), records_of(list(self._checked(iter(joined(parts, decoded))))))
        if parts and problem:
            self.broken(f"decoded in parts of {size} bytes, the file is not the same: {problem}")

    def test_an_empty_file_has_no_records(self) -> None:
        """No bytes, no records, no error."""
        try:
            found = records_of(self.pieces(b""))
        except OzzyError as error:
            self.broken(f"an empty file fails: {error}")
        if found:
            self.broken(f"of an empty file it makes {shown(found[0])}")

    def test_a_file_that_is_cut_off_gives_its_beginning_or_an_error(self) -> None:
        """Cut anywhere, a file gives records of its beginning, and for the rest bad rows or one of ozzy's errors."""
        whole = [as_text(record) for record in records_of(self.pieces(self.file))]
        for end in range(0, len(self.file), max(1, len(self.file) // 60)):
            found = self._until_error(self.file[:end], f"cut off after {end} bytes")
            if [as_text(record) for record in found[:-1]] != whole[: max(0, len(found) - 1)]:
                self.broken(f"cut off after {end} bytes the file has other records than its beginning: {difference(whole, found)}")

    @pytest.mark.parametrize("garbage", [b"\xff\xfe\x00", b"\x00" * 50, b"\xc3\x28\n\xc3\x28\n", b"]}\n{[\n", bytes(range(256))])
    def test_garbage_is_refused(self, garbage: bytes) -> None:
        """Bytes that are no such file end in bad rows or one of ozzy's errors, never in another exception."""
        self._until_error(garbage, f"given {shown(garbage)}")
        self._until_error(self.file + garbage, f"given a file that goes on with {shown(garbage)}")

    def _until_error(self, content: bytes, what: str) -> list[Any]:
        decoder: BaseDecoder = self.make(self.given | {"batch_size": 1})
        found: list[Any] = []
        try:
            for piece in self._checked(decoded(decoder, self.stream(content), None)):
                found += piece.records
        except OzzyError as error:
            if not isinstance(error, self.speaks_with):
                self.broken(f"{what}, it raises {type(error).__name__}, not DataError: {error}")
            if _FILE not in str(error):
                self.broken(f"{what}, it does not name the file in its error: {error}")
        except Exception as error:
            self.broken(f"{what}, it raises {type(error).__name__} ({error}): raise DataError, or put bad rows into `rejected`")
        return found

    @pytest.mark.parametrize("what", ["one record", "many records", "Unicode", "nulls and missing fields", "a huge record"])
    def test_a_file_with(self, what: str) -> None:
        """What is encoded comes out again."""
        if not overrides(self, "encode", DecoderContract):
            pytest.skip("define encode(records) to have this tested")
        kinds: dict[str, list[dict[str, Any]]] = {
            "one record": plain_records(1),
            "many records": plain_records(500),
            "Unicode": [{"id": 1, "name": UNICODE.strip("\0")}, {"id": 2, "name": "日本"}],
            "nulls and missing fields": [{"id": 1, "name": None}, {"id": 2, "name": ""}],
            "a huge record": [{"id": 1, "name": "ü" * HUGE}, {"id": 2, "name": "x"}],
        }
        records = kinds[what]
        problem = difference(self.expected(records), records_of(self.pieces(self.encode(records), batch_size=100)))
        if problem:
            self.broken(f"of a file with {what}: {problem}")


class _Trickle(io.RawIOBase):
    """Bytes that come a few at a time."""

    def __init__(self, content: bytes, most: int) -> None:
        super().__init__()
        self._content = io.BytesIO(content)
        self._most = most

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(self._most if size < 0 else min(size, self._most))

    def readable(self) -> bool:
        return True
