"""The soak of tests/crash/soak.py, short; and what it is made of."""

import os
import random
from itertools import islice
from pathlib import Path

import pytest

from tests.crash import soak
from tests.crash.cases import axes, cases, left_out

if not hasattr(os, "pidfd_open"):
    pytest.skip("needs fork() and pidfd_open()", allow_module_level=True)

KILLS = int(os.environ.get("OZZY_TEST_SOAK_KILLS", "60"))


@pytest.mark.slow
def test_pipelines_of_all_sorts_killed_at_random_moments_leave_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    status = soak.main(["--kills", str(KILLS), "--seed", "7"])
    told = capsys.readouterr().out

    assert status == 0, told
    total = next(line for line in told.splitlines() if "**all" in line)
    assert int(total.split("|")[2]) >= KILLS


def test_every_formatter_and_grouper_takes_part() -> None:
    assert left_out(axes()) == {}, "give it a line in SETTINGS of tests/crash/cases.py"


def test_each_choice_comes_as_often_as_any_other_of_its_axis() -> None:
    drawn = list(islice(cases(axes(), random.Random(1)), 210))

    for axis, choices in axes().items():
        counts = [sum(one.choices[axis] == choice for one in drawn) for choice in choices]
        assert max(counts) - min(counts) <= 1, axis


def test_a_difference_fails_the_soak_and_says_how_to_meet_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose bytes are not those of the undisturbed one, since every file gets a byte more each time it is looked at."""
    seen = iter(range(100))
    monkeypatch.setattr(soak, "contents", lambda folder: {"x": bytes([next(seen)])})
    one = soak.Soak(tmp_path, kills=1, seed=3)

    one.run()

    assert one.total["differences"] == 1
    assert one.different[0].startswith("case 0 of seed 3 (formatter: ")
    assert "different: ['x']" in one.different[0]
    assert list(one.table())[-1].endswith("| 1 |")


def test_a_run_that_fails_is_told(tmp_path: Path) -> None:
    assert soak.run_in_child(lambda: 1 / 0, tmp_path) == 99
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()
