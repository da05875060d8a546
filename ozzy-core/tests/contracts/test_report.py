from ozzy.contracts.report import CLIENTS, TEAM, BaseNotifier, BaseStatsManager


def test_a_notifier_needs_no_method():
    notifier = BaseNotifier()

    assert notifier.notify_start_dump([CLIENTS, TEAM]) is None
    assert notifier.notify_complete_dump() is None
    assert notifier.notify_failed_job("it broke", "trace", [TEAM]) is None
    assert notifier.kind == "notifications"
    assert CLIENTS != TEAM


def test_a_stats_manager_needs_no_method():
    manager = BaseStatsManager()

    assert manager.iteration_report({"read": 0.1}, {}) is None
    assert manager.final_report({}) is None
    assert manager.kind == "stats_manager"
