"""The line that is redrawn while a run lasts, and the summary at its end."""

import time

import pytest

from ozzy.cli import progress
from ozzy.cli.progress import ProgressLine, Shown, summary, told
from ozzy.cli.style import width_of
from ozzy.run.listener import Progress
from ozzy.run.result import FileResult, Result, StageResult


def at(read, **more):
    return Progress(**{"records_read": read, "records_written": read // 2, "bytes_read": read * 100, "files": 2, "seconds": 2.0} | more)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(time, "monotonic", lambda: Clock.now)
    return Clock


def test_the_line_tells_records_rate_bytes_files_and_time():
    assert told(at(12000)) == "12,000 read · 6,000 written · 6,000/s · 1.1 MiB, 585.9 KiB/s · 2 files · 2.00 s"


def test_what_is_not_known_is_left_out():
    assert told(at(10, bytes_read=0, files=0, seconds=0)) == "10 read · 5 written · 10,000/s · 0.00 s"


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (79, "12,000 read · 6,000 written · 6,000/s · 1.1 MiB, 585.9 KiB/s · 2 files · 2.00 s"),
        (70, "12,000 read · 6,000 written · 6,000/s · 1.1 MiB, 585.9 KiB/s · 2.00 s"),
        (50, "12,000 read · 6,000 written · 6,000/s · 2.00 s"),
        (35, "12,000 read · 6,000/s · 2.00 s"),
        (25, "12,000 read · 6,000/s"),
        (11, "12,000 read"),
        (5, "12,0…"),
    ],
)
def test_a_narrow_terminal_is_told_what_matters_most(width, expected):
    assert told(at(12000), width) == expected


def test_on_a_terminal_one_line_is_redrawn_and_taken_away(make_terminal, clock):
    terminal = make_terminal("stderr")
    line = ProgressLine()
    line.run_started("r", "p", resumed=False)
    line.batch_done(at(12000))
    clock.now += 0.1
    line.batch_done(at(12500))
    clock.now += 0.2
    line.batch_done(at(13, seconds=0.1))
    line.clear()
    line.clear()
    first, second, blank, end = terminal.getvalue().split("\r")[1:]
    assert first == told(at(12000), 79)
    assert second.rstrip() == told(at(13, seconds=0.1), 79)
    assert len(second) == width_of(first)
    assert (blank.strip(), end) == ("", "")


def test_elsewhere_there_is_a_plain_line_every_ten_seconds(capsys, clock):
    line = ProgressLine()
    line.batch_done(at(1))
    clock.now += 10
    line.batch_done(at(2))
    clock.now += 9.9
    line.batch_done(at(3))
    clock.now += 0.1
    line.batch_done(at(4))
    line.clear()
    assert capsys.readouterr().err.splitlines() == [told(at(2)), told(at(4))]


def test_there_is_no_line_in_the_midst_of_records_on_the_same_terminal(make_terminal, clock):
    terminal = make_terminal("stderr")
    make_terminal("stdout")
    line = ProgressLine()
    line.run_started("r", "p", resumed=False, prints=True)
    line.batch_done(at(1))
    assert terminal.getvalue() == ""


def test_records_that_go_to_a_file_leave_the_line_alone(make_terminal, clock):
    terminal = make_terminal("stderr")
    line = ProgressLine()
    line.run_started("r", "p", resumed=False, prints=True)
    line.batch_done(at(1))
    assert "1 read" in terminal.getvalue()


def test_a_resumed_run_says_so(capsys):
    ProgressLine().run_started("r7", "p", resumed=True)
    assert capsys.readouterr().err == "going on with run r7\n"


def test_a_run_of_which_nothing_is_shown_still_knows_whether_it_prints(capsys):
    shown = Shown()
    shown.run_started("r", "p", resumed=True, prints=True)
    shown.clear()
    assert (shown.prints, capsys.readouterr()) == (True, ("", ""))


def result(**more):
    return Result(
        **{
            "run_id": "r7",
            "pipeline": "p",
            "state": "finished",
            "counts": {
                "reader": StageResult(2000, 2000),
                "filter_before": StageResult(2000, 700, {"filtered": 1290, "bad": 10}),
                "writer": StageResult(700, 700),
            },
            "files": [FileResult("a.jl", 700, 2048, "00", "writer", "/elsewhere/a.jl")],
            "duration": 4.0,
            "checkpoints": 3,
            "times": {"reader": 1.0, "filter_before": 2.0, "writer": 0.5, "checkpoints": 0.5},
            "records_read": 2000,
            "records_written": 700,
            "bytes_read": 4096,
            "notices": ["something to know"],
        }
        | more
    )


def test_the_summary_tells_counts_times_files_and_the_stage_the_run_was_bound_by():
    assert summary(result()).splitlines() == [
        "run r7 finished in 4.00 s",
        "2,000 records read (500/s), 700 written, 4.0 KiB in, 3 checkpoints",
        "  reader               2,000 in        2,000 out      1.00 s  25%",
        "  filter_before        2,000 in          700 out      2.00 s  50%",
        "                                  1,290 filtered",
        "                                          10 bad",
        "  writer                 700 in          700 out      0.50 s  12%",
        "  checkpoints                                         0.50 s  12%",
        "  the run was bound by filter_before: 50% of its time",
        "1 file, 2.0 KiB:",
        "            700 rows    2.0 KiB  /elsewhere/a.jl",
        "note: something to know",
    ]


def test_a_summary_of_large_numbers_stays_within_eighty_columns():
    many = {"transform.10": StageResult(10**12, 10**12, {"quarantined": 10**11})}
    lines = summary(result(counts=many, times={"transform.10": 360000.0}, files=[], duration=10.0**6)).splitlines()
    assert max(map(len, lines)) <= 80


def test_a_dry_run_tells_what_would_be_written():
    lines = summary(result(state="dry run", notices=[])).splitlines()
    assert lines[0] == "dry run, nothing was written in 4.00 s"
    assert lines[1] == "2,000 records read (500/s), 700 written, 4.0 KiB in"
    assert lines[-2:] == ["1 file would be written:", "            700 rows  /elsewhere/a.jl"]


def test_a_run_that_has_finished_before_says_so_with_its_files():
    lines = summary(result(state="already finished", notices=[], times={})).splitlines()
    assert lines == [
        "run r7 has finished already: 700 records written; there is nothing to go on with",
        "1 file, 2.0 KiB:",
        "            700 rows    2.0 KiB  /elsewhere/a.jl",
    ]


@pytest.mark.parametrize(("state", "last"), [("finished", "              3 more: ozzy runs show r7"), ("dry run", "              3 more")])
def test_many_files_are_cut_short(state, last):
    files = [FileResult(f"{n}.jl", n, 1, "00", "writer") for n in range(13)]
    lines = summary(result(state=state, files=files, notices=[])).splitlines()
    assert lines[-1] == last
    assert lines[-2].endswith("  9.jl")


def test_a_run_that_read_nothing_was_bound_by_nothing():
    assert "bound" not in summary(result(records_read=0))


def test_a_run_that_measured_nothing_was_bound_by_nothing():
    assert "bound" not in summary(result(times={}, counts={}, files=[], duration=0.0))


def test_a_path_below_the_working_folder_is_told_without_it(tmp_path):
    assert progress.short_path(str(tmp_path / "out" / "a.jl")) == "out/a.jl"
    assert progress.short_path("/elsewhere/a.jl") == "/elsewhere/a.jl"
    assert progress.short_path("a name") == "a name"


def test_the_rate_is_that_of_this_process_after_a_resume():
    assert told(at(1_000_500, records_before=1_000_000)).split(" · ")[2] == "250/s"
