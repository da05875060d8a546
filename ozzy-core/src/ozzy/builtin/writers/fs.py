"""Writer `fs`: files in a folder, published whole, by link or rename on the same file system."""

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ozzy.builtin.writers.placing import link, same_file
from ozzy.contracts.file_writer import BaseNamedFileWriter, same_content
from ozzy.contracts.writer import Outcome, Receipt
from ozzy.errors import DestinationError
from ozzy.staging.disk import at_destination, make_folder, size_of, sync_folder
from ozzy.staging.manifest import is_manifest_of


class FSWriter(BaseNamedFileWriter):
    """Writes files below the folder that `filebase` names. They appear whole, under their final name, or not at all.

    A staged copy goes only when the folder that has the name is on disk, so that no moment has neither.
    """

    folder: Path

    def staging_folder(self) -> Path:
        """`.ozzy-RUN` under the fixed folder of the filebase, so that publishing never copies."""
        self.folder = self.path(self.names.folder)
        return self.folder / f".ozzy-{self.context.run_id}" / self.context.label

    def address(self, name: str) -> str:
        return str(self.folder / name)

    def taken(self, name: str) -> bool:
        return os.path.lexists(self.folder / name)

    def publish(self, receipt: Receipt) -> None:
        self._make_folders(receipt)
        super().publish(receipt)

    def place(self, entry: dict[str, Any]) -> None:
        staged, target = self._paths(entry)
        size = size_of(staged)
        if size != entry["size"]:
            if not same_content(target, entry):
                now = "is not what the run made" if os.path.lexists(target) else "is not there"
                raise DestinationError(
                    f"{target} {now}, and its staged copy is {'gone' if size < 0 else 'not what was written'}",
                    hint="Go on with --resume: what is lost is read again, as far back as it takes.",
                )
            return
        with at_destination(target):
            if self.if_exists == "overwrite":
                staged.replace(target)
            else:
                link(staged, target)

    def after_publishing(self, receipt: Receipt) -> None:
        for folder in sorted(self._folders(entry["name"] for entry in self.files.finished(receipt))):
            sync_folder(self.folder / folder)
        if self.read_option("check_consistency"):
            for entry in self.files.finished(receipt):
                target = self._paths(entry)[1]
                if not same_content(target, entry):
                    raise DestinationError(f"{target} does not read back as it was written")
        self._delete(self._paths(entry)[0] for entry in self.files.finished(receipt))

    def _delete(self, staged: Iterable[Path]) -> None:
        with at_destination(self.files.folder):
            for path in staged:
                path.unlink(missing_ok=True)
            if self.files.folder.is_dir():
                sync_folder(self.files.folder)

    def recover_file(self, entry: dict[str, Any]) -> Outcome:
        staged, target = self._paths(entry)
        if same_content(staged, entry):
            return Outcome.STAGED
        return Outcome.PUBLISHED if same_content(target, entry) else Outcome.GONE

    def is_out(self, entry: dict[str, Any]) -> bool:
        return same_content(self._paths(entry)[1], entry)

    def discard(self, receipt: Receipt) -> None:
        if not self.files.lists(receipt):
            return
        for entry in self.files.finished(receipt):
            staged, target = self._paths(entry)
            if (not staged.exists() or same_file(staged, target)) and same_content(target, entry):
                with at_destination(target):
                    target.unlink()
                    sync_folder(target.parent)
        self._delete(self._paths(entry)[0] for entry in self.files.finished(receipt))

    def results(self, receipt: Receipt) -> list[dict[str, Any]]:
        files = super().results(receipt)
        for file in files:
            file["path"] = str(self.folder / file["name"])
        return files

    def publish_manifest(self, receipt: Receipt, content: bytes) -> None:
        target = self.folder / receipt["manifest"]
        replaces = self.if_exists == "overwrite" or is_manifest_of(target, self.context.run_id, self.context.label)
        staged = self.stage_manifest(content)
        with at_destination(target):
            make_folder(target.parent)
            if replaces:
                staged.replace(target)
            else:
                link(staged, target)
        sync_folder(target.parent)
        self._delete([staged])

    def _paths(self, entry: dict[str, Any]) -> tuple[Path, Path]:
        return self.files.folder / entry["staged"], self.folder / entry["name"]

    def _make_folders(self, receipt: Receipt) -> None:
        """Make the folders that the files of a receipt go to; those that have new ones in them are put on disk once."""
        grown = set()
        for name in sorted(self._folders(entry["name"] for entry in self.files.finished(receipt))):
            folder = self.folder / name
            if not name:
                make_folder(folder)
            elif not folder.is_dir():
                with at_destination(folder):
                    folder.mkdir(exist_ok=True)
                grown.add(posixpath.dirname(name))
        for name in sorted(grown):
            sync_folder(self.folder / name)

    def _folders(self, names: Iterable[str]) -> set[str]:
        """The folders that hold files of these names, below the fixed folder of the filebase; that one is the empty text."""
        found: set[str] = set()
        for name in names:
            folder = posixpath.dirname(name)
            while folder not in found:
                found.add(folder)
                folder = posixpath.dirname(folder)
        return found
