"""What bypasses would do with each part of a source, found out without copying or writing anything."""

from collections import Counter
from pathlib import Path

from ozzy.plan.explain import Parts
from ozzy.plan.pipeline import Pipeline
from ozzy.run.bypassing import Bypassing, Turn
from ozzy.run.listener import Stop

EXAMPLES = 3
"""How many parts are named for each reason."""

NOBODY = "no bypass copies anything of this pipeline"


def foreseen(pipeline: Pipeline, state: Path, against: str | None) -> Parts:
    """List the source and ask the bypasses of a pipeline, which is closed afterwards, for each part of it.

    `against` is why nothing may go past the stages. What a bypass has to read to decide is read.
    """
    pipeline.start_writers("RUN", pipeline.metadata.start_time, state / "PIPELINE" / "RUN", dry_run=True)
    bypassing = Bypassing({}, Stop()) if against else Bypassing.of(pipeline, Stop(), dry_run=True, limit=None, replay=False)
    copied: dict[str, dict[str, int]] = {}
    declined: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    count = 0
    try:
        for _, split, turn in bypassing.turns(enumerate(pipeline.reader.splits()), begun=False):
            count += 1
            asked = turn or Turn(reasons=[against or "; ".join(f"{name}: {why}" for name, why in bypassing.unfit.items()) or NOBODY])
            while not bypassing.ready(asked):
                pass
            receipt = bypassing.received(split, asked)
            if receipt is None:
                declined.update(asked.reasons)
                for reason in asked.reasons:
                    named = examples.setdefault(reason, [])
                    named += [split.id] if len(named) < EXAMPLES else []
                continue
            counts = copied.setdefault(asked.name, {"parts": 0, "bytes": 0})
            counts["parts"] += 1
            counts["bytes"] += receipt["size"]
    finally:
        pipeline.close()
    return Parts(count, copied, {reason: {"parts": number, "examples": examples[reason]} for reason, number in declined.items()})
