"""Bypass `stream`: whole files from any reader of streams to any writer that takes one, as they are."""

from contextlib import closing
from typing import Any, BinaryIO, cast

from ozzy import BaseBypass, BaseStreamReader, Declined, Interrupted, Receipt, SourceError, Split, option, options
from ozzy.builtin.bypasses.checked import LINE_LIMIT, CheckedStream
from ozzy.contracts.decoder import HEAD, BaseDecoder
from ozzy.data.codecs import CODECS


@options
class StreamBypassOptions:
    """Options of the bypass `stream`."""

    verify: bool = option(
        default=True,
        help="Decompress what is copied and check each line on the way. A file that the pipeline would have changed or refused goes "
        "through the pipeline, and records are counted. false trusts the source: faster, records are not counted, and a bad line is "
        "copied with the rest.",
    )


class StreamBypass(BaseBypass):
    """Copies each file of the source as it is, under the name that the pipeline would have given it.

    The reader reads streams of bytes, the writer's filebase has `{source}`, and source and destination are JSON lines in the same
    compression. With `verify` a copied file holds, decompressed, the very bytes that the pipeline would have written: one good object a
    line, each ended by a line feed, no blank lines. A file that does not is read through the pipeline.
    """

    Options = StreamBypassOptions
    options: StreamBypassOptions
    at_a_time = 4
    """While some are put on disk, the processors are busy with others."""

    def unfit(self) -> str | None:
        """Why nothing of this pipeline can be copied, by what reader, writer and formatter say of themselves."""
        reader, writer, formatter = self.context.reader, self.context.writer, self.context.formatter
        if not isinstance(reader, BaseStreamReader):
            return "the reader gives no streams of bytes"
        if not writer.takes_streams:
            return "the writer takes no whole files, or names them without {source}"
        if formatter.unchanged is None:
            return "the formatter makes other bytes"
        if self._codec() not in CODECS:
            return f"the writer makes {self._codec()} files"
        return None

    def declines(self, split: Split) -> str | None:
        if reason := self.unfit():
            return reason
        if self._reader.is_part(split):
            return "it is a member of an archive"
        return "it is empty" if split.size == 0 else None

    def copy(self, split: Split) -> Receipt:
        reader = self._reader
        stream = reader.stream(split)
        with closing(reader.open_stream(stream)) as raw:
            checked = CheckedStream(raw, split.id, reader.compression, self._go_on)
            decoder = self._fitting(checked, split)
            if self.options.verify:
                checked.check(decoder.read_option("line_limit", LINE_LIMIT))
            receipt = self.context.writer.write_stream(cast("BinaryIO", checked), split.id)
        reader.open_stream(stream).close()
        if split.size is not None and receipt["size"] != split.size:
            raise SourceError(
                f"{split.id} has {receipt['size']} bytes, and had {split.size} when the run began",
                hint="Start a new run with --fresh, once nothing writes to it.",
            )
        return {**receipt, "rows": checked.rows}

    def _fitting(self, stream: CheckedStream, split: Split) -> BaseDecoder:
        """The decoder of a split that begins as one that can be copied. Raises Declined for any other."""
        if stream.compression != self._codec():
            raise Declined(f"compression differs: it is {_named(stream.compression)}, and the writer makes {_named(self._codec())}")
        head = stream.head(HEAD)
        if not head.strip():
            raise Declined("it begins with nothing that is a record")
        decoder = self._reader.decoder(split.id, head)
        if decoder.unchanged is None or decoder.unchanged != self.context.formatter.unchanged:
            raise Declined("the formatter makes other bytes of its format")
        if decoder.read_option("encoding") is not None or head.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
            raise Declined("it is in another encoding, or begins with a mark of one")
        return decoder

    def _go_on(self) -> None:
        if self.context.stopped():
            raise Interrupted("stopped as asked, while copying")

    @property
    def _reader(self) -> BaseStreamReader:
        return cast("BaseStreamReader", self.context.reader)

    def _codec(self) -> str:
        codec: Any = getattr(self.context.writer, "codec", None)
        return str(codec.name) if codec is not None else "none"


def _named(compression: str) -> str:
    return "not compressed" if compression == "none" else compression
