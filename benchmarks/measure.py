"""Runs one command pinned to some processors, and measures wall time, CPU and the peak memory of all its processes together."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

SAMPLE_SECONDS = 0.02


@attrs.frozen
class Measured:
    """One execution. Seconds of wall and of CPU (user and system, children too); `memory` is the peak in bytes.

    Memory is looked at each 20 ms: while there is one process, the peak of its resident memory as the system keeps it (VmHWM); while there
    are several, the sum of their PSS, what each has alone and its share of what it has with others.
    """

    wall: float
    cpu: float
    memory: int
    failed: str = ""


def measured(command: Sequence[str], processors: Sequence[int], environment: Mapping[str, str], log: Path) -> Measured:
    """Run a command to its end. What it prints goes to the log; the end of that is told where it fails."""
    pinned = ["taskset", "-c", ",".join(map(str, processors)), *command]
    with log.open("w+b") as output:
        began = time.perf_counter()
        process = subprocess.Popen(pinned, stdout=output, stderr=subprocess.STDOUT, env=_as_installed(environment))
        watch = _Watch(process.pid)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    return Measured(wall, usage.ru_utime + usage.ru_stime, watch.peak, said[-2000:] or "it failed" if process.returncode else "")


def _as_installed(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command whose modules are kept compiled, as those of an installed package are."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **environment}


class _Watch(threading.Thread):
    """Looks again and again at the memory of a process and all that descend from it."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.peak = 0
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            processes = list(_family(self.root))
            found = [_kept(process, "smaps_rollup", "Pss:") for process in processes[1:]]
            own = _kept(self.root, "smaps_rollup", "Pss:") if found else _kept(self.root, "status", "VmHWM:")
            self.peak = max(self.peak, own + sum(found))

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()


def _family(root: int) -> Iterator[int]:
    yield root
    for children in Path(f"/proc/{root}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:
            continue
        for child in found:
            yield from _family(int(child))


def _kept(process: int, file: str, name: str) -> int:
    """A figure that the system keeps of a process, in bytes; nothing for one that has just ended."""
    try:
        lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)
