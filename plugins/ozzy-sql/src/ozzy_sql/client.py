"""Connections to databases through SQLAlchemy: made when first needed, tried again where that may help, their errors told as ozzy's.

Every statement is a transaction of its own: a process that is frozen or killed between two of them holds no lock that others wait for.
"""

import os
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs

from ozzy import BaseModule, OzzyError, RetryOptions, SharedPersistenceOptions, StateError, option, options
from ozzy.log import notes
from ozzy_sql.tables import DOCUMENT, JOB, tables

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

T = TypeVar("T")

RESUME = "Nothing that was committed is lost: go on with --resume when it answers again."


@options
class ConnectionOptions(SharedPersistenceOptions):
    """Options of every connection to a database."""

    timeout: float = option(default=30.0, minimum=1, help="Seconds that a connection may take, and that an answer is waited for.")
    retry: RetryOptions = option(
        factory=lambda: RetryOptions(tries=6, seconds=60.0),
        help="How often a statement is tried while the database can't be reached, restarts or is busy.",
    )


@attrs.frozen
class Verdict:
    """What an error of a database means: why it failed, what to do, and whether trying again may help, or can't ever (`final`)."""

    why: str
    hint: str | None = None
    passing: bool = False
    final: bool = False


class Dialect(Protocol):
    """What differs from one database to the other."""

    @property
    def durable(self) -> tuple[str, str]:
        """A query, and the text it gives where the server syncs what it commits; both empty where there is no such query."""

    def url(self) -> "URL":
        """Where it is; the password in it is never shown."""

    def arguments(self) -> dict[str, Any]:
        """Further arguments of the driver."""

    def greet(self, cursor: Any) -> None:
        """Said on each new connection, before anything else."""

    def absent(self) -> bool:
        """Whether there is certainly no such database yet, so that looking into it would only make it."""

    def prepare(self) -> None:
        """Make what a database needs before it can be connected to."""

    def verdict(self, error: Any) -> Verdict:
        """What an error of the driver means."""


class Database:
    """One database. Its engine is made at the first call, and once more in a process that was forked."""

    def __init__(self, module: BaseModule, dialect: Dialect, address: str) -> None:
        self.module = module
        self.dialect = dialect
        self.address = address
        self._engine: Engine | None = None
        self._owner = 0
        self._inherited: list[Engine] = []
        self._ready = False
        self._refused: StateError | None = None
        self._lock = threading.Lock()

    def call(self, what: str, work: "Callable[[Connection], T]", *, once: bool = False) -> T:
        """What `work` gives with a connection, tried again where that may help. A failure is a StateError that says `what` failed."""
        if self._refused is not None:
            raise StateError(self._refused.message, hint=self._refused.hint)

        def tried() -> T:
            with self.engine().connect() as connection:
                return work(connection)

        try:
            if once:
                return tried()
            retries = self.module.read_option("retry").policy()
            return self.module.calling(tried, what=what, transient=lambda error: self._verdict(error).passing, retries=retries)
        except OzzyError:
            raise
        except Exception as error:
            verdict = self._verdict(error)
            told = StateError(f"{what} failed at {self.address}: {verdict.why}{notes(error)}", hint=verdict.hint)
            if verdict.final:
                self._refused = told
            raise told from error

    def ready(self, *, create: bool) -> bool:
        """Whether the tables are there; `create` makes them."""
        if self._ready:
            return True
        if not create and self.dialect.absent():
            return False
        if create:
            self.dialect.prepare()
        self._ready = self.call("looking for the tables", _has_tables)
        if create and not self._ready:
            self.call("making the tables", _make_tables)
            self._ready = True
        return self._ready

    def engine(self) -> "Engine":
        """The engine of this process."""
        if self._engine is None or self._owner != os.getpid():
            with self._lock:
                if self._engine is None or self._owner != os.getpid():
                    if self._engine is not None:
                        self._inherited.append(self._engine)
                    self._engine, self._owner = self._made(), os.getpid()
        return self._engine

    def close(self) -> None:
        """Let go of the connections."""
        if self._engine is not None and self._owner == os.getpid():
            self._engine.dispose()
            self._engine = None

    def _made(self) -> "Engine":
        from sqlalchemy import create_engine, event
        from sqlalchemy.pool import QueuePool

        engine = create_engine(
            self.dialect.url(),
            connect_args=self.dialect.arguments(),
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=1,
            pool_reset_on_return=None,
            hide_parameters=True,
        )
        query, wanted = self.dialect.durable
        warned: list[str] = []

        def greet(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            try:
                self.dialect.greet(cursor)
                if query and not warned:
                    cursor.execute(query)
                    (found,) = cursor.fetchone()
                    if str(found) != wanted:
                        warned.append(str(found))
                        self.module.logger.warning(
                            "the database is set up to lose what it has committed when its machine fails", setting=query, value=str(found)
                        )
            finally:
                cursor.close()

        event.listen(engine, "connect", greet, insert=True)
        weakref.finalize(self, _dispose, engine, os.getpid()).atexit = False
        return engine

    def _verdict(self, error: Exception) -> Verdict:
        from sqlalchemy.exc import DBAPIError, NoSuchModuleError
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        if isinstance(error, DBAPIError):
            found = self.dialect.verdict(error.orig)
            return attrs.evolve(found, passing=True) if error.connection_invalidated and not found.final else found
        if isinstance(error, (PoolTimeout, NoSuchModuleError, OSError)):
            return Verdict(f"{type(error).__name__}: {error}")
        found = self.dialect.verdict(error)
        return found if found.final or found.passing else Verdict(f"{type(error).__name__}: {error}", found.hint)


def _dispose(engine: "Engine", owner: int) -> None:
    """Close what nobody has closed, unless it is another process's too: closing says goodbye to the server."""
    if os.getpid() == owner:
        engine.dispose()


def _has_tables(connection: "Connection") -> bool:
    from sqlalchemy import inspect

    inspector = inspect(connection)
    return inspector.has_table(DOCUMENT) and inspector.has_table(JOB)


def _make_tables(connection: "Connection") -> None:
    """Make what is missing. Where several do that at once, all but one fail, and find that it was done."""
    from sqlalchemy.exc import DBAPIError

    try:
        tables().metadata.create_all(connection)
    except DBAPIError:
        if not _has_tables(connection):
            raise
