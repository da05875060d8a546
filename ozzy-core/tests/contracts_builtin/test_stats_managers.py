"""The stats managers of the core keep their contract."""

from ozzy.builtin.stats.basic import BasicStatsManager
from ozzy.builtin.stats.logging import LoggingStatsManager
from ozzy.testing.report import StatsManagerContract


class TestBasicStatsManager(StatsManagerContract):
    module = BasicStatsManager


class TestLoggingStatsManager(StatsManagerContract):
    module = LoggingStatsManager
