"""Several workers: whether they can share a pipeline, and whether they may do so unasked."""

from collections.abc import Iterator
from typing import Any, Final

from ozzy.contracts.file_writer import BaseFileWriter
from ozzy.contracts.filter_chain import called
from ozzy.contracts.module import BaseModule, overrides
from ozzy.contracts.reader import BaseReader, BaseStreamReader
from ozzy.contracts.stage import stateful
from ozzy.errors import ConfigError
from ozzy.plan.pipeline import Pipeline

LARGE: Final = 64 * 1024 * 1024
"""Bytes of a source from which on several workers gain something."""

LARGE_COMPRESSED: Final = LARGE // 4
"""The same where it is compressed."""


def demand_workers(pipeline: Pipeline) -> None:
    """Raises ConfigError where several workers are asked for and can't share the pipeline."""
    asked, reasons = asked_for(pipeline), hindrances(pipeline)
    if asked > 1 and reasons:
        told = "".join(f"\n  {reason}" for reason in reasons)
        raise ConfigError(
            f"engine: {asked} workers can't share this pipeline{told}",
            hint="Change that, or leave engine.options.workers out: then one does the work.",
        )


def asked_for(pipeline: Pipeline) -> int:
    """How many workers were asked for; 0 where nobody did, as where the environment sets a limit."""
    return 0 if _from_environment(pipeline) else pipeline.engine.workers() or 0


def allowed(pipeline: Pipeline) -> int:
    """How many workers may be used unasked: 1 where more would gain nothing here or could do harm."""
    usable, limit = pipeline.engine.usable(), pipeline.engine.workers() if _from_environment(pipeline) else None
    return usable if limit is None else min(usable, limit)


def hindrances(pipeline: Pipeline) -> list[str]:
    """Why no second worker can take part, whoever asks, each with the part that it lies in; known before anything is started."""
    reasons = [*_of_reader(pipeline), *(f"{stage}: it remembers what came before" for stage in _remembering(pipeline))]
    for label, writer in pipeline.writers.items():
        reasons += [f"{_named(pipeline, label)}: {reason}" for reason in _of_writer(pipeline, label, writer)]
    return reasons


def doubts(pipeline: Pipeline) -> list[str]:
    """Why several workers are not used unasked, though they could be: the outcome might be another one."""
    reader = pipeline.reader
    reasons = [] if isinstance(reader, BaseStreamReader) else [f"reader ({pipeline.reader_name}): the size of its source is not known"]
    stages = [*_stages(pipeline), *(("formatter", formatter) for formatter in list(pipeline.formatters.values())[:1])]
    reasons += [
        f"{stage} ({called(module)}): it does not say that each record is done with by itself (independent)"
        for stage, module in stages
        if not module.independent
    ]
    if pipeline.config.checkpoint.full_every is not None:
        reasons.append("checkpoint.full_every: files end where a checkpoint is taken")
    return reasons


def by_place(pipeline: Pipeline) -> bool:
    """Whether a stage goes by the place of records in their split, so that splits have to be read whole."""
    return any(part.module.by_place for part in pipeline.parts if isinstance(part.module, BaseModule))


def told(pipeline: Pipeline, bypass: str | None = None) -> str:
    """How many workers a run has, and why, for people; `bypass` may copy parts of the source, which only one worker lets it."""
    asked, reasons = asked_for(pipeline), hindrances(pipeline)
    if bypass is not None and not reasons:
        return f"1: the bypass {bypass} may copy parts of the source"
    if asked > 1 and not reasons:
        return f"{asked}, as asked for"
    if asked == 1:
        return "1, as asked for"
    reasons += doubts(pipeline)
    if reasons:
        return f"1: {reasons[0]}"
    usable = allowed(pipeline)
    if usable > 1:
        return f"{usable}, where the source has {LARGE // 2**20} MB or more ({LARGE_COMPRESSED // 2**20} MB compressed) in several parts"
    return "1: there is one core, or no safe way to begin others"


def _from_environment(pipeline: Pipeline) -> bool:
    return pipeline.engine_origin.startswith("env ")


def _stages(pipeline: Pipeline) -> Iterator[tuple[str, Any]]:
    """The modules between reader and writers, by their places in the config."""
    several = len(pipeline.transforms) > 1
    stages: dict[str, Any] = {"filter_before": pipeline.filter_before}
    stages |= {f"transform.{number}" if several else "transform": one for number, one in enumerate(pipeline.transforms)}
    stages |= {"filter_after": pipeline.filter_after, "grouper": pipeline.grouper}
    stages |= {f"{label}.when": route for label, route in pipeline.routes.items()}
    return ((stage, module) for stage, module in stages.items() if module is not None)


def _named(pipeline: Pipeline, stage: str) -> str:
    return f"{stage} ({pipeline.part(stage).resolved.found.name})"


def _of_reader(pipeline: Pipeline) -> Iterator[str]:
    reader = pipeline.reader
    if pipeline.config.several_readers:
        yield "reader: there are several"
    elif not reader.replayable:
        yield f"{_named(pipeline, 'reader')}: it can't read the same records again"
    elif overrides(reader, "acknowledge", BaseReader):
        yield f"{_named(pipeline, 'reader')}: its source is told what has arrived, by one who reads all of it"
    elif not (overrides(reader, "splits", BaseReader) and overrides(reader, "read", BaseReader)):
        yield f"{_named(pipeline, 'reader')}: its source has no parts that can be read by themselves"


def _remembering(pipeline: Pipeline) -> Iterator[str]:
    for stage, module in _stages(pipeline):
        if stateful(module):
            yield f"{stage} ({called(module)})"
    for label in pipeline.samples:
        yield f"{label}.write_buffer"


def _of_writer(pipeline: Pipeline, label: str, writer: object) -> Iterator[str]:
    formatter = pipeline.formatters[label]
    own = isinstance(writer, BaseFileWriter) and not any(
        overrides(writer, name, BaseFileWriter) for name in ("write_batch", "write_groups")
    )
    if not own or not isinstance(writer, BaseFileWriter):
        yield "it takes records as they come, not files"
        return
    if writer.read_option("items_limit", 0):
        yield "it has an items_limit"
    limited = any(writer.read_option(name, 0) for name in ("items_per_buffer_write", "size_per_buffer_write"))
    if limited or pipeline.config.inherited or formatter.rows_limit:
        yield "its files have a limit of records or bytes"
    if not formatter.appendable or formatter.assembles or formatter.sinks or not formatter.resumable:
        yield f"the rows of two files of its format ({type(formatter).__name__}) can't be joined to one"
    elif overrides(formatter, "get_state", BaseModule):
        yield f"its format ({type(formatter).__name__}) remembers what came before"
    if writer.read_option("compression", "gz") == "zip":
        yield "a zip is made of all of its content at once"
