"""A large export killed at random moments, resumed each time, and compared byte for byte with one that was never disturbed.

    python tests/crash/storm.py --megabytes 300 --kills 30

It makes seeded JSON lines in gzip files, exports them through a filter into one CSV file a country, kills the process with SIGKILL
(so that kills fall after light, prepared and published checkpoints alike), and says what kind of checkpoint each kill left behind.
"""

import argparse
import collections
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COUNTRIES = ["es", "uk", "us", "de", "fr", "España", "日本", "br", "../../etc", "côte d'ivoire", "", "a/b", "unknown", "中国", "it", "pt"]


def make_source(folder: Path, megabytes: int, files: int, seed: int) -> int:
    """Seeded records in gzip files, together about so many megabytes of text; the number of records."""
    rnd = random.Random(seed)
    folder.mkdir(parents=True)
    number = 0
    for part in range(files):
        with gzip.open(folder / f"part-{part:03d}.jl.gz", "wb", compresslevel=1) as file:
            size = 0
            while size < megabytes * 1_000_000 // files:
                lines = []
                for _ in range(1000):
                    lines.append(json.dumps(_record(number, rnd), ensure_ascii=False))
                    number += 1
                text = ("\n".join(lines) + "\n").encode()
                size += len(text)
                file.write(text)
    return number


def _record(number: int, rnd: random.Random) -> dict[str, Any]:
    record = {
        "id": number,
        "url": f"https://example.com/product/{number}/{rnd.randrange(10**9)}",
        "title": f'näme "{number}", with a comma',
        "country": rnd.choice(COUNTRIES),
        "price": round(rnd.random() * 1000, 2),
        "available": rnd.random() < 0.7,
        "seller": {"id": rnd.randrange(1000), "name": "x" * rnd.randrange(60), "score": rnd.random()},
        "tags": [rnd.choice("abcdef") for _ in range(rnd.randrange(5))],
        "big": 2**64 + number,
    }
    if rnd.random() < 0.1:
        del record["country"]
    if rnd.random() < 0.1:
        record["price"] = None
    return record


def config(source: Path, out: Path, every: int, full: int) -> dict[str, Any]:
    """The export: a filter, and a CSV file for each country."""
    return {
        "name": str(out),
        "reader": {"name": "fs", "options": {"input": {"dir": str(source), "pattern": r"\.jl\.gz$"}}},
        "filter": {"name": "key_value", "options": {"keys": [{"name": "available", "value": True}]}},
        "grouper": {"name": "file_key", "options": {"keys": ["country"]}},
        "formatter": {"name": "csv", "options": {"fields": ["id", "title", "country", "price", "seller", "tags", "big"]}},
        "writer": {"name": "fs", "options": {"filebase": f"{out}/{{groups[0]}}/part"}},
        "checkpoint": {"every_records": every, "full_every": {"records": full}},
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Every visible file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def left_behind(state: Path) -> str:
    """What kind of checkpoint a killed run left."""
    found = list(state.glob("*/*/checkpoint.json"))
    if not found:
        return "none yet"
    document = json.loads(found[0].read_bytes())["content"]
    return "light" if document["kind"] == "light" else f"full, {'published' if document['phase'] == 'committed' else 'prepared'}"


def main() -> int:
    """Run the storm; 0 where every byte is the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--kills-a-run", type=int, default=6)
    parser.add_argument("--every", type=int, default=5_000)
    parser.add_argument("--full-every", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with the data, the files and the state")
    options = parser.parse_args()
    command = shutil.which("ozzy", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if command is None:
        parser.error("there is no command ozzy here")
    folder = Path(tempfile.mkdtemp(prefix="ozzy-storm-"))
    try:
        return storm(folder, command, options)
    finally:
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def storm(folder: Path, command: str, options: argparse.Namespace) -> int:
    """Make the data, run once in calm, then in storms until enough kills are counted."""
    rnd = random.Random(options.seed)
    records = make_source(folder / "in", options.megabytes, options.files, options.seed)
    print(f"{records:,} records in {options.files} gzip files, {options.megabytes} MB of text")

    def start(name: str, *more: str) -> subprocess.Popen[bytes]:
        file = folder / f"{name}.json"
        file.write_text(json.dumps(config(folder / "in", folder / name, options.every, options.full_every)))
        return subprocess.Popen([command, "run", str(file), "--state-dir", str(folder / f"state-{name}"), "--quiet", *more])

    began = time.monotonic()
    if start("calm").wait():
        print("the undisturbed run failed")
        return 1
    seconds = time.monotonic() - began
    wanted = contents(folder / "calm")
    print(f"undisturbed: {seconds:.1f} s, {len(wanted)} files, {sum(map(len, wanted.values())):,} bytes")
    if not options.keep:
        shutil.rmtree(folder / "calm")

    kinds: collections.Counter[str] = collections.Counter()
    run = 0
    while kinds.total() < options.kills:
        run += 1
        name, status, kills = f"storm-{run}", None, 0
        while status is None:
            process = start(name, "--resume" if any((folder / f"state-{name}").glob("*/*/run.json")) else "--fresh")
            try:
                enough = kills >= options.kills_a_run or kinds.total() >= options.kills
                status = process.wait(None if enough else 0.3 + rnd.random() * max(0.3, 2 * seconds / options.kills_a_run))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                kinds[left_behind(folder / f"state-{name}")] += 1
        got = contents(folder / name)
        different = sorted(path for path in {*wanted, *got} if wanted.get(path) != got.get(path))
        print(
            f"run {run}: {kills} kills, {'identical' if not different and not status else f'status {status}, different: {different[:5]}'}",
            flush=True,
        )
        if different or status:
            return 1
        shutil.rmtree(folder / name)
    print(f"{kinds.total()} kills; they left: " + ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
