"""Runs: their ids, their facts in the state folder, and the lease of their pipeline.

- `STATE/PIPELINE/lease.lock`, `lease.json`: who holds the right to run it, and its epoch
- `STATE/PIPELINE/RUN/run.json`: the facts: config, start, end, counts, what became of it
- `STATE/PIPELINE/RUN/splits.jsonl`: the parts of the source, as listed when the run began
- `STATE/PIPELINE/RUN/checkpoint.json`: written by the persistence `file`
- `STATE/PIPELINE/RUN/stages/STAGE/`: what a stage remembers on disk, while the run is unfinished
"""

import hashlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from ozzy.errors import StateError
from ozzy.staging.disk import make_folder, sync_path
from ozzy.staging.naming import safe
from ozzy.staging.state_files import read_json, write_json, writing_state

UNFINISHED = ("running", "failed", "interrupted", "damaged")
PATIENCE = 0.5
"""Seconds that a lease is waited for: whoever only looks whether it is held holds it for a moment."""


@attrs.define
class RunRecord:
    """One run: its folder and its facts; where these can't be read, `damage` says why, and the facts are what the folder's name tells."""

    folder: Path
    facts: dict[str, Any]
    damage: StateError | None = None

    @property
    def id(self) -> str:
        """The id of the run."""
        return str(self.facts["run"])

    @property
    def state(self) -> str:
        """`running`, `interrupted`, `failed`, `finished`, `abandoned` or `damaged`; a running one that nobody holds is interrupted."""
        state = str(self.facts["state"])
        return "interrupted" if state == "running" and not Lease.held(self.folder.parent) else state

    @property
    def unfinished(self) -> bool:
        """Whether there is something left to resume."""
        return self.facts["state"] in UNFINISHED

    def save(self, **facts: Any) -> None:
        """Change some facts, durably."""
        self.facts.update(facts)
        write_json(self.folder / "run.json", self.facts)

    def delete(self) -> None:
        """Forget the run."""
        shutil.rmtree(self.folder)


def stage_folders(record: RunRecord) -> Path:
    """Where the stages of a run keep what they remember on disk, a folder each."""
    return record.folder / "stages"


def forget_stages(record: RunRecord) -> None:
    """Delete what the stages of a run that is over kept on disk. Raises StateError where that is not possible."""
    folder = stage_folders(record)
    if folder.exists():
        with writing_state(folder):
            shutil.rmtree(folder)


@attrs.define
class StateFolder:
    """The folder that holds the state of pipelines."""

    root: Path

    def pipeline_folder(self, identity: str) -> Path:
        """Where one pipeline's runs are: its name made safe, with a hash that keeps two pipelines apart."""
        stem = safe(Path(identity).stem or identity)[:60]
        return self.root / f"{stem}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"

    def runs(self, identity: str | None = None) -> list[RunRecord]:
        """The runs of one pipeline or of all, oldest first."""
        return sorted(self._records(identity), key=lambda record: (datetime.fromisoformat(record.facts["started"]), record.id))

    def find(self, run_id: str) -> RunRecord:
        """The run of an id, or of the beginning of one. Raises StateError where there is none or several."""
        matches = [record for record in self.runs() if record.id.startswith(run_id)]
        exact = [record for record in matches if record.id == run_id]
        if len(exact or matches) == 1:
            return (exact or matches)[0]
        if matches:
            raise StateError(f"several runs begin with {run_id}: {', '.join(record.id for record in matches)}", hint="Write the whole id.")
        raise StateError(
            f"there is no run {run_id} in {self.root}", hint="`ozzy runs list` shows the runs; --state-dir names another folder."
        )

    def new(self, identity: str, started: datetime, facts: dict[str, Any]) -> RunRecord:
        """A new run, with these facts."""
        run_id = f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        known = {"run": run_id, "pipeline": identity, "started": started.isoformat()}
        record = RunRecord(self.pipeline_folder(identity) / run_id, {**known, **facts})
        _private(record.folder, 3)
        record.save(state="running")
        return record

    def _records(self, identity: str | None) -> Iterator[RunRecord]:
        folders = [self.pipeline_folder(identity)] if identity is not None else _folders(self.root)
        for folder in folders:
            for run in _folders(folder):
                try:
                    facts = read_json(run / "run.json")
                except StateError as error:
                    yield RunRecord(run, _guessed(run, identity or folder.name, error), error)
                    continue
                if facts is not None:
                    yield RunRecord(run, facts)


class Lease:
    """The right to run a pipeline, held by one process at a time; its `epoch` rises by one each time it is taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.epoch = 0
        self._lock: Any = None

    def take(self, run_id: str = "") -> "Lease":
        """Take it, or raise StateError that names who has it."""
        import filelock

        _private(self.folder, 2)
        lock = filelock.FileLock(self.folder / "lease.lock", timeout=PATIENCE, poll_interval=0.02, thread_local=False)
        with writing_state(self.folder):
            try:
                lock.acquire()
            except filelock.Timeout as error:
                holder = self._noted() or {}
                who = f"run {holder.get('run') or 'unknown'}, process {holder.get('pid', '?')} on {holder.get('host', '?')}"
                raise StateError(
                    f"this pipeline is running already: {who}",
                    hint="Wait until it has ended, or stop it. Give the config a `name` of its own if it is another pipeline.",
                ) from error
        self._lock = lock
        try:
            noted = self._noted()
            self.epoch = int(time.time()) if noted is None else int(noted.get("epoch", 0)) + 1
            self.name(run_id)
        except StateError:
            self.release()
            raise
        return self

    def _noted(self) -> dict[str, Any] | None:
        """What the note beside the lock says; None where it is damaged: then seconds since 1970 are an epoch above any counted one."""
        try:
            return read_json(self.folder / "lease.json") or {}
        except StateError:
            return None

    def name(self, run_id: str) -> None:
        """Say which run holds it."""
        write_json(self.folder / "lease.json", {"epoch": self.epoch, "run": run_id, "pid": os.getpid(), "host": socket.gethostname()})

    def check(self) -> None:
        """Raises StateError where somebody has taken the lease since."""
        epoch = (read_json(self.folder / "lease.json") or {}).get("epoch")
        if epoch != self.epoch:
            raise StateError(
                f"another process has taken over this pipeline (epoch {epoch}, this one has {self.epoch})",
                hint="Nothing more is written here.",
            )

    def release(self) -> None:
        """Give it back; twice is the same as once."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @classmethod
    def held(cls, folder: Path) -> bool:
        """Whether a process holds the lease of this pipeline folder now."""
        import filelock

        if not (folder / "lease.lock").exists():
            return False
        lock = filelock.FileLock(folder / "lease.lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
        except (filelock.Timeout, OSError):
            return True
        lock.release()
        return False


def state_root(state_dir: str | Path | None, config_file: Path | None, working_folder: Path) -> Path:
    """The state folder: as given, else `OZZY_STATE_DIR`, else `.ozzy` beside the config, or in the working folder where there is none."""
    given = state_dir or os.environ.get("OZZY_STATE_DIR")
    if given:
        return working_folder / Path(given).expanduser()
    return (config_file.parent if config_file is not None else working_folder) / ".ozzy"


def identity_of(name: str | None, config_file: Path | None) -> str | None:
    """What a pipeline is known by: its name, else its config's real path; None for a nameless dict."""
    if name:
        return name
    return str(config_file.resolve()) if config_file is not None else None


def _private(folder: Path, levels: int) -> None:
    """Make a folder of the state, which only its owner may enter."""
    with writing_state(folder):
        make_folder(folder, private=levels)
        sync_path(folder)


def _guessed(run: Path, pipeline: str, damage: StateError) -> dict[str, Any]:
    """What is known of a run whose facts can't be read."""
    try:
        started = datetime.strptime(run.name[:15], "%Y%m%d-%H%M%S").astimezone()
    except ValueError:
        started = datetime.fromtimestamp(run.stat().st_mtime).astimezone()
    return {"run": run.name, "pipeline": pipeline, "started": started.isoformat(), "state": "damaged", "error": damage.message}


def _folders(parent: Path) -> list[Path]:
    if not parent.exists():
        return []
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir())
    except OSError as error:
        raise StateError(f"can't list the state folder {parent}: {error.strerror}") from error
