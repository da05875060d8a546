"""toxiproxy: connections that are slow, cut or dead, as asked for."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from tests.servers.places import binary
from tests.servers.process import Server, answers, free_port, started


@attrs.define
class Proxy:
    """One proxy in front of a server. `endpoint` is its address; a client that signs its requests has to be given this one."""

    api: str
    name: str
    endpoint: str

    def latency(self, milliseconds: int) -> None:
        """Answers come this much later."""
        self._toxic("latency", {"latency": milliseconds})

    def reset(self, milliseconds: int = 0, *, stream: str = "downstream") -> None:
        """The connection is reset after so many milliseconds."""
        self._toxic("reset_peer", {"timeout": milliseconds}, stream)

    def cut(self, size: int, *, stream: str = "downstream") -> None:
        """The connection ends after so many bytes."""
        self._toxic("limit_data", {"bytes": size}, stream)

    def stall(self) -> None:
        """Nothing comes through, and nobody says so."""
        self._toxic("timeout", {"timeout": 0})

    def slow(self, kilobytes: int, *, stream: str = "downstream") -> None:
        """So many kilobytes come through in a second."""
        self._toxic("bandwidth", {"rate": kilobytes}, stream)

    def down(self, down: bool = True) -> None:
        """Nobody listens any more; or listens again."""
        self._ask("POST", f"/proxies/{self.name}", {"enabled": not down})

    def heal(self) -> None:
        """Let everything through again."""
        for toxic in self._ask("GET", f"/proxies/{self.name}/toxics"):
            self._ask("DELETE", f"/proxies/{self.name}/toxics/{toxic['name']}")

    def _toxic(self, kind: str, attributes: dict[str, Any], stream: str = "downstream") -> None:
        self._ask("POST", f"/proxies/{self.name}/toxics", {"type": kind, "stream": stream, "attributes": attributes})

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return _ask(self.api, method, path, body)


@contextmanager
def toxiproxy(folder: Path) -> Iterator[str]:
    """The address of a toxiproxy."""
    program = binary("toxiproxy")
    ports: list[int] = []

    def make() -> Server:
        ports.append(port := free_port())
        return Server([str(program), "-host", "127.0.0.1", "-port", str(port)], lambda: answers(port), folder / "toxiproxy.log")

    server = started(make)
    try:
        yield f"http://127.0.0.1:{ports[-1]}"
    finally:
        server.stop()


@contextmanager
def proxied(api: str, upstream: str) -> Iterator[Proxy]:
    """A new proxy in front of the server at `upstream`, an http address."""
    where = urlsplit(upstream).netloc
    made = _ask(api, "POST", "/proxies", {"name": f"p{free_port()}", "listen": "127.0.0.1:0", "upstream": where})
    try:
        yield Proxy(api, made["name"], f"http://{made['listen']}")
    finally:
        _ask(api, "DELETE", f"/proxies/{made['name']}")


def _ask(api: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{api}{path}", data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        content = answer.read()
    return json.loads(content) if content else None
