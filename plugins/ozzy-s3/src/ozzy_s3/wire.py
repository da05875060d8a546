"""Requests that are made once for each of many objects, signed and sent with little more than the standard library.

The client library takes six times as much of the processor for each. It tells once where a bucket is, and by which region and
credentials; what is sent here goes there.
"""

import hashlib
import hmac
import http.client
import socket
import ssl
import time
import weakref
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final, cast
from urllib.parse import quote, unquote, urlsplit

import attrs

Keys = tuple[str, str, str | None]
"""Access key, secret key and session token."""

_EMPTY: Final = hashlib.sha256(b"").hexdigest()
_HUNG_UP: Final = (http.client.BadStatusLine, ConnectionResetError, BrokenPipeError)
_LONGEST: Final = 65_536
_MOST: Final = 200


@attrs.frozen
class Request:
    """One request to an object; with an empty key and a query, whose parts are in order and quoted, one to the bucket."""

    method: str
    key: str
    headers: Mapping[str, str]
    query: str = ""
    body: bytes = b""


@attrs.frozen
class Answer:
    """What the server says: the status, the headers by their names in small letters, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen
class Place:
    """Where the keys of a bucket begin: `url` with its last slash; `keys` gives the credentials of the moment, None for anonymous.

    `bundle` is a file with the certificates that are trusted, `proxy` the address of a proxy to go through.
    """

    url: str
    region: str
    keys: Callable[[], Keys | None]
    bundle: str
    timeout: float
    proxy: str | None = None


def quoted(path: str) -> str:
    """A key as it stands in an address.

    >>> quoted("a b/ä~.jl")
    'a%20b/%C3%A4~.jl'
    """
    return quote(path, safe="/~")


class Wire:
    """Sends small requests to a bucket, from any number of threads. A connection stays open for whoever comes next."""

    def __init__(self, place: Place) -> None:
        self.place = place
        where = urlsplit(place.url)
        self._host = where.netloc
        self._path = where.path
        self._context = ssl.create_default_context(cafile=place.bundle) if where.scheme == "https" else None
        self._before = f"{where.scheme}://{where.netloc}" if place.proxy and self._context is None else ""
        self._idle: list[_Line] = []
        self._signing: tuple[tuple[str, str], bytes] | None = None
        weakref.finalize(self, _close, self._idle)

    def send(self, request: Request) -> Answer:
        """The answer to one request. Raises OSError or HTTPException where there is none; any status is one."""
        method, path = request.method, self._path + quoted(request.key)
        signed = self._signed(request, path)
        if method == "PUT":
            signed["content-length"] = str(len(request.body))
        path = f"{self._before}{path}?{request.query}" if request.query else self._before + path
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.items()), "", ""]
        sent = "\r\n".join(lines).encode() + request.body
        line = self._free()
        if line is not None:
            try:
                return self._asked(line, sent, method)
            except _HUNG_UP:
                pass
        return self._asked(_Line(self._connected()), sent, method)

    def close(self) -> None:
        """Let go of the connections."""
        _close(self._idle)

    def _free(self) -> "_Line | None":
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _asked(self, line: "_Line", sent: bytes, method: str) -> Answer:
        answer = line.ask(sent, method)
        if line.open:
            self._idle.append(line)
        return answer

    def _connected(self) -> socket.socket:
        timeout = self.place.timeout
        proxy = urlsplit(self.place.proxy or "")
        host = self._host if proxy.hostname is None else f"{proxy.hostname}:{proxy.port or 80}"
        if self._context is None:
            connection = http.client.HTTPConnection(host, timeout=timeout)
        else:
            connection = http.client.HTTPSConnection(host, timeout=timeout, context=self._context)
            if proxy.hostname is not None:
                connection.set_tunnel(self._host, headers=self._shown_to_proxy())
        connection.connect()
        return cast("socket.socket", connection.sock)

    def _shown_to_proxy(self) -> dict[str, str]:
        """What a proxy wants to see: its own user and password, where its address has them."""
        proxy = urlsplit(self.place.proxy or "")
        if proxy.username is None:
            return {}
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        return {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"}

    def _signed(self, asked: Request, path: str) -> dict[str, str]:
        """The headers of a request with its signature, as version 4 of Amazon's process makes it."""
        headers = {name: " ".join(value.split()) for name, value in asked.headers.items()}
        headers["host"] = self._host
        beside = {"user-agent": "ozzy"} | (self._shown_to_proxy() if self._before else {})
        keys = self.place.keys()
        if keys is None:
            return headers | beside
        access, secret, token = keys
        payload = hashlib.sha256(asked.body).hexdigest() if asked.body else _EMPTY
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers |= {"x-amz-date": now, "x-amz-content-sha256": payload}
        if token:
            headers["x-amz-security-token"] = token
        names = sorted(headers)
        listed = ";".join(names)
        request = "\n".join((asked.method, path, asked.query, *(f"{name}:{headers[name]}" for name in names), "", listed, payload))
        scope = f"{now[:8]}/{self.place.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._signing_key(now[:8], secret), text.encode(), "sha256").hex()
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={listed}, Signature={signature}"
        return headers | beside

    def _signing_key(self, day: str, secret: str) -> bytes:
        known = self._signing
        if known is None or known[0] != (day, secret):
            key = f"AWS4{secret}".encode()
            for part in (day, self.place.region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._signing = known = ((day, secret), key)
        return known[1]


class _Line:
    """One connection: a request, its answer, and the next."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._file = connected.makefile("rb")
        self.open = True

    def ask(self, request: bytes, method: str) -> Answer:
        """Send a request and read the answer. A connection that failed, or that the server closes, is closed."""
        try:
            self._socket.sendall(request)
            status = 100
            while status < 200:
                status, old = self._status()
                headers = self._headers()
            body = b"" if method == "HEAD" or status in {204, 304} else self._body(headers)
        except BaseException:
            self.close()
            raise
        if old or "close" in headers.get("connection", "").lower() or not _ends(headers, method, status):
            self.close()
        return Answer(status, headers, body)

    def close(self) -> None:
        self.open = False
        self._file.close()
        self._socket.close()

    def _status(self) -> tuple[int, bool]:
        line = self._file.readline(_LONGEST)
        if not line:
            raise http.client.RemoteDisconnected("the connection was closed without an answer")
        version, _, rest = line.partition(b" ")
        if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
            raise http.client.BadStatusLine(line.decode("latin-1"))
        return int(rest[:3]), version == b"HTTP/1.0"

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while (line := self._file.readline(_LONGEST)) not in {b"\r\n", b"\n"}:
            if not line.endswith(b"\n") or len(headers) > _MOST:
                raise http.client.HTTPException("the headers of an answer are cut off, or too many")
            name, _, value = line.partition(b":")
            headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
        return headers

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            pieces = []
            while size := int(self._file.readline(_LONGEST).partition(b";")[0], 16):
                pieces.append(self._read(size))
                self._file.readline(_LONGEST)
            self._headers()
            return b"".join(pieces)
        told = headers.get("content-length")
        return self._file.read() if told is None else self._read(int(told))

    def _read(self, size: int) -> bytes:
        content = self._file.read(size)
        if len(content) < size:
            raise http.client.IncompleteRead(content, size - len(content))
        return content


def _close(lines: list[_Line]) -> None:
    while lines:
        lines.pop().close()


def _ends(headers: dict[str, str], method: str, status: int) -> bool:
    """Whether an answer has an end, other than that of the connection."""
    return method == "HEAD" or status in {204, 304} or "content-length" in headers or "transfer-encoding" in headers
