"""Persistence `mysql`, for MySQL and MariaDB."""

from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs

from ozzy import option, options
from ozzy_sql.client import RESUME, Dialect, Verdict
from ozzy_sql.server import SERVER, BaseServerPersistence, ServerOptions

if TYPE_CHECKING:
    from sqlalchemy import URL

_PASSING: Final = frozenset({0, 1040, 1053, 1077, 1129, 1158, 1159, 1160, 1161, 1205, 1213, 1290, 1836, 1927, 2002, 2003, 2006, 2013, 2055})
"""Errors that pass: connection, shutdown, too many connections, lock waits and deadlocks, a server that is read-only while it changes."""
_RIGHTS: Final = "It needs to make tables once (or find them), and to read and write them: CREATE, SELECT, INSERT, UPDATE, DELETE."
_NO_PASSWORD: Final = (
    "the server refuses the user without a password, and none is given",
    "Give it with the variable OZZY_MYSQL_PASSWORD or the option password.",
)
_REFUSED: Final = {
    1044: ("the user has no right to this database", _RIGHTS),
    1045: ("user or password is wrong", "Check the options user and password, and from which hosts the user may come."),
    1049: ("the database does not exist there", "Check the option database, or make it: CREATE DATABASE …"),
    1130: ("the server lets nobody in from this machine", "Let the user come from this host: 'user'@'host'."),
    1142: ("the user has no right to do this", _RIGHTS),
    1698: ("user or password is wrong", "This user may only come without a password, from the server's own machine."),
    2026: (
        "the server has no TLS, and this connection asks for it",
        "Let the server have it; or set sslmode: disable, where the network between can be trusted.",
    ),
}


@options
class MysqlPersistenceOptions(ServerOptions):
    """Options of the persistence `mysql`."""

    user: str = option(env="OZZY_MYSQL_USER", help="Who connects.", example="ozzy")
    password: str | None = option(default=None, env="OZZY_MYSQL_PASSWORD", secret=True, help="The password.")
    host: str = option(env="OZZY_MYSQL_HOST", minimum=1, help="The machine of the server.", example="db.example.com")
    port: int = option(default=3306, minimum=1, maximum=65535, help="The port of the server.")
    database: str = option(env="OZZY_MYSQL_DATABASE", minimum=1, help="The database.", example="exports")


@attrs.frozen
class _Mysql:
    persistence: "MysqlPersistence"
    durable: tuple[str, str] = ("SELECT @@innodb_flush_log_at_trx_commit", "1")

    def url(self) -> "URL":
        from sqlalchemy import URL

        given = self.persistence.options
        return URL.create("mysql+pymysql", given.user, None, given.host, given.port, given.database)

    def arguments(self) -> dict[str, Any]:
        seconds = self.persistence.options.timeout
        found: dict[str, Any] = {"connect_timeout": max(1, round(seconds)), "read_timeout": seconds, "write_timeout": seconds}
        found |= {"autocommit": True, "charset": "utf8mb4", "password": (self.persistence.options.password or "").encode()}
        if self.persistence.mode == "disable":
            return found | {"ssl_disabled": True}
        return found | {"ssl": self.persistence.context()}

    def greet(self, cursor: Any) -> None:
        """Whatever the server is set up to put up with, a value that does not fit is an error."""
        cursor.execute("SET SESSION sql_mode = 'TRADITIONAL'")

    def absent(self) -> bool:
        return False

    def prepare(self) -> None:
        """A database is made by who owns the server."""

    def verdict(self, error: Any) -> Verdict:
        arguments: list[Any] = list(getattr(error, "args", ()))
        number = arguments[0] if arguments and isinstance(arguments[0], int) else None
        text = " ".join(str(arguments[1] if number is not None and len(arguments) > 1 else error).split())
        if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
            hint = "Name the file of its authority with ssl_ca, and the host as the certificate does."
            return Verdict("the certificate of the server is not accepted", hint, final=True)
        if number in _REFUSED:
            why, hint = _NO_PASSWORD if "(using password: NO)" in text else _REFUSED[number]
            return Verdict(why, hint, final=number != 1142)
        passing = number in _PASSING
        return Verdict(f"{text} ({number})" if number else text or type(error).__name__, RESUME if passing else None, passing)


class MysqlPersistence(BaseServerPersistence):
    """Keeps all state of pipelines in a MySQL or MariaDB database, for every machine that reaches it.

    `ozzy resume mysql://user@host:port/database/RUN` goes on with a run. The password of a URI may be left out: the variable
    OZZY_MYSQL_PASSWORD gives it unseen.
    """

    Options: ClassVar[type] = MysqlPersistenceOptions
    scheme: ClassVar[str] = "mysql"
    uri_regex: ClassVar[str] = f"mysql{SERVER}"

    def dialect(self) -> Dialect:
        return _Mysql(self)
