"""The stats manager that stays quiet."""

from typing import Any

from ozzy import BaseStatsManager


class BasicStatsManager(BaseStatsManager):
    """Says nothing while a run goes on; at its end, what the modules have counted goes to the log for debugging."""

    def final_report(self, stats: dict[str, Any]) -> None:
        self.logger.debug("counted by the modules", **{kind: counts for kind, counts in stats.items() if kind != "configuration"})
