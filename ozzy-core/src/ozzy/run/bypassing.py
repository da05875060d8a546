"""Going past the stages: which splits a bypass copies, each ahead of its turn and in threads, and what is known of those copied."""

from collections import Counter, deque
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

import attrs

from ozzy.contracts.bypass import BaseBypass, BypassContext, Declined, receipt_flaw
from ozzy.contracts.module import blamed_on
from ozzy.contracts.reader import Split
from ozzy.contracts.writer import Receipt
from ozzy.errors import PluginError, SourceError
from ozzy.plan.bypasses import hindrance, hindrance_of_run
from ozzy.plan.pipeline import Pipeline
from ozzy.run.listener import Stop

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

AHEAD = 2
"""How many splits wait for each one that is being copied."""

POLL = 0.05
"""Seconds after which a request to stop is seen while a copy is waited for."""


@attrs.define(eq=False, repr=False)
class Turn:
    """A split whose turn comes: `bypass` copies it, or nobody does, for these `reasons`."""

    name: str = ""
    bypass: BaseBypass | None = None
    copying: "Future[Receipt] | None" = None
    reasons: list[str] = attrs.field(factory=list)


@attrs.define(eq=False, repr=False)
class Bypassing:
    """The bypasses of one run.

    `copied` counts, for each, splits, bytes, rows, and splits whose rows are not known; `declined` the reasons for which splits were not
    copied, each with the number of them. Both are saved in every checkpoint.
    """

    bypasses: dict[str, BaseBypass]
    stop: Stop
    unfit: dict[str, str] = attrs.field(factory=dict)
    copied: dict[str, dict[str, int]] = attrs.field(factory=dict)
    declined: Counter[str] = attrs.field(factory=Counter)
    _ended: bool = attrs.field(default=False, init=False)

    @classmethod
    def of(cls, pipeline: Pipeline, stop: Stop, *, dry_run: bool, limit: int | None, replay: bool) -> "Bypassing":
        """Those of a pipeline whose writers are started that may be used in this run; `unfit` says why others are not."""
        against = hindrance(pipeline) or hindrance_of_run(limit=limit, replay=replay)
        made = cls({}, stop)
        for name, bypass in pipeline.bypasses.items():
            reason = against or made.start(name, bypass, pipeline, dry_run=dry_run)
            if reason is None:
                made.bypasses[name] = bypass
            else:
                made.unfit[name] = reason
        return made

    def start(self, name: str, bypass: BaseBypass, pipeline: Pipeline, *, dry_run: bool) -> str | None:
        """Tell a bypass of the pipeline; why it can't be used, None where it can."""
        [(label, writer)] = pipeline.writers.items()
        with blamed_on(f"bypass {name}", bypass, PluginError):
            bypass.start(BypassContext(pipeline.reader, writer, pipeline.formatters[label], dry_run, self._stopped))
            return bypass.unfit()

    def restore(self, saved: dict[str, Any] | None) -> None:
        """Go on from what a checkpoint says."""
        if saved is not None:
            self.copied = {name: dict(counts) for name, counts in saved["copied"].items()}
            self.declined = Counter(saved["declined"])

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for a checkpoint."""
        return {"copied": {name: dict(counts) for name, counts in self.copied.items()}, "declined": dict(self.declined)}

    @property
    def unknown(self) -> int:
        """How many copied splits have rows that nobody counted."""
        return sum(counts["unknown"] for counts in self.copied.values())

    def turns(self, splits: Iterable[tuple[int, Split]], *, begun: bool) -> Generator[tuple[int, Split, Turn | None]]:
        """The splits in order, each with who copies it; those ahead are copied meanwhile. With `begun`, the first is not asked for."""
        if not self.bypasses:
            yield from ((number, split, None) for number, split in splits)
            return
        from concurrent.futures import ThreadPoolExecutor

        workers = max(bypass.at_a_time for bypass in self.bypasses.values())
        threads = ThreadPoolExecutor(workers, thread_name_prefix="bypass")
        waiting: deque[tuple[int, Split, Turn | None]] = deque()
        try:
            for number, split in splits:
                waiting.append((number, split, None if begun else self._begin(split, threads)))
                begun = False
                if len(waiting) > workers * AHEAD:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            self._ended = True
            threads.shutdown(cancel_futures=True)

    def ready(self, turn: Turn) -> bool:
        """Wait a moment for a copy; whether it is done, one way or another."""
        from concurrent.futures import wait

        return turn.copying is None or turn.copying.done() or bool(wait([turn.copying], POLL).done)

    def received(self, split: Split, turn: Turn) -> Receipt | None:
        """What became of a split whose copy is `ready`: its receipt, or None where it has to go through the pipeline."""
        if turn.bypass is not None and turn.copying is not None:
            name = turn.name
            declined = turn.copying.exception()
            if not isinstance(declined, Declined):
                with blamed_on(f"copying {split.id} (bypass {name})", turn.bypass, SourceError):
                    return _checked(split, name, turn.copying.result())
            turn.reasons = [f"{name}: {declined}"]
        self.declined.update(turn.reasons)
        return None

    def take(self, split: Split, turn: Turn, receipt: Receipt) -> None:
        """Let the writer have a copy, and count it."""
        assert turn.bypass is not None
        with blamed_on(f"bypass {turn.name}", turn.bypass, PluginError):
            turn.bypass.take(split, receipt | {"bypass": turn.name})
        counts = self.copied.setdefault(turn.name, {"splits": 0, "bytes": 0, "rows": 0, "unknown": 0})
        counts["splits"] += 1
        counts["bytes"] += receipt["size"]
        counts["rows"] += receipt["rows"] or 0
        counts["unknown"] += receipt["rows"] is None

    def _begin(self, split: Split, threads: "ThreadPoolExecutor") -> Turn:
        reasons = []
        for name, bypass in self.bypasses.items():
            with blamed_on(f"bypass {name}", bypass, PluginError):
                reason = bypass.declines(split)
            if reason is None:
                return Turn(name, bypass, threads.submit(bypass.copy, split))
            reasons.append(f"{name}: {reason}")
        return Turn(reasons=reasons)

    def _stopped(self) -> bool:
        return self._ended or self.stop.is_set()


def _checked(split: Split, name: str, receipt: Receipt) -> Receipt:
    if flaw := receipt_flaw(receipt):
        raise PluginError(f"the bypass {name} gave a receipt for {split.id} that can't be used: {flaw}")
    return receipt
