"""What a config says beside its modules: the sections there are, and the settings that belong to no module."""

from collections.abc import Iterable
from typing import Any, Literal

import attrs

from ozzy.options.option import option, options
from ozzy.options.values import ByteSize
from ozzy.retry import Retries


@attrs.frozen
class Place:
    """A section of a config that names a module: of which kind, whether a list of them is possible, and what it is for."""

    kind: str
    help: str
    several: bool = False


PLACES = {
    "reader": Place("reader", "Where records come from; several are read one after the other.", several=True),
    "decompressor": Place("decompressor", "How the source is compressed."),
    "deserializer": Place("deserializer", "How records are read out of the source's bytes."),
    "filter": Place("filter", "Which records go on; the same as filter_before."),
    "filter_before": Place("filter", "Which records go on to the transforms."),
    "transform": Place("transform", "What happens to the records, in order.", several=True),
    "filter_after": Place("filter", "Which records go on after the transforms."),
    "grouper": Place("grouper", "Which output file a record lands in."),
    "formatter": Place("formatter", "What the records look like in a file."),
    "writer": Place("writer", "Where records go.", several=True),
    "bypass": Place(
        "bypass",
        "What copies parts of the source without moving their records through the process, the first that can; false for none. Unset, "
        "those that are installed are tried.",
        several=True,
    ),
    "engine": Place("engine", "Where the work is done, and in how many processes."),
    "persistence": Place("persistence", "Where the state of runs is kept."),
    "stats_manager": Place("stats_manager", "What is given the times and counts of a run."),
    "notifications": Place("notifications", "What is told that a run starts, succeeds or fails.", several=True),
}
"""The sections that name modules, by their key, in the order of the data."""

DELIVERIES = ("exactly once", "at least once")
COMPRESSIONS = ("auto", "none", "gz", "bz2", "xz", "zst", "lz4")
"""What the section `decompressor` may name: it is no module, but an option of readers of streams."""


POLICIES = ("fail", "skip", "quarantine")
"""What may happen to a bad record."""

JUDGING = ("reader", "filter", "transform", "grouper", "formatter", "writer")
"""The kinds of modules that may refuse a record: their sections may have `errors` of their own."""


@options
class ErrorSettings:
    """What happens to bad records."""

    policy: Literal["fail", "skip", "quarantine"] = option(
        default="fail",
        help="fail stops at the first bad record; skip counts it and goes on; quarantine keeps it with its cause, to be looked at "
        "and replayed later, and goes on.",
    )
    limit: int | None = option(default=None, minimum=0, help="Bad records that are put up with before the run fails; null for any number.")


@options
class StageErrorSettings:
    """What happens to the records that one stage refuses."""

    policy: Literal["fail", "skip", "quarantine"] | None = option(
        default=None, help="What is done with a record that this stage refuses; null for what the pipeline's errors say."
    )
    limit: int | None = option(
        default=None, minimum=0, help="Records that this stage may refuse before the run fails; the pipeline's limit counts them too."
    )


@options
class FullEvery:
    """When a checkpoint is a full one, which makes visible what was written until then; whichever comes first."""

    records: int | None = option(default=None, minimum=1, help="Records read since the last full checkpoint.")
    bytes: ByteSize | None = option(default=None, minimum=1, help="Bytes staged since the last full checkpoint.")

    @classmethod
    def check_options(cls, settings: Any) -> Iterable[str]:
        """One of the two is needed."""
        if settings.records is None and settings.bytes is None:
            yield "expected records, bytes or both"


@options
class CheckpointSettings:
    """When checkpoints are taken. Whichever of the given measures comes first decides."""

    every_records: int | None = option(default=None, minimum=1, help="Records read since the last checkpoint.")
    every_bytes: ByteSize | None = option(default=None, minimum=1, help="Bytes staged since the last checkpoint.")
    every_seconds: float | None = option(
        default=None, minimum=0, help="Seconds since the last checkpoint; unset: 30, stretched so that they cost at most 2 % of the run."
    )
    full_every: FullEvery | None = option(default=None, help="When a checkpoint is a full one; unset: at the end, and by staged_limit.")
    staged_limit: ByteSize = option(default=ByteSize(4 * 2**30), minimum=1, help="Staged bytes that make the next checkpoint a full one.")


@options
class NotifyWhen:
    """Of which runs a notifier is told; without any of these, of each one, when it starts and when it ends."""

    failed: bool = option(default=False, help="The run failed.")
    slower_than: float | None = option(default=None, minimum=0, help="The run took more seconds than this.")
    fewer_records_than: int | None = option(default=None, minimum=1, help="The run wrote fewer records than this.")
    more_bad_records_than: int | None = option(default=None, minimum=0, help="The run refused more bad records than this.")

    @classmethod
    def check_options(cls, settings: Any) -> Iterable[str]:
        """One of them is needed, else nobody would ever be told."""
        if not settings.failed and settings.slower_than is settings.fewer_records_than is settings.more_bad_records_than is None:
            yield "expected at least one of failed, slower_than, fewer_records_than and more_bad_records_than"


@options
class RetryOptions:
    """How often a call of a service is tried when it fails in a way that may pass."""

    tries: int = option(default=6, minimum=1, help="Tries in all; 1 for no second one.")
    seconds: float = option(default=120.0, minimum=0, help="Seconds from the first try after which none is begun.")

    def policy(self) -> Retries:
        """As the policy that calls are made with."""
        return Retries(self.tries, self.seconds)


@options
class ExporterOptions:
    """The inherited `exporter_options`: all eleven are accepted, those in `WITHOUT_MEANING` change nothing any more."""

    log_level: str = option(default="INFO", help="DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    logger_name: str = option(default="export-pipeline", help="Loggers are named after their modules now.")
    formatter: Any = option(default=None, help="The same as the section formatter.")
    notifications: Any = option(default=None, help="The same as the section notifications.")
    resume: bool = option(default=False, help="A run is resumed from the command line or by the library now.")
    persistence_state_id: Any = option(default=None, help="A run is resumed by its id from the command line or by the library now.")
    prevent_bypass: bool = option(default=False, help="Never copy directly, without moving records through the process.")
    disable_retries: bool = option(default=False, help="Ask a service once, and take its failure for an answer.")
    forced_reads: bool = option(default=False, help="Times of stages are told apart without it now.")
    threaded: bool = option(default=False, help="Stages run side by side where that is of use.")
    thread_queue_size: int = option(default=100, minimum=1, help="Queues are bounded in bytes now.")


WITHOUT_MEANING = {
    "logger_name": "loggers are named after their modules",
    "resume": "resume with `ozzy run --resume`",
    "persistence_state_id": "resume a run by its id with `ozzy resume`",
    "forced_reads": "times of stages are told apart without it",
    "threaded": "stages run side by side where that is of use",
    "thread_queue_size": "queues are bounded in bytes",
}
"""Inherited options that are accepted without effect, each with what holds now."""

SETTINGS = {"errors": ErrorSettings, "checkpoint": CheckpointSettings, "exporter_options": ExporterOptions}
"""The sections of a config that are settings, by their key."""

KEYS = ("name", *PLACES, *SETTINGS, "delivery", "bookmark")
"""Every top-level key of a config."""
