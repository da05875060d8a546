"""Decoders: from a stream of bytes to batches of records. A config calls the section `deserializer`."""

from collections.abc import Iterator
from typing import Any, ClassVar

from ozzy.contracts.module import BaseModule
from ozzy.data.batch import Batch
from ozzy.data.codecs import ByteStream
from ozzy.options.option import option, options


@options
class DecoderOptions:
    """Options of every decoder."""

    batch_size: int = option(default=10_000, minimum=1, help="Records in a batch, at the most.")


class BaseDecoder(BaseModule):
    """Turns decompressed bytes into batches.

    `decode` yields batches of at most `batch_size` rows in the order of the stream, and puts rows that are bad into the batch's
    `rejected` with file and line, instead of raising; a stream that is broken as a whole raises DataError. The batches are the same
    however the stream hands out its bytes.
    """

    kind: ClassVar[str] = "deserializer"
    Options: ClassVar[type] = DecoderOptions
    starts_anywhere: ClassVar[bool] = False
    """Whether `decode` can begin at the `stream.offset` of an earlier batch: then batches bear `{"rows": …, "offset": …}` themselves."""

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        """The batches of a stream, from `stream.offset` (in decompressed bytes) and `stream.row` on."""
        raise NotImplementedError(f"{type(self).__name__} has no decode()")


def decoded(decoder: BaseDecoder, stream: ByteStream, position: Any) -> Iterator[Batch]:
    """The batches of a stream after `position`, each bearing the position after it.

    A decoder that starts anywhere is given the stream at the offset; any other decodes from the start, and the rows already
    read are dropped. Rows are counted with the bad ones, so that a position means the same whatever is done with those.
    """
    position = position or {"rows": 0}
    if decoder.starts_anywhere:
        stream.skip_to(position.get("offset", 0), position["rows"])
        yield from decoder.decode(stream)
        return
    rows = 0
    for batch in decoder.decode(stream):
        rows += len(batch) + len(batch.rejected)
        if rows <= position["rows"]:
            continue
        batch.position = {"rows": rows}
        yield batch
