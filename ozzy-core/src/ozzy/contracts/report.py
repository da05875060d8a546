"""Who is told how a run goes: notifiers and stats managers."""

from typing import Any, ClassVar

from ozzy.contracts.module import BaseModule

CLIENTS = 0
TEAM = 1


class BaseNotifier(BaseModule):
    """Tells people or programs that a run has started, succeeded or failed. One that fails never fails a run.

    `receivers` holds the groups `CLIENTS` and `TEAM`; any other value is an address.
    """

    kind: ClassVar[str] = "notifications"

    def notify_start_dump(self, receivers: Any = None) -> None:
        """A run has started. Called once, before the first record is read."""

    def notify_complete_dump(self, receivers: Any = None) -> None:
        """A run has succeeded. Called once, after the last file was published."""

    def notify_failed_job(self, msg: str, stack_trace: str, receivers: Any = None) -> None:
        """A run has failed. Called once; `stack_trace` has passed the redactor."""


class BaseStatsManager(BaseModule):
    """Is given the times and counts of a run. One that fails never fails a run.

    Both methods may leave out the arguments they do not need, from the right.
    """

    kind: ClassVar[str] = "stats_manager"

    def iteration_report(self, times: dict[str, float], stats: dict[str, Any]) -> None:
        """Called after each batch.

        `times` maps `read`, `filtered`, `transformed`, `filtered_after`, `grouped`, `written` and `persisted` to seconds spent in this
        iteration; `stats` is the run's metadata.
        """

    def final_report(self, stats: dict[str, Any]) -> None:
        """Called once, at the end of a run."""
