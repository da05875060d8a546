"""Looking at the state of runs without running them: what a checkpoint says, whether everything it rests on is there, and going back.

Only state that is kept in files is looked at; a persistence elsewhere is asked by a resume.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import attrs
import msgspec

from ozzy.errors import StateError
from ozzy.run.quarantine import FILE as QUARANTINE
from ozzy.run.reservoir import sample_path
from ozzy.run.runs import SPLITS, RunRecord, StateFolder, folders_in
from ozzy.run.shared import SharedState
from ozzy.staging.disk import size_of
from ozzy.staging.epochs import by_epoch
from ozzy.staging.journal import Journal
from ozzy.staging.spill_log import holds_log
from ozzy.staging.state_files import read_json, write_json

Target = Literal["previous", "last-full", "start"]
Document = dict[str, Any]
CHECKPOINT, PREVIOUS = "checkpoint.json", "checkpoint.1.json"


@attrs.frozen
class Flaw:
    """Something that is wrong in a state folder: the `path` it is about, and `what`."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


def shown(record: RunRecord) -> dict[str, Any]:
    """What the checkpoint of a run says, as JSON: receipts summarised, `position` per part of the source, who holds the lease."""
    document: Document | None = record.checkpoint()
    told: dict[str, Any] = {
        "run": record.id,
        "state": record.state,
        "pipeline": record.facts["pipeline"],
        "folder": record.place,
        "lease": record.lease_facts(),
        "checkpoint": None,
    }
    if document is None:
        return told
    last_full = document if document["kind"] == "full" else document.get("last_full")
    told["checkpoint"] = {
        "number": document["number"],
        "kind": document["kind"],
        "phase": document["phase"],
        "at": document["at"],
        "last_full": last_full["number"] if last_full else None,
        "previous_generation": _generation(record.folder / PREVIOUS),
        "place": document["place"],
        "splits": list(_splits(record.read_list(SPLITS, document["splits"]), document["place"])),
        "books": document["books"],
        "seconds": document["seconds"],
        "cost": document.get("cost", {}),
        "writers": {label: _summary(receipt, record.folder, label) for label, receipt in document["writers"].items()},
    }
    return told


def checked(state: StateFolder) -> list[Flaw]:
    """All that is wrong in a state folder: damaged files, staged data that is not as receipts say, or that is nobody's."""
    if isinstance(state, SharedState):
        return list(_shared_flaws(state))
    flaws: list[Flaw] = []
    needed: set[str] = set()
    places: set[Path] = set()
    if not state.root.is_dir():
        return flaws
    for pipeline in folders_in(state.root):
        _read(pipeline / "lease.json", flaws)
        for folder in _listed(pipeline, flaws):
            facts = _read(folder / "run.json", flaws)
            if facts is None:
                flaws += [] if (folder / "run.json").exists() else [Flaw(str(folder), "has no run.json: no run is known by it")]
                continue
            record = RunRecord(folder, facts)
            if record.unfinished:
                needed.add(record.id)
            documents = [_read(folder / name, flaws) for name in (CHECKPOINT, PREVIOUS)]
            places.update(_places([document for document in documents if document]))
            places.update(_published_places(facts))
            if record.unfinished and documents[0] is not None:
                flaws += _rests_on(folder, documents[0])
    return [*flaws, *_orphans(places, needed)]


def rewind(record: RunRecord, to: Target) -> str:
    """Put a run back, where nothing that is published since would come twice; what was done. Raises StateError that says why not."""
    lease = record.lease().take(record.id)
    try:
        if not record.unfinished:
            raise StateError(f"run {record.id} is {record.facts['state']}: there is nothing to put back", hint="A new run begins anew.")
        if not record.shared and record.facts["signature"].get("persistence.name", "file") != "file":
            raise StateError(f"the checkpoint of run {record.id} is not kept in files, so it can't be put back here", hint=_FRESH)
        return _to_previous(record) if to == "previous" else _back(record, to)
    finally:
        lease.release()


_FRESH = "Go on with `ozzy resume`, or start anew with --fresh."


def _back(record: RunRecord, to: Target) -> str:
    document = record.checkpoint()
    if document is None:
        return f"run {record.id} has no checkpoint yet: it stands at its start"
    if document["phase"] == "prepared":
        raise StateError(
            f"checkpoint {document['number']} of run {record.id} is prepared: some of it may be published already",
            hint="`ozzy resume` finds out and completes it or takes it back.",
        )
    last_full = document if document["kind"] == "full" else document["last_full"]
    if to == "start" and last_full is not None:
        raise StateError(
            f"run {record.id} has published what it read up to checkpoint {last_full['number']}, and that would come twice",
            hint="`--to last-full` goes back to there. To write everything again, remove it and start anew with --fresh.",
        )
    if last_full is document:
        return f"run {record.id} stands at its last full checkpoint, {document['number']}, already"
    if last_full is None:
        record.put_checkpoint(None)
        return f"run {record.id} stands at its start"
    _refuse_flawed(record, last_full)
    record.put_checkpoint(last_full | {"phase": "committed"})
    return f"run {record.id} stands at its last full checkpoint, {last_full['number']}"


def _to_previous(record: RunRecord) -> str:
    """Put the generation before in the place of the checkpoint, whether that can be read or not."""
    if record.shared:
        raise StateError(f"{record.place} keeps no generation before the checkpoint of run {record.id}", hint=_FRESH)
    path = record.folder / CHECKPOINT
    previous = read_json(record.folder / PREVIOUS)
    if previous is None:
        raise StateError(f"run {record.id} has no generation before its checkpoint", hint=_FRESH)
    try:
        document = read_json(path)
    except StateError:
        document = None
    if document is not None and document["phase"] == "prepared":
        raise StateError(
            f"checkpoint {document['number']} of run {record.id} is prepared: some of it may be published already",
            hint="`ozzy resume` finds out and completes it or takes it back.",
        )
    if document is None and previous["phase"] != "prepared":
        _refuse_published(record, previous)
    _refuse_flawed(record, previous)
    write_json(path, previous)
    return f"run {record.id} stands at its {previous['kind']} checkpoint of {previous['at']}, {previous['phase']}"


def _refuse_published(record: RunRecord, previous: Document) -> None:
    """Raises StateError unless what was staged after the previous generation is still there, and nothing of it was published."""
    for label, receipt in previous["writers"].items():
        if "open" not in receipt:
            raise StateError(f"what {label} was given since can't be seen from here, and might come twice", hint="Start anew with --fresh.")
        folder = Path(receipt["folder"])
        parts = sorted(folder.glob("*.part")) if folder.is_dir() else []
        tails = list(folder.glob("tails-*")) if folder.is_dir() else []
        if any(folder.glob("*.done")) or any(part.stat().st_nlink > 1 for part in parts):
            raise StateError(
                f"{label} has published since the previous generation of run {record.id}, and that would come twice",
                hint="Look at what is there, then start anew with --fresh.",
            )
        if receipt["final"] and not parts and not tails:
            raise StateError(
                f"nothing of {label} is staged in {folder}: either nothing was written since, or all is published and would come twice",
                hint="Look at what is there, then start anew with --fresh.",
            )
        if not receipt["final"] and not _intact(folder, receipt):
            raise StateError(
                f"the staged data of {label} in {folder} is not what the previous generation says", hint="Start anew with --fresh."
            )


def _refuse_flawed(record: RunRecord, document: Document) -> None:
    """Raises StateError where something that a checkpoint rests on is missing or damaged."""
    flaw = next(_rests_on(record.folder, document), None)
    if flaw is not None:
        raise StateError(f"run {record.id} can't go on from there: {flaw}", hint="Start anew with --fresh.")


def _generation(path: Path) -> str | None:
    try:
        document = read_json(path)
    except StateError:
        return "damaged"
    return f"{document['kind']} {document['number']}, {document['phase']}" if document else None


def _splits(lines: Iterable[bytes], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines):
        done = place["finished"] or number < place["split"]
        standing = number == place["split"] and not done
        yield {
            "id": msgspec.json.decode(line)["id"],
            "state": "done" if done else "under way" if standing and (place["position"] is not None or place["rows"]) else "to do",
            "position": place["position"] if standing else None,
            "rows": place["rows"] if standing else 0,
        }


def _summary(receipt: dict[str, Any], folder: Path, label: str) -> dict[str, Any]:
    if "open" not in receipt:
        return {key: receipt[key] for key in ("written", "ignored") if key in receipt}
    before, closed = len(receipt["published"]), list(receipt["closed"])
    facts = receipt.get("journal")
    if facts is not None and (journal := _journal(folder, label)).holds(facts["length"], facts["crc32"]):
        before += sum("file" in line for line in journal.lines(0, facts["published"]))
        closed += [line["file"] for line in journal.lines(facts["published"], facts["length"]) if "file" in line]
    return {
        "written": receipt["written"],
        "ignored": receipt["ignored"],
        "open": len(receipt["open"]),
        "finished": 0 if receipt["final"] else len(closed),
        "published": before + (len(closed) if receipt["final"] else 0),
        "staged_bytes": 0 if receipt["final"] else sum(file["length"] for file in receipt["open"]) + sum(file["size"] for file in closed),
        "folder": receipt["folder"],
    }


def _journal(folder: Path, label: str) -> Journal:
    """The list of a writer's files, where it is too long for a checkpoint."""
    path = folder / "staged" / f"{label}.files"
    return Journal((by_epoch(path) or [path])[-1])


def _listed(pipeline: Path, flaws: list[Flaw]) -> list[Path]:
    try:
        return folders_in(pipeline)
    except StateError as error:
        flaws.append(Flaw(str(pipeline), f"can't be listed: {error.message.rpartition(': ')[2]}"))
        return []


def _read(path: Path, flaws: list[Flaw]) -> Any:
    try:
        return read_json(path)
    except StateError as error:
        flaws.append(Flaw(str(path), error.message.partition(": ")[2] or error.message))
        return None


def _shared_flaws(state: SharedState) -> Iterator[Flaw]:
    """What is wrong with the documents of a shared store; staged data may be on any machine, and is not looked for."""
    for key in state.documents.keys(""):
        if not re.search(r"/(splits\.jsonl|bookmark\.jsonl|marks-[^/]+)/\d+/\d+$", key):
            try:
                state.documents.read(key)
            except StateError as error:
                yield Flaw(key, error.message.partition(": ")[2] or error.message)
    for record in state.runs():
        if record.unfinished and record.damage is None:
            try:
                document = record.checkpoint()
                if document is not None and not document["place"]["finished"]:
                    record.read_list(SPLITS, document["splits"])
            except StateError as error:
                yield Flaw(f"run {record.id}", error.message)


def _rests_on(folder: Path, document: Document) -> Iterator[Flaw]:
    """What a checkpoint needs and does not find."""
    splits = folder / "splits.jsonl"
    if not document["place"]["finished"]:
        if not splits.exists():
            yield Flaw(str(splits), "is missing")
        elif hashlib.sha256(splits.read_bytes()).hexdigest() != document["splits"]:
            yield Flaw(str(splits), "is not the list that the checkpoint was made with")
    kept = document.get("quarantine")
    if kept is not None and not Journal(folder / QUARANTINE).holds(kept["length"], kept["crc32"]):
        yield Flaw(str(folder / QUARANTINE), "the bad records that the checkpoint counts on are missing or damaged")
    for label, sample in document.get("samples", {}).items():
        path = sample_path(folder, label)
        if not Journal(path).holds(sample["length"], sample["crc32"]):
            yield Flaw(str(path), "the sample that the checkpoint counts on is missing or damaged")
    for name in document.get("stage_folders", []):
        if not (folder / "stages" / name).is_dir():
            yield Flaw(str(folder / "stages" / name), "what a stage remembers there is missing")
    for label, receipt in document["writers"].items():
        facts = receipt.get("journal")
        if facts is not None and not (journal := _journal(folder, label)).holds(facts["length"], facts["crc32"]):
            yield Flaw(str(journal.path), "the list of files that the checkpoint counts on is missing or damaged")
        if "open" not in receipt or receipt["final"]:
            continue
        staged = Path(receipt["folder"])
        spilled = (receipt.get("spilled") or {}).get("log")
        if spilled is not None and not holds_log(staged, spilled):
            yield Flaw(str(staged / spilled["log"]), "the rows of further groups that wait there are missing")
        for entry in receipt["open"]:
            size = size_of(staged / entry["staged"])
            if entry["length"] and size < entry["length"]:
                yield Flaw(str(staged / entry["staged"]), f"the checkpoint counts on {entry['length']:,} bytes, there are {max(size, 0):,}")
        for entry in receipt["closed"]:
            size = size_of(staged / entry["staged"])
            if size != entry["size"]:
                yield Flaw(str(staged / entry["staged"]), f"the checkpoint counts on {entry['size']:,} bytes, there are {max(size, 0):,}")
        if receipt["tails"] and not _intact(staged, receipt | {"open": [], "closed": []}):
            yield Flaw(str(staged / receipt["tails"]["file"]), "the rows that wait there are missing or damaged")


def _places(documents: list[Document]) -> Iterator[Path]:
    """The folders in which the runs of some documents stage, but for those inside the state."""
    for document in documents:
        for receipt in document["writers"].values():
            above = Path(receipt["folder"]).parent if "folder" in receipt else Path()
            if above.name.startswith(".ozzy-"):
                yield above.parent


def _published_places(facts: dict[str, Any]) -> Iterator[Path]:
    for file in facts.get("files") or []:
        if file["path"]:
            yield Path(file["path"].removesuffix(file["name"]))


def _orphans(places: set[Path], needed: set[str]) -> Iterator[Flaw]:
    """Staging folders of runs that are over, or that this state does not know."""
    for place in sorted(places):
        for folder in sorted(place.glob(".ozzy-*")) if place.is_dir() else []:
            if folder.is_dir() and folder.name.removeprefix(".ozzy-") not in needed:
                yield Flaw(str(folder), "staged data of a run that is over, or not known to this state: nothing will publish it")


def _intact(folder: Path, receipt: dict[str, Any]) -> bool:
    """Whether everything a light receipt of files speaks of is in its folder."""
    begun = all(size_of(folder / entry["staged"]) >= entry["length"] for entry in receipt["open"] if entry["length"])
    done = all(size_of(folder / entry["staged"]) == entry["size"] for entry in receipt["closed"])
    tails = receipt["tails"]
    path = folder / tails["file"] if tails else None
    return begun and done and (path is None or (path.is_file() and zlib.crc32(path.read_bytes()) == tails["crc32"]))
