"""Errors that modules of the inherited system raise or catch, as errors of ozzy: the command knows what to do with them."""

from typing import Any

from ozzy import ConfigError, DestinationError


class CheckedConfigError(ConfigError, ValueError):
    """What `check_for_errors` raises: a ConfigError that has the `errors` too, by section and option, as it gives them without raising."""

    def __init__(self, error: ConfigError, errors: dict[str, Any]) -> None:
        super().__init__(error.message, hint=error.hint, problems=error.problems)
        self.errors = errors


class InvalidExpression(ConfigError):  # noqa: N818 - the inherited name
    """An expression in a config makes no sense."""


class InvalidDateRangeError(ConfigError):
    """A range of dates is empty or impossible."""


class UnsupportedCompressionFormat(ConfigError):  # noqa: N818 - the inherited name
    """There is no such compression."""


class WriterNotSupportingGroupedBatch(ConfigError):  # noqa: N818 - the inherited name
    """A writer can't keep groups apart."""


class InconsistentWriteState(DestinationError):  # noqa: N818 - the inherited name
    """What a destination holds is not what was written."""


class ItemsLimitReached(Exception):  # noqa: N818 - the inherited name
    """A writer that is driven by hand has written as many records as its `items_limit` says. No error: time to stop."""
