"""Every sync of the protocol is needed: with the syncs of one place in the code left out, a power cut does harm, and is seen to.

What it rests on is on disk before a step passes: a document on staged files, tails, lists and the spill log; publishing on the prepared
document; the committed document on the folders of published files; all of them on the record of the run and the list of its source.
"""

import gzip
import json
import random
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import ozzy
from ozzy.contracts import file_writer
from ozzy.data.codecs import CODECS
from ozzy.run.checkpoint import Checkpoints
from ozzy.staging.files import StagedFiles
from tests.crash.power import Disk

if not Path("/proc/self/fd").is_dir():
    pytest.skip("needs /proc", allow_module_level=True)

VARIANTS: dict[str, dict[str, Any]] = {
    "files": {},
    "manifest": {"writer": {"manifest": "m.json"}},
    "many groups": {"grouper": {"name": "file_key", "options": {"keys": ["bucket"]}}, "writer": {"items_per_buffer_write": 3}},
    "bookmark": {"bookmark": True},
}

NEEDED: dict[str, tuple[str, int, set[str]]] = {
    "the bytes of state files": ("files", 16, {"_write"}),
    "the names of state files": ("files", 91, {"write_json: sync_folder"}),
    "the list of the source's parts": ("files", 40, {"SplitList.make: sync_file"}),
    "the bytes of staged files": ("files", 40, {"StagedFile.sync: sync_file"}),
    "the names of staged files": ("files", 49, {"StagedFiles._sync_folder: sync_folder"}),
    "the folders of staged files": ("files", 40, {"StagedFiles._sync_folder: sync_path"}),
    "rows that are not compressed yet": ("files", 40, {"StagedFiles._write_tails"}),
    "the folders of published files": ("files", 97, {"FSWriter.after_publishing: sync_folder"}),
    "the bytes of the manifest": ("manifest", 97, {"BaseNamedFileWriter.stage_manifest"}),
    "the name of the manifest": ("manifest", 97, {"FSWriter.publish_manifest: sync_folder"}),
    "the list of files and groups": ("many groups", 46, {"Journal.sync"}),
    "the name of that list": ("many groups", 46, {"Journal.sync: sync_folder"}),
    "the spill log": ("many groups", 46, {"SpillLog.sync"}),
    "the marks of a bookmark": ("bookmark", 40, {"IncrementalRun.splits: sync_file"}),
}
"""What is synced: the pipeline that shows the need of it, a step shortly before the first cut that does, the places in the code."""

SPARE = {
    "FSWriter._delete: sync_folder": "tidies up: staged copies that come back are deleted by the next process",
    "FSWriter._make_folders: sync_folder": "after_publishing syncs the same folders, and more",
    "SplitList.make: sync_folder": "the first document is written into the same folder, and syncs it",
    "StagedFile._put: make_folder": "the whole path is synced at the first checkpoint",
    "StagedFiles._write_tails: make_folder": "the whole path is synced at the first checkpoint",
    "SpillLog._opened: make_folder": "the whole path is synced at the first checkpoint",
    "Journal._flush: make_folder": "Journal.sync syncs the folder; the one above is the run's, synced when it began",
    "_private: make_folder": "the whole path is synced right after it",
    "_private: sync_path": "what make_folder has synced, unless it was killed before it did; nothing is published by then",
    "BaseNamedFileWriter.stage_manifest: make_folder": "there is a staging folder, and its path is synced",
    "BookmarkStore.move: sync_folder": "the bookmark that names the marks is written into the same folder, and syncs it",
    "threads: sync_file": "StagedFile.sync of many files at once; the next checkpoint's name for it",
}
"""Syncs that another one makes good, or that only tidy up, and why a cut between them does no harm."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    rnd = random.Random(5)
    for part in range(2):
        rows = [
            json.dumps(
                {"id": f"{part}-{n}", "country": rnd.choice(["es", "日本"]), "bucket": f"b{n % 12}", "note": "x" * rnd.randrange(99)}
            )
            for n in range(60)
        ]
        (folder / f"part-{part}.jl.gz").write_bytes(gzip.compress("\n".join(rows).encode(), 1, mtime=0))
    return folder


def config(source: Path, out: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    options = {"filebase": f"{out}/{{groups[0]}}/part", "items_per_buffer_write": 25, **changes.get("writer", {})}
    return {
        "name": "power",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 10}},
        "grouper": {"name": "file_key", "options": {"keys": ["country"]}},
        "formatter": {"name": "csv", "options": {"fields": ["id", "note"]}},
        "checkpoint": {"every_records": 20, "full_every": {"records": 70}},
        **changes,
        "writer": {"name": "fs", "options": options},
    }


@attrs.define
class Place:
    """Where one variant runs, again and again, each time on a disk of its own."""

    variant: str
    source: Path
    folder: Path
    tries: int = 0

    def disk(self, forgets: set[str] = frozenset()) -> Disk:  # type: ignore[assignment]
        self.tries += 1
        root = self.folder / str(self.tries) / "disk"
        (root / "state").mkdir(parents=True)
        return Disk(root, None, frozenset(forgets))

    def run(self, root: Path) -> None:
        self.start(root, resume=any((root / "state").glob("*/*/run.json")))

    def start(self, root: Path, **how: Any) -> None:
        ozzy.run(config(self.source, root / "out", VARIANTS[self.variant]), state_dir=root / "state", **how)

    def finish(self, root: Path) -> None:
        """Go on to the end; with a bookmark, the run after that finds nothing new."""
        self.run(root)
        if self.variant == "bookmark":
            self.start(root)

    def outcome(self, root: Path) -> dict[str, Any]:
        """What is visible; of a manifest what does not tell one run from another."""
        found: dict[str, Any] = {}
        for path in sorted((root / "out").rglob("*")):
            if path.is_file() and not any(part.startswith(".ozzy") for part in path.parts):
                found[str(path.relative_to(root))] = path.read_bytes()
        if "out/m.json" in found:
            told = json.loads(found["out/m.json"] or b"{}")
            found["out/m.json"] = [told.get("complete"), told.get("rows"), told.get("files")]
        return found


@pytest.fixture
def place(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Members every few rows, few open groups, short receipts; and no run may have to fall back."""
    monkeypatch.setitem(CODECS, "gz", attrs.evolve(CODECS["gz"], member_size=500))  # type: ignore[arg-type]

    def never(self: Checkpoints, document: dict[str, Any], outcomes: dict[str, Any]) -> dict[str, Any] | None:
        raise AssertionError("what a document speaks of is not on disk")

    monkeypatch.setattr(Checkpoints, "_fall_back", never)
    return Place("files", source, tmp_path)


def choose(place: Place, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place.variant = variant
    few = {"group_limit": 4, "receipt_limit": 5} if variant == "many groups" else {}
    monkeypatch.setattr(file_writer, "StagedFiles", partial(StagedFiles, **few))


def harm(place: Place, forgets: set[str], first: int) -> str:
    """What the first power cut that does harm brings about, where the syncs of these places are left out; empty where none does."""
    calm = place.disk()
    place.run(calm.root)
    wanted = place.outcome(calm.root)
    step, ended = first, True
    while ended:
        disk = place.disk(forgets)
        with disk.process(step):
            place.run(disk.root)
        if ended := disk.ended:
            try:
                place.finish(disk.root)
                if place.outcome(disk.root) != wanted:
                    return f"at step {step}, the outcome is another"
            except (ozzy.OzzyError, AssertionError) as error:
                return f"at step {step}, {error}"
            except ValueError:
                return f"at step {step}, a file is torn"
        shutil.rmtree(disk.root.parent)
        step += 1
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("what", NEEDED)
def test_without_this_sync_a_power_cut_does_harm(what: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    variant, first, forgets = NEEDED[what]
    choose(place, variant, monkeypatch)

    assert harm(place, forgets, first)


@pytest.mark.slow
@pytest.mark.parametrize("what", NEEDED)
def test_with_it_the_same_cuts_do_none(what: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few cuts from the same step on: it is the missing sync that does the harm, not this disk."""
    variant, first, _ = NEEDED[what]
    choose(place, variant, monkeypatch)
    calm = place.disk()
    place.run(calm.root)
    for step in range(first, first + 12, 4):
        disk = place.disk()
        with disk.process(step):
            place.run(disk.root)
        place.finish(disk.root)
        assert place.outcome(disk.root) == place.outcome(calm.root)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_sync_is_known(variant: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place in the code that syncs something is needed, and shown to be, or spare, and said why."""
    choose(place, variant, monkeypatch)
    disk = place.disk()
    with disk.process(-1):
        place.run(disk.root)

    known = {site for _, _, sites in NEEDED.values() for site in sites} | set(SPARE)
    assert disk.sites - known == set()
