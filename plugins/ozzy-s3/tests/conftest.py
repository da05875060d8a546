"""The servers that the tests of this package talk to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.relay import Relay, relay
from tests.servers.s3 import S3Server, moto, versitygw
from tests.servers.toxiproxy import Proxy, proxied, toxiproxy


@pytest.fixture(autouse=True)
def no_credentials_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No profile, key or machine of whoever runs the tests plays a part."""
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with versitygw(tmp_path_factory.mktemp("s3-server")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with moto(tmp_path_factory.mktemp("moto-server")) as server:
        yield server


@pytest.fixture(scope="session")
def toxi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with toxiproxy(tmp_path_factory.mktemp("toxiproxy")) as api:
        yield api


@pytest.fixture
def proxy(toxi: str, s3: S3Server) -> Iterator[Proxy]:
    with proxied(toxi, s3.endpoint) as made:
        yield made


@pytest.fixture
def relayed(s3: S3Server) -> Iterator[Relay]:
    with relay(s3.endpoint) as made:
        yield made


@pytest.fixture
def bucket(s3: S3Server, request: pytest.FixtureRequest) -> str:
    """A new bucket on the real server."""
    return s3.bucket(request.node.name)


@pytest.fixture
def fill(s3: S3Server, bucket: str) -> Any:
    """Puts objects into the bucket of this test: `fill({key: bytes})`."""
    client = s3.client()

    def put(objects: dict[str, bytes]) -> None:
        for key, content in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=content)

    return put
