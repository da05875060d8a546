"""Bypasses of the inherited form: a class that does a whole export by another way, where the config allows it."""

from typing import Any

from ozzy import Metadata
from ozzy.log import logger
from ozzy_exporters.config import ExporterConfig


class BaseBypass:
    """Does a whole export without moving records through the pipeline.

    Write `meets_conditions(config)` and `execute()`, and put the class into `bypass_cases` of an exporter. It counts what it has moved with
    `increment_items`; where it can't count, it sets `valid_total_count` to False.
    """

    def __init__(self, config: ExporterConfig, metadata: Metadata) -> None:
        self.config = config
        self.metadata = metadata
        self.total_items = 0
        self.valid_total_count = True
        self.logger = logger(type(self).__module__, module=type(self).__name__)

    @classmethod
    def meets_conditions(cls, config: ExporterConfig) -> bool:
        """Whether it can do the export of this config, with the very outcome that the pipeline would have. Called once, before anything."""
        raise NotImplementedError(f"{cls.__name__} has no meets_conditions()")

    def execute(self) -> None:
        """Do the export. Called once; what it raises fails the export."""
        raise NotImplementedError(f"{type(self).__name__} has no execute()")

    def close(self) -> None:
        """Clean up. Called last, after success and failure alike."""

    def increment_items(self, number_of_items: int) -> None:
        """Count records."""
        self.total_items += number_of_items

    def read_option(self, module: str, option: str) -> Any:
        """An option of a section (`reader`, `writer`, …): as the config gives it, else from its variable, else its default."""
        return self.config.read_option(module, option)
