"""Writer `fs`: files in a folder, published whole, by link or rename on the same file system."""

import errno
import os
from pathlib import Path
from typing import Any

from ozzy.contracts.file_writer import BaseNamedFileWriter, same_content
from ozzy.contracts.writer import Outcome, Receipt, no_room_for
from ozzy.errors import DestinationError
from ozzy.staging.files import at_destination, make_folder, sync_folder


class FSWriter(BaseNamedFileWriter):
    """Writes files below the folder that `filebase` names. They appear whole, under their final name, or not at all."""

    folder: Path

    def staging_folder(self) -> Path:
        """`.ozzy-RUN` under the fixed folder of the filebase, so that publishing never copies."""
        self.folder = self.path(self.names.folder)
        return self.folder / f".ozzy-{self.context.run_id}" / self.context.label

    def taken(self, name: str) -> bool:
        return os.path.lexists(self.folder / name)

    def place(self, entry: dict[str, Any]) -> None:
        staged, target = self.files.folder / entry["staged"], self.folder / entry["name"]
        if not staged.exists():
            if not same_content(target, entry):
                raise DestinationError(f"{target} is not what was published there, and its staged copy is gone")
            return
        with at_destination(target):
            make_folder(target.parent)
            if self.if_exists == "overwrite":
                staged.replace(target)
            else:
                self._link(staged, target)

    def _link(self, staged: Path, target: Path) -> None:
        try:
            os.link(staged, target)
        except FileExistsError as error:
            if not target.samefile(staged):
                raise no_room_for(str(target)) from error
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}:
                raise
            if target.exists():
                raise no_room_for(str(target)) from error
            staged.rename(target)
            return
        staged.unlink()

    def after_publishing(self, receipt: Receipt) -> None:
        for folder in sorted({(self.folder / entry["name"]).parent for entry in receipt["closed"]}):
            sync_folder(folder)
        if self.files.folder.is_dir():
            sync_folder(self.files.folder)
        if self.read_option("check_consistency"):
            for entry in receipt["closed"]:
                if not same_content(self.folder / entry["name"], entry):
                    raise DestinationError(f"{self.folder / entry['name']} does not read back as it was written")

    def recover_file(self, entry: dict[str, Any]) -> Outcome:
        staged, target = self.files.folder / entry["staged"], self.folder / entry["name"]
        if staged.exists():
            return Outcome.STAGED
        return Outcome.PUBLISHED if same_content(target, entry) else Outcome.GONE

    def discard(self, receipt: Receipt) -> None:
        super().discard(receipt)
        for entry in receipt["closed"]:
            target = self.folder / entry["name"]
            if same_content(target, entry):
                target.unlink()

    def abandon(self) -> None:
        super().abandon()
        parent = self.files.folder.parent
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()

    def results(self, receipt: Receipt) -> list[dict[str, Any]]:
        return [{**entry, "path": str(self.folder / entry["name"])} for entry in super().results(receipt)]
