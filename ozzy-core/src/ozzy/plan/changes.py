"""What a resumed run may find changed: what can't matter, what the user has to answer for, and what can't be gone on with.

Nothing is changed by who is told of a run and how often it is saved. All else may change what comes out: that is for the user to accept.
Never acceptable is what the run's own past depends on: its position belongs to its reader, its files to the place and the form in which
they were begun, its books to its stages.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ozzy.errors import StateError
from ozzy.plan.signature import harmless, shown

WITHOUT_BYTES = ("items_limit", "if_exists", "check_consistency", "items_per_buffer_write", "size_per_buffer_write")
"""Options of writers of files that no byte of a file already begun depends on."""

BELONGS_TO_THE_RUN = {
    "filebase": "the run's staged and published files lie where it said",
    "generate_md5": "the checksums of the files before were taken, or not, by what it said",
    "manifest": "the run keeps the manifest it began with",
}


class Verdict(enum.Enum):
    """Whether a run may go on with a change."""

    SAFE = "safe"
    ASK = "ask"
    NEVER = "never"


@attrs.frozen
class Change:
    """One thing that is not as it was when the run began: `what` was and is, and `why` it is never acceptable."""

    path: str
    what: str
    verdict: Verdict
    why: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f" ({self.why})" if self.why else "")


@attrs.frozen
class Standing:
    """What a run has behind it: its labels of `writers`, empty before the first checkpoint, and whether anything is `staged`.

    `files` are the writers of files among them; `light` says whether checkpoints publish nothing unless they are full.
    """

    writers: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    staged: bool = False
    light: bool = True

    @property
    def begun(self) -> bool:
        """Whether a checkpoint was taken."""
        return bool(self.writers)


def changed_values(before: Mapping[str, Any], now: Mapping[str, Any], standing: Standing) -> list[Change]:
    """The changes between two signatures, in the order of their paths."""
    found = []
    for path in sorted({*before, *now}):
        if (path in before) != (path in now) or before.get(path) != now.get(path):
            verdict, why = _judged(path, before, now, standing)
            found.append(Change(path, f"was {shown(before, path)}, is {shown(now, path)}", verdict, why))
    return found


def changed_versions(before: Mapping[str, str], now: Mapping[str, str], telling: Iterable[str]) -> list[Change]:
    """The packages that have another version now; those that only `telling` of a run needs are safe."""
    told = set(telling)
    return [
        Change(f"package {name}", f"was {before[name]}, is {now[name]}", Verdict.SAFE if name in told else Verdict.ASK)
        for name in sorted({*before, *now})
        if name in before and name in now and before[name] != now[name]
    ]


def decide(changes: Iterable[Change], run: str, *, accepted: bool) -> list[Change]:
    """The changes, where the run may go on with them. Raises StateError that says exactly what differs where it may not."""
    changes = list(changes)
    never = [change for change in changes if change.verdict is Verdict.NEVER]
    asked = [change for change in changes if change.verdict is Verdict.ASK]
    if never:
        raise StateError(
            f"run {run} can't go on with what has changed since it began:\n" + _lines(never + asked),
            hint=f"Put back {'what has a reason beside it' if asked else 'what has changed'}, or start anew with --fresh.",
        )
    if asked and not accepted:
        raise StateError(
            f"the pipeline has changed since run {run} began:\n" + _lines(asked),
            hint="What comes from here on may not fit what came before. Put it back, go on all the same with --accept-changes,\n"
            "or start anew with --fresh.",
        )
    return changes


def _lines(changes: Iterable[Change]) -> str:
    return "\n".join(f"  {change}" for change in changes)


def _judged(path: str, before: Mapping[str, Any], now: Mapping[str, Any], standing: Standing) -> tuple[Verdict, str]:
    stage, _, rest = path.partition(".")
    if path.startswith("persistence."):
        return Verdict.NEVER, "the run's checkpoint is kept there"
    if rest == "options.filebase" and stage in standing.files:
        return Verdict.NEVER, BELONGS_TO_THE_RUN["filebase"]
    if harmless(path) and (standing.light or not path.startswith("checkpoint.")):
        return Verdict.SAFE, ""
    if _loses_nothing(path, before, now):
        return Verdict.SAFE, ""
    if not standing.begun:
        return Verdict.ASK, ""
    why = _past(path, before, now, standing)
    return (Verdict.NEVER, why) if why else (Verdict.ASK, "")


def _loses_nothing(path: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a change is one of the `errors` of the pipeline or of a stage, and no record comes to harm that did not before."""
    if _LIMIT_OF_ERRORS.fullmatch(path):
        return True
    if not _POLICY_OF_ERRORS.fullmatch(path):
        return False
    was, becomes = (values.get(path) or values.get("errors.policy") for values in (before, now))
    return was in {"fail", becomes} or becomes == "quarantine"


_LIMIT_OF_ERRORS = re.compile(r"([^.]+\.)?(\d+\.)?(when\.)?errors\.limit")
_POLICY_OF_ERRORS = re.compile(r"([^.]+\.)?(\d+\.)?(when\.)?errors\.policy")


def _past(path: str, before: Mapping[str, Any], now: Mapping[str, Any], standing: Standing) -> str:
    """What of the run's past depends on a value, empty where nothing does."""
    stage, _, rest = path.partition(".")
    if stage in {"reader", "transform"} and rest[:1].isdigit():
        number, _, rest = rest.partition(".")
        stage = f"{stage}.{number}"
    if stage.startswith("reader.") and rest == "label":
        return "the run's parts of the source are called by it"
    one_sided = (path in before) != (path in now)
    if rest == "name":
        if one_sided:
            return "the records before went another way, and the books of the run say so"
        if stage.startswith("reader"):
            return "the run's position is that of the former reader"
        if stage in standing.writers:
            return "what the run has written belongs to the former writer"
        if stage.startswith("transform"):
            return "the books of the run were kept for the former transform"
    if rest.startswith("options.write_buffer") and stage in standing.writers:
        return "the run's sample was drawn by it"
    if rest.startswith("when."):
        return "the records before were chosen another way, and the books of the run say so" if rest == "when.name" and one_sided else ""
    if standing.staged and stage in {"formatter", *standing.writers}:
        option = rest.removeprefix("options.").partition(".")[0]
        if stage == "formatter" or (stage in standing.files and option == "compression"):
            return "staged files were begun in the former format"
        if option not in WITHOUT_BYTES and option not in BELONGS_TO_THE_RUN:
            return "staged data may depend on it"
    if stage in standing.files:
        return BELONGS_TO_THE_RUN.get(rest.removeprefix("options."), "")
    return ""
