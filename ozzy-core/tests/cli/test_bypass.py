"""What the commands show of bypasses."""

import gzip
import json
import re
from pathlib import Path

import pytest


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/a.jl.gz").write_bytes(gzip.compress(b'{"id": 1}\n'))
    Path("in/b.csv").write_text("id\n2\n")
    config = {
        "name": "t",
        "reader": {"name": "fs", "options": {"input": "in"}},
        "writer": {"name": "fs", "options": {"filebase": "out/{source}", "manifest": "m.json"}},
    }
    Path("c.json").write_text(json.dumps(config))
    return "c.json"


def test_explain_says_which_is_tried(ozzy, config):
    assert "bypass       stream: tried for each part of the source" in ozzy("explain", config).out
    assert json.loads(ozzy("explain", config, "--json").out)["bypasses"] == {"stream": None}


def test_explain_says_why_there_is_none(ozzy, config):
    told = ozzy("explain", config, "--set", "writer.options.filebase=out/all").out
    assert "bypass       none: the filebase has no {source}" in told
    told = ozzy("explain", config, "--set", "formatter=xml").out
    assert "bypass       stream: none: the formatter makes other bytes" in told


def test_a_dry_run_says_what_would_be_copied(ozzy, config):
    told = ozzy("run", config, "--dry-run").err
    assert "stream would copy 1 file" in told
    assert "1 through the pipeline: stream: " in told


def test_the_end_of_a_run_shows_what_was_copied(ozzy, config):
    told = ozzy("run", config).err
    assert "1 rows" in told
    assert "out/a.jl.gz  (copied by stream)" in told
    assert "stream copied 1 file" in told
    assert ": 1 record" in told


def test_what_nobody_counted_is_shown_as_such(ozzy, config):
    Path("in/b.csv").unlink()
    told = ozzy("run", config, "--set", "bypass.name=stream", "--set", "bypass.options.verify=false").err
    assert "records not counted" in told
    assert "not counted" in told.split("out/a.jl.gz")[0]
    [run] = json.loads(ozzy("runs", "list", "--json").out)
    shown = ozzy("runs", "show", run["run"]).out
    assert "rows not counted" in shown
    assert "copied by stream" in shown
    assert "rows not counted" in ozzy("verify", "out/m.json").out


def test_explain_shows_what_becomes_of_each_part(ozzy, config):
    Path("in/c.csv").write_text("id\n3\n")
    told = ozzy("explain", config, "--source").out
    assert "parts        3 parts of the source\n             stream copies 1 part, " in told
    assert re.search(r"\n             2 through the pipeline: stream: .+, for example \S*in/b.csv, \S*in/c.csv\n", told)
    assert not Path("out").exists()


def test_explain_shows_why_no_part_is_copied(ozzy, config):
    told = ozzy("explain", config, "--source", "--set", "writer.options.filebase=out/all").out
    assert "2 through the pipeline: the filebase has no {source}, for example " in told
    told = ozzy("explain", config, "--source", "--set", "formatter=xml").out
    assert "2 through the pipeline: stream: the formatter makes other bytes, for example " in told


def test_explain_tells_programs_of_the_parts(ozzy, config):
    parts = json.loads(ozzy("explain", config, "--source", "--json").out)["parts"]
    assert parts["count"] == 2
    assert parts["copied"]["stream"]["parts"] == 1
    [(reason, declined)] = parts["declined"].items()
    assert reason.startswith("stream: ")
    assert declined["parts"] == 1
    assert declined["examples"][0].endswith("in/b.csv")
    assert "parts" not in json.loads(ozzy("explain", config, "--json").out)
