"""Many pipelines killed with SIGKILL at random moments, resumed each time, and compared byte for byte with runs never disturbed.

    python -m tests.crash.soak --kills 1000 --seed 1
    python -m tests.crash.soak --kills 100000 --minutes 30 --seed 2

The pipelines are drawn from every formatter, codec, grouper, schedule of checkpoints, stage and set of writers (`tests/crash/cases.py`),
so that all choices come equally often. Each run is a process of its own, forked from one that has ozzy loaded, so that a kill costs
little more than the work it undoes. Members of compressed files and the number of open groups are small here, so that small jobs
go the ways of large ones. At the end there is a table of what the kills left behind, for each choice; exit code 1 where anything differed.
"""

import argparse
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs

import ozzy
from ozzy.contracts import file_writer
from ozzy.data.codecs import CODECS
from ozzy.staging.files import StagedFiles
from tests.crash.cases import Case, axes, cases, left_out, make_source

RECORDS = 3000
FILES = 3
KILLS_A_RUN = 6
MEMBER = 16_000
OPEN_GROUPS = 40
MANIFEST = "manifest.json"
LEFT = ("none yet", "light", "prepared", "published")
"""What kind of checkpoint a kill may leave."""


@attrs.define
class Soak:
    """Kills runs until it has killed enough; `tally` counts, for each choice of an axis, what the kills left, and `differences`."""

    folder: Path
    kills: int
    seed: int
    until: float = float("inf")
    tally: dict[tuple[str, str], "Counter[str]"] = attrs.field(factory=lambda: defaultdict(Counter))
    total: "Counter[str]" = attrs.field(factory=Counter)
    runs: int = 0
    refused: list[str] = attrs.field(factory=list)
    different: list[str] = attrs.field(factory=list)

    def run(self) -> None:
        """Kill, resume and compare."""
        make_source(self.folder / "in", RECORDS, FILES, self.seed)
        every = axes()
        for called, why in left_out(every).items():
            self.refused.append(f"{called}: {why}")
            kind, _, name = called.partition(" ")
            del every[kind][name]
        rnd = random.Random(self.seed)
        for number, case in enumerate(cases(every, rnd)):
            if self.done:
                return
            self._case(number, case, random.Random(f"{self.seed} {number}"))

    @property
    def done(self) -> bool:
        """Whether there were kills enough, or there is no more time."""
        return sum(self.total[left] for left in LEFT) >= self.kills or time.monotonic() > self.until

    def _case(self, number: int, case: Case, rnd: random.Random) -> None:
        """One pipeline: in calm, then killed again and again."""
        here = self.folder / str(number)
        began = time.monotonic()
        status = run_in_child(partial(ozzy.run, case.config(self.folder / "in", here / "calm"), state_dir=here / "calm-state"), here)
        seconds = time.monotonic() - began
        if status:
            self._tell(number, case, f"the undisturbed run failed: {(here / 'log').read_text()}")
            return
        wanted = contents(here / "calm")
        status, kills = None, 0
        while status is None:
            start = partial(ozzy.run, case.config(self.folder / "in", here / "out"), state_dir=here / "state", resume=begun(here / "state"))
            kill = kills < KILLS_A_RUN and not self.done
            status = run_in_child(start, here, rnd.random() ** (1 + (kills > 0)) * seconds * 1.05 if kill else None)
            if status is None:
                kills += 1
                self._count(case, left_behind(here / "state"))
        self.runs += 1
        got = contents(here / "out")
        different = sorted(path for path in {*wanted, *got} if wanted.get(path) != got.get(path))
        hidden = sorted(path.name for path in (here / "out").rglob(".ozzy-*"))
        if status or different or hidden or not wanted:
            why = (here / "log").read_text() if status else f"different: {different[:5]}, left over: {hidden[:5]}"
            self._tell(number, case, f"after {kills} kills: {why}")
        else:
            shutil.rmtree(here)

    def _count(self, case: Case, what: str) -> None:
        self.total[what] += 1
        for choice in case.choices.items():
            self.tally[choice][what] += 1

    def _tell(self, number: int, case: Case, what: str) -> None:
        self._count(case, "differences")
        self.different.append(f"case {number} of seed {self.seed} ({case}): {what}")

    def table(self) -> Iterator[str]:
        """What the kills left, in Markdown."""
        yield f"| | kills | {' | '.join(LEFT)} | differences |"
        yield "| --- |" + " --: |" * (len(LEFT) + 2)
        order = list(axes())
        for axis, choice in sorted(self.tally, key=lambda key: (order.index(key[0]), key[1])):
            yield _line(f"{axis}: {choice}", self.tally[axis, choice])
        yield _line(f"**all, in {self.runs} runs**", self.total)


def _line(head: str, counts: "Counter[str]") -> str:
    kills = sum(counts[left] for left in LEFT)
    return f"| {head} | {kills} | {' | '.join(str(counts[left]) for left in LEFT)} | {counts['differences']} |"


def run_in_child(work: Callable[[], Any], folder: Path, seconds: float | None = None) -> int | None:
    """Do the work in a forked process that is killed with SIGKILL after so many seconds: its exit status, or None where it was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _child(work, folder / "log")
    handle = os.pidfd_open(child)
    try:
        ended, _, _ = select.select([handle], [], [], seconds)
    finally:
        os.close(handle)
    if not ended:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if status == -signal.SIGKILL else status


def _child(work: Callable[[], Any], log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    for name, codec in list(CODECS.items()):
        CODECS[name] = attrs.evolve(codec, member_size=MEMBER)  # type: ignore[index]
    file_writer.StagedFiles = partial(StagedFiles, group_limit=OPEN_GROUPS)  # type: ignore[misc, assignment]
    try:
        work()
    except BaseException:
        os.write(descriptor, traceback.format_exc().encode())
        os._exit(99)
    os._exit(0)


def contents(folder: Path) -> dict[str, bytes]:
    """Every visible file below a folder; of a manifest all but what tells one run, and one folder, from another."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
    if MANIFEST in found:
        told = json.loads(found[MANIFEST])
        found[MANIFEST] = json.dumps({key: told[key] for key in told if key not in {"run", "started", "config"}}).encode()
    return found


def begun(state: Path) -> bool:
    """Whether there is a run to resume."""
    return any(state.glob("*/*/run.json"))


def left_behind(state: Path) -> str:
    """What kind of checkpoint a killed run left."""
    found = list(state.glob("*/*/checkpoint.json"))
    if not found:
        return LEFT[0]
    document = json.loads(found[0].read_bytes())["content"]
    return "light" if document["kind"] == "light" else "published" if document["phase"] == "committed" else "prepared"


def main(arguments: list[str] | None = None) -> int:
    """Run the soak and print its table; 0 where every byte is the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=None, help="end after so many minutes, with whatever kills there were")
    parser.add_argument("--keep", action="store_true", help="keep the folders of pipelines that differed")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ozzy-soak-"))
    soak = Soak(folder, given.kills, given.seed, began + given.minutes * 60 if given.minutes else float("inf"))
    try:
        soak.run()
    finally:
        if given.keep and soak.different:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(soak.table()))
    for left in soak.refused:
        print(f"left out: {left}")
    for one in soak.different:
        print(f"DIFFERENT: {one}")
    print(f"seed {given.seed}, {time.monotonic() - began:.0f} s")
    return 1 if soak.different or soak.refused else 0


if __name__ == "__main__":
    sys.exit(main())
