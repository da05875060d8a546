"""The same jobs by other programs: `python -m benchmarks.peers.NAME JOB DATA OUT`, each the way its own documentation has it."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Job = Callable[[Path, Path], None]
"""Does a job: from the folder of the data into an empty folder."""


def main(jobs: Mapping[str, Job]) -> None:
    """Do the job that the command line names."""
    job, data, out = sys.argv[1:]
    jobs[job](Path(data), Path(out))
