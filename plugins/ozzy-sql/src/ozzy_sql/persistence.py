"""What the persistences of all databases share: documents are rows of a table, replaced by one statement that expects a version."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ozzy import BaseSharedPersistence, Metadata, StateError, Stored
from ozzy_sql.client import ConnectionOptions, Database, Dialect
from ozzy_sql.job import columns_of, forget, run_shown, show
from ozzy_sql.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

LAST = "\x7f"
"""What comes behind every character of a key."""


class BaseSqlPersistence(BaseSharedPersistence):
    """Keeps all state of pipelines in the table `ozzy_document` of one database; the table `job` shows the runs.

    Both are made at the first write, and read by nobody else; several pipelines, machines and versions may share them. A connection that is
    lost in the middle of a write leaves open whether that was done: it is looked at, and done again where it was not.
    """

    Options: ClassVar[type] = ConnectionOptions

    def __init__(self, options: Mapping[str, Any] | None = None, metadata: Metadata | None = None) -> None:
        super().__init__(options, metadata)
        self._job_was_told = False

    def dialect(self) -> Dialect:
        """How this database is spoken to."""
        raise NotImplementedError(f"{type(self).__name__} has no dialect()")

    @cached_property
    def database(self) -> Database:
        """The connections."""
        return Database(self, self.dialect(), self.address())

    def read_document(self, key: str) -> Stored | None:
        if not self.database.ready(create=False):
            return None
        document = tables().document

        def read(connection: "Connection") -> Stored | None:
            statement = document.select().with_only_columns(document.c.content, document.c.version).where(document.c.key == key)
            found = connection.execute(statement).one_or_none()
            return Stored(bytes(found.content), found.version) if found is not None else None

        return self.database.call(f"reading {key}", read)

    def write_document(self, key: str, content: bytes, expected: str | None) -> str | None:
        from sqlalchemy.exc import IntegrityError

        self.database.ready(create=True)
        document = tables().document
        version = secrets.token_hex(16)

        def write(connection: "Connection") -> bool:
            if expected is None:
                try:
                    connection.execute(document.insert().values(key=key, content=content, version=version))
                    return True
                except IntegrityError:
                    pass
            else:
                replaced = document.update().where(document.c.key == key, document.c.version == expected)
                if connection.execute(replaced.values(content=content, version=version)).rowcount:
                    return True
            # Refused: by the version of somebody else, or by this one, written by a try whose answer was lost.
            found = connection.execute(document.select().with_only_columns(document.c.version).where(document.c.key == key))
            return bool(found.scalar() == version)

        if not self.database.call(f"writing {key}", write):
            return None
        run = run_shown(key)
        if run is not None:
            self._in_job(lambda connection: show(connection, run, columns_of(key, content)))
        return version

    def list_documents(self, prefix: str) -> Iterable[str]:
        if not self.database.ready(create=False):
            return []
        document = tables().document

        def listed(connection: "Connection") -> list[str]:
            inside = document.c.key.between(prefix, prefix + LAST)
            return list(connection.execute(document.select().with_only_columns(document.c.key).where(inside)).scalars())

        return self.database.call(f"listing the documents {prefix}…", listed)

    def delete_document(self, key: str) -> None:
        if not self.database.ready(create=False):
            return
        document = tables().document
        self.database.call(f"deleting {key}", lambda connection: connection.execute(document.delete().where(document.c.key == key)))
        run = run_shown(key)
        if run is not None and key.endswith("/run"):
            self._in_job(lambda connection: forget(connection, run))

    def close(self) -> None:
        self.database.close()

    def _in_job(self, work: "Callable[[Connection], None]") -> None:
        """Do something to the table `job`, which only shows things: where that fails it is told once, and the run goes on."""
        try:
            self.database.call("keeping the table job up to date", work, once=True)
        except StateError as error:
            if not self._job_was_told:
                self.logger.warning(f"the table job does not show all of this run: {error.message}")
            self._job_was_told = True
