"""Bookmarks: what the next run of a pipeline starts from.

- `STATE/PIPELINE/RUN/bookmark.jsonl`: what a run found when it began, a mark a line; every checkpoint of the run has its checksum
- `STATE/PIPELINE/bookmark-RUN.jsonl`: the same file, once that run has succeeded
- `STATE/PIPELINE/bookmark.json`: which of these counts

At the end of a run the last checkpoint is committed, then the marks move, then `bookmark.json` is replaced, and only then the run's record
says that it has finished. Whoever ends between any two of these leaves an unfinished run: no other one starts before it is gone on with or
given up, and either does what is left. Every step may be repeated.
"""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import msgspec

from ozzy.contracts.reader import BaseReader, Split
from ozzy.contracts.writer import Outcome
from ozzy.errors import SourceError, StateError
from ozzy.plan.pipeline import Pipeline
from ozzy.run.runs import Lease, RunRecord, StateFolder
from ozzy.staging.disk import checksum, sync_file, sync_folder
from ozzy.staging.state_files import read_json, write_json, writing_state

FORMAT = 1
MARKS = "bookmark.jsonl"
_RESET = "`ozzy bookmark reset CONFIG` forgets it, and the next run reads everything."


@attrs.frozen(kw_only=True)
class Bookmark:
    """Where the next run starts: after the run `run`, which began at `started`.

    `marks` says how many parts of the source that run found, `reader` whose marks they are; `file` holds them, `sha256` is its checksum.
    """

    run: str
    started: str
    reader: str
    marks: int
    file: str
    sha256: str

    def __str__(self) -> str:
        return f"what is new or has changed since run {self.run} of {self.started[:16].replace('T', ' ')}"


@attrs.define
class BookmarkStore:
    """The bookmark of one pipeline, in the folder that holds its state."""

    state: StateFolder
    identity: str

    @property
    def folder(self) -> Path:
        """The pipeline's folder."""
        return self.state.pipeline_folder(self.identity)

    def current(self) -> Bookmark | None:
        """The bookmark, or None where no run has left one. Raises StateError where it can't be read."""
        try:
            content = read_json(self.folder / "bookmark.json")
        except StateError as error:
            raise StateError(error.message, hint=_RESET) from error
        if content is None:
            return None
        if content.pop("format", None) != FORMAT:
            raise StateError(f"the bookmark in {self.folder} was written by another version of ozzy", hint=_RESET)
        return Bookmark(**content)

    def marks(self, bookmark: Bookmark) -> Iterator[Any]:
        """The marks, one by one. Raises StateError before the first where their file is damaged."""
        _check(self.folder / bookmark.file, bookmark.sha256, _RESET)
        with (self.folder / bookmark.file).open("rb") as file:
            for line in file:
                yield msgspec.json.decode(line)

    def move(self, bookmark: Bookmark, run_folder: Path) -> None:
        """Make the marks that a run has written count from now on; once more is the same as once. Raises StateError."""
        target = self.folder / bookmark.file
        with writing_state(target):
            if (run_folder / MARKS).exists():
                _check(run_folder / MARKS, bookmark.sha256, _RESET)
                (run_folder / MARKS).replace(target)
            sync_folder(self.folder)
            sync_folder(run_folder)
        _check(target, bookmark.sha256, _RESET)
        write_json(self.folder / "bookmark.json", {"format": FORMAT, **attrs.asdict(bookmark)})
        self._clear(target.name)

    def reset(self) -> bool:
        """Forget the bookmark, readable or not, so that the next run reads everything; whether there was one.

        Raises StateError, too while a run of the pipeline goes on or is unfinished, since that one moves the bookmark at its end.
        """
        if not (self.folder / "bookmark.json").exists():
            return False
        lease = Lease(self.folder).take()
        try:
            self._refuse_unfinished()
            with writing_state(self.folder):
                (self.folder / "bookmark.json").unlink(missing_ok=True)
                sync_folder(self.folder)
            self._clear("")
        finally:
            lease.release()
        return True

    def _refuse_unfinished(self) -> None:
        for record in self.state.runs(self.identity):
            if record.unfinished:
                raise StateError(
                    f"run {record.id} of this pipeline is unfinished, and moves the bookmark when it succeeds",
                    hint=f"Go on with it: ozzy resume {record.id}. Or give it up: ozzy runs clean --force {record.id}.",
                )

    def _clear(self, kept: str) -> None:
        with writing_state(self.folder):
            for path in self.folder.glob("bookmark-*.jsonl"):
                if path.name != kept:
                    path.unlink(missing_ok=True)


@attrs.define
class IncrementalRun:
    """What one run does with the bookmark of its pipeline: it starts from there, and moves it when all has arrived.

    `kept` is whether this run may move it; one with a limit, or that leaves no trace, may not.
    """

    store: BookmarkStore
    reader: str
    kept: bool
    before: Bookmark | None = None
    listed: dict[str, Any] | None = None

    def splits(self, source: BaseReader, folder: Path | None) -> Iterator[Split]:
        """The parts of the source that are new; meanwhile the marks of all are written, durably, into the folder of the run."""
        self.before = self._start()
        marks = self.store.marks(self.before) if self.before is not None else iter(())
        path = folder / MARKS if folder is not None and self.kept else None
        written = _Marks(path)
        with closing(written):
            for one in source.splits_since(marks):
                if one.mark is not None:
                    written.add(one.mark, self.reader)
                if one.split is not None:
                    yield one.split
        if path is not None:
            with writing_state(path):
                sync_file(path)
            self.listed = {"file": MARKS, "marks": written.count, "sha256": written.digest.hexdigest()}

    def stand_at(self, document: dict[str, Any], folder: Path) -> None:
        """Go on with a run that has listed its source. Raises StateError where its marks are damaged, before anything is read."""
        self.listed = document.get("bookmark")
        if self.listed is not None and (folder / MARKS).exists():
            _check(folder / MARKS, self.listed["sha256"], "Start again with --fresh.")

    def move(self, run: str, started: str, folder: Path) -> None:
        """The run has succeeded: the next one starts from what this one found."""
        if self.listed is not None:
            self.store.move(moved_by(run, started, self.reader, self.listed), folder)

    def _start(self) -> Bookmark | None:
        before = self.store.current()
        if before is not None and before.reader != self.reader:
            raise StateError(f"the bookmark was made by the reader {before.reader}, and can't be used by {self.reader}", hint=_RESET)
        return before


def moved_by(run: str, started: str, reader: str, listed: dict[str, Any]) -> Bookmark:
    """The bookmark that a run leaves; `listed` is what its checkpoints say of its marks."""
    return Bookmark(run=run, started=started, reader=reader, marks=listed["marks"], file=f"bookmark-{run}.jsonl", sha256=listed["sha256"])


def move_if_all_arrived(record: RunRecord, document: dict[str, Any] | None, pipeline: Pipeline) -> bool:
    """Move the bookmark to a run that is given up, where its last checkpoint is out; whether it was.

    A run may be killed just after that one is published. `document` is the last one that it saved.
    """
    if document is None or "bookmark" not in document or not document["place"]["finished"]:
        return False
    if document["phase"] != "committed":
        receipts = document["writers"]
        if any(writer.recover(receipts[label]) is not Outcome.PUBLISHED for label, writer in pipeline.writers.items()):
            return False
    bookmark = moved_by(record.id, record.facts["started"], pipeline.reader_name, document["bookmark"])
    BookmarkStore(StateFolder(record.folder.parent.parent), record.facts["pipeline"]).move(bookmark, record.folder)
    return True


class _Marks:
    """Writes marks, a line each, or only takes them where there is no path."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.count = 0
        self.digest = hashlib.sha256()
        self._file: Any = None
        if path is not None:
            with writing_state(path):
                self._file = path.open("wb")

    def add(self, mark: Any, reader: str) -> None:
        line = _line(mark, reader)
        self.count += 1
        if self.path is not None:
            self.digest.update(line)
            with writing_state(self.path):
                self._file.write(line)

    def close(self) -> None:
        if self.path is not None:
            with writing_state(self.path):
                self._file.close()


def _line(mark: Any, reader: str) -> bytes:
    try:
        line = msgspec.json.encode(mark)
        if msgspec.json.decode(line) == mark:
            return line + b"\n"
    except (TypeError, ValueError):
        pass
    raise SourceError(f"the reader {reader} gave a mark for the bookmark that is no plain JSON: {mark!r:.200}")


def _check(path: Path, sha256: str, hint: str) -> None:
    try:
        if checksum(path) == sha256:
            return
    except OSError as error:
        raise StateError(f"can't read the bookmark's marks {path}: {error.strerror or error}", hint=hint) from error
    raise StateError(f"the bookmark's marks {path} are damaged: their checksum does not match", hint=hint)
