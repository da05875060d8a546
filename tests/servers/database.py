"""What tests ask of a database server, whichever it is."""

from typing import Any, Protocol

import attrs

from tests.servers.process import Server

USER, PASSWORD = "ozzy", "s3cret/p@ss wörd"
"""Who owns all databases. The password has every character that is awkward in a URI, or in a file of settings."""


class Asks(Protocol):
    """Runs a statement in a database as the administrator and gives the rows, a list of tuples."""

    def __call__(self, statement: str, database: str = ...) -> list[tuple[Any, ...]]: ...


@attrs.define
class DatabaseServer:
    """A database server at `port` of this machine. `kind` is the persistence that speaks to it, `ca` the file of its authority."""

    kind: str
    port: int
    server: Server
    ask: Asks
    ca: str
    numbers: list[int] = attrs.field(factory=list)

    def database(self) -> str:
        """A new, empty database."""
        self.numbers.append(1)
        name = f"ozzy_{len(self.numbers)}"
        self.ask(f"CREATE DATABASE {name}")
        return name

    def options(self, database: str, **more: Any) -> dict[str, Any]:
        """Options of a persistence that lead there."""
        return {"user": USER, "password": PASSWORD, "host": "127.0.0.1", "port": self.port, "database": database, **more}

    def restart(self, number: int, seconds: float = 0.0) -> None:
        """End it with a signal, and let it come back on the same port after so many seconds."""
        import time

        self.server.signal(number)
        assert self.server.process is not None
        self.server.process.wait(30)
        time.sleep(seconds)
        self.server.start()
