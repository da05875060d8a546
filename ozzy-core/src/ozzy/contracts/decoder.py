"""Decoders: from a stream of bytes to batches of records. A config calls the section `deserializer`."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

import attrs

from ozzy.contracts.module import BaseModule
from ozzy.data.batch import Batch
from ozzy.data.codecs import ByteStream
from ozzy.data.encodings import as_utf8, encoding_of, wrong_encoding
from ozzy.errors import Problem, SourceError, StateError
from ozzy.options.option import option, options


@attrs.frozen
class Range:
    """A part of a split that can be read on its own: what begins in [start, end), in bytes of the split.

    `exact` says that a row begins at `start`; else that is to be looked for.
    """

    start: int
    end: int
    exact: bool = False


@options
class DecoderOptions:
    """Options of every decoder."""

    batch_size: int = option(default=10_000, minimum=1, help="Records in a batch, at the most.")
    encoding: str | None = option(
        default=None,
        help="The encoding of the text. Unset, a byte order mark of UTF-16 or UTF-32 tells it, and without one it is UTF-8.",
        example="latin-1",
    )


class BaseDecoder(BaseModule):
    """Turns decompressed bytes into batches.

    `decode` yields batches of at most `batch_size` rows in the order of the stream, and puts rows that are bad into the batch's
    `rejected` with file and line, instead of raising; a stream that is broken as a whole raises DataError. The batches are the same
    however the stream hands out its bytes.
    """

    kind: ClassVar[str] = "deserializer"
    Options: ClassVar[type] = DecoderOptions
    wanted: tuple[str, ...] = ()
    """Top-level fields that the next stage will ask for: a decoder that reads each line anyway may give them with the batch."""
    wanted_tokens: tuple[str, ...] = ()
    """Top-level fields that any stage, or a formatter that takes them as they stand in the line, will ask for. Where there are fields that
    are `wanted`, most rows may never be asked for these."""
    wants_columns: bool = False
    """Whether files are made of columns of Arrow behind it, so that rows are best given as such."""
    starts_anywhere: ClassVar[bool] = False
    """Whether `decode` can begin after any batch: then each bears `{"rows": …, "offset": …, "lines": …}` as its position itself."""

    line_by_line: ClassVar[bool] = False
    """Whether each line is a row of its own, whatever stands before it: then any run of whole lines can be decoded alone, by several
    workers. The place of a bad row is told as `NAME, line N`, counted from the first line given."""

    binary: ClassVar[bool] = False
    """Whether it reads bytes that are no text, so that marks and encodings are nothing to it."""

    unchanged: str | None = None
    """The format whose rows leave byte for byte as they came where nothing touches them and the formatter has the same `unchanged`."""

    @classmethod
    def check_options(cls, options: Any) -> Iterable[str | Problem]:
        """What is wrong with the encoding."""
        wrong = wrong_encoding(options.encoding) if getattr(options, "encoding", None) else None
        return [Problem("encoding", wrong)] if wrong else []

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        """The batches of a stream.

        A decoder that starts anywhere may be given the stream at `stream.offset` (in decompressed bytes), with `stream.row` rows and
        `stream.line` lines before that place; any other is given it at its beginning.
        """
        raise NotImplementedError(f"{type(self).__name__} has no decode()")

    def ranges(self, stream: ByteStream, size: int) -> Iterable[Range]:
        """The parts, one after the other, in which a file that is not compressed can be decoded by several workers; none where it is whole.

        For files that say themselves where their parts are; a decoder that is `line_by_line` leaves this out. A part has `size` bytes or
        more, but for the last one. The answer follows from the file and `size` alone. What is wrong with the file, `decode` tells.
        """
        return ()

    def decode_range(self, stream: ByteStream, part: Range) -> Iterator[Batch]:
        """The batches of one of these parts, of a stream at its beginning. Rows and lines are counted from the first one of the part.

        A decoder that can't be sure where the first row begins may guess. All its positions bear `begun`, the byte at which it began, the
        first of them before any row, and the last one `ended`, the byte behind the last row. A part that did not begin where the one
        before it ended is done again, then `exact`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no decode_range()")


def decoded(decoder: BaseDecoder, stream: ByteStream, position: Any) -> Iterator[Batch]:
    """The batches of a stream after `position`, each bearing the position after it.

    A decoder that starts anywhere is given the stream at the offset; any other decodes from the start, and the batches already
    read are dropped. Rows are counted with the bad ones, so that a position means the same whatever is done with those. Raises
    SourceError or StateError where the stream no longer has the position. The decoder is given UTF-8, whatever the text is encoded in.
    """
    if not decoder.binary:
        stream = as_utf8(stream, decoder.read_option("encoding"))
    position = position or {"rows": 0}
    if decoder.starts_anywhere:
        stream.skip_to(position.get("offset", 0), position["rows"], position.get("lines", 0))
        yield from decoder.decode(stream)
        return
    rows = blank = 0
    wanted = position["rows"] + position.get("blank", 0)
    for batch in decoder.decode(stream):
        before = rows + blank
        rows += len(batch) + len(batch.rejected)
        blank += batch.blank
        if before < wanted < rows + blank:
            raise StateError(f"{stream.name} was read to row {position['rows']}, which no longer ends a batch", hint=_CHANGED)
        if before >= wanted:
            batch.position = {"rows": rows, "blank": blank}
            yield batch
    if rows + blank < wanted:
        raise SourceError(f"{stream.name} has {rows} rows, fewer than the {position['rows']} that were read earlier", hint=_CHANGED)


_CHANGED: Final = "The source has changed since the run began. Start a new run with --fresh."

HEAD: Final = 64 * 1024
"""How many bytes of a stream `choose` is shown, where it has as many."""

_COMPRESSED: Final = re.compile(r"\.(gz|gzip|bz2|xz|zst|zstd|lz4)$", re.IGNORECASE)
_BY_SUFFIX: Final = {
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".csv": "csv",
    ".feather": "feather",
    ".jl": "json_lines",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".parquet": "parquet",
    ".tsv": "tsv",
    ".xml": "xml",
}
_BY_MAGIC: Final = {b"ARROW1": "arrow", b"FEA1": "feather", b"PAR1": "parquet"}


def choose(name: str, head: bytes) -> str:
    r"""The decoder for a stream, by short name: by the suffix of its name, else by its beginning.

    A suffix of compression is passed over; `.json` says nothing about lines or array, so there the content decides. `head` is the
    beginning of the decompressed content, `HEAD` bytes of it or all. Raises SourceError where neither tells.

    >>> choose("a/b.jsonl.gz", b""), choose("b.json", b"[{"), choose("b", b'{"a": 1}\n'), choose("b", b'{\n  "a": 1')
    ('json_lines', 'json', 'json_lines', 'json')
    """
    bare = _COMPRESSED.sub("", name)
    suffix = bare[bare.rfind(".") :].lower() if "." in bare else ""
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    for magic, decoder in _BY_MAGIC.items():
        if head.startswith(magic):
            return decoder
    encoding = encoding_of(head)
    text = head.decode(encoding, errors="ignore").encode() if encoding else head
    text = text.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return "json_lines"
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        return "json_lines" if _is_line(text) else "json"
    if text.startswith(b"<"):
        return "xml"
    raise SourceError(
        f"can't tell the format of {name}: its name has no known suffix, and it begins with {text[:16]!r}",
        hint="Set deserializer to json_lines, json, csv, tsv or xml.",
    )


def _is_line(text: bytes) -> bool:
    """Whether the first line looks like a whole object, or is longer than what is known of it."""
    line, end, _ = text.partition(b"\n")
    return not end or line.rstrip().endswith(b"}")
