"""What the bypass copies, how it says so, and what it leaves to the pipeline."""

import gzip
import hashlib
import json

import pytest

import ozzy
from ozzy import DestinationError, SourceError
from ozzy_s3 import copies, writer
from ozzy_s3.bypass import S3Bypass
from tests.servers.relay import s3_error


def lines(first, last):
    return b"".join(json.dumps({"id": number}).encode() + b"\n" for number in range(first, last))


def packed(first, last):
    return gzip.compress(lines(first, last), mtime=0)


def large(rows):
    """A compressed object of which more is there than its beginning shows."""
    text = b"".join(
        json.dumps({"id": number, "text": hashlib.sha512(b"%d" % number).hexdigest()}).encode() + b"\n" for number in range(rows)
    )
    content = gzip.compress(text, 1, mtime=0)
    assert len(content) > 64 * 1024
    return content


@pytest.fixture
def run(s3, bucket, tmp_path):
    def go(writer=None, reader=None, bypass="s3", **more):
        config = {
            "name": "t",
            "reader": {"name": "s3", "options": s3.options(bucket) | {"prefix": "in/"} | (reader or {})},
            "writer": {"name": "s3", "options": s3.options(bucket) | {"filebase": "out/{source}"} | (writer or {})},
            "bypass": bypass,
        }
        return ozzy.run(config, state_dir=tmp_path / "state", **more)

    return go


@pytest.fixture
def put(s3, bucket):
    def do(key, content, **facts):
        s3.client().put_object(Bucket=bucket, Key=f"in/{key}", Body=content, **facts)

    return do


@pytest.fixture
def got(s3, bucket):
    def do(key):
        answer = s3.client().get_object(Bucket=bucket, Key=f"out/{key}")
        return answer["Body"].read(), answer["Metadata"]

    return do


@pytest.fixture(params=["fail", "overwrite"])
def if_exists(request):
    return {"if_exists": request.param}


def test_small_objects_are_checked_and_counted(run, put, got, if_exists):
    put("a.jl.gz", packed(0, 10))
    put("b.jl.gz", gzip.compress(lines(10, 12) + b"\n"))

    result = run({**if_exists, "manifest": "m.json"})

    assert [(file.name, file.rows, file.bypass) for file in result.files] == [("a.jl.gz", 10, "s3"), ("b.jl.gz", 2, None)]
    assert result.files[0].checksum == hashlib.sha256(packed(0, 10)).hexdigest()
    assert result.declined == {"s3: line 3 is blank": 1}
    content, metadata = got("a.jl.gz")
    assert content == packed(0, 10)
    assert metadata["total"] == "10"
    assert metadata["md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    manifest = json.loads(got("m.json")[0])
    assert [(file["name"], file.get("bypass")) for file in manifest["files"]] == [("a.jl.gz", "s3"), ("b.jl.gz", None)]
    assert manifest["rows"] == 12


def test_records_of_large_objects_are_those_of_their_metadata_or_unknown(run, put, got, if_exists):
    content = large(2000)
    put("a.jl.gz", content, Metadata={"total": "2000"})
    put("b.jl.gz", content)
    put("c.jl.gz", content, Metadata={"total": "many"})
    put("d.jl.gz", content, Metadata={"total": "7", "md5": "0" * 32})

    result = run({**if_exists, "manifest": "m.json"})

    assert [file.rows for file in result.files] == [2000, None, None, None]
    assert [file.checksum for file in result.files] == [None] * 4
    assert result.bypassed["s3"] == {"splits": 4, "bytes": 4 * len(content), "rows": 2000, "unknown": 3}
    assert not result.rows_known
    assert [got(f"{name}.jl.gz")[0] == content for name in "abcd"] == [True] * 4
    assert [got(f"{name}.jl.gz")[1].get("total") for name in "abcd"] == ["2000", None, None, None]
    manifest = json.loads(got("m.json")[0])
    assert [file["sha256"] for file in manifest["files"]] == [None] * 4


def test_a_copy_of_a_copy_keeps_what_is_known(run, put, s3, bucket):
    put("a.jl.gz", large(2000), Metadata={"total": "2000"})
    run()

    result = run(reader={"prefix": "out/"}, writer={"filebase": "again/{source}"})

    assert [(file.rows, file.bypass) for file in result.files] == [(2000, "s3")]


def test_the_copy_has_what_the_writer_says_and_nothing_of_the_source(run, put, s3_moto, tmp_path):
    client = s3_moto.client()
    client.create_bucket(Bucket="options")
    client.put_object(Bucket="options", Key="in/a.jl.gz", Body=packed(0, 3), Metadata={"own": "x"}, Tagging="a=b", ContentType="text/x")
    told = {"storage_class": "STANDARD_IA", "encryption": "AES256", "tags": {"team": "exports"}, "acl": "public-read"}
    config = {
        "name": "t",
        "reader": {"name": "s3", "options": s3_moto.options("options") | {"prefix": "in/"}},
        "writer": {"name": "s3", "options": s3_moto.options("options") | told | {"filebase": "out/{source}", "if_exists": "overwrite"}},
    }

    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert result.bypassed["s3"]["splits"] == 1
    head = client.head_object(Bucket="options", Key="out/a.jl.gz")
    assert (head["StorageClass"], head["ServerSideEncryption"]) == ("STANDARD_IA", "AES256")
    assert "own" not in head["Metadata"]
    assert head["ContentType"] != "text/x"
    assert client.get_object_tagging(Bucket="options", Key="out/a.jl.gz")["TagSet"] == [{"Key": "team", "Value": "exports"}]
    grants = client.get_object_acl(Bucket="options", Key="out/a.jl.gz")["Grants"]
    assert any(grant["Permission"] == "READ" and "AllUsers" in grant["Grantee"].get("URI", "") for grant in grants)


def test_it_is_tried_unasked_and_before_the_general_one(run, put):
    put("a.jl.gz", packed(0, 3))
    assert set(run(bypass=True).bypassed) == {"s3"}


@pytest.mark.parametrize("name", ["s3", "s3_to_s3"])
def test_its_names(run, put, name):
    put("a.jl.gz", packed(0, 3))
    assert [counts["splits"] for counts in run(bypass=name).bypassed.values()] == [1]


def test_its_inherited_path_is_known(s3, bucket):
    """In the inherited shape files have limits of records and bytes, so that nothing is copied."""
    reader = {"name": "s3", "options": s3.options(bucket)}
    writer = {"name": "s3", "options": s3.options(bucket) | {"filebase": "out/{source}"}}
    config = {"reader": reader, "writer": writer, "bypass": "exporters.bypasses.s3_to_s3_bypass.S3Bypass"}
    assert list(ozzy.explain(config).bypasses) == ["s3"]


def test_a_pointer_is_written_when_all_is_there(run, put, s3, bucket):
    put("a.jl.gz", packed(0, 3))
    run({"save_pointer": "out/LATEST"})
    assert s3.client().get_object(Bucket=bucket, Key="out/LATEST")["Body"].read() == b"out/"


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_source_that_changes_before_it_is_copied_stops_the_run(run, put, monkeypatch, size, if_exists, s3, bucket):
    put("a.jl.gz", packed(0, 3) if size == "small" else large(2000))
    copied = S3Bypass.copy

    def late(self, split):
        receipt = copied(self, split)
        put("a.jl.gz", packed(0, 4))
        return receipt

    monkeypatch.setattr(S3Bypass, "copy", late)
    with pytest.raises(SourceError, match=r"in/a.jl.gz has changed since the run began"):
        run(if_exists)
    assert "Contents" not in s3.client().list_objects_v2(Bucket=bucket, Prefix="out/")


def test_a_source_that_has_gone_is_told(run, put, monkeypatch, if_exists, s3, bucket):
    put("a.jl.gz", packed(0, 3))
    copied = S3Bypass.copy

    def late(self, split):
        s3.client().delete_object(Bucket=bucket, Key="in/a.jl.gz")
        return copied(self, split)

    monkeypatch.setattr(S3Bypass, "copy", late)
    with pytest.raises(SourceError, match=r"in/a.jl.gz is gone since the run began"):
        run(if_exists)


def test_what_somebody_puts_meanwhile_is_not_overwritten(run, put, got, monkeypatch, s3, bucket):
    for name in "abc":
        put(f"{name}.jl.gz", packed(0, 3))
    place = copies.Copies.place

    def late(self, key, *more):
        if key == "out/b.jl.gz":
            s3.client().put_object(Bucket=bucket, Key=key, Body=b"theirs")
        return place(self, key, *more)

    monkeypatch.setattr(copies.Copies, "place", late)
    with pytest.raises(DestinationError, match=r"out/b.jl.gz exists already"):
        run({"parallel": 1})
    assert got("b.jl.gz")[0] == b"theirs"


def test_where_conditions_of_a_copy_are_honoured_it_takes_one_request(run, put, relayed, monkeypatch):
    """The relay answers as Amazon does; the server behind it ignores the condition."""
    for name in "abcde":
        put(f"{name}.jl.gz", packed(0, 3))
    there = set()

    def refuse(method, path, number):
        if method == "PUT" and "?" not in path:
            if path in there:
                return s3_error(412, "PreconditionFailed")
            there.add(path)
        if method == "POST" and "uploadId" in path:
            there.add(path.partition("?")[0])
        return None

    relayed.refuse = refuse
    endpoint = {"endpoint": relayed.endpoint}

    result = run({**endpoint, "parallel": 1}, endpoint)

    assert result.bypassed["s3"]["splits"] == 5
    puts = [path for method, path in relayed.seen if method == "PUT"]
    assert sum("partNumber" in path for path in puts) == 1
    assert sum("?" not in path for path in puts) == 5


def test_large_objects_are_copied_in_parts_side_by_side(run, put, got, monkeypatch, if_exists, relayed):
    monkeypatch.setattr(copies, "PART", 5 << 20)
    monkeypatch.setattr(copies, "WHOLE", 5 << 20)
    monkeypatch.setattr(writer, "WHOLE", 5 << 20)
    content = large(2000) * 150
    put("a.jl.gz", content, Metadata={"total": "300000"})
    endpoint = {"endpoint": relayed.endpoint}

    result = run({**if_exists, **endpoint}, endpoint)

    assert got("a.jl.gz")[0] == content
    assert (result.files[0].rows, result.files[0].size) == (300_000, len(content))
    parts = [path for method, path in relayed.seen if method == "PUT" and "partNumber" in path]
    assert len(parts) == -(-len(content) // (5 << 20))


def test_between_two_endpoints_objects_stream_and_are_checked(run, put, got, s3):
    put("a.jl.gz", large(2000))
    put("b.jl.gz", gzip.compress(lines(0, 2) + b"\n"))

    result = run(reader={"endpoint": s3.endpoint.replace("127.0.0.1", "localhost")})

    assert [(file.rows, file.bypass) for file in result.files] == [(2000, "s3"), (2, None)]
    assert result.files[0].checksum == hashlib.sha256(large(2000)).hexdigest()
    assert result.declined == {"s3: line 3 is blank": 1}


def test_names_alone_are_gone_by_where_that_is_asked_for(run, put, got, relayed):
    put("a.jl.gz", packed(0, 3))
    put("b.jl", lines(3, 5))
    put("c.json.gz", packed(5, 6))
    put("d.csv.gz", gzip.compress(b"id\n9\n"))
    put("e.jl.gz", b"no gzip at all")
    endpoint = {"endpoint": relayed.endpoint}

    with pytest.raises(ozzy.DataError):
        run(endpoint, endpoint, bypass=False)
    result = run({**endpoint, "if_exists": "overwrite"}, endpoint, bypass={"name": "s3", "options": {"look": False}}, fresh=True)

    assert [(file.name, file.rows, file.bypass) for file in result.files] == [
        ("a.jl.gz", None, "s3"), ("b.jl.gz", 2, None), ("c.jl.gz", 1, None), ("d.jl.gz", 1, None), ("e.jl.gz", None, "s3"),
    ]  # fmt: skip
    assert dict(result.declined) == {
        "s3: its name does not say that it is compressed as the writer's files are (gz)": 1,
        "s3: its name does not say that it holds JSON lines": 2,
    }
    assert got("e.jl.gz")[0] == b"no gzip at all"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"generate_md5": True}, r"the MD5 of each file is wanted \(generate_md5\)"),
        ({"check_consistency": True}, r"files are to be read back \(check_consistency\)"),
        ({"compression": "zip"}, "the writer makes zip files"),
    ],
)
def test_it_does_nothing_where_the_outcome_would_differ(run, put, options, why):
    put("a.jl.gz", packed(0, 3))
    result = run(options)
    assert not result.bypassed
    assert any(why.replace("\\", "") in notice for notice in result.notices)


def test_throttling_is_waited_for(run, put, got, relayed, monkeypatch):
    monkeypatch.setattr(ozzy.Retries, "wait", lambda self, failed: 0.01)
    for name in "abc":
        put(f"{name}.jl.gz", packed(0, 3))
    refused = set()

    def refuse(method, path, number):
        if path not in refused:
            refused.add(path)
            return s3_error(503, "SlowDown")
        return None

    relayed.refuse = refuse
    endpoint = {"endpoint": relayed.endpoint}
    assert run({**endpoint, "if_exists": "overwrite"}, endpoint).bypassed["s3"]["rows"] == 9
    assert got("c.jl.gz")[0] == packed(0, 3)


def test_another_reader_or_writer_is_not_for_it(tmp_path, s3, bucket):
    (tmp_path / "a.jl.gz").write_bytes(packed(0, 3))
    config = {
        "name": "t",
        "reader": {"name": "fs", "options": {"input": str(tmp_path / "a.jl.gz")}},
        "writer": {"name": "s3", "options": s3.options(bucket) | {"filebase": "out/{source}"}},
    }
    assert ozzy.explain(config).bypasses == {"stream": None}
    assert ozzy.explain(config | {"bypass": "s3"}).bypasses == {"s3": "the reader does not read from S3"}
    result = ozzy.run(config, state_dir=tmp_path / "state")
    assert set(result.bypassed) == {"stream"}
