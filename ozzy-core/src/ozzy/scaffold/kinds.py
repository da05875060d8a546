"""What a new plugin has for each kind of module that it offers."""

import difflib

import attrs

from ozzy.errors import ConfigError
from ozzy.hookspecs import KINDS


@attrs.frozen
class Sample:
    """A module that works, of one kind.

    `file` is its file in the package, `cls` what the name of its class ends in, `summary` its line in `ozzy plugins list`. `server` names
    the part of the server that its tests talk to, None where they talk to none.
    """

    kind: str
    file: str
    cls: str
    summary: str
    server: str | None = None


SAMPLES = {
    sample.kind: sample
    for sample in (
        Sample("reader", "reader", "Reader", "Records of collections on a server, in their order.", "collections"),
        Sample("deserializer", "decoder", "Decoder", "Lines of pairs, such as id=5."),
        Sample("filter", "filter", "Filter", "Records whose field is one of some texts."),
        Sample("transform", "transform", "Transform", "Texts without white space at their ends."),
        Sample("grouper", "grouper", "Grouper", "By the first letters of a field."),
        Sample("formatter", "formatter", "Formatter", "Lines of pairs, such as id=5."),
        Sample("writer", "writer", "Writer", "Records into a collection on a server, each exactly once.", "collections"),
        Sample("persistence", "persistence", "Persistence", "State on a server, for any machine to go on with.", "documents"),
        Sample("stats_manager", "stats_manager", "StatsManager", "The seconds of each stage, in a file."),
        Sample("notifications", "notifier", "Notifier", "Messages to a room on a server.", "rooms"),
    )
}

_OTHER_WORDS = {
    "decoder": "deserializer",
    "notification": "notifications",
    "notifier": "notifications",
    "stats": "stats_manager",
}

NO_SAMPLE = {
    "bypass": "A bypass joins a reader and a writer that are there: begin with reader,writer and add one, as the page on copying tells.",
    "engine": "An engine does the work of whole runs: begin with another kind and add one, as the page on contracts tells.",
}
"""Kinds that a new plugin does not begin with, each with the way to them."""


def samples_of(text: str) -> tuple[Sample, ...]:
    """The samples of the kinds that a user typed with commas between, in the order of `KINDS`.

    Raises ConfigError that names all that are no kinds.
    """
    words = dict.fromkeys(word.strip() for word in text.split(",") if word.strip())
    wrong = [word for word in words if word not in SAMPLES]
    if wrong or not words:
        told = ", ".join(map(repr, wrong)) or "nothing"
        raise ConfigError(f"--kind names {told}", hint=" ".join(NO_SAMPLE[word] for word in wrong if word in NO_SAMPLE) or _hint(wrong))
    return tuple(SAMPLES[kind] for kind in KINDS if kind in words)


def _hint(wrong: list[str]) -> str:
    near = [_near(word) for word in wrong]
    meant = f"Did you mean {','.join(filter(None, near))}? " if all(near) and near else ""
    return f"{meant}Kinds are {', '.join(SAMPLES)}, one or several with commas between."


def _near(word: str) -> str | None:
    known = difflib.get_close_matches(word.lower(), [*SAMPLES, *_OTHER_WORDS], n=1)
    return _OTHER_WORDS.get(known[0], known[0]) if known else None
