"""S3: versitygw, which checks signatures and honours conditions, and moto for what it lacks (ACL, encryption, storage classes)."""

import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

from tests.servers.places import binary, missing
from tests.servers.process import Server, free_port, started

KEY, SECRET = "ozzykey", "ozzysecret"


@attrs.define
class S3Server:
    """An S3 server that runs at `endpoint`."""

    endpoint: str
    server: Server

    def client(self, endpoint: str | None = None) -> Any:
        """A client of botocore with the rights of the owner."""
        import botocore.session
        from botocore.config import Config

        return botocore.session.Session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=endpoint or self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"total_max_attempts": 1}),
        )

    def bucket(self, test: str) -> str:
        """A new bucket, called after a test."""
        name = re.sub(r"[^a-z0-9]+", "-", test.lower()).strip("-")[:50].strip("-")
        client = self.client()
        taken = {one["Name"] for one in client.list_buckets()["Buckets"]}
        number = next(number for number in range(len(taken) + 1) if f"b{number}-{name}" not in taken)
        client.create_bucket(Bucket=f"b{number}-{name}")
        return f"b{number}-{name}"

    def options(self, bucket: str) -> dict[str, Any]:
        """Options of a reader or writer that lead here."""
        return {"bucket": bucket, "endpoint": self.endpoint, "aws_access_key_id": KEY, "aws_secret_access_key": SECRET}


def _responds(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True


@contextmanager
def versitygw(folder: Path) -> Iterator[S3Server]:
    """versitygw with its data below `folder`, which is to be on a file system with extended attributes."""
    program = binary("versitygw")
    for name in ("iam", "versions", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)

    def make() -> Server:
        port = free_port()
        command = [str(program), "--port", f"127.0.0.1:{port}", "--iam-dir", str(folder / "iam"), "--quiet", "--keep-alive"]
        command += ["posix", "--versioning-dir", str(folder / "versions"), str(folder / "data")]
        variables = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
        made = Server(command, lambda: _responds(f"http://127.0.0.1:{port}/"), folder / "log", variables)
        ports.append(port)
        return made

    ports: list[int] = []
    server = started(make)
    try:
        yield S3Server(f"http://127.0.0.1:{ports[-1]}", server)
    finally:
        server.stop()


@contextmanager
def moto(folder: Path) -> Iterator[S3Server]:
    """moto: no signatures are checked, and everything that S3 keeps about an object is kept."""
    if find_spec("moto") is None:
        missing("moto is not installed", "&& pip install 'moto[server]'")
    ports: list[int] = []

    def make() -> Server:
        ports.append(port := free_port())
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        return Server(command, lambda: _responds(f"http://127.0.0.1:{port}/moto-api/"), folder / "moto.log")

    server = started(make)
    try:
        yield S3Server(f"http://127.0.0.1:{ports[-1]}", server)
    finally:
        with suppress(OSError):
            server.stop()


def ids_of(server: S3Server, bucket: str, prefix: str = "") -> Iterator[Any]:
    """The ids of all records in a bucket; what stands for a folder holds none."""
    from ozzy.testing.found import records_in

    client = server.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Contents", ()):
            if one["Key"].endswith("manifest.json"):
                continue
            content = client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for record in records_in(one["Key"], content):
                yield record["id"] if record.get("id") not in {None, ""} else str(record)


def uploads_of(server: S3Server, bucket: str) -> list[dict[str, Any]]:
    """The multipart uploads that wait in a bucket."""
    found: list[dict[str, Any]] = server.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return found
