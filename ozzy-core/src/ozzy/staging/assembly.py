"""Finished files that are made of all their rows at once: the rows are staged as lines, the file is made where it is closed."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import attrs

from ozzy.data.batch import Batch
from ozzy.data.codecs import CODECS, PIECE, Codec, open_decompressed
from ozzy.staging.disk import at_destination, write_all

LINES: Final = CODECS["zst"]
"""How lines wait for their file."""

SUFFIX: Final = ".file"
"""The end of the name of a staged file that was made of lines; those lie beside it until it is published."""


@attrs.frozen
class Assembly:
    """How files are made of lines: by `make(rows, target)`, compressed by `codec`."""

    make: Callable[[Callable[[], Iterator[Batch]], BinaryIO], None]
    codec: Codec

    def run(self, lines: Path, target: Path, digests: dict[str, Any]) -> int:
        """Make the file `target` of `lines`; returns its length."""
        with at_destination(target), target.open("wb", buffering=0) as file:
            members = _Members(file.fileno(), self.codec, digests)
            self.make(lambda: _rows(lines), cast("BinaryIO", members))
            members.finish()
        return members.length


class _Members(io.RawIOBase):
    """What is written comes out as members of the codec's size, the same ones however it is written."""

    def __init__(self, descriptor: int, codec: Codec, digests: dict[str, Any]) -> None:
        super().__init__()
        self.length = 0
        self._descriptor = descriptor
        self._codec = codec
        self._digests = digests
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        size = self._codec.member_size
        while len(self._waiting) >= size:
            self._member(bytes(self._waiting[:size]))
            del self._waiting[:size]
        return len(data)

    def finish(self) -> None:
        """Write the last member; a file with nothing in it is one empty member."""
        if self._waiting or not self.length:
            self._member(bytes(self._waiting))

    def _member(self, data: bytes) -> None:
        member = self._codec.compress(data)
        for digest in self._digests.values():
            digest.update(member)
        write_all(self._descriptor, member)
        self.length += len(member)


def _rows(path: Path) -> Iterator[Batch]:
    """The staged lines, some at a time."""
    with at_destination(path), path.open("rb", buffering=0) as raw:
        stream = open_decompressed(raw, LINES.name, name=path.name)
        rest = b""
        while piece := stream.read(PIECE):
            *lines, rest = (rest + piece if rest else piece).split(b"\n")
            if lines:
                yield Batch.from_lines(lines)
