"""`python -m benchmarks`: makes the data, lets all contenders take turns, compares what they made, and writes table and chart."""

import argparse
import gc
import shutil
import sys
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.compare import differences
from benchmarks.data import Data, prepared
from benchmarks.jobs import JOBS, Contender, contenders
from benchmarks.measure import Measured, measured
from benchmarks.table import Row, head, table

DOCS = Path(__file__).parent.parent / "docs"
MARK = "<!-- all below is written by the benchmarks -->"


def main() -> None:
    gc.disable()  # records that are compared are many, and none is rubbish
    options = _options()
    data = prepared(options.cache, options.records)
    work: Path = options.cache / "work"
    rows = {}
    for job in options.jobs:
        rows[job] = _job(job, data, work, options)
        print("", table(job, rows[job]), sep="\n", flush=True)
        if options.write:
            _write(rows, options.records, len(options.processors))
    if any(one.failed for of_job in rows.values() for row in of_job for one in row.rounds):
        sys.exit(1)


def _write(rows: dict[str, list[Row]], records: int, processors: int) -> None:
    """Put the chart into docs/, and the tables into the page on performance, behind the mark there."""
    (DOCS / "assets" / "performance.svg").write_text(chart(rows, records), encoding="utf-8")
    page = DOCS / "performance.md"
    before = page.read_text(encoding="utf-8").partition(MARK)[0]
    parts = [head(records, processors), "![Wall time of each job](assets/performance.svg)\n", *(table(job, rows[job]) for job in rows)]
    page.write_text(f"{before}{MARK}\n\n" + "\n".join(parts), encoding="utf-8")


def _job(job: str, data: Data, work: Path, options: argparse.Namespace) -> list[Row]:
    """All rounds of one job: in each, everyone once."""
    those = [one for one in contenders(job, work / "state") if not options.only or one.name.partition(",")[0] in options.only]
    rounds: dict[str, list[Measured]] = {one.name: [] for one in those}
    for number in range(options.rounds):
        for one in those:
            if not one.skipped and not (one.slow and number):
                rounds[one.name].append(_run(one, data, work, options.processors))
    outs = {one.name: work / one.job / one.name for one in those if rounds[one.name] and not rounds[one.name][-1].failed}
    compared = {name: differences(outs["ozzy"], out) for name, out in outs.items() if name != "ozzy" and "ozzy" in outs}
    return [Row(one, rounds[one.name], compared.get(one.name, "")) for one in those]


def _run(one: Contender, data: Data, work: Path, processors: list[int]) -> Measured:
    out = work / one.job / one.name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    ours = one.name.startswith("ozzy")
    command = one.command if ours else (*one.command, str(data.folder), str(out))
    environment = {"BENCH_DATA": str(data.folder), "BENCH_OUT": str(out)}
    found = measured(command, processors, environment, work / f"{one.job}-{one.name}.log")
    print(
        f"{one.job:12}{one.name:24}{found.wall:8.2f} s{found.cpu:8.2f} s CPU{found.memory / 2**20:8.0f} MiB  {found.failed[-200:]}",
        flush=True,
    )
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--records", type=int, default=2_000_000, help="how many records the data has (default: 2,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs (default: 5; the slow ones run once)")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS), help="which jobs (default: all)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="which contenders, such as ozzy and duckdb (default: all)")
    parser.add_argument("--processors", nargs="+", type=int, default=[0, 1], metavar="N", help="which processors to run on (default: 0 1)")
    parser.add_argument("--cache", type=Path, default=Path(".bench"), help="where data and outputs are kept (default: .bench)")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/ as it is")
    options = parser.parse_args()
    options.cache = options.cache.resolve()
    return options


main()
