# ruff: noqa: PTH123, RUF012
from ozzy.stats_managers.base_stats_manager import BaseStatsManager


class TallyStatsManager(BaseStatsManager):
    """Writes down that it was called, and with what."""

    supported_options = {"tally": {"type": str}}

    def iteration_report(self, times, stats):
        self.note("iteration " + " ".join(sorted(times)))

    def final_report(self, stats):
        self.note("final " + " ".join(sorted(set(stats) & {"configuration", "start_time"})))

    def note(self, line):
        with open(self.read_option("tally"), "a") as tally:
            tally.write(line + "\n")
