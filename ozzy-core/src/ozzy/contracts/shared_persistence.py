"""Persistences whose state several machines share: all of it is made of documents in one store."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ozzy.contracts.documents import Documents, Stored
from ozzy.contracts.lease import TimedLease
from ozzy.contracts.module import Metadata
from ozzy.contracts.persistence import BasePersistence, StateLocation
from ozzy.errors import StateError
from ozzy.log import redact
from ozzy.options.option import option, options


@options
class SharedPersistenceOptions:
    """Options of every persistence whose state is shared."""

    lease_seconds: float = option(
        default=60.0,
        minimum=0.2,
        help="How long a run that gives no sign of life keeps its pipeline: another one may take over after so many seconds.",
    )


class BaseSharedPersistence(BasePersistence):
    """Keeps all state of a pipeline in a store that other machines reach too, so that any of them can go on with a run.

    Write `read_document`, `write_document`, `list_documents` and `delete_document`; the lease, checkpoints, records of runs and bookmarks
    are made of them. They connect when first called, raise StateError where the store fails, and are called from two threads, never from
    both at the same time. Keys consist of ASCII letters, digits, `-`, `_`, `.` and `/`, up to 300 of them; contents are up to some MiB.

    `uri_regex` may name one run in such a store: its named group `run` is the id, the others are options.
    """

    Options: ClassVar[type] = SharedPersistenceOptions
    shared: ClassVar[bool] = True

    def __init__(self, options: Mapping[str, Any] | None = None, metadata: Metadata | None = None) -> None:
        super().__init__(options, metadata)
        self.documents = Documents(self)

    def read_document(self, key: str) -> Stored | None:
        """The document of a key with its version, None where there is none."""
        raise NotImplementedError(f"{type(self).__name__} has no read_document()")

    def write_document(self, key: str, content: bytes, expected: str | None) -> str | None:
        """Write where the version is `expected` (None: where there is no document), in one step that nobody comes between.

        Returns the new version, which no document of this key has had before, once the content is durable; None, and nothing is changed,
        where the version is another one.
        """
        raise NotImplementedError(f"{type(self).__name__} has no write_document()")

    def list_documents(self, prefix: str) -> Iterable[str]:
        """The keys of all documents that begin with this text."""
        raise NotImplementedError(f"{type(self).__name__} has no list_documents()")

    def delete_document(self, key: str) -> None:
        """Delete a document; one that is not there is no error."""
        raise NotImplementedError(f"{type(self).__name__} has no delete_document()")

    def address(self) -> str:
        """Where the store is, for people; nothing secret."""
        return type(self).__name__

    def uri(self, run: str) -> str:
        """What `ozzy resume` takes for a run in this store, empty where there is no such thing; nothing secret."""
        return ""

    def open(self, location: StateLocation) -> None:
        super().open(location)
        self.documents.epoch = location.epoch
        self.documents.holder = self.lease(location.pipeline).holder

    def generate_new_job(self) -> str:
        return self.location.run

    def get_last_position(self) -> Any:
        return self.documents.claim(checkpoint_key(self.location.pipeline, self.location.run))

    def commit_position(self, last_position: Any) -> None:
        self.documents.put(checkpoint_key(self.location.pipeline, self.location.run), last_position)

    def lease(self, pipeline: str) -> TimedLease:
        return TimedLease(self.documents, lease_key(pipeline), float(self.read_option("lease_seconds", 60.0)))

    def history(self, pipeline: str | None = None) -> Iterator[dict[str, Any]]:
        prefix = "" if pipeline is None else f"{pipeline_key(pipeline)}/runs/"
        for key in self.documents.keys(prefix):
            if key.endswith("/run") and (document := self.documents.read(key)) is not None:
                yield document.content

    @classmethod
    def options_from_uri(cls, uri: str, uri_regex: str = "") -> tuple[dict[str, Any], str]:
        """The options of the store, and the id of the run, that a URI names. Raises StateError where it is not one of this persistence."""
        match = re.fullmatch(uri_regex or cls.uri_regex, uri)
        if match is None or "run" not in match.groupdict():
            raise StateError(f"{redact(uri)} does not name a run of the persistence {cls.__name__}")
        found = {name: value for name, value in match.groupdict().items() if value is not None}
        run = found.pop("run")
        return found, run

    @classmethod
    def configuration_from_uri(cls, uri: str, uri_regex: str) -> dict[str, Any]:
        """The config of the run that a URI names, as it is stored: without secrets."""
        given, run = cls.options_from_uri(uri, uri_regex)
        persistence = cls({"name": cls.__name__, "options": given}, Metadata(working_folder=Path.cwd()))
        try:
            for facts in persistence.history():
                if facts["run"] == run:
                    return dict(facts["config"])
        finally:
            persistence.close()
        raise StateError(f"there is no run {run} in {persistence.address()}")


def pipeline_key(pipeline: str) -> str:
    """What the keys of a pipeline begin with: its name in ASCII, with a hash that keeps two pipelines apart."""
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', pipeline)[:40]}-{hashlib.sha256(pipeline.encode()).hexdigest()[:16]}"


def lease_key(pipeline: str) -> str:
    """The key of a pipeline's lease."""
    return f"{pipeline_key(pipeline)}/lease"


def run_key(pipeline: str, run: str) -> str:
    """What the keys of a run begin with."""
    return f"{pipeline_key(pipeline)}/runs/{run}"


def checkpoint_key(pipeline: str, run: str) -> str:
    """The key of a run's checkpoint."""
    return f"{run_key(pipeline, run)}/checkpoint"
