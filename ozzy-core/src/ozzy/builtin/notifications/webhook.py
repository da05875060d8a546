"""The notifier `webhook`: posts JSON to web addresses."""

import base64
import binascii
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from ozzy import BaseNotifier, DestinationError, Problem, RetryOptions, option, options, retry_after
from ozzy.log import notes, reason
from ozzy.options.values import str_list

FILES_SHOWN = 100
"""How many files a message names."""
SECRET_PREFIX = "whsec_"  # noqa: S105 - says that a secret follows in base64
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed later."""


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _host(endpoint: str) -> str | None:
    """The part of an address that may be shown; None where it is no web address."""
    try:
        parts = urlsplit(endpoint)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    whole = endpoint.isascii() and not any(c.isspace() or ord(c) < 32 for c in endpoint)
    return f"{parts.scheme}://{parts.hostname}{port}" if whole and parts.scheme in {"http", "https"} and parts.hostname else None


def _not_an_endpoint(endpoint: Any) -> str | None:
    return None if _host(str(endpoint)) is not None else "expected an http or https address"


def _not_a_key(secret: str | None) -> str | None:
    try:
        _key(secret or "")
    except ValueError:
        return f"what follows {SECRET_PREFIX} is not base64"
    return None


@options
class WebhookNotifierOptions:
    """Options of the notifier `webhook`."""

    endpoints: str_list = option(
        factory=str_list,
        secret=True,
        check=_not_an_endpoint,
        help="Addresses to post to, http or https. They often hold a token, so they are kept secret.",
    )
    secret: str | None = option(
        default=None,
        env="OZZY_WEBHOOK_SECRET",
        secret=True,
        check=_not_a_key,
        help="What messages are signed with, as Standard Webhooks does: `whsec_` and base64, or any text.",
    )
    headers: dict[str, str] = option(factory=dict, secret=True, help="Further headers, such as Authorization.")
    timeout: float = option(default=10.0, minimum=0.1, help="Seconds to wait for an answer.")
    verify_tls: bool = option(default=True, help="false accepts any certificate, and with it anybody's ears.")
    retry: RetryOptions = option(factory=RetryOptions, help="How often an address is tried that does not answer, or answers 429 or 5xx.")


class WebhookNotifier(BaseNotifier):
    """Posts a JSON object to each of the endpoints when a run starts, has succeeded or has failed.

    `job_status` is `STARTED`, `COMPLETED` or `FAILED`; a failure has `msg` and `stack_trace`. Beside them stand `run_id`, `pipeline` and
    `start_time`; at the end `records_read`, `records_written`, `bad_records`, `seconds`, `files` (the first 100, each with `path`, `rows`
    and `size` in bytes) and `files_count`; `reasons` where `when` decides.

    With a `secret` each message has the headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of Standard Webhooks
    (HMAC-SHA256 of id, time and body), so that its receiver can tell that it is genuine and new. A redirect is not followed.
    """

    Options = WebhookNotifierOptions

    @classmethod
    def check_options(cls, options: WebhookNotifierOptions) -> Iterable[Problem]:
        """Headers hold no line ends."""
        for name, value in options.headers.items():
            if not (name.isascii() and name.replace("-", "").isalnum()) or any(ord(c) < 32 or ord(c) == 127 for c in value):
                yield Problem("headers", f"{name!r} or its value can't stand in a request")

    def notify_start_dump(self, receivers: Any = None) -> None:
        """A run has started."""
        self._post_all("STARTED", {})

    def notify_complete_dump(self, receivers: Any = None) -> None:
        """A run has succeeded."""
        self._post_all("COMPLETED", self._outcome())

    def notify_failed_job(self, msg: str, stack_trace: str, receivers: Any = None) -> None:
        """A run has failed."""
        self._post_all("FAILED", {"msg": msg, "stack_trace": stack_trace, **self._outcome()})

    def _outcome(self) -> dict[str, Any]:
        outcome = self.metadata.outcome
        if outcome is None:
            return {}
        told = {
            "records_read": outcome.records_read,
            "records_written": outcome.records_written,
            "bad_records": outcome.bad_records,
            "seconds": round(outcome.seconds, 3),
            "files": list(outcome.files[:FILES_SHOWN]),
            "files_count": len(outcome.files),
        }
        return {**told, "reasons": list(outcome.reasons)} if outcome.reasons else told

    def _post_all(self, status: str, more: dict[str, Any]) -> None:
        metadata = self.metadata
        about = {"run_id": metadata.run_id, "start_time": metadata.start_time.isoformat()}
        if pipeline := metadata.pipeline if metadata.outcome is None else metadata.outcome.pipeline:
            about["pipeline"] = pipeline
        body = json.dumps({"job_status": status, **about, **more}, ensure_ascii=False).encode("utf-8", "replace")
        failures = []
        for number, endpoint in enumerate(self.options.endpoints):
            message_id = f"{self.metadata.run_id or 'run'}-{status.lower()}-{number}"
            try:
                self.calling(
                    lambda endpoint=endpoint, message_id=message_id: self._post(str(endpoint), message_id, body),  # type: ignore[misc]
                    what=f"notifying {_host(str(endpoint))}",
                    transient=_transient,
                    retries=self.options.retry.policy(),
                )
            except (OSError, HTTPException) as error:
                failures.append(f"{_host(str(endpoint))}: {_told(error)}")
        if failures:
            raise DestinationError(f"{len(failures)} of {len(self.options.endpoints)} endpoints took no message: {'; '.join(failures)}")

    def _post(self, endpoint: str, message_id: str, body: bytes) -> None:
        headers = {"User-Agent": "ozzy", **self.options.headers, "Content-type": "application/json"}
        if self.options.secret is not None:
            headers |= signed(self.options.secret, message_id, int(time.time()), body)
        request = Request(endpoint, data=body, headers=headers, method="POST")  # noqa: S310 - http and https alone pass check_options
        try:
            self._opener().open(request, timeout=self.options.timeout).close()
        except HTTPError as error:
            error.close()
            raise

    def _opener(self) -> OpenerDirector:
        context = ssl.create_default_context()
        if not self.options.verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return build_opener(ProxyHandler(), HTTPHandler(), HTTPSHandler(context=context), _NoRedirect())


class _NoRedirect(HTTPRedirectHandler):
    """A post that is sent elsewhere would arrive as a get, or at somebody else's."""

    def redirect_request(self, *arguments: Any, **more: Any) -> None:
        """Follow nothing."""


def signed(secret: str, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers that sign a message, as Standard Webhooks 1.0.0 has them; `seconds` since 1970."""
    given = f"{message_id}.{seconds}.".encode() + body
    signature = base64.b64encode(hmac.new(_key(secret), given, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{signature}"}


def _transient(error: Exception) -> bool | float:
    if isinstance(error, HTTPError):
        if error.code not in PASSING:
            return False
        asked = retry_after(error.headers.get("Retry-After"))
        return True if asked is None else asked
    if isinstance(error, URLError) and isinstance(error.reason, ssl.SSLError):
        return False
    return isinstance(error, (OSError, HTTPException))


def _told(error: Exception) -> str:
    """What went wrong, without the address and what the other side says at length."""
    if isinstance(error, HTTPError):
        return f"it answered {error.code} {error.reason}{notes(error)}"
    return f"{reason(error.reason)}{notes(error)}" if isinstance(error, URLError) and isinstance(error.reason, Exception) else reason(error)
