"""The bypass keeps the contract of its kind, and loses and doubles nothing when it is killed, against a real server."""
# ruff: noqa: RUF012

import gzip
import json

import pytest

from ozzy.testing import BypassContract, KillContract
from ozzy.testing.found import records_in
from ozzy_s3 import copies, writer
from ozzy_s3.bypass import S3Bypass
from tests.servers.s3 import S3Server


def lines(first, last):
    return b"".join(
        json.dumps({"id": number, "name": f"näme {number}"}, ensure_ascii=False).encode() + b"\n" for number in range(first, last)
    )


def keys_of(client, bucket, prefix):
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", ())]


def copied_in_parts(monkeypatch):
    """Let every object be so large that it is copied in parts before it is published; forked children do so too."""
    for module in (copies, writer):
        monkeypatch.setattr(module, "WHOLE", 0)


class TestS3Bypass(BypassContract):
    """Where nothing may be overwritten: the server ignores that condition of a copy, so that objects are copied in parts."""

    module = S3Bypass
    options = {"parallel": 3}
    local = False
    more = {}

    @pytest.fixture
    def source(self, s3: S3Server, bucket: str):
        self.server, self.bucket = s3, bucket
        objects = {
            "a.jl.gz": gzip.compress(lines(0, 10)),
            "b.jl": lines(10, 20),
            "c.jl.gz": gzip.compress(lines(20, 21) + b"\n" + lines(21, 22)),
            "d.jl.gz": gzip.compress(lines(22, 25)[:-1]),
            "e.csv.gz": gzip.compress(b"id\n26\n"),
            "f.jl.gz": gzip.compress(b"\xef\xbb\xbf" + lines(27, 28)),
            "g.jl.gz": gzip.compress(b""),
            "h.jl.gz": b"",
            "x/i.jl.gz": gzip.compress(lines(30, 40)) + gzip.compress(lines(40, 45)),
        }
        client = s3.client()
        for key, content in objects.items():
            client.put_object(Bucket=bucket, Key=f"in/{key}", Body=content)
        return bucket

    @pytest.fixture
    def reader(self, s3: S3Server, source: str):
        return {"name": "s3", "options": s3.options(source) | {"prefix": "in/", "batch_size": 4}}

    @pytest.fixture
    def writer(self, s3: S3Server, source: str):
        return {"name": "s3", "options": s3.options(source) | self.more | {"filebase": "out/{source}"}}

    def outcome(self, folder):
        client = self.server.client()
        found = {}
        for key in keys_of(client, self.bucket, f"{folder.name}/"):
            content = client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            found[key.removeprefix(f"{folder.name}/")] = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        return found

    def _config(self, **given):
        """Each run of the suite has a folder of its own, and so a prefix."""
        config = super()._config(**given)
        options = config["writer"]["options"]
        if "{place}" not in options["filebase"]:
            options["filebase"] = f"{self.place}/{options['filebase']}"
        return config

    def _run(self, name, **given):
        self.place = name
        return super()._run(name, **given)

    def _with_pipeline(self, folder, module, work):
        self.place = folder.name
        return super()._with_pipeline(folder, module, work)


class TestOverwritingS3Bypass(TestS3Bypass):
    """In one request, as nothing is in the way."""

    more = {"if_exists": "overwrite"}


class TestS3BypassInParts(TestS3Bypass):
    more = {"if_exists": "overwrite"}

    @pytest.fixture(autouse=True)
    def in_parts(self, monkeypatch):
        copied_in_parts(monkeypatch)


class TestStreamingS3Bypass(TestS3Bypass):
    """What lies at another endpoint streams through the process."""

    @pytest.fixture
    def reader(self, s3: S3Server, source: str):
        elsewhere = {"endpoint": s3.endpoint.replace("127.0.0.1", "localhost")}
        return {"name": "s3", "options": s3.options(source) | elsewhere | {"prefix": "in/", "batch_size": 4}}


class TestS3BypassByName(TestS3Bypass):
    """Names are trusted: they are right here."""

    options = {"look": False}

    @pytest.fixture
    def source(self, s3: S3Server, bucket: str):
        self.server, self.bucket = s3, bucket
        for key, content in {"a.jl.gz": gzip.compress(lines(0, 10)), "b.jl": lines(10, 20), "c.csv.gz": gzip.compress(b"id\n26\n")}.items():
            s3.client().put_object(Bucket=bucket, Key=f"in/{key}", Body=content)
        return bucket


class _Kill(KillContract):
    kills = 8
    moments = 1
    same_bytes = False
    bypass = {"name": "s3", "options": {"parallel": 2}}
    more = {}

    @pytest.fixture
    def reader(self, s3: S3Server, bucket: str):
        self.server, self.bucket = s3, bucket
        objects = {
            "a.jl.gz": gzip.compress(lines(0, 15)),
            "b.jl.gz": gzip.compress(lines(15, 30) + b"\n"),
            "c.jl.gz": gzip.compress(lines(30, 40)),
            "d.jl.gz": gzip.compress(lines(40, 45)),
            "x/a.jl.gz": gzip.compress(lines(45, 60)),
        }
        for key, content in objects.items():
            s3.client().put_object(Bucket=bucket, Key=f"in/{key}", Body=content)
        return {"name": "s3", "options": s3.options(bucket) | {"prefix": "in/", "batch_size": 4}}

    @pytest.fixture
    def writer(self, s3: S3Server, bucket: str):
        return {"name": "s3", "options": s3.options(bucket) | self.more | {"filebase": "{attempt}/{source}"}}

    def oracle(self):
        client = self.server.client()
        left = [one["Key"] for one in client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])]
        assert not [key for key in left if key.startswith(f"{self.attempt}/")], f"uploads are left behind: {left}"
        for key in keys_of(client, self.bucket, f"{self.attempt}/"):
            if not key.endswith("manifest.json"):
                content = client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
                yield from (record["id"] for record in records_in(key, content))


class TestKillS3Bypass(_Kill):
    more = {"manifest": "manifest.json"}


class TestKillOverwritingS3Bypass(_Kill):
    more = {"if_exists": "overwrite", "manifest": "manifest.json"}


class TestKillS3BypassInParts(_Kill):
    @pytest.fixture(autouse=True)
    def in_parts(self, monkeypatch):
        copied_in_parts(monkeypatch)


class TestKillStreamingS3Bypass(_Kill):
    @pytest.fixture
    def writer(self, s3: S3Server, bucket: str):
        elsewhere = {"endpoint": s3.endpoint.replace("127.0.0.1", "localhost")}
        return {"name": "s3", "options": s3.options(bucket) | elsewhere | {"filebase": "{attempt}/{source}"}}
