"""What tests of decoders share."""

import io

import pytest

from ozzy.contracts.decoder import decoded
from ozzy.data.codecs import open_decompressed


class Dripping(io.RawIOBase):
    """A file that hands out its bytes a few at a time."""

    def __init__(self, data, most):
        self._data = io.BytesIO(data)
        self._most = most

    def readable(self):
        return True

    def read(self, size=-1):
        return self._data.read(min(size, self._most))


@pytest.fixture(scope="session")
def decode():
    """The batches of some bytes: `decode(Decoder, data, position=None, drip=None, **options)`."""

    def batches(decoder, data, position=None, drip=None, **options):
        raw = io.BytesIO(data) if drip is None else Dripping(data, drip)
        stream = open_decompressed(raw, "none", name="in")
        return list(decoded(decoder({"options": options}), stream, position))

    return batches


@pytest.fixture(scope="session")
def seen():
    """All that a batch says, to be compared."""
    return lambda batch: (batch.lines, batch.position, list(batch.origin), list(batch.rejected), batch.blank)
