"""What the writer puts into a bucket, when, and what it leaves alone."""

import base64
import gzip
import json
import shutil
import zlib
from datetime import UTC, datetime

import pytest

import ozzy
from ozzy import Batch, ConfigError, DestinationError, Metadata, Outcome, WriterContext
from ozzy.testing.installed import make as make_module
from ozzy_s3.uploads import Uploads
from ozzy_s3.writer import S3Writer
from tests.servers.relay import s3_error

STARTED = datetime(2024, 2, 29, 12, tzinfo=UTC)
PART = 5 << 20


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch):
    monkeypatch.setattr(ozzy.Retries, "wait", lambda self, failed: 0.01)


@pytest.fixture
def begin(s3, bucket, tmp_path):
    """A writer, started as one run would start it in whichever process."""
    made = []

    def writer(run="run-1", inherited=False, server=s3, place=None, **options):
        given = server.options(bucket) | {"filebase": "out/part", "compression": "none"} | options
        one = S3Writer({"options": {name: value for name, value in given.items() if value is not None}}, Metadata(start_time=STARTED))
        folder = (place or tmp_path) / run / "staged" / "writer"
        one.start(WriterContext(run, "writer", STARTED, folder, make_module("formatter", "json", Metadata()), inherited=inherited))
        made.append(one)
        return one

    yield writer
    for one in made:
        one.close()


def give(writer, numbers, size=10):
    writer.write_batch(Batch.from_lines([json.dumps({"id": number, "text": "x" * size}).encode() for number in numbers], split="all"), ())


def finish(writer, numbers=range(3), size=10, publish=True):
    writer.resume(None)
    give(writer, numbers, size)
    writer.finish_writing()
    receipt = json.loads(json.dumps(writer.prepare(final=True)))
    if publish:
        writer.publish(receipt)
    return receipt


def keys(s3, bucket):
    return [one["Key"] for one in s3.client().list_objects_v2(Bucket=bucket).get("Contents", []) if not one["Key"].endswith("/")]


def content(s3, bucket, key):
    return s3.client().get_object(Bucket=bucket, Key=key)["Body"].read()


def uploads(s3, bucket):
    return s3.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])


LARGE = {"numbers": range(6), "size": 1 << 20}


def test_an_object_bears_its_count_and_its_checksum(begin, s3, bucket):
    finish(begin())
    head = s3.client().head_object(Bucket=bucket, Key="out/part0000.jl")
    body = content(s3, bucket, "out/part0000.jl")
    import hashlib

    assert head["Metadata"]["total"] == "3"
    assert head["Metadata"]["md5"] == hashlib.md5(body).hexdigest()
    assert head["Metadata"]["ozzy-sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_checksums_are_sent_and_kept(begin, s3, bucket, large):
    """S3 refuses bytes that are others, and tells the checksum whenever the object is read."""
    finish(begin(part_size="5 MiB"), **(LARGE if large else {}))
    head = s3.client().head_object(Bucket=bucket, Key="out/part0000.jl", ChecksumMode="ENABLED")
    body = content(s3, bucket, "out/part0000.jl")
    sums = [zlib.crc32(body[start : start + PART]).to_bytes(4, "big") for start in range(0, len(body), PART)]
    whole = zlib.crc32(b"".join(sums)).to_bytes(4, "big") if large else sums[0]
    assert head["ChecksumCRC32"] == base64.b64encode(whole).decode() + (f"-{len(sums)}" if large else "")


def test_the_metadata_can_be_left_out(begin, s3, bucket):
    finish(begin(save_metadata=False))
    assert set(s3.client().head_object(Bucket=bucket, Key="out/part0000.jl")["Metadata"]) == {"ozzy-run", "ozzy-sha256"}


@pytest.mark.parametrize("filebase", ["/out/%Y/part", "out//%Y/part", "out/%Y/part"])
def test_a_key_has_no_empty_folders(begin, s3, bucket, filebase):
    finish(begin(filebase=filebase))
    assert keys(s3, bucket) == ["out/2024/part0000.jl"]


def test_a_large_file_is_uploaded_in_parts_before_it_is_published(begin, s3, bucket):
    writer = begin(part_size="5 MiB", check_consistency=True)
    receipt = finish(writer, **LARGE, publish=False)
    assert keys(s3, bucket) == []
    assert len(uploads(s3, bucket)) == 1
    assert [len(one["parts"]) for one in receipt["uploads"].values()] == [2]
    writer.publish(receipt)
    assert uploads(s3, bucket) == []
    assert len(content(s3, bucket, "out/part0000.jl").splitlines()) == 6
    assert s3.client().head_object(Bucket=bucket, Key="out/part0000.jl")["ETag"].endswith('-2"')


def test_rolled_files_are_uploaded_at_light_checkpoints(begin, s3, bucket):
    writer = begin(part_size="5 MiB", items_per_buffer_write=6)
    writer.resume(None)
    give(writer, range(8), 1 << 20)
    light = writer.prepare(final=False)
    (upload,) = light["uploads"].values()
    again = begin(part_size="5 MiB", items_per_buffer_write=6)
    again.resume(json.loads(json.dumps(light)))
    give(again, range(8, 10), 1 << 20)
    again.finish_writing()
    receipt = again.prepare(final=True)
    assert upload in receipt["uploads"].values()
    again.publish(receipt)
    assert keys(s3, bucket) == ["out/part0000.jl", "out/part0001.jl"]


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("if_exists", ["fail", "overwrite", "number", "skip"])
def test_a_key_that_is_taken(begin, s3, bucket, fill, if_exists, large):
    fill({"out/part0000.jl": b"a stranger's"})
    writer = begin(if_exists=if_exists, part_size="5 MiB")
    facts = LARGE if large else {}
    if if_exists == "fail":
        with pytest.raises(DestinationError, match="exists already"):
            finish(writer, **facts)
    else:
        receipt = finish(writer, **facts)
        assert receipt["ignored"] == (0 if if_exists != "skip" else len(LARGE["numbers"] if large else range(3)))
    assert keys(s3, bucket) == ["out/part0000.jl"] + ["out/part0001.jl"] * (if_exists == "number")
    assert (content(s3, bucket, "out/part0000.jl") == b"a stranger's") is (if_exists != "overwrite")


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_a_key_that_is_taken_between_naming_and_publishing_is_not_overwritten(begin, s3, bucket, fill, large):
    writer = begin(part_size="5 MiB")
    receipt = finish(writer, **(LARGE if large else {}), publish=False)
    fill({"out/part0000.jl": b"a stranger's"})
    with pytest.raises(DestinationError, match="exists already"):
        writer.publish(receipt)
    assert content(s3, bucket, "out/part0000.jl") == b"a stranger's"
    writer.discard(receipt)
    assert content(s3, bucket, "out/part0000.jl") == b"a stranger's"
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_what_was_published_is_taken_back_only_where_it_is_its_own(begin, s3, bucket, fill, large):
    writer = begin(part_size="5 MiB")
    receipt = finish(writer, **(LARGE if large else {}))
    writer.discard(receipt)
    assert keys(s3, bucket) == []
    assert writer.recover(receipt) is Outcome.GONE
    fill({"out/part0000.jl": b"a stranger's"})
    writer.discard(receipt)
    assert keys(s3, bucket) == ["out/part0000.jl"]


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_an_answer_that_is_lost_is_asked_of_the_object(begin, s3, bucket, relayed, large):
    """S3 has done it, and the connection breaks before it says so: the second try is refused, and the object is known as its own."""
    writer = begin(part_size="5 MiB", endpoint=relayed.endpoint)
    receipt = finish(writer, **(LARGE if large else {}), publish=False)
    lost = []

    def lose(method, path):
        if method in {"PUT", "POST"} and not lost:
            lost.append(path)
            raise ConnectionResetError

    relayed.before_answer = lose
    writer.publish(receipt)
    assert lost
    assert keys(s3, bucket) == ["out/part0000.jl"]


def test_a_disk_that_is_lost_does_not_lose_what_is_uploaded(begin, s3, bucket, tmp_path):
    receipt = finish(begin(part_size="5 MiB"), **LARGE, publish=False)
    other = begin(part_size="5 MiB", place=tmp_path / "elsewhere")
    assert other.recover(receipt) is Outcome.STAGED
    other.publish(receipt)
    assert other.recover(receipt) is Outcome.PUBLISHED
    assert len(content(s3, bucket, "out/part0000.jl").splitlines()) == 6


def test_an_upload_that_somebody_has_aborted_is_made_again(begin, s3, bucket):
    writer = begin(part_size="5 MiB")
    receipt = finish(writer, **LARGE, publish=False)
    (upload,) = uploads(s3, bucket)
    s3.client().abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    assert writer.recover(receipt) is Outcome.STAGED
    writer.publish(receipt)
    assert keys(s3, bucket) == ["out/part0000.jl"]


def test_with_disk_and_upload_lost_it_says_so(begin, s3, bucket):
    writer = begin(part_size="5 MiB")
    receipt = finish(writer, **LARGE, publish=False)
    writer.abandon()
    assert uploads(s3, bucket) == []
    assert writer.recover(receipt) is Outcome.GONE
    with pytest.raises(DestinationError, match="what was staged of it is gone"):
        writer.publish(receipt)


def test_uploads_of_a_dead_run_are_aborted_when_it_goes_on(begin, s3, bucket, fill):
    """Those it had begun after its last checkpoint, also the one whose id was never written down; another's upload stays."""
    writer = begin(part_size="5 MiB")
    finish(writer, **LARGE, publish=False)
    client = s3.client()
    stranger = client.create_multipart_upload(Bucket=bucket, Key="out/part0000.jl")["UploadId"]
    client.upload_part(Bucket=bucket, Key="out/part0000.jl", UploadId=stranger, PartNumber=1, Body=b"x")
    client.create_multipart_upload(Bucket=bucket, Key="out/part0001.jl")
    writer._uploads._note({"key": "out/part0001.jl"})
    assert len(uploads(s3, bucket)) == 3
    begin(part_size="5 MiB").resume(None)
    assert [one["UploadId"] for one in uploads(s3, bucket)] == [stranger]


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("if_exists", ["fail", "number", "skip", "overwrite"])
def test_an_object_that_a_request_of_a_dead_process_has_put_is_the_runs_own(begin, s3, bucket, tmp_path, if_exists, large):
    """The request was on its way when the process was killed, and is done after the resumed one has looked: no file comes twice."""
    facts = LARGE if large else {}
    finish(begin(part_size="5 MiB", if_exists=if_exists), **facts)
    receipt = finish(begin(part_size="5 MiB", if_exists=if_exists, place=tmp_path / "elsewhere"), **facts)
    assert receipt["ignored"] == 0
    assert keys(s3, bucket) == ["out/part0000.jl"]
    assert uploads(s3, bucket) == []


def test_uploads_that_a_lost_disk_has_forgotten_are_aborted_when_the_file_is_uploaded_again(begin, s3, bucket, tmp_path):
    """Told by their key and their parts: whole ones, such as were interrupted, and none of anybody else's."""
    finish(begin(part_size="5 MiB"), **LARGE, publish=False)
    client = s3.client()
    (whole,) = uploads(s3, bucket)
    begun = client.create_multipart_upload(Bucket=bucket, Key=whole["Key"], ChecksumAlgorithm="CRC32")["UploadId"]
    strangers = [
        client.create_multipart_upload(Bucket=bucket, Key=key, ChecksumAlgorithm="CRC32")["UploadId"]
        for key in (whole["Key"], f"{whole['Key']}.more")
    ]
    for upload, key in zip(strangers, (whole["Key"], f"{whole['Key']}.more"), strict=True):
        client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x" * PART)
    assert len(uploads(s3, bucket)) == 4

    receipt = finish(begin(part_size="5 MiB", place=tmp_path / "elsewhere"), **LARGE, publish=False)

    (mine,) = receipt["uploads"].values()
    assert {one["UploadId"] for one in uploads(s3, bucket)} == {mine["id"], *strangers}
    assert begun not in strangers


def test_a_pointer_is_written_when_all_else_is_there(begin, s3, bucket):
    writer = begin(save_pointer="LATEST", filebase="out/%Y/{file_number}")
    writer.resume(None)
    give(writer, range(3))
    receipt = writer.prepare(final=True)
    writer.publish(receipt)
    assert "LATEST" not in keys(s3, bucket)
    give(writer, range(3))
    writer.finish_writing()
    writer.publish(writer.prepare(final=True))
    assert content(s3, bucket, "LATEST") == b"out/2024/"


def test_a_manifest_replaces_its_own_only(begin, s3, bucket, fill):
    writer = begin(manifest="manifest.json")
    receipt = finish(writer)
    writer.publish_manifest(receipt, b"one")
    writer.publish_manifest(receipt, b"one")
    writer.publish_manifest(receipt, b"two")
    assert content(s3, bucket, "out/manifest.json") == b"two"
    fill({"out/manifest.json": b"a stranger's"})
    with pytest.raises(DestinationError, match="exists already"):
        writer.publish_manifest(receipt, b"three")


def test_an_object_that_does_not_read_back_is_an_error(begin, s3, bucket, fill):
    writer = begin(check_consistency=True, if_exists="overwrite")
    receipt = finish(writer, publish=False)
    original = writer._place

    def place(entry, upload):
        original(entry, upload)
        fill({"out/part0000.jl": b"something else"})

    writer._place = place
    with pytest.raises(DestinationError, match="does not read back"):
        writer.publish(receipt)


def test_a_key_that_is_too_long_is_refused(begin):
    writer = begin(filebase="/".join(["x" * 200] * 6) + "/part")
    writer.resume(None)
    with pytest.raises(DestinationError, match="longer than 1024 bytes"):
        give(writer, range(3))


def test_a_file_of_too_many_parts_is_refused(begin, monkeypatch):
    monkeypatch.setattr("ozzy_s3.uploads.PARTS", 1)
    with pytest.raises(DestinationError, match="would have 2 parts, S3 allows 1"):
        finish(begin(part_size="5 MiB"), **LARGE)


def test_a_bucket_that_is_not_there_is_told_before_anything_is_read(begin):
    with pytest.raises(DestinationError, match="the bucket there-is-no-such-bucket does not exist at http"):
        begin(bucket="there-is-no-such-bucket").resume(None)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"filebase": "../out/part"}, "filebase"),
        ({"filebase": "out/./part"}, "filebase"),
        ({"kms_key": "x"}, "kms_key"),
        ({"host": "x"}, "host"),
        ({"region": "a", "aws_region": "b"}, "aws_region"),
        ({"acl": "everybody"}, "acl"),
        ({"part_size": "1 MiB"}, "part_size"),
    ],
)
def test_options_that_make_no_sense_are_refused(begin, options, where):
    with pytest.raises(ConfigError, match=where):
        begin(**options)


def test_what_s3_knows_of_an_object_beside_its_bytes(s3_moto, tmp_path):
    """moto keeps what versitygw does not: storage class, encryption, tags, ACL; of files put whole and in parts."""
    client = s3_moto.client()
    client.create_bucket(Bucket="facts")
    config = {
        "name": "facts",
        "reader": {"name": "random", "options": {"number_of_items": 20, "seed": 1}},
        "writer": {
            "name": "s3",
            "options": s3_moto.options("facts")
            | {"filebase": "out/part", "storage_class": "STANDARD_IA", "encryption": "aws:kms", "kms_key": "alias/aws/s3"}
            | {"tags": {"team": "a b+c"}, "acl": "public-read"},
        },
    }
    ozzy.run(config, state_dir=tmp_path)
    head = client.head_object(Bucket="facts", Key="out/part0000.jl.gz")
    assert (head["StorageClass"], head["ServerSideEncryption"], head["Metadata"]["total"]) == ("STANDARD_IA", "aws:kms", "20")
    assert client.get_object_tagging(Bucket="facts", Key="out/part0000.jl.gz")["TagSet"] == [{"Key": "team", "Value": "a b+c"}]
    grants = client.get_object_acl(Bucket="facts", Key="out/part0000.jl.gz")["Grants"]
    assert any("AllUsers" in grant["Grantee"].get("URI", "") for grant in grants)
    assert len(gzip.decompress(content(s3_moto, "facts", "out/part0000.jl.gz")).splitlines()) == 20


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_a_bucket_without_acls_is_no_obstacle_to_an_inherited_config(begin, s3, bucket, relayed, large, caplog):
    """The inherited system gave the bucket's owner control, where it could."""
    refused = []

    def refuse(method, path, number):
        if method in {"PUT", "POST"} and "partNumber" not in path and not refused:
            refused.append(path)
            return s3_error(400, "AccessControlListNotSupported")
        return None

    relayed.refuse = refuse
    finish(begin(endpoint=relayed.endpoint, inherited=True, part_size="5 MiB"), **(LARGE if large else {}))
    assert keys(s3, bucket) == ["out/part0000.jl"]
    assert "takes no ACL" in caplog.text
    refused.clear()
    with pytest.raises(DestinationError, match="AccessControlListNotSupported"):
        finish(begin("run-2", endpoint=relayed.endpoint, acl="private", if_exists="overwrite"))


def test_the_options_of_old_lead_to_the_same_place(begin, s3, bucket):
    finish(begin(endpoint=None, host=s3.endpoint, aws_region="us-east-1"))
    assert keys(s3, bucket) == ["out/part0000.jl"]


def test_a_host_is_an_endpoint(begin):
    assert begin(endpoint=None, host="s3.example.com")._connection.endpoint == "https://s3.example.com"


def test_a_pipeline_from_s3_to_s3_in_groups(s3, bucket, fill, tmp_path):
    fill(
        {
            f"in/{number}.jl": b"".join(json.dumps({"id": at, "to": "ab"[at % 2]}).encode() + b"\n" for at in range(10))
            for number in range(3)
        }
    )
    config = {
        "name": "there",
        "reader": {"name": "s3", "options": s3.options(bucket) | {"prefix": "in/"}},
        "filter": {"name": "key_value", "options": {"keys": [{"name": "id", "value": 8, "operator": "<"}]}},
        "grouper": {"name": "file_key", "options": {"keys": ["to"]}},
        "writer": {"name": "s3", "options": s3.options(bucket) | {"filebase": "s3/{groups[0]}/part", "compression": "none"}},
    }
    result = ozzy.run(config, state_dir=tmp_path)
    assert result.records_written == 24
    assert [key for key in keys(s3, bucket) if key.startswith("s3/")] == ["s3/a/part0000.jl", "s3/b/part0000.jl"]
    shutil.rmtree(tmp_path)


def test_throttling_while_publishing_is_waited_for(begin, s3, bucket, relayed):
    writer = begin(endpoint=relayed.endpoint, part_size="5 MiB")
    relayed.refuse = lambda method, path, number: s3_error(503, "SlowDown") if number % 3 == 0 else None
    finish(writer, **LARGE)
    assert keys(s3, bucket) == ["out/part0000.jl"]


def test_what_is_written_side_by_side_fails_with_the_first_failure():
    from ozzy_s3.uploads import side_by_side

    done = []

    def work(number):
        if number == 3:
            raise DestinationError("three")
        done.append(number)

    with pytest.raises(DestinationError, match="three"):
        side_by_side(work, range(100), 2)
    assert len(done) < 50


def test_a_line_that_a_kill_has_cut_is_passed_over(s3, tmp_path):
    (tmp_path / "uploads").write_bytes(b'{"key": "a", "id": "1"}\n{"key": "b"')
    assert Uploads(None, tmp_path / "uploads", 1, 1)._noted() == [{"key": "a", "id": "1"}]
