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
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ozzy.contracts.lease import AnyLease
from ozzy.errors import StateError
from ozzy.staging.disk import make_folder, sync_path
from ozzy.staging.file_lock import FileLock
from ozzy.staging.naming import safe
from ozzy.staging.state_files import read_json, write_json, writing_state

UNFINISHED = ("running", "failed", "interrupted", "damaged")
SPLITS = "splits.jsonl"
"""The list of the parts of the source, among the lists of a run."""
PATIENCE = 0.5
"""Seconds that a lease is waited for: whoever only looks whether it is held holds it for a moment."""


@attrs.define
class RunRecord:
    """One run: its folder and its facts; where these can't be read, `damage` says why, and the facts are what the folder's name tells."""

    folder: Path
    facts: dict[str, Any]
    damage: StateError | None = None
    shared: ClassVar[bool] = False
    """Whether its state is in a store that several machines share."""

    @property
    def id(self) -> str:
        """The id of the run."""
        return str(self.facts["run"])

    @property
    def state(self) -> str:
        """`running`, `interrupted`, `failed`, `finished`, `abandoned` or `damaged`; a running one that nobody holds is interrupted."""
        state = str(self.facts["state"])
        return "interrupted" if state == "running" and not self.held else state

    @property
    def held(self) -> bool:
        """Whether a process holds the lease of its pipeline now."""
        return Lease.held(self.folder.parent)

    @property
    def lists(self) -> Path:
        """The folder in which whoever holds the lease has the lists of a run: of its splits, and of marks for a bookmark."""
        return self.folder

    @property
    def place(self) -> str:
        """Where its state is, for people."""
        return str(self.folder)

    @property
    def uri(self) -> str:
        """What names it wherever it is asked for, empty where its id and the state folder do."""
        return ""

    def lease(self) -> AnyLease:
        """The lease of its pipeline, not taken yet."""
        return Lease(self.folder.parent)

    def lease_facts(self) -> dict[str, Any]:
        """Who holds the lease, or held it last, with its `epoch`, and whether it is `held`."""
        return {**(read_json(self.folder.parent / "lease.json") or {}), "held": self.held}

    def checkpoint(self) -> Any:
        """The document last committed, None where there is none."""
        return read_json(self.folder / "checkpoint.json")

    def put_checkpoint(self, document: Any) -> None:
        """Put another document in the place of the last one; None takes it away."""
        if document is None:
            for name in ("checkpoint.json", "checkpoint.1.json"):
                (self.folder / name).unlink(missing_ok=True)
            return
        write_json(self.folder / "checkpoint.json", document, keep_previous=True)

    def keep_list(self, name: str) -> None:
        """A list in the folder `lists` is finished: keep it as long as the run is known."""

    def fetch_list(self, name: str, sha256: str) -> None:
        """See that a list that was kept is in the folder `lists`."""

    def read_list(self, name: str, sha256: str) -> Iterator[bytes]:
        """The lines of a list that was kept; none where it is missing."""
        path = self.lists / name
        if path.exists():
            with path.open("rb") as file:
                yield from file

    def tidy(self) -> None:
        """The run has finished: let go of what only work needs."""

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
    elsewhere: ClassVar[str] = "`ozzy runs list` shows the runs; --state-dir names another folder."

    def pipeline_folder(self, identity: str) -> Path:
        """Where one pipeline's runs are: its name made safe, with a hash that keeps two pipelines apart."""
        stem = safe(Path(identity).stem or identity)[:60]
        return self.root / f"{stem}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"

    def runs(self, identity: str | None = None) -> list[RunRecord]:
        """The runs of one pipeline or of all, oldest first. Of one pipeline, the epochs say which those are, whatever the clock did."""
        found = sorted(self._records(identity), key=lambda record: (datetime.fromisoformat(record.facts["started"]), record.id))
        return found if identity is None else _by_epoch(found)

    def last(self, identity: str, holder: str, epoch: int) -> RunRecord | None:
        """The last run of a pipeline, whose lease was last held by the run `holder` (empty: it is not known) with this epoch.

        Only where that is no run of that epoch, all of them are looked at.
        """
        if holder:
            folder = self.pipeline_folder(identity) / holder
            with suppress(StateError):
                facts = read_json(folder / "run.json")
                if facts is not None and facts.get("epoch") == epoch:
                    return RunRecord(folder, facts)
        return next(iter(reversed(self.runs(identity))), None)

    def lease(self, identity: str, pause: Callable[[float], None] = time.sleep) -> AnyLease:
        """The lease of a pipeline, not taken yet; `pause` waits so many seconds, and may raise to stop the waiting."""
        return Lease(self.pipeline_folder(identity))

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.root)

    def again(self, record: RunRecord) -> RunRecord:
        """The same run as it is now, under the lease that was taken."""
        return record

    def close(self) -> None:
        """Let go of connections."""

    def find(self, run_id: str) -> RunRecord:
        """The run of an id, or of the beginning of one. Raises StateError where there is none or several."""
        matches = [record for record in self.runs() if record.id.startswith(run_id)]
        exact = [record for record in matches if record.id == run_id]
        if len(exact or matches) == 1:
            return (exact or matches)[0]
        if matches:
            raise StateError(f"several runs begin with {run_id}: {', '.join(record.id for record in matches)}", hint="Write the whole id.")
        of_config = f"{run_id} is a file: `ozzy run {run_id} --resume` goes on with the last run of a config."
        raise StateError(f"there is no run {run_id} in {self.place}", hint=of_config if Path(run_id).is_file() else self.elsewhere)

    def new(self, identity: str, started: datetime, facts: dict[str, Any]) -> RunRecord:
        """A new run, with these facts."""
        known = begun(identity, started)
        record = RunRecord(self.pipeline_folder(identity) / known["run"], {**known, **facts})
        _private(record.folder, 3)
        record.save(state="running")
        return record

    def _records(self, identity: str | None) -> Iterator[RunRecord]:
        folders = [self.pipeline_folder(identity)] if identity is not None else folders_in(self.root)
        for folder in folders:
            for run in folders_in(folder):
                try:
                    facts = read_json(run / "run.json")
                except StateError as error:
                    changed = datetime.fromtimestamp(run.stat().st_mtime).astimezone()
                    yield RunRecord(run, guessed(run.name, identity or folder.name, error, changed), error)
                    continue
                if facts is not None:
                    yield RunRecord(run, facts)


class Lease:
    """The right to run a pipeline, held by one process at a time; its `epoch` rises by one each time it is taken.

    `before` says which run had it last, and with which epoch; an empty id where that is not known.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.epoch = 0
        self.before = ("", 0)
        self.lost: StateError | None = None
        self._lock: FileLock | None = None

    def take(self, run_id: str = "") -> "Lease":
        """Take it, or raise StateError that names who has it."""
        _private(self.folder, 2)
        lock = FileLock(self.folder / "lease.lock")
        with writing_state(self.folder):
            taken = lock.take(PATIENCE)
        if not taken:
            holder = self._noted() or {}
            who = f"run {holder.get('run') or 'unknown'}, process {holder.get('pid', '?')} on {holder.get('host', '?')}"
            raise StateError(
                f"this pipeline is running already: {who}",
                hint="Wait until it has ended, or stop it. Give the config a `name` of its own if it is another pipeline.",
            )
        self._lock = lock
        try:
            noted = self._noted()
            self.epoch = int(time.time()) if noted is None else int(noted.get("epoch", 0)) + 1
            self.before = (str(noted.get("run", "")), self.epoch - 1) if noted else ("", 0)
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
            self.lost = StateError(
                f"another process has taken over this pipeline (epoch {epoch}, this one has {self.epoch})",
                hint="Nothing more is written here.",
            )
            raise self.lost

    def release(self) -> None:
        """Give it back; twice is the same as once."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def let_go(self) -> None:
        """In a fork of the process that has it: let go of the file, and leave the lease with that one."""
        if self._lock is not None:
            self._lock.let_go()

    @classmethod
    def held(cls, folder: Path) -> bool:
        """Whether a process holds the lease of this pipeline folder now."""
        if not (folder / "lease.lock").exists():
            return False
        lock = FileLock(folder / "lease.lock")
        try:
            taken = lock.take()
        except OSError:
            return True
        lock.release()
        return not taken


def begun(identity: str, started: datetime) -> dict[str, Any]:
    """The first facts of a new run, an id among them."""
    return {"run": f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}", "pipeline": identity, "started": started.isoformat()}


def state_root(state_dir: str | Path | None, config_file: Path | None, working_folder: Path, named: str | None = None) -> Path:
    """The state folder: as given, else `OZZY_STATE_DIR`, else as the persistence has it `named`, else `.ozzy` beside the config.

    Where there is no config file it is `.ozzy` in the working folder.
    """
    given = state_dir or os.environ.get("OZZY_STATE_DIR") or named
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


def guessed(run: str, pipeline: str, damage: StateError, otherwise: datetime) -> dict[str, Any]:
    """What is known of a run whose facts can't be read."""
    try:
        started = datetime.strptime(run[:15], "%Y%m%d-%H%M%S").astimezone()
    except ValueError:
        started = otherwise.astimezone()
    return {"run": run, "pipeline": pipeline, "started": started.isoformat(), "state": "damaged", "error": damage.message}


def _by_epoch(records: list[RunRecord]) -> list[RunRecord]:
    """Runs in the order of their epochs; one whose facts are damaged stays behind those that stood before it."""
    highest, keys = 0, {}
    for record in records:
        highest = max(highest, record.facts.get("epoch", 0))
        keys[record.id] = record.facts.get("epoch", highest)
    return sorted(records, key=lambda record: keys[record.id])


def folders_in(parent: Path) -> list[Path]:
    """The folders in a folder of the state, in order; none where it is not there. Raises StateError where it can't be listed."""
    if not parent.exists():
        return []
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir())
    except OSError as error:
        raise StateError(f"can't list the state folder {parent}: {error.strerror}") from error
