"""The file of a manifest: its name, its text, and what is no manifest."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ozzy.errors import DestinationError
from ozzy.staging.manifest import encode_manifest, is_manifest_of, manifest_name, manifest_problems, read_manifest


def content(**changes: Any) -> dict[str, Any]:
    files = [{"name": "es/a.jl", "rows": 2, "bytes": 9, "sha256": "ab"}, {"name": "日本.jl", "rows": 1, "bytes": 5, "sha256": "cd"}]
    whole = {"ozzy_manifest": 1, "run": "r1", "writer": "writer", "complete": True, "folder": ".", "rows": 3, "bytes": 14, "files": files}
    return whole | changes


@pytest.mark.parametrize("files", [0, 1, 2])
def test_a_manifest_comes_back_as_it_was_and_has_a_line_for_each_file(files: int, tmp_path: Path) -> None:
    whole = content()
    kept = whole["files"][:files]
    whole |= {"files": kept, "rows": sum(file["rows"] for file in kept), "bytes": sum(file["bytes"] for file in kept)}
    path = tmp_path / "m.json"
    path.write_bytes(encode_manifest(whole))

    assert read_manifest(path) == whole == json.loads(path.read_bytes())
    assert sum(line.startswith('    {"name"') for line in path.read_text().splitlines()) == files


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"run": 3}, "no proper 'run'"),
        ({"complete": 1}, "no proper 'complete'"),
        ({"rows": 4}, "the rows of its files do not add up to 4"),
        ({"bytes": 0}, "the bytes of its files do not add up to 0"),
        ({"files": [{"name": "a"}], "rows": 0, "bytes": 0}, "file 0 has no proper 'bytes'"),
        ({"files": [{"name": "a", "bytes": 0, "sha256": ""}], "rows": 0, "bytes": 0}, "file 0 has no proper 'rows'"),
        ({"rows": "3"}, "no proper 'rows'"),
        ({"rows": None}, "the rows of its files do not add up to None"),
        ({"files": [7]}, "file 0 has no proper 'content'"),
        ({"files": [{"name": "../a", "rows": 0, "bytes": 0, "sha256": ""}]}, "file 0 lies outside the folder"),
        ({"files": [{"name": "/a", "rows": 0, "bytes": 0, "sha256": ""}]}, "file 0 lies outside the folder"),
        ({"ozzy_manifest": 2}, "has format 2, this version of ozzy knows 1"),
    ],
)
def test_a_damaged_manifest_is_an_error_that_says_what_is_wrong(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(encode_manifest(content(**changes)))

    with pytest.raises(DestinationError, match=told):
        read_manifest(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [(b"", "is not a manifest, or is damaged"), (b'{"a', "is damaged"), (b"\xff", "is damaged"), (b"[]", "of ozzy"), (b"{}", "of ozzy")],
)
def test_what_is_no_manifest_is_an_error(text: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(text)

    with pytest.raises(DestinationError, match=told):
        read_manifest(path)


def test_a_manifest_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DestinationError, match="can't read the manifest"):
        read_manifest(tmp_path / "m.json")


def test_a_manifest_belongs_to_one_writer_of_one_run(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(encode_manifest(content()))

    assert is_manifest_of(path, "r1", "writer")
    assert not is_manifest_of(path, "r2", "writer")
    assert not is_manifest_of(path, "r1", "other")
    assert not is_manifest_of(tmp_path / "none", "r1", "writer")


def test_dates_in_a_name_are_those_of_the_runs_start() -> None:
    started = datetime(2026, 3, 4, tzinfo=UTC)

    assert manifest_name("%Y/./m-%d.json", started) == "2026/m-04.json"
    assert manifest_name("100%%.json", started) == "100%.json"


@pytest.mark.parametrize("name", ["manifest.json", "%Y-%m-%d/m.json", "_manifest", "日本.json"])
def test_names_that_are_fine(name: str) -> None:
    assert manifest_problems(name) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "the name of a file"),
        (".", "the name of a file"),
        ("a/", "the name of a file"),
        ("a\0b", "the name of a file"),
        ("/m.json", "below the folder"),
        ("../m.json", "below the folder"),
        ("{groups[0]}/m.json", r"{groups[0]} has no meaning here"),
    ],
)
def test_names_that_are_wrong_say_why(name: str, told: str) -> None:
    assert [told in problem for problem in manifest_problems(name)] == [True]
