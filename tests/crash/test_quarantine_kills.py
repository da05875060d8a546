"""Kill a run that keeps bad records, and then a replay of it, before every step on the disk: each record is where it belongs, once."""

import json
import os
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import ozzy
from ozzy.run.runs import StateFolder
from tests.bad_records.test_each_stage import config
from tests.crash.test_kill_everywhere import begun, contents, in_child, killed_at

EVERY = int(os.environ.get("KILL_EVERY", "11"))
STAGES = ("filter_before", "transform", "doubling", "filter_after", "grouper", "all.when", "formatter", "all", "other")
COUNT = 120


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Records of which one in five is bad, for every stage in turn; some are no JSON at all."""
    lines = []
    for number in range(COUNT):
        bad = STAGES[number // 5 % len(STAGES)] if number % 5 == 2 else None
        line = json.dumps({"id": number, "note": "x" * (number % 50), "bad": bad})
        lines.append(line[:-1] if number % 40 == 11 else line)
    path = tmp_path / "in.jl"
    path.write_text("\n".join(lines) + "\n")
    return path


def storm(folder: Path, source: Path, *, mended: bool = False) -> dict[str, Any]:
    made = config(folder, errors="quarantine", mended=mended)
    made["reader"]["options"] = {"input": str(source), "batch_size": 7}
    return made | {"checkpoint": {"every_records": 14, "full_every": {"records": 50}}}


def kept(state: Path) -> list[tuple[str, str, str]]:
    """What the runs in a state folder have kept, in order: stage, place and text."""
    found = [ozzy.quarantined(record.id, state_dir=state) for record in StateFolder(state).runs()]
    return [(one.stage, one.place, one.text) for quarantine in found for one in quarantine]


@pytest.mark.slow
def test_a_kill_before_any_step_loses_and_doubles_no_record_that_is_kept(source: Path, tmp_path: Path) -> None:
    calm, state = tmp_path / "calm", tmp_path / "calm-state"
    ozzy.run(storm(calm, source), state_dir=state)
    wanted, wanted_kept = contents(calm / "out"), kept(state)
    assert len(wanted_kept) > 25
    assert len({stage for stage, _, _ in wanted_kept}) == len(STAGES) + 1

    step = 1
    while True:
        out, state = tmp_path / f"out-{step}", tmp_path / f"state-{step}"
        run = partial(ozzy.run, storm(out, source), state_dir=state)
        status = in_child(killed_at(step, run))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        assert in_child(killed_at(step // 2 + 7, partial(run, resume=begun(state)))) in {0, -signal.SIGKILL}
        assert in_child(partial(run, resume=begun(state))) == 0

        assert contents(out / "out") == wanted, f"after a kill at step {step}"
        assert kept(state) == wanted_kept, f"after a kill at step {step}"
        step += EVERY
    assert step > 60


class Place:
    """A run that has kept records; `again()` puts everything back to the moment after it."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.out, self.state, self.saved = folder / "here", folder / "state", folder / "saved"
        self.config = storm(self.out, source)
        self.mended = storm(self.out, source, mended=True)
        for made in (self.config, self.mended):
            made["checkpoint"] = {"every_records": 4, "full_every": {"records": 10}}
        self.run = ozzy.run(self.config, state_dir=self.state).run_id
        for path in (self.out, self.state):
            shutil.copytree(path, self.saved / path.name)

    def again(self) -> None:
        for path in (self.out, self.state):
            shutil.rmtree(path)
            shutil.copytree(self.saved / path.name, path)

    def replay(self) -> None:
        ozzy.replay(self.run, config=self.mended, state_dir=self.state)

    def go_on(self) -> None:
        """Go on with the replay where one has begun, else begin one."""
        last = StateFolder(self.state).runs()[-1]
        if last.id == self.run:
            self.replay()
        else:
            ozzy.resume(last.id, state_dir=self.state)

    def left(self) -> list[str]:
        """What a replay has to find out: what is left here, and what is kept where."""
        return [f"{stage} {place} {text}" for stage, place, text in kept(self.state)]

    def delivered(self) -> list[str]:
        return sorted(line for path in (self.out / "out").rglob("*.jl") for line in path.read_text().splitlines())


@pytest.fixture
def place(source: Path, tmp_path: Path) -> Place:
    return Place(tmp_path, source)


@pytest.mark.slow
def test_a_replay_that_is_killed_anywhere_brings_each_record_once(place: Place) -> None:
    place.replay()
    wanted, left = contents(place.out / "out"), place.left()
    assert left
    assert all(one.startswith("reader") for one in left)

    step, after_the_end = 1, 0
    while True:
        place.again()
        status = in_child(killed_at(step, place.replay))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        after_the_end += contents(place.out / "out") == wanted
        assert in_child(killed_at(step // 2 + 7, place.go_on)) in {0, -signal.SIGKILL}
        assert in_child(place.go_on) == 0

        assert contents(place.out / "out") == wanted, f"after a kill at step {step}"
        assert place.left() == left, f"after a kill at step {step}"
        with pytest.raises(ozzy.StateError, match="there is nothing to replay"):
            place.replay()
        step += EVERY
    assert step > 60
    assert after_the_end > 2


@pytest.mark.slow
def test_a_replay_that_is_given_up_leaves_for_the_next_one_what_it_had_not_published(place: Place) -> None:
    place.replay()
    wanted, left = place.delivered(), sorted(place.left())

    step, halfway = 1, 0
    while True:
        place.again()
        before = place.delivered()
        if in_child(killed_at(step, place.replay)) == 0:
            break
        last = StateFolder(place.state).runs()[-1]
        if last.id != place.run:
            assert in_child(killed_at(step // 9 + 3, lambda last=last: given_up(place, last.id))) in {0, -signal.SIGKILL}
            given_up(place, last.id)
            halfway += before != place.delivered() != wanted
        if any(not one.startswith("reader") for one in place.left()):
            place.replay()

        assert place.delivered() == wanted, f"after a kill at step {step}"
        assert sorted({*place.left()}) == sorted({*left}), f"after a kill at step {step}"
        step += EVERY * 3
    assert halfway > 3


def given_up(place: Place, run: str) -> None:
    from ozzy import api

    api.abandon(run, state_dir=place.state)
