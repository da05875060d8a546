"""The real thing once: a package is built and installed by pip, listed, used, upgraded, and uninstalled."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="building a package without the network needs hatchling here")
pytest.importorskip("pip")

SOURCE = Path(__file__).parent.parent / "inherited_plugin"
SHOW = (
    "import json, ozzy; registry = ozzy.Registry.load()\n"
    "print(json.dumps([[row.name, row.version, row.error] for row in registry.rows() if row.package == 'exporters-orchard']))\n"
)


@pytest.fixture
def environment(tmp_path) -> Path:
    """The Python of an environment that sees what this one has, and can be installed into."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/*/site-packages")
    (site / "outside.pth").write_text("".join(f"{path}\n" for path in sys.path if Path(path).is_dir()))
    return folder / "bin" / "python"


def rows(environment: Path) -> dict[str, list]:
    done = subprocess.run([environment, "-c", SHOW], capture_output=True, text=True, check=True)
    return {name: [version, error] for name, version, error in json.loads(done.stdout)}


def pip(environment: Path, *arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--python", environment, "-q", "--disable-pip-version-check", *arguments]
    subprocess.run([str(one) for one in command], check=True, capture_output=True)


@pytest.mark.slow
def test_install_list_use_upgrade_uninstall(tmp_path, environment):
    assert rows(environment) == {}
    source = tmp_path / "orchard"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))

    pip(environment, "install", "--no-deps", "--no-build-isolation", "--no-index", source)
    assert rows(environment)["ripe"] == ["0.1.2", None]
    use = "import ozzy; print(len(list(ozzy.read({'reader': 'orchard_list', 'filter': 'ripe'}))))"
    assert subprocess.run([environment, "-c", use], capture_output=True, text=True, check=True).stdout == "3\n"

    file = source / "pyproject.toml"
    file.write_text(file.read_text().replace("0.1.2", "0.2.0"))
    pip(environment, "install", "--no-deps", "--no-build-isolation", "--no-index", "--upgrade", source)
    assert rows(environment)["ripe"] == ["0.2.0", None]

    pip(environment, "uninstall", "-y", "exporters-orchard")
    assert rows(environment) == {}
