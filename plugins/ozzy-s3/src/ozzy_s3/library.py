"""The client library: a client made quickly, and what it knows that requests of our own need.

Beside `client`, this is the only file that imports it.
"""

import http.client
import os
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from ozzy_s3.wire import Answer, Keys, Place, Request, Wire

_SAMPLE: Final = "ozzy"
"""A key, of which the library is asked where it would be."""


def new_client(options: Any, endpoint: str | None, region: str | None, style: str, pool: int) -> tuple[Any, Any]:
    """A client as the options of a connection say, and where its credentials come from, None where it signs nothing."""
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    session = botocore.session.Session(profile=options.profile)
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    config = Config(
        signature_version=UNSIGNED if options.anonymous else None,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=pool,
        connect_timeout=options.timeout,
        read_timeout=options.timeout,
        s3=cast("Any", {"addressing_style": style}),
        user_agent_extra="ozzy",
    )
    region = region or session.get_config_variable("region") or "us-east-1"
    if options.aws_access_key_id:
        session.set_credentials(options.aws_access_key_id, options.aws_secret_access_key, options.aws_session_token)
    if options.role:
        session = _with_role(session, options.role, region, options.profile)
    keys = None if options.anonymous else session.get_credentials()
    return session.create_client("s3", region_name=region, endpoint_url=endpoint, config=config), keys


def place_of(client: Any, bucket: str, credentials: Any, timeout: float) -> Place:
    """Where a bucket is, as the library says: it makes one request, which is not sent.

    At Amazon's own endpoints it makes one before that is, from whose answer it learns the bucket's region, where that is another.
    """
    from botocore.awsrequest import AWSResponse
    from botocore.exceptions import ClientError
    from botocore.httpsession import where
    from botocore.utils import get_environ_proxies

    if client.meta.endpoint_url.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        with suppress(ClientError):
            client.head_bucket(Bucket=bucket)
    seen = []

    def kept(request: Any, **_: Any) -> Any:
        seen.append(request)
        return AWSResponse(request.url, 200, cast("Any", {}), _Nothing())

    client.meta.events.register("before-send.s3.HeadObject", kept)
    try:
        client.head_object(Bucket=bucket, Key=_SAMPLE)
    finally:
        client.meta.events.unregister("before-send.s3.HeadObject", kept)
    url = seen[0].url
    signed = seen[0].headers.get("Authorization", b"")
    signed = signed.decode() if isinstance(signed, bytes) else signed
    scope = signed.partition("Credential=")[2].partition(",")[0].split("/")
    return Place(
        url=url.removesuffix(_SAMPLE),
        region=scope[2] if len(scope) > 2 else "",
        keys=_now(credentials),
        bundle=os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or where(),
        proxy=get_environ_proxies(url).get(url.partition(":")[0]),
        timeout=timeout,
    )


def sent(wire: Wire, request: Request) -> Answer:
    """The answer to one request. What keeps it from coming is told as the library tells it."""
    from botocore import exceptions as known

    url = wire.place.url
    try:
        return wire.send(request)
    except TimeoutError as error:
        raise known.ReadTimeoutError(endpoint_url=url, error=error) from error
    except ssl.SSLError as error:
        raise known.SSLError(endpoint_url=url, error=error) from error
    except ConnectionRefusedError as error:
        raise known.EndpointConnectionError(endpoint_url=url, error=error) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise known.ConnectionClosedError(endpoint_url=url, error=error) from error


def refusal(answer: Answer, method: str) -> Exception:
    """A refusal of S3 as the library tells it."""
    from botocore.exceptions import ClientError

    said = {"Code": str(answer.status), "Message": ""}
    for name in said:
        if found := re.search(f"<{name}>(.*?)</{name}>".encode(), answer.body, re.DOTALL):
            said[name] = found[1].decode("utf-8", "replace")
    status = answer.status if answer.status >= 300 else 500
    told: Any = {"Error": said, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": dict(answer.headers)}}
    return ClientError(told, method)


def _now(credentials: Any) -> Callable[[], Keys | None]:
    """What gives the credentials of the moment: those that expire are renewed before."""

    def keys() -> Keys | None:
        if credentials is None:
            return None
        frozen = credentials.get_frozen_credentials()
        return frozen.access_key, frozen.secret_key, frozen.token

    return keys


class _Nothing:
    """The body of an answer that was never given."""

    @staticmethod
    def stream() -> Any:
        return iter(())


class _Everything(list[str]):
    """A list of services that has each one."""

    def __contains__(self, name: object) -> bool:
        return True


@cache
def _loader(folders: str | None) -> Any:
    """What reads the library's descriptions of services: each once, for all connections.

    Which services are described is not looked up in some four hundred folders, since it is known which one is wanted.
    """
    from botocore.loaders import Loader

    class Once(Loader):
        def list_available_services(self, type_name: str) -> list[str]:
            return _Everything()

    return Once(extra_search_paths=[str(Path(path).expanduser()) for path in folders.split(os.pathsep)] if folders else None)


def _with_role(source: Any, role: str, region: str, profile: str | None) -> Any:
    """A session with the keys of a role, which are fetched when they are first needed and again before they expire."""
    import botocore.session
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    class Provided:
        @staticmethod
        def load_credentials() -> Any:
            fetcher = AssumeRoleCredentialFetcher(
                lambda service, **more: source.create_client(service, **{"region_name": region} | more),
                source.get_credentials(),
                role,
                extra_args={"RoleSessionName": "ozzy"},
            )
            return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")

    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", source.get_component("data_loader"))
    session.register_component("credential_provider", Provided())
    return session
