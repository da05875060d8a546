"""`ozzy bookmark show` and `reset`."""

import json

import pytest


@pytest.fixture
def incremental(config, tmp_path):
    """A config that reads what is new in the folder `in`, with two files in it."""
    (tmp_path / "in").mkdir()
    for name in ("a.jl", "ö.jl"):
        (tmp_path / "in" / name).write_text('{"id":1}\n')
    return config(
        bookmark=True,
        reader={"name": "fs", "options": {"input": "in"}},
        writer={"name": "fs", "options": {"filebase": "out/x", "if_exists": "number"}},
    )


def test_without_a_bookmark_show_says_so(ozzy, incremental):
    told = ozzy("bookmark", "show", incremental)

    assert (told.code, told.out) == (0, "no run has left a bookmark yet: the next one reads everything\n")
    assert ozzy("bookmark", "show", incremental, "--json").json == {"run": None, "started": None, "reader": None, "file": None, "marks": []}


def test_show_tells_the_run_and_the_files(ozzy, incremental, tmp_path):
    ozzy("run", incremental)
    (run,) = ozzy("runs", "list", "--json").json
    lines = ozzy("bookmark", "show", incremental).out.splitlines()

    assert lines[0].startswith(f"The next run reads what is new or has changed since run {run['run']} of 20")
    assert lines[1].startswith("  marks of the reader fs: 2, in .ozzy/numbers-")
    assert [json.loads(line)["path"] for line in lines[2:]] == [str(tmp_path / "in" / name) for name in ("a.jl", "ö.jl")]


def test_show_as_json_has_every_mark(ozzy, incremental, tmp_path):
    ozzy("run", incremental)
    (run,) = ozzy("runs", "list", "--json").json
    told = ozzy("bookmark", "show", incremental, "--json").json

    assert (told["run"], told["started"], told["reader"]) == (run["run"], run["started"], "fs")
    assert [mark["path"] for mark in told["marks"]] == [str(tmp_path / "in" / name) for name in ("a.jl", "ö.jl")]


def test_many_marks_are_cut_unless_all_are_asked_for(ozzy, incremental, tmp_path):
    for number in range(30):
        (tmp_path / "in" / f"{number}.jl").touch()
    ozzy("run", incremental)

    lines = ozzy("bookmark", "show", incremental).out.splitlines()
    assert (len(lines), lines[-1]) == (23, "  … and 12 more: --all shows them")
    assert len(ozzy("bookmark", "show", incremental, "--all").out.splitlines()) == 34


def test_on_a_terminal_a_mark_is_one_line(ozzy, incremental, make_terminal):
    from ozzy.cli.main import call

    ozzy("run", incremental)
    screen = make_terminal("stdout", columns=60)
    call(["bookmark", "show", incremental])

    assert all(len(line) <= 60 for line in screen.getvalue().splitlines()[2:])


def test_reset_wants_to_be_told_that_it_is_meant(ozzy, incremental):
    ozzy("run", incremental)
    told = ozzy("bookmark", "reset", incremental)

    assert told.code == 2
    assert "the next run would export everything again; --yes says that this is meant" in told.err
    assert ozzy("bookmark", "show", incremental, "--json").json["run"] is not None


@pytest.mark.parametrize(("answer", "kept"), [("y\n", False), ("n\n", True)])
def test_on_a_terminal_reset_asks(ozzy, incremental, monkeypatch, answer, kept):
    import sys

    from ozzy.cli.main import call

    ozzy("run", incremental)
    keyboard = type("Keyboard", (), {"isatty": lambda _: True, "readline": lambda *_: answer, "read": lambda *_: answer})()
    monkeypatch.setattr(sys, "stdin", keyboard)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: answer.strip())
    code = call(["bookmark", "reset", incremental])
    monkeypatch.undo()

    assert code == (130 if kept else 0)


def test_reset_forgets_and_says_so(ozzy, incremental):
    ozzy("run", incremental)

    assert ozzy("bookmark", "reset", incremental, "--yes").out == "forgotten: the next run reads everything\n"
    assert ozzy("bookmark", "reset", incremental, "--yes").out == "there was no bookmark to forget\n"
    assert ozzy("run", incremental, "--json").json["records_read"] == 2
    assert ozzy("bookmark", "reset", incremental, "--yes", "--json").json == {"reset": True}


def test_the_state_folder_may_be_named(ozzy, incremental):
    ozzy("run", incremental, "--state-dir", "elsewhere")

    assert ozzy("bookmark", "show", incremental, "--json").json["run"] is None
    assert ozzy("bookmark", "show", incremental, "--json", "--state-dir", "elsewhere").json["run"] is not None
    assert ozzy("bookmark", "reset", incremental, "--yes", "--json", "--state-dir", "elsewhere").json == {"reset": True}


def test_explain_tells_where_a_run_starts(ozzy, incremental):
    assert "reads        everything: no run has left a bookmark yet\n" in ozzy("explain", incremental).out
    ozzy("run", incremental)
    assert "reads        what is new or has changed since run " in ozzy("explain", incremental).out


def test_the_summary_of_a_run_says_that_nothing_was_new(ozzy, incremental):
    ozzy("run", incremental)

    assert "note: nothing is new since run " in ozzy("run", incremental).err


def test_a_wrong_config_is_an_error(ozzy, config):
    told = ozzy("bookmark", "show", config(bookmark=True))

    assert told.code == 2
    assert "bookmark: the reader random can't tell what is new since the last run (leave it out)" in told.err
