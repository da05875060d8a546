"""What the inherited `utils` gave to modules, beside the types of lists."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4


def nested_dict_value(d: Any, path: Iterable[str]) -> Any:
    """The value at the end of a path of keys. Raises KeyError where a key is missing, TypeError on the way through no mapping.

    >>> nested_dict_value({"city": {"name": "Northport"}}, ["city", "name"])
    'Northport'
    """
    value = d
    for key in path:
        if not isinstance(value, Mapping):
            raise TypeError(f"there is no {key!r} in a {type(value).__name__}")
        value = value[key]
    return value


def remove_if_exists(file_name: str) -> None:
    """Remove a file, if there is one."""
    Path(file_name).unlink(missing_ok=True)


@contextmanager
def TemporaryDirectory() -> Iterator[str]:  # noqa: N802 - the inherited name
    """The path of a folder that only its owner may enter, removed at the end with what is in it."""
    folder = tempfile.mkdtemp()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def TmpFile() -> Iterator[str]:  # noqa: N802 - the inherited name
    """The path of a file that is not there yet, in a folder of its own that is removed at the end."""
    with TemporaryDirectory() as folder:
        yield str(Path(folder) / uuid4().hex)
