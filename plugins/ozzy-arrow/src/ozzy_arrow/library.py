"""The library behind this package, imported when it is first needed, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ozzy import DataError, OzzyError
from ozzy.data.table import arrow, part


def pa() -> Any:
    """`pyarrow`."""
    return arrow()


def pc() -> Any:
    """`pyarrow.compute`."""
    return part("compute")


def pq() -> Any:
    """`pyarrow.parquet`."""
    return part("parquet")


def ipc() -> Any:
    """`pyarrow.ipc`."""
    return part("ipc")


@contextmanager
def reading(name: str, kind: str) -> Iterator[None]:
    """Turns what the library raises into a DataError that names the file."""
    try:
        yield
    except OzzyError:
        raise
    except (pa().ArrowException, OSError, ValueError, KeyError, NotImplementedError, EOFError) as error:
        told = str(error).split("\n", 1)[0].rstrip(".")
        raise DataError(f"{name} can't be read as {kind}: {told}", hint="The file is damaged, cut off, or of another format.") from error
