"""`export.py`, as a shell sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ozzy_exporters import command

CONFIG = {
    "reader": {"name": "exporters.readers.random_reader.RandomReader", "options": {"number_of_items": 100, "batch_size": 10}},
    "writer": {"name": "exporters.writers.console_writer.ConsoleWriter", "options": {}},
}


def export_py(*arguments, **environment):
    code = "import sys; from ozzy_exporters.command import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def config():
    def written(**change):
        Path("export.json").write_text(json.dumps({**CONFIG, **change}))
        return "export.json"

    return written


@pytest.mark.parametrize("root", ["exporters", "ozzy"])
def test_the_simplest_config_of_the_inherited_documents_runs(config, root):
    Path(config()).write_text(json.dumps(CONFIG).replace("exporters.", f"{root}."))
    code, out, err = export_py("--config", "export.json")
    assert code == 0, err
    assert [json.loads(line)["key"] for line in out.splitlines()] == list(range(100))
    assert "100 records read" in err


@pytest.mark.parametrize("arguments", [[], ["--config", "a", "--resume", "b"], ["--other"], ["export.json"]])
def test_exactly_one_of_the_two_is_wanted(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        command.call(arguments)
    assert caught.value.code == 2
    assert "usage: export.py" in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(["--help"])
    assert caught.value.code == 0
    assert "--config PATH" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (
            {"reader": {"name": "exporters.readers.random_reader.RandomReader", "options": {"batch_size": "x"}}},
            2,
            "reader.options.batch_size",
        ),
        ({"writer": {"name": "exporters.writers.s3_writer.S3Writer", "options": {"bucket": "b"}}}, 3, "pip install ozzy-s3"),
        ({"reader": {"name": "exporters.readers.fs_reader.FSReader", "options": {"input": "no/such/file"}}}, 4, "no/such/file"),
        ({"exporter_options": {"resume": True}}, 7, "no run of"),
        ({"exporter_options": {"resume": True, "persistence_state_id": "20200101"}}, 7, "there is no run 20200101"),
    ],
)
def test_each_class_of_error_has_its_exit_code(config, capsys, change, code, told):
    assert command.call(["--config", config(**change)]) == code
    assert told in capsys.readouterr().err


def test_a_config_that_is_not_there_is_not_a_success(capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(["--config", "no.json"])
    assert caught.value.code == 2
    assert "there is no config file no.json" in capsys.readouterr().err


def test_a_uri_that_nobody_knows(capsys):
    assert command.call(["--resume", "mysql://u:s3cr3t-word@h:1/d/5"]) == 7
    assert "s3cr3t-word" not in capsys.readouterr().err


def test_a_run_that_has_ended_is_told_and_is_a_success(config, capfd):
    name = config(name="done", writer={"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": "out/part"}})
    assert command.call(["--config", name]) == 0
    capfd.readouterr()
    (record,) = Path(".ozzy").rglob("run.json")
    assert command.call(["--resume", record.parent.name]) == 0
    assert "already" in capfd.readouterr().err


def test_its_help_imports_nothing_of_ozzy():
    code = (
        "import sys; from ozzy_exporters.command import call\n"
        "try: call(['--help'])\n"
        "finally: print(*[name for name in sys.modules if name.startswith('ozzy.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.split()) == (0, [])


def test_code_of_the_config_runs_where_it_is_allowed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = {
        "reader": {"name": "exporters.readers.random_reader.RandomReader", "options": {"number_of_items": 3}},
        "filter": {
            "name": "exporters.filters.pythonexp_filter.PythonexpFilter",
            "options": {"python_expression": "calendar2.isleap(2024)", "imports": {"calendar2": "calendar"}},
        },
        "writer": {"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": "out/a"}},
        "exporter_options": {},
    }
    (tmp_path / "old.json").write_text(json.dumps(config))

    assert command.call(["--config", "old.json"]) == 2
    assert "--allow-code" in capsys.readouterr().err
    assert command.call(["--config", "old.json", "--allow-code"]) == 0
