"""Persistence `postgresql`."""

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs

from ozzy import option, options
from ozzy_sql.client import RESUME, Dialect, Verdict
from ozzy_sql.server import SERVER, BaseServerPersistence, ServerOptions

if TYPE_CHECKING:
    from sqlalchemy import URL

_PASSING: Final = re.compile("08...|40001|40P01|53[03]..|55P03|57P0[123]|57014|25006")
"""Classes of errors that pass: connection, conflict, resources, lock, shutdown, cancelled, a server that is read-only while it changes."""
_REFUSED: Final = (
    (
        r"no password supplied",
        "the server asks for a password, and none is given",
        "Give it with the variable OZZY_POSTGRESQL_PASSWORD or the option password.",
    ),
    (r"password authentication failed", "user or password is wrong", "Check the options user and password."),
    (r"role .* does not exist", "the user does not exist there", "Check the option user."),
    (r"database .* does not exist", "the database does not exist there", "Check the option database, or make it: CREATE DATABASE …"),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects", "the server lets nobody in from here like this", "Look at its pg_hba.conf."),
    (
        r"does not support SSL",
        "the server has no TLS, and this connection asks for it",
        "Let the server have it; or set sslmode: disable, where the network between can be trusted.",
    ),
    (
        r"certificate verify failed|certificate verification|server certificate|root certificate",
        "the certificate of the server is not accepted",
        "Name the file of its authority with ssl_ca, and the host as the certificate does.",
    ),
    (r"permission denied", "the user has no right to do this", "It needs to make tables once (or find them), and to read and write them."),
)


@options
class PostgresqlPersistenceOptions(ServerOptions):
    """Options of the persistence `postgresql`."""

    user: str = option(env="OZZY_POSTGRESQL_USER", help="Who connects.", example="ozzy")
    password: str | None = option(
        default=None,
        env="OZZY_POSTGRESQL_PASSWORD",
        secret=True,
        help="The password; unset: what libpq finds (PGPASSWORD, ~/.pgpass).",
    )
    host: str = option(env="OZZY_POSTGRESQL_HOST", minimum=1, help="The machine of the server.", example="db.example.com")
    port: int = option(default=5432, minimum=1, maximum=65535, help="The port of the server.")
    database: str = option(env="OZZY_POSTGRESQL_DATABASE", minimum=1, help="The database.", example="exports")


@attrs.frozen
class _Postgresql:
    persistence: "PostgresqlPersistence"
    durable: tuple[str, str] = ("SELECT current_setting('fsync')", "on")

    def url(self) -> "URL":
        from sqlalchemy import URL

        given = self.persistence.options
        return URL.create("postgresql+psycopg", given.user, given.password, given.host, given.port, given.database)

    def arguments(self) -> dict[str, Any]:
        seconds = max(2, round(self.persistence.options.timeout))
        found = {
            "application_name": "ozzy",
            "autocommit": True,
            "connect_timeout": seconds,
            "keepalives_idle": seconds,
            "keepalives_interval": max(1, seconds // 3),
            "keepalives_count": 3,
            "tcp_user_timeout": 1000 * seconds,
            "prepare_threshold": None,
            "sslmode": self.persistence.mode,
        }
        if self.persistence.mode.startswith("verify"):
            found["sslrootcert"] = self.persistence.authorities()
        return found

    def greet(self, cursor: Any) -> None:
        """A commit that this user's settings would let the server lose is one that lasts; a stricter setting stays."""
        cursor.execute("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")

    def absent(self) -> bool:
        return False

    def prepare(self) -> None:
        """A database is made by who owns the server."""

    def verdict(self, error: Any) -> Verdict:
        text, state = " ".join(str(error).split()), getattr(error, "sqlstate", None)
        for pattern, why, hint in _REFUSED:
            if re.search(pattern, text):
                return Verdict(why, hint, final=state is None)
        if state is not None:
            return Verdict(
                f"{type(error).__name__}: {text}", RESUME if _PASSING.fullmatch(state) else None, bool(_PASSING.fullmatch(state))
            )
        lost = any(one.__name__ in {"OperationalError", "InterfaceError"} for one in type(error).__mro__)
        return Verdict(f"the connection broke: {text}" if lost else f"{type(error).__name__}: {text}", RESUME if lost else None, lost)


class PostgresqlPersistence(BaseServerPersistence):
    """Keeps all state of pipelines in a PostgreSQL database, for every machine that reaches it.

    `ozzy resume postgresql://user@host:port/database/RUN` goes on with a run. The password of a URI may be left out: the variable
    OZZY_POSTGRESQL_PASSWORD, or ~/.pgpass, gives it unseen.
    """

    Options: ClassVar[type] = PostgresqlPersistenceOptions
    scheme: ClassVar[str] = "postgresql"
    uri_regex: ClassVar[str] = f"postgresql{SERVER}"

    def dialect(self) -> Dialect:
        return _Postgresql(self)
