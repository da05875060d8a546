"""The quarantine of a run: every record that it refused under `errors: quarantine`, with the cause, in the run's state folder.

`STATE/PIPELINE/RUN/quarantine.jsonl` has a line for each cause when it first comes up, and a line for each record. The file only grows. It
is on disk before a checkpoint passes its records, and the checkpoint says how long it was, so a resumed run cuts it back: a record is there
as often as it was refused, killed or not. Causes are told apart by stage, module and message, where numbers and quoted texts in a message
count for nothing.

`STATE/PIPELINE/RUN/quarantine.json` holds what became of the records since: a mark for each replay, and for what was discarded.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ozzy.data.positions import unpack
from ozzy.errors import StateError
from ozzy.log import redact
from ozzy.run.error_policy import Refused
from ozzy.run.kept import clean, kept_line
from ozzy.staging.journal import Journal
from ozzy.staging.state_files import writing_state

FILE = "quarantine.jsonl"
CAUSES = 1000
"""So many causes are told apart; what comes after them is one further cause of each stage."""

LONGEST = 2000
"""How many characters of a message are kept."""

Module = tuple[str, str, str]
"""The short name of a module, its package and the version of that."""


class Cause(msgspec.Struct, frozen=True, omit_defaults=True, tag="cause", tag_field="is"):
    """Why records were refused, and by whom; `message` is that of the first one, `writer` the only one that a replay goes to."""

    number: int
    stage: str
    module: str
    package: str
    version: str
    error: str
    message: str
    writer: str | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, tag="record", tag_field="is"):
    """One record: of which cause, where it came from (`record` counts from 1), and what it was in one of four forms.

    `line` is its JSON, or the text as it was read; `base64` the same where that is no UTF-8; `value` tagged JSON; `shown` what is
    left of a record that can't be brought back. `head` is what a decoder needs before the line; `whole` is false where that is cut off.
    """

    cause: int
    split: str
    where: str
    message: str
    record: int | None = None
    line: str | None = None
    base64: str | None = None
    value: Any = None
    shown: str | None = None
    head: str = ""
    whole: bool = True
    group: tuple[str, ...] = ()

    @property
    def replayable(self) -> bool:
        """Whether the record can be brought back."""
        return self.whole and (self.line is not None or self.base64 is not None or self.value is not None)

    @property
    def raw(self) -> bytes:
        """The line in bytes, empty where there is none."""
        return b64decode(self.base64) if self.base64 is not None else (self.line or "").encode()

    @property
    def record_again(self) -> Any:
        """The record that is kept as `value`."""
        return unpack(self.value)


class Quarantine:
    """Keeps what a run refuses. `module_of` names the module that refused a record."""

    def __init__(self, path: Path, module_of: Callable[[Refused], Module]) -> None:
        self.journal = Journal(path, what="quarantine")
        self.module_of = module_of
        self.records = 0
        self._causes: dict[tuple[str | None, ...], int] = {}

    def add(self, refused: Refused) -> None:
        """Keep one record. It is durable after `sync`. Raises StateError where the disk fails."""
        rejected = refused.rejected
        message = clean(redact(rejected.message))[:LONGEST]
        kept = refused.kept() if refused.kept is not None else kept_line(rejected.line)
        self._add(
            Entry(
                cause=self._cause(refused, message),
                split=clean(refused.split),
                where=clean(rejected.where),
                message=message,
                record=None if rejected.row is None else rejected.row + 1,
                head=clean(rejected.head.decode(errors="surrogateescape")),
                whole=rejected.whole,
                group=tuple(map(clean, refused.group)),
                **kept,
            )
        )
        self.records += 1

    def sync(self) -> dict[str, Any] | None:
        """Put all that was added on disk; what a checkpoint says of it, None for nothing."""
        if not self.records:
            return None
        with writing_state(self.journal.path):
            self.journal.sync()
        return {"length": self.journal.length, "crc32": self.journal.crc32, "records": self.records}

    def stand_at(self, facts: dict[str, Any] | None) -> None:
        """Go back to what a checkpoint says: all that came later is forgotten. Raises StateError where the file is not what it says."""
        self._causes.clear()
        if facts is None:
            self.records = 0
            with writing_state(self.journal.path):
                self.journal.delete()
            return
        with writing_state(self.journal.path):
            self.journal.go_back(facts["length"], facts["crc32"])
        self.records = facts["records"]
        for _, line in lines_of(self.journal.path):
            if isinstance(line, Cause):
                self._causes[_key(line.stage, line.writer, (line.module, line.package, line.version), line.error, line.message)] = (
                    line.number
                )

    def _cause(self, refused: Refused, message: str) -> int:
        module = self.module_of(refused)
        key = _key(refused.stage, refused.writer, module, refused.error, message)
        if key not in self._causes and len(self._causes) >= CAUSES:
            message, error = "further causes", ""
            key = _key(refused.stage, refused.writer, module, error, message)
        else:
            error = refused.error
        if key not in self._causes:
            number = self._causes[key] = len(self._causes) + 1
            name, package, version = module
            self._add(Cause(number, refused.stage, name, package, version, error, message, refused.writer))
        return self._causes[key]

    def _add(self, line: "Cause | Entry") -> None:
        with writing_state(self.journal.path):
            self.journal.add(line)


def lines_of(path: Path, start: int = 0, *, torn: bool = False) -> Iterator[tuple[int, Cause | Entry]]:
    """The lines of a quarantine from an offset on, each with the offset after it. Raises StateError where one is damaged.

    With `torn` a last line without an end is passed over: a process was killed while it wrote it.
    """
    decode = msgspec.json.Decoder(Cause | Entry).decode
    try:
        with path.open("rb") as file:
            at = file.seek(start)
            for line in file:
                if torn and not line.endswith(b"\n"):
                    return
                at += len(line)
                yield at, decode(line)
    except (OSError, msgspec.DecodeError) as error:
        raise StateError(f"the quarantine {path} can't be read: {getattr(error, 'strerror', None) or error}") from error


def _key(stage: str, writer: str | None, module: Module, error: str, message: str) -> tuple[str | None, ...]:
    return stage, writer, *module, error, _VARYING.sub("…", message)


_VARYING = re.compile(r"""(?<!\w)'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\d+""")
