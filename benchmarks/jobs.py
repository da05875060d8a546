"""What is done, and by whom: each contender is a command, or the reason why there is none."""

import os
import sys
from pathlib import Path

import attrs
import yaml

CONFIGS = Path(__file__).parent / "configs"
JOBS = {
    "j1": "J1 filter → gzip",
    "j2": "J2 filter → JSON lines",
    "j3": "J3 computed field, dropped field → CSV",
    "j4": "J4 20 gzip files → one gzip file a country",
    "j5_parquet": "J5 Parquet → filter → Parquet",
    "j5_csv": "J5 CSV → filter → CSV",
    "j6": "J6 20 gzip files, copied",
}
PEERS = {
    "duckdb": ("j1", "j2", "j3", "j4", "j5_parquet", "j5_csv"),
    "polars": ("j1", "j2", "j3", "j4", "j5_parquet", "j5_csv"),
    "pyarrow": ("j5_parquet", "j5_csv"),
    "dlt": ("j2", "j3"),
    "petl": ("j2", "j3"),
    "singer": ("j2",),
    "cp": ("j6",),
}
SLOW = frozenset({"dlt", "petl", "singer"})
"""Peers that take so long that one round is enough."""


@attrs.frozen
class Contender:
    """One way to do a job. `skipped` says why it is not done here."""

    job: str
    name: str
    command: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def slow(self) -> bool:
        return self.name in SLOW


def contenders(job: str, state: Path) -> list[Contender]:
    """All ways to do a job, ozzy's first: one for each config that is called after it, `j1.yaml` and `j1.two workers.yaml`."""
    configs = sorted(CONFIGS.glob(f"{job}.*yaml"), key=lambda path: (len(path.name), path.name))
    ozzy = [_ozzy(job, path, state) for path in configs] or [Contender(job, "ozzy", skipped="no config yet")]
    return ozzy + [_peer(job, name) for name, jobs in PEERS.items() if job in jobs]


def _ozzy(job: str, config: Path, state: Path) -> Contender:
    from ozzy import OzzyError, api

    variant = config.name.removeprefix(job).removesuffix("yaml").strip(".")
    name = f"ozzy, {variant}" if variant else "ozzy"
    os.environ.setdefault("BENCH_DATA", "data")
    os.environ.setdefault("BENCH_OUT", "out")
    try:
        api.validate(yaml.safe_load(config.read_text(encoding="utf-8")))
    except OzzyError as error:
        return Contender(job, name, skipped=str(error).splitlines()[0])
    ozzy = str(Path(sys.executable).with_name("ozzy"))
    return Contender(job, name, (ozzy, "run", str(config), "--quiet", "--fresh", "--state-dir", str(state)))


def _peer(job: str, name: str) -> Contender:
    from importlib.util import find_spec

    if name == "singer" and "SINGER_TARGET" not in os.environ:
        return Contender(job, name, skipped="SINGER_TARGET is not set")
    if name not in {"singer", "cp"} and find_spec(name) is None:
        return Contender(job, name, skipped="not installed")
    return Contender(job, name, (sys.executable, "-m", f"benchmarks.peers.{name}", job))
