"""Modules of a plugin that lose, double or miscount records: the books, or a look at what a module gives, find it out."""

import pytest

from tests.faults.conftest import Report
from tests.faults.scene import Scene, Told

MODULES = "tests.faults.wrong"


def stopped(scene: Scene, section: str, name: str, code: int) -> Told:
    """What a run with this module says. Nothing that is wrong is published, and with a right one in its place the run goes on."""
    scene.changes["checkpoint"] = {"every_records": 20}
    if section == "writer":
        scene.changes["writer"] = {"name": f"{MODULES}:{name}", "options": {"filebase": f"{scene.out}/part"}}
    else:
        scene.changes[section] = f"{MODULES}:{name}"
    told = scene.run()
    assert told.code == code, told.err
    assert scene.files() == {}, "something was published"
    assert "odule" in told.hint or "position" in told.hint or "instead" in told.hint or "JSON" in told.hint, told.err
    return told


def begin_anew(scene: Scene, section: str) -> None:
    """With the module mended, or without it: all records come, once."""
    del scene.changes[section]
    scene.go_on("--fresh")


@pytest.mark.fault("A writer loses a record")
def test_writer_loses(scene: Scene, report: Report) -> None:
    told = stopped(scene, "writer", "LosesARecord", 8)

    report(told, "stops at the checkpoint after it; nothing of that checkpoint is published", "mend the module, `--fresh`")
    begin_anew(scene, "writer")


@pytest.mark.fault("A writer writes a record twice")
def test_writer_doubles(scene: Scene, report: Report) -> None:
    told = stopped(scene, "writer", "WritesTwice", 8)

    report(told, "stops at the checkpoint after it; nothing of that checkpoint is published", "mend the module, `--fresh`")
    begin_anew(scene, "writer")


@pytest.mark.fault("A writer counts wrongly")
def test_writer_miscounts(scene: Scene, report: Report) -> None:
    told = stopped(scene, "writer", "CountsWrongly", 8)

    report(told, "stops at its first checkpoint; nothing is published", "mend the module, `--fresh`")
    begin_anew(scene, "writer")


@pytest.mark.fault("A formatter leaves a row out")
def test_formatter_loses(scene: Scene, report: Report) -> None:
    told = stopped(scene, "formatter", "TooFewRows", 8)

    report(told, "stops at the checkpoint after it; nothing of that checkpoint is published", "mend the module, `--fresh`")
    begin_anew(scene, "formatter")


@pytest.mark.fault("A transform that says it is one to one drops a record")
def test_transform_drops(scene: Scene, report: Report) -> None:
    told = stopped(scene, "transform", "Drops", 8)

    report(told, "stops at the checkpoint after it; nothing of that checkpoint is published", "mend the module, `--fresh`")
    begin_anew(scene, "transform")


@pytest.mark.fault("A transform that says it is one to one gives a record twice")
def test_transform_doubles(scene: Scene, report: Report) -> None:
    told = stopped(scene, "transform", "Doubles", 8)

    report(told, "stops at the checkpoint after it; nothing of that checkpoint is published", "mend the module, `--fresh`")
    begin_anew(scene, "transform")


@pytest.mark.fault("A grouper gives fewer groups than records")
def test_grouper_with_too_few_keys(scene: Scene, report: Report) -> None:
    told = stopped(scene, "grouper", "TooFewKeys", 5)

    report(told, "stops at that batch, before it goes on", "mend the module, `--fresh`")
    begin_anew(scene, "grouper")


@pytest.mark.fault("A filter gives a mask that is too short")
def test_filter_with_a_short_mask(scene: Scene, report: Report) -> None:
    told = stopped(scene, "filter", "ShortMask", 5)

    report(told, "stops at that batch, before it goes on", "mend the module, `--fresh`")
    begin_anew(scene, "filter")


@pytest.mark.fault("A reader gives records and does not move its position")
def test_reader_that_stands_still(scene: Scene, report: Report) -> None:
    told = stopped(scene, "reader", "StandsStill", 3)

    report(told, "stops at that batch, before it goes on", "mend the module, `--fresh`")
    begin_anew(scene, "reader")


@pytest.mark.fault("A stage remembers what can't be saved")
def test_stage_that_can_not_be_saved(scene: Scene, report: Report) -> None:
    told = stopped(scene, "filter", "CannotRemember", 7)

    report(told, "stops at its first checkpoint; nothing is published", "mend the module, `--fresh`")
    begin_anew(scene, "filter")


@pytest.mark.fault("A module ends the program with exit code 0")
def test_module_that_ends_the_program(scene: Scene, report: Report) -> None:
    told = stopped(scene, "filter", "Ends", 3)

    report(told, "the run has failed, and says so", "mend the module, `--fresh`")
    begin_anew(scene, "filter")
