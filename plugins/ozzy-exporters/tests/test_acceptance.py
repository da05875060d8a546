"""A package and a config of the inherited system, unchanged: installed by pip beside this one, run, killed, gone on with."""

import ast
import json
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from .conftest import BLOOM

pytest.importorskip("hatchling", reason="building a package without the network needs hatchling here")
pytest.importorskip("pip")
pytestmark = pytest.mark.slow

ROWS = 60
KILLER = '''
import os, pathlib, signal
from exporters.filters.base_filter import BaseFilter

class KillOnce(BaseFilter):
    """Kills the process at one item, the first time."""

    supported_options = {"at": {"type": int}}

    def filter(self, item):
        if item["number"] == self.read_option("at") and not pathlib.Path("killed").exists():
            pathlib.Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return True
'''


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The folder of an environment's commands: `export.py` and the old package are installed in it, by pip."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/*/site-packages")
    outside = [path for path in sys.path if Path(path).is_dir() and "ozzy-exporters" not in path]
    (site / "outside.pth").write_text("".join(f"{path}\n" for path in outside))
    sources = folder.parent / "sources"
    for source in (BLOOM, BLOOM.parent.parent):
        shutil.copytree(source, sources / source.name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    pip(folder, "install", "--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed", *sources.iterdir())
    return folder / "bin"


def pip(folder, *arguments):
    command = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "-q", "--disable-pip-version-check", *arguments]
    subprocess.run([str(one) for one in command], check=True, capture_output=True)


def run(*command):
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def config(tmp_path):
    """Writes what is read, each record twice, and a config of the inherited system."""
    (tmp_path / "incoming").mkdir()
    for part in range(3):
        numbers = range(part * ROWS // 3, (part + 1) * ROWS // 3)
        lines = [json.dumps({"number": number, "url": f"https://example.com/{number}/é"}) for number in numbers for _ in range(2)]
        (tmp_path / "incoming" / f"part-{part}.jl").write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "killer.py").write_text(KILLER)

    def written(name, kill_at=-1, **more):
        sections = {
            "exporter_options": {
                "log_level": "DEBUG",
                "logger_name": "export-pipeline",
                "formatter": {
                    "name": "exporters.export_formatter.csv_export_formatter.CSVExportFormatter",
                    "options": {"show_titles": True, "fields": ["number", "url"]},
                },
            },
            "reader": {
                "name": "exporters.readers.fs_reader.FSReader",
                "options": {"batch_size": 10, "input": {"dir": "incoming", "pattern": "part-.*"}},
            },
            "decompressor": {"name": "exporters.decompressors.NoDecompressor"},
            "deserializer": {"name": "exporters.deserializers.JsonLinesDeserializer"},
            "filter": {"name": "exporters_bloom_filter.filter.DuplicatesBloomFilter", "options": {"field": "url"}},
            "filter_after": {"name": "killer.KillOnce", "options": {"at": kill_at}},
            "grouper": {"name": "exporters.groupers.no_grouper.NoGrouper"},
            "stats_manager": {"name": "exporters.stats_managers.basic_stats_manager.BasicStatsManager"},
            "writer": {"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": f"{name}/urls", "compression": "none"}},
        }
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({**sections, **more}))
        return path.name

    return written


@pytest.fixture(autouse=True)
def with_the_killer(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def numbers(file):
    return [int(line.partition(",")[0]) for line in Path(file).read_text().splitlines()[1:]]


def test_it_is_written_to_the_inherited_documents_alone():
    for file in (BLOOM / "exporters_bloom_filter").glob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        assert {name.split(".")[0] for name in imported} <= {"exporters", "exporters_bloom_filter", "hashlib", "json"}


def test_a_config_of_the_inherited_system_runs_unchanged_by_either_command(environment, config):
    code, err = run(environment / "export.py", "--config", config("old"))
    assert code == 0, err
    assert numbers("old/urls0000.csv") == list(range(ROWS))
    assert re.search(rf"{2 * ROWS} records read .*, {ROWS} written", err)
    code, err = run(environment / "python", "-m", "ozzy", "run", config("new"))
    assert code == 0, err
    assert Path("new/urls0000.csv").read_bytes() == Path("old/urls0000.csv").read_bytes()


@pytest.mark.parametrize("more", [{}, {"checkpoint": {"every_records": 10}}], ids=["as it was", "with checkpoints"])
def test_killed_in_the_middle_it_goes_on_and_ends_with_the_same_bytes(environment, config, more):
    calm = config("calm", **more)
    assert run(environment / "export.py", "--config", calm)[0] == 0
    name = config("out", kill_at=35, **more)
    assert run(environment / "export.py", "--config", name)[0] == -9
    assert not list(Path("out").glob("*.csv"))
    code, err = run(environment / "export.py", "--config", name)
    assert code == 7
    (run_id,) = re.findall(r"the last run of this pipeline, (\S+), is unfinished", err)
    checkpoint = next(Path(".ozzy").rglob(f"{run_id}/checkpoint.json"), None)
    assert (checkpoint is not None) == bool(more)

    code, err = run(environment / "export.py", "--resume", run_id)

    assert code == 0, err
    assert Path("out/urls0000.csv").read_bytes() == Path("calm/urls0000.csv").read_bytes()
    assert sorted(path.name for path in Path("out").iterdir()) == ["urls0000.csv"]


def test_uninstalling_takes_it_away(environment, config, tmp_path):
    name = config("old")
    pip(environment.parent, "uninstall", "-y", "ozzy-exporters")
    assert not (environment / "export.py").exists()
    code, err = run(environment / "python", "-c", "import exporters.readers")
    assert (code, "ModuleNotFoundError: No module named 'exporters'" in err) == (1, True)
    code, err = run(environment / "python", "-m", "ozzy", "run", name)
    assert (code, "exporters" in err) == (3, True)
