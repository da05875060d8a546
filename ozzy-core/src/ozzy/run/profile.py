"""The profile of a run: what each stage took and got, for who asks why a run is slow."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ozzy.contracts.reader import BaseStreamReader
from ozzy.data.batch import Batch
from ozzy.data.read_clock import ReadClock
from ozzy.run.result import Result, RunProfile, StageProfile

SHORTEST = 0.001
"""Seconds below which a rate says nothing."""


class Profile:
    """Watches one run; `report` tells what was seen."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.faces: dict[str, str] = {}
        self.clock: ReadClock | None = None

    def watch(self, reader: Any) -> None:
        """A run begins to read."""
        if isinstance(reader, BaseStreamReader):
            self.clock = reader.clock = ReadClock()

    def saw(self, stage: str, batch: Batch) -> None:
        """A stage is done with a batch: records in it are there because this stage or one before it has wanted them."""
        if "records" in batch.faces:
            self.faces[stage] = "records"
        elif len(batch):
            face = "columns" if batch.table is not None else next(iter(batch.faces), "records")
            self.faces.setdefault(stage, face)

    def report(self, result: Result) -> RunProfile:
        """What was seen of a run that has this result."""
        return RunProfile(list(self._stages(result)), result.checkpoints, peak_memory())

    def _stages(self, result: Result) -> Iterator[StageProfile]:
        whole = max(time.monotonic() - self.began, sum(result.times.values()), 1e-9)
        size = result.bytes_read / result.records_read if result.records_read and result.bytes_read else None
        for name, seconds in result.times.items():
            counts = result.counts.get(name)
            rate = counts.records_in / seconds if counts is not None and seconds >= SHORTEST else None
            bytes_rate = rate * size if rate is not None and size is not None else None
            yield StageProfile(name, seconds, seconds / whole, rate, bytes_rate, self.faces.get(name, ""))
            if name == "reader" and self.clock is not None:
                yield from self._parts(seconds, self.clock, whole)
        rest = max(0.0, whole - sum(result.times.values()))
        yield StageProfile("around it", rest, rest / whole)

    def _parts(self, seconds: float, clock: ReadClock, whole: float) -> Iterator[StageProfile]:
        parts = {
            "reading": clock.reading,
            "decompressing": max(0.0, clock.streaming - clock.reading),
            "decoding and checking": max(0.0, seconds - clock.streaming),
        }
        for name, part in parts.items():
            yield StageProfile(name, part, part / whole, part=True)


def peak_memory() -> int:
    """The most resident memory that this process has had, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
