"""What `aggregation` and `reduce` have in common: records go in, one small JSON value comes out."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from ozzy.builtin.writers.placing import link, same_file
from ozzy.contracts.file_writer import same_content
from ozzy.contracts.writer import BaseWriter, Outcome, Receipt, Staging, WriterContext, WriterOptions, no_room_for
from ozzy.data.json_text import encode_record
from ozzy.errors import DestinationError, Problem
from ozzy.options.option import option, options
from ozzy.staging.disk import at_destination, make_folder, sync_folder, write_all


@options
class SummaryOptions(WriterOptions):
    """Options of every writer that makes one value of all records."""

    path: str | None = option(
        default=None,
        help="A JSON file for the result, with strftime codes of the run's start. Without it the result is in the log, in what the run "
        "gives back and in its metadata. Replaced whole at each full checkpoint.",
        example="out/fields-%Y-%m-%d.json",
    )
    if_exists: Literal["fail", "overwrite"] = option(default="fail", help="What to do where the name is taken: fail, or overwrite it.")


class SummaryWriter(BaseWriter):
    """Absorbs records, and makes one JSON value of them.

    An author writes `state`, `restore` and `value`. The state is part of each checkpoint, so that a resumed run goes on from it; the file,
    where a `path` is given, is staged beside its place and appears whole.
    """

    Options: ClassVar[type] = SummaryOptions
    staging: Staging = Staging.DURABLE

    @classmethod
    def check_options(cls, options: Any) -> Iterator[Problem]:
        """What is wrong with the path."""
        if options.path is not None and (not options.path or options.path.endswith("/") or "\0" in options.path):
            yield Problem("path", "expected the path of a file")

    def state(self) -> Any:
        """All that the writer has gathered, as JSON."""
        raise NotImplementedError(f"{type(self).__name__} has no state()")

    def restore(self, state: Any) -> None:
        """Go on from what `state` gave; None is the beginning."""
        raise NotImplementedError(f"{type(self).__name__} has no restore()")

    def value(self, state: Any) -> Any:
        """The result, as JSON, of a state."""
        raise NotImplementedError(f"{type(self).__name__} has no value()")

    def start(self, context: WriterContext) -> None:
        super().start(context)
        self.absorbed = 0
        self._published: dict[str, Any] | None = None
        path = self.read_option("path")
        self.target = None if path is None else self.path(context.started.strftime(path) if "%" in path else path)

    def example(self) -> str:
        """Where the file goes; empty where there is none."""
        return "" if self.target is None else str(self.target)

    def resume(self, state: Receipt | None) -> None:
        self.restore(None if state is None else state["state"])
        if state is not None:
            self.absorbed = state["absorbed"]
            self._published = state["file"] if state["final"] else state["before"]
        elif self.target is not None and self.options.if_exists == "fail" and os.path.lexists(self.target):
            raise no_room_for(str(self.target))

    def prepare(self, final: bool) -> Receipt:
        state = self.state()
        receipt = {"final": final, "written": 0, "absorbed": self.absorbed, "state": state, "file": None, "before": self._published}
        if final and self.target is not None:
            content = msgspec.json.format(encode_record(self.value(state)), indent=2) + b"\n"
            self._stage(content)
            receipt["file"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "rows": self.absorbed}
        return receipt

    def publish(self, receipt: Receipt) -> None:
        entry, target = receipt["file"], self.target
        if entry is None or target is None:
            return
        if not same_content(target, entry):
            if not same_content(self._staged, entry):
                raise DestinationError(f"the staged file {self._staged} is gone, and {target} was not published")
            before = receipt["before"]
            own = before is not None and same_content(target, before)
            with at_destination(target):
                make_folder(target.parent)
                if own or self.options.if_exists == "overwrite":
                    self._staged.replace(target)
                else:
                    link(self._staged, target)
        sync_folder(target.parent)
        self._unstage()
        self._published = entry

    def recover(self, receipt: Receipt) -> Outcome:
        if not receipt["final"]:
            return Outcome.STAGED
        if receipt["file"] is None or self.target is None:
            return Outcome.PUBLISHED
        if same_content(self._staged, receipt["file"]):
            return Outcome.STAGED
        return Outcome.PUBLISHED if same_content(self.target, receipt["file"]) else Outcome.GONE

    def discard(self, receipt: Receipt) -> None:
        entry, target = receipt["file"], self.target
        if entry is None or target is None:
            return
        published = not self._staged.exists() or same_file(self._staged, target)
        if published and entry != receipt["before"] and same_content(target, entry):
            with at_destination(target):
                target.unlink()
            sync_folder(target.parent)
        self._unstage()

    def abandon(self) -> None:
        if self.target is None:
            return
        with at_destination(self._folder):
            if self._folder.is_dir():
                shutil.rmtree(self._folder)
            above = self._folder.parent
            if above.is_dir() and not any(above.iterdir()):
                above.rmdir()

    def results(self, receipt: Receipt) -> list[dict[str, Any]]:
        entry = receipt["file"] if receipt["final"] else receipt["before"]
        if entry is None or self.target is None:
            return []
        return [{"name": self.target.name, "path": str(self.target), **entry}]

    def summary(self, receipt: Receipt) -> Any:
        return self.value(receipt["state"])

    @property
    def _folder(self) -> Path:
        assert self.target is not None
        return self.target.parent / f".ozzy-{self.context.run_id}" / self.context.label

    @property
    def _staged(self) -> Path:
        return self._folder / "summary.json"

    def _stage(self, content: bytes) -> None:
        make_folder(self._folder, private=2)
        with at_destination(self._staged):
            self._staged.unlink(missing_ok=True)
            with self._staged.open("wb", buffering=0) as file:
                write_all(file.fileno(), content)
                os.fsync(file.fileno())
        sync_folder(self._folder)

    def _unstage(self) -> None:
        with at_destination(self._staged):
            self._staged.unlink(missing_ok=True)
