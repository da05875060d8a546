"""Reading with a reader outside a run, and looking at every batch as a run would."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import attrs

from ozzy import BaseDecoder, BaseReader, BaseStreamReader, Batch, DataError, Range, Split
from ozzy.contracts.decoder import choose
from ozzy.data.json_text import check_line
from ozzy.testing.installed import make
from ozzy.testing.verdict import broken, plain, shown

LIMIT = 100_000
"""Batches after which a reader is said never to end."""


@attrs.frozen
class Piece:
    """One batch as it was when it came: its records, how many rows were bad, and the position after it, which is a copy of `live`."""

    records: list[dict[str, Any]]
    bad: int
    position: Any
    live: Any


def ready(reader: BaseReader) -> BaseReader:
    """A reader as a run has it: one of streams is given the installed decoders."""
    if isinstance(reader, BaseStreamReader):
        reader.decoders = _decoder
    return reader


def _decoder(asked: str, name: str, head: bytes, batch_size: int) -> BaseDecoder:
    chosen = choose(name, head) if asked == "auto" else asked
    made: BaseDecoder = make("deserializer", {"name": chosen, "options": {"batch_size": batch_size}})
    return made


def pieces(reader: BaseReader, split: Split, position: Any, *, most: int | None = None) -> Iterator[Piece]:
    """The batches of a split after a position that hold anything, at most so many, each checked."""
    name = type(reader).__name__
    batches = reader.read(split, deepcopy(position))
    count = 0
    try:
        for number, batch in enumerate(batches, 1):
            if most is None and number > LIMIT:
                broken(name, f"split {split.id!r} has no end: {LIMIT:,} batches were read. Say in `enough` how many to read")
            check_batch(name, batch, split, number)
            if len(batch) or batch.rejected:
                count += 1
                yield Piece([plain(record) for record in batch], len(batch.rejected), deepcopy(batch.position), batch.position)
            if most is not None and count == most:
                return
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


def joined(parts: Sequence[Range], read: Callable[[Range], Iterable[Batch]]) -> list[Batch]:
    """The batches of all parts, read last one first and joined as a run does it.

    A part that did not begin where the one before it ended is read again.
    """
    found = [list(read(part)) for part in reversed(parts)]
    batches: list[Batch] = []
    reached = 0
    for part, at_first in zip(parts, reversed(found), strict=True):
        begun = _told(at_first[:1], "begun", reached)
        some = at_first if begun == reached else list(read(Range(reached, max(reached, part.end), exact=True)))
        reached = max(reached, _told(some[-1:], "ended", 0))
        batches += some
    return batches


def _told(batches: Sequence[Batch], what: str, otherwise: int) -> int:
    """What the position of the last of these batches tells."""
    found: int = (batches[-1].position or {}).get(what, otherwise) if batches else otherwise
    return found


def check_batch(name: str, batch: Any, split: Split, number: int) -> None:
    """See that a batch is one: of this split, with good lines and records that are mappings."""
    where = f"batch {number} of split {split.id!r}"
    if not isinstance(batch, Batch):
        broken(name, f"{where} is a {type(batch).__name__}, not a Batch")
    if batch.split not in {"", split.id}:
        broken(name, f"{where} says that it belongs to split {batch.split!r}")
    if batch.origin is not None and len(batch.origin) != len(batch):
        broken(name, f"{where} has {len(batch)} rows and an `origin` for {len(batch.origin)}")
    if "lines" in batch.faces:
        for row, line in enumerate(batch.lines):
            if set(line) & {10, 13} or line.startswith(b"\xef\xbb\xbf"):
                broken(name, f"row {row + 1} of {where} holds a line end or a byte order mark: {shown(line)}")
            try:
                check_line(line)
            except DataError as error:
                broken(name, f"row {row + 1} of {where} is no good line ({error.message}): bad rows belong into `rejected`")
    for row, record in enumerate(batch.records):
        if not isinstance(record, dict):
            broken(name, f"row {row + 1} of {where} is a {type(record).__name__}, not a mapping")


def records_of(read: list[Piece]) -> list[dict[str, Any]]:
    """The records of some batches, one after the other."""
    return [record for piece in read for record in piece.records]
