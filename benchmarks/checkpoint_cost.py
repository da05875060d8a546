"""What checkpoints cost: the main job with and without them, in turn, in processes of their own.

    python benchmarks/checkpoint_cost.py --records 1000000 --pairs 10

The job reads JSON lines in gzip files, filters them, and writes a CSV file for each country. It is run with nothing but the full
checkpoint at the end, without which there is no output (`none`), as it comes (`default`: a light checkpoint every 30 s, for at most 2 % of
the run), with a light one every second, and with one for each 100,000 records. Runs alternate, so that whatever else the machine
does meets them all alike.
"""

import argparse
import gzip
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COUNTRIES = ["es", "uk", "us", "de", "fr", "it", "pt", "br", "日本", "中国"]
NEVER = 10**12
WAYS: dict[str, dict[str, Any]] = {
    "none": {"every_records": NEVER},
    "default": {},
    "every second": {"every_seconds": 1},
    "every 100,000 records": {"every_records": 100_000},
}


def make_source(folder: Path, records: int, files: int) -> int:
    """Seeded records in gzip files; how many bytes they are as text."""
    rnd = random.Random(1)
    folder.mkdir()
    size = 0
    for part in range(files):
        with gzip.open(folder / f"part-{part}.jl.gz", "wb", compresslevel=1) as file:
            lines = []
            for number in range(part * records // files, (part + 1) * records // files):
                record = {
                    "id": number,
                    "url": f"https://example.com/product/{number}/{rnd.randrange(10**9)}",
                    "title": f"product number {number}",
                    "country": rnd.choice(COUNTRIES),
                    "price": round(rnd.random() * 1000, 2),
                    "available": rnd.random() < 0.7,
                    "seller": {"id": rnd.randrange(1000), "score": rnd.random()},
                }
                lines.append(json.dumps(record, ensure_ascii=False))
            text = ("\n".join(lines) + "\n").encode()
            size += len(text)
            file.write(text)
    return size


def config(source: Path, out: Path, checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The main job."""
    return {
        "name": "cost",
        "reader": {"name": "fs", "options": {"input": str(source)}},
        "filter": {"name": "key_value", "options": {"keys": [{"name": "available", "value": True}]}},
        "grouper": {"name": "file_key", "options": {"keys": ["country"]}},
        "formatter": {"name": "csv", "options": {"fields": ["id", "title", "country", "price", "url"]}},
        "writer": {"name": "fs", "options": {"filebase": f"{out}/{{groups[0]}}/part"}},
        "checkpoint": checkpoint,
    }


def run(folder: Path, way: str) -> tuple[float, float, dict[str, Any]]:
    """One run in a process of its own: its seconds by the clock and of the processor, and what its record says of checkpoints."""
    here = folder / "run"
    here.mkdir()
    (here / "c.json").write_text(json.dumps(config(folder / "in", here / "out", WAYS[way])))
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "ozzy", "run", "c.json", "--quiet"], cwd=here, check=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    (record,) = here.glob(".ozzy/*/*/run.json")
    facts = json.loads(record.read_bytes())["content"]
    shutil.rmtree(here)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, facts


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=10)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ozzy-cost-"))
    try:
        size = make_source(folder / "in", given.records, given.files)
        print(f"{given.records:,} records, {size:,} bytes of text, {given.pairs} runs of each, in turn")
        for way in WAYS:
            run(folder, way)
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        processor: dict[str, list[float]] = {way: [] for way in WAYS}
        facts: dict[str, dict[str, Any]] = {}
        for _ in range(given.pairs):
            for way in WAYS:
                took, used, facts[way] = run(folder, way)
                seconds[way].append(took)
                processor[way].append(used)
    finally:
        shutil.rmtree(folder)
    print("| checkpoints | seconds | ratio | processor | ratio | light ones | share of the run | the full one |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: |")
    for way in WAYS:
        light, full = (facts[way]["checkpoints"][kind] for kind in ("light", "full"))
        print(
            f"| {way} | {_median(seconds[way])} | {_ratio(seconds[way], seconds['none'])} "
            f"| {_median(processor[way])} | {_ratio(processor[way], processor['none'])} "
            f"| {light['taken']} | {light['seconds'] / facts[way]['seconds']:.1%} | {full['seconds'] / facts[way]['seconds']:.1%} |"
        )


def _median(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _ratio(values: list[float], baseline: list[float]) -> str:
    return f"{statistics.median(values) / statistics.median(baseline):.3f}"


if __name__ == "__main__":
    main()
