"""Every error ozzy raises on purpose, on one page.

    OzzyError                 1    a bug, when nothing more fitting is raised
    ├── ConfigError           2    the config, an option or a command-line value is wrong
    ├── PluginError           3    a module can't be found, loaded or told apart
    ├── SourceError           4    what is read is missing, unreadable or has changed
    ├── DataError             5    a record is bad, or too many are
    ├── DestinationError      6    what is written can't be put at its place
    ├── StateError            7    the state of a run forbids what was asked
    ├── BooksError            8    records in and records out do not balance
    └── Interrupted         130    stopped by the user (SIGTERM: 143)

The number is the exit code of the command. A message says what happened, where, and what to do next; `hint` is that last part.
Errors can be pickled: workers raise them across processes.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs


class OzzyError(Exception):
    """Root of all errors that speak to the user.

    `message` says what happened and where, `hint` what to do about it. `run_id` and `state_dir` are set where the error ended a run that
    can be resumed: its id, and the folder of its state; `state_uri` is what names the run where its state is shared.
    """

    exit_code: ClassVar[int] = 1
    run_id: str | None = None
    state_dir: str | None = None
    state_uri: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[OzzyError], args: tuple[Any, ...], attributes: dict[str, Any]) -> OzzyError:
    error = cls.__new__(cls)
    Exception.__init__(error, *args)
    error.__dict__.update(attributes)
    return error


@attrs.frozen
class Problem:
    """One thing that is wrong in a config: `path` is where (`reader.options.batch_size`), `message` what."""

    path: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(OzzyError):
    """The config is wrong. `problems` lists everything that is, not just the first."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str | None = None, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [self.message, *(f"  {problem}" for problem in self.problems)]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class PluginError(OzzyError):
    """A module is unknown, ambiguous, broken or not of the kind that was asked for."""

    exit_code: ClassVar[int] = 3


class SourceError(OzzyError):
    """What a pipeline reads from is missing, unreadable, truncated, or not what it was when the run began."""

    exit_code: ClassVar[int] = 4


class DataError(OzzyError):
    """A record is bad. `row` is its index in the batch at hand, where one is known.

    `stage` is the stage that refuses it, where that is another one than was called: a writer's formatter.
    """

    exit_code: ClassVar[int] = 5
    stage: str | None = None

    def __init__(self, message: str, *, hint: str | None = None, row: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.row = row


class DestinationError(OzzyError):
    """What a pipeline writes can't be put at its place: no room, no permission, a name that is taken."""

    exit_code: ClassVar[int] = 6


class StateError(OzzyError):
    """The state of a run forbids what was asked: it is unfinished, held by another process, changed or unreadable."""

    exit_code: ClassVar[int] = 7


class BooksError(OzzyError):
    """Records in, records out and the reasons between them do not add up: a module lost or made up records."""

    exit_code: ClassVar[int] = 8


class Interrupted(OzzyError):  # noqa: N818  (it is no error of anybody's)
    """The run was asked to stop and did so at a checkpoint. `code` is 130 for Ctrl-C, 143 for SIGTERM."""

    def __init__(self, message: str, *, hint: str | None = None, code: int = 130) -> None:
        super().__init__(message, hint=hint)
        self.code = code
