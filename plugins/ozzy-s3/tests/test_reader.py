"""What the reader reads: prefixes, dates, pointers, patterns, many keys, bookmarks, and objects that change."""

import bz2
import gzip
import io
import json
import lzma
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

import ozzy
from ozzy import ConfigError, Metadata, SourceError
from ozzy.data.codecs import CODECS
from ozzy.testing.reading import ready
from ozzy_s3 import listing
from ozzy_s3.reader import S3Reader

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def make(s3, bucket):
    made = []

    def reader(**options):
        given = s3.options(bucket) | {"retry": {"tries": 1}} | options
        one = ready(S3Reader({"options": {name: value for name, value in given.items() if value is not None}}, Metadata(start_time=NOW)))
        made.append(one)
        return one

    yield reader
    for one in made:
        one.close()


def line(number):
    return json.dumps({"id": number}).encode() + b"\n"


def ids(reader):
    return [record["id"] for split in reader.splits() for batch in reader.read(split, None) for record in batch]


def keys(reader):
    return [split.id for split in reader.splits()]


def test_prefixes_and_a_pattern_choose_the_keys(make, fill):
    fill({"a/1.jl": line(1), "a/2.txt": line(2), "b/3.jl": line(3), "c/4.jl": line(4)})
    assert ids(make(prefix=["b/", "a/"], pattern=r"\.jl$")) == [1, 3]


def test_keys_under_overlapping_prefixes_are_read_once(make, fill):
    fill({"a/1.jl": line(1), "a/b/2.jl": line(2)})
    assert ids(make(prefix=["a/b/", "a/", "a/b/2"])) == [1, 2]


@pytest.mark.parametrize("form", ["{}", "s3://{}", "s3://{}/", "s3://{}/what/follows"])
def test_a_bucket_may_be_given_in_several_forms(make, fill, bucket, form):
    fill({"1.jl": line(1)})
    assert ids(make(bucket=form.format(bucket))) == [1]


@pytest.mark.parametrize(
    ("using", "found"),
    [
        (None, [3]),
        ("2024-02-29", [2]),
        ("yesterday", [2]),
        (["2 days ago", "yesterday"], [1, 2]),
        (["2024-02-28", "2024-03-01"], [1, 2, 3]),
    ],
)
def test_dates_are_filled_in_from_the_start_of_the_run(make, fill, using, found):
    fill({"2024/02/28/1.jl": line(1), "2024/02/29/2.jl": line(2), "2024/03/01/3.jl": line(3)})
    assert ids(make(prefix="%Y/%m/%d/", prefix_format_using_date=using)) == found


@pytest.mark.parametrize("using", ["no date at all", ["2024-03-01", "2024-02-01"], ["1500-01-01", "2024-01-01"]])
def test_dates_that_make_no_sense_are_refused(make, using):
    with pytest.raises(ConfigError, match="prefix_format_using_date"):
        keys(make(prefix="%Y", prefix_format_using_date=using))


def test_a_pointer_holds_prefixes(make, fill):
    fill({"where": b"\xef\xbb\xbfa/\r\n\r\n  c/%Y \n", "a/1.jl": line(1), "b/2.jl": line(2), "c/2024.jl": line(3)})
    assert ids(make(prefix_pointer="where")) == [1, 3]


@pytest.mark.parametrize(("content", "message"), [(b" \n", "is empty"), (b"\xff\xfe", "no text in UTF-8"), (None, "NoSuchKey")])
def test_a_pointer_that_points_nowhere_is_an_error(make, fill, content, message):
    if content is not None:
        fill({"where": content})
    with pytest.raises(SourceError, match=message):
        keys(make(prefix_pointer="where"))


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"prefix": "a", "prefix_pointer": "b"}, "prefix_pointer"),
        ({"pattern": "("}, "pattern"),
        ({"prefix_format_using_date": ["today"]}, "prefix_format_using_date"),
        ({"bucket": "s3://"}, "bucket"),
        ({"endpoint": "ftp://x"}, "endpoint"),
        ({"anonymous": True, "role": "arn:aws:iam::1:role/x"}, "anonymous"),
    ],
)
def test_options_that_do_not_go_together_are_refused(make, options, where):
    with pytest.raises(ConfigError, match=where):
        make(**options)


def test_one_key_without_the_other_is_refused(make):
    with pytest.raises(ConfigError, match="belong together"):
        keys(make(aws_secret_access_key=None))


def test_every_codec_and_decoder_of_the_core_reads_objects(make, fill):
    """Told by name or content, as of files; of an archive each member is a part."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("one.jl", line(7))
        file.writestr("two.csv", "id\n8\n")
    fill(
        {
            "1.jl.gz": gzip.compress(line(1)),
            "2.csv.bz2": bz2.compress(b"id\n2\n"),
            "3.tsv.xz": lzma.compress(b"id\tname\n3\tx\n"),
            "4.json.zst": CODECS["zst"].compress(b'[{"id": 4}]'),
            "5.xml": b"<items><item><id>5</id></item></items>",
            "7.zip": archive.getvalue(),
        }
    )
    assert [int(number) for number in ids(make())] == [1, 2, 3, 4, 5, 7, 8]


def test_a_public_bucket_is_read_without_keys(make, fill, s3, bucket):
    fill({"1.jl": line(1)})
    everybody = {"Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket", "s3:GetObject"]}
    policy = {"Version": "2012-10-17", "Statement": [everybody | {"Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}
    s3.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert ids(make(aws_access_key_id=None, aws_secret_access_key=None, anonymous=True)) == [1]


def test_a_prefix_with_nothing_under_it_gives_nothing_and_a_warning(make, caplog):
    assert ids(make(prefix="none/", pattern="x")) == []
    assert "there is no object" in caplog.text


def test_what_stands_for_a_folder_is_no_object(make, fill):
    fill({"a/": b"", "a/1.jl": line(1), "empty.jl": b""})
    assert keys(make()) == ["a/1.jl", "empty.jl"]
    assert ids(make()) == [1]


def test_a_large_object_is_read_in_pieces_and_several_at_once(make, fill):
    rows = [json.dumps({"id": number, "text": "x" * 1000}) for number in range(12_000)]
    fill({"large.jl": "\n".join(rows).encode(), "z.jl.bz2": bz2.compress(line(-1))})
    assert ids(make(parallel=3, read_ahead="16 MiB")) == [*range(12_000), -1]


def test_a_run_goes_on_in_the_middle_of_an_object(make, fill):
    fill({"large.jl": b"".join(json.dumps({"id": number, "text": "x" * 1000}).encode() + b"\n" for number in range(12_000))})
    reader = make()
    (split,) = reader.splits()
    batches = reader.read(split, None)
    first = [next(batches) for _ in range(3)]
    done = sum(len(batch) for batch in first)
    batches.close()
    assert done > 2000
    assert [record["id"] for batch in make().read(split, first[-1].position) for record in batch] == list(range(done, 12_000))


def test_no_byte_is_asked_for_twice(make, fill, relayed):
    """What is read ahead is used, whether an object is told by its first bytes, decompressed or read in pieces."""
    large = [json.dumps({"id": number, "text": "x" * 1000}) for number in range(4_000)]
    fill({f"{number}.jl": line(number) for number in range(5)} | {"6.jl": "\n".join(large * 3).encode(), "7.jl.bz2": bz2.compress(line(7))})
    assert len(ids(make(endpoint=relayed.endpoint, parallel=2))) == 12_006
    asked = [path for method, path in relayed.seen if "list-type" not in path]
    assert len(asked) == 5 + 3 + 1


def test_splits_may_be_read_in_any_order(make, fill):
    fill({f"{number}.jl": line(number) for number in range(6)})
    reader = make(parallel=2)
    splits = list(reader.splits())
    for order in ([5, 0, 1, 4, 2, 3], [0, 1, 2, 3, 4, 5]):
        assert [record["id"] for at in order for batch in reader.read(splits[at], None) for record in batch] == order


def test_a_large_object_is_read_in_ranges_and_little_is_fetched_twice(make, fill):
    """By readers of their own, in any order; the beginning, which tells the format, is all that the ranges are made of."""
    content = b"".join(json.dumps({"id": number, "text": "x" * (number % 3000)}).encode() + b"\n" for number in range(9_000))
    fill({"large.jl": content, "small.jl": line(1), "z.jl.gz": gzip.compress(line(2) * 1000)})
    fetched = []

    def reader():
        one = make(parallel=3)
        fetch = one._fetch
        one._fetch = lambda stream, start, size: fetched.append(size) or fetch(stream, start, size)
        return one

    asking = reader()
    splits = list(asking.splits())
    parts = list(asking.ranges(splits[0], 3 << 20))
    assert [part.start for part in parts] == list(range(0, len(content), 3 << 20))
    assert [list(asking.ranges(split, size)) for split, size in zip(splits[1:], (100, 10), strict=True)] == [[], []]
    assert sum(fetched) <= 3 << 16
    fetched.clear()

    found = {part.start: [record["id"] for batch in reader().read_range(splits[0], part) for record in batch] for part in reversed(parts)}

    assert [number for start in sorted(found) for number in found[start]] == list(range(9_000))
    assert sum(fetched) < len(content) + len(parts) * (3 << 16)
    assert [record["id"] for batch in asking.read(splits[1], None) for record in batch] == [1]


def test_an_object_that_changes_between_its_ranges_stops_the_run(make, fill):
    fill({"large.jl": line(1) * 1000})
    reader = make()
    (split,) = reader.splits()
    first, second, *_ = reader.ranges(split, 1000)
    assert len([record for batch in reader.read_range(split, first) for record in batch]) == 100
    fill({"large.jl": line(2) * 1000})
    with pytest.raises(SourceError, match=r"large.jl has changed since the run began"):
        list(reader.read_range(split, second))


@pytest.mark.parametrize(("change", "what"), [("put", "has changed"), ("delete", "is gone"), ("empty", "has changed")])
def test_an_object_that_changes_after_it_was_listed_stops_the_run(make, fill, s3, bucket, change, what):
    fill({"1.jl": line(1), "2.jl": line(2)})
    reader = make()
    splits = list(reader.splits())
    if change == "delete":
        s3.client().delete_object(Bucket=bucket, Key="2.jl")
    else:
        fill({"2.jl": line(22) if change == "put" else b""})
    with pytest.raises(SourceError, match=rf"2.jl {what} since the run began"):
        [list(reader.read(split, None)) for split in splits]


def test_a_bookmark_finds_late_keys_overwritten_ones_and_those_of_the_same_moment(make, fill, s3, bucket):
    fill({"b.jl": line(1), "d.jl": line(2), "gone.jl": line(3)})

    def since(marks, **options):
        found = list(make(**options).splits_since(iter(marks)))
        return [one.split.id for one in found if one.split is not None], [one.mark for one in found if one.mark is not None]

    new, marks = since([])
    assert new == ["b.jl", "d.jl", "gone.jl"]
    s3.client().delete_object(Bucket=bucket, Key="gone.jl")
    fill({"a.jl": line(4), "b.jl": line(5), "c.jl": line(6), "d.jl": line(2), "late/z.jl": line(7)})
    new, marks = since(marks)
    assert new == ["a.jl", "b.jl", "c.jl", "late/z.jl"]
    assert [mark["key"] for mark in marks] == ["a.jl", "b.jl", "c.jl", "d.jl", "late/z.jl"]
    assert since(marks, prefix="late/") == ([], marks)
    elsewhere = [mark | {"bucket": "a-bucket"} for mark in marks] + [mark | {"bucket": "zzz"} for mark in marks]
    new, kept = since(elsewhere)
    assert len(new) == 5
    assert [mark["bucket"] for mark in kept] == ["a-bucket"] * 5 + [bucket] * 5 + ["zzz"] * 5


def test_a_bookmark_needs_keys_in_order(make):
    streams = [ozzy.Stream("b", 1, fingerprint="x"), ozzy.Stream("a", 1, fingerprint="x")]
    with pytest.raises(SourceError, match="not listed in the order"):
        list(listing.since(streams, iter(()), "bucket", [""]))


def test_a_pipeline_with_a_bookmark_reads_each_object_once(make, fill, s3, bucket, tmp_path):
    config = {
        "name": "inc",
        "reader": {"name": "s3", "options": s3.options(bucket)},
        "writer": {
            "name": "fs",
            "options": {"filebase": str(tmp_path / "out/%H%M%S%f-{source}"), "compression": "none", "if_exists": "number"},
        },
        "bookmark": True,
    }
    fill({"m.jl": line(1), "x.jl": line(2)})
    assert ozzy.run(config, state_dir=tmp_path / "state").records_written == 2
    fill({"a.jl": line(3), "x.jl": line(4)})
    assert ozzy.run(config, state_dir=tmp_path / "state").records_written == 2
    assert ozzy.run(config, state_dir=tmp_path / "state").records_written == 0


def test_many_keys_are_listed_in_bounded_memory(make, monkeypatch):
    """A page is forgotten when the next one comes."""

    def pages(prefix, token, what):
        number = int(token or 0)
        contents = [{"Key": f"{number:04d}/{at:04d}", "Size": 10, "ETag": '"x"'} for at in range(1000)]
        return {"Contents": contents, "IsTruncated": number < 60, "NextContinuationToken": str(number + 1)}

    reader = make()
    monkeypatch.setattr(reader._connection, "page", pages)
    tracemalloc.start()
    try:
        assert sum(1 for _ in reader.splits()) == 61_000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_listing_that_says_there_is_more_and_not_where_is_an_error(make, monkeypatch):
    reader = make()
    monkeypatch.setattr(reader._connection, "page", lambda *_: {"IsTruncated": True})
    with pytest.raises(SourceError, match="broke off"):
        keys(reader)


def test_a_stream_without_facts_is_looked_up(make, fill):
    fill({"1.jl": line(1)})
    with make().open_stream(ozzy.Stream("1.jl")) as file:
        assert file.read() == line(1)
        assert file.tell() == len(line(1))
        file.seek(-3, 1)
        assert file.read() == line(1)[-3:]
        assert file.read(1) == b""


def test_an_inherited_config_reads_the_environment(make, fill, s3, bucket, monkeypatch, tmp_path):
    fill({"1.jl": line(1)})
    monkeypatch.setenv("EXPORTERS_S3READER_AWS_KEY", "ozzykey")
    monkeypatch.setenv("EXPORTERS_S3READER_AWS_SECRET", "ozzysecret")
    reader = {"name": "exporters.readers.s3_reader.S3Reader", "options": {"bucket": bucket, "endpoint": s3.endpoint}}
    assert [record["id"] for record in ozzy.read({"reader": reader})] == [1]


def test_objects_may_be_read_side_by_side(make, fill):
    """As a bypass does: each sees its own bytes, whoever reads first."""
    fill({f"{name}.jl": line(at) * 40_000 for at, name in enumerate("abcd")})
    reader = make()
    streams = list(reader.streams())
    with ThreadPoolExecutor(4) as threads:
        contents = list(threads.map(lambda stream: read_whole(reader, stream), streams))
    reader.close()

    assert contents == [line(at) * 40_000 for at in range(4)]


def read_whole(reader, stream):
    with reader.open_stream(stream) as file:
        return b"".join(iter(lambda: file.read(100_000), b""))
