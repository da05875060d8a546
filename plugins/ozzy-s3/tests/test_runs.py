"""Whole runs as containers do them: S3 → filter → S3 in groups, state in the bucket, killed at random, gone on with on an empty disk."""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.servers.s3 import KEY, SECRET, S3Server

pytestmark = pytest.mark.slow

ASKED = os.environ.get("OZZY_TEST_KILLS", "6")
KILLS = int(ASKED) if ASKED.isdigit() else 50
"""How many kills, all attempts together: 50 and more where OZZY_TEST_KILLS says so."""

OBJECTS, RECORDS = 8, 250
"""Objects of the source, and records of each."""


@attrs.define
class Place:
    """A bucket with a source, and configs that lead from it back into it."""

    server: S3Server
    bucket: str

    def config(self, name: str, folder: Path, **more: Any) -> Path:
        """A config in a folder of its own. Keys are in no config: they come from the environment."""
        there = {"bucket": self.bucket, "endpoint": self.server.endpoint}
        whole = {
            "name": name,
            "reader": {"name": "s3", "options": there | {"prefix": "in/", "batch_size": 20}},
            "filter": {"name": "key_value", "options": {"keys": [{"name": "id", "value": 1980, "operator": "<"}]}},
            "grouper": {"name": "file_key", "options": {"keys": ["country"]}},
            "writer": {
                "name": "s3",
                "options": there
                | {"filebase": f"{name}/out/{{groups[0]}}/part", "compression": "none", "part_size": "5 MiB"}
                | {"save_pointer": f"{name}/LATEST"},
            },
            "persistence": {"name": "s3", "options": there | {"prefix": f"{name}/state", "lease_seconds": 0.7}},
            "checkpoint": {"every_records": 40, "full_every": {"records": 990}},
            **more,
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "config.json"
        path.write_text(json.dumps(whole), encoding="utf-8")
        return path

    def objects(self, name: str) -> dict[str, tuple[str, str]]:
        """What a run has written: for each key a checksum of the bytes, and the count of records in the metadata."""
        client = self.server.client()
        found = {}
        for one in client.list_objects_v2(Bucket=self.bucket, Prefix=f"{name}/").get("Contents", ()):
            key = one["Key"].removeprefix(f"{name}/")
            if not key.startswith("state/") and not key.endswith("/"):
                answer = client.get_object(Bucket=self.bucket, Key=one["Key"])
                content = answer["Body"].read().replace(name.encode(), b"NAME")
                found[key] = (hashlib.sha256(content).hexdigest(), answer["Metadata"].get("total", ""))
        return found

    def uploads(self, name: str) -> list[str]:
        """Uploads that are left behind."""
        uploads = self.server.client().list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return [one["Key"] for one in uploads if one["Key"].startswith(f"{name}/")]

    def uri(self, name: str, run: str) -> str:
        return f"s3://{self.bucket}/{name}/state:{run}?endpoint={self.server.endpoint}"

    def begun(self, name: str, what: str = "checkpoint") -> list[str]:
        """The ids of the runs that have saved a checkpoint, or are known at all (`run`)."""
        found = self.server.client().list_objects_v2(Bucket=self.bucket, Prefix=f"{name}/state/").get("Contents", ())
        return [one["Key"].split("/")[-2] for one in found if one["Key"].endswith(f"/{what}")]


@pytest.fixture(scope="module")
def place(s3: S3Server) -> Place:
    bucket, client = s3.bucket("runs"), s3.client()
    for at in range(OBJECTS):
        rows = [
            json.dumps({"id": number, "country": "esukde"[number % 3 * 2 :][:2], "text": f"{number:05d}" * 3600})
            for number in range(at * RECORDS, (at + 1) * RECORDS)
        ]
        client.put_object(Bucket=bucket, Key=f"in/{at}.jl", Body="\n".join(rows).encode())
    return Place(s3, bucket)


@pytest.fixture(scope="module")
def expected(place: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """The objects of a run that nothing happened to."""
    ended = ozzy("run", place.config("calm", tmp_path_factory.mktemp("calm")))
    assert ended.returncode == 0, ended.stderr
    return place.objects("calm")


def started(*arguments: Any, folder: Path | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ozzy", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder or arguments[1].parent,
        env=os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
    )


@contextlib.contextmanager
def running(*arguments: Any, folder: Path | None = None) -> Iterator["subprocess.Popen[str]"]:
    """A command in the background; killed at the end where it is still there."""
    child = started(*arguments, folder=folder)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def ozzy(*arguments: Any, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    child = started(*arguments, folder=folder)
    told, errors = child.communicate()
    return subprocess.CompletedProcess(child.args, child.returncode, told, errors)


def until(happened: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
    return found


def test_the_undisturbed_run(place, expected):
    """Three groups with two files each, of parts; and the pointer."""
    names = [f"out/{country}/part000{number}.jl" for country in ("de", "es", "uk") for number in (0, 1)]
    assert sorted(expected) == ["LATEST", *names]
    assert sum(int(total) for _, total in expected.values() if total) == 1980
    head = place.server.client().head_object(Bucket=place.bucket, Key="calm/out/es/part0000.jl")
    assert head["ETag"].endswith('-2"')
    assert place.uploads("calm") == []


def test_killed_and_gone_on_with_on_an_empty_disk(place, expected, tmp_path):
    """By the URI of the run alone: config and working folder are gone with the machine."""
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    path = place.config("moved", first)
    with running("run", path) as child:
        (run,) = until(lambda: place.begun("moved"))
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert place.objects("moved") != expected
    shutil.rmtree(first)

    ended = ozzy("resume", place.uri("moved", run), folder=second)

    assert ended.returncode == 0, ended.stderr
    assert place.objects("moved") == expected
    assert place.uploads("moved") == []
    assert not first.exists()
    again = ozzy("resume", place.uri("moved", run), folder=second)
    assert (again.returncode, place.objects("moved")) == (0, expected)


def test_of_two_runs_at_once_one_goes_on(place, expected, tmp_path):
    long = {"checkpoint": {"every_records": 4, "full_every": {"records": 990}}}
    path, other = place.config("two", tmp_path / "one", **long), place.config("two", tmp_path / "other", **long)
    with running("run", path) as child:
        (run,) = until(lambda: place.begun("two"))
        with ThreadPoolExecutor(2) as threads:
            others = threads.submit(ozzy, "run", other), threads.submit(ozzy, "resume", place.uri("two", run), folder=tmp_path)
        second, third = (one.result() for one in others)
        _, errors = child.communicate()

    assert (second.returncode, third.returncode) == (7, 7)
    assert f"this pipeline is running already: run {run}, process {child.pid} on" in second.stderr
    assert f"this pipeline is running already: run {run}" in third.stderr
    assert child.returncode == 0, errors
    assert place.objects("two") == expected


@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_killed_at_random_and_gone_on_with(place, expected, tmp_path, disk):
    """Killed some times in a row at random moments, until all kills are done: the same objects, and no upload is left behind."""
    seconds = calm_seconds(place, tmp_path)
    rnd = random.Random(disk)
    kills = attempts = 0
    while kills < -(-KILLS // 2):
        name = f"{disk}-{attempts}"
        attempts += 1
        for number in range(rnd.randint(1, 4)):
            with running(*way_on(place, name, tmp_path, disk, number)) as child:
                try:
                    child.communicate(timeout=rnd.uniform(0.2, 1.1) * seconds)
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
                    child.wait()
            kills += child.returncode == -signal.SIGKILL
            assert child.returncode in {0, -signal.SIGKILL}, f"{name}, after {kills} kills"
        ended = ozzy(*way_on(place, name, tmp_path, disk, 9))
        assert ended.returncode == 0, ended.stderr
        assert place.objects(name) == expected, f"{name}, after {kills} kills"
        assert place.uploads(name) == [], f"{name}, after {kills} kills"
    print(f"{kills} kills in {attempts} runs, disk {disk}: the same objects, no upload left behind")


def way_on(place: Place, name: str, folder: Path, disk: str, number: int) -> tuple[Any, ...]:
    """The command that begins a pipeline or goes on with it, in its folder, or each time in an empty one."""
    here = folder / name / (str(number) if disk == "lost" else "here")
    return "run", place.config(name, here), *(["--resume"] if place.begun(name, "run") else [])


def calm_seconds(place: Place, folder: Path) -> float:
    began = time.monotonic()
    assert ozzy("run", place.config(f"timed-{folder.name}", folder / "timed")).returncode == 0
    return time.monotonic() - began
