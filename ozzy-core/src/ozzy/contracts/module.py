"""What all modules share: options, metadata, a log, and where relative paths belong."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import attrs

from ozzy.errors import ConfigError, OzzyError
from ozzy.log import logger, reason
from ozzy.options.structure import structured
from ozzy.retry import ONCE, Retries, Transient, call

T = TypeVar("T")


@attrs.frozen
class RunOutcome:
    """What became of a run: its counts, its files (`path`, `size` in bytes, `rows`), its duration in seconds.

    `reasons` are the thresholds for which a notifier is told, in words; empty where it is told of every run.
    """

    pipeline: str
    state: str
    records_read: int = 0
    records_written: int = 0
    bad_records: int = 0
    seconds: float = 0.0
    files: tuple[dict[str, Any], ...] = ()
    reasons: tuple[str, ...] = ()


@attrs.define
class Metadata:
    """What the modules of one run know in common: the inherited `ExportMeta`.

    `per_module` maps a kind to its free keys and values. `pipeline` is the pipeline's name, or the path of its config. `working_folder`
    is where relative paths belong, `start_time` is the run's start, the same after a resume. `inherited` is true for a config in the
    inherited shape. `allow_code` is true where the user lets the config bring code of its own (`--allow-code`); it is asked for at each
    start, and never stored. `disable_retries` asks for one try of each call of a service. `outcome` is what became of the run, once it
    has ended.
    """

    configuration: dict[str, Any] = attrs.Factory(dict)
    start_time: datetime = attrs.Factory(lambda: datetime.now().astimezone())
    end_time: datetime | None = None
    elapsed_time: float | None = None
    accurate_items_count: bool = True
    bypassed_pipeline: bool = False
    run_id: str = ""
    pipeline: str = ""
    working_folder: Path = attrs.Factory(Path.cwd)
    inherited: bool = False
    allow_code: bool = False
    disable_retries: bool = False
    outcome: RunOutcome | None = None
    per_module: dict[str, dict[str, Any]] = attrs.Factory(dict)

    def to_dict(self) -> dict[str, Any]:
        """Every module's keys under its kind, and the run's own fields beside them."""
        own = ("accurate_items_count", "bypassed_pipeline", "configuration", "elapsed_time", "end_time", "start_time")
        return {**self.per_module, **{name: getattr(self, name) for name in own}}


class BaseModule:
    """One replaceable part of a pipeline.

    Options are declared once, either as an attrs class made with `@options` and named `Options`, or as a `supported_options` dict
    in the inherited form; the other form is derived. The constructor takes a section of a config (`{"name": …, "options": {…}}`)
    and does no I/O: connect in the first call that needs it. Raises ConfigError that lists every option that is wrong.
    """

    kind: ClassVar[str] = ""
    supported_options: ClassVar[dict[str, dict[str, Any]]] = {}
    options: Any
    idle: ClassVar[bool] = False
    """Of a filter, transform or grouper: whether it leaves every record as and where it is, whatever its options."""
    independent: bool = False
    """Of a filter, transform, grouper or formatter: whether what it does with a record follows from that record, its place and the options
    alone, so that several processes may share the work unasked. One that counts, draws or asks a service has it false."""
    by_place: bool = False
    """Whether it goes by the place of a record in its split (`Batch.origin`), which is not known where a part of a file is read."""
    state_folder: Path | None = None
    """A folder of its own within the run's state, for what a stage that remembers something keeps on disk; told before the first batch and
    before `set_state`.

    It is not made yet. None where the run leaves no trace (a dry run, `ozzy preview`, `read`): use a temporary file then. What a state
    rests on has to be on disk for good, synced, when `get_state` returns, and small facts that tell it go into the state: names, lengths,
    the number of a checkpoint. A resumed run may go on from any earlier checkpoint: keep what those rest on, and let `set_state` forget
    what is newer, or raise StateError where something is gone. A run that begins anew has no `set_state`: what lies in the folder then is
    nobody's. The folder is deleted when the run succeeds or is given up. `ozzy.staging.key_set.KeySet` does all this for a set of texts.
    """

    def __init__(self, options: Mapping[str, Any] | None = None, metadata: Metadata | None = None) -> None:
        section = options or {}
        self.metadata = metadata if metadata is not None else Metadata()
        self.options = structured(type(self), section.get("options") or {}, path=f"{self.kind}.options" if self.kind else "options")

    def read_option(self, name: str, default: Any = None) -> Any:
        """The value of one option; `default` where the module declares no such option."""
        if isinstance(self.options, Mapping):
            return self.options.get(name, default)
        return getattr(self.options, name, default)

    @property
    def logger(self) -> Any:
        """A log of this module's own; what is secret never appears in it."""
        return logger(type(self).__module__, module=type(self).__name__)

    def path(self, text: str) -> Path:
        """A path from an option; a relative one belongs to the folder the run was started in."""
        return self.metadata.working_folder / Path(text).expanduser()

    def calling(self, function: Callable[[], T], *, what: str, transient: Transient, retries: Retries | None = None) -> T:
        """What `function` returns, tried again as the policy says; once where the config has switched retries off. See `ozzy.retry`."""
        return call(
            function, what=what, transient=transient, retries=ONCE if self.metadata.disable_retries else retries, logger=self.logger
        )

    def set_metadata(self, key: str, value: Any) -> None:
        """Keep a value under this module's kind, for stats and notifications."""
        self.metadata.per_module.setdefault(self.kind, {})[key] = value

    def update_metadata(self, values: Mapping[str, Any]) -> None:
        """Keep several values under this module's kind."""
        self.metadata.per_module.setdefault(self.kind, {}).update(values)

    def get_metadata(self, key: str) -> Any:
        """A value kept under this module's kind, or None."""
        return self.metadata.per_module.get(self.kind, {}).get(key)

    def get_all_metadata(self) -> dict[str, Any]:
        """All that is kept under this module's kind."""
        return self.metadata.per_module.setdefault(self.kind, {})

    def get_state(self) -> Any:
        """What a filter, transform or grouper remembers from one batch to the next, as JSON (or whatever a position may hold).

        Asked for at each checkpoint, light and full, between two batches, when every record given so far has gone on to the writers; it
        changes nothing. Each checkpoint keeps it whole, so keep it small; what is large belongs into `state_folder`. None is nothing to
        remember. What would not come back as it was (a set, NaN) ends the run with a StateError at the first checkpoint. A stage that
        writes this writes `set_state` too; under `errors: skip` or `quarantine` it is given its records one by one, so that a bad one
        leaves no trace of those around it.
        """
        return None

    def set_state(self, state: Any) -> None:
        """Remember what `get_state` gave at the checkpoint that a run goes on from. Called once before the first batch, if it gave any."""

    def close(self) -> None:
        """Let go of connections and handles. Called once, last, after success and failure alike; nothing is called after it."""


def require_allow_code(module: BaseModule, option: str, does: str = "runs code of the config's own") -> None:
    """Refuse an option by which a config does more than move records, unless the user allows it; `does` says what. Raises ConfigError."""
    if not module.metadata.allow_code:
        raise ConfigError(
            f"{module.kind or 'module'}.options.{option} {does}, which needs to be allowed",
            hint="Look at what it runs, then allow it with --allow-code, or allow_code=True from Python; a resume asks again.",
        )


def overrides(module: object, name: str, base: type) -> bool:
    """Whether a module (or a class) has its own `name` instead of the one it inherits from `base`."""
    cls = module if isinstance(module, type) else type(module)
    return getattr(cls, name, None) is not getattr(base, name, None)


@contextmanager
def blamed_on(name: str, module: object, error_class: type[OzzyError]) -> Iterator[None]:
    """Turns whatever a module raises into an error of this class that names it; errors that speak to the user pass."""
    try:
        yield
    except OzzyError:
        raise
    except MemoryError as error:
        raise error_class(
            f"{name} ({type(module).__name__}) ran out of memory",
            hint="Give it more, or make batches smaller (the reader's batch_size); one record has to fit into memory several times over.",
        ) from error
    except Exception as error:
        raise error_class(f"{name} ({type(module).__name__}) failed: {reason(error)}") from error
