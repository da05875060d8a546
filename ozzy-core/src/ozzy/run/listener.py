"""Who watches a run: the command's progress line, and nobody by default."""

from typing import Any

import attrs

from ozzy.run.profile import Profile


@attrs.frozen
class Progress:
    """How far a run is: records read and written, bytes read, files begun, and the seconds of this process.

    `records_before` of the records were read by earlier processes of the run.
    """

    records_read: int
    records_written: int
    bytes_read: int
    files: int
    seconds: float
    records_before: int = 0


class Listener:
    """Is told what happens in a run, in the process that runs it. Override what you need; what these raise ends the run.

    With a `profile`, that is told what each stage gets.
    """

    profile: Profile | None = None

    def pipeline_built(self, pipeline: Any) -> None:
        """The modules of a run are made, nothing is connected. Called once, before all else; `pipeline` is an `ozzy.Pipeline`."""

    def run_started(self, run_id: str, pipeline: str, *, resumed: bool, prints: bool = False) -> None:
        """A run begins, or goes on; `prints` says whether a writer prints to standard output."""

    def batch_done(self, progress: Progress) -> None:
        """A batch has gone through all stages."""

    def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
        """A checkpoint (`light` or `full`) is saved; it took so many seconds."""

    def run_finished(self, result: Any) -> None:
        """A run has succeeded."""


class Stop:
    """A request to stop at the next checkpoint: `code` is the exit code it asks for, 0 while nobody has asked."""

    def __init__(self) -> None:
        self.code = 0

    def set(self, code: int = 130) -> None:
        """Ask the run to stop after the batch in progress."""
        self.code = code

    def is_set(self) -> bool:
        """Whether somebody has asked."""
        return self.code != 0
