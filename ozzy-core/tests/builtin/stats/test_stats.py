"""The stats managers of the core say what they say to the log, and nothing secret."""

import logging

import pytest

from ozzy import Metadata
from ozzy.builtin.stats.basic import BasicStatsManager
from ozzy.builtin.stats.logging import LoggingStatsManager

TIMES = {"persisted": 0.25, "read": 1.5, "written": 2.0000004, "filtered": 0.0}


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.DEBUG, logger="ozzy")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def test_basic_is_quiet_until_the_end(said):
    BasicStatsManager().iteration_report(TIMES, {})
    assert said() == []


def test_basic_tells_at_the_end_what_modules_counted_but_not_the_config(said):
    metadata = Metadata(configuration={"reader": {"options": {"word": "hush-hush"}}})
    metadata.per_module["filter"] = {"filtered_out": 3}
    BasicStatsManager({}, metadata).final_report(metadata.to_dict())
    ((level, line),) = said()
    assert level == "DEBUG"
    assert "filter={'filtered_out': 3}" in line
    assert "hush-hush" not in line
    assert "configuration" not in line


def test_logging_tells_the_seconds_of_each_batch_in_the_order_of_the_stages(said):
    LoggingStatsManager().iteration_report(TIMES, {})
    ((level, line),) = said()
    assert level == "INFO"
    assert line.startswith("seconds of this batch")
    assert line.index("read=1.5") < line.index("filtered=0.0") < line.index("written=2.0") < line.index("persisted=0.25")
    assert "transformed" not in line


def test_logging_sums_up_at_the_end(said):
    manager = LoggingStatsManager()
    manager.iteration_report({"read": 1.0, "own_stage": 2.0}, {})
    manager.iteration_report({"read": 0.5, "written": 1.0}, {})
    manager.final_report({})
    level, line = said()[-1]
    assert level == "INFO"
    assert line.startswith("seconds of the run")
    assert line.index("read=1.5") < line.index("written=1.0") < line.index("own_stage=2.0")


def test_logging_of_a_run_without_batches(said):
    LoggingStatsManager().final_report({})
    ((_, line),) = said()
    assert line.startswith("seconds of the run")
    assert "=" not in line.replace("module=LoggingStatsManager", "")
