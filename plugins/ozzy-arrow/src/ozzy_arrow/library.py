"""The library behind this package, imported when it is first needed, and what its errors mean."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, Final

from ozzy import DataError, OzzyError

_POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"


@cache
def pa() -> Any:
    """`pyarrow`, with jemalloc where it has that and nobody asked otherwise: it takes less memory and time here than the other pools.

    The library chooses its pool where it first needs one, and only the environment can tell it which: what is set later is a pool for
    what Python makes, and readers, writers and functions of columns go on with the one chosen.
    """
    if _POOL in os.environ or "pyarrow" in sys.modules or sys.platform not in {"linux", "darwin"}:
        return import_module("pyarrow")
    os.environ[_POOL] = "jemalloc"
    try:
        library = import_module("pyarrow")
        library.default_memory_pool()
    finally:
        del os.environ[_POOL]
    return library


def pc() -> Any:
    """`pyarrow.compute`."""
    return import_module("pyarrow.compute")


def pq() -> Any:
    """`pyarrow.parquet`."""
    return import_module("pyarrow.parquet")


def ipc() -> Any:
    """`pyarrow.ipc`."""
    return import_module("pyarrow.ipc")


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
