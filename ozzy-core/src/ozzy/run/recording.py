"""What a worker does with bad records: it writes them down, and the run that gave it the task judges them in the order of the source."""

from pathlib import Path
from typing import Any, BinaryIO

import attrs
import msgspec

from ozzy.data.batch import Rejected
from ozzy.run.error_policy import BAD, QUARANTINED, ErrorPolicy, Refused
from ozzy.run.tasks import Kept
from ozzy.staging.disk import at_destination


@attrs.define(eq=False, repr=False)
class Recording(ErrorPolicy):
    """Writes each record that is refused to the file at `path`; a policy `fail` still raises. Limits are for the run to see."""

    path: Path = attrs.field(factory=Path)
    _file: BinaryIO | None = attrs.field(default=None, init=False)

    def reject(self, stage: str, rejected: Rejected, **more: Any) -> str:
        own = self.reader_of(more.get("split", "")) if stage == "reader" else stage
        policy = self.policy_of(own)
        if policy == "fail":
            return super().reject(stage, rejected, **more)
        self._write(Refused(stage, rejected, **more), quarantined=policy == "quarantine")
        return QUARANTINED if policy == "quarantine" else BAD

    def end(self) -> str | None:
        """The file, None where nothing was refused."""
        if self._file is None:
            return None
        with at_destination(self.path):
            self._file.close()
        self._file = None
        return str(self.path)

    def _write(self, refused: Refused, *, quarantined: bool) -> None:
        rejected = refused.rejected
        line = Kept(
            stage=refused.stage,
            where=rejected.where,
            message=rejected.message,
            line=rejected.line,
            row=rejected.row,
            head=rejected.head,
            whole=rejected.whole,
            error=refused.error,
            split=refused.split,
            kept=refused.kept() if refused.kept is not None and quarantined else None,
            writer=refused.writer,
            group=refused.group,
        )
        with at_destination(self.path):
            if self._file is None:
                self._file = self.path.open("wb")
            self._file.write(msgspec.json.encode(line) + b"\n")
