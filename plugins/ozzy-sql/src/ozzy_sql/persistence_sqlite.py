"""Persistence `sqlite`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from ozzy import StateError, option, options
from ozzy_sql.client import RESUME, ConnectionOptions, Dialect, Verdict
from ozzy_sql.persistence import BaseSqlPersistence

if TYPE_CHECKING:
    from sqlalchemy import URL

_BUSY, _LOCKED = 5, 6


def _not_a_file(database: str) -> str | None:
    return "expected the path of a file" if not database or ":memory:" in database or database.startswith("file:") else None


@options
class SqlitePersistenceOptions(ConnectionOptions):
    """Options of the persistence `sqlite`; user, password, host and port are inherited and mean nothing."""

    database: str = option(check=_not_a_file, help="The file; it is made where it is missing.", example="state/exports.sqlite")
    user: str = option(default="", help="Accepted, and means nothing.")
    password: str = option(default="", secret=True, help="Accepted, and means nothing.")
    host: str = option(default="", help="Accepted, and means nothing.")
    port: int | str = option(default="", help="Accepted, and means nothing.")


@attrs.frozen
class _Sqlite:
    file: Path
    timeout: float
    durable: tuple[str, str] = ("", "")

    def url(self) -> "URL":
        from sqlalchemy import URL

        return URL.create("sqlite+pysqlite", database=str(self.file))

    def arguments(self) -> dict[str, Any]:
        return {"timeout": self.timeout, "check_same_thread": False}

    def greet(self, cursor: Any) -> None:
        """What is committed is on disk, the folder included."""
        cursor.execute("PRAGMA synchronous = EXTRA")

    def absent(self) -> bool:
        return not self.file.exists()

    def prepare(self) -> None:
        """State is its owner's alone: a new file can be read by nobody else."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StateError(f"the database {self.file} can't be made: {error.strerror or error}") from error

    def verdict(self, error: Any) -> Verdict:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code in {_BUSY, _LOCKED}:
            return Verdict("another process keeps it locked", RESUME, passing=True)
        return Verdict(f"{error}")


class SqlitePersistence(BaseSqlPersistence):
    """Keeps all state of pipelines in one SQLite file, for every process of this machine.

    `ozzy resume sqlite://path/file.db:RUN` goes on with a run. A file on a network file system is not safe: use a server.
    """

    Options: ClassVar[type] = SqlitePersistenceOptions
    uri_regex: ClassVar[str] = r"sqlite://(?P<database>.+):(?P<run>[^:/]+)"

    def address(self) -> str:
        return str(self.path(self.options.database))

    def uri(self, run: str) -> str:
        return f"sqlite://{self.address()}:{run}"

    def dialect(self) -> Dialect:
        return _Sqlite(self.path(self.options.database), float(self.options.timeout))
