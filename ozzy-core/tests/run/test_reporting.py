import pytest

from ozzy.contracts.module import Metadata
from ozzy.contracts.report import CLIENTS, TEAM, BaseNotifier, BaseStatsManager
from ozzy.log import remember
from ozzy.run.reporting import Reporting


class Notes(BaseNotifier):
    def __init__(self, fails=()):
        super().__init__()
        self.fails = fails
        self.told = []

    def notify_start_dump(self, receivers=None):
        self.note("start", receivers)

    def notify_complete_dump(self, receivers=None):
        self.note("complete", receivers)

    def notify_failed_job(self, msg, stack_trace, receivers=None):
        self.note("failed", (msg, stack_trace, receivers))

    def note(self, what, value):
        self.told.append((what, value))
        if what in self.fails:
            raise ConnectionError("no line to hunter22secret")


class Stats(BaseStatsManager):
    def __init__(self):
        super().__init__()
        self.told = []

    def iteration_report(self, times, stats):
        self.told.append((times, stats["configuration"]))

    def final_report(self, stats):
        self.told.append(stats["configuration"])


class OldStats(Stats):
    def iteration_report(self, times):
        self.told.append(times)

    def final_report(self):
        self.told.append("end")


class AnyStats(Stats):
    def iteration_report(self, *args, **more):
        self.told.append(len(args))

    def final_report(self, stats, *, loud=True):
        self.told.append(loud)


def reporting(stats=None, *notifiers):
    return Reporting(stats or Stats(), list(notifiers), Metadata(configuration={"c": 1}))


def test_notifiers_are_told_of_start_end_and_failure():
    notes = Notes()
    told = reporting(None, notes)
    told.started()
    told.completed()
    told.failed("it broke", "trace")

    assert notes.told == [("start", [CLIENTS, TEAM]), ("complete", [CLIENTS, TEAM]), ("failed", ("it broke", "trace", [TEAM]))]
    assert told.notices == []


@pytest.mark.parametrize(
    ("stats", "expected"), [(Stats(), [({"read": 1.0}, {"c": 1}), {"c": 1}]), (OldStats(), [{"read": 1.0}, "end"]), (AnyStats(), [2, True])]
)
def test_a_stats_manager_is_given_as_much_as_it_takes(stats, expected):
    told = reporting(stats)
    told.iteration({"read": 1.0})
    told.completed()

    assert stats.told == expected


def test_one_that_fails_is_reported_once_and_left_alone(caplog):
    remember("hunter22secret")
    broken, sound = Notes(["start"]), Notes()
    told = reporting(None, broken, sound)
    told.started()
    told.completed()
    told.failed("it broke", "trace")

    assert [what for what, _ in broken.told] == ["start"]
    assert [what for what, _ in sound.told] == ["start", "complete", "failed"]
    assert told.notices == ["notifications Notes failed and was not called again: ConnectionError: no line to ***"]
    assert caplog.text.count("it failed and is not called again") == 1


def test_a_failing_stats_manager_is_never_fatal():
    class Broken(BaseStatsManager):
        def iteration_report(self, times, stats):
            raise KeyError("x")

    told = reporting(Broken())
    for _ in range(3):
        told.iteration({})
    told.completed()

    assert told.notices == ["stats_manager Broken failed and was not called again: KeyError: 'x'"]
