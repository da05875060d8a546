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
from ozzy.run.runs import RunRecord, StateFolder
from ozzy.staging.disk import checksum, sync_file, sync_folder
from ozzy.staging.state_files import read_json, write_json, writing_state

FORMAT = 1
MARKS = "bookmark.jsonl"
RESET = "`ozzy bookmark reset CONFIG` forgets it, and the next run reads everything."


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


@attrs.define(eq=False, repr=False)
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
            content = self.content()
        except StateError as error:
            raise StateError(error.message, hint=RESET) from error
        if content is None:
            return None
        if content.pop("format", None) != FORMAT:
            raise StateError(f"the bookmark in {self.state.place} was written by another version of ozzy", hint=RESET)
        return Bookmark(**content)

    def content(self) -> dict[str, Any] | None:
        """What is kept of it, None where there is none. Raises StateError where it can't be read."""
        found: dict[str, Any] | None = read_json(self.folder / "bookmark.json")
        return found

    def place(self, bookmark: Bookmark) -> str:
        """Where its marks are, for people."""
        return str(self.folder / bookmark.file)

    def close(self) -> None:
        """Let go of connections."""
        self.state.close()

    def marks(self, bookmark: Bookmark) -> Iterator[Any]:
        """The marks, one by one. Raises StateError before the first where their file is damaged."""
        _check(self.folder / bookmark.file, bookmark.sha256, RESET)
        with (self.folder / bookmark.file).open("rb") as file:
            for line in file:
                yield msgspec.json.decode(line)

    def move(self, bookmark: Bookmark, record: RunRecord) -> None:
        """Make the marks that a run has written count from now on; once more is the same as once. Raises StateError."""
        target, run_folder = self.folder / bookmark.file, record.folder
        with writing_state(target):
            if (run_folder / MARKS).exists():
                _check(run_folder / MARKS, bookmark.sha256, RESET)
                (run_folder / MARKS).replace(target)
            sync_folder(self.folder)
            sync_folder(run_folder)
        _check(target, bookmark.sha256, RESET)
        write_json(self.folder / "bookmark.json", {"format": FORMAT, **attrs.asdict(bookmark)})
        self._clear(target.name)

    def reset(self) -> bool:
        """Forget the bookmark, readable or not, so that the next run reads everything; whether there was one.

        Raises StateError, too while a run of the pipeline goes on or is unfinished, since that one moves the bookmark at its end.
        """
        if not self.exists():
            return False
        lease = self.state.lease(self.identity).take()
        try:
            self._refuse_unfinished()
            self.forget()
        finally:
            lease.release()
        return True

    def exists(self) -> bool:
        """Whether there is one, readable or not."""
        return (self.folder / "bookmark.json").exists()

    def forget(self) -> None:
        """Delete it and its marks."""
        with writing_state(self.folder):
            (self.folder / "bookmark.json").unlink(missing_ok=True)
            sync_folder(self.folder)
        self._clear("")

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


@attrs.define(eq=False, repr=False)
class IncrementalRun:
    """What one run does with the bookmark of its pipeline: it starts from there, and moves it when all has arrived.

    `kept` is whether this run may move it; one with a limit, or that leaves no trace, may not.
    """

    store: BookmarkStore
    reader: str
    kept: bool
    before: Bookmark | None = None
    listed: dict[str, Any] | None = None

    def splits(self, source: BaseReader, record: RunRecord | None) -> Iterator[Split]:
        """The parts of the source that are new; meanwhile the marks of all are written, durably, into the folder of the run's lists."""
        self.before = self._start()
        marks = self.store.marks(self.before) if self.before is not None else iter(())
        path = record.lists / MARKS if record is not None and self.kept else None
        written = _Marks(path)
        with closing(written):
            for one in source.splits_since(marks):
                if one.mark is not None:
                    written.add(one.mark, self.reader)
                if one.split is not None:
                    yield one.split
        if record is not None and path is not None:
            with writing_state(path):
                sync_file(path)
            record.keep_list(MARKS)
            self.listed = {"file": MARKS, "marks": written.count, "sha256": written.digest.hexdigest()}

    def stand_at(self, document: dict[str, Any], record: RunRecord) -> None:
        """Go on with a run that has listed its source. Raises StateError where its marks are damaged, before anything is read."""
        self.listed = document.get("bookmark")
        if self.listed is not None:
            record.fetch_list(MARKS, self.listed["sha256"])
            if (record.lists / MARKS).exists():
                _check(record.lists / MARKS, self.listed["sha256"], "Start again with --fresh.")

    def move(self, record: RunRecord) -> None:
        """The run has succeeded: the next one starts from what this one found."""
        if self.listed is not None:
            self.store.move(moved_by(record, self.reader, self.listed), record)

    def _start(self) -> Bookmark | None:
        before = self.store.current()
        if before is not None and before.reader != self.reader:
            raise StateError(f"the bookmark was made by the reader {before.reader}, and can't be used by {self.reader}", hint=RESET)
        return before


def moved_by(record: RunRecord, reader: str, listed: dict[str, Any]) -> Bookmark:
    """The bookmark that a run leaves; `listed` is what its checkpoints say of its marks."""
    return Bookmark(
        run=record.id,
        started=record.facts["started"],
        reader=reader,
        marks=listed["marks"],
        file=f"bookmark-{record.id}.jsonl",
        sha256=listed["sha256"],
    )


def move_if_all_arrived(store: BookmarkStore, record: RunRecord, document: dict[str, Any] | None, pipeline: Pipeline) -> bool:
    """Move the bookmark to a run that is given up, where its last checkpoint is out; whether it was.

    A run may be killed just after that one is published. `document` is the last one that it saved.
    """
    if document is None or "bookmark" not in document or not document["place"]["finished"]:
        return False
    if document["phase"] != "committed":
        receipts = document["writers"]
        if any(writer.recover(receipts[label]) is not Outcome.PUBLISHED for label, writer in pipeline.writers.items()):
            return False
    store.move(moved_by(record, pipeline.reader_name, document["bookmark"]), record)
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
