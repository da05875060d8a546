"""The real thing once: a package is built and installed by pip, listed, used, upgraded, and uninstalled."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "inherited_plugin"
SHOW = (
    "import json, ozzy; registry = ozzy.Registry.load()\n"
    "print(json.dumps([[row.name, row.version, row.error] for row in registry.rows() if row.package == 'exporters-orchard']))\n"
)


def rows(environment: Path) -> dict[str, list]:
    done = subprocess.run([environment, "-c", SHOW], capture_output=True, text=True, check=True)
    return {name: [version, error] for name, version, error in json.loads(done.stdout)}


@pytest.mark.slow
def test_install_list_use_upgrade_uninstall(tmp_path, environment, pip):
    assert rows(environment) == {}
    source = tmp_path / "orchard"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))

    pip("install", source)
    assert rows(environment)["ripe"] == ["0.1.2", None]
    use = "import ozzy; print(len(list(ozzy.read({'reader': 'orchard_list', 'filter': 'ripe'}))))"
    assert subprocess.run([environment, "-c", use], capture_output=True, text=True, check=True).stdout == "3\n"

    file = source / "pyproject.toml"
    file.write_text(file.read_text().replace("0.1.2", "0.2.0"))
    pip("install", "--upgrade", source)
    assert rows(environment)["ripe"] == ["0.2.0", None]

    pip("uninstall", "-y", "exporters-orchard")
    assert rows(environment) == {}
