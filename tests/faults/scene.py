"""A pipeline with a source of unique ids, run by the real command in a process of its own, and what it left behind."""

import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ozzy.testing.found import ids_in, visible

REPOSITORY = Path(__file__).parents[2]
PARTS, ROWS = 3, 100
SECONDS = 30


@attrs.frozen
class Told:
    """How a command ended: its exit code and what it printed. `error`, `hint` and `again` are the parts of what it said went wrong."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """What happened, without what to do."""
        return self._lines()[0]

    @property
    def hint(self) -> str:
        """What to do, without how to go on with the run."""
        return "\n".join(line for line in self._lines()[1:] if not line.startswith("Go on with it: ozzy resume"))

    def _lines(self) -> list[str]:
        told = re.split(r"^error: ", self.err, maxsplit=1, flags=re.MULTILINE)[1:]
        assert told, f"it told no error, and ended with {self.code}:\n{self.err}"
        return told[0].strip().splitlines()


@attrs.define
class Scene:
    """A folder with a source `in`, a config, an output `out` and a state; what a test changes of the config is in `changes`."""

    folder: Path
    changes: dict[str, Any] = attrs.field(factory=dict)
    prefix: tuple[str, ...] = ()
    wanted: "Counter[str]" = attrs.field(factory=Counter)

    def __attrs_post_init__(self) -> None:
        (self.folder / "in").mkdir()
        for part in range(PARTS):
            self.write_part(part, gzip.compress(lines(part), 1, mtime=0))

    @property
    def source(self) -> Path:
        return self.folder / "in"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def part(self, number: int) -> Path:
        """One file of the source, whatever its compression."""
        return next(self.source.glob(f"part-{number}.*"))

    def write_part(self, number: int, content: bytes, suffix: str = ".jl.gz") -> Path:
        """Put a file into the source, in the place of the one with the same number."""
        for old in self.source.glob(f"part-{number}.*"):
            old.unlink()
        path = self.source / f"part-{number}{suffix}"
        path.write_bytes(content)
        return path

    @property
    def config(self) -> dict[str, Any]:
        """The config, as it is now."""
        return {
            "name": "scene",
            "reader": {"name": "fs", "options": {"input": str(self.source), "batch_size": 10}},
            "writer": {"name": "fs", "options": {"filebase": f"{self.out}/part", "items_per_buffer_write": 40}},
            "checkpoint": {"every_records": 20, "full_every": {"records": 120}},
        } | self.changes

    def deed(self, at: int, do: str, path: Path | str = "", text: object = "") -> None:
        """Have something done when the run comes to its record `at`, once."""
        options = {"at": at, "do": do, "path": str(path), "text": str(text), "done": str(self.folder / "done")}
        self.changes["filter"] = {"name": "tests.faults.modules:Deed", "options": options}

    def command(self, *arguments: str) -> list[str]:
        """The command line of `ozzy`."""
        return [*self.prefix, sys.executable, "-m", "ozzy", *arguments]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Variables for the command: the tests' modules can be imported, and nothing is coloured."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OZZY_", "EXPORTERS_"))}
        return (
            kept | {"PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"} | dict(more or {})
        )

    def write_config(self) -> str:
        """Put the config where the command finds it."""
        (self.folder / "c.json").write_text(json.dumps(self.config), encoding="utf-8")
        return "c.json"

    def start(self, *how: str, before: Callable[[], object] | None = None, **more: Any) -> "subprocess.Popen[str]":
        """Start `ozzy run`; it goes on by itself."""
        return subprocess.Popen(
            self.command("run", self.write_config(), "--quiet", *how),
            cwd=self.folder,
            env=self.environment(more.pop("env", None)),
            stdout=more.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=before,  # noqa: PLW1509 - a test starts one process at a time
        )

    def run(self, *how: str, before: Callable[[], object] | None = None, env: Mapping[str, str] | None = None) -> Told:
        """`ozzy run`, to its end. `before` is called in its process."""
        return self.ended(self.start(*how, before=before, env=env))

    def ended(self, process: "subprocess.Popen[str]") -> Told:
        """How a process ends."""
        out, err = process.communicate(timeout=SECONDS)
        return Told(process.returncode, out, err)

    def ozzy(self, *arguments: str) -> Told:
        """Another command of `ozzy`."""
        done = subprocess.run(
            self.command(*arguments), cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return Told(done.returncode, done.stdout, done.stderr)

    def wait_for(self, path: Path) -> None:
        """Wait until the run has come to where it makes this file."""
        ends = time.monotonic() + SECONDS
        while not path.exists():
            assert time.monotonic() < ends, f"{path.name} never came"
            time.sleep(0.005)

    def state_file(self, name: str) -> Path:
        """A file of the last run's state."""
        return max(self.folder.glob(f".ozzy/scene-*/*/{name}"), key=lambda path: path.parent.name)

    def found(self) -> "Counter[str]":
        """The ids at the destination, each as often as it is there."""
        return Counter(ids_in(self.out)) if self.out.exists() else Counter()

    def expect(self, parts: Sequence[int] = range(PARTS), more: Sequence[str] = ()) -> None:
        """All records of these parts are at the destination, each once, in whole files, and nothing is left over."""
        wanted = Counter(f"{part}-{row}" for part in parts for row in range(ROWS)) + Counter(more)
        found = self.found()
        assert not wanted - found, f"lost: {sorted(wanted - found)[:5]}"
        assert not found - wanted, f"twice or strange: {sorted(found - wanted)[:5]}"
        assert not list(self.out.rglob(".ozzy-*"))

    def expect_nothing_twice(self) -> None:
        """What is visible is whole, and none of it is there twice."""
        assert all(count == 1 for count in self.found().values())

    def go_on(self, *how: str, parts: Sequence[int] = range(PARTS), more: Sequence[str] = ()) -> None:
        """Go on with the run, with nothing further in its way: all comes, and comes once."""
        told = self.run(*(how or ("--resume",)))
        assert told.code == 0, told.err
        self.expect(parts, more)

    def files(self) -> dict[str, bytes]:
        """What a user sees at the destination."""
        return visible(self.out) if self.out.exists() else {}

    def plain(self, text: str) -> str:
        """A message without what differs from run to run."""
        for path in (self.folder.resolve(), self.folder):
            text = text.replace(f"{path}/", "")
        for pattern, instead in CHANGING:
            text = re.sub(pattern, instead, text)
        return text


CHANGING = (
    (r"\b\d{8}-\d{6}-[0-9a-f]{6}\b", "RUN"),
    (r"scene-[0-9a-f]{8}", "scene"),
    (r"process \d+ on [\w.-]+", "process … on …"),
    (r"writer/(\d{6}\.part|tails-\d+)", "writer/…"),
    (r"ends at byte \d+", "ends at byte …"),
    (r"epoch \d+, this one has \d+", "epoch …, this one has …"),
    (r"\b\d{4}-\d\d-\d\dT[\d:.+-]+", "TIME"),
)


def limit(name: str, amount: int) -> Callable[[], None]:
    """Sets a limit of the process it is called in."""
    import resource

    return lambda: resource.setrlimit(getattr(resource, name), (amount, amount))


def lines(part: int, rows: int = ROWS) -> bytes:
    """The records of one part: ids that no other record has."""
    return b"".join(json.dumps({"id": f"{part}-{row}", "note": "x" * (row * 37 % 200)}).encode() + b"\n" for row in range(rows))
