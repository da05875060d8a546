"""`ozzy run --profile`: what is printed at the end, and in --json."""

import json

from click.testing import CliRunner

from ozzy.cli.main import ozzy
from ozzy.cli.profile import profiled
from ozzy.run.result import RunProfile, StageProfile


def ran(tmp_path, *arguments):
    config = tmp_path / "c.json"
    writer = {"name": "fs", "options": {"filebase": str(tmp_path / "out"), "if_exists": "overwrite"}}
    config.write_text(json.dumps({"reader": {"name": "random", "options": {"number_of_items": 10}}, "writer": writer}))
    settings = {"debug": False, "log": {"level": None, "format": "people"}}
    return CliRunner().invoke(
        ozzy, ["run", str(config), "--state-dir", str(tmp_path / "state"), *arguments], obj=settings, catch_exceptions=False
    )


def test_it_is_printed_after_the_summary(tmp_path):
    told = ran(tmp_path, "--profile").stderr
    assert "\nprofile\n" in told
    assert "memory of this process" in told
    assert "\nprofile\n" not in ran(tmp_path).stderr


def test_it_is_in_the_json(tmp_path):
    outcome = json.loads(ran(tmp_path, "--profile", "--json").stdout)
    assert [stage["name"] for stage in outcome["profile"]["stages"]] == ["reader", "writer", "checkpoints", "around it"]
    assert "profile" not in json.loads(ran(tmp_path, "--json").stdout)


def test_a_line_a_stage():
    stages = [
        StageProfile("reader", 1.5, 0.75, 1000.0, 2048.0, "lines"),
        StageProfile("reading", 0.5, 0.25, part=True),
        StageProfile("around it", 0.5, 0.25),
    ]
    assert profiled(RunProfile(stages, 2, 3 * 2**20)) == [
        "profile",
        "                   time  share     records/s       bytes/s  face",
        "  reader         1.50 s    75%         1,000     2.0 KiB/s  lines",
        "    reading      0.50 s    25%",
        "  around it      0.50 s    25%",
        "  2 checkpoints; memory of this process: 3.0 MiB at the most",
    ]
