"""The settings of a config that belong to no module."""

import pytest

from ozzy.options.settings import (
    KEYS,
    WITHOUT_MEANING,
    CheckpointSettings,
    ErrorSettings,
    ExporterOptions,
    FullEvery,
)
from ozzy.options.structure import examine, structured


def problems(settings, values):
    return [str(one) for one in examine(settings, values, path="p", environ={}).problems]


def test_defaults():
    assert structured(ErrorSettings, {}) == ErrorSettings(policy="fail", limit=None)
    assert structured(CheckpointSettings, {}) == CheckpointSettings(staged_limit=4 * 2**30)
    assert structured(ExporterOptions, {}) == ExporterOptions()


def test_checkpoints_take_sizes_with_units():
    found = structured(CheckpointSettings, {"every_bytes": "64 MiB", "staged_limit": 5, "full_every": {"bytes": "1 GiB", "records": 3}})
    assert found == CheckpointSettings(every_bytes=64 * 2**20, staged_limit=5, full_every=FullEvery(records=3, bytes=2**30))


@pytest.mark.parametrize(
    ("settings", "values", "expected"),
    [
        (ErrorSettings, {"policy": "ignore"}, 'p.policy: expected one of "fail", "skip", "quarantine", given "ignore" (str)'),
        (ErrorSettings, {"limit": -1}, "p.limit: expected int of at least 0, or null, given -1 (int)"),
        (CheckpointSettings, {"every_records": 0}, "p.every_records: expected int of at least 1, or null, given 0 (int)"),
        (CheckpointSettings, {"full_every": {}}, "p.full_every: expected records, bytes or both"),
        (CheckpointSettings, {"full_every": 5}, "p.full_every: expected dict or null, given 5 (int)"),
        (CheckpointSettings, {"every": 5}, "p.every: unknown option (did you mean full_every or every_bytes?)"),
        (ExporterOptions, {"threaded": "yes"}, 'p.threaded: expected true or false, given "yes" (str)'),
        (ExporterOptions, {"thread_queue_size": 0}, "p.thread_queue_size: expected int of at least 1, given 0 (int)"),
        (ExporterOptions, {"formater": {}}, "p.formater: unknown option (did you mean formatter?)"),
    ],
)
def test_what_is_wrong_is_told(settings, values, expected):
    (problem,) = problems(settings, values)
    assert problem.startswith(expected)


def test_every_key_stands_once():
    assert len(KEYS) == len(set(KEYS))
    assert {"reader", "writer", "errors", "checkpoint", "exporter_options", "delivery", "name", "bookmark"} <= set(KEYS)


def test_options_without_meaning_are_among_the_eleven():
    import attrs

    names = {one.name for one in attrs.fields(ExporterOptions)}
    assert len(names) == 11
    assert set(WITHOUT_MEANING) <= names
