"""Writer `fs` with `compression: zip`."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

import ozzy
from ozzy.api import Listener, explain
from ozzy.data.codecs import ARCHIVES


def run(tmp_path: Path, count: int, *, how: Any = None, options: Any = None, **more: Any) -> ozzy.Result:
    config = {
        "name": "zipping",
        "reader": {"name": "random", "options": {"number_of_items": count, "seed": 1, "batch_size": 10}},
        "writer": {"name": "fs", "options": {"filebase": f"{tmp_path}/out/part", "compression": "zip", **(options or {})}},
        **more,
    }
    return ozzy.run(config, state_dir=tmp_path / "state", **(how or {}))


def rows(path: Path) -> list[Any]:
    with ZipFile(path) as archive:
        [name] = archive.namelist()
        return [json.loads(line) for line in archive.read(name).decode().splitlines()]


def test_one_member_is_called_like_the_file(tmp_path: Path) -> None:
    run(tmp_path, 25)
    with ZipFile(tmp_path / "out" / "part0000.jl.zip") as archive:
        [member] = archive.infolist()
        assert archive.testzip() is None
    assert (member.filename, member.compress_type, member.date_time) == ("part0000.jl", ZIP_DEFLATED, (1980, 1, 1, 0, 0, 0))
    assert [row["key"] for row in rows(tmp_path / "out" / "part0000.jl.zip")] == list(range(25))


def test_a_member_has_no_folders_and_names_of_any_script(tmp_path: Path) -> None:
    grouper = {"name": "file_key", "options": {"keys": ["country_code"]}}
    run(tmp_path, 30, options={"filebase": f"{tmp_path}/out/{{groups[0]}}/日本"}, grouper=grouper)
    for path in (tmp_path / "out").rglob("*.zip"):
        with ZipFile(path) as archive:
            assert archive.namelist() == ["日本0000.jl"]


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = run(tmp_path / "a", 500), run(tmp_path / "b", 500)
    assert Path(one.files[0].path or "").read_bytes() == Path(other.files[0].path or "").read_bytes()


def test_size_and_checksum_are_those_of_the_archive(tmp_path: Path) -> None:
    [file] = run(tmp_path, 500, options={"check_consistency": True, "manifest": "manifest.json"}).files
    content = Path(file.path or "").read_bytes()
    assert (file.rows, file.size, file.checksum) == (500, len(content), hashlib.sha256(content).hexdigest())
    assert ozzy.verify(tmp_path / "out" / "manifest.json").ok


def test_md5_sums_are_of_archives_and_are_no_archive(tmp_path: Path) -> None:
    run(tmp_path, 20, options={"generate_md5": True})
    digest, name = (tmp_path / "out" / "md5checksum.md5").read_text().split()
    assert digest == hashlib.md5((tmp_path / "out" / name).read_bytes()).hexdigest()


def test_rolling_by_rows(tmp_path: Path) -> None:
    result = run(tmp_path, 25, options={"items_per_buffer_write": 10})
    assert [file.rows for file in result.files] == [10, 10, 5]
    assert [row["key"] for file in result.files for row in rows(Path(file.path or ""))] == list(range(25))


def test_rolling_by_bytes_counts_what_is_not_yet_compressed(tmp_path: Path) -> None:
    result = run(tmp_path, 30_000, options={"size_per_buffer_write": 2_000_000})
    assert len(result.files) > 1
    with ZipFile(result.files[0].path or "") as archive:
        assert 2_000_000 <= archive.infolist()[0].file_size < 4_000_000


def test_without_records_there_is_no_file(tmp_path: Path) -> None:
    assert run(tmp_path, 0).files == []


def test_header_and_footer_are_inside(tmp_path: Path) -> None:
    run(tmp_path, 2, formatter={"name": "json", "options": {"jsonlines": False}})
    with ZipFile(tmp_path / "out" / "part0000.json.zip") as archive:
        assert [row["key"] for row in json.loads(archive.read("part0000.json"))] == [0, 1]


def test_groups_beyond_those_with_a_file_of_their_own(tmp_path: Path) -> None:
    grouper = {"name": "file_key", "options": {"keys": ["key"]}}
    result = run(tmp_path, 300, options={"filebase": f"{tmp_path}/out/{{groups[0]}}"}, grouper=grouper)
    assert len(result.files) == 300
    assert rows(tmp_path / "out" / "299.jl.zip")[0]["key"] == 299


def test_every_checkpoint_is_a_full_one(tmp_path: Path) -> None:
    kinds = []

    class Looking(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            kinds.append(kind)

    result = run(tmp_path, 30, checkpoint={"every_records": 10}, how={"listener": Looking()})
    assert set(kinds) == {"full"}
    assert sum(file.rows for file in result.files) == 30


def test_explain_says_so(tmp_path: Path) -> None:
    writer = {"name": "fs", "options": {"filebase": str(tmp_path / "part"), "compression": "zip"}}
    told = explain({"name": "x", "reader": "random", "writer": writer}, state_dir=tmp_path / "state")
    assert told.light_checkpoints == "only full ones: writer can't be continued in the middle of a file"
    assert told.guarantee.level == "exactly once"


def test_a_dry_run_tells_the_size_and_leaves_no_trace(tmp_path: Path) -> None:
    dry = run(tmp_path, 500, how={"dry_run": True})
    assert list(tmp_path.iterdir()) == []
    assert [(file.name, file.size, file.checksum) for file in dry.files] == [
        (file.name, file.size, file.checksum) for file in run(tmp_path, 500).files
    ]


@pytest.mark.parametrize("content", [b"", b"x", b"row\n" * 100_000])
def test_the_codec_packs_whatever_there_is(content: bytes) -> None:
    target, again = io.BytesIO(), io.BytesIO()
    pack = ARCHIVES["zip"].pack
    assert pack is not None
    pack(io.BytesIO(content), "rows.jl", target)
    pack(io.BytesIO(content), "rows.jl", again)
    with ZipFile(target) as archive:
        assert archive.read("rows.jl") == content
    assert target.getvalue() == again.getvalue()
