"""What is looked at as a destination of local files."""

import gzip
import json

import pytest

from ozzy.testing.found import ids_in, records_in, visible


def test_visible_files_are_those_without_dots_and_outside_the_state(tmp_path):
    for name in ("out/a.jl", "out/.ozzy-run/b.part", ".hidden", "state/checkpoint.json", "top.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    assert visible(tmp_path) == {"out/a.jl": b"out/a.jl", "top.csv": b"top.csv"}
    assert set(visible(tmp_path, without=("out", "state"))) == {"top.csv"}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jl", b'{"id": 1}\n{"id": 2}\n', [{"id": 1}, {"id": 2}]),
        ("a.jl.gz", gzip.compress(b'{"id": 1}\n', mtime=0), [{"id": 1}]),
        ("a.json", b'[{"id": 1}]', [{"id": 1}]),
        ("a.csv", b'id,x\n1,"a\nb"\n', [{"id": "1", "x": "a\nb"}]),
        ("a.tsv", b"id\tx\n1\ta\n", [{"id": "1", "x": "a"}]),
        ("a.csv", b"id\n" + b"1" * 200_000 + b"\n", [{"id": "1" * 200_000}]),
        ("md5checksum.md5", b"0 a.jl\n", []),
        ("a.jl", b"", []),
    ],
)
def test_records_of_a_file_by_its_suffix(name, content, expected):
    assert list(records_in(name, content)) == expected


def test_ids_are_texts_and_a_record_without_one_counts_as_itself(tmp_path):
    (tmp_path / "a.jl").write_text('{"id": 1}\n{"id": null, "b": 2, "a": 1}\n{"key": 5}\n')

    assert list(ids_in(tmp_path)) == ["1", json.dumps({"a": 1, "b": 2, "id": None}), '{"key": 5}']
    assert list(ids_in(tmp_path, "key"))[2] == "5"
