"""The suites of stats managers and notifiers, who are told how a run goes."""

import inspect
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from ozzy import BaseNotifier, BaseStatsManager, Metadata
from ozzy.contracts.report import CLIENTS, TEAM
from ozzy.testing.module import ModuleContract
from ozzy.testing.samples import UNICODE
from ozzy.testing.verdict import as_text

_STAGES = ("read", "filtered", "transformed", "filtered_after", "grouped", "written", "persisted")


def tell(method: Callable[..., Any], *arguments: Any) -> None:
    """Call a method with as many of the arguments as it takes, as a run does."""
    parameters = inspect.signature(method).parameters.values()
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        method(*arguments)
        return
    positional = [one for one in parameters if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD}]
    method(*arguments[: len(positional)])


class StatsManagerContract(ModuleContract):
    """What a stats manager promises: it takes what a run tells it, again and again, and changes none of it.

        class TestMeter(StatsManagerContract):
            module = MeterStatsManager

    It is told as a run tells it: with as many arguments as its methods take.
    """

    def stats(self) -> dict[str, Any]:
        """What modules have counted, as a run has it."""
        metadata = Metadata(configuration={"name": "sample"}, start_time=datetime(2024, 2, 29, tzinfo=UTC), working_folder=self.folder)
        metadata.per_module = {"reader": {"read_items": 12}, "writer": {"items_count": 12, UNICODE: UNICODE}, "filter": {}}
        return metadata.to_dict()

    def exercise(self, module: Any) -> Any:
        self.told(module, 3)

    def told(self, module: BaseStatsManager, batches: int) -> None:
        """Tell it of a whole run."""
        for number in range(batches):
            tell(module.iteration_report, dict.fromkeys(_STAGES, 0.001 * number), self.stats())
        tell(module.final_report, self.stats())

    def test_it_can_be_told_of_any_run(self) -> None:
        """A run of no batch, of one, of many; one whose stages are few or have names of their own."""
        for batches in (0, 1, 100):
            module = self.make()
            self.told(module, batches)
            module.close()
        module = self.make()
        for times in ({}, {"read": 0.5}, {"a stage of its own": 1e-9, UNICODE: 3600.0}):
            tell(module.iteration_report, times, {})
        tell(module.final_report, {})
        module.close()

    def test_it_changes_nothing_it_is_told(self) -> None:
        """Times and counts belong to the run."""
        times, stats = dict.fromkeys(_STAGES, 0.25), self.stats()
        before = deepcopy((times, stats))
        module = self.make()
        tell(module.iteration_report, times, stats)
        tell(module.final_report, stats)
        module.close()
        if (times, stats) != before:
            self.broken("it changes the times or counts it is told: take a copy")


class NotifierContract(ModuleContract):
    """What a notifier promises: it takes every message, to whomever it goes, and tells no more than it was told.

        class TestBell(NotifierContract):
            module = BellNotifier
            options = {"bell": "kitchen"}
            def sent(self):
                return read_messages(self.folder)

    `sent()`, if it is defined, gives what has arrived at the other end as texts; then the suite looks there.
    """

    def sent(self) -> list[str] | None:
        """What has arrived, as texts; None where a test can't see it."""
        return None

    def exercise(self, module: BaseNotifier) -> Any:
        self.told(module)
        return self.sent()

    def told(self, module: BaseNotifier, message: str = "it failed") -> None:
        """Tell it of a run that has failed and one that has succeeded."""
        tell(module.notify_start_dump, [CLIENTS, TEAM])
        tell(module.notify_failed_job, message, "Traceback …", [TEAM])
        tell(module.notify_complete_dump, [CLIENTS, TEAM])

    def test_it_takes_every_message(self) -> None:
        """Long ones, several lines, other scripts; to groups, addresses, and nobody in particular."""
        module = self.make()
        for receivers in ([CLIENTS, TEAM], [TEAM], [], None, ["ozzy@example.com"]):
            tell(module.notify_start_dump, receivers)
            tell(module.notify_complete_dump, receivers)
        for message in ("", "it failed", UNICODE, "x" * 100_000, "Subject: two\r\nBcc: lines"):
            tell(module.notify_failed_job, message, f"Traceback:\n  {message}", [TEAM])
        module.close()

    def test_what_it_is_told_arrives(self) -> None:
        """The reason why a run failed stands in what is sent."""
        module = self.make()
        self.told(module, "the well is dry")
        module.close()
        sent = self.sent()
        if sent is not None and not any("the well is dry" in text for text in sent):
            self.broken(f"the reason why a run failed is not in what it sends: {as_text(sent)[:200]}")
