"""Telling stats managers and notifiers how a run goes. One that fails is reported, and never ends a run.

A notifier that could not tell of the start is called at the end all the same, since that is what people wait for. A stats manager, which
is called for each batch, is left alone once it has failed.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from ozzy.contracts.module import Metadata, RunOutcome
from ozzy.contracts.report import CLIENTS, TEAM, BaseNotifier, BaseStatsManager
from ozzy.errors import OzzyError
from ozzy.log import reason
from ozzy.options.settings import NotifyWhen

_EVENTS: Final = {
    "notify_start_dump": "the start",
    "notify_complete_dump": "the end",
    "notify_failed_job": "the failure",
}


class Reporting:
    """The stats manager and notifiers of one run. What went wrong with them is in `notices`."""

    def __init__(
        self,
        stats_manager: BaseStatsManager,
        notifiers: Sequence[tuple[BaseNotifier, NotifyWhen | None]],
        metadata: Metadata,
    ) -> None:
        self.stats_manager = stats_manager
        self.notifiers = notifiers
        self.metadata = metadata
        self.notices: list[str] = []
        self._left_alone: set[int] = set()

    def started(self) -> None:
        """A run has started."""
        for notifier, when in self.notifiers:
            if when is None:
                self._tell(notifier, notifier.notify_start_dump, [CLIENTS, TEAM])

    def iteration(self, times: dict[str, float]) -> None:
        """A batch is done."""
        self._tell(self.stats_manager, self.stats_manager.iteration_report, times, self.metadata.to_dict())

    def completed(self, outcome: RunOutcome) -> None:
        """A run has succeeded."""
        self._tell(self.stats_manager, self.stats_manager.final_report, self.metadata.to_dict())
        for notifier, when in self.notifiers:
            reasons = exceeded(when, outcome) if when is not None else ()
            if when is None or reasons:
                self.metadata.outcome = attrs.evolve(outcome, reasons=reasons)
                self._tell(notifier, notifier.notify_complete_dump, [CLIENTS, TEAM])

    def failed(self, message: str, trace: str, outcome: RunOutcome) -> None:
        """A run has failed."""
        self.metadata.outcome = outcome
        for notifier, when in self.notifiers:
            if when is None or when.failed:
                self._tell(notifier, notifier.notify_failed_job, message, trace, [TEAM])

    def _tell(self, module: Any, method: Callable[..., Any], *arguments: Any) -> None:
        if id(module) in self._left_alone:
            return
        try:
            method(*arguments[: _takes(method, len(arguments))])
        except Exception as error:
            told = error.message if isinstance(error, OzzyError) else reason(error)
            what = "failed and was not called again"
            if isinstance(module, BaseNotifier):
                what = f"failed to tell of {_EVENTS[method.__name__]}"
            else:
                self._left_alone.add(id(module))
            self.notices.append(f"{module.kind} {type(module).__name__} {what}: {told}")
            module.logger.warning(f"it {what}", error=told)


def exceeded(when: NotifyWhen, outcome: RunOutcome) -> tuple[str, ...]:
    """The thresholds that a run which succeeded has passed, in words."""
    found = []
    if when.slower_than is not None and outcome.seconds > when.slower_than:
        found.append(f"it took {outcome.seconds:.1f} s, more than {when.slower_than:g} s")
    if when.fewer_records_than is not None and outcome.records_written < when.fewer_records_than:
        found.append(f"it wrote {outcome.records_written:,} records, fewer than {when.fewer_records_than:,}")
    if when.more_bad_records_than is not None and outcome.bad_records > when.more_bad_records_than:
        found.append(f"it refused {outcome.bad_records:,} bad records, more than {when.more_bad_records_than:,}")
    return tuple(found)


def _takes(method: Callable[..., Any], most: int) -> int:
    """How many of `most` arguments a method takes: authors may leave out those on the right."""
    parameters = inspect.signature(method).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return most
    return min(most, sum(p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD} for p in parameters))
