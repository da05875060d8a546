"""Persistences: where the checkpoint of a run is kept.

It is one document, replaced in one atomic write. The facts of a run, the lease of its pipeline and the list of its splits stand beside it
in the local state folder, or in the same store where that is shared (`BaseSharedPersistence`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ozzy.contracts.lease import AnyLease
from ozzy.contracts.module import BaseModule


@attrs.frozen
class StateLocation:
    """Where the state of a run belongs: its local `folder`, its id, and the identity of its pipeline.

    `epoch` is the number of the lease under which the run is done; 0 for who only looks.
    """

    folder: Path
    run: str
    pipeline: str
    epoch: int = 0


class BasePersistence(BaseModule):
    """Keeps the checkpoint of a run and finds it again.

    `open(location)` is called once, before anything else; then `generate_new_job()` for a new run, or `get_last_position()` for a
    resumed one; `commit_position` at each checkpoint; `close()` last. A failure to read or write raises StateError: it never looks
    like "nothing there".
    """

    kind: ClassVar[str] = "persistence"
    uri_regex: ClassVar[str] = ""
    shared: ClassVar[bool] = False
    """Whether other machines can see this state."""

    location: StateLocation

    def open(self, location: StateLocation) -> None:
        """Told where the state belongs. Connects to nothing yet."""
        self.location = location

    def generate_new_job(self) -> Any:
        """Make room for a new run."""
        raise NotImplementedError(f"{type(self).__name__} has no generate_new_job()")

    def get_last_position(self) -> Any:
        """The document last committed, or None where there is none."""
        raise NotImplementedError(f"{type(self).__name__} has no get_last_position()")

    def commit_position(self, last_position: Any) -> None:
        """Replace the document, a mapping that is JSON: durable and whole when this returns, else the old one stays."""
        raise NotImplementedError(f"{type(self).__name__} has no commit_position()")

    def lease(self, pipeline: str) -> AnyLease | None:
        """The lease of a pipeline, where it is kept with this state; None: a lock in the local state folder is the lease."""
        return None

    def history(self, pipeline: str | None = None) -> Iterator[dict[str, Any]]:
        """The facts of the runs of one pipeline or of all, where they are kept with this state."""
        return iter(())

    @classmethod
    def named_state_folder(cls, options: Any) -> str | None:  # noqa: ARG003 - for those that override it
        """The folder that its options name for the local state of the pipeline; None: the usual one."""
        return None

    @classmethod
    def run_of_uri(cls, uri: str) -> tuple[str, str] | None:  # noqa: ARG003 - for those that have URIs
        """The state folder and the run that a URI names, where the state of runs is in a folder; None where it names no run of ozzy."""
        return None

    @classmethod
    def configuration_from_uri(cls, uri: str, uri_regex: str) -> dict[str, Any]:
        """The config of a run that a URI names."""
        raise NotImplementedError(f"{cls.__name__} has no configuration_from_uri()")
