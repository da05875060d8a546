"""The client of S3: options of a connection, calls that are tried again, and what S3 answers, told as errors of ozzy.

Beside `library`, this is the only file that imports the client library.
"""

import logging
import os
import re
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote

from ozzy import BaseModule, ConfigError, OzzyError, Problem, retry_after
from ozzy.log import notes
from ozzy_s3 import library
from ozzy_s3.pages import page_of
from ozzy_s3.wire import Answer, Request, Wire

T = TypeVar("T")

BUCKET: Final = "The bucket: name, s3://name or s3://name/; what follows the name counts for nothing."
REGION: Final = "The region; unset, that of AWS_DEFAULT_REGION or of the profile, else us-east-1."
ENDPOINT: Final = "The address of a server that speaks S3, such as https://s3.example.com; unset, Amazon's own."
PROFILE: Final = "A profile of ~/.aws/config and ~/.aws/credentials."
ROLE: Final = "The ARN of a role to take on, with the credentials given; its keys are renewed before they expire."
ANONYMOUS: Final = "Sign nothing: for public buckets."
ACCESS_KEY: Final = "The access key; unset, credentials are looked for as all AWS tools do: environment, profile, container, machine."
SECRET_KEY: Final = "The secret key that belongs to aws_access_key_id."  # noqa: S105 - a text
TOKEN: Final = "The session token of temporary keys."  # noqa: S105 - a text
ADDRESSING: Final = "Where the bucket stands in an address: in its path or its host; auto is path for an endpoint of your own."
ENCRYPTION: Final = "Encryption by S3: with its own keys (AES256), or with keys of KMS. Unset, as the bucket says."
KMS_KEY: Final = "The id or ARN of the KMS key, for encryption aws:kms."
TIMEOUT: Final = "Seconds to wait for a connection, or for the next bytes."
RETRY: Final = "How often a call is tried that fails in a way that may pass, such as 503 SlowDown or a broken connection."

_PASSING_STATUS: Final = frozenset({408, 429, 500, 502, 503, 504})
_PASSING_CODES: Final = frozenset(
    {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException", "RequestLimitExceeded",
     "BandwidthLimitExceeded", "OperationAborted", "ConditionalRequestConflict", "TooManyRequests"}
)  # fmt: skip
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_WHY: Final = {
    "NoSuchBucket": ("the bucket {bucket} does not exist", "Check the options bucket and endpoint, or make the bucket."),
    "AccessDenied": ("access was denied", "The credentials need the right to do this: see the list of rights in the plugin's README."),
    "InvalidAccessKeyId": ("the access key is not known there", "Check aws_access_key_id, and that the endpoint is the right one."),
    "SignatureDoesNotMatch": ("the secret key is wrong", "Check aws_secret_access_key."),
    "InvalidToken": ("the session token is wrong", "Check aws_session_token, or leave it out with keys that are not temporary."),
    "RequestTimeTooSkewed": ("the clock of this machine is wrong", "Set it; S3 accepts a quarter of an hour."),
    "AuthorizationHeaderMalformed": ("the region is wrong", "Set the option region to that of the bucket."),
    "PermanentRedirect": ("the bucket is in another region or at another endpoint", "Set the option region to that of the bucket."),
    "InvalidObjectState": ("the object is archived", "Restore it from Glacier first, or leave it out with the option pattern."),
    "KMS.DisabledException": ("the KMS key is disabled", "Check the option kms_key."),
    "KMS.NotFoundException": ("the KMS key does not exist", "Check the option kms_key."),
    "EntityTooLarge": ("the object is too large for S3", "Roll files by size: size_per_buffer_write."),
    "InvalidStorageClass": ("the storage class is unknown there", "Check the option storage_class."),
    "SlowDown": ("it asks to slow down", "Go on later with --resume, or allow more time: the option retry."),
}
_STATUS_CODES: Final = {403: "AccessDenied", 301: "PermanentRedirect", 503: "SlowDown"}
_TALKATIVE: Final = ("auth", "credentials", "endpoint", "hooks", "httpsession", "parsers", "utils")
_TELLS_KEYS: Final = re.compile("security-?token|session-?token|secret-?access-?key", re.IGNORECASE)
_RESUME: Final = "Nothing that was committed is lost: go on with --resume when it answers again."


def bucket_name(text: str) -> str:
    """The name of a bucket.

    >>> bucket_name("s3://exports/"), bucket_name("exports")
    ('exports', 'exports')
    """
    return text.removeprefix("s3://").partition("/")[0]


def connection_problems(options: Any) -> list[Problem]:
    """What is wrong with the options of a connection, taken together."""
    found = []
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{1,254}", bucket_name(options.bucket)):
        found.append(Problem("bucket", "expected the name of a bucket, or s3:// and a name"))
    if options.endpoint is not None and not re.fullmatch(r"https?://[^/\s@]+/?", options.endpoint):
        found.append(Problem("endpoint", "expected an http or https address without a path or credentials"))
    if options.anonymous and (options.profile or options.role):
        found.append(Problem("anonymous", "it goes neither with profile nor with role"))
    return found


class Connection:
    """One bucket, as the options of a module say. The client is made at the first call, and once more in a process that was forked."""

    def __init__(self, module: BaseModule, error_class: type[OzzyError], *, pool: int = 8) -> None:
        self.module = module
        self.options = module.options
        self.bucket = bucket_name(self.options.bucket)
        self.endpoint: str | None = self.options.endpoint
        self.region: str | None = self.options.region
        self.error_class = error_class
        self.pool = pool
        self._client: Any = None
        self._wire: Wire | None = None
        self._keys: Any = None
        self._owner = 0
        self._lock = threading.Lock()

    def address(self, key: str) -> str:
        """What an object is called in messages."""
        return f"s3://{self.bucket}/{key}"

    def call(self, operation: str, what: str, *, codes: frozenset[str] = frozenset(), **arguments: Any) -> dict[str, Any] | str:
        """What S3 answers to one operation on this bucket, tried again where that may help.

        Where it refuses with one of `codes` (or a status as text), that one is returned. Anything else becomes an error that says `what`
        could not be done.
        """
        from botocore.exceptions import ClientError

        def asked() -> dict[str, Any] | str:
            try:
                answer: dict[str, Any] = getattr(self.client(), operation)(Bucket=self.bucket, **arguments)
            except ClientError as error:
                known = {code_of(error), str(status_of(error))} & codes
                if known:
                    return min(known)
                raise
            return answer

        return self.trying(asked, what)

    def answer(self, operation: str, what: str, **arguments: Any) -> dict[str, Any]:
        """What S3 answers to one operation on this bucket; any refusal is an error."""
        answer = self.call(operation, what, **arguments)
        assert isinstance(answer, dict)
        return answer

    def page(self, prefix: str, token: str | None, what: str, *, codes: frozenset[str] = frozenset()) -> dict[str, Any] | str:
        """A page of a listing: `Contents` with the `Key`, `Size` and `ETag` of each object, `IsTruncated` and `NextContinuationToken`."""
        parts = {"continuation-token": token, "encoding-type": "url", "list-type": "2", "prefix": prefix}
        query = "&".join(f"{name}={quote(value, safe='~')}" for name, value in parts.items() if value is not None)
        answer = self.plain("GET", "", what, {}, query=query, codes=codes)
        return answer if isinstance(answer, str) else page_of(answer.body)

    def plain(
        self,
        method: str,
        key: str,
        what: str,
        headers: dict[str, str],
        *,
        query: str = "",
        body: bytes = b"",
        codes: frozenset[str] = frozenset(),
    ) -> Answer | str:
        """As `call`, for a small request that is made often: little more than the request itself is done."""

        def asked() -> Answer | str:
            answer = self._sent(Request(method, key, headers, query, body))
            if answer.status < 300 and not (method == "PUT" and b"<Error>" in answer.body):
                return answer
            error = library.refusal(answer, method)
            known = {code_of(error), str(answer.status)} & codes
            if known:
                return min(known)
            raise error

        try:
            return asked()
        except Exception as error:
            failed = [error]

        def again() -> Answer | str:
            if failed:
                raise failed.pop()
            return asked()

        return self.trying(again, what)

    def trying(self, function: Callable[[], T], what: str) -> T:
        """What `function` returns, tried again where that may help; its failure is told as an error of ozzy."""
        renewed = False

        def transient(error: Exception) -> bool | float:
            nonlocal renewed
            if code_of(error) in _EXPIRED and not renewed and self._renew():
                renewed = True
                return 0.0
            return may_pass(error)

        try:
            return self.module.calling(function, what=what, transient=transient, retries=self.options.retry.policy())
        except OzzyError:
            raise
        except Exception as error:
            raise self.refused(error, what) from error

    def look_at_bucket(self) -> None:
        """Raise the error of this connection where there is no such bucket, or the keys are wrong; one that may not be looked at is fine.

        What is asked first is answered without a reason, so that a refusal is asked for once more.
        """
        what = "looking at the bucket"
        answer = self.call("head_bucket", what, codes=frozenset({"403", "404"}))
        if answer == "404":
            why, hint = self._told("NoSuchBucket")
            raise self.error_class(f"{what} failed: {why}", hint=hint)
        if answer == "403":
            self.call("list_objects_v2", what, codes=frozenset({"AccessDenied"}), MaxKeys=1)

    def refused(self, error: Exception, what: str) -> OzzyError:
        """The failure of a call, told with its reason and what to do."""
        why, hint = self._reason(error)
        return self.error_class(f"{what} failed: {why}{notes(error)}", hint=hint)

    def client(self) -> Any:
        """The client, for calls that are not made by `call`."""
        if self._client is None or self._owner != os.getpid():
            with self._lock:
                if self._client is None or self._owner != os.getpid():
                    self._wire = None
                    self._client = self._made()
                    self._owner = os.getpid()
        return self._client

    def close(self) -> None:
        """Let go of the connections."""
        if self._wire is not None and self._owner == os.getpid():
            self._wire.close()
        self._wire = None
        if self._client is not None and self._owner == os.getpid():
            self._client.close()
        self._client = None

    def _made(self) -> Any:
        for name in _TALKATIVE:
            logging.getLogger(f"botocore.{name}").addFilter(_HIDING)
        if bool(self.options.aws_access_key_id) != bool(self.options.aws_secret_access_key):
            raise ConfigError("aws_access_key_id and aws_secret_access_key belong together: only one of them is given")
        style = self.options.addressing if self.options.addressing != "auto" else "path" if self.endpoint or "." in self.bucket else "auto"
        client, self._keys = library.new_client(self.options, self.endpoint, self.region, style, self.pool)
        return client

    def _renew(self) -> bool:
        """Look for credentials anew; not where they are given in the options and can't be others."""
        if self.options.anonymous or (self.options.aws_access_key_id and not self.options.role):
            return False
        with self._lock:
            self._client = self._wire = None
        return True

    def _told(self, code: str) -> tuple[str, str]:
        """Why S3 refuses with this code, and what to do."""
        why, hint = _WHY[code]
        return why.format(bucket=self.bucket) + (f" at {self.endpoint}" if self.endpoint else ""), hint

    def _sent(self, request: Request) -> Answer:
        client = self.client()
        if (wire := self._wire) is None:
            with self._lock:
                wire = self._wire = self._wire or Wire(library.place_of(client, self.bucket, self._keys, self.options.timeout))
        return library.sent(wire, request)

    def _reason(self, error: Exception) -> tuple[str, str | None]:
        from botocore import exceptions as known

        where = f" at {self.endpoint}" if self.endpoint else ""
        if isinstance(error, known.ClientError):
            code = code_of(error)
            if code in _EXPIRED:
                return "the credentials have expired", "Give new ones, then go on with --resume: nothing that was committed is lost."
            if code not in _WHY and status_of(error) in _STATUS_CODES:
                code = _STATUS_CODES[status_of(error)]
            if code in _WHY:
                return self._told(code)
            return f"S3 answered {status_of(error)} {code}{where}", _RESUME if may_pass(error) is not False else None
        if isinstance(error, (known.NoCredentialsError, known.PartialCredentialsError)):
            return "there are no credentials", "Give aws_access_key_id and aws_secret_access_key, a profile or a role, or set anonymous."
        if isinstance(error, (known.ProfileNotFound, known.ConfigParseError)):
            return f"the profile {self.options.profile} can't be used", "Look at ~/.aws/config and ~/.aws/credentials."
        if isinstance(error, known.SSLError):
            return f"the connection{where} can't be trusted: its certificate is not accepted", "For a CA of your own set AWS_CA_BUNDLE."
        if isinstance(error, (known.ReadTimeoutError, known.ConnectTimeoutError)):
            return f"there was no answer for {self.options.timeout:g} s{where}", _RESUME
        if isinstance(error, known.EndpointConnectionError):
            return f"nobody answers{where}", "Check the option endpoint and the network. " + _RESUME
        if isinstance(error, (known.HTTPClientError, known.IncompleteReadError, OSError)):
            return f"the connection broke{where}", _RESUME
        if isinstance(error, known.BotoCoreError):
            return type(error).__name__, None
        return f"{type(error).__name__}: {error}", None


class _Hiding(logging.Filter):
    """Keeps session tokens and temporary keys, which the client library logs at its lowest level, out of every log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _TELLS_KEYS.search(record.getMessage()):
            record.msg, record.args = "what the client logs here holds a session token and is hidden", ()
        return True


_HIDING: Final = _Hiding()


def code_of(error: BaseException | None) -> str:
    """The code of a refusal of S3, such as NoSuchKey; empty where it is none."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def status_of(error: BaseException | None) -> int:
    """The HTTP status of a refusal of S3; 0 where it is none."""
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _response(error: BaseException | None) -> dict[str, Any]:
    return getattr(error, "response", None) or {}


def may_pass(error: Exception) -> bool | float:
    """Whether trying again may help; a number is the seconds that S3 asks to wait."""
    from botocore import exceptions as known

    if isinstance(error, known.ClientError):
        if status_of(error) not in _PASSING_STATUS and code_of(error) not in _PASSING_CODES:
            return False
        asked = retry_after(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after"))
        return True if asked is None else asked
    if isinstance(error, (known.SSLError, known.ProxyConnectionError)):
        return False
    return isinstance(error, (known.HTTPClientError, known.IncompleteReadError, known.FlexibleChecksumError))


def is_damage(error: Exception) -> bool:
    """Whether what arrived is not what its checksum says."""
    from botocore.exceptions import FlexibleChecksumError

    return isinstance(error, FlexibleChecksumError)
