"""Persistences: where the state of a run is kept.

The state is one document, the checkpoint, replaced in one atomic write; beside it small facts of the run and the lease of its pipeline.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ozzy.contracts.module import BaseModule


@attrs.frozen
class StateLocation:
    """Where state belongs: the local `folder` for it, and the identity of the `pipeline` in it."""

    folder: Path
    pipeline: str


class Lease:
    """The right to run a pipeline: `epoch` rises by one each time it is taken."""

    epoch: int = 0

    def check(self) -> None:
        """Raises StateError where another process has taken the lease since."""

    def release(self) -> None:
        """Give the lease back; doing so twice is the same as once."""


class BasePersistence(BaseModule):
    """Keeps the checkpoint of a run and finds it again.

    `open(location, run)` is called once before anything else, with the id of the run; then either `generate_new_job()` for a new run,
    or `get_last_position()` for a resumed one; `commit_position` at each checkpoint; `close()` last. What these raise is a StateError.
    """

    kind: ClassVar[str] = "persistence"
    uri_regex: ClassVar[str] = ""
    shared: ClassVar[bool] = False
    """Whether other machines can see this state."""

    location: StateLocation
    run: str

    def open(self, location: StateLocation, run: str) -> None:
        """Where the state belongs, and for which run. Connects to nothing yet."""
        self.location = location
        self.run = run

    def generate_new_job(self) -> Any:
        """Make room for a new run."""
        raise NotImplementedError(f"{type(self).__name__} has no generate_new_job()")

    def get_last_position(self) -> Any:
        """The document last committed, or None where there is none."""
        raise NotImplementedError(f"{type(self).__name__} has no get_last_position()")

    def commit_position(self, last_position: Any) -> None:
        """Replace the document: durable and whole when this returns, or the old one stays."""
        raise NotImplementedError(f"{type(self).__name__} has no commit_position()")

    def lease(self) -> AbstractContextManager[Lease] | Lease:
        """Take the right to run the pipeline. Raises StateError that names who holds it."""
        raise NotImplementedError(f"{type(self).__name__} has no lease()")

    def history(self) -> Iterator[dict[str, Any]]:
        """The facts of every run at this location, oldest first."""
        return iter(())

    @classmethod
    def configuration_from_uri(cls, uri: str, uri_regex: str) -> dict[str, Any]:
        """The config of a run that a URI names."""
        raise NotImplementedError(f"{cls.__name__} has no configuration_from_uri()")
