"""The stats manager that logs the time of each stage."""

from typing import Any

from ozzy import BaseStatsManager

STAGES = ("read", "filtered", "transformed", "filtered_after", "grouped", "written", "persisted")


class LoggingStatsManager(BaseStatsManager):
    """Logs the seconds each stage took for each batch, in the order of the stages; and at the end, their sums.

    A stage that a batch did not reach is left out.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sums: dict[str, float] = {}

    def iteration_report(self, times: dict[str, float], stats: dict[str, Any]) -> None:
        for stage, seconds in times.items():
            self._sums[stage] = self._sums.get(stage, 0.0) + seconds
        self.logger.info("seconds of this batch", **_in_order(times))

    def final_report(self, stats: dict[str, Any]) -> None:
        self.logger.info("seconds of the run", **_in_order(self._sums))


def _in_order(times: dict[str, float]) -> dict[str, float]:
    stages = [*STAGES, *(stage for stage in times if stage not in STAGES)]
    return {stage: round(times[stage], 6) for stage in stages if stage in times}
