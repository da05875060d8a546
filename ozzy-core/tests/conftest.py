"""What the tests of the core share."""

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
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


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The Python of an environment that sees what this one has, and can be installed into."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/*/site-packages")
    (site / "outside.pth").write_text("".join(f"{path}\n" for path in sys.path if Path(path).is_dir()))
    return folder / "bin" / "python"


@pytest.fixture
def pip(environment: Path) -> Callable[..., None]:
    """Calls pip for that environment; what it installs it builds here, without the network."""
    pytest.importorskip("hatchling", reason="building a package without the network needs hatchling here")
    pytest.importorskip("pip")

    def call(command: str, *arguments: object) -> None:
        alone = ("--no-deps", "--no-build-isolation", "--no-index") if command == "install" else ()
        whole = [sys.executable, "-m", "pip", "--python", environment, "-q", "--disable-pip-version-check", command, *alone, *arguments]
        subprocess.run([str(one) for one in whole], check=True, capture_output=True)

    return call
