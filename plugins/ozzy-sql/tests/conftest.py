"""The servers that the tests of this package talk to."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import pytest

from tests.servers.database import PASSWORD, USER, DatabaseServer
from tests.servers.mariadb import mariadb
from tests.servers.postgresql import postgresql
from tests.servers.toxiproxy import toxiproxy


@attrs.define
class Store:
    """A store of one test. `database` is its name on the server, or the path of the file."""

    name: str
    database: str
    server: DatabaseServer | None = None
    environment: dict[str, str] = attrs.field(factory=dict)

    @classmethod
    def on(cls, server: DatabaseServer) -> "Store":
        """A new database of a server."""
        return cls(server.kind, server.database(), server, {f"OZZY_{server.kind.upper()}_PASSWORD": PASSWORD})

    def section(self, **more: Any) -> dict[str, Any]:
        """The section of a config, with the password in it."""
        options = {"database": self.database} if self.server is None else self.server.options(self.database)
        return {"name": self.name, "options": {**options, "lease_seconds": 1.0, **more}}

    def uri(self, run: str, *, password: bool = False) -> str:
        """What `ozzy resume` takes."""
        if self.server is None:
            return f"sqlite://{self.database}:{run}"
        user = f"{USER}:{quote(PASSWORD, safe='')}" if password else USER
        return f"{self.name}://{user}@127.0.0.1:{self.server.port}/{self.database}/{run}"

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query; none where there are no tables yet."""
        if self.server is not None:
            return self.server.ask(statement, self.database)
        with closing(sqlite3.connect(f"file:{self.database}?mode=rw", uri=True, timeout=30)) as connection, connection:
            return connection.execute(statement).fetchall()

    def jobs(self) -> list[tuple[Any, ...]]:
        """The rows of the table `job`: run, last_position, job_finished, configuration; none while there is no table."""
        try:
            return self.ask("SELECT run, last_position, job_finished, configuration FROM job ORDER BY id")
        except Exception as error:
            if "job" in str(error) or "unable to open" in str(error):
                return []
            raise

    def everything(self) -> bytes:
        """All that is in the tables, for looking for what must not be there."""
        if self.server is None:
            return Path(self.database).read_bytes()
        rows = [*self.ask("SELECT * FROM ozzy_document"), *self.ask("SELECT * FROM job")]
        return b"\n".join(bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode() for row in rows for cell in row)


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of libpq of whoever runs the tests play a part."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[DatabaseServer]:
    with postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[DatabaseServer]:
    with mariadb() as server:
        yield server


@pytest.fixture
def new_store(request: pytest.FixtureRequest) -> Callable[[str, Path], Store]:
    """Makes an empty store for the persistence of this name; a file is made below the folder."""

    def made(name: str, folder: Path) -> Store:
        if name == "sqlite":
            return Store(name, str(folder / "state.sqlite"))
        return Store.on(request.getfixturevalue("mariadb_server" if name == "mysql" else "postgresql_server"))

    return made


@pytest.fixture(scope="session")
def toxi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with toxiproxy(tmp_path_factory.mktemp("toxiproxy")) as api:
        yield api
