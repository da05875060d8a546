"""Copying from bucket to bucket on one server: ozzy's bypass, s5cmd and rclone in turn.

    python benchmarks/s3_copy.py --small 10000 --large 20 --large-size 64

It starts versitygw (`python3 tests/servers/install.py versitygw`), fills a bucket, and has each contender copy all of it to an empty
prefix, in rounds. s5cmd and rclone take part where they are in PATH, or in the folder given with `--peers`. Told are the medians of wall
time, of the contender's own CPU and of the server's, and how each compares with the faster of the peers. What was copied is counted.
"""

import argparse
import gzip
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs

from ozzy_s3.copies import put_object
from ozzy_s3.reader import S3Reader

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.servers.s3 import KEY, SECRET, S3Server, versitygw

LINE = 1000
"""Bytes of a line of an object."""


@attrs.define
class Contender:
    """`command(job, target)` copies all objects of a job to a prefix; `took` has wall, own CPU and server's CPU of each round."""

    name: str
    command: Callable[[str, str], list[str]]
    took: dict[str, list[tuple[float, float, float]]] = attrs.field(factory=dict)


def line(number: int, rnd: random.Random) -> bytes:
    """One record."""
    record: dict[str, Any] = {"id": number, "url": f"https://example.com/{number}", "text": ""}
    record["text"] = f"{rnd.getrandbits(4 * (LINE - 60)):x}"[: LINE - 60]
    return json.dumps(record).encode() + b"\n"


def fill(server: S3Server, options: argparse.Namespace) -> dict[str, int]:
    """Make the objects of both jobs, compressed; how many each has."""
    client, rnd = server.client(), random.Random(1)
    client.create_bucket(Bucket="source")
    client.create_bucket(Bucket="target")
    connection = S3Reader({"name": "s3", "options": server.options("source")}).connection

    def put(key: str, body: bytes, total: int) -> None:
        put_object(connection, key, "filling the bucket", body, {"Metadata": {"total": str(total)}})

    def small(number: int) -> None:
        put(f"small/{number:06d}.jl.gz", gzip.compress(b"".join(line(number * 8 + row, rnd) for row in range(7)), 1), 7)

    member = gzip.compress(b"".join(line(row, rnd) for row in range(2000)), 1)
    members = options.large_size * 2**20 // len(member)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(small, range(options.small)))
    for number in range(options.large):
        put(f"large/{number:03d}.jl.gz", member * members, 2000 * members)
    connection.close()
    return {"small": options.small, "large": options.large}


def contenders(server: S3Server, folder: Path, options: argparse.Namespace) -> list[Contender]:
    """Those that are installed."""
    ozzy = str(Path(sys.executable).with_name("ozzy"))

    def ours(label: str, bypass: dict[str, Any], **writer: Any) -> Contender:
        def command(job: str, target: str) -> list[str]:
            places = server.options("target")
            path = folder / f"{label}-{job}.json".replace(" ", "-")
            config = {
                "name": path.stem,
                "reader": {"name": "s3", "options": server.options("source") | {"prefix": f"{job}/"}},
                "writer": {
                    "name": "s3",
                    "options": places | {"filebase": f"{target}/{{source}}", "parallel": 16} | writer,
                },
                "bypass": {"name": "s3", "options": bypass},
            }
            path.write_text(json.dumps(config))
            return [ozzy, "run", str(path), "--quiet", "--fresh", "--state-dir", str(folder / "state")]

        return Contender(label, command)

    found = [
        ours("ozzy", {}, if_exists="overwrite"),
        ours("ozzy, names trusted", {"look": False}, if_exists="overwrite"),
        ours("ozzy, nothing overwritten", {}),
    ]
    places = f"{options.peers}{os.pathsep}{os.environ.get('PATH', '')}"
    if s5cmd := shutil.which("s5cmd", path=places):
        more = ["--endpoint-url", server.endpoint, "--log", "error", "cp"]
        found.append(Contender("s5cmd", lambda job, target: [s5cmd, *more, f"s3://source/{job}/*", f"s3://target/{target}/"]))
    if rclone := shutil.which("rclone", path=places):
        where = f":s3,provider=Other,env_auth=true,region=us-east-1,endpoint='{server.endpoint}'"
        flags = ["--config", os.devnull, "--s3-no-check-bucket", "--transfers", "16", "--checkers", "16", "--quiet"]
        found.append(Contender("rclone", lambda job, target: [rclone, "copy", *flags, f"{where}:source/{job}", f"{where}:target/{target}"]))
    return found


def cpu_of(server: S3Server) -> float:
    """Seconds of CPU that the server has taken."""
    assert server.server.process is not None
    fields = Path(f"/proc/{server.server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def one_round(contender: Contender, job: str, count: int, server: S3Server) -> None:
    """Have one job done once, look whether all is there, and take it away again."""
    target = f"{job}-out"
    command = contender.command(job, target)
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = cpu_of(server), time.perf_counter()
    process = subprocess.Popen(command, env=environment | keys)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    contender.took.setdefault(job, []).append((wall, usage.ru_utime + usage.ru_stime, cpu_of(server) - before))
    client = server.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="target", Prefix=f"{target}/")
    keys_there = [one["Key"] for page in pages for one in page.get("Contents", ())]
    if process.returncode or len(keys_there) != count:
        sys.exit(f"{contender.name}, {job}: exit {process.returncode}, {len(keys_there)} of {count} objects")
    for at in range(0, len(keys_there), 1000):
        client.delete_objects(Bucket="target", Delete={"Objects": [{"Key": key} for key in keys_there[at : at + 1000]]})


def main() -> None:
    """Run it, and print a table for each job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=10_000, help="objects of some 4 KB")
    parser.add_argument("--large", type=int, default=20, help="large objects")
    parser.add_argument("--large-size", type=int, default=64, help="MiB of each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=Path(), help="a folder with s5cmd and rclone")
    parser.add_argument("--folder", type=Path, help="where the server's data goes: a file system with extended attributes")
    options = parser.parse_args()
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="ozzy-s3-copy-", dir=options.folder)).resolve()
    try:
        with versitygw(folder / "server") as server:
            counts = fill(server, options)
            those = contenders(server, folder, options)
            for job, count in counts.items():
                for _ in range(options.rounds if count else 0):
                    for contender in those:
                        one_round(contender, job, count, server)
                print(told(job, count, those), flush=True)
    finally:
        shutil.rmtree(folder)


def told(job: str, count: int, those: list[Contender]) -> str:
    """The medians of a job."""
    medians = {one.name: [statistics.median(column) for column in zip(*one.took[job], strict=True)] for one in those if job in one.took}
    peers = [wall for name, (wall, _, _) in medians.items() if not name.startswith("ozzy")]
    lines = [f"\n{count:,} {job} objects", f"{'':28}{'wall':>9}{'CPU':>9}{'server':>9}  times the faster peer"]
    for name, (wall, own, server) in medians.items():
        against = f"{wall / min(peers):10.2f}" if peers else ""
        lines.append(f"{name:28}{wall:7.2f} s{own:7.2f} s{server:7.2f} s{against}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
