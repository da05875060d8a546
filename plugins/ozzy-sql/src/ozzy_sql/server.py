"""What servers of databases have in common: TLS that is verified, and URIs."""

import ssl
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

from ozzy import StateError, option, options
from ozzy.log import redact
from ozzy_sql.client import ConnectionOptions
from ozzy_sql.persistence import BaseSqlPersistence

SERVER: Final = (
    r"://(?:(?P<user>[^:@/?]+)(?::(?P<password>[^@/?]*))?@)?(?P<host>\[[^\]]+\]|[^:/?@]+)(?::(?P<port>\d+))?"
    r"/(?P<database>[^/?]+)/(?P<run>[^/?]+)(?:\?(?P<more>[^?#]*))?"
)
"""`://user:password@host:port/database/RUN`, where user, password and port may be missing, and `?sslmode=…&ssl_ca=…` may follow."""

MODES: Final = ("disable", "require", "verify-ca", "verify-full")
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
IN_URI: Final = ("sslmode", "ssl_ca")


@options
class ServerOptions(ConnectionOptions):
    """Options of connections to a server."""

    sslmode: str | None = option(
        default=None,
        choices=MODES,
        help="How TLS is used: disable, require (encrypted, the server is not verified), verify-ca, verify-full. Unset: verify-full, and "
        "disable where the host is this machine.",
    )
    ssl_ca: str | None = option(
        default=None,
        help="The file with the certificates of the authorities that the server's is signed by; unset: those of the system.",
        example="/etc/ssl/db-ca.pem",
    )


class BaseServerPersistence(BaseSqlPersistence):
    """A persistence on a server. Its URI is `SCHEME://user@host:port/database/RUN`, where SCHEME is the name of the persistence."""

    scheme: ClassVar[str] = ""

    @property
    def mode(self) -> str:
        """How TLS is used."""
        return self.options.sslmode or ("disable" if self.options.host in LOOPBACK else "verify-full")

    def address(self) -> str:
        given = self.options
        host = f"[{given.host}]" if ":" in given.host else given.host
        return f"{self.scheme}://{quote(given.user, safe='')}@{host}:{given.port}/{quote(given.database, safe='')}"

    def uri(self, run: str) -> str:
        more = {name: self.options.sslmode if name == "sslmode" else self._ca() for name in IN_URI if getattr(self.options, name)}
        return f"{self.address()}/{run}" + (f"?{urlencode(more, safe='/')}" if more else "")

    def context(self) -> ssl.SSLContext:
        """What the connection is verified with, for drivers written in Python."""
        context = ssl.create_default_context(cafile=self._ca() or None)
        if self.mode != "verify-full":
            context.check_hostname = False
        if self.mode == "require":
            context.verify_mode = ssl.CERT_NONE
        return context

    def authorities(self) -> str:
        """The file with the certificates of authorities, for libpq: `system` where Python knows none."""
        return self._ca() or ssl.get_default_verify_paths().cafile or "system"

    def _ca(self) -> str:
        given = self.options.ssl_ca
        if not given:
            return ""
        path: Path = self.path(given)
        if not path.is_file():
            raise StateError(f"the file {path} is missing: the option ssl_ca names it")
        return str(path)

    @classmethod
    def options_from_uri(cls, uri: str, uri_regex: str = "") -> tuple[dict[str, Any], str]:
        found, run = super().options_from_uri(uri, uri_regex)
        more = dict(parse_qsl(found.pop("more", ""), strict_parsing=False))
        unknown = sorted(set(more) - set(IN_URI))
        if unknown:
            raise StateError(f"{redact(uri)} says {unknown[0]}, which a URI of a run does not", hint=f"It may say {' and '.join(IN_URI)}.")
        given: dict[str, Any] = {name: unquote(value) for name, value in found.items()} | more
        given["host"] = given["host"].strip("[]")
        if "port" in given:
            given["port"] = int(given["port"])
        return given, unquote(run)
