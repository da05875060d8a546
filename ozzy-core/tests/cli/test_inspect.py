"""`ozzy explain`, `ozzy validate` and `ozzy preview`."""

import json

import pytest

from ozzy.data.native import AVAILABLE

RANDOM = {"name": "random", "options": {"number_of_items": 30, "seed": 3}}
FILTER = {"name": "key_value", "options": {"keys": [{"name": "country_code", "value": "uk"}]}}
SHOUT = """
from ozzy import BaseFilter, BaseTransform, option, options

class Shout(BaseTransform):
    def transform_batch(self, batch):
        for item in batch:
            yield {"東京": item["key"], "text": "line\\nline " + "x" * 60}

class Even(BaseFilter):
    def filter(self, item):
        return item["key"] % 2 == 0

@options
class LoginOptions:
    user: str = option(default="me")
    password: str = option(env="LOGIN_PASSWORD", secret=True)

class Login(BaseFilter):
    Options = LoginOptions

    def filter(self, item):
        return True
"""


@pytest.fixture(autouse=True)
def _modules(tmp_path, monkeypatch):
    (tmp_path / "shout_modules.py").write_text(SHOUT)
    monkeypatch.syspath_prepend(str(tmp_path))


WITHOUT_EXTENSION = (
    []
    if AVAILABLE
    else ["slower       the extension of ozzy-core is not there, which reads JSON lines and CSV three times as fast: see its README"]
)


def test_explain_tells_modules_guarantee_and_places(ozzy, config, tmp_path):
    told = ozzy("explain", config(filter=FILTER))
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0] == "numbers"
    assert [line.split()[:2] for line in lines[1:7]] == [
        ["stage", "module"],
        ["reader", "random"],
        ["filter_before", "key_value"],
        ["formatter", "json"],
        ["writer", "fs"],
        ["persistence", "file"],
    ]
    assert "filter_before  key_value  ozzy-core" in told.out
    assert "fields country_code" in told.out
    assert "delivery     exactly once" in lines
    assert f"state        {tmp_path / '.ozzy'}" in lines
    assert f"files        writer: {tmp_path / 'out'} (out/numbers)" in lines
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / ".ozzy").exists()


def test_explain_names_the_weakest_part(ozzy, config):
    told = ozzy("explain", config(name=None, writer="console"), "--state-dir", "s")
    assert told.code == 0
    assert "delivery     at least once\n             because of writer (console): it has no staging" in told.out


def test_explain_tells_the_first_stage_that_asks_for_records(ozzy, config, tmp_path):
    (tmp_path / "in.jl").write_text("")
    reader = {"name": "fs", "options": {"input": "in.jl"}}
    drop = {"name": "drop", "options": {"fields": ["a"]}}
    expression = {"name": "python_exp", "options": {"python_expressions": ["item.update({'b': 1})"]}}

    told = ozzy("explain", config(reader=reader, transform=[drop, expression, expression]))
    assert (
        "slower       transform.1 (python_exp) asks for records: a dict is made of each, and the stages behind it get those too" in told.out
    )
    told = ozzy("explain", config(reader=reader, formatter="xml"))
    assert "slower       formatter (xml) asks for records: a dict is made of each\n" in told.out
    told = ozzy("explain", config(reader=reader, transform=drop)).out
    assert [line for line in told.splitlines() if line.startswith("slower")] == WITHOUT_EXTENSION
    assert "slower" not in ozzy("explain", config(transform=expression)).out


def test_explain_as_json(ozzy, config):
    found = ozzy("explain", config(), "--json").json
    assert found["pipeline"] == "numbers"
    assert found["guarantee"] == {"level": "exactly once", "weaknesses": []}


def test_validate_says_where_each_value_came_from(ozzy, config, monkeypatch):
    monkeypatch.setenv("LOGIN_PASSWORD", "hunter2hunter2")
    path = config(filter={"name": "shout_modules:Login"}, writer={"name": "fs", "options": {"filebase": "${PLACE:-out}/x"}})
    told = ozzy("validate", path, "--set", "reader.options.batch_size=7")
    assert told.code == 0
    lines = told.out.splitlines()
    assert "  batch_size = 7  --set" in lines
    assert "  seed = 3  config" in lines
    assert '  user = "me"  default' in lines
    assert '  password = "***"  env LOGIN_PASSWORD' in lines
    assert "hunter2" not in told.out
    assert lines[-1] == "c.json is valid"


def test_validate_as_json(ozzy, config):
    found = ozzy("validate", config(), "--json").json
    assert found["valid"] is True
    reader = found["modules"][0]
    assert (reader["section"], reader["module"], reader["options"]["seed"]) == ("reader", "random", {"value": 3, "from": "config"})


def test_validate_tells_all_problems_at_once(ozzy, config):
    told = ozzy(
        "validate", config(reader={"name": "random", "options": {"number_of_items": -1, "sed": 3}}, writer={"name": "fs", "options": {}})
    )
    assert (told.code, told.out) == (2, "")
    assert all(part in told.err for part in ("number_of_items", "sed", "filebase"))


def test_validate_tells_notices(ozzy, config):
    told = ozzy("validate", config(name=None, exporter_options={"threaded": True}))
    assert told.code == 0
    assert "note: " in told.out


def test_on_a_terminal_a_long_value_is_cut_and_its_origin_stays(config, make_terminal):
    from ozzy.cli.main import call

    path = config(filter={"name": "key_value", "options": {"keys": [{"name": "n" * 100, "value": "v"}]}})
    out = make_terminal("stdout", 60)
    assert call(["validate", path]) == 0
    line = next(line for line in out.getvalue().splitlines() if line.startswith("  keys = "))
    assert line.endswith("…  config")
    assert len(line) == 60


def test_preview_shows_records_beside_each_other(ozzy, config):
    told = ozzy("preview", config(filter={"name": "shout_modules:Even"}), "-n", 2)
    assert told.code == 0
    first, second = told.out.strip().split("\n\n")
    assert first.splitlines()[:3] == [
        "record 1",
        "reader (RandomReader)                    filter_before (Even)",
        "key           0                          key           0",
    ]
    assert second.splitlines()[1:3] == [
        "reader (RandomReader)                    filter_before (Even)",
        "key           1                          (kept back)",
    ]
    assert max(map(len, told.out.splitlines())) <= 80


def test_preview_shows_what_a_transform_made_cut_to_its_column(ozzy, config):
    told = ozzy("preview", config(transform="shout_modules:Shout"), "-n", 1)
    assert "東京  0" in told.out
    assert "…" in told.out
    assert "line\\nline xxx" in told.out


def test_preview_of_more_stages_than_fit_goes_on_below(ozzy, config):
    even = {"name": "shout_modules:Even"}
    told = ozzy("preview", config(filter_before=even, transform=["no_transform", "no_transform"], filter_after=even), "-n", 1)
    heads = [line for line in told.out.splitlines() if "(" in line and "kept back" not in line]
    assert [[head.split()[0] for head in line.split("   ") if head.strip()] for line in heads] == [
        ["reader", "filter_before", "transform.0"],
        ["transform.1", "filter_after"],
    ]
    assert max(map(len, told.out.splitlines())) <= 80


def test_preview_as_json(ozzy, config):
    found = ozzy("preview", config(filter={"name": "shout_modules:Even"}), "-n", 2, "--json").json
    assert [stage["stage"] for stage in found] == ["reader", "filter_before"]
    assert [record and record["key"] for record in found[1]["records"]] == [0, None]


def test_preview_of_an_empty_source_says_so(ozzy, config, tmp_path):
    (tmp_path / "in.jl").write_text("")
    told = ozzy("preview", config(reader={"name": "fs", "options": {"input": "in.jl"}}))
    assert (told.code, told.out) == (0, "the source has no records\n")


def test_preview_of_an_empty_record_shows_braces(ozzy, config, tmp_path):
    (tmp_path / "in.jl").write_text("{}\n")
    assert ozzy("preview", config(reader={"name": "fs", "options": {"input": "in.jl"}})).out == "record 1\nreader (FSReader)\n{}\n\n"


@pytest.mark.parametrize("command", ["explain", "validate", "preview"])
def test_a_config_that_is_not_there_is_a_config_error(ozzy, command):
    assert ozzy(command, "none.yaml").code == 2


def test_nothing_is_asked_of_the_terminal_when_output_goes_to_a_program(ozzy, config):
    path = config(filter={"name": "key_value", "options": {"keys": [{"name": "n" * 200, "value": "v"}]}})
    told = ozzy("validate", path)
    assert json.dumps("n" * 200) in told.out
