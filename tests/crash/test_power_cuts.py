"""Cut the power before every step that touches the disk: what was not synced is gone, and still the outcome is the same."""

import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import attrs
import pytest

import ozzy
from ozzy.data.codecs import CODECS
from ozzy.run.checkpoint import Checkpoints
from ozzy.run.runs import StateFolder
from tests.crash.power import Disk

if not Path("/proc/self/fd").is_dir():
    pytest.skip("needs /proc", allow_module_level=True)

EVERY = int(os.environ.get("OZZY_TEST_CUT_EVERY", "5"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    rnd = random.Random(5)
    for part in range(2):
        rows = [
            json.dumps({"id": f"{part}-{n}", "country": rnd.choice(["es", "日本"]), "note": "x" * rnd.randrange(99)}) for n in range(60)
        ]
        (folder / f"part-{part}.jl.gz").write_bytes(gzip.compress("\n".join(rows).encode(), 1, mtime=0))
    return folder


def config(source: Path, out: Path, writer: dict[str, Any], **more: Any) -> dict[str, Any]:
    options = {"filebase": f"{out}/{{groups[0]}}/part", "items_per_buffer_write": 25, **writer}
    return {
        "name": "power",
        "reader": {"name": "fs", "options": {"input": str(source), "batch_size": 10}},
        "grouper": {"name": "file_key", "options": {"keys": ["country"]}},
        "formatter": {"name": "csv", "options": {"fields": ["id", "note"]}},
        "writer": {"name": "fs", "options": options},
        "checkpoint": {"every_records": 20, "full_every": {"records": 70}},
    } | more


VARIANTS: dict[str, dict[str, Any]] = {
    "light and full": {},
    "full only": {"checkpoint": {"full_every": {"records": 40}, "every_records": 1000}},
    "light only, with a list of checksums": {"writer": {"generate_md5": True}, "checkpoint": {"every_records": 30}},
    "with keys on disk": {"filter": [{"name": "dupe", "options": {"key_field": "id"}}]},
    "overwriting": {"writer": {"if_exists": "overwrite"}},
    "bad records": {"errors": "quarantine", "filter": "tests.bad_records.picky:NoSevens"},
}


def contents(out: Path) -> dict[str, bytes]:
    found = [path for path in sorted(out.rglob("*")) if path.is_file()]
    return {str(path.relative_to(out)): path.read_bytes() for path in found if not any(part.startswith(".ozzy") for part in path.parts)}


def kept(state: Path) -> list[str]:
    """The bad records that runs have kept, in order."""
    return [one.text for record in StateFolder(state).runs() for one in ozzy.quarantined(record.id, state_dir=state)]


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest, source: Path, tmp_path: Path, small_members: None) -> "Variant":
    made = Variant({"writer": {}, **VARIANTS[request.param]}, source, tmp_path)
    made.run(tmp_path / "calm")
    made.wanted, made.kept = contents(tmp_path / "calm" / "out"), kept(tmp_path / "calm" / "state")
    assert len(made.kept) == (12 if "errors" in made.changes else 0)
    return made


@attrs.define
class Variant:
    """One way to run, and what comes of it when nothing disturbs it."""

    changes: dict[str, Any]
    source: Path
    folder: Path
    wanted: dict[str, bytes] = attrs.field(factory=dict)
    kept: list[str] = attrs.field(factory=list)

    def disk(self, name: object, chance: random.Random | None) -> Disk:
        root = self.folder / str(name) / "disk"
        (root / "state").mkdir(parents=True)
        return Disk(root, chance)

    def run(self, root: Path) -> None:
        """Begin, or go on where something has begun."""
        begun = any((root / "state").glob("*/*/run.json"))
        ozzy.run(config(self.source, root / "out", **self.changes), state_dir=root / "state", resume=begun)

    def check(self, root: Path, when: str) -> None:
        """Go on to the end, from where it was: nothing that was committed may be gone."""
        self.run(root)
        assert contents(root / "out") == self.wanted, when
        assert kept(root / "state") == self.kept, when


@pytest.fixture(autouse=True)
def small_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member every few rows, so that open files have some on disk when a light checkpoint is taken."""
    monkeypatch.setitem(CODECS, "gz", attrs.evolve(CODECS["gz"], member_size=500))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def nothing_committed_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a document speaks of is on disk before it is saved, so no run ever has to fall back.

    One exception: this disk, unlike most, may lose a file that is renamed from one folder to another, as for `overwrite`.
    """
    original = Checkpoints._fall_back

    def fall_back(self: Checkpoints, document: dict[str, Any], outcomes: dict[str, Any]) -> dict[str, Any] | None:
        assert document["phase"] == "prepared"
        assert self.writers["writer"].read_option("if_exists") == "overwrite"
        return original(self, document, outcomes)

    monkeypatch.setattr(Checkpoints, "_fall_back", fall_back)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [None, 1, 2], ids=["nothing unsynced survives", "some survives", "other survives"])
def test_a_power_cut_before_any_step_changes_no_byte(seed: int | None, variant: Variant) -> None:
    step, ended = 1, True
    while ended:
        chance = None if seed is None else random.Random(1000 * seed + step)
        disk = variant.disk(step, chance)
        with disk.process(step):
            variant.run(disk.root)
        if ended := disk.ended:
            with disk.process(step // 3 + 5):
                variant.run(disk.root)
            variant.check(disk.root, f"after cuts at steps {step} and {step // 3 + 5}")
        step += EVERY
    assert step > 50


@pytest.mark.slow
def test_what_a_killed_process_did_not_sync_is_synced_by_the_next(variant: Variant) -> None:
    """A kill leaves in memory what the process has not synced; a power cut, after the next process went on from there, loses it."""
    rnd = random.Random(7)
    step, ended = 1, True
    while ended:
        disk = variant.disk(step, None)
        with disk.process(step, power_goes=False):
            variant.run(disk.root)
        if ended := disk.ended:
            cut = rnd.randrange(1, 60)
            with disk.process(cut):
                variant.run(disk.root)
            if disk.ended:
                variant.check(disk.root, f"after a kill at step {step} and a power cut at step {cut} of the next process")
        step += EVERY
