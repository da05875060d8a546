"""What checkpoints cost: how it is kept, over all processes of a run, and what the schedule makes of it."""

from pathlib import Path
from typing import Any

import attrs
import pytest

import ozzy
from ozzy.builtin.formatters.json import JsonExportFormatter
from ozzy.options.settings import CheckpointSettings
from ozzy.run.runs import RunRecord
from ozzy.run.schedule import Schedule
from ozzy.run.state import shown
from ozzy.staging.state_files import read_json
from ozzy.testing import Abort, registry

PIPELINE = "cost"


class Sealed(JsonExportFormatter):
    """Lines in a file that can't be continued in another process."""

    resumable = False


def config(folder: Path, *faults: Any, **more: Any) -> dict[str, Any]:
    items = [{"id": number} for number in range(50)]
    return {
        "name": PIPELINE,
        "reader": {"name": "scripted", "options": {"items": [*items, *faults, *items], "batch_size": 10}},
        "writer": {"name": "fs", "options": {"filebase": f"{folder}/out/part", "compression": "none"}},
        "checkpoint": {"every_records": 20},
    } | more


def facts(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("state/*/*/run.json")
    found: dict[str, Any] = read_json(path)
    return found


def run(folder: Path, *faults: Any, resume: bool = False, **more: Any) -> Any:
    return ozzy.run(config(folder, *faults, **more), state_dir=folder / "state", resume=resume, registry=registry(sealed=Sealed))


def test_a_run_keeps_how_many_of_each_kind_it_took_and_their_seconds(tmp_path: Path) -> None:
    run(tmp_path)

    cost = facts(tmp_path)["checkpoints"]

    assert {kind: one["taken"] for kind, one in cost.items()} == {"light": 5, "full": 1}
    assert all(0 < one["seconds"] < facts(tmp_path)["seconds"] for one in cost.values())


def test_a_resumed_run_counts_those_of_the_process_before_too(tmp_path: Path) -> None:
    fault = Abort()
    with pytest.raises(ozzy.SourceError):
        run(tmp_path, fault)
    before = facts(tmp_path)
    assert before["checkpoints"]["light"]["taken"] == 2

    run(tmp_path, fault, resume=True)

    after = facts(tmp_path)
    assert {kind: one["taken"] for kind, one in after["checkpoints"].items()} == {"light": 5, "full": 1}
    assert 0 < after["checkpoints"]["light"]["seconds"] < after["seconds"]


def test_the_document_of_a_killed_run_tells_it(tmp_path: Path) -> None:
    with pytest.raises(ozzy.SourceError):
        run(tmp_path, Abort())
    (path,) = tmp_path.glob("state/*/*/run.json")

    told = shown(RunRecord(path.parent, read_json(path)))

    assert told["checkpoint"]["cost"]["light"]["taken"] == 2
    assert told["checkpoint"]["seconds"] > 0


def test_where_files_can_not_be_continued_each_one_is_full(tmp_path: Path) -> None:
    """And what a light one would be taken for gets a full one: the files are out at once."""
    fault = Abort()
    with pytest.raises(ozzy.SourceError):
        run(tmp_path, fault, formatter="sealed")
    assert [path.name for path in sorted((tmp_path / "out").glob("part*"))] == ["part0000.jl", "part0001.jl"]

    run(tmp_path, fault, resume=True, formatter="sealed")

    cost = facts(tmp_path)["checkpoints"]
    assert (cost["light"]["taken"], cost["full"]["taken"]) == (0, 6)
    assert sum(len(path.read_text().splitlines()) for path in (tmp_path / "out").glob("part*")) == 100


@attrs.define
class Clock:
    time: float = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize("cost", [0.01, 0.5, 3.0, 40.0])
def test_over_hours_the_default_schedule_keeps_to_its_share(cost: float) -> None:
    """Batches of a fifth of a second, and each checkpoint costs so much: together they are no more than 2 % of the run."""
    clock = Clock()
    schedule = Schedule(CheckpointSettings(), light=True, now=clock)
    spent, taken = 0.0, 0
    while clock.time < 6 * 3600:
        clock.time += 0.2
        if schedule.due(0) == "light":
            clock.time += cost
            spent, taken = spent + cost, taken + 1
            schedule.done("light", cost)

    assert spent / clock.time <= 0.02 + cost / clock.time
    assert taken >= 6 * 3600 / max(30.4 + cost, cost * 52)
