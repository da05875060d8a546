import pytest

from ozzy.contracts.module import Metadata, RunOutcome
from ozzy.contracts.report import CLIENTS, TEAM, BaseNotifier, BaseStatsManager
from ozzy.log import remember
from ozzy.options.settings import NotifyWhen
from ozzy.run.reporting import Reporting

DONE = RunOutcome("orders", "finished", records_read=10, records_written=8, bad_records=2, seconds=3.5)
FAILED = RunOutcome("orders", "failed")


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
    told = [one if isinstance(one, tuple) else (one, None) for one in notifiers]
    return Reporting(stats or Stats(), told, Metadata(configuration={"c": 1}))


def test_notifiers_are_told_of_start_end_and_failure():
    notes = Notes()
    told = reporting(None, notes)
    told.started()
    told.completed(DONE)
    told.failed("it broke", "trace", FAILED)

    assert notes.told == [("start", [CLIENTS, TEAM]), ("complete", [CLIENTS, TEAM]), ("failed", ("it broke", "trace", [TEAM]))]
    assert told.notices == []


@pytest.mark.parametrize(
    ("stats", "expected"), [(Stats(), [({"read": 1.0}, {"c": 1}), {"c": 1}]), (OldStats(), [{"read": 1.0}, "end"]), (AnyStats(), [2, True])]
)
def test_a_stats_manager_is_given_as_much_as_it_takes(stats, expected):
    told = reporting(stats)
    told.iteration({"read": 1.0})
    told.completed(DONE)

    assert stats.told == expected


def test_one_that_fails_is_reported_and_told_of_the_end_all_the_same(caplog):
    remember("hunter22secret")
    broken, sound = Notes(["start"]), Notes()
    told = reporting(None, broken, sound)
    told.started()
    told.completed(DONE)
    told.failed("it broke", "trace", FAILED)

    assert [what for what, _ in broken.told] == ["start", "complete", "failed"]
    assert [what for what, _ in sound.told] == ["start", "complete", "failed"]
    assert told.notices == ["notifications Notes failed to tell of the start: ConnectionError: no line to ***"]
    assert caplog.text.count("it failed to tell of the start") == 1


def test_each_event_that_was_not_told_is_reported():
    told = reporting(None, Notes(["start", "complete", "failed"]))
    told.started()
    told.completed(DONE)
    told.failed("it broke", "trace", FAILED)

    events = ("the start", "the end", "the failure")
    assert told.notices == [
        f"notifications Notes failed to tell of {event}: ConnectionError: no line to hunter22secret" for event in events
    ]


def test_a_failing_stats_manager_is_never_fatal():
    class Broken(BaseStatsManager):
        def iteration_report(self, times, stats):
            raise KeyError("x")

    told = reporting(Broken())
    for _ in range(3):
        told.iteration({})
    told.completed(DONE)

    assert told.notices == ["stats_manager Broken failed and was not called again: KeyError: 'x'"]


@pytest.mark.parametrize(
    ("when", "reasons"),
    [
        (NotifyWhen(slower_than=3), ["it took 3.5 s, more than 3 s"]),
        (NotifyWhen(slower_than=3.5), None),
        (NotifyWhen(fewer_records_than=9), ["it wrote 8 records, fewer than 9"]),
        (NotifyWhen(fewer_records_than=8), None),
        (NotifyWhen(more_bad_records_than=1), ["it refused 2 bad records, more than 1"]),
        (NotifyWhen(more_bad_records_than=2), None),
        (NotifyWhen(more_bad_records_than=0, slower_than=1), ["it took 3.5 s, more than 1 s", "it refused 2 bad records, more than 0"]),
        (NotifyWhen(failed=True), None),
    ],
)
def test_with_thresholds_only_a_run_that_passes_one_is_told(when, reasons):
    class Reasons(Notes):
        def notify_complete_dump(self, receivers=None):
            self.note("complete", list(self.metadata.outcome.reasons))

    notes, always = Reasons(), Notes()
    told = reporting(None, (notes, when), always)
    notes.metadata = told.metadata
    told.started()
    told.completed(DONE)

    assert notes.told == ([] if reasons is None else [("complete", reasons)])
    assert [what for what, _ in always.told] == ["start", "complete"]


def test_with_thresholds_a_failure_is_told_where_it_is_one():
    for_failures, for_slow_ones = Notes(), Notes()
    told = reporting(None, (for_failures, NotifyWhen(failed=True)), (for_slow_ones, NotifyWhen(slower_than=0)))
    told.failed("it broke", "trace", FAILED)

    assert [what for what, _ in for_failures.told] == ["failed"]
    assert for_slow_ones.told == []
