"""A relay in front of an HTTP server which answers some requests itself: throttling and other refusals that no server gives on demand."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import attrs

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


@attrs.define
class Relay:
    """`refuse(method, path, number)` is asked of each request, counted from 1: what it answers is sent, None lets the request through.

    `before_answer(method, path)` is called when the server has answered: a ConnectionError in it loses the answer.
    """

    endpoint: str = ""
    refuse: Callable[[str, str, int], Answer | None] = lambda method, path, number: None
    seen: list[tuple[str, str]] = attrs.field(factory=list)
    before_answer: Callable[[str, str], None] = lambda method, path: None
    lock: Any = attrs.field(factory=threading.Lock)


def s3_error(status: int, code: str, **headers: str) -> Answer:
    """An error as S3 tells it."""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'.encode()
    return status, {"Content-Type": "application/xml", **{name.replace("_", "-"): value for name, value in headers.items()}}, body


@contextmanager
def relay(upstream: str) -> Iterator[Relay]:
    """A relay in front of the server at `upstream`. The Host header passes as it is, since clients sign it."""
    where = urlsplit(upstream).netloc
    made = Relay()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size) if size else b""
            with made.lock:
                made.seen.append((self.command, self.path))
                answer = made.refuse(self.command, self.path, len(made.seen))
            status, headers, content = answer or self.passed_on(body)
            try:
                made.before_answer(self.command, self.path)
            except ConnectionError:
                self.close_connection = True
                return
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def passed_on(self, body: bytes) -> Answer:
            connection = http.client.HTTPConnection(where, timeout=60)
            try:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in {"connection", "expect"}:
                        connection.putheader(name, value)
                connection.endheaders(body)
                response = connection.getresponse()
                content = response.read()
                headers = {name: value for name, value in response.getheaders() if name.lower() not in {"connection", "transfer-encoding"}}
                if self.command != "HEAD":
                    headers.pop("Content-Length", None)
                return response.status, headers, content
            finally:
                connection.close()

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        made.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
