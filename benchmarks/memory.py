"""Whether memory stays flat: the same jobs over few records and over many, by the peak of all processes together.

    python benchmarks/memory.py --jobs j1 j2 j3 --records 1000000 10000000

The records of the other benchmarks are made once, and repeated where more are wanted.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import msgspec

from benchmarks.data import made
from benchmarks.jobs import JOBS, contenders
from benchmarks.measure import measured

MADE = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", nargs="+", choices=[job for job in JOBS if job in {"j1", "j2", "j3"}], default=["j1", "j2", "j3"])
    parser.add_argument("--records", nargs="+", type=int, default=[1_000_000, 10_000_000], help="how many (default: 1,000,000 10,000,000)")
    parser.add_argument("--processors", nargs="+", type=int, default=[0, 1], help="which processors to run on (default: 0 1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ozzy-memory-") as name:
        folder = Path(name)
        encode = msgspec.json.Encoder().encode
        lines = [encode(record) + b"\n" for record in made(MADE)]
        for records in options.records:
            whole, rest = divmod(records, MADE)
            with (folder / "records.jsonl").open("wb") as file:
                file.writelines([b"".join(lines)] * whole)
                file.writelines(lines[:rest])
            for job in options.jobs:
                out = folder / "out"
                [contender, *_] = contenders(job, folder / "state")
                found = measured(contender.command, options.processors, {"BENCH_DATA": name, "BENCH_OUT": str(out)}, folder / "log")
                print(
                    f"{job} {records:>12,} records {found.memory / 2**20:6.0f} MiB {found.wall:8.2f} s  {found.failed[-200:]}", flush=True
                )
                shutil.rmtree(out)


if __name__ == "__main__":
    main()
