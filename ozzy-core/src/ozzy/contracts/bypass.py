"""Bypasses: a split's job done without moving its records through the process.

A run asks its bypasses, in order, for each split: the first that does not decline copies it. What none copies goes through the pipeline, in
the same run, with the same checkpoints. A copy is staged as any other output is, and is there exactly once.

Before any bypass is asked the plan has seen to it that nothing stands between reader and writer that changes, drops, splits or counts
records; a bypass answers for the rest: that what it copies is what the pipeline would have made.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import attrs

from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.module import BaseModule, overrides
from ozzy.contracts.reader import BaseReader, Split
from ozzy.contracts.writer import BaseWriter, Receipt


class Declined(Exception):  # noqa: N818  (no error: the split goes through the pipeline)
    """Raised by `copy` where it turns out on the way that a split is not to be copied; its text is the reason, for people."""


def _never() -> bool:
    return False


@attrs.frozen
class BypassContext:
    """What a bypass is told before it is asked anything.

    `reader`, `writer` and its `formatter` are those of the pipeline. A `dry_run` is to leave no trace. `stopped()` says whether the run has
    been asked to stop: a copy under way then ends with any exception.
    """

    reader: BaseReader
    writer: BaseWriter
    formatter: BaseExportFormatter
    dry_run: bool = False
    stopped: Callable[[], bool] = _never


class BaseBypass(BaseModule):
    """Copies splits from a source to a destination.

    Write `declines(split)` and `copy(split)`. The base takes no split.

    >>> BaseBypass().declines(Split("a.jl"))
    'BaseBypass copies nothing'
    """

    kind: ClassVar[str] = "bypass"
    at_a_time: int = 2
    """How many splits it copies at a time."""

    context: BypassContext

    def start(self, context: BypassContext) -> None:
        """Get ready. Called once, before anything else, when the writer has been started; nothing is connected yet."""
        self.context = context

    def unfit(self) -> str | None:
        """Why it can copy no split at all of this pipeline, None where it may. Known without reading anything: `ozzy explain` shows it."""
        return None if overrides(self, "copy", BaseBypass) else f"{type(self).__name__} copies nothing"

    def declines(self, split: Split) -> str | None:
        """Why this split is not to be copied, in words for the user; None where it is.

        Called once a split and process, in the order of the splits, possibly ahead of their turn; the same answer for the same split every
        time, whatever was copied before. It may look at the source, briefly.
        """
        return self.unfit()

    def copy(self, split: Split) -> Receipt:
        """Copy one split to a place where nobody sees it yet, durably, and return what is known of it.

        Called in a thread, `at_a_time` of them at once, ahead of the split's turn and in no certain order; after a kill again, from the
        start. The receipt has `rows` (None where they are not known: never a guess) and `size` in bytes, or both 0 where the pipeline would
        have made nothing of the split; the rest is between bypass and writer. Raises Declined where the split has to go through the
        pipeline after all, having left nothing behind, and OzzyError where the source or the destination fails.
        """
        raise NotImplementedError(f"{type(self).__name__} has no copy()")

    def take(self, split: Split, receipt: Receipt) -> None:
        """Let the writer count a copy among its files from now on. Called in the turn of the split, in the main thread, once."""
        if receipt["size"] or receipt["rows"]:
            self.context.writer.take_stream(receipt, split.id)

    def estimate(self, split: Split) -> int | None:
        """How many bytes will be moved for a split, None where that is not known."""
        return split.size


def receipt_flaw(receipt: Any) -> str | None:
    """What is wrong with the receipt of a copy, None where it can be used."""
    if not isinstance(receipt, dict):
        return f"it is no mapping but {type(receipt).__name__}"
    for key, optional in (("rows", True), ("size", False)):
        value: Any = receipt.get(key, "missing")
        if not (type(value) is int and value >= 0) and not (optional and value is None):
            return f"its {key} is {value!r}"
    return None
