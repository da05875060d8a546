"""What `--resume` takes: ids of runs, and URIs of whatever persistence is installed."""

import importlib
import json
import pickle
import sys
from pathlib import Path

import pytest

from ozzy import Interrupted, StateError
from ozzy_exporters import command
from ozzy_exporters.manager import BasicExporter
from ozzy_exporters.resuming import run_behind

NOTEBOOK = '''
import json, pathlib
from ozzy import BasePersistence, StateError

class Notebook(BasePersistence):
    """Keeps checkpoint and config of a run in one file, as the inherited persistences did."""

    supported_options = {"folder": {"type": str, "default": "notebook"}, "password": {"type": str, "default": ""}}
    uri_regex = r"notebook://(?:(?P<user>[^:]*):(?P<password>[^@]*)@)?(?P<folder>[^#]+)#(?P<run>.+)"

    @property
    def page(self):
        return pathlib.Path(self.read_option("folder"), self.location.run)

    def generate_new_job(self):
        self.page.parent.mkdir(exist_ok=True)
        self.commit_position(None)

    def get_last_position(self):
        return json.loads(self.page.read_text())["position"]

    def commit_position(self, last_position):
        config = {key: value for key, value in self.metadata.configuration.items()}
        self.page.write_text(json.dumps({"position": last_position, "config": config}))

    @classmethod
    def configuration_from_uri(cls, uri, uri_regex):
        import re
        found = re.match(uri_regex, uri)
        page = pathlib.Path(found["folder"], found["run"])
        if not page.exists():
            raise StateError("there is no such page")
        return json.loads(page.read_text())["config"]
'''
NAMING = (
    NOTEBOOK.replace("class Notebook", "class Naming")
    .replace("#(?P<run>.+)", "#.+")
    .replace("notebook://", "naming://")
    .replace(
        '        return json.loads(page.read_text())["config"]',
        '        config = json.loads(page.read_text())["config"]\n'
        '        return {**config, "exporter_options": {"resume": True, "persistence_state_id": page.name}}',
    )
    .replace('found["run"]', 'uri.partition("#")[2]')
)
SILENT = NAMING.replace("class Naming", "class Silent").replace("naming://", "silent://").replace(', "persistence_state_id": page.name', "")


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    """Persistences of a package that pip would have installed, one of which can't be imported."""
    site = tmp_path / "site"
    info = site / "ozzy_notebook-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ozzy-notebook\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ozzy.plugins]\nnotebook = ozzy_notebook.plugin\n")
    package = site / "ozzy_notebook"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, text in (("notebook", NOTEBOOK), ("naming", NAMING), ("silent", SILENT)):
        (package / f"{name}.py").write_text(text)
    (package / "plugin.py").write_text(
        "from ozzy import hookimpl\n\n@hookimpl\ndef ozzy_persist():\n"
        "    return {name: f'ozzy_notebook.{name}:{name.title()}' for name in ('broken', 'notebook', 'naming', 'silent')}\n"
    )
    (site / "halfway.py").write_text(
        "import pathlib\nfrom ozzy import BaseFilter, Interrupted\n"
        "class Halfway(BaseFilter):\n"
        "    def filter(self, item):\n"
        "        if item['key'] > 9 and not pathlib.Path('again').exists():\n"
        "            pathlib.Path('again').touch()\n"
        "            raise Interrupted('stop')\n"
        "        return True\n"
    )
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in {"ozzy_notebook", "halfway"}]:
        del sys.modules[name]


@pytest.fixture
def stopped():
    """Stops a run in its middle: gives its id."""

    def run(persistence, **options):
        config = {
            "reader": {
                "name": "exporters.readers.random_reader.RandomReader",
                "options": {"number_of_items": 20, "batch_size": 5, "seed": 3},
            },
            "filter": {"name": "halfway.Halfway"},
            "writer": {"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": "out/part", "compression": "none"}},
            "checkpoint": {"every_records": 5},
            "persistence": {"name": persistence, "options": options},
        }
        Path("export.json").write_text(json.dumps(config))
        with pytest.raises(Interrupted) as caught:
            BasicExporter.from_file_configuration("export.json").export()
        return caught.value.run_id

    return run


def keys():
    return [json.loads(line)["key"] for line in Path("out/part0000.jl").read_text().splitlines()]


@pytest.mark.parametrize("name", ["notebook", "naming"])
def test_a_uri_of_an_installed_persistence_names_a_run(stopped, name):
    run = stopped(name)
    exporter = BasicExporter.from_persistence_configuration(f"{name}://notebook#{run}")
    assert exporter.config.reader_options["options"]["number_of_items"] == 20
    result = exporter.export()
    assert (result.run_id, result.resumed) == (run, True)
    assert keys() == list(range(20))


@pytest.mark.parametrize("uri", ["{run}", "notebook://notebook#{run}"])
def test_the_command_goes_on_with_it(stopped, uri):
    assert command.call(["--resume", uri.format(run=stopped("notebook"))]) == 0
    assert keys() == list(range(20))


def test_a_secret_that_the_state_lacks_is_taken_from_the_config_file(stopped):
    run = stopped("notebook", password="s3cr3t-word")
    assert "s3cr3t-word" not in "".join(path.read_text() for path in Path(".ozzy").rglob("run.json"))
    exporter = BasicExporter.from_persistence_configuration(run)
    assert exporter.persistence.read_option("password") == "s3cr3t-word"
    exporter.export()
    assert keys() == list(range(20))


def test_a_secret_whose_config_file_is_gone_is_asked_for(stopped, capsys):
    run = stopped("notebook", password="s3cr3t-word")
    Path("export.json").unlink()
    assert command.call(["--resume", run]) == 2
    assert "persistence.options.password" in capsys.readouterr().err


def test_the_command_takes_the_secret_from_the_file_too(stopped):
    assert command.call(["--resume", stopped("notebook", password="s3cr3t-word")]) == 0
    assert keys() == list(range(20))


def test_a_uri_that_names_no_run_is_left_to_ozzy_resume(stopped):
    run = stopped("silent")
    uri = f"silent://notebook#{run}"
    assert run_behind(uri).run == uri, "what becomes of it is decided by ozzy resume"


def test_what_the_persistence_does_not_find():
    with pytest.raises(StateError, match="no such page"):
        run_behind("notebook://notebook#20200101-000000-abcdef")


def test_a_run_that_is_not_known():
    with pytest.raises(StateError, match="there is no run 20200101"):
        run_behind("20200101")


@pytest.mark.parametrize("uri", ["mysql://user:s3cr3t-word@127.0.0.1:3306/jobs/5", "postgresql://user:s3cr3t-word@127.0.0.1:5432/jobs/5"])
def test_a_uri_that_nobody_knows_does_not_show_its_password(uri):
    with pytest.raises(StateError, match="no persistence that is installed knows") as caught:
        run_behind(uri)
    assert "s3cr3t-word" not in str(caught.value)
    assert "ozzy plugins list --kind persistence" in caught.value.hint


def test_a_pickle_that_is_not_there_says_so(tmp_path):
    with pytest.raises(StateError, match=r"gone can't be read: No such file"):
        run_behind(f"pickle:{tmp_path}/gone")


def test_a_pickle_is_left_to_ozzy_resume(tmp_path):
    """What it holds is read without running it; what the job still had in hand is lost, so that has to be accepted."""
    config = {
        "reader": {"name": "exporters.readers.fs_reader.FSReader", "options": {"input": str(tmp_path / "in")}},
        "writer": {"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": str(tmp_path / "out/a"), "compression": "none"}},
        "exporter_options": {},
    }
    (tmp_path / "in").mkdir()
    for name in "ab":
        (tmp_path / "in" / f"{name}.jl").write_text(f'{{"from": "{name}"}}\n')
    job = {"persistence_state_id": "1", "configuration": json.dumps(config), "last_position": {"readed_streams": [], "stream_offset": {}}}
    job["last_position"]["readed_streams"].append(str(tmp_path / "in/a.jl"))
    (tmp_path / "job").write_bytes(pickle.dumps(job, protocol=2))

    assert command.call(["--resume", f"pickle:{tmp_path}/job"]) == 7
    assert command.call(["--resume", f"pickle:{tmp_path}/job", "--accept-changes"]) == 0
    assert [path.read_text() for path in tmp_path.glob("out/*")] == ['{"from": "b"}\n']


def test_the_uri_of_a_run_with_the_persistence_pickle(tmp_path):
    """The form that it had: the folder, and the job."""
    config = {
        "reader": {"name": "exporters.readers.fs_reader.FSReader", "options": {"input": "in"}},
        "writer": {"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": "out/a", "compression": "none"}},
        "persistence": {"name": "exporters.persistence.pickle_persistence.PicklePersistence", "options": {"file_path": "jobs"}},
        "exporter_options": {},
    }
    Path("export.json").write_text(json.dumps(config))
    assert command.call(["--config", "export.json"]) == 4
    Path("in").mkdir()
    Path("in/a.jl").write_text('{"from": "a"}\n')

    [record] = Path("jobs").rglob("run.json")
    assert command.call(["--resume", f"pickle:jobs/{record.parent.name}"]) == 0
    assert [path.read_text() for path in Path("out").glob("a*")] == ['{"from": "a"}\n']


def test_a_damaged_run_says_so(stopped):
    run = stopped("file")
    (facts,) = Path(".ozzy").rglob("run.json")
    facts.write_text("{")
    with pytest.raises(StateError):
        run_behind(run)
