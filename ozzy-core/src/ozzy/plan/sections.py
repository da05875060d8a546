"""The parts of a config: sections that name modules, and settings that belong to none."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import attrs

from ozzy.errors import Problem
from ozzy.log import LEVELS, hidden_by_name
from ozzy.options.settings import (
    COMPRESSIONS,
    DELIVERIES,
    JUDGING,
    KEYS,
    PLACES,
    WITHOUT_MEANING,
    CheckpointSettings,
    ErrorSettings,
    ExporterOptions,
    NotifyWhen,
    StageErrorSettings,
)
from ozzy.options.strict import convert
from ozzy.options.structure import examine, nearest, proposal
from ozzy.options.values import displayed, kind_word, one_of
from ozzy.plan import inherited

T = TypeVar("T")
SECTION_KEYS = ("name", "options")
CHAINS = ("and", "or", "not")
"""What joins filters to one."""
MORE_KEYS = {"writer": ("label", "when"), "notifications": ("when",), "filter": CHAINS}
"""What a section of a kind may have beside its name and options."""
READER_KEYS = ("label", "deserializer", "decompressor")
"""What one of several readers may have beside them."""
TOLERATED_KEYS = ("log_level", "logger_name")
STAGES = (
    "reader",
    "filter_before",
    "transform",
    "filter_after",
    "grouper",
    "formatter",
    "persistence",
    "stats_manager",
    "notifications",
    "bypass",
    "engine",
)
ROUTING = "routing"
DEFAULTS = {"formatter": "json", "engine": "local", "persistence": "file", "stats_manager": "basic"}


@attrs.frozen
class Section:
    """One module as a config names it: `path` is where it stands (`transform.0`), `options` are as given, with variables put in.

    `label` tells writers apart, and is None where there is one without a label; `when` is the filter that decides which records a
    writer gets, None for all; `told_when` says of which runs a notifier is told, None for all. A chain of filters has `members`, and is
    called `and`, `or` or `not`. One of several readers may have a `label`, and a `deserializer` and a `decompressor` of its own.
    `errors` is what is done with records that this module refuses, None where the pipeline's settings hold.
    """

    path: str
    kind: str
    name: str
    options: dict[str, Any] = attrs.field(factory=dict, repr=lambda options: repr(hidden_by_name(options)))
    label: str | None = None
    when: "Section | None" = None
    told_when: NotifyWhen | None = None
    members: "tuple[Section, ...]" = ()
    deserializer: "Section | None" = None
    decompressor: "Section | None" = None
    errors: StageErrorSettings | None = None

    def modules(self) -> "Iterator[Section]":
        """The sections that name a module each: this one, or those that a chain is made of."""
        if self.name in CHAINS and self.kind == "filter":
            for member in self.members:
                yield from member.modules()
        else:
            yield self


_NO_READER = Section("reader", "reader", "")


class Parts:
    """Takes a config apart. What is wrong goes to `problems`, what should be told to `notices`."""

    def __init__(self, tree: Mapping[str, Any], environ: Mapping[str, str], problems: list[Problem]) -> None:
        self.tree = tree
        self.environ = environ
        self.problems = problems
        self.notices: list[str] = []
        self.inherited = "exporter_options" in tree or any(_is_inherited(name) for name in _names(tree))

    def taken(self) -> dict[str, Any]:
        """Every part by the name it has in a Config."""
        self.top_level()
        old = self.exporter_options()
        filters = self.filters()
        return {
            "name": self.text("name"),
            "readers": self.readers(),
            "decompressor": self.decompressor("decompressor", self.tree),
            "deserializer": self.section("deserializer"),
            "filter_before": filters,
            "transforms": self.several("transform"),
            "filter_after": self.section("filter_after"),
            "grouper": self.section("grouper"),
            "formatter": self.moved("formatter", old) or _default("formatter"),
            "writers": self.writers(),
            "engine": self.engine(),
            "persistence": self.section("persistence") or _default("persistence"),
            "stats_manager": self.section("stats_manager") or _default("stats_manager"),
            "notifications": self.all_notifications(old),
            "errors": self.error_settings(),
            "checkpoint": self.settings("checkpoint", CheckpointSettings, self.tree.get("checkpoint", {})),
            "exporter_options": old,
            "delivery": self.delivery(),
            "bookmark": self.bookmark(),
            "bypasses": self.bypasses(old),
            "inherited": self.inherited,
            "notices": self.notices,
            "problems": self.problems,
        }

    def wrong(self, path: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(path, message, hint))

    def top_level(self) -> None:
        """Unknown keys."""
        for key in self.tree:
            if key not in KEYS and self.inherited:
                self.notices.append(f"{key}: unknown key, ignored")
            elif key not in KEYS:
                self.wrong(key, "unknown key", nearest(key, KEYS, limit=len(KEYS)))

    def text(self, key: str) -> str | None:
        """A text that may be left out."""
        value = self.tree.get(key)
        if key not in self.tree:
            return None
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, f"expected a text that is not empty, given {displayed(value)}")
            return None
        return str(value)

    def delivery(self) -> str | None:
        """The guarantee that is asked for."""
        value = self.text("delivery")
        if value is not None and value not in DELIVERIES:
            self.wrong("delivery", f"expected {one_of(DELIVERIES)}, given {displayed(value)}", proposal(value, DELIVERIES))
            return None
        return value

    def bookmark(self) -> bool:
        """Whether a run reads only what is new."""
        given = self.tree.get("bookmark", False)
        value, flaws = convert(given, bool)
        if flaws:
            self.wrong("bookmark", f"expected true or false, given {displayed(given)}")
        return not flaws and bool(value)

    def bypasses(self, old: ExporterOptions) -> list[Section] | None:
        """The bypasses to try, in this order; None for those that are installed, none where they are switched off."""
        value = self.tree.get("bypass")
        if old.prevent_bypass or value is False:
            return []
        if "bypass" not in self.tree or value is True:
            return None
        return self.several("bypass")

    def engine(self) -> Section | None:
        """The engine, where one is given; one of which only options are given is the default one."""
        value = self.tree.get("engine")
        if isinstance(value, Mapping):
            value = {"name": DEFAULTS["engine"], **value}
        return self.one("engine", PLACES["engine"].kind, value) if "engine" in self.tree else None

    def settings(self, path: str, cls: type[T], values: Any) -> T:
        """Settings that belong to no module, or their defaults where they are wrong."""
        examined = examine(cls, values, path=path, environ=self.environ)
        self.problems += examined.problems
        return cls() if examined.problems else examined.value

    def error_settings(self) -> ErrorSettings:
        """`errors: skip` is the same as `errors: {policy: skip}`."""
        return self.settings("errors", ErrorSettings, _policy_alone(self.tree.get("errors", {})))

    def stage_errors(self, path: str, kind: str, value: Mapping[str, Any]) -> StageErrorSettings | None:
        """The `errors` of one section, in the same two forms; None where it has none."""
        if kind not in JUDGING or "errors" not in value:
            return None
        return self.settings(f"{path}.errors", StageErrorSettings, _policy_alone(value["errors"]))

    def exporter_options(self) -> ExporterOptions:
        """The inherited options; those that change nothing any more are told."""
        values = self.tree.get("exporter_options", {})
        if isinstance(values, Mapping):
            for key, instead in WITHOUT_MEANING.items():
                if values.get(key) not in (None, False):
                    self.notices.append(f"exporter_options.{key}: accepted without effect, {instead}")
            level = values.get("log_level", "INFO")
            if isinstance(level, str) and level.upper() not in LEVELS:
                self.notices.append(f"exporter_options.log_level: unknown level {level!r}, INFO is used")
                level = "INFO"
            values = {**values, "log_level": level.upper() if isinstance(level, str) else level}
        return self.settings("exporter_options", ExporterOptions, values)

    def readers(self) -> list[Section]:
        """The readers: one, or those of a list in their order; one that is missing or wrong is a section without a name."""
        value = self.tree.get("reader")
        if "reader" not in self.tree:
            self.wrong("reader", "missing: a config has a reader", "a name, or {name, options}")
        elif not isinstance(value, list):
            return [self.one("reader", "reader", value) or _NO_READER]
        elif not value:
            self.wrong("reader", "expected at least one reader, given an empty list")
        else:
            return self._several_readers(value) or [_NO_READER]
        return [_NO_READER]

    def _several_readers(self, values: list[Any]) -> list[Section]:
        sections: list[Section] = []
        labelled: dict[str, str] = {}
        for number, value in enumerate(values):
            path = f"reader.{number}"
            section = self.one(path, "reader", value, READER_KEYS)
            if section is None:
                continue
            if isinstance(value, Mapping):
                section = attrs.evolve(
                    section,
                    label=self.label(path, value),
                    deserializer=self.one(f"{path}.deserializer", "deserializer", value["deserializer"])
                    if "deserializer" in value
                    else None,
                    decompressor=self.decompressor(f"{path}.decompressor", value),
                )
            if section.label in labelled:
                self.wrong(f"{path}.label", f"{labelled[section.label]} is called {section.label} too", "give each a label of its own")
            elif section.label is not None:
                labelled[section.label] = path
            sections.append(section)
        return sections

    def filters(self) -> Section | None:
        """`filter`, or `filter_before`: they are the same."""
        if "filter" in self.tree and "filter_before" in self.tree:
            if not self.inherited:
                self.wrong("filter_before", "given as filter too, which is the same", "keep one of them")
            else:
                self.notices.append("filter_before: ignored, since filter is given too")
        return self.section("filter" if "filter" in self.tree else "filter_before")

    def decompressor(self, path: str, tree: Mapping[str, Any]) -> Section | None:
        """The compression of the source, where `tree` names one: no module, but a word."""
        section = self.one(path, "decompressor", tree["decompressor"]) if "decompressor" in tree else None
        if section is None:
            return None
        word = inherited.DECOMPRESSORS.get(inherited.plain(section.name) or "", section.name)
        word = {"zlib": "auto", "no_decompressor": "none"}.get(word, word)
        if word not in COMPRESSIONS:
            self.wrong(path, f"expected {one_of(COMPRESSIONS)}, given {displayed(section.name)}", proposal(word, COMPRESSIONS))
        if section.options:
            self.wrong(f"{path}.options", "a decompressor takes no options")
        return attrs.evolve(section, name=word, options={})

    def moved(self, key: str, old: ExporterOptions) -> Section | None:
        """A section that may stand in `exporter_options` too."""
        value = self.from_exporter_options(key, old)
        return self.section(key) if value is None else self.one(f"exporter_options.{key}", PLACES[key].kind, value)

    def all_notifications(self, old: ExporterOptions) -> list[Section]:
        """The notifiers, from either place."""
        value = self.from_exporter_options("notifications", old)
        if value is None:
            return self.several("notifications")
        return self.list_of("exporter_options.notifications", "notifications", value)

    def from_exporter_options(self, key: str, old: ExporterOptions) -> Any:
        """What `exporter_options` say of a section, as it is written where that is possible; None where they say nothing."""
        values = self.tree.get("exporter_options")
        written = values.get(key) if isinstance(values, Mapping) else None
        value = getattr(old, key) if written is None else written
        if value is not None and key in self.tree:
            self.wrong(f"exporter_options.{key}", f"given as {key} too", "keep one of them")
        return value

    def writers(self) -> list[Section]:
        """The writers, each with a label of its own where they are several."""
        value = self.tree.get("writer")
        if "writer" not in self.tree:
            return []
        if not isinstance(value, list):
            found = self.one("writer", "writer", value)
            return [found] if found else []
        if not value:
            self.wrong("writer", "expected at least one writer, given an empty list")
        sections = self.list_of("writer", "writer", value)
        labelled: dict[str, Section] = {}
        for section in sections:
            label = section.label or re.split(r"[.:/]", section.name)[-1]
            if label in labelled:
                self.wrong(section.path, f"{labelled[label].path} is called {label} too", "give each writer a label of its own")
            labelled[label] = attrs.evolve(section, label=label)
        if ROUTING in labelled and any(section.when for section in labelled.values()):
            self.wrong(f"{labelled[ROUTING].path}.label", f"{ROUTING} is what the books count under", "call the writer something else")
        return list(labelled.values())

    def section(self, key: str) -> Section | None:
        """A section that may be left out."""
        if key not in self.tree:
            return None
        kind = PLACES[key].kind
        return self.filter(key, self.tree[key]) if kind == "filter" else self.one(key, kind, self.tree[key])

    def several(self, key: str) -> list[Section]:
        """A section that may be left out, or be a list of them."""
        return self.list_of(key, PLACES[key].kind, self.tree[key]) if key in self.tree else []

    def list_of(self, path: str, kind: str, value: Any) -> list[Section]:
        several = [(f"{path}.{i}", one) for i, one in enumerate(value)] if isinstance(value, list) else [(path, value)]
        return [section for where, one in several if (section := self.one(where, kind, one)) is not None]

    def one(self, path: str, kind: str, value: Any, more: tuple[str, ...] = ()) -> Section | None:
        """One section, or None where it makes no sense. It may have `more` keys than most."""
        if isinstance(value, str) and value.strip():
            return Section(path, kind, str(value).strip())
        if not isinstance(value, Mapping):
            self.wrong(path, f"expected the name of {_a(kind)}, or {{name, options}}, given {displayed(value)}")
            return None
        allowed = SECTION_KEYS + MORE_KEYS.get(kind, ()) + (("errors",) if kind in JUDGING else ()) + more
        for key in value:
            if key not in allowed and key not in TOLERATED_KEYS:
                self.wrong(f"{path}.{key}", "unknown key", nearest(key, allowed))
        name, options = value.get("name"), value.get("options")
        when = self.filter(f"{path}.when", value["when"]) if kind == "writer" and "when" in value else None
        errors = self.stage_errors(path, kind, value)
        if "name" not in value:
            self.wrong(f"{path}.name", f"missing; expected the name of {_a(kind)}")
        elif not isinstance(name, str) or not name.strip():
            self.wrong(f"{path}.name", f"expected the name of {_a(kind)}, given {displayed(name)}")
        if options is not None and not isinstance(options, Mapping):
            self.wrong(f"{path}.options", f"expected dict of options, given a {kind_word(options)}")
            return None
        if not isinstance(name, str) or not name.strip():
            return None
        label = self.label(path, value) if kind == "writer" else None
        told_when = self.told_when(path, value) if kind == "notifications" else None
        return Section(path, kind, str(name).strip(), dict(options or {}), label, when, told_when, errors=errors)

    def told_when(self, path: str, value: Mapping[str, Any]) -> NotifyWhen | None:
        """Of which runs a notifier is told; `when: failed` is the same as `when: {failed: true}`."""
        if "when" not in value:
            return None
        given = {"failed": True} if value["when"] == "failed" else value["when"]
        examined = examine(NotifyWhen, given, path=f"{path}.when", environ=self.environ)
        self.problems += examined.problems
        return None if examined.problems else examined.value

    def filter(self, path: str, value: Any) -> Section | None:
        """A filter, or a chain of them: a list, of which all have to pass, `{and: […]}`, `{or: […]}` or `{not: …}`."""
        if isinstance(value, list):
            return self.chain(path, path, "and", value)
        word = next((word for word in CHAINS if isinstance(value, Mapping) and word in value), None)
        if word is None:
            return self.one(path, "filter", value)
        for key in value:
            if key != word:
                self.wrong(f"{path}.{key}", f"stands beside {word}, which stands alone", "{and: […]}, {or: […]} or {not: …}; they nest")
        inner = value[word]
        if word == "not":
            member = self.member(f"{path}.not", inner)
            return Section(path, "filter", word, members=() if member is None else (member,))
        if not isinstance(inner, list):
            self.wrong(f"{path}.{word}", f"expected a list of filters, given {displayed(inner)}")
            return None
        return self.chain(path, f"{path}.{word}", word, inner)

    def chain(self, path: str, below: str, word: str, filters: list[Any]) -> Section:
        """Filters that judge as one; `below` is where their list stands."""
        if not filters:
            self.wrong(below, "expected at least one filter, given an empty list")
        members = [self.member(f"{below}.{i}", one) for i, one in enumerate(filters)]
        return Section(path, "filter", word, members=tuple([one for one in members if one is not None]))

    def member(self, path: str, value: Any) -> Section | None:
        """A filter of a chain, which has no policy of its own: a record that one can't handle is a bad record of the whole chain."""
        if isinstance(value, Mapping) and "errors" in value:
            self.wrong(f"{path}.errors", "a filter of a chain has none of its own", "set errors for the whole pipeline")
        return self.filter(path, value)

    def label(self, path: str, value: Mapping[str, Any]) -> str | None:
        """What a writer, or one of several readers, is called: part of names of folders and of parts, so it is short and plain."""
        label = value.get("label")
        if "label" not in value:
            return None
        if not isinstance(label, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", label):
            self.wrong(f"{path}.label", f"expected up to 64 letters, digits, _ and -, given {displayed(label)}")
        elif label in STAGES:
            self.wrong(f"{path}.label", f"{label} is the name of a stage", "call it something else")
        else:
            return str(label)
        return None


def _a(kind: str) -> str:
    return f"an {kind}" if kind == "engine" else f"a {kind}"


def _policy_alone(errors: Any) -> Any:
    """A policy that stands alone, as a mapping."""
    return {"policy": errors} if isinstance(errors, str) else errors


def _default(key: str) -> Section:
    return Section(key, PLACES[key].kind, DEFAULTS[key])


def _is_inherited(name: Any) -> bool:
    return isinstance(name, str) and (name.startswith("exporters.") or inherited.plain(name) is not None)


def _names(tree: Mapping[str, Any]) -> list[Any]:
    """The name of every module in a config."""
    values = [one for key in PLACES if key in tree for one in (tree[key] if isinstance(tree[key], list) else [tree[key]])]
    values += [one["when"] for one in values if isinstance(one, Mapping) and "when" in one]
    return [value.get("name") if isinstance(value, Mapping) else value for one in values for value in _unchained(one)]


def _unchained(value: Any) -> Iterator[Any]:
    """What a chain of filters is made of; anything else is itself."""
    inner = value if isinstance(value, list) else [value[word] for word in CHAINS if isinstance(value, Mapping) and word in value]
    if not inner:
        yield value
    for one in inner:
        yield from _unchained(one)
