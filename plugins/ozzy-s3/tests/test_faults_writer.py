"""What goes wrong between here and S3 while a run writes: what becomes of it, and that resuming it makes the same objects."""

import json
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest

import ozzy
from ozzy import ConfigError, DestinationError
from tests.servers.relay import s3_error

ROWS, SMALL = 600, 3
"""Records of a run whose file is uploaded in two parts, and of one whose file is put whole."""


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch):
    """Waits between tries are short."""
    monkeypatch.setattr(ozzy.Retries, "wait", lambda self, failed: 0.01)


@pytest.fixture
def export(s3, bucket, tmp_path):
    """Runs a pipeline from a file into the bucket: `export(rows, **options of the writer)`; by default in parts."""

    def run(rows=ROWS, resume=False, **more):
        lines = [json.dumps({"id": number, "text": f"{number:04d}" * 2500}) for number in range(rows)]
        (tmp_path / "in.jl").write_text("\n".join(lines), encoding="utf-8")
        options = s3.options(bucket) | {"filebase": "out/part", "compression": "none", "part_size": "5 MiB", "timeout": 30}
        options |= {"retry": {"tries": 5, "seconds": 60}} | more
        config = {
            "name": "faults",
            "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl")}},
            "writer": {"name": "s3", "options": {name: value for name, value in options.items() if value is not None}},
        }
        return ozzy.run(config, resume=resume, state_dir=tmp_path / "state")

    return run


@pytest.fixture
def whole(s3, bucket):
    """Looks that all records are there, once, and that no upload is left behind."""

    def look(rows=ROWS):
        client = s3.client()
        body = client.get_object(Bucket=bucket, Key="out/part0000.jl")["Body"].read()
        assert [json.loads(line)["id"] for line in body.splitlines()] == list(range(rows))
        assert len([one for one in client.list_objects_v2(Bucket=bucket)["Contents"] if not one["Key"].endswith("/")]) == 1
        assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []

    return look


@pytest.mark.parametrize("rows", [SMALL, ROWS], ids=["whole", "in parts"])
def test_throttling_is_waited_for(export, whole, relayed, rows):
    relayed.refuse = lambda method, path, number: s3_error(503, "SlowDown") if number % 2 else None
    export(rows, endpoint=relayed.endpoint)
    whole(rows)


@pytest.mark.parametrize("rows", [SMALL, ROWS], ids=["whole", "in parts"])
def test_throttling_without_end_says_so_and_the_run_is_gone_on_with(export, whole, relayed, rows):
    relayed.refuse = lambda method, path, number: s3_error(503, "SlowDown") if method == "PUT" else None
    with pytest.raises(DestinationError, match=r"out/part0000.jl.* failed: it asks to slow down .*tried 5 times") as caught:
        export(rows, endpoint=relayed.endpoint)
    assert "--resume" in str(caught.value)
    relayed.refuse = lambda method, path, number: None
    export(rows, resume=True, endpoint=relayed.endpoint)
    whole(rows)


def test_a_part_whose_connection_is_reset_in_the_middle_is_sent_again(export, whole, proxy, monkeypatch):
    broken = []

    def heal(self, failed):
        broken.append(failed)
        proxy.heal()
        return 0.01

    monkeypatch.setattr(ozzy.Retries, "wait", heal)
    proxy.cut(3_000_000, stream="upstream")
    export(endpoint=proxy.endpoint)
    assert broken
    whole()


def test_connections_that_are_reset_again_and_again_fail_and_the_run_is_gone_on_with(export, whole, proxy):
    proxy.cut(3_000_000, stream="upstream")
    with pytest.raises(DestinationError, match=r"uploading s3://.*part \d of 2, failed: the connection broke at .*tried 5 times"):
        export(endpoint=proxy.endpoint)
    proxy.heal()
    export(resume=True, endpoint=proxy.endpoint)
    whole()


def test_slow_parts_arrive_whole(export, whole, proxy):
    proxy.slow(4000, stream="upstream")
    export(endpoint=proxy.endpoint)
    whole()


def test_a_server_that_stalls_for_a_while_is_waited_for(export, whole, s3, relayed):
    """In the middle of the upload."""
    timers = []

    def stall(method, path, number):
        if "partNumber=1" in path and not timers:
            s3.server.signal(signal.SIGSTOP)
            timers.append(threading.Timer(1.0, lambda: s3.server.signal(signal.SIGCONT)))
            timers[0].start()

    relayed.refuse = stall
    try:
        export(endpoint=relayed.endpoint)
    finally:
        s3.server.signal(signal.SIGCONT)
    assert timers
    whole()


def test_credentials_that_expire_in_the_middle_are_fetched_anew(export, whole, relayed, tmp_path, monkeypatch):
    """While parts are on their way, from a program that gives keys for an hour."""
    asked = tmp_path / "asked"
    keys = {"Version": 1, "AccessKeyId": "ozzykey", "SecretAccessKey": "ozzysecret"}
    keys["Expiration"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    script = tmp_path / "keys.sh"
    script.write_text(f"#!/bin/sh\necho x >> {asked}\necho '{json.dumps(keys)}'\n")
    script.chmod(0o700)
    (tmp_path / "config").write_text(f"[profile short]\ncredential_process = {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    expired = []

    def expire(method, path, number):
        if ("partNumber=2" in path or (method == "POST" and "uploadId" in path)) and path not in expired:
            expired.append(path)
            return s3_error(400, "ExpiredToken")
        return None

    relayed.refuse = expire
    export(endpoint=relayed.endpoint, aws_access_key_id=None, aws_secret_access_key=None, profile="short", parallel=1)
    assert (len(expired), len(asked.read_text().split())) == (2, 3)
    whole()


def test_given_keys_that_expire_in_the_middle_end_the_run_which_is_gone_on_with(export, whole, relayed):
    relayed.refuse = lambda method, path, number: s3_error(400, "ExpiredToken") if "partNumber" in path else None
    with pytest.raises(DestinationError, match="the credentials have expired") as caught:
        export(endpoint=relayed.endpoint)
    assert "--resume" in str(caught.value)
    relayed.refuse = lambda method, path, number: None
    export(resume=True, endpoint=relayed.endpoint)
    whole()


def test_a_bucket_that_vanishes_in_the_middle_is_named(export, relayed, s3, bucket):
    """Just before the object is put."""
    gone = []

    def vanish(method, path, number):
        if method == "PUT" and not gone:
            gone.append(path)
            s3.client().delete_bucket(Bucket=bucket)

    relayed.refuse = vanish
    with pytest.raises(DestinationError, match=rf"part0000.jl failed: the bucket {bucket} does not exist at http") as caught:
        export(SMALL, endpoint=relayed.endpoint)
    assert gone
    assert "make the bucket" in str(caught.value)


def test_a_bucket_that_may_be_written_and_not_looked_at_is_written(export, whole, relayed):
    relayed.refuse = lambda method, path, number: s3_error(403, "AccessDenied") if "part0000" not in path else None
    export(SMALL, endpoint=relayed.endpoint)
    whole(SMALL)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"aws_secret_access_key": "wrong-secret"}, DestinationError, "looking at the bucket failed: the secret key is wrong"),
        ({"aws_access_key_id": "nobody"}, DestinationError, "looking at the bucket failed: the access key is not known there"),
        ({"aws_access_key_id": None, "aws_secret_access_key": None}, DestinationError, "there are no credentials"),
        ({"aws_secret_access_key": None}, ConfigError, "belong together"),
    ],
)
def test_credentials_that_open_nothing_end_the_run_before_anything_is_written(export, options, error, message):
    with pytest.raises(error, match=message) as caught:
        export(SMALL, **options)
    assert "wrong-secret" not in str(caught.value)
