"""Persistence `pickle`: the inherited name for state in a folder. Nothing is pickled, and a pickle is read without running what it says."""

import re
from pathlib import Path
from typing import Any, ClassVar

from ozzy.builtin.persistence.file import FilePersistence
from ozzy.builtin.persistence.old_job import config_of_job
from ozzy.contracts.persistence import StateLocation
from ozzy.errors import StateError
from ozzy.options.option import option, options


@options
class PicklePersistenceOptions:
    """Options of the persistence `pickle`."""

    file_path: str = option(default=".", minimum=1, help="The folder in which the state folder `.ozzy` is.", example="/var/lib/exports")


class PicklePersistence(FilePersistence):
    """Works like `file`, with its state in `.ozzy` in the folder `file_path`; `--state-dir` and OZZY_STATE_DIR come first.

    State is JSON with a checksum: nothing is pickled. A file that the inherited system has pickled is read for `ozzy resume pickle:PATH`
    without running anything in it.
    """

    Options: ClassVar[type] = PicklePersistenceOptions
    uri_regex: ClassVar[str] = r"pickle:(?P<path>.+)"

    def open(self, location: StateLocation) -> None:
        super().open(location)
        self.logger.info("the persistence pickle keeps its state as JSON, as `file` does", folder=str(location.folder))

    @classmethod
    def named_state_folder(cls, options: Any) -> str | None:
        return str(Path(options.file_path) / ".ozzy")

    @classmethod
    def configuration_from_uri(cls, uri: str, uri_regex: str) -> dict[str, Any]:
        """The config of a job of the inherited system; `pickle://NAME` is a file of this folder, as its documents write it."""
        match = re.fullmatch(uri_regex or cls.uri_regex, uri)
        if match is None:
            raise StateError(f"{uri} does not name a file: pickle:PATH")
        return config_of_job(Path(match["path"].removeprefix("//")))
