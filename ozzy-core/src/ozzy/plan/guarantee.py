"""The delivery guarantee of a pipeline, worked out from what its parts declare."""

import attrs

from ozzy.contracts.file_writer import BaseFileWriter, FedFiles
from ozzy.contracts.module import overrides
from ozzy.contracts.reader import BaseReader
from ozzy.contracts.shared_persistence import BaseSharedPersistence
from ozzy.contracts.writer import BaseWriter, Staging
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
        if isinstance(pipeline.persistence, BaseSharedPersistence) and (reason := _without_its_machine(writer)):
            weaknesses.append(Weakness(f"{label} ({name})", reason))
    if isinstance(pipeline.persistence, BaseSharedPersistence) and pipeline.quarantines:
        weaknesses.append(Weakness("errors", "records in quarantine are kept on the disk of the machine that refused them"))
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


def _without_its_machine(writer: BaseWriter) -> str:
    """Why a writer may write twice where another machine goes on with a run, empty where it does not."""
    if isinstance(writer, BaseFileWriter) and not isinstance(writer, FedFiles) and not overrides(writer, "recover_file", BaseFileWriter):
        return "it knows what it has published only on the machine that did it, and the state of this pipeline is shared with others"
    if writer.staging is Staging.TRANSACTION and not overrides(writer, "fence", BaseWriter):
        return "it has no fence(): a run that was taken over may still commit there"
    return ""


def demand(pipeline: Pipeline) -> None:
    """Raises ConfigError where the config asks for `exactly once` and the pipeline can't give it."""
    found = guarantee(pipeline)
    if pipeline.config.delivery == EXACTLY_ONCE and found.weaknesses:
        reasons = "".join(f"\n  {weakness.part}: {weakness.reason}" for weakness in found.weaknesses)
        raise ConfigError(
            f"delivery: this pipeline can't promise exactly once{reasons}",
            hint="Change that part, or set `delivery: at least once`.",
        )
