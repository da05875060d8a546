"""Where the servers that tests talk to are installed, and what becomes of a test whose server is missing."""

import os
from pathlib import Path
from typing import Final, NoReturn

import pytest

from tests.servers.install import GO, PACKAGES, cache, program

# Read when this is loaded: a test runs in an environment without ozzy's settings.
FOLDER: Final = cache()
"""The folder of all servers."""

STRICT: Final = bool(os.environ.get("CI"))
"""Whether a missing server is a failure, so that nothing goes untested unseen."""


def folder_of(name: str) -> Path:
    """The folder that one server is installed in."""
    return FOLDER / f"{name}-{GO[name][0]}"


def binary(name: str) -> Path:
    """The program of a server. Where it is not installed the test is skipped, or fails where CI is set."""
    path = folder_of(name) / name
    if not path.exists():
        missing(f"{name} {GO[name][0]} is not installed", name)
    return path


def system_binary(name: str) -> Path:
    """The program of a server that the system brings. Where it is not installed the test is skipped, or fails where CI is set."""
    path = program(PACKAGES[name][1])
    if path is None:
        missing(f"{name} is not installed", name)
    return path


def missing(what: str, name: str) -> NoReturn:
    """Skip or fail a test that needs a server which is not there."""
    message = f"{what}: python3 tests/servers/install.py {name}"
    if STRICT:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
