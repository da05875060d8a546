"""Temporary files: for content that has to be read otherwise than forward."""

from collections.abc import Iterable
from typing import BinaryIO, cast

from ozzy.errors import SourceError


def temporary_copy(pieces: Iterable[bytes], name: str) -> BinaryIO:
    """A file without a name that holds these pieces; `name` is what messages call it. Raises SourceError where there is no room for it."""
    from tempfile import TemporaryFile

    copy = None
    try:
        copy = cast("BinaryIO", TemporaryFile())  # noqa: SIM115  (the caller closes it)
        for piece in pieces:
            copy.write(piece)
        copy.flush()
    except BaseException as error:
        if copy is not None:
            copy.close()
        if isinstance(error, OSError):
            raise SourceError(f"{name} can't be copied to a temporary file: {error.strerror or error}") from error
        raise
    return copy
