"""The reader keeps the contract of its kind, against a real server."""
# ruff: noqa: RUF012

import gzip
import json

import pytest

from ozzy.testing import KillContract, ReaderContract
from ozzy_s3.reader import S3Reader
from tests.servers.process import free_port
from tests.servers.s3 import S3Server


def lines(numbers) -> bytes:
    return "".join(json.dumps({"id": number, "name": f"näme {number}"}, ensure_ascii=False) + "\n" for number in numbers).encode()


class TestS3Reader(ReaderContract):
    module = S3Reader
    records = [{"id": number, "name": f"näme {number}"} for number in range(60)]

    @pytest.fixture
    def options(self, s3: S3Server, bucket: str, fill):
        fill({"a.jl": lines(range(25)), "b/c.jl.gz": gzip.compress(lines(range(25, 40))), "b/ü d.jl": lines(range(40, 60))})
        self.server, self.bucket, self.fill = s3, bucket, fill
        return s3.options(bucket) | {"batch_size": 4, "retry": {"tries": 1}}

    @pytest.fixture
    def failing(self):
        return {"endpoint": f"http://127.0.0.1:{free_port()}", "retry": {"tries": 1}}

    def holding(self, records, folder):
        self.fill({"held/one.jl": "".join(json.dumps(record) + "\n" for record in records).encode()})
        return self.server.options(self.bucket) | {"prefix": "held/", "batch_size": 7}


class TestKillS3Reader(KillContract):
    kills = 12
    moments = 2

    @pytest.fixture
    def reader(self, s3: S3Server, bucket: str, fill):
        fill({"a.jl": lines(range(25)), "b/c.jl.gz": gzip.compress(lines(range(25, 40))), "b/d.jl": lines(range(40, 60))})
        return {"name": "s3", "options": s3.options(bucket) | {"batch_size": 4}}
