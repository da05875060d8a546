"""What it takes to start: `python benchmarks/start_up.py` prints the help and a run of ten records, beyond the bare interpreter.

Seconds are the least of some rounds, CPU is user and system. Python needs to have compiled the modules once before, so that is done first.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 9


def cost(command: list[str]) -> tuple[float, float]:
    """Least wall and CPU seconds of a command."""
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        found.append((time.perf_counter() - began, usage.ru_utime + usage.ru_stime))
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed")
    return min(wall for wall, _ in found), min(cpu for _, cpu in found)


def main() -> None:
    ozzy = str(Path(sys.executable).with_name("ozzy"))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "ten.json")
        writer = {"name": "fs", "options": {"filebase": f"{folder}/out", "if_exists": "overwrite"}}
        config.write_text(json.dumps({"name": "ten", "reader": {"name": "random", "options": {"number_of_items": 10}}, "writer": writer}))
        commands = {
            "bare interpreter": [sys.executable, "-I", "-c", "pass"],
            "ozzy --help": [ozzy, "--help"],
            "ozzy run, 10 records": [ozzy, "run", str(config), "--quiet", "--state-dir", f"{folder}/state"],
        }
        bare = 0.0
        for name, command in commands.items():
            wall, cpu = cost(command)
            bare = bare or cpu
            print(f"{name:24}{1000 * wall:6.0f} ms{1000 * cpu:6.0f} ms CPU{1000 * (cpu - bare):6.0f} ms beyond the interpreter")


if __name__ == "__main__":
    main()
