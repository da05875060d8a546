"""The reader of files goes through zip archives member by member."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

import ozzy
from ozzy import SourceError
from ozzy.builtin.readers.fs import FSReader
from ozzy.contracts.module import Metadata
from ozzy.testing.reading import ready


def put(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def rows(*numbers: int) -> bytes:
    return b"".join(b'{"n": %d}\n' % number for number in numbers)


def reader(folder: Path, **options):
    return ready(FSReader({"name": "fs", "options": {"input": "."} | options}, Metadata(working_folder=folder)))


def found(made) -> list:
    return [(batch.split, record) for split in made.splits() for batch in made.read(split, None) for record in batch]


MEMBERS = {"z.jl": rows(1, 2), "a/b.csv": b"n\n3\n", "a/": b"", ".hidden": rows(9), "c.jl.gz": gzip.compress(rows(4)), "empty.jl": b""}


def test_each_member_is_a_file_of_its_own(tmp_path):
    put(tmp_path / "in.zip", MEMBERS)
    (tmp_path / "plain.jl").write_bytes(rows(5))
    made = reader(tmp_path)
    assert [split.id for split in made.splits()] == ["in.zip!z.jl", "in.zip!a/b.csv", "in.zip!c.jl.gz", "in.zip!empty.jl", "plain.jl"]
    assert found(made) == [
        ("in.zip!z.jl", {"n": 1}),
        ("in.zip!z.jl", {"n": 2}),
        ("in.zip!a/b.csv", {"n": "3"}),
        ("in.zip!c.jl.gz", {"n": 4}),
        ("plain.jl", {"n": 5}),
    ]
    made.close()


def test_hidden_members_are_read_where_hidden_files_are(tmp_path):
    put(tmp_path / "in.zip", MEMBERS)
    made = reader(tmp_path, input={"dir": ".", "include_dot_files": True})
    assert "in.zip!.hidden" in [split.id for split in made.splits()]


def test_a_member_is_gone_on_with_from_any_position(tmp_path):
    put(tmp_path / "in.zip", {"a.jl": rows(*range(20)), "b.csv": b"n\n" + b"".join(b"%d\n" % n for n in range(20))})
    made = reader(tmp_path, batch_size=3)
    for split in made.splits():
        batches = list(made.read(split, None))
        for done, batch in enumerate(batches, 1):
            again = reader(tmp_path, batch_size=3)
            rest = list(again.read(split, batch.position))
            again.close()
            assert [one.records for one in rest] == [one.records for one in batches[done:]]
            assert [one.position for one in rest] == [one.position for one in batches[done:]]
    made.close()


def test_members_can_be_read_in_any_order_and_left_halfway(tmp_path):
    for name in ("one.zip", "two.zip"):
        put(tmp_path / name, {"a.jl": rows(1, 2), "b.jl": rows(3)})
    made = reader(tmp_path, batch_size=1)
    splits = list(made.splits())
    halfway = made.read(splits[0], None)
    next(halfway)
    other = made.read(splits[1], None)
    assert [record["n"] for batch in other for record in batch] == [3]
    assert [record["n"] for batch in halfway for record in batch] == [2]
    for split in (splits[3], splits[0], splits[2]):
        left = made.read(split, None)
        next(left)
        left.close()
    assert len(found(made)) == 6
    made.close()


def test_an_archive_that_changes_is_an_error(tmp_path):
    put(tmp_path / "in.zip", {"a.jl": rows(1), "b.jl": rows(2)})
    made = reader(tmp_path)
    first, second = made.splits()
    list(made.read(first, None))
    put(tmp_path / "in.zip", {"a.jl": rows(1, 2, 3, 4, 5), "b.jl": rows(2)})
    with pytest.raises(SourceError, match=r"in\.zip has changed since the run began"):
        list(made.read(second, None))
    made.close()


def test_a_bookmark_reads_a_new_archive_as_a_whole(tmp_path):
    put(tmp_path / "in.zip", {"a.jl": rows(1), "b.jl": rows(2)})
    made = reader(tmp_path)
    listed = list(made.splits_since(iter(())))
    assert [one.split.id for one in listed] == ["in.zip!a.jl", "in.zip!b.jl"]
    marks = [one.mark for one in listed if one.mark is not None]
    assert len(marks) == 1
    assert [one.split for one in reader(tmp_path).splits_since(iter(marks))] == [None]
    put(tmp_path / "in.zip", {})
    assert [one.split for one in reader(tmp_path).splits_since(iter(marks))] == [None]


@pytest.mark.parametrize("word", ["none", "gz"])
def test_a_compression_that_is_given_goes_before_the_name(tmp_path, word):
    data = rows(1)
    (tmp_path / "in.zip").write_bytes(gzip.compress(data) if word == "gz" else data)
    assert found(reader(tmp_path, decompressor=word, deserializer="json_lines")) == [("in.zip", {"n": 1})]


def test_a_broken_archive_ends_the_run_before_it_begins(tmp_path):
    (tmp_path / "in.zip").write_bytes(b"PK\x03\x04 and more")
    with pytest.raises(SourceError, match=r"in\.zip can't be read as a zip archive"):
        list(reader(tmp_path).splits())


def test_a_file_that_is_called_like_a_member_is_refused(tmp_path):
    (tmp_path / "a.zip!b.jl").write_bytes(rows(1))
    with pytest.raises(SourceError, match="is called like a member of an archive"):
        list(reader(tmp_path).splits())


def test_an_archive_under_another_name_is_told(tmp_path):
    put(tmp_path / "in.dat", {"a.jl": rows(1)})
    with pytest.raises(SourceError, match=r"in\.dat is a zip archive without \.zip"):
        found(reader(tmp_path))


def test_an_archive_within_an_archive_is_told(tmp_path):
    put(tmp_path / "inner.zip", {"a.jl": rows(1)})
    inner = (tmp_path / "inner.zip").read_bytes()
    (tmp_path / "inner.zip").unlink()
    put(tmp_path / "in.zip", {"b.zip": inner})
    with pytest.raises(SourceError, match=r"in\.zip!b\.zip is a zip archive within another one"):
        found(reader(tmp_path))


def test_files_are_named_after_the_member(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "in.zip", {"deep/er/north.jl.gz": gzip.compress(rows(1)), "south.csv": b"n\n2\n"})
    ozzy.run({"reader": {"name": "fs", "options": {"input": "in.zip"}},
              "writer": {"name": "fs", "options": {"filebase": "out/{source}", "compression": "none"}}})  # fmt: skip
    assert {path.name: json.loads(path.read_text()) for path in (tmp_path / "out").glob("*.jl")} == {
        "north.jl": {"n": 1},
        "south.jl": {"n": "2"},
    }
