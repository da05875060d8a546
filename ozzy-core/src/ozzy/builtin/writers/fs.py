"""Writer `fs`: files in a folder, published whole, by link or rename on the same file system."""

import errno
import os
from pathlib import Path
from typing import Any

from ozzy.contracts.file_writer import BaseNamedFileWriter, same_content
from ozzy.contracts.writer import Outcome, Receipt, no_room_for
from ozzy.errors import DestinationError
from ozzy.staging.disk import at_destination, make_folder, sync_folder

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


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

    def place(self, entry: dict[str, Any]) -> None:
        staged, target = self._paths(entry)
        if not staged.exists():
            if not same_content(target, entry):
                raise DestinationError(f"{target} is not what was published there, and its staged copy is gone")
            return
        with at_destination(target):
            make_folder(target.parent)
            if self.if_exists == "overwrite":
                staged.replace(target)
            else:
                _link(staged, target)

    def after_publishing(self, receipt: Receipt) -> None:
        paths = [self._paths(entry) for entry in receipt["closed"]]
        for folder in sorted(self._folders([target for _, target in paths])):
            sync_folder(folder)
        if self.read_option("check_consistency"):
            for entry, (_, target) in zip(receipt["closed"], paths, strict=True):
                if not same_content(target, entry):
                    raise DestinationError(f"{target} does not read back as it was written")
        self._delete([staged for staged, _ in paths])

    def recover_file(self, entry: dict[str, Any]) -> Outcome:
        staged, target = self._paths(entry)
        if same_content(staged, entry):
            return Outcome.STAGED
        return Outcome.PUBLISHED if same_content(target, entry) else Outcome.GONE

    def discard(self, receipt: Receipt) -> None:
        for entry in receipt["closed"]:
            staged, target = self._paths(entry)
            if (not staged.exists() or _same_file(staged, target)) and same_content(target, entry):
                with at_destination(target):
                    target.unlink()
                    sync_folder(target.parent)
        self._delete([self._paths(entry)[0] for entry in receipt["closed"]])

    def results(self, receipt: Receipt) -> list[dict[str, Any]]:
        return [{**entry, "path": str(self.folder / entry["name"])} for entry in super().results(receipt)]

    def _paths(self, entry: dict[str, Any]) -> tuple[Path, Path]:
        return self.files.folder / entry["staged"], self.folder / entry["name"]

    def _folders(self, targets: list[Path]) -> set[Path]:
        """The folders that hold these files, up to the fixed folder of the filebase."""
        found = set()
        for target in targets:
            folder = target.parent
            while folder not in found and folder.is_relative_to(self.folder):
                found.add(folder)
                folder = folder.parent
        return found

    def _delete(self, staged: list[Path]) -> None:
        with at_destination(self.files.folder):
            for path in staged:
                path.unlink(missing_ok=True)
            if self.files.folder.is_dir():
                sync_folder(self.files.folder)


def _link(staged: Path, target: Path) -> None:
    """Give a file its final name, never over another's."""
    try:
        os.link(staged, target)
    except OSError as error:
        if os.path.lexists(target):
            if not _same_file(staged, target):
                raise no_room_for(str(target)) from error
        elif error.errno in _NO_LINKS:
            staged.rename(target)
        else:
            raise


def _same_file(one: Path, other: Path) -> bool:
    """Whether two names are links to one file."""
    return os.path.lexists(other) and os.path.samestat(one.lstat(), other.lstat())
