"""What the tests of the core share."""

import sysconfig
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from ozzy.plan import discovery


@pytest.fixture
def without_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core as it is where none of the plugins beside it is installed; those that a test puts on the path are found."""
    site = Path(sysconfig.get_path("purelib"))

    def foreign(one: EntryPoint) -> bool:
        return one.dist is not None and one.dist.name != "ozzy-core" and Path(str(one.dist.locate_file(""))) == site

    def found(**which: Any) -> list[EntryPoint]:
        return [one for one in entry_points(**which) if not foreign(one)]

    monkeypatch.setattr(discovery, "entry_points", found)
