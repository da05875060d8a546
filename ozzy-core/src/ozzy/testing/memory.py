"""A persistence that keeps checkpoints in the memory of the process, shared by all its objects."""

import json
from typing import Any, ClassVar

from ozzy import BasePersistence, StateError


class MemoryPersistence(BasePersistence):
    """Keeps the checkpoint of each run in memory, as the text it would be on a disk: for tests, and for nothing else.

    `kept` maps (pipeline, run) to that text.
    """

    kept: ClassVar[dict[tuple[str, str], str]] = {}

    def generate_new_job(self) -> str:
        return self.location.run

    def get_last_position(self) -> Any:
        text = self.kept.get(self._key)
        try:
            return None if text is None else json.loads(text)
        except ValueError as error:
            raise StateError(f"the checkpoint of run {self.location.run} in memory is damaged: {error}") from error

    def commit_position(self, last_position: Any) -> None:
        try:
            text = json.dumps(last_position)
        except (TypeError, ValueError) as error:
            raise StateError(f"the checkpoint of run {self.location.run} can't be kept: {error}") from error
        self.kept[self._key] = text

    @property
    def _key(self) -> tuple[str, str]:
        return self.location.pipeline, self.location.run
