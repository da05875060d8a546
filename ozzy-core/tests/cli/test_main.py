"""The command itself: help, global options, errors and their codes."""

import json
import sys

import click
import pytest
from click.testing import CliRunner

from ozzy.cli import main
from ozzy.errors import (
    BooksError,
    ConfigError,
    DataError,
    DestinationError,
    Interrupted,
    OzzyError,
    PluginError,
    SourceError,
    StateError,
)


def test_help_names_every_command_and_teaches_a_first_config(ozzy):
    told = ozzy("--help")
    assert told.code == 0
    for name, (_, summary) in main.COMMANDS.items():
        assert f"  {name}" in told.out
        assert summary in told.out
    assert "    reader: {name: fs, options: {input: data}}\n" in told.out
    assert max(map(len, told.out.splitlines())) <= 80


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_help_in_eighty_columns_that_begins_with_its_line(ozzy, command):
    told = ozzy(command, "--help")
    assert told.code == 0
    assert max(map(len, told.out.splitlines())) <= 80
    made = main.Commands().get_command(click.Context(main.ozzy), command)
    assert made.short_help == main.COMMANDS[command][1]


@pytest.mark.parametrize("arguments", [[], ["runs"], ["plugins"]])
def test_a_group_alone_shows_its_help(ozzy, arguments):
    told = ozzy(*arguments)
    shown = told.err if told.code else told.out
    assert "Usage: ozzy" in shown
    assert "Commands:" in shown


def test_the_version_is_the_package_s(ozzy):
    from importlib.metadata import version

    assert ozzy("--version").out == f"ozzy, version {version('ozzy-core')}\n"


def test_an_unknown_command_is_a_usage_error_with_the_nearest(ozzy):
    told = ozzy("rum")
    assert told.code == 2
    assert "No such command 'rum'. Did you mean run?" in told.err


def test_a_command_that_is_like_no_other_is_a_usage_error(ozzy):
    told = ozzy("zzzzzz")
    assert told.code == 2
    assert "No such command 'zzzzzz'." in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "a", "b"],
        ["run", "c.json", "--limit", "0"],
        ["--log-level", "loud", "run", "c"],
        ["run", "c", "--set", "x"],
        ["run", "c", "--nope"],
    ],
)
def test_wrong_arguments_are_a_usage_error(ozzy, arguments):
    told = ozzy(*arguments)
    assert told.code == 2
    assert "Error:" in told.err
    assert "Usage: ozzy" in told.err


def test_a_wrong_override_does_not_show_its_value(ozzy):
    told = ozzy("run", "c.json", "--set", "=hidden-value")
    assert told.code == 2
    assert "hidden-value" not in told.err


def test_global_options_may_stand_after_the_command(ozzy, config):
    before, after = ozzy("--log-format", "json", "run", "none.json"), ozzy("run", "none.json", "--log-format=json")
    assert before == after
    assert json.loads(after.err)["exit_code"] == 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["run", "c", "--debug"], ["--debug", "run", "c"]),
        (["run", "--log-level", "info", "c"], ["--log-level", "info", "run", "c"]),
        (["run", "--log-level=info", "c"], ["--log-level=info", "run", "c"]),
        (["run", "--", "--debug"], ["run", "--", "--debug"]),
        (["run", "c", "--log-level"], ["--log-level", "run", "c"]),
        ([], []),
    ],
)
def test_global_options_are_put_first(given, expected):
    assert main._globals_first(given) == expected


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OzzyError("x"), 1),
        (ConfigError("x"), 2),
        (PluginError("x"), 3),
        (SourceError("x"), 4),
        (DataError("x"), 5),
        (DestinationError("x"), 6),
        (StateError("x"), 7),
        (BooksError("x"), 8),
        (Interrupted("x"), 130),
        (Interrupted("x", code=143), 143),
        (ValueError("x"), 1),
    ],
)
def test_every_error_has_its_exit_code(capsys, error, code):
    assert main.told(error, debug=False, log={"format": "people"}) == code
    assert capsys.readouterr().err.startswith("error: ")


def failing(monkeypatch, error):
    @click.command()
    def fail():
        raise error

    monkeypatch.setattr(main.Commands, "get_command", lambda *_: fail)


def test_an_error_is_one_message_without_a_traceback(ozzy, monkeypatch):
    failing(monkeypatch, SourceError("the file a is gone", hint="Put it back."))
    told = ozzy("run")
    assert (told.code, told.out, told.err) == (4, "", "error: the file a is gone\nPut it back.\n")


def test_debug_shows_the_traceback_and_the_error_it_came_from(ozzy, monkeypatch):
    error = SourceError("the file a is gone")
    error.__cause__ = FileNotFoundError("a")
    failing(monkeypatch, error)
    told = ozzy("--debug", "run")
    assert told.code == 4
    assert "Traceback (most recent call last)" in told.err
    assert "FileNotFoundError: a" in told.err
    assert told.err.endswith("error: the file a is gone\n")


def test_a_bug_is_called_one_and_says_how_to_see_more(ozzy, monkeypatch):
    failing(monkeypatch, KeyError("x"))
    assert ozzy("run").err == "error: this is a bug in ozzy or in a plugin: KeyError: 'x'\n`ozzy --debug …` shows the traceback.\n"


@pytest.mark.parametrize(
    "arguments", [["run"], ["--debug", "run"], ["--log-format", "json", "run"], ["--debug", "--log-format", "json", "run"]]
)
def test_no_error_shows_a_secret(ozzy, monkeypatch, arguments):
    from ozzy.log import remember

    remember('hunter2-"quoted"')
    error = SourceError('no way in with hunter2-"quoted"')
    error.__cause__ = ValueError('login hunter2-"quoted" failed')
    failing(monkeypatch, error)
    told = ozzy(*arguments)
    assert "hunter2" not in told.err
    assert "no way in with ***" in told.err


def test_with_json_logs_the_error_is_one_json_line(ozzy, monkeypatch):
    failing(monkeypatch, StateError("held", hint="Wait."))
    told = ozzy("--log-format", "json", "run")
    assert json.loads(told.err) == {"level": "error", "event": "held\nWait.", "error": "StateError", "exit_code": 7}


def test_with_json_logs_and_debug_the_traceback_is_in_the_line(ozzy, monkeypatch):
    failing(monkeypatch, StateError("held"))
    told = ozzy("--debug", "--log-format", "json", "run")
    assert json.loads(told.err)["exception"].endswith("StateError: held\n")


def test_ctrl_c_outside_of_a_run_ends_with_130(ozzy, monkeypatch):
    failing(monkeypatch, KeyboardInterrupt())
    told = ozzy("run")
    assert told.code == 130
    assert told.err.endswith("stopped\n")


def test_output_that_nobody_reads_is_no_error(ozzy, monkeypatch):
    failing(monkeypatch, BrokenPipeError())
    assert ozzy("run") == type(ozzy("run"))(0, "", "")


def test_the_commands_work_in_click_s_own_runner():
    result = CliRunner().invoke(main.ozzy, ["--help"], obj={})
    assert result.exit_code == 0


def test_main_leaves_with_the_exit_code(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ozzy", "run", "none.json"])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: there is no config file none.json")


def test_python_m_ozzy_is_the_command(monkeypatch, capsys):
    import runpy

    monkeypatch.setattr(sys, "argv", ["ozzy", "--version"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("ozzy", run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("ozzy, version ")


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        ("bash", "complete -o nosort -F _ozzy_completion ozzy"),
        ("zsh", "compdef _ozzy_completion ozzy"),
        ("fish", "complete --no-files --command ozzy"),
    ],
)
def test_completion_prints_a_script(ozzy, shell, expected):
    told = ozzy("completion", shell)
    assert told.code == 0
    assert expected in told.out


@pytest.mark.parametrize(
    ("words", "count", "expected"), [("ozzy ru", 1, ["run", "runs"]), ("ozzy run --re", 2, ["--resume", "--resume-auto"])]
)
def test_the_script_completes_commands_and_options(monkeypatch, capsys, words, count, expected):
    monkeypatch.setenv("_OZZY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(count))
    with pytest.raises(SystemExit):
        main.call([])
    assert [line.partition(",")[2] for line in capsys.readouterr().out.split()] == expected


def test_schema_prints_a_json_schema(ozzy):
    assert ozzy("schema").json["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_pipe_that_was_closed_before_the_end_leaves_no_complaint_at_exit(monkeypatch, tmp_path):
    import os

    class Closed:
        def __init__(self, file):
            self.file = file

        def flush(self):
            raise BrokenPipeError

        def fileno(self):
            return self.file.fileno()

    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", Closed(file))
        main._end_output()
        os.write(file.fileno(), b"lost")
    assert (tmp_path / "out").read_bytes() == b""


def test_a_closed_standard_error_changes_no_exit_code(tmp_path):
    import subprocess

    done = subprocess.run(["sh", "-c", f"{sys.executable} -m ozzy run missing.yaml 2>&-"], cwd=tmp_path, check=False)
    assert done.returncode == 2


def test_ctrl_c_while_the_command_is_still_being_loaded_leaves_no_traceback(monkeypatch, capsys):
    from ozzy.__main__ import main as entry

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "main", interrupted)
    with pytest.raises(SystemExit) as left:
        entry()

    assert left.value.code == 130
    assert capsys.readouterr().err == ""
