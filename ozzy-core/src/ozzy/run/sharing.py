"""Whether several workers share a run: decided when it begins, and kept to when it is gone on with."""

import secrets
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs

from ozzy.contracts.file_writer import BaseFileWriter
from ozzy.contracts.reader import COMPRESSED
from ozzy.errors import StateError
from ozzy.plan.pipeline import Pipeline
from ozzy.plan.workers import LARGE, LARGE_COMPRESSED, allowed, asked_for, by_place, doubts, hindrances
from ozzy.run.schedule import SplitList
from ozzy.run.tasks import TASK_BYTES, tasks_from
from ozzy.staging.disk import make_folder

if TYPE_CHECKING:
    from ozzy.run.work import PipelineWork

DENSE = (*COMPRESSED, ".parquet")
"""How names of streams end that are much smaller than what they hold."""

EXPANDED = 20
"""So many times larger such a source, or one of unknown compression, is taken to be once it is read."""

WRITTEN = 2
"""So many times larger than its source what is staged may be."""


@attrs.frozen
class Shared:
    """How a run is shared: by how many workers, and in ranges of which size (None: splits are read whole)."""

    workers: int
    task_bytes: int | None


def shared(
    pipeline: Pipeline, splits: SplitList, document: Mapping[str, Any] | None, *, against: str | None, watched: bool = False
) -> Shared | None:
    """How a run is shared, None where it is not.

    `against` says why this very run can't be; a notice tells that where it was asked for. One that is `watched` is shared if asked for.

    A run that began with tasks goes on with them, and one that began without them does so without, so that its outcome is the same. Raises
    StateError where it can't go on as it began.
    """
    asked = asked_for(pipeline)
    reasons = hindrances(pipeline)
    if document is not None and "tasks" in document:
        if reasons or against:
            raise StateError(
                f"the run was shared by several workers, and can't be any more: {(*reasons, against)[0]}",
                hint="Put the config back as it was, or start a new run with --fresh.",
            )
        return Shared(asked or allowed(pipeline), document["tasks"]["bytes"])
    if document is not None:
        against = "it began with one"
    if asked > 1:
        if against is None:
            return Shared(asked, _task_bytes(pipeline))
        pipeline.config.notices.append(f"engine: one worker does this run, not {asked}: {against}")
        return None
    if asked or against or watched or reasons or doubts(pipeline) or not _worth_it(pipeline, splits) or allowed(pipeline) < 2:
        return None
    return Shared(allowed(pipeline), _task_bytes(pipeline))


def work_of(pipeline: Pipeline, let_go: Any) -> "PipelineWork":
    """What the workers of a run are given; the folders of its staged files are there when this returns."""
    from ozzy.run.work import PipelineWork

    folders = {}
    for label, writer in pipeline.writers.items():
        assert isinstance(writer, BaseFileWriter)
        make_folder(writer.files.folder, private=2)
        folders[label] = writer.files.folder
    metadata = pipeline.metadata
    return PipelineWork(
        pipeline.config,
        pipeline.registry,
        metadata.start_time,
        metadata.allow_code,
        metadata.run_id,
        folders,
        secrets.token_hex(4),
        let_go,
    )


def _task_bytes(pipeline: Pipeline) -> int | None:
    return None if by_place(pipeline) else TASK_BYTES


def _worth_it(pipeline: Pipeline, splits: SplitList) -> bool:
    """Whether the source is large enough to gain, and not so large that what it makes could be published in several parts."""
    size = work = 0
    for _, split in splits.after(0):
        if split.size is None:
            return False
        size += split.size
        work += split.size * (LARGE // LARGE_COMPRESSED if split.id.endswith(DENSE) else 1)
    if work < LARGE:
        return False
    plain = all(writer.read_option("compression", "gz") == "none" for writer in pipeline.writers.values())
    tasks = list(islice(tasks_from(pipeline.reader, splits, 0, 0, _task_bytes(pipeline)), 2))
    if len(tasks) < 2:
        return False
    grown = EXPANDED if plain and any(task.part is None or task.split.id.endswith(DENSE) for task in tasks) else 1
    return size * WRITTEN * grown <= pipeline.config.checkpoint.staged_limit
