"""A run with very many groups: what it takes in memory, open files and time, and whether its files are right.

    python benchmarks/many_groups.py --groups 100000 --rows 300000

It writes seeded JSON lines whose field `g` takes so many values, exports them into a file for each value, and compares every file with the
rows of its group. It fails where the peak memory passes `--limit` MiB or a file is wrong.
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any


def make_source(path: Path, groups: int, rows: int, seed: int) -> dict[str, tuple[int, str]]:
    """Rows of random groups, each group at least once; the number of rows and the checksum of the lines of each."""
    rnd = random.Random(seed)
    order = [*range(groups), *(rnd.randrange(groups) for _ in range(rows - groups))]
    rnd.shuffle(order)
    digests: dict[str, Any] = {}
    counts: dict[str, int] = {}
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number, group in enumerate(order):
            value = f"g{group:07d}"
            line = json.dumps({"id": number, "g": value, "text": "x" * rnd.randrange(200)}, separators=(",", ":")).encode() + b"\n"
            file.write(line)
            counts[value] = counts.get(value, 0) + 1
            digests.setdefault(value, hashlib.sha256()).update(line)
    return {value: (counts[value], digest.hexdigest()) for value, digest in digests.items()}


def config(source: Path, out: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One file a group."""
    filebase = f"{out}/{{groups[0]}}/part" if options.folders else f"{out}/{{groups[0]}}"
    checkpoint = {"every_records": options.every} if options.every else {}
    return {
        "name": "many-groups",
        "reader": {"name": "fs", "options": {"input": str(source)}},
        "grouper": {"name": "file_key", "options": {"keys": ["g"]}},
        "writer": {"name": "fs", "options": {"filebase": filebase, "generate_md5": options.md5}},
        "checkpoint": checkpoint,
    }


def watch(pid: int, seen: list[int]) -> None:
    """Keep the largest number of open files of a process."""
    while True:
        try:
            seen[0] = max(seen[0], sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))
        except OSError:
            return
        time.sleep(0.02)


def main() -> int:
    """Run it; 0 where all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--every", type=int, default=0, help="records between light checkpoints; 0 leaves the default")
    parser.add_argument("--limit", type=int, default=200, help="MiB of peak memory")
    parser.add_argument("--open-files", type=int, default=256, help="the process's limit of open files")
    parser.add_argument("--folders", action="store_true", help="a folder for each group")
    parser.add_argument("--md5", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    command = shutil.which("ozzy", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if command is None:
        parser.error("there is no command ozzy here")
    folder = Path(tempfile.mkdtemp(prefix="ozzy-many-"))
    try:
        return measure(folder, command, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, command: str, options: argparse.Namespace) -> int:
    """Run once, and say what it took."""
    wanted = make_source(folder / "in.jl.gz", options.groups, options.rows, options.seed)
    (folder / "config.json").write_text(json.dumps(config(folder / "in.jl.gz", folder / "out", options)))
    limits = (options.open_files, options.open_files)
    began = time.monotonic()
    process = subprocess.Popen(
        [command, "run", str(folder / "config.json"), "--state-dir", str(folder / "state")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits),  # noqa: PLW1509  (no threads yet)
    )
    seen = [0]
    threading.Thread(target=watch, args=(process.pid, seen), daemon=True).start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    peak = usage.ru_maxrss / 1024
    print(
        f"{options.groups:,} groups, {options.rows:,} rows: {seconds:.1f} s, peak memory {peak:.0f} MiB, {seen[0]} open files at the most"
    )
    if process.returncode:
        return process.returncode
    wrong = 0
    for value, (rows, digest) in wanted.items():
        path = folder / "out" / value / "part0000.jl.gz" if options.folders else folder / "out" / f"{value}.jl.gz"
        lines = gzip.decompress(path.read_bytes()) if path.exists() else b""
        wrong += lines.count(b"\n") != rows or hashlib.sha256(lines).hexdigest() != digest
    print(f"{len(wanted):,} files compared, {wrong} wrong")
    return int(wrong > 0 or peak > options.limit)


if __name__ == "__main__":
    sys.exit(main())
