"""Code that a config brings runs only where the user allows it, at each start anew."""

import importlib
import json
import sys

import pytest

import ozzy
from ozzy import ConfigError, Metadata, api
from ozzy.cli.main import call
from ozzy.run.runs import StateFolder

LOUD = '''
from ozzy import BaseFilter, option, options
from ozzy.contracts.module import require_allow_code


@options
class LoudOptions:
    code: str = option()


class Loud(BaseFilter):
    """A filter that runs what its config says."""

    Options = LoudOptions

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        require_allow_code(self, "code")

    def filter(self, item):
        return self.metadata.allow_code
'''


SECTION = {"name": "loud", "options": {"code": "pass"}}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "export.json"
    path.write_text(
        json.dumps(
            {
                "reader": {"name": "random", "options": {"number_of_items": 3}},
                "filter": {"name": "loud_module:Loud", "options": {"code": "pass"}},
                "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out" / "loud"), "compression": "none"}},
            }
        )
    )
    return path


@pytest.fixture(autouse=True)
def _loud(tmp_path, monkeypatch):
    (tmp_path / "loud_module.py").write_text(LOUD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "loud_module", raising=False)


def loud(metadata=None):
    return importlib.import_module("loud_module").Loud(SECTION, metadata)


def test_a_module_that_runs_code_says_what_and_how():
    with pytest.raises(ConfigError) as caught:
        loud()

    assert str(caught.value) == (
        "filter.options.code runs code of the config's own, which needs to be allowed\n"
        "Look at what it runs, then allow it with --allow-code, or allow_code=True from Python; a resume asks again."
    )


def test_a_module_that_may():
    assert loud(Metadata(allow_code=True)).filter({})


@pytest.mark.parametrize(
    "function", [ozzy.run, ozzy.validate, ozzy.explain, ozzy.preview, lambda config, **more: list(ozzy.read(config, **more))]
)
def test_each_way_in_asks(function, config):
    with pytest.raises(ConfigError, match="needs to be allowed"):
        function(config)

    assert function(config, allow_code=True)


def test_the_inherited_way_in_asks(config):
    with pytest.raises(ConfigError, match="needs to be allowed"):
        ozzy.BasicExporter(config).export()

    assert ozzy.BasicExporter.from_file_configuration(config, allow_code=True).export().records_written == 3


def test_a_resume_asks_again(config, tmp_path, capsys):
    run_id = ozzy.run(config, allow_code=True).run_id
    resume = ["resume", run_id, "--state-dir", str(tmp_path / ".ozzy")]

    assert call(resume) == 2
    assert "needs to be allowed" in capsys.readouterr().err
    assert call([*resume, "--allow-code"]) == 0


@pytest.mark.parametrize("command", ["run", "validate", "explain", "preview"])
def test_each_command_has_the_flag(command, config, capsys):
    assert call([command, str(config)]) == 2
    assert "needs to be allowed" in capsys.readouterr().err
    assert call([command, str(config), "--allow-code"]) == 0


def test_abandoning_builds_the_modules_too(config, tmp_path):
    run_id = ozzy.run(config, allow_code=True).run_id
    state = tmp_path / ".ozzy"

    StateFolder(state).find(run_id).save(state="failed")
    with pytest.raises(ConfigError, match="needs to be allowed"):
        api.abandon(run_id, state_dir=state)
    api.abandon(run_id, state_dir=state, allow_code=True)
