"""What goes wrong between here and S3, and what is said and done about it."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

import ozzy
from ozzy import SourceError
from ozzy.testing.reading import ready
from ozzy_s3.reader import S3Reader
from tests.servers.process import free_port
from tests.servers.relay import s3_error


@pytest.fixture
def make(s3, bucket):
    made = []

    def reader(**options):
        given = s3.options(bucket) | {"retry": {"tries": 5, "seconds": 20}, "timeout": 2} | options
        one = ready(S3Reader({"options": {name: value for name, value in given.items() if value is not None}}))
        made.append(one)
        return one

    yield reader
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch):
    """Waits between tries are short."""
    monkeypatch.setattr(ozzy.Retries, "wait", lambda self, failed: 0.01)


def ids(reader):
    return [record["id"] for split in reader.splits() for batch in reader.read(split, None) for record in batch]


def lines(count, size=10):
    return b"".join(json.dumps({"id": number, "text": "x" * size}).encode() + b"\n" for number in range(count))


def test_throttling_is_waited_for(make, fill, relayed, caplog):
    fill({"1.jl": lines(3)})
    relayed.refuse = lambda method, path, number: s3_error(503, "SlowDown") if number in {1, 2, 4} else None
    assert ids(make(endpoint=relayed.endpoint)) == [0, 1, 2]
    assert "trying again" in caplog.text


def test_throttling_without_end_says_so(make, fill, relayed):
    relayed.refuse = lambda method, path, number: s3_error(503, "SlowDown", Retry_After="0")
    with pytest.raises(SourceError, match=r"listing s3://.* failed: it asks to slow down .*tried 5 times") as caught:
        ids(make(endpoint=relayed.endpoint))
    assert "--resume" in str(caught.value)


def test_a_connection_that_breaks_in_the_middle_is_gone_on_with(make, fill, proxy):
    fill({"large.jl": lines(4000, 1000)})
    reader = make(endpoint=proxy.endpoint, parallel=1)
    splits = list(reader.splits())
    proxy.cut(700_000)
    assert [record["id"] for split in splits for batch in reader.read(split, None) for record in batch] == list(range(4000))


def test_an_object_that_changes_while_its_connection_is_broken_is_not_mixed(make, fill, proxy):
    fill({"large.jl": lines(4000, 1000)})
    reader = make(endpoint=proxy.endpoint, parallel=1)
    splits = list(reader.splits())
    proxy.cut(700_000)
    fill({"large.jl": lines(4001, 1000)})
    with pytest.raises(SourceError, match="has changed since the run began"):
        [list(reader.read(split, None)) for split in splits]


def test_connections_that_are_reset_fail_in_the_end(make, proxy):
    proxy.reset()
    with pytest.raises(SourceError, match=r"the connection broke at http://127.0.0.1.*tried 5 times"):
        ids(make(endpoint=proxy.endpoint))


def test_a_server_that_says_nothing_is_given_up(make, proxy):
    proxy.stall()
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"there was no answer for 0.3 s"):
        ids(make(endpoint=proxy.endpoint, timeout=0.3, retry={"tries": 2}))
    assert time.monotonic() - began < 10


def test_a_server_that_stalls_for_a_while_is_waited_for(make, fill, s3):
    fill({"1.jl": lines(3)})
    reader = make(timeout=0.5, retry={"tries": 20})
    s3.server.signal(signal.SIGSTOP)
    try:
        import threading

        threading.Timer(1.5, lambda: s3.server.signal(signal.SIGCONT)).start()
        assert ids(reader) == [0, 1, 2]
    finally:
        s3.server.signal(signal.SIGCONT)


def test_slow_parts_arrive_whole(make, fill, proxy):
    fill({"1.jl": lines(400, 1000)})
    proxy.slow(400)
    assert len(ids(make(endpoint=proxy.endpoint))) == 400


def test_a_listing_that_fails_on_a_late_page_is_an_error_with_the_page(make, relayed):
    def pages(method, path, number):
        if "continuation-token=300" in path:
            return s3_error(500, "InternalError")
        token = int(path.partition("continuation-token=")[2].partition("&")[0] or 1)
        body = (
            "<?xml version='1.0'?><ListBucketResult><IsTruncated>true</IsTruncated>"
            f"<NextContinuationToken>{token + 1}</NextContinuationToken>"
            f"<Contents><Key>k{token:05d}</Key><Size>1</Size><ETag>x</ETag></Contents></ListBucketResult>"
        )
        return 200, {"Content-Type": "application/xml"}, body.encode()

    relayed.refuse = pages
    with pytest.raises(SourceError, match=r"\(page 300, after 299 keys\) failed: S3 answered 500 InternalError"):
        list(make(endpoint=relayed.endpoint).splits())


def test_a_bucket_that_vanishes_is_named(make, fill, s3, bucket):
    fill({"1.jl": lines(1)})
    reader = make()
    splits = list(reader.splits())
    client = s3.client()
    client.delete_object(Bucket=bucket, Key="1.jl")
    client.delete_bucket(Bucket=bucket)
    with pytest.raises(SourceError, match=rf"1.jl failed: the bucket {bucket} does not exist"):
        [list(reader.read(split, None)) for split in splits]
    with pytest.raises(SourceError, match=f"the bucket {bucket} does not exist"):
        ids(make())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aws_secret_access_key": "wrong-secret"}, "the secret key is wrong"),
        ({"aws_access_key_id": "nobody"}, "the access key is not known there"),
        ({"aws_access_key_id": None, "aws_secret_access_key": None, "anonymous": True}, "access was denied"),
        ({"aws_access_key_id": None, "aws_secret_access_key": None}, "there are no credentials"),
        ({"aws_access_key_id": None, "aws_secret_access_key": None, "profile": "nobody"}, "the profile nobody can't be used"),
    ],
)
def test_credentials_that_open_nothing_are_told_apart(make, options, message):
    with pytest.raises(SourceError, match=message) as caught:
        ids(make(**options))
    assert "wrong-secret" not in str(caught.value)


def test_nobody_at_the_endpoint(make):
    with pytest.raises(SourceError, match=r"nobody answers at http://127.0.0.1"):
        ids(make(endpoint=f"http://127.0.0.1:{free_port()}", retry={"tries": 2}))


def test_an_archived_object_says_what_to_do(make, fill, relayed):
    fill({"1.jl": lines(1)})
    relayed.refuse = lambda method, path, number: s3_error(403, "InvalidObjectState") if "1.jl" in path else None
    with pytest.raises(SourceError, match=r"1.jl failed: the object is archived") as caught:
        ids(make(endpoint=relayed.endpoint))
    assert "Glacier" in str(caught.value)


def test_credentials_that_expire_in_the_middle_are_fetched_anew(make, fill, relayed, tmp_path, monkeypatch):
    """A profile whose keys come from a program: it is asked again when S3 says that they have expired."""
    fill({f"{number}.jl": lines(1) for number in range(3)})
    asked = tmp_path / "asked"
    keys = {"Version": 1, "AccessKeyId": "ozzykey", "SecretAccessKey": "ozzysecret"}
    keys["Expiration"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    script = tmp_path / "keys.sh"
    script.write_text(f"#!/bin/sh\necho x >> {asked}\necho '{json.dumps(keys)}'\n")
    script.chmod(0o700)
    (tmp_path / "config").write_text(f"[profile short]\ncredential_process = {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    relayed.refuse = lambda method, path, number: s3_error(400, "ExpiredToken") if number in {1, 3} else None
    reader = make(endpoint=relayed.endpoint, aws_access_key_id=None, aws_secret_access_key=None, profile="short", parallel=1)
    assert ids(reader) == [0, 0, 0]
    assert len(asked.read_text().split()) == 3


def test_given_keys_that_have_expired_are_an_error_with_what_to_do(make, relayed):
    relayed.refuse = lambda method, path, number: s3_error(400, "ExpiredToken")
    with pytest.raises(SourceError, match="the credentials have expired") as caught:
        ids(make(endpoint=relayed.endpoint))
    assert "--resume" in str(caught.value)


def test_a_role_is_taken_on(s3_moto, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", s3_moto.endpoint)
    client = s3_moto.client()
    client.create_bucket(Bucket="of-a-role")
    client.put_object(Bucket="of-a-role", Key="1.jl", Body=lines(2))
    options = s3_moto.options("of-a-role") | {"role": "arn:aws:iam::123456789012:role/exports"}
    reader = ready(S3Reader({"options": options}))
    assert ids(reader) == [0, 1]
    assert reader._connection.client()._get_credentials().method == "assume-role"
    reader.close()
