"""The figures as a table in Markdown."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import attrs

from benchmarks.jobs import JOBS, PEERS, Contender
from benchmarks.measure import Measured


@attrs.frozen
class Row:
    """What one contender has done at one job: medians of its rounds."""

    contender: Contender
    rounds: Sequence[Measured]
    compared: str = ""

    @property
    def failed(self) -> str:
        return self.contender.skipped or next((one.failed.splitlines()[-1] for one in self.rounds if one.failed), "")

    @property
    def wall(self) -> float:
        return median(one.wall for one in self.rounds)

    @property
    def cpu(self) -> float:
        return median(one.cpu for one in self.rounds)

    @property
    def memory(self) -> float:
        return median(one.memory for one in self.rounds)


def head(records: int, processors: int) -> str:
    """What was measured, where, and how."""
    return (
        f"{records:,} records, {processors} processors ({_processor()}), {platform.system()} {platform.release()}, Python "
        f"{platform.python_version()}. {_versions()}.\n\n"
        "Seconds are medians of rounds in which all took turns, of whole processes from start to exit. Memory is the peak of all processes "
        "together, looked at each 20 ms: the resident memory of one that is alone, the sum of the PSS of several.\n"
    )


def table(job: str, rows: Sequence[Row]) -> str:
    """One job: a row for each contender."""
    base = next((row.wall for row in rows if row.contender.name == "ozzy" and not row.failed), None)
    lines = [
        f"### {JOBS[job]}",
        "",
        "| | wall | CPU | memory | wall, ozzy = 1 | what comes out, against ozzy |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    return "\n".join([*lines, *[_line(row, base) for row in rows], ""])


def _line(row: Row, base: float | None) -> str:
    if row.failed:
        return f"| {row.contender.name} | | | | | not run: {row.failed.replace('|', '/')} |"
    ratio = f"{row.wall / base:.2f}" if base else ""
    return f"| {row.contender.name} | {row.wall:.2f} s | {row.cpu:.2f} s | {row.memory / 2**20:,.0f} MiB | {ratio} | {row.compared} |"


def _versions() -> str:
    packages = ("ozzy-core", *(name for name in PEERS if name not in {"cp", "singer"}))
    found = []
    for name in packages:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
