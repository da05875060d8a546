"""PostgreSQL: passwords are asked for (SCRAM), and TLS is there for who wants it."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.servers.certificates import certificate
from tests.servers.database import PASSWORD, USER, DatabaseServer
from tests.servers.places import system_binary
from tests.servers.process import Server, free_port, started
from tests.servers.unprivileged import as_nobody, folder_of_nobody, give, run

FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60")


@contextmanager
def postgresql() -> Iterator[DatabaseServer]:
    """PostgreSQL with its data in a folder of its own. SIGINT ends it at once, SIGQUIT lets it crash."""
    program = system_binary("postgresql")
    with folder_of_nobody() as folder:
        ca = certificate(folder)
        password = give(_written(folder / "password", PASSWORD), 0o600)
        data = folder / "data"
        log = folder / "log"
        initial = [program.parent / "initdb", "-D", data, "-U", USER, "--auth=scram-sha-256", f"--pwfile={password}"]
        run([*initial, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], log)
        ports: list[int] = []

        def make() -> Server:
            ports.append(free_port())
            settings = [*FAST, "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "ssl=on"]
            settings += [f"ssl_cert_file={folder / 'server.pem'}", f"ssl_key_file={folder / 'server.key'}"]
            command = [program, "-D", data, "-p", str(ports[-1]), *(part for one in settings for part in ("-c", one))]
            asked = [str(program.parent / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(ports[-1])]
            return Server(as_nobody(command), lambda: subprocess.run(asked, check=False).returncode == 0, log, folder=Path("/"))

        server = started(make)

        def ask(statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
            import psycopg

            where = {"host": "127.0.0.1", "port": ports[-1], "user": USER, "password": PASSWORD, "dbname": database}
            with psycopg.connect(**where, autocommit=True, connect_timeout=10) as connection:  # type: ignore[arg-type]
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []

        try:
            yield DatabaseServer("postgresql", ports[-1], server, ask, str(ca))
        finally:
            with suppress(ProcessLookupError):
                server.signal(signal.SIGINT)
            server.stop()


def _written(path: Path, text: str) -> Path:
    path.write_text(text + "\n", encoding="utf-8")
    return path
