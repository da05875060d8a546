"""What every test of the repository shares: an environment without the settings of whoever runs it."""

import os

import pytest

OURS = ("OZZY_", "EXPORTERS_")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options fall back to environment variables; none of them may come from outside a test."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
