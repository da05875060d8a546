"""MariaDB, which speaks the protocol of MySQL. Oracle's MySQL is not tested: its packages are not those of the system."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.certificates import certificate
from tests.servers.database import PASSWORD, USER, DatabaseServer
from tests.servers.places import system_binary
from tests.servers.process import Server, answers, free_port, started
from tests.servers.unprivileged import as_nobody, folder_of_nobody, give, run

# A commit is with the system when it is answered, so that a killed server has it when it comes back; only a power cut could take it.
FAST = (
    "--innodb-use-native-aio=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=2",
    "--skip-name-resolve",
)


@contextmanager
def mariadb(*, tls: bool = True) -> Iterator[DatabaseServer]:
    """MariaDB with its data in a folder of its own; `tls=False`: one that can't encrypt."""
    program = system_binary("mariadb")
    with folder_of_nobody() as folder:
        ca = certificate(folder)
        data, log = folder / "data", folder / "log"
        script = give(_users(folder / "users.sql"), 0o600)
        made = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        run([*made, *FAST], log)
        ports: list[int] = []

        def make() -> Server:
            ports.append(free_port())
            command = [program, "--no-defaults", f"--datadir={data}", f"--socket={folder / 'socket'}", f"--port={ports[-1]}"]
            command += ["--bind-address=127.0.0.1", f"--init-file={script}", *FAST]
            if tls:
                command += [f"--ssl-cert={folder / 'server.pem'}", f"--ssl-key={folder / 'server.key'}"]
            return Server(as_nobody(command), lambda: answers(ports[-1]), log, folder=Path("/"))

        server = started(make)

        def ask(statement: str, database: str = "mysql") -> list[tuple[Any, ...]]:
            import pymysql

            where = {"host": "127.0.0.1", "port": ports[-1], "user": USER, "password": PASSWORD.encode(), "database": database}
            with pymysql.connect(**where, autocommit=True, ssl_disabled=True) as connection, connection.cursor() as cursor:  # type: ignore[call-overload]
                cursor.execute(statement)
                return list(cursor.fetchall())

        try:
            yield DatabaseServer("mysql", ports[-1], server, ask, str(ca))
        finally:
            server.stop()


def _users(path: Path) -> Path:
    name = f"'{USER}'@'127.0.0.1'"
    script = [
        "SET NAMES utf8mb4;",
        f"CREATE USER IF NOT EXISTS {name} IDENTIFIED BY '{PASSWORD}';",
        f"GRANT ALL ON *.* TO {name} WITH GRANT OPTION;",
    ]
    path.write_text("\n".join(script) + "\n", encoding="utf-8")
    return path
