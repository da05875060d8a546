"""What a manifest says of a run, when it is published, and that it never takes another's place."""

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

import ozzy
from ozzy import BaseNamedFileWriter
from ozzy.errors import ConfigError, DestinationError, Interrupted
from ozzy.run.listener import Listener, Stop
from ozzy.staging.manifest import is_manifest_of, read_manifest


def config(folder: Path, **writer: Any) -> dict[str, Any]:
    return {
        "name": "listed",
        "reader": {"name": "random", "options": {"number_of_items": 60, "batch_size": 10, "seed": 3}},
        "grouper": {"name": "file_key", "options": {"keys": ["country_code"]}},
        "writer": {"name": "fs", "options": {"filebase": f"{folder}/out/{{groups[0]}}/x", "manifest": "manifest.json"} | writer},
    }


def run(folder: Path, *, full: int | None = None, state: str = "state", more: dict[str, Any] | None = None, **writer: Any) -> ozzy.Result:
    whole = config(folder, **writer) | (more or {})
    if full:
        whole["checkpoint"] = {"full_every": {"records": full}}
    return ozzy.run(whole, state_dir=folder / state)


def test_it_lists_every_file_with_rows_bytes_and_checksum(tmp_path: Path) -> None:
    result = run(tmp_path)

    manifest = read_manifest(tmp_path / "out/manifest.json")
    assert manifest["files"] == [{"name": f.name, "rows": f.rows, "bytes": f.size, "sha256": f.checksum} for f in result.files]
    assert {(f["name"], f["sha256"], f["bytes"]) for f in manifest["files"]} == {
        (str(path.relative_to(tmp_path / "out")), hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for path in (tmp_path / "out").rglob("*.gz")
    }
    assert (manifest["rows"], manifest["run"], manifest["pipeline"], manifest["writer"]) == (60, result.run_id, "listed", "writer")
    assert (manifest["complete"], manifest["checkpoint"], manifest["folder"]) == (True, 1, ".")
    assert manifest["position"]["to"] == {"split": 0, "position": {"last_read": 59, "seed": 3}, "rows": 0}
    assert (manifest["ozzy"], manifest["plugins"]) == (ozzy.__version__, {"ozzy-core": ozzy.__version__})
    assert not list((tmp_path / "out").glob(".ozzy-*"))


def test_without_the_option_there_is_none(tmp_path: Path) -> None:
    run(tmp_path, manifest=None)

    assert list((tmp_path / "out").rglob("*.json")) == []


def test_each_full_checkpoint_replaces_it_by_the_whole_list(tmp_path: Path) -> None:
    seen: list[tuple[int, bool, int, int]] = []

    class Look(Listener):
        def checkpoint_committed(self, kind: str, number: int, seconds: float) -> None:
            manifest = read_manifest(tmp_path / "out/manifest.json")
            there = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.gz")}
            assert {file["name"] for file in manifest["files"]} == there
            seen.append((manifest["checkpoint"], manifest["complete"], manifest["rows"], len(manifest["files"])))

    whole = config(tmp_path) | {"checkpoint": {"full_every": {"records": 20}}}
    ozzy.run(whole, state_dir=tmp_path / "state", listener=Look())

    assert [(number, complete, rows) for number, complete, rows, _ in seen] == [
        (1, False, 20),
        (2, False, 40),
        (3, False, 60),
        (4, True, 60),
    ]
    assert [files for *_, files in seen] == sorted(files for *_, files in seen)


def test_a_manifest_in_a_folder_of_its_own_says_where_names_start(tmp_path: Path) -> None:
    run(tmp_path, manifest="lists/%Y/m.json")

    (path,) = (tmp_path / "out/lists").rglob("m.json")
    assert read_manifest(path)["folder"] == "../.."
    assert ozzy.verify(path).ok


def test_a_run_of_nothing_lists_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.jl").write_text("")
    run(tmp_path, more={"reader": {"name": "fs", "options": {"input": f"{tmp_path}/empty.jl"}}})

    manifest = read_manifest(tmp_path / "out/manifest.json")
    assert (manifest["files"], manifest["rows"], manifest["bytes"], manifest["complete"]) == ([], 0, 0, True)


def test_a_list_of_checksums_is_listed_too(tmp_path: Path) -> None:
    run(tmp_path, generate_md5=True)

    assert read_manifest(tmp_path / "out/manifest.json")["files"][-1]["name"] == "md5checksum.md5"
    assert ozzy.verify(tmp_path / "out/manifest.json", strict=True).ok


def test_it_holds_no_secret_and_the_hash_does_not_depend_on_one(tmp_path: Path) -> None:
    hashes = set()
    for number, address in enumerate(("postgres://me:canary-1@host", "postgres://me:canary-2@host")):
        more = {"filter": {"name": "key_value", "options": {"keys": [{"name": "key", "value": address}]}}}
        run(tmp_path, state=str(number), more=more, if_exists="overwrite")
        text = (tmp_path / "out/manifest.json").read_text()
        assert "canary" not in text
        hashes.add(json.loads(text)["config"])
    assert len(hashes) == 1


def test_the_hash_tells_what_is_made_and_not_how_often_it_is_saved(tmp_path: Path) -> None:
    def hash_of(state: str, **more: Any) -> str:
        run(tmp_path, state=state, if_exists="overwrite", more=more)
        return str(read_manifest(tmp_path / "out/manifest.json")["config"])

    plain = hash_of("a")
    assert hash_of("b", checkpoint={"every_records": 10}, stats_manager="logging") == plain
    assert hash_of("c", formatter={"name": "csv", "options": {"fields": ["key"]}}) != plain


def test_another_runs_manifest_is_not_replaced(tmp_path: Path) -> None:
    first = run(tmp_path)
    old = (tmp_path / "out/manifest.json").read_bytes()

    with pytest.raises(DestinationError, match=r"out/manifest\.json exists already"):
        run(tmp_path, state="b", filebase=f"{tmp_path}/out/other-{{groups[0]}}")
    assert (tmp_path / "out/manifest.json").read_bytes() == old
    assert not list((tmp_path / "out").rglob("other*"))

    result = run(tmp_path, state="c", filebase=f"{tmp_path}/out/{{groups[0]}}", if_exists="overwrite")
    assert is_manifest_of(tmp_path / "out/manifest.json", result.run_id, "writer")
    assert result.run_id != first.run_id


@pytest.mark.parametrize("if_exists", ["number", "skip"])
def test_where_names_in_use_are_left_alone_the_manifest_gets_a_number(if_exists: str, tmp_path: Path) -> None:
    first = run(tmp_path)
    second = run(tmp_path, state="b", if_exists=if_exists, full=20)
    third = run(tmp_path, state="c", if_exists=if_exists)

    names = ["manifest.json", "manifest-0001.json", "manifest-0002.json"]
    assert [read_manifest(tmp_path / "out" / name)["run"] for name in names] == [first.run_id, second.run_id, third.run_id]
    assert [ozzy.verify(tmp_path / "out" / name).ok for name in names] == [True] * 3


def test_a_manifest_that_appears_while_the_run_goes_on_is_left_alone(tmp_path: Path) -> None:
    class Plant(Listener):
        def batch_done(self, progress: Any) -> None:
            (tmp_path / "out").mkdir(exist_ok=True)
            (tmp_path / "out/manifest.json").write_text("mine")

    with pytest.raises(DestinationError, match=r"manifest\.json exists already"):
        ozzy.run(config(tmp_path), state_dir=tmp_path / "state", listener=Plant())
    assert (tmp_path / "out/manifest.json").read_text() == "mine"

    (tmp_path / "out/manifest.json").unlink()
    ozzy.run(config(tmp_path), state_dir=tmp_path / "state", resume=True)
    assert ozzy.verify(tmp_path / "out/manifest.json", strict=True).ok


def test_an_output_can_not_have_the_name_of_the_manifest(tmp_path: Path) -> None:
    with pytest.raises(DestinationError, match="is the name of the manifest and of an output"):
        run(tmp_path, more={"grouper": "no_grouper"}, filebase=f"{tmp_path}/out/x", manifest="x0000.jl.gz")


def test_two_writers_can_not_share_one(tmp_path: Path) -> None:
    one = {"name": "fs", "options": {"filebase": f"{tmp_path}/out/a", "manifest": "m.json"}}
    two = {"name": "fs", "options": {"filebase": f"{tmp_path}/out/b", "manifest": "m.json"}}

    with pytest.raises(DestinationError, match=r"m\.json exists already"):
        run(tmp_path, more={"grouper": "no_grouper", "writer": [one | {"label": "one"}, two | {"label": "two"}]})


def test_two_writers_have_one_each(tmp_path: Path) -> None:
    writers = [
        {"name": "fs", "label": name, "options": {"filebase": f"{tmp_path}/{name}/x", "manifest": "m.json"}} for name in ("one", "two")
    ]
    run(tmp_path, more={"grouper": "no_grouper", "writer": writers})

    assert [read_manifest(tmp_path / name / "m.json")["writer"] for name in ("one", "two")] == ["one", "two"]
    assert all(ozzy.verify(tmp_path / name / "m.json", strict=True).ok for name in ("one", "two"))


@pytest.mark.parametrize("name", ["../m.json", "{groups[0]}.json", ""])
def test_a_name_that_can_not_be_is_a_config_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="manifest"):
        run(tmp_path, manifest=name)


def test_a_dry_run_leaves_none(tmp_path: Path) -> None:
    ozzy.run(config(tmp_path), state_dir=tmp_path / "state", dry_run=True)

    assert not (tmp_path / "out").exists()


def test_a_resumed_run_ends_with_the_same_bytes_as_one_process(tmp_path: Path) -> None:
    stop = Stop()

    class After(Listener):
        def batch_done(self, progress: Any) -> None:
            stop.set()

    whole = config(tmp_path) | {"checkpoint": {"full_every": {"records": 20}}}
    with pytest.raises(Interrupted):
        ozzy.run(whole, state_dir=tmp_path / "state", stop=stop, listener=After())
    ozzy.run(whole, state_dir=tmp_path / "state", resume=True)
    resumed = read_manifest(tmp_path / "out/manifest.json")
    calm_folder = tmp_path / "calm"
    run(calm_folder, full=20)
    calm = read_manifest(calm_folder / "out/manifest.json")

    own = {"run", "started", "config"}
    assert {key: value for key, value in resumed.items() if key not in own} == {key: value for key, value in calm.items() if key not in own}


class Shelf(BaseNamedFileWriter):
    """A writer of files elsewhere, which has only `write` and `taken`."""

    kept: ClassVar[dict[str, bytes]] = {}

    def write(self, dump_path: str, group_key: Any = None) -> None:
        self.kept[self.entry["name"]] = Path(dump_path).read_bytes()

    def taken(self, name: str) -> bool:
        return name in self.kept


def test_a_writer_that_only_writes_brings_the_manifest_as_it_brings_files(tmp_path: Path) -> None:
    Shelf.kept.clear()
    registry = ozzy.Registry.load()
    registry.register(Plugin(), package="shelf", version="1.2", entry_name="shelf")
    whole = config(tmp_path) | {"writer": {"name": "shelf", "options": {"filebase": "up/x", "manifest": "m.json"}}}
    whole["checkpoint"] = {"full_every": {"records": 20}}

    ozzy.run(whole, state_dir=tmp_path / "state", registry=registry)

    manifest = json.loads(Shelf.kept["m.json"])
    assert {file["name"]: file["sha256"] for file in manifest["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in Shelf.kept.items() if name != "m.json"
    }
    assert manifest["plugins"]["shelf"] == "1.2"


class Plugin:
    @ozzy.hookimpl
    def ozzy_write(self) -> dict[str, Any]:
        return {"shelf": Shelf}
