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
        draft = _Draft(stream.name, self.options.line_limit, stream.offset, stream.row, stream.line, self.wanted, self.wanted_tokens)
        most = self.options.batch_size
        for piece in pieces(stream, self.options.line_limit):
            utf8 = is_utf8(piece.text, whole=False)
            draft.utf8 = draft.utf8 and utf8
            if len(draft.lines) + len(piece.lines) < most and draft.size + piece.size < BATCH_BYTES:
                draft.add(piece, 0, len(piece.lines), piece.size)
                continue
            done, begun, ends = 0, 0, piece.ends
            while done < len(piece.lines):
                by_bytes = bisect_left(ends, begun + BATCH_BYTES - draft.size, done) + 1
                end = min(by_bytes, done + most - len(draft.lines), len(piece.lines))
                draft.add(piece, done, end, ends[end - 1] - begun)
                done, begun = end, ends[end - 1]
                if len(draft.lines) == most or draft.size >= BATCH_BYTES:
                    yield draft.batch()
                    draft.utf8 = utf8
        if draft.lines:
            yield draft.batch()


@attrs.define
class _Draft:
    """The lines of the batch to come, and the place in the stream where they begin."""

    name: str
    line_limit: int
    offset: int
    rows: int
    number: int
    wanted: tuple[str, ...] = ()
    wanted_tokens: tuple[str, ...] = ()
    utf8: bool = True
    lines: list[bytes] = attrs.field(factory=list)
    size: int = 0
    returns: bool = False
    too_long: list[int] = attrs.field(factory=list)

    def add(self, piece: Piece, start: int, end: int, size: int) -> None:
        if piece.too_long:
            self.too_long.append(len(self.lines))
        self.lines += piece.lines[start:end]
        self.size += size
        self.returns |= piece.returns

    def batch(self) -> Batch:
        lines, number = self.lines, self.number
        if self.returns:
            lines = [line.removesuffix(b"\r") for line in lines]
        selected, taken = self._read(lines)
        bad = bad_lines(lines, utf8=self.utf8) if selected is None and taken is None else {}
        bad |= dict.fromkeys(self.too_long, f"longer than {self.line_limit} bytes")
        blank = {row for row in bad if not lines[row].strip(b" \t\r")} - set(self.too_long)
        refused = sorted(bad.keys() - blank)
        first, passed_over = self.rows, sorted(blank)
        rejected = [
            Rejected(
                f"{self.name}, line {number + row + 1}",
                bad[row],
                lines[row],
                row=first + row - bisect_left(passed_over, row),
                whole=row not in self.too_long,
            )
            for row in refused
        ]
        self.offset += self.size
        self.rows += len(lines) - len(blank)
        self.number += len(lines)
        batch = Batch.from_lines(
            self._kept(lines, bad),
            position={"rows": self.rows, "offset": self.offset, "lines": self.number},
            rejected=rejected,
            blank=len(blank),
            origin=range(first, self.rows) if not rejected else _origin(first, len(lines), bad, blank),
        )
        self.lines, self.size, self.returns, self.too_long = [], 0, False, []
        if selected is not None:
            batch.with_selected(self.wanted, selected)
        return batch if taken is None else batch.with_tokens(dict(zip(self.wanted_tokens, taken, strict=True)))

    def _read(self, lines: list[bytes]) -> tuple[list[tuple[Any, ...]] | None, list[Tokens] | None]:
        """The values of the fields that are wanted, or their tokens; neither where a line may be bad, or nothing is wanted."""
        if not self.utf8 or self.too_long:
            return None, None
        if self.wanted:
            return good_rows(lines, lambda good: select_fields(good, self.wanted)), None
        if not self.wanted_tokens or (self.returns and any(b"\r" in line for line in lines)):
            return None, None
        return None, good_rows(lines, lambda good: token_columns(good, self.wanted_tokens))

    def _kept(self, lines: list[bytes], bad: dict[int, str]) -> list[bytes]:
        if bad:
            lines = [line for row, line in enumerate(lines) if row not in bad]
        if self.returns:
            lines = [compacted(line) if b"\r" in line else line for line in lines]
        return lines


def _origin(first: int, count: int, bad: dict[int, str], blank: set[int]) -> list[int]:
    """The index in the stream of each row that is kept, where bad rows count and blank lines do not."""
    numbered = enumerate((row for row in range(count) if row not in blank), first)
    return [index for index, row in numbered if row not in bad]
