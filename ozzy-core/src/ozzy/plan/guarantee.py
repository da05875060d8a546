"""The delivery guarantee of a pipeline, worked out from what its parts declare."""

import attrs

from ozzy.contracts.file_writer import FedFiles
from ozzy.contracts.reader import BaseReader
from ozzy.contracts.writer import Staging
from ozzy.errors import ConfigError
from ozzy.plan.pipeline import Pipeline
from ozzy.plan.write_buffers import RESERVOIR

EXACTLY_ONCE = "exactly once"
AT_LEAST_ONCE = "at least once"


@attrs.frozen
class Weakness:
    """A part that keeps a pipeline from `exactly once`, and why."""

    part: str
    reason: str


@attrs.frozen
class Guarantee:
    """`level` is `exactly once` or `at least once`; `weaknesses` names the parts that make it the latter, the weakest first.

    `remembers` names the stages that remember something across records; each checkpoint saves what they do, so they weaken nothing.
    """

    level: str
    weaknesses: list[Weakness]
    remembers: list[str] = attrs.Factory(list)

    def __str__(self) -> str:
        if not self.weaknesses:
            return self.level
        weakest = self.weaknesses[0]
        return f"{self.level}: {weakest.part}: {weakest.reason}"


def guarantee(pipeline: Pipeline) -> Guarantee:
    """What this very pipeline promises when it is killed and resumed."""
    weaknesses = []
    transactions = []
    for label, writer in pipeline.writers.items():
        name = pipeline.part(label).resolved.found.name
        if writer.staging is Staging.NONE:
            weaknesses.append(
                Weakness(f"{label} ({name})", "it has no staging: what it wrote after the last checkpoint is written again after a kill")
            )
        elif isinstance(writer, FedFiles):
            weaknesses.append(
                Weakness(f"{label} ({name})", "its write() may be given the same file twice if it is killed in the middle of it")
            )
        elif writer.staging is Staging.TRANSACTION:
            transactions.append(label)
    if len(transactions) > 1:
        weaknesses.append(Weakness(" and ".join(transactions), "two transactions can't be committed as one"))
    weaknesses += [
        Weakness(f"{part.stage} ({part.resolved.found.name})", "it can't read the same records again")
        for part in pipeline.parts
        if isinstance(part.module, BaseReader) and not part.module.replayable
    ]
    if pipeline.config.name is None and pipeline.config.file is None:
        weaknesses.append(Weakness("config", "without a name a run can't be resumed, only started again"))
    remembers = [f"{stage} ({pipeline.part(stage).resolved.found.name})" for stage in pipeline.stateful]
    remembers += [f"{label}.write_buffer ({RESERVOIR})" for label in pipeline.samples]
    return Guarantee(AT_LEAST_ONCE if weaknesses else EXACTLY_ONCE, weaknesses, remembers)


def demand(pipeline: Pipeline) -> None:
    """Raises ConfigError where the config asks for `exactly once` and the pipeline can't give it."""
    found = guarantee(pipeline)
    if pipeline.config.delivery == EXACTLY_ONCE and found.weaknesses:
        reasons = "".join(f"\n  {weakness.part}: {weakness.reason}" for weakness in found.weaknesses)
        raise ConfigError(
            f"delivery: this pipeline can't promise exactly once{reasons}",
            hint="Change that part, or set `delivery: at least once`.",
        )
