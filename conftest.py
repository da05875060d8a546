"""What every test of the repository shares: an environment without the settings of whoever runs it, no memory of secrets, and no logs."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

import ozzy.log

settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")

OURS = ("OZZY_", "EXPORTERS_")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `pytest` may be asked for here."""
    parser.addoption("--update-table", action="store_true", help="write what tests/faults saw into docs/promises.md")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options fall back to environment variables; none of them may come from outside a test."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process remembers every secret it has seen; what one test has given as such is a plain word to the others."""
    monkeypatch.setattr(ozzy.log, "_secrets", frozenset())
    monkeypatch.setattr(ozzy.log, "_pattern", None)


@pytest.fixture(autouse=True)
def no_logs_of_other_tests() -> Iterator[None]:
    """The command shows logs on a stream that is gone after its test."""
    root, ours = logging.getLogger(), logging.getLogger("ozzy")
    before = list(root.handlers), root.level, ours.level
    yield
    root.handlers[:], root.level, ours.level = before[0], before[1], before[2]
