"""Persistence `file`, the default: the checkpoint as one file in the run's state folder."""

from typing import Any

from ozzy.contracts.persistence import BasePersistence
from ozzy.errors import StateError
from ozzy.staging.state_files import read_json, write_json


class FilePersistence(BasePersistence):
    """Keeps `checkpoint.json`, and the one before it as `checkpoint.1.json`, in the run's state folder."""

    def generate_new_job(self) -> str:
        return self.location.run

    def get_last_position(self) -> Any:
        try:
            return read_json(self.location.folder / "checkpoint.json")
        except StateError as error:
            if (self.location.folder / "checkpoint.1.json").exists():
                error.hint = (
                    f"Go back to the generation before it, where that is safe: ozzy state rewind {self.location.run} --to previous. "
                    "Or start again with --fresh."
                )
            raise

    def commit_position(self, last_position: Any) -> None:
        write_json(self.location.folder / "checkpoint.json", last_position, keep_previous=True)
