"""What is done with bad records: the policies of a pipeline and of its stages, their limits, and what they have put up with."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ozzy.data.batch import Rejected
from ozzy.errors import DataError
from ozzy.options.settings import StageErrorSettings

BAD, QUARANTINED = "bad", "quarantined"
"""What the books call records that were passed over, and those that were put into quarantine."""

LOGGED = 10
"""So many bad records are logged one by one."""


@attrs.frozen
class Refused:
    """One record that a stage refuses, with what is needed to give it to that stage again.

    `error` is the class of the error, `split` the part of the source that it came from. `kept` makes what the quarantine holds of the
    record; where it is None, that is the line of `rejected`. `writer` and `group` are set where one writer refuses it.
    """

    stage: str
    rejected: Rejected
    error: str = "DataError"
    split: str = ""
    kept: Callable[[], dict[str, Any]] | None = None
    writer: str | None = None
    group: tuple[str, ...] = ()


class RejectionLog:
    """Logs the first bad records that are passed over."""

    def __init__(self, logger: Any) -> None:
        self.logger = logger
        self.logged = 0

    def __call__(self, stage: str, rejected: Rejected) -> None:
        self.logged += 1
        if self.logged <= LOGGED:
            more = " (further ones are counted, not logged)" if self.logged == LOGGED else ""
            self.logger.warning(f"bad record passed over{more}", stage=stage, where=rejected.where, reason=rejected.message)


@attrs.define(eq=False, repr=False)
class ErrorPolicy:
    """What is done with a bad record.

    `fail` raises, `skip` counts it, `quarantine` hands it to `keep`, until `limit` (None: no limit) is passed. `stages` has the settings
    of stages with their own, whose limits count beside the one of all. `on_reject` is told of each record that is passed over. `reader_of`
    says which of several readers a part of the source belongs to: each may have settings of its own.
    """

    policy: str = "fail"
    limit: int | None = None
    rejected: int = 0
    on_reject: Callable[[str, Rejected], None] | None = None
    stages: Mapping[str, StageErrorSettings] = attrs.field(factory=dict)
    keep: Callable[[Refused], None] | None = None
    by_stage: Counter[str] = attrs.field(factory=Counter)
    reader_of: Callable[[str], str] = lambda _: "reader"

    def goes_on(self, stage: str) -> bool:
        """Whether the run goes on where this stage refuses a record."""
        return self.policy_of(stage) != "fail"

    def quarantines(self, stage: str) -> bool:
        """Whether what this stage refuses is kept."""
        return self.policy_of(stage) == "quarantine" and self.keep is not None

    def reject(self, stage: str, rejected: Rejected, **more: Any) -> str:
        """Refuse one record: what the books call that. Raises DataError where the run ends by it; `more` is as in `Refused`."""
        own = self.reader_of(more.get("split", "")) if stage == "reader" else stage
        policy = self.policy_of(own)
        if policy == "fail":
            raise DataError(
                f"{rejected.where}: {rejected.message}" if rejected.where else rejected.message, hint=ADVICE.format(_culprit(stage))
            )
        if policy == "quarantine" and self.keep is not None:
            self.keep(Refused(stage, rejected, **more))
        self.rejected += 1
        self.by_stage[own] += 1
        if self.on_reject is not None:
            self.on_reject(stage, rejected)
        settings = self.stages.get(own)
        self._see_limit(stage, rejected, self.by_stage[own], settings.limit if settings is not None else None, f" in {own}")
        self._see_limit(stage, rejected, self.rejected, self.limit, "")
        return QUARANTINED if policy == "quarantine" else BAD

    def restore(self, rejected: int, by_stage: Mapping[str, int]) -> None:
        """Go on from the counts of a checkpoint."""
        self.rejected, self.by_stage = rejected, Counter(by_stage)

    def policy_of(self, stage: str) -> str:
        """What is done with what this stage refuses."""
        settings = self.stages.get(stage)
        return (settings.policy if settings is not None else None) or self.policy

    def _see_limit(self, stage: str, rejected: Rejected, count: int, limit: int | None, where: str) -> None:
        if limit is not None and count > limit:
            raise DataError(
                f"more than {limit} bad records{where}; the last in {stage}: {rejected.where}: {rejected.message}",
                hint=f"Mend the {_culprit(stage)} or raise errors.limit; then go on with --resume.",
            )


ADVICE = (
    "Mend the {0}, or go on without bad records: `errors: {{policy: quarantine}}` keeps them, skip only counts them; "
    "then go on with --resume."
)
"""What to do about a record that ends a run; it is told what is to be mended."""


def _culprit(stage: str) -> str:
    return "source" if stage == "reader" else "record or the module"
