"""Whether the source of a resumed run is still the one that was listed when it began, part by part."""

from collections.abc import Iterable
from typing import Any

import attrs

from ozzy.contracts.reader import Split
from ozzy.errors import SourceError
from ozzy.run.schedule import SplitList

SHOWN = 20


@attrs.define(eq=False, repr=False)
class SourceChanges:
    """What differs: parts that are still to be read, the one in the middle of which the run stands, parts already read, and new ones."""

    ahead: dict[str, Split | None] = attrs.field(factory=dict)
    underway: str | None = None
    behind: list[str] = attrs.field(factory=list)
    new: list[str] = attrs.field(factory=list)

    @property
    def accepted(self) -> dict[str, Any]:
        """What is to be read instead of the parts that were listed, as JSON: None for one that is gone."""
        return {
            name: None if split is None else {"fingerprint": split.fingerprint, "size": split.size} for name, split in self.ahead.items()
        }

    def decide(self, run: str, *, accept: bool, incremental: bool = False) -> list[str]:
        """What a user should be told, where the run may go on. Raises SourceError that names each part where it may not.

        An `incremental` run can't read a part as it is now: its bookmark knows the part as it was, so the next run would read it again.
        """
        lines = [f"{name} {'is gone' if split is None else 'has changed'}" for name, split in self.ahead.items()]
        if self.underway is not None:
            raise SourceError(
                _text(run, [f"{self.underway} has changed or is gone, and the run stands in the middle of it", *lines]),
                hint="Its position means nothing there any more. Put the source back, or start anew with --fresh.",
            )
        if incremental and any(split is not None for split in self.ahead.values()):
            raise SourceError(
                _text(run, lines),
                hint="The bookmark knows it as it was, so the next run would read it again. Put it back, or start anew with --fresh.",
            )
        if lines and not accept:
            raise SourceError(
                _text(run, lines),
                hint="None of it was read yet. Put it back, go on with it as it is now with --accept-changes, or start anew with --fresh.",
            )
        told = [f"accepted: {line}" for line in lines]
        if self.behind:
            told.append(f"changed or gone since they were read: {_few(self.behind)}")
        if self.new:
            told.append(f"new in the source, and left for the next run: {_few(self.new)}")
        return told


def compared(listed: SplitList, now: Iterable[Split], split: int, *, begun: bool) -> SourceChanges:
    """Compare the list of a run with what its reader lists now. The run stands at a split, which is `begun` or not.

    A part without a fingerprint can't be compared, and counts as unchanged.
    """
    present = {one.id: one for one in now}
    found = SourceChanges()
    known = set()
    for number, old in listed.after(0):
        known.add(old.id)
        new = present.get(old.id)
        if not old.fingerprint or (new is not None and new.fingerprint == old.fingerprint):
            continue
        if number < split:
            found.behind.append(old.id)
        elif number == split and begun:
            found.underway = old.id
        else:
            found.ahead[old.id] = new
    found.new = [name for name in present if name not in known]
    return found


def comparable(listed: SplitList) -> bool:
    """Whether a list has anything that a change could be seen by."""
    return any(split.fingerprint for _, split in listed.after(0))


def _text(run: str, lines: list[str]) -> str:
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return f"the source has changed since run {run} began:\n" + "\n".join(f"  {line}" for line in [*lines[:SHOWN], *more])


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
