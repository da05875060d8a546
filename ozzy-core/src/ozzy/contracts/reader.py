"""Readers: where records come from.

A reader is asked for its splits, then each split is read from a position. An author writes `get_next_batch` (one stream of records,
the inherited way) or `read` (and `splits`, where the source has parts). Files of any kind are read through `BaseStreamReader`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from copy import deepcopy
from typing import Any, BinaryIO, ClassVar

import attrs

from ozzy.contracts.decoder import HEAD, BaseDecoder, Range, decoded
from ozzy.contracts.module import BaseModule, overrides
from ozzy.data.batch import Batch, Rejected
from ozzy.data.codecs import COMPRESSIONS, open_decompressed
from ozzy.data.encodings import encoding_of
from ozzy.data.json_text import encode_record
from ozzy.data.line_range import LineRange
from ozzy.data.read_clock import ReadClock
from ozzy.data.zip_archive import ZipArchive, is_archive, member_name, parts_of
from ozzy.errors import DataError, SourceError
from ozzy.options.option import option, options


@attrs.frozen
class Split:
    """A part of a source that can be read on its own.

    `id` is unique in its source and stable between runs; `fingerprint` changes when the content does, and then a resumed run stops;
    `size` is in bytes of the source, None where it is unknown.
    """

    id: str = "all"
    fingerprint: str = ""
    size: int | None = None


@attrs.frozen
class Listed:
    """One part of a source as incremental reading finds it.

    `split` is what is to be read of it, None where nothing is new; `mark` is what the next run is to know of it, plain JSON of the reader's
    own, None where that is nothing.
    """

    split: Split | None = None
    mark: Any = None


class BaseReader(BaseModule):
    """Yields records in batches, and knows where it stands.

    Write `get_next_batch()` and set `finished`, or write `read(split, position)`. A reader whose `get_last_position` is its own can
    be resumed; one that has none is read from the start again after a crash.

    >>> class Numbers(BaseReader):
    ...     def get_next_batch(self):
    ...         self.finished = True
    ...         yield {"n": 1}
    >>> [batch.records for batch in Numbers().read(Split(), None)]
    [[{'n': 1}]]
    """

    kind: ClassVar[str] = "reader"
    finished: bool = False
    replayable: ClassVar[bool] = True
    """Whether reading from an older position again gives the same records in the same order."""
    endless: bool = False
    """Whether there is no last record, so that a run goes on until it is stopped: then what was written is published by the clock."""

    def get_next_batch(self) -> Iterable[Any]:
        """The next records, a list or a generator; drawn completely before the position after them is asked for.

        Called until `finished` is true, never after. Returns within a second, empty where there is nothing yet, so that checkpoints
        by time and stopping always work.
        """
        if type(self).read is BaseReader.read:
            raise SourceError(f"{type(self).__name__} has neither get_next_batch() nor read()")
        if not hasattr(self, "_batches"):
            self._batches: Iterator[Batch] = (batch for split in self.splits() for batch in self.read(split, None))
        batch = next(self._batches, None)
        self.finished = batch is None
        return [] if batch is None else list(batch)

    def is_finished(self) -> bool:
        """Whether there is nothing more to read."""
        return self.finished

    def get_last_position(self) -> Any:
        """Where the reader stands after the last batch, as JSON (int keys, tuples, bytes and datetimes are kept as they are)."""
        return None

    def set_last_position(self, position: Any) -> None:
        """Stand where a former run stood. Always called once before the first batch, with None for a start from the beginning."""

    def splits(self) -> Iterable[Split]:
        """The parts of the source, in an order that is the same every time. Called once at a run's start, and at each resume."""
        return (Split(),)

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        """The batches of one split after `position` (None: all of it), each bearing the position after it.

        Called once for each split; with the same position it yields the same records in the same batches. Closing the iterator
        frees what it holds. Unless overridden, `get_next_batch` is called until there is nothing more; `origin` then counts from the
        place where reading began.
        """
        self.finished = False
        self.set_last_position(position)
        row = 0
        while not self.is_finished():
            given = list(self.get_next_batch())
            good = [index for index, record in enumerate(given) if isinstance(record, dict)]
            rejected = [
                Rejected(
                    f"{split.id}, record {row + index + 1}",
                    f"a record must be a mapping, not {type(record).__name__}",
                    _as_line(record),
                    row=row + index,
                )
                for index, record in enumerate(given)
                if not isinstance(record, dict)
            ]
            yield Batch.from_records(
                [given[index] for index in good],
                split=split.id,
                position=deepcopy(self.get_last_position()),
                rejected=rejected,
                origin=[row + index for index in good],
            )
            row += len(given)

    def ranges(self, split: Split, size: int) -> Iterable[Range]:
        """The parts of `size` bytes, one after the other, in which a split can be read by several workers; none where it is read whole.

        Called where several workers share a run, in the order of the splits, again after a resume; the answer follows from the split and
        `size` alone. It may look at the source, briefly.
        """
        return ()

    def read_range(self, split: Split, part: Range) -> Iterator[Batch]:
        """The batches of one of these ranges: all of them together give the records of the split, each once, in order.

        Called in any process, for any range, as often as it takes. Rows and lines are counted from the first one of the range. Where the
        first row begins may be a guess, as `BaseDecoder.decode_range` tells.
        """
        raise SourceError(f"{type(self).__name__} has no read_range()")

    def acknowledge(self, position: Any) -> None:
        """Tell the source that everything up to `position` has arrived for good. Called after each committed full checkpoint."""

    def splits_since(self, bookmark: Iterator[Any]) -> Iterable[Listed]:
        """The parts of the source, told apart into those to be read and those that an earlier run has read: for `bookmark: true`.

        Called instead of `splits`, once at a run's start and drawn completely. `bookmark` yields the marks of the last run that
        succeeded, in the order in which they were given, one by one and once; nothing where there was none. The marks given here are
        the next run's once this run has succeeded, so they speak for all of the source: of parts that are passed over too. A run reads
        what was listed when it began, and no more: a split of a source that goes on growing has its end in its id.
        """
        raise SourceError(f"{type(self).__name__} has no splits_since()")

    @property
    def incremental(self) -> bool:
        """Whether the reader can read only what is new since a bookmark."""
        return overrides(self, "splits_since", BaseReader)

    @property
    def resumable(self) -> bool:
        """Whether the reader tells its position."""
        return overrides(self, "get_last_position", BaseReader) or overrides(self, "read", BaseReader)


def _as_line(value: Any) -> bytes | None:
    """What is no record, as JSON where it has a form."""
    try:
        return encode_record(value)
    except DataError:
        return None


@attrs.frozen
class Stream:
    """One stream of bytes of a source.

    `filename` names it, `size` is in bytes, `meta` is the reader's own, `fingerprint` changes when the content does.
    """

    filename: str
    size: int | None = None
    meta: Any = None
    fingerprint: str = ""


COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
"""How names of compressed streams end."""


@options
class StreamReaderOptions:
    """Options of every reader of streams of bytes."""

    batch_size: int = option(default=10_000, minimum=1, help="Records in a batch, at the most.")
    decompressor: str = option(default="auto", choices=COMPRESSIONS, help="Compression of the source; auto tells it by its first bytes.")
    deserializer: str = option(
        default="auto",
        kind_of="deserializer",
        help="Decoder by short name: json_lines, json, csv, tsv, xml; auto goes by the suffix, else by the first byte.",
    )


class BaseStreamReader(BaseReader):
    """Reads records out of streams of bytes: files, objects, downloads.

    An author writes `get_read_streams` and `open_stream`; compression, decoding and positions to the record are inherited. With
    `open_stream_at` too, a large plain file of lines is read by several workers, each a range of its bytes.
    """

    Options: ClassVar[type] = StreamReaderOptions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.compression: str = self.read_option("decompressor", "auto")
        self.decoders: Callable[[str, str, bytes, int], BaseDecoder] | None = None
        self.wanted: tuple[str, ...] = ()
        self.wanted_tokens: tuple[str, ...] = ()
        self.wants_columns = False
        self.clock: ReadClock | None = None
        self._metas: dict[str, Any] | None = None
        self._head: tuple[Split, bytes] | None = None
        self._archive: tuple[Split, ZipArchive] | None = None

    def get_read_streams(self) -> Iterable[Stream]:
        """The streams of the source, in an order that is the same every time; names are unique."""
        raise SourceError(f"{type(self).__name__} has no get_read_streams()")

    def open_stream(self, stream: Stream) -> BinaryIO:
        """One stream from its first byte, still compressed. The caller closes it. Raises SourceError."""
        raise SourceError(f"{type(self).__name__} has no open_stream()")

    def open_stream_at(self, stream: Stream, offset: int) -> BinaryIO:
        """One stream from this byte on (counted from 0), as it lies there. The caller closes it, mostly long before its end.

        May be left out; where it is there, it is cheap: only what is read is fetched. Raises SourceError.
        """
        raise SourceError(f"{type(self).__name__} has no open_stream_at()")

    def streams(self) -> Iterator[Stream]:
        """What `get_read_streams` gives, each name once: for direct copying too."""
        seen = set()
        for stream in self.get_read_streams():
            if stream.filename not in seen:
                seen.add(stream.filename)
                yield stream

    @property
    def reads_hidden(self) -> bool:
        """Whether members of archives are read whose name begins with a dot."""
        return False

    def splits(self) -> Iterator[Split]:
        """One split a stream; of a stream whose name ends in `.zip` one for each member, called `archive.zip!member`."""
        return (split for stream in self.streams() for split in self.parts(stream))

    def parts(self, stream: Stream) -> Iterator[Split]:
        """The splits of one stream: itself, or the members of an archive."""
        if parts_of(stream.filename)[1] is not None:
            raise SourceError(f"{stream.filename} is called like a member of an archive", hint="Give the file or folder another name.")
        if not is_archive(stream.filename) or self.compression != "auto":
            yield Split(stream.filename, stream.fingerprint, stream.size)
            return
        archive = self._opened(Split(stream.filename, stream.fingerprint, stream.size))
        try:
            for member, size in archive.members(hidden=self.reads_hidden):
                yield Split(member_name(stream.filename, member), stream.fingerprint, size)
        finally:
            archive.close()

    @staticmethod
    def is_part(split: Split) -> bool:
        """Whether a split is only a part of a stream: a member of an archive."""
        return parts_of(split.id)[1] is not None

    def _opened(self, split: Split) -> ZipArchive:
        raw = self.open_stream(self.stream(split))
        try:
            return ZipArchive(raw, split.id)
        except BaseException:
            raw.close()
            raise

    def stream(self, split: Split) -> Stream:
        """The stream of a split. Unless overridden, the source is listed again for the `meta` that the reader gave it."""
        if self._metas is None:
            self._metas = {stream.filename: stream.meta for stream in self.get_read_streams() if stream.meta is not None}
        return Stream(split.id, split.size, self._metas.get(split.id), split.fingerprint)

    def decoder(self, name: str, head: bytes) -> BaseDecoder:
        """The decoder for a stream of this name whose decompressed content begins with `head`."""
        if self.decoders is None:
            raise SourceError(f"{type(self).__name__} was given no decoders", hint="Run it in a pipeline, or set `decoders`.")
        decoder = self.decoders(self.read_option("deserializer", "auto"), name, head, self.read_option("batch_size", 10_000))
        decoder.wanted, decoder.wanted_tokens, decoder.wants_columns = self.wanted, self.wanted_tokens, self.wants_columns
        return decoder

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        """The batches of one stream after `position`, which counts rows and, where a decoder can start in the middle, bytes."""
        name, member = parts_of(split.id)
        if member is not None:
            yield from self._read_member(attrs.evolve(split, id=name, size=None), member, position)
            return
        stream = self.stream(split)
        if stream.size == 0 and split.id.endswith(COMPRESSED):
            self.logger.warning(f"{split.id} has no bytes, not even those of an empty archive, and counts as a file without records")
        raw = self.open_stream(stream)
        try:
            yield from self._decoded(raw, split.id, position)
        finally:
            raw.close()

    def ranges(self, split: Split, size: int) -> Iterator[Range]:
        """Parts of a plain stream, where the reader can begin anywhere in it and it has more than `size` bytes.

        A stream of lines is cut at line ends, any other where its decoder says.
        """
        if not overrides(self, "open_stream_at", BaseStreamReader) or self.is_part(split) or (split.size or 0) <= size:
            return
        head = self._head_of(split)
        decoder = self.decoder(split.id, head) if head else None
        if decoder is None:
            return
        if not decoder.line_by_line:
            with closing(self.open_stream(self.stream(split))) as raw:
                yield from decoder.ranges(open_decompressed(raw, self.compression, name=split.id), size)
        elif decoder.read_option("encoding") is None and encoding_of(head) is None:
            end = split.size or 0
            yield from (Range(start, min(start + size, end)) for start in range(0, end, size))

    def read_range(self, split: Split, part: Range) -> Iterator[Batch]:
        stream, decoder = self.stream(split), self.decoder(split.id, self._head_of(split))
        by_line = decoder.line_by_line
        with closing(self.open_stream_at(stream, max(part.start - 1, 0)) if by_line else self.open_stream(stream)) as raw:
            if by_line:
                batches = decoder.decode(LineRange(raw, part.start, part.end, name=split.id))
            else:
                batches = decoder.decode_range(open_decompressed(raw, self.compression, name=split.id), part)
            for batch in batches:
                batch.split = split.id
                yield batch

    def _head_of(self, split: Split) -> bytes:
        """How a plain stream begins, read once for all ranges of it; nothing of a compressed one."""
        if self._head is None or self._head[0] != split:
            raw = self.open_stream(self.stream(split))
            try:
                source = open_decompressed(raw, self.compression, name=split.id)
                self._head = (split, source.head(HEAD) if source.compression == "none" else b"")
            finally:
                raw.close()
        return self._head[1]

    def _read_member(self, split: Split, member: str, position: Any) -> Iterator[Batch]:
        """The batches of a member. The archive stays open for the next one, so that its list of members is read once."""
        kept, self._archive = self._archive, None
        if kept is not None and (kept[0].id, kept[0].fingerprint) != (split.id, split.fingerprint):
            kept[1].close()
            kept = None
        archive = kept[1] if kept is not None else self._opened(split)
        done = False
        try:
            with archive.open(member) as raw:
                yield from self._decoded(raw, member_name(split.id, member), position)
            done = True
        finally:
            if done and self._archive is None:
                self._archive = (split, archive)
            else:
                archive.close()

    def _decoded(self, raw: BinaryIO, name: str, position: Any) -> Iterator[Batch]:
        source = open_decompressed(raw if self.clock is None else self.clock.raw(raw), self.compression, name=name)
        source = source if self.clock is None else self.clock.stream(source)
        for batch in decoded(self.decoder(name, source.head(HEAD)), source, position):
            batch.split = name
            yield batch

    def close(self) -> None:
        if self._archive is not None:
            self._archive[1].close()
            self._archive = None
