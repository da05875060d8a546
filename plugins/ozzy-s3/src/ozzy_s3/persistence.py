"""Persistence `s3`: all state of pipelines as small objects of a bucket, replaced only where nobody else has replaced them meanwhile."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, ClassVar, Final, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode

from ozzy import (
    BaseSharedPersistence,
    Metadata,
    Problem,
    RetryOptions,
    SharedPersistenceOptions,
    StateError,
    Stored,
    option,
    options,
)
from ozzy_s3 import client
from ozzy_s3.client import Connection, connection_problems
from ozzy_s3.listing import listed

IN_URI: Final = ("endpoint", "region", "profile", "role", "addressing")
"""Options that a URI may name beside bucket and prefix."""

_TOKEN: Final = 32
_REFUSED: Final = frozenset({"PreconditionFailed", "412", "NoSuchKey"})
_NEVER: Final = '"00000000000000000000000000000000"'


@options
class S3PersistenceOptions(SharedPersistenceOptions):
    """Options of the persistence `s3`."""

    bucket: str = option(help=client.BUCKET, example="exports")
    prefix: str = option(default="", help="What the keys of all state begin with, up to a slash.", example="ozzy/state")
    region: str | None = option(default=None, help=client.REGION)
    endpoint: str | None = option(default=None, help=client.ENDPOINT)
    aws_access_key_id: str | None = option(default=None, secret=False, help=client.ACCESS_KEY)
    aws_secret_access_key: str | None = option(default=None, secret=True, help=client.SECRET_KEY)
    aws_session_token: str | None = option(default=None, secret=True, help=client.TOKEN)
    profile: str | None = option(default=None, help=client.PROFILE)
    role: str | None = option(default=None, help=client.ROLE)
    anonymous: bool = option(default=False, help=client.ANONYMOUS)
    addressing: Literal["auto", "path", "virtual"] = option(default="auto", help=client.ADDRESSING)
    encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = option(default=None, help=client.ENCRYPTION)
    kms_key: str | None = option(default=None, help=client.KMS_KEY)
    timeout: float = option(default=20.0, minimum=0.1, help=client.TIMEOUT)
    retry: RetryOptions = option(factory=lambda: RetryOptions(tries=6, seconds=60.0), help=client.RETRY)


class S3Persistence(BaseSharedPersistence):
    """Keeps all state of pipelines in a bucket, for every machine that reaches it: one with an empty disk too.

    Each document is an object. It is written where there is none (`If-None-Match`), or where its ETag is the one that was read
    (`If-Match`); a server that does not honour both is found out at the first write, and refused. An object begins with a text that no
    other write has, so that no ETag ever comes back, and a write whose answer was lost is known again.

    `ozzy resume s3://bucket/prefix:RUN` goes on with a run. Keys are not part of a URI: they come from the environment, a profile, or
    the machine.
    """

    Options: ClassVar[type] = S3PersistenceOptions
    uri_regex: ClassVar[str] = r"s3://(?P<bucket>[^/:?#]+)(?:/(?P<prefix>[^:?#]*))?:(?P<run>[^:/?#]+)(?:\?(?P<more>[^?#]*))?"

    def __init__(self, options: Mapping[str, Any] | None = None, metadata: Metadata | None = None) -> None:
        super().__init__(options, metadata)
        self._connection = Connection(self, StateError, pool=2)
        self._folder = "".join(f"{part}/" for part in self.options.prefix.split("/") if part)
        self._honoured = False

    @classmethod
    def check_options(cls, options: S3PersistenceOptions) -> Iterator[Problem]:
        """What is wrong with options taken together."""
        yield from connection_problems(options)
        if {".", ".."} & set(options.prefix.split("/")):
            yield Problem("prefix", "a key has no '.' and '..': write the prefix as it is to be")
        if options.kms_key and (options.encryption or "AES256") == "AES256":
            yield Problem("kms_key", "it needs encryption: aws:kms")

    def read_document(self, key: str) -> Stored | None:
        found = self._found(key)
        return Stored(found.content[_TOKEN + 1 :], found.version) if found is not None else None

    def write_document(self, key: str, content: bytes, expected: str | None) -> str | None:
        token = secrets.token_hex(_TOKEN // 2).encode()
        body = token + b"\n" + content
        version = self._put(key, body, {"IfNoneMatch": "*"} if expected is None else {"IfMatch": f'"{expected}"'})
        if version is None and (found := self._found(key)) is not None and found.content.startswith(token):
            version = found.version
        if version is not None and not self._honoured:
            self._make_sure(key, body)
        return version

    def list_documents(self, prefix: str) -> Iterable[str]:
        return (one.filename.removeprefix(self._folder) for one in listed(self._connection, self._folder + prefix))

    def delete_document(self, key: str) -> None:
        what = f"deleting {self._connection.address(self._folder + key)}"
        self._connection.call("delete_object", what, codes=frozenset({"NoSuchKey"}), Key=self._folder + key)

    def address(self) -> str:
        return f"s3://{self._connection.bucket}/{self._folder}".rstrip("/")

    def uri(self, run: str) -> str:
        given = {name: getattr(self.options, name) for name in IN_URI}
        more = urlencode({name: value for name, value in given.items() if value not in {None, "auto"}}, safe="/:")
        prefix = quote(self._folder.rstrip("/"), safe="/")
        return f"s3://{self._connection.bucket}{'/' if prefix else ''}{prefix}:{run}" + (f"?{more}" if more else "")

    @classmethod
    def options_from_uri(cls, uri: str, uri_regex: str = "") -> tuple[dict[str, Any], str]:
        found, run = super().options_from_uri(uri, uri_regex)
        more = dict(parse_qsl(found.pop("more", "")))
        unknown = sorted(set(more) - set(IN_URI))
        if unknown:
            told = f"{uri.partition('?')[0]} says {unknown[0]}, which a URI of a run does not"
            raise StateError(told, hint=f"It may say {', '.join(IN_URI)}.")
        return {name: unquote(value) for name, value in found.items()} | more, run

    def close(self) -> None:
        self._connection.close()

    def _found(self, key: str) -> Stored | None:
        """The whole object with its ETag, None where there is none."""
        where = self._folder + key

        def read() -> Stored | None:
            try:
                answer = self._connection.client().get_object(Bucket=self._connection.bucket, Key=where)
            except Exception as error:
                if client.code_of(error) == "NoSuchKey":
                    return None
                raise
            with closing(answer["Body"]) as body:
                return Stored(body.read(), answer["ETag"].strip('"'))

        return self._connection.trying(read, f"reading {self._connection.address(where)}")

    def _put(self, key: str, body: bytes, condition: dict[str, str]) -> str | None:
        """Write an object under a condition; its ETag, or None where that was not met."""
        what = f"writing {self._connection.address(self._folder + key)}"
        given = {"ServerSideEncryption": self.options.encryption, "SSEKMSKeyId": self.options.kms_key}
        facts = {name: value for name, value in given.items() if value is not None} | condition
        answer = self._connection.call("put_object", what, codes=_REFUSED, Key=self._folder + key, Body=body, **facts)
        return str(answer["ETag"]).strip('"') if isinstance(answer, dict) else None

    def _make_sure(self, key: str, body: bytes) -> None:
        """See that what has just been written is not written again under conditions that can't be met."""
        for header, condition in (("If-None-Match", {"IfNoneMatch": "*"}), ("If-Match", {"IfMatch": _NEVER})):
            if self._put(key, body, condition) is not None:
                raise StateError(
                    f"the server of {self.address()} does not honour {header}: it can't keep the state of several machines",
                    hint="Keep it in a database (ozzy-sql), or leave out persistence: state is then in files.",
                )
        self._honoured = True
