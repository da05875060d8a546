"""What a run would be, told before it starts and without connecting to anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from ozzy.contracts.bypass import BypassContext
from ozzy.contracts.file_writer import BaseFileWriter
from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.contracts.module import overrides
from ozzy.contracts.reader import BaseReader, BaseStreamReader
from ozzy.contracts.shared_persistence import BaseSharedPersistence
from ozzy.contracts.transform import BaseTransform
from ozzy.contracts.writer import takes_group
from ozzy.data.native import AVAILABLE
from ozzy.plan.bypasses import hindrance
from ozzy.plan.guarantee import Guarantee, guarantee
from ozzy.plan.pipeline import Part, Pipeline
from ozzy.plan.workers import told

_RECORDS: Final = "records"
_STAGES: Final = (BaseFilter, BaseTransform, BaseGrouper, BaseExportFormatter)


@attrs.frozen
class ExplainedModule:
    """One module: its place, its short name, whose it is, and the face of the batch it gets (`lines`, `fields …` or `records`)."""

    stage: str
    name: str
    package: str
    version: str
    face: str


@attrs.frozen
class Parts:
    """What would become of the parts of a source.

    `count` is how many there are; `copied` has the `parts` and `bytes` that each bypass would copy; `declined`, for each reason why one is
    not copied, the number of `parts` that have it, and `examples`.
    """

    count: int
    copied: dict[str, dict[str, int]]
    declined: dict[str, dict[str, Any]]


@attrs.frozen
class Explanation:
    """What `ozzy explain` tells."""

    pipeline: str | None
    modules: list[ExplainedModule]
    guarantee: Guarantee
    light_checkpoints: str
    state: Path
    staging: dict[str, str]
    destinations: dict[str, str]
    notices: list[str]
    groups: str | None = None
    bad_records: str = "fail"
    """What is done with bad records: the policy of the pipeline, and those of stages with their own."""
    bookmark: str | None = None
    """What a run starts from, where it reads only what is new."""
    bypasses: dict[str, str | None] = attrs.Factory(dict)
    """The bypasses that are tried for each part of the source, each with the reason why it can copy nothing, None where it may."""
    past_the_stages: str | None = None
    """Why nothing of this pipeline may go past its stages, None where it may."""
    workers: str = "1"
    """How many processes share the work, and why."""
    slower: list[str] = attrs.Factory(list)
    """What keeps records from being lines or columns all the way, or the extension from reading them; empty where nothing does."""
    parts: Parts | None = None
    """What would become of each part of the source, where that was asked for."""
    shared_state: str | None = None
    """Where the state is, and when another run takes over, where machines share it; `state` is then a folder for work."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `guarantee.remembers` is there where a stage remembers something, `shared_state` where state is shared."""
        told = attrs.asdict(self) | {"state": str(self.state)}
        if self.shared_state is None:
            del told["shared_state"]
        if self.parts is None:
            del told["parts"]
        if not self.guarantee.remembers:
            del told["guarantee"]["remembers"]
        return told


def explained(pipeline: Pipeline, state: Path, identity: str | None, bookmark: str | None = None) -> Explanation:
    """Explain a pipeline that is built and not started."""
    pipeline.start_writers("RUN", pipeline.metadata.start_time, state / "PIPELINE" / "RUN")
    files = {label: writer for label, writer in pipeline.writers.items() if isinstance(writer, BaseFileWriter)}
    bypasses = _bypasses(pipeline)
    return Explanation(
        pipeline=identity,
        modules=[_module(part, pipeline) for part in pipeline.parts if part.stage != "engine"],
        guarantee=guarantee(pipeline),
        light_checkpoints=_light(pipeline),
        state=state,
        staging={label: str(writer.files.folder) for label, writer in files.items()},
        destinations={label: _destination(writer) for label, writer in files.items()},
        notices=list(pipeline.config.notices),
        groups=_groups(pipeline, files),
        bad_records=_bad_records(pipeline),
        bookmark=bookmark,
        bypasses=bypasses,
        past_the_stages=_past_the_stages(pipeline),
        workers=told(pipeline, next((name for name, why in bypasses.items() if why is None), None)),
        slower=list(_slower(pipeline)),
        shared_state=_shared(pipeline),
    )


def _module(part: Part, pipeline: Pipeline) -> ExplainedModule:
    found = part.resolved.found
    return ExplainedModule(part.stage, found.name, found.package, found.version, _face(part.module, pipeline))


def _face(module: Any, pipeline: Pipeline) -> str:
    """The face a module asks for, from what it declares: a batch method and `reads` mean that just these fields are decoded."""
    declared = getattr(module, "face", None)
    if declared is not None:
        return str(declared)
    if isinstance(module, BaseStreamReader):
        return "gives lines of JSON, columns of Parquet and Arrow, cells of CSV, else records"
    if getattr(module, "reads", None) == ():
        return "whatever comes"
    batch_method = {BaseFilter: "mask", BaseGrouper: "keys", BaseExportFormatter: "format_rows"}
    for base, method in batch_method.items():
        if isinstance(module, base):
            if not overrides(module, method, base):
                return _RECORDS
            reads = getattr(module, "reads", None)
            return f"fields {', '.join(reads)}" if reads else "lines"
    if module in pipeline.writers.values():
        return "rows as formatted" if hasattr(module, "files") else "lines" if takes_group(module) else _RECORDS
    return _RECORDS if isinstance(module, BaseReader) or module in pipeline.transforms else ""


def _slower(pipeline: Pipeline) -> Iterator[str]:
    """The first stage that has dicts made of what a reader gives otherwise, and an extension that is not there."""
    if not isinstance(pipeline.reader, BaseStreamReader):
        return
    if not AVAILABLE:
        yield "the extension of ozzy-core is not there, which reads JSON lines and CSV three times as fast: see its README"
    for part in pipeline.parts:
        if isinstance(part.module, _STAGES) and _face(part.module, pipeline) == _RECORDS:
            behind = "" if isinstance(part.module, BaseExportFormatter) else ", and the stages behind it get those too"
            yield f"{part.stage} ({part.resolved.found.name}) asks for records: a dict is made of each{behind}"
            return


def _light(pipeline: Pipeline) -> str:
    if not pipeline.reader.resumable:
        return "no checkpoint before the end: the reader does not tell its position, so a killed run starts again"
    held = [label for label, writer in pipeline.writers.items() if not writer.resumable]
    if held:
        return f"only full ones: {', '.join(held)} can't be continued in the middle of a file"
    full = _full(pipeline)
    return f"light ones, a full one {full}, and at the end" if full else "light ones, and a full one at the end"


def _full(pipeline: Pipeline) -> str:
    """When there are full checkpoints before the end, where that is set or the run has none; what is staged may ask for more."""
    every = pipeline.config.checkpoint.full_every
    if every is None:
        return "every 60 seconds" if pipeline.reader.endless else ""
    asked = [f"{amount:,} {unit}" for amount, unit in ((every.records, "records"), (every.bytes, "bytes")) if amount]
    return f"every {' or '.join(asked)}"


def _past_the_stages(pipeline: Pipeline) -> str | None:
    return "bypasses are switched off" if pipeline.config.bypasses == [] else hindrance(pipeline)


def _bypasses(pipeline: Pipeline) -> dict[str, str | None]:
    against = _past_the_stages(pipeline)
    told: dict[str, str | None] = {}
    for name, bypass in pipeline.bypasses.items():
        if against is None:
            [(label, writer)] = pipeline.writers.items()
            bypass.start(BypassContext(pipeline.reader, writer, pipeline.formatters[label]))
        told[name] = against or bypass.unfit()
    return told


def _shared(pipeline: Pipeline) -> str | None:
    persistence = pipeline.persistence
    if not isinstance(persistence, BaseSharedPersistence):
        return None
    seconds = persistence.read_option("lease_seconds", 60.0)
    return f"{persistence.address()}; a run that gives no sign of life for {seconds:g} s is taken over"


def _groups(pipeline: Pipeline, files: dict[str, BaseFileWriter]) -> str | None:
    """How many groups have a staged file each; None where all rows go to one file at a time."""
    many = [writer for writer in files.values() if pipeline.grouper is not None or getattr(writer, "by_split", False)]
    if not many:
        return None
    limit = many[0].files.group_limit
    return f"{limit} at a time have a staged file each; rows of further ones wait in one spill log until files are finished"


def _bad_records(pipeline: Pipeline) -> str:
    settings = pipeline.config.errors
    told = [_policy(settings.policy, settings.limit)]
    told += [f"{stage}: {_policy(own.policy or settings.policy, own.limit)}" for stage, own in pipeline.stage_errors.items()]
    return "; ".join(told)


def _policy(policy: str, limit: int | None) -> str:
    return f"{policy}, {limit} at the most" if limit is not None and policy != "fail" else policy


def _destination(writer: BaseFileWriter) -> str:
    folder = getattr(writer, "folder", None)
    filebase = writer.read_option("filebase")
    return f"{folder} ({filebase})" if folder is not None else str(filebase or type(writer).__name__)
