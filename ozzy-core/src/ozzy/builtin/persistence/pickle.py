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

    State is JSON with a checksum: nothing is pickled. `ozzy resume pickle:FILE_PATH/RUN` goes on with a run. A file that the inherited
    system has pickled is read for `ozzy resume pickle:PATH` without running anything in it.
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
    def run_of_uri(cls, uri: str) -> tuple[str, str] | None:
        """The state folder of `file_path` and the run; a file of that name is a job of the inherited system."""
        path = _path_of(uri, cls.uri_regex)
        folder = path.parent / ".ozzy" if path is not None else None
        return (str(folder), path.name) if path is not None and folder is not None and folder.is_dir() and not path.exists() else None

    @classmethod
    def configuration_from_uri(cls, uri: str, uri_regex: str) -> dict[str, Any]:
        """The config of a job of the inherited system; `pickle://NAME` is a file of this folder, as its documents write it."""
        path = _path_of(uri, uri_regex or cls.uri_regex)
        if path is None:
            raise StateError(f"{uri} does not name a file: pickle:PATH")
        if path.is_dir():
            raise StateError(
                f"{path} is a folder", hint=f"Name the run in it: pickle:{path}/RUN. `ozzy runs list --state-dir {path}/.ozzy`"
            )
        return config_of_job(path)


def _path_of(uri: str, uri_regex: str) -> Path | None:
    match = re.fullmatch(uri_regex, uri)
    return Path(match["path"].removeprefix("//")) if match is not None else None
