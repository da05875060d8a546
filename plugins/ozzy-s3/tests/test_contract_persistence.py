"""The persistence keeps the contract of its kind, kills and takeovers included, against a real server."""

import os

import pytest

from ozzy.testing import SharedPersistenceContract, TakeoverContract
from ozzy_s3.persistence import S3Persistence
from tests.servers.process import free_port
from tests.servers.s3 import S3Server, ids_of

FREEZES = os.environ.get("OZZY_TEST_FREEZES", "6")


class TestS3Persistence(SharedPersistenceContract):
    module = S3Persistence

    @pytest.fixture
    def options(self, s3: S3Server, bucket: str):
        return s3.options(bucket) | {"prefix": "state/of all"}

    @pytest.fixture
    def failing(self):
        return {"endpoint": f"http://127.0.0.1:{free_port()}", "retry": {"tries": 1}}


class TestTakeoverThroughS3(TakeoverContract):
    kills, moments, freezes = 8, 3, FREEZES

    @pytest.fixture
    def persistence(self, s3: S3Server, bucket: str):
        return {"name": "s3", "options": s3.options(bucket) | {"prefix": "{attempt}", "lease_seconds": 0.7}}


@pytest.mark.slow
class TestTakeoverFromS3ToS3(TakeoverContract):
    """The destination is a bucket too: what a woken run still puts there is what the other one has made, or nothing."""

    kills, moments, freezes = 4, 1, FREEZES

    @pytest.fixture
    def persistence(self, s3: S3Server, bucket: str):
        self.server, self.bucket = s3, bucket
        return {"name": "s3", "options": s3.options(bucket) | {"prefix": "state/{attempt}", "lease_seconds": 0.7}}

    @pytest.fixture
    def writer(self, s3: S3Server, bucket: str):
        return {"name": "s3", "options": s3.options(bucket) | {"filebase": "{attempt}/part", "items_per_buffer_write": 8}}

    def oracle(self):
        return ids_of(self.server, self.bucket, f"{self.attempt}/")
