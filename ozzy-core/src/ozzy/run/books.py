"""The books: for each stage, what went in, what came out, and why the rest did not. They must balance at every checkpoint."""

from collections import Counter
from typing import Any

import attrs

from ozzy.errors import BooksError


@attrs.define
class StageCounts:
    """The counts of one stage: `records_in` = `records_out` + the sum of `reasons`.

    That does not hold for a stage that `reshapes`: it makes and drops records. In a replay records enter where they were refused:
    `detour` counts those that came into this stage from outside, below zero those that went past it.
    """

    records_in: int = 0
    records_out: int = 0
    reasons: Counter[str] = attrs.field(factory=Counter, converter=Counter)
    reshapes: bool = False
    detour: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for a checkpoint."""
        told = {"in": self.records_in, "out": self.records_out, "reasons": dict(self.reasons), "reshapes": self.reshapes}
        return told | {"detour": self.detour} if self.detour else told


@attrs.define
class Books:
    """The counts of every stage of a run, in the order of the pipeline. `writers` names the stages at the end, which lie side by side.

    `routes` maps a writer to the stage that chooses its records, where there is one; such stages lie side by side too, and so does
    `routing`, which counts what some writer took and what none did.
    """

    stages: dict[str, StageCounts] = attrs.field(factory=dict)
    writers: tuple[str, ...] = ()
    routes: dict[str, str] = attrs.field(factory=dict)
    routing: str = ""

    def open(self, stage: str, *, reshapes: bool = False) -> StageCounts:
        """The counts of a stage, made where there are none yet."""
        return self.stages.setdefault(stage, StageCounts(reshapes=reshapes))

    def enter(self, stage: str, records_in: int, records_out: int, reason: str | None = None) -> None:
        """Write down one batch: what did not come out is booked under `reason`."""
        counts = self.stages[stage]
        counts.records_in += records_in
        counts.records_out += records_out
        if reason is not None and records_in != records_out:
            counts.reasons[reason] += records_in - records_out

    def reject(self, stage: str, reason: str, records: int = 1) -> None:
        """Book records that went in and were refused."""
        counts = self.stages[stage]
        counts.records_in += records
        counts.reasons[reason] += records

    def settle(self, writer: str, written: int, ignored: int, absorbed: int = 0) -> None:
        """Enter what a destination says it has: rows `written`, `ignored` and `absorbed` since the run began."""
        counts = self.stages[writer]
        counts.records_out = written
        for reason, rows in (("ignored", ignored), ("absorbed", absorbed)):
            if rows:
                counts.reasons[reason] = rows

    def add(self, counted: dict[str, Any]) -> None:
        """Enter what a worker has counted in books of its own; of a writer these say what it was given, and not yet what it has written."""
        for name, counts in counted.items():
            own = self.stages[name]
            own.records_in += counts["in"]
            own.records_out += counts["out"]
            own.reasons.update(counts["reasons"])

    def check(self) -> None:
        """Raises BooksError that names the stage where records were lost or made up."""
        expected: int | None = None
        at_the_end = {*self.writers, *self.routes.values(), self.routing}
        for name, counts in self.stages.items():
            given = self.stages[self.routes[name]].records_out if name in self.routes else expected
            if name in at_the_end and given is None:
                continue
            given = None if given is None else given + counts.detour
            if given is not None and counts.records_in != given:
                raise BooksError(
                    f"the books do not balance: {given} records went to {name}, which was given {counts.records_in}", hint=_HINT
                )
            accounted = counts.records_out + sum(counts.reasons.values())
            if not counts.reshapes and accounted != counts.records_in:
                reasons = "".join(f" + {number} {reason}" for reason, number in counts.reasons.items())
                sums = f"{accounted} ({counts.records_out} out{reasons})"
                raise BooksError(
                    f"the books do not balance: {name} was given {counts.records_in} records and accounts for {sums}", hint=_HINT
                )
            if name not in at_the_end:
                expected = counts.records_out
        self._check_routing()

    def _check_routing(self) -> None:
        """What some writer took lies between the most that one took, and what all took together."""
        if not self.routes:
            return
        routed = self.stages[self.routing].records_out
        amounts = [self.stages[label].records_in for label in self.writers]
        if not max(amounts) <= routed <= sum(amounts):
            raise BooksError(
                f"the books do not balance: {self.routing} has {routed} records for some writer, and the writers took "
                + " and ".join(map(str, amounts)),
                hint=_HINT,
            )

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for a checkpoint."""
        return {name: counts.to_dict() for name, counts in self.stages.items()}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from the books of a checkpoint."""
        for name, counts in saved.items():
            self.stages[name] = StageCounts(counts["in"], counts["out"], counts["reasons"], counts["reshapes"], counts.get("detour", 0))


_HINT = "A module lost records or made some up; nothing of this checkpoint was published. Look at that module, then go on with --resume."
