"""What a run gives back: counts, files, times."""

from typing import Any

import attrs


@attrs.frozen
class FileResult:
    """One file that a run has published: `name` below the destination's folder, `path` where it is a local file, `size` in bytes.

    `checksum` is its SHA-256. `bypass` names the bypass that copied it, where one did; its `rows` may then be None, not counted by anybody,
    and its `checksum` None, where the bytes were copied elsewhere.
    """

    name: str
    rows: int | None
    size: int
    checksum: str | None
    writer: str
    path: str | None = None
    bypass: str | None = None


@attrs.frozen
class StageResult:
    """The counts of one stage: `records_in` = `records_out` + the sum of `reasons`, but for a transform that makes or drops records."""

    records_in: int
    records_out: int
    reasons: dict[str, int] = attrs.Factory(dict)


@attrs.frozen
class StageProfile:
    """One stage of a run, or a part of the one before it (`part`).

    `seconds` are of wall time, `share` is of the run's. Records are those that went in; `bytes_per_second` takes them with the size that
    records have in the source, and is None where that is not known. `face` is what the stage got: `lines` that it may have looked into
    field by field, or `records`, one dict each.
    """

    name: str
    seconds: float
    share: float
    records_per_second: float | None = None
    bytes_per_second: float | None = None
    face: str = ""
    part: bool = False


@attrs.frozen
class RunProfile:
    """Where the time of a run went in this process. `memory` is the peak of this process in bytes."""

    stages: list[StageProfile]
    checkpoints: int
    memory: int


@attrs.frozen
class Result:
    """The outcome of a run that succeeded.

    `state` is `finished`, `dry run`, or `already finished` where there was nothing left to resume. `counts` maps each stage to its
    counts in the order of the data, `times` to seconds; `checkpoints` counts those of this process; `duration` is in seconds, over all
    processes of the run. `quarantined` counts records that were kept aside, once for each writer that refused them. `prints` says
    whether a writer printed to standard output. `summaries` holds, by the label of the writer, what writers such as `aggregation` and
    `reduce` have made of all records. `bypassed` maps each bypass that copied something to the number of `splits`, `bytes` and `rows`, and
    of splits with `unknown` rows, which no count of records has in it; `declined` counts parts of the source that none copied, by reason.
    `workers` is how many shared the work in this process; `times` then sums up what all of them took. `profile` is there where it was
    asked for.
    """

    run_id: str
    pipeline: str
    state: str
    counts: dict[str, StageResult] = attrs.Factory(dict)
    files: list[FileResult] = attrs.Factory(list)
    duration: float = 0.0
    checkpoints: int = 0
    times: dict[str, float] = attrs.Factory(dict)
    records_read: int = 0
    records_written: int = 0
    bytes_read: int = 0
    quarantined: int = 0
    resumed: bool = False
    prints: bool = False
    notices: list[str] = attrs.Factory(list)
    summaries: dict[str, Any] = attrs.Factory(dict)
    profile: RunProfile | None = None
    bypassed: dict[str, dict[str, int]] = attrs.Factory(dict)
    declined: dict[str, int] = attrs.Factory(dict)
    workers: int = 1

    @property
    def rows_known(self) -> bool:
        """Whether every record was counted: those of a part that a bypass has copied may not be."""
        return not any(counts["unknown"] for counts in self.bypassed.values())

    @property
    def bound_by(self) -> str | None:
        """The stage that took the longest, None where nothing was measured."""
        return max(self.times, key=lambda stage: self.times[stage]) if self.times else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `profile` is there where it was asked for."""
        told = attrs.asdict(self) | {"bound_by": self.bound_by, "rows_known": self.rows_known}
        if self.profile is None:
            del told["profile"]
        return told
