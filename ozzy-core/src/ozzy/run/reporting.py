"""Telling stats managers and notifiers how a run goes. One that fails is reported once, and never ends a run."""

import inspect
from collections.abc import Callable
from typing import Any

from ozzy.contracts.module import Metadata
from ozzy.contracts.report import CLIENTS, TEAM, BaseNotifier, BaseStatsManager
from ozzy.log import reason


class Reporting:
    """The stats manager and notifiers of one run. What went wrong with them is in `notices`."""

    def __init__(self, stats_manager: BaseStatsManager, notifiers: list[BaseNotifier], metadata: Metadata) -> None:
        self.stats_manager = stats_manager
        self.notifiers = notifiers
        self.metadata = metadata
        self.notices: list[str] = []
        self._failed: set[int] = set()

    def started(self) -> None:
        """A run has started."""
        for notifier in self.notifiers:
            self._tell(notifier, notifier.notify_start_dump, [CLIENTS, TEAM])

    def iteration(self, times: dict[str, float]) -> None:
        """A batch is done."""
        self._tell(self.stats_manager, self.stats_manager.iteration_report, times, self.metadata.to_dict())

    def completed(self) -> None:
        """A run has succeeded."""
        self._tell(self.stats_manager, self.stats_manager.final_report, self.metadata.to_dict())
        for notifier in self.notifiers:
            self._tell(notifier, notifier.notify_complete_dump, [CLIENTS, TEAM])

    def failed(self, message: str, trace: str) -> None:
        """A run has failed."""
        for notifier in self.notifiers:
            self._tell(notifier, notifier.notify_failed_job, message, trace, [TEAM])

    def _tell(self, module: Any, method: Callable[..., Any], *arguments: Any) -> None:
        if id(module) in self._failed:
            return
        try:
            method(*arguments[: _takes(method, len(arguments))])
        except Exception as error:
            self._failed.add(id(module))
            told = reason(error)
            self.notices.append(f"{module.kind} {type(module).__name__} failed and was not called again: {told}")
            module.logger.warning("it failed and is not called again", error=told)


def _takes(method: Callable[..., Any], most: int) -> int:
    """How many of `most` arguments a method takes: authors may leave out those on the right."""
    parameters = inspect.signature(method).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return most
    return min(most, sum(p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD} for p in parameters))
