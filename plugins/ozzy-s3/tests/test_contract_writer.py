"""The writer keeps the contract of its kind, and loses and doubles nothing when it is killed, against a real server."""
# ruff: noqa: RUF012

import shutil

import pytest

from ozzy.testing import KillContract, WriterContract
from ozzy_s3.writer import S3Writer
from tests.servers.process import free_port
from tests.servers.s3 import S3Server, ids_of, uploads_of


class TestS3Writer(WriterContract):
    module = S3Writer
    local = False

    @pytest.fixture
    def options(self, s3: S3Server, bucket: str):
        self.server, self.bucket = s3, bucket
        return s3.options(bucket) | {"filebase": "out/{groups[0]}/part" if "groups" in bucket else "out/part", "retry": {"tries": 1}}

    @pytest.fixture
    def failing(self):
        return {"endpoint": f"http://127.0.0.1:{free_port()}", "retry": {"tries": 1}}

    def oracle(self):
        return ids_of(self.server, self.bucket)


class TestS3WriterInParts(TestS3Writer):
    """The same where every file is uploaded in parts."""

    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch):
        in_parts(monkeypatch)

    def test_nothing_is_left_behind(self, published):
        super().test_nothing_is_left_behind(published=published)
        assert uploads_of(self.server, self.bucket) == []

    def test_staged_data_that_is_lost_is_told(self):
        pytest.skip("what is uploaded is not lost with the disk")

    test_nothing_is_left_behind = pytest.mark.parametrize("published", [True, False])(test_nothing_is_left_behind)


def in_parts(monkeypatch):
    """Let every file be large enough to be uploaded before it is published; forked children do so too."""
    monkeypatch.setattr(S3Writer, "goes_in_parts", lambda self, size: True)


class _Kill(KillContract):
    kills = 14
    moments = 2

    @pytest.fixture
    def writer(self, s3: S3Server, bucket: str):
        self.server, self.bucket = s3, bucket
        return {"name": "s3", "options": s3.options(bucket) | self.more | {"filebase": "{attempt}/part", "items_per_buffer_write": 8}}

    more = {}
    same_bytes = False

    def oracle(self):
        left = [one["Key"] for one in uploads_of(self.server, self.bucket) if one["Key"].startswith(f"{self.attempt}/")]
        assert not left, f"uploads are left behind: {left}"
        return ids_of(self.server, self.bucket, f"{self.attempt}/")


class TestKillS3Writer(_Kill):
    more = {"manifest": "manifest.json", "generate_md5": True}


class TestKillS3WriterInParts(_Kill):
    kills = 24

    @pytest.fixture
    def writer(self, s3: S3Server, bucket: str, monkeypatch):
        in_parts(monkeypatch)
        self.server, self.bucket = s3, bucket
        return {"name": "s3", "options": s3.options(bucket) | {"filebase": "{attempt}/part", "items_per_buffer_write": 8}}


class TestKillS3WriterWhoseDiskIsLost(_Kill):
    """State is in the bucket, and each resume finds an empty disk: no file that was staged, and no list of uploads."""

    kills = 16

    @pytest.fixture
    def writer(self, s3: S3Server, bucket: str, monkeypatch):
        in_parts(monkeypatch)
        self.server, self.bucket = s3, bucket
        return {"name": "s3", "options": s3.options(bucket) | {"filebase": "{attempt}/part", "items_per_buffer_write": 8}}

    @pytest.fixture
    def persistence(self, s3: S3Server, bucket: str):
        return {"name": "s3", "options": s3.options(bucket) | {"prefix": "state/{attempt}", "lease_seconds": 0.5}}

    def _finish(self, attempt, when, document=None):
        shutil.rmtree(attempt.state, ignore_errors=True)
        super()._finish(attempt, f"{when}, its disk lost", document)


class TestKillS3WriterInGroups(_Kill):
    config = {"grouper": {"name": "file_key", "options": {"keys": ["country"]}}}
    kills = 10
