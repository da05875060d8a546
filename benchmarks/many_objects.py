"""Runs over buckets of very many objects: what they take in memory and time, and whether each object is read once.

    python benchmarks/many_objects.py --keys 20000 200000

A server makes up the keys and what is in them, one record each, so that nothing is slow but the reader. It fails where a record is missing
or comes twice, or where the peak memory of the last run passes that of the first by more than `--growth` MiB.
"""

import argparse
import gzip
import json
import multiprocessing
import os
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PAGE = 1000


def content(number: int) -> bytes:
    """What is in an object; all of them have the same size."""
    return b'{"id":"%08d"}\n' % number


def page(start: int, keys: int) -> bytes:
    """A page of the listing."""
    end = min(start + PAGE, keys)
    contents = "".join(
        f"<Contents><Key>{number:08d}.jl</Key><Size>{len(content(0))}</Size><ETag>&quot;x&quot;</ETag></Contents>"
        for number in range(start, end)
    )
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>" if end < keys else ""
    return f"<?xml version='1.0'?><ListBucketResult>{more}{contents}</ListBucketResult>".encode()


class MadeUp(socketserver.StreamRequestHandler):
    """Answers the two requests of a reader, on connections that stay. The bucket's name says how many keys it has."""

    def handle(self) -> None:
        """Answer until the client goes."""
        while request := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            path = request.split()[1].decode()
            keys = int(re.findall(r"keys-(\d+)", path)[0])
            if "list-type=2" in path:
                token = re.findall(r"continuation-token=(\d+)", path)
                body = page(int(token[0]) if token else 0, keys)
            else:
                body = content(int(re.findall(r"(\d+)\.jl", path)[0]))
            self.wfile.write(b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: %d\r\n\r\n' % len(body) + body)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128


def serve(port: Any) -> None:
    """Serve until the process is ended."""
    with Server(("127.0.0.1", 0), MadeUp) as server:
        port.send(server.server_address[1])
        server.serve_forever()


def config(keys: int, port: int, out: Path, bookmark: bool) -> dict[str, Any]:
    """All objects of a bucket into one file."""
    keys_of_anybody = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    where = {"bucket": f"keys-{keys}", "endpoint": f"http://127.0.0.1:{port}", **keys_of_anybody}
    return {
        "name": f"many-objects-{keys}",
        "reader": {"name": "s3", "options": where},
        "writer": {"name": "fs", "options": {"filebase": f"{out}/part"}},
        "bookmark": bookmark,
    }


def measured(keys: int, port: int, command: str, bookmark: bool) -> tuple[float, bool]:
    """The peak memory of one run in MiB, and whether it has read each object once."""
    folder = Path(tempfile.mkdtemp(prefix="ozzy-objects-"))
    try:
        (folder / "config.json").write_text(json.dumps(config(keys, port, folder / "out", bookmark)))
        began = time.monotonic()
        process = subprocess.Popen([command, "run", str(folder / "config.json"), "--state-dir", str(folder / "state"), "--quiet"])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak, cpu = usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime
        lines = [line for path in sorted(folder.glob("out/*")) for line in gzip.decompress(path.read_bytes()).splitlines(keepends=True)]
        right = process.returncode == 0 and lines == [content(number) for number in range(keys)]
        print(
            f"{keys:,} objects: peak memory {peak:.0f} MiB, {time.monotonic() - began:.1f} s, {cpu:.1f} s of CPU, "
            f"{'each read once' if right else 'records are missing or wrong'}",
            flush=True,
        )
        return peak, right
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run them; 0 where all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--growth", type=float, default=16.0, help="MiB that the last run may take more than the first")
    parser.add_argument("--bookmark", action="store_true", help="read with a bookmark, which keeps a mark of each object")
    options = parser.parse_args()
    command = shutil.which("ozzy", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if command is None:
        parser.error("there is no command ozzy here")
    ours, theirs = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        port = ours.recv()
        runs = [measured(keys, port, command, options.bookmark) for keys in options.keys]
    finally:
        server.terminate()
    return int(not all(right for _, right in runs) or runs[-1][0] - runs[0][0] > options.growth)


if __name__ == "__main__":
    sys.exit(main())
