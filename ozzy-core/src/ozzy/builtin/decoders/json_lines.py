"""JSON lines: one object a line, kept as the bytes it was."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, ClassVar, Final

import attrs

from ozzy import BaseDecoder, Batch, Rejected, option, options
from ozzy.builtin.decoders.pieces import SHORTEST_LIMIT, Piece, pieces
from ozzy.contracts.decoder import DecoderOptions
from ozzy.data.codecs import ByteStream
from ozzy.data.json_text import bad_lines, compacted, good_rows, is_utf8, select_fields
from ozzy.data.packed import PackedLines
from ozzy.data.tokens import Tokens, token_columns

BATCH_BYTES: Final = 1024 * 1024
"""A batch ends with the row that reaches this many bytes of the stream, if it has not ended before."""


@options
class JsonLinesOptions(DecoderOptions):
    """Options of the JSON lines decoder."""

    line_limit: int = option(
        default=256 * 1024 * 1024, minimum=SHORTEST_LIMIT, help="Bytes of a line, at the most; a longer one is a bad record."
    )


class JsonLinesDecoder(BaseDecoder):
    """One JSON object a line, in UTF-8; lines end in LF or CRLF.

    Each line is checked once and stays the bytes it was; only a CR between its tokens makes it compact. Blank lines are counted and
    passed over, bad ones are rejected with their number, and so is one longer than `line_limit`.
    """

    Options: ClassVar[type] = JsonLinesOptions
    starts_anywhere = True
    line_by_line = True
    unchanged = "json_lines"

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        stream.skip_mark()
        draft = _Draft(stream.name, self.options, stream.offset, stream.row, stream.line, self.wanted, self.wanted_tokens)
        for piece in pieces(stream, self.options.line_limit):
            begun = 0
            while begun < piece.end:
                begun = draft.add(piece, begun)
                if draft.size >= BATCH_BYTES:
                    yield from draft.batches()
        yield from draft.batches(last=True)


@attrs.define
class _Draft:
    """Lines of the batches to come, and the place in the stream where they begin.

    `size` is what they have in bytes there; `too_long` maps where a line begins, of which the rest is not kept, to what it has.
    """

    name: str
    options: Any
    offset: int
    rows: int
    number: int
    wanted: tuple[str, ...] = ()
    wanted_tokens: tuple[str, ...] = ()
    parts: list[bytes | memoryview] = attrs.field(factory=list)
    size: int = 0
    too_long: dict[int, int] = attrs.field(factory=dict)

    def add(self, piece: Piece, begun: int) -> int:
        """Take lines of a piece, from this byte of its text on, up to the one that fills a batch; returns where the others begin."""
        if piece.too_long:
            self.too_long[sum(map(len, self.parts))] = piece.too_long
            self.parts.append(piece.text)
            self.size += piece.too_long
            return piece.end
        if piece.head and not begun:
            self.parts.append(piece.head)
            self.size += len(piece.head)
        end = piece.text.find(b"\n", max(begun, begun + BATCH_BYTES - self.size - 1), piece.end) + 1 or piece.end
        self.parts.append(memoryview(piece.text)[begun:end])
        self.size += end - begun
        return end

    def batches(self, *, last: bool = False) -> Iterator[Batch]:
        """The batches that are full: all lines, but those behind the most that a batch may have where they don't fill another one."""
        text = b"".join(self.parts)
        while text and (last or self.size >= BATCH_BYTES):
            found = PackedLines.scanned(text, (*self.wanted, *self.wanted_tokens), self.options.batch_size) if not self.too_long else None
            batch, end = self._checked(text) if found is None else self._good(*found)
            text = text[end:]
            yield batch
        self.parts = [text] if text else []

    def _good(self, packed: PackedLines, end: int) -> tuple[Batch, int]:
        """The batch where each line is plainly good."""
        first = self._pass(end, len(packed), len(packed))
        return Batch(packed=packed, position=self._position(), rejected=[], origin=range(first, self.rows)), end

    def _checked(self, text: bytes) -> tuple[Batch, int]:
        """The batch of lines that are looked at one by one where need be, and where the next one begins."""
        lines, end = _first_lines(text, self.options.batch_size)
        text = text[:end]
        cut = {text.count(b"\n", 0, begin): size for begin, size in self.too_long.items() if begin < end}
        size = end + sum(whole - len(lines[row]) - 1 for row, whole in cut.items())
        self.too_long = {begin - end: size for begin, size in self.too_long.items() if begin >= end}
        utf8, returns = is_utf8(text), b"\r" in text
        if returns:
            lines = [line.removesuffix(b"\r") for line in lines]
        selected, taken = self._read(lines, utf8=utf8 and not cut, returns=returns)
        bad = bad_lines(lines, utf8=utf8) if selected is None and taken is None else {}
        bad |= dict.fromkeys(cut, f"longer than {self.options.line_limit} bytes")
        blank = {row for row in bad if not lines[row].strip(b" \t\r")} - cut.keys()
        refused = sorted(bad.keys() - blank)
        passed_over, before = sorted(blank), self.number
        first = self._pass(size, len(lines), len(lines) - len(blank))
        rejected = [
            Rejected(
                f"{self.name}, line {before + row + 1}",
                bad[row],
                lines[row],
                row=first + row - bisect_left(passed_over, row),
                whole=row not in cut,
            )
            for row in refused
        ]
        batch = Batch.from_lines(
            _kept(lines, bad, returns=returns),
            position=self._position(),
            rejected=rejected,
            blank=len(blank),
            origin=range(first, self.rows) if not rejected else _origin(first, len(lines), bad, blank),
        )
        if selected is not None:
            batch.with_selected(self.wanted, selected)
        if taken is not None:
            batch.with_tokens(dict(zip(self.wanted_tokens, taken, strict=True)))
        return batch, end

    def _pass(self, size: int, lines: int, rows: int) -> int:
        """Go on to the place behind so many bytes and lines; returns the number of the first row of them."""
        first = self.rows
        self.size -= size
        self.offset += size
        self.rows += rows
        self.number += lines
        return first

    def _position(self) -> dict[str, int]:
        return {"rows": self.rows, "offset": self.offset, "lines": self.number}

    def _read(self, lines: list[bytes], *, utf8: bool, returns: bool) -> tuple[list[tuple[Any, ...]] | None, list[Tokens] | None]:
        """The values of the fields that are wanted, or their tokens; neither where a line may be bad, or nothing is wanted."""
        if not utf8:
            return None, None
        if self.wanted:
            return good_rows(lines, lambda good: select_fields(good, self.wanted)), None
        if not self.wanted_tokens or (returns and any(b"\r" in line for line in lines)):
            return None, None
        return None, good_rows(lines, lambda good: token_columns(good, self.wanted_tokens))


def _first_lines(text: bytes, most: int) -> tuple[list[bytes], int]:
    """The first lines of a text, `most` at most and without their LF, and where the next one begins."""
    lines = text.split(b"\n", most)
    end = len(text) - len(lines.pop()) if len(lines) > most or text.endswith(b"\n") else len(text)
    return lines, end


def _kept(lines: list[bytes], bad: dict[int, str], *, returns: bool) -> list[bytes]:
    if bad:
        lines = [line for row, line in enumerate(lines) if row not in bad]
    if returns:
        lines = [compacted(line) if b"\r" in line else line for line in lines]
    return lines


def _origin(first: int, count: int, bad: dict[int, str], blank: set[int]) -> list[int]:
    """The index in the stream of each row that is kept, where bad rows count and blank lines do not."""
    numbered = enumerate((row for row in range(count) if row not in blank), first)
    return [index for index, row in numbered if row not in bad]
