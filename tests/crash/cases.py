"""The pipelines of the soak: every formatter and grouper there is, with codecs, schedules, stages and writers.

A module that can be used without options joins by being installed. One that needs options joins by a line in `SETTINGS`.
"""

import gzip
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

import ozzy
from ozzy.data.codecs import CODECS

FIELDS = ["id", "pair", "country", "name", "note", "n"]

AVRO = {
    "type": "record",
    "name": "sample",
    "fields": [{"name": "id", "type": "long"}, {"name": "country", "type": "string"}, {"name": "note", "type": "string"}],
}

TABLE = {"schema": {"id": "int64", "country": "string", "note": "string"}, "extra_fields": "drop"}

SETTINGS: dict[tuple[str, str], dict[str, dict[str, Any]]] = {
    ("formatter", "arrow"): {"arrow": TABLE},
    ("formatter", "avro"): {"avro": {"schema": AVRO}},
    ("formatter", "csv"): {"csv": {"fields": FIELDS}, "csv, columns discovered": {"discover": True}},
    ("formatter", "feather"): {"feather": TABLE},
    ("formatter", "json"): {"json lines": {}, "json array": {"jsonlines": False}},
    ("formatter", "parquet"): {"parquet": TABLE},
    ("formatter", "tests.crash.memory:Sealed"): {"one that can't be continued": {}},
    ("grouper", "file_key"): {"file_key, 6 groups": {"keys": ["country"]}, "file_key, 300 groups": {"keys": ["bucket"]}},
    ("grouper", "python_exp"): {"python_exp": {"python_expressions": ["item['country'][:1]", "item['id'] % 3"]}},
    ("grouper", "time"): {"time": {"field": "at", "unit": "s", "format": "%Y-%m-%d"}},
    ("grouper", "tests.crash.memory:EachInTurn"): {"one that remembers": {}},
}
"""Variants of modules by their kind and name: what a variant is called, and its options."""

SCHEDULES: dict[str, dict[str, Any]] = {
    "unset: a full one at the end": {},
    "light, by records": {"every_records": 300},
    "light, each batch": {"every_records": 1},
    "light, by bytes": {"every_bytes": 20_000},
    "light and full": {"every_records": 200, "full_every": {"records": 700}},
    "full only": {"full_every": {"records": 400}},
    "full, by staged bytes": {"staged_limit": 60_000},
}

ACTIVE = {"name": "key_value", "options": {"keys": [{"name": "active", "value": True}]}}
NUMBERED = {"name": "tests.crash.memory:Numbered", "options": {"field": "id"}}
STAGES: dict[str, dict[str, Any]] = {
    "none": {},
    "filter": {"filter": ACTIVE},
    "filter that remembers": {"filter": {"name": "tests.crash.memory:Distinct", "options": {"field": "pair"}}},
    "filter and transform that remember": {
        "filter_before": {"name": "tests.crash.memory:Distinct", "options": {"field": "pair"}},
        "transform": NUMBERED,
        "filter_after": ACTIVE,
    },
}

NAMED = {"name": "key_value", "options": {"keys": [{"name": "country", "operator": "in", "value": ["es", "uk", "日本"]}]}}
WRITERS: dict[str, list[dict[str, Any]]] = {
    "one": [{"filebase": "OUT/GROUP/part"}],
    "one, rolled by rows": [{"filebase": "OUT/GROUP/part", "items_per_buffer_write": 70, "generate_md5": True}],
    "one, rolled by bytes": [{"filebase": "OUT/GROUP/part", "size_per_buffer_write": 9_000}],
    "one, overwriting, with a manifest": [{"filebase": "OUT/GROUP/part", "if_exists": "overwrite", "manifest": "manifest.json"}],
    "one, by source": [{"filebase": "OUT/{source}GROUP"}],
    "two, one of them chooses": [{"filebase": "OUT/all/GROUP/x"}, {"filebase": "OUT/named/GROUP/x", "when": NAMED}],
    "three, one chooses and remembers": [
        {"filebase": "OUT/all/GROUP/x", "items_per_buffer_write": 90},
        {"filebase": "OUT/half/GROUP/x", "when": "tests.crash.memory:EveryOther"},
        {"filebase": "OUT/named/GROUP/x", "when": NAMED},
    ],
}
"""Options of each writer; `when` among them, and GROUP for the place of the group in the name, where there are groups."""


@attrs.frozen
class Case:
    """One pipeline: for each axis what was chosen, and its config, in which OUT and SOURCE stand for folders."""

    choices: dict[str, str]
    text: str

    def config(self, source: Path, out: Path) -> dict[str, Any]:
        """The config of a run from one folder to another."""
        config: dict[str, Any] = json.loads(self.text.replace("OUT", str(out)).replace("SOURCE", str(source)))
        return config

    def __str__(self) -> str:
        return "; ".join(f"{axis}: {choice}" for axis, choice in self.choices.items())


def axes() -> dict[str, dict[str, Any]]:
    """What there is to choose from, by axis: names, and what each stands for."""
    return {
        "formatter": modules("formatter"),
        "codec": {name: name for name in CODECS},
        "grouper": modules("grouper"),
        "checkpoints": SCHEDULES,
        "stages": STAGES,
        "writers": WRITERS,
    }


def modules(kind: str) -> dict[str, dict[str, Any]]:
    """Every module of a kind that is installed, and those of the tests, as sections of a config by what they are called."""
    names = [row.name for row in ozzy.Registry.load().rows(kind) if row.error is None]
    names += [name for of_kind, name in SETTINGS if of_kind == kind and ":" in name]
    found = {}
    for name in names:
        for called, options in SETTINGS.get((kind, name), {name: {}}).items():
            found[called] = {"name": name, "options": options}
    return found


def left_out(every: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Modules that can't be used as they stand here, and why: they want a line in `SETTINGS`."""
    found = {}
    for kind in ("formatter", "grouper"):
        for called, section in every[kind].items():
            plain = {"reader": "random", "writer": {"name": "fs", "options": {"filebase": "out/x"}}, kind: section}
            try:
                ozzy.validate(plain)
            except ozzy.OzzyError as error:
                found[f"{kind} {called}"] = " ".join(str(error).split())
    return found


def cases(every: Mapping[str, Mapping[str, Any]], rnd: random.Random) -> Iterator[Case]:
    """Cases without end. Of each axis all choices come equally often, in random company."""
    decks: dict[str, list[str]] = {axis: [] for axis in every}
    while True:
        choices = {}
        for axis, deck in decks.items():
            if not deck:
                deck.extend(every[axis])
                rnd.shuffle(deck)
            choices[axis] = deck.pop()
        yield case(every, choices)


def case(every: Mapping[str, Mapping[str, Any]], choices: dict[str, str]) -> Case:
    """The pipeline of these choices."""
    chosen = {axis: every[axis][choice] for axis, choice in choices.items()}
    grouped = chosen["grouper"]["name"] != "no_grouper"
    writers = []
    for number, given in enumerate(chosen["writers"]):
        options = dict(given) | {"compression": chosen["codec"]}
        when = options.pop("when", None)
        of_group = "/{groups[0]}" if grouped else ""
        options["filebase"] = options["filebase"].replace("/GROUP", of_group).replace("GROUP", of_group)
        writers.append({"name": "fs", "label": f"w{number}", "options": options} | ({"when": when} if when else {}))
    config = {
        "name": "soak",
        "reader": {"name": "fs", "options": {"input": "SOURCE", "batch_size": 90}},
        "formatter": chosen["formatter"],
        "grouper": chosen["grouper"],
        "writer": writers,
        "checkpoint": chosen["checkpoints"],
        **chosen["stages"],
    }
    return Case(choices, json.dumps(config, ensure_ascii=False))


COUNTRIES = ["es", "uk", "de", "España", "日本", "../etc"]


def make_source(folder: Path, records: int, files: int, seed: int) -> None:
    """Seeded records as JSON lines, in gzip files."""
    rnd = random.Random(seed)
    folder.mkdir(parents=True)
    for part in range(files):
        numbers = range(part * records // files, (part + 1) * records // files)
        text = "".join(json.dumps(_record(number, rnd), ensure_ascii=False) + "\n" for number in numbers)
        (folder / f"part-{part}.jl.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))


def _record(number: int, rnd: random.Random) -> dict[str, Any]:
    return {
        "id": number,
        "pair": number // 2 * 2 + rnd.randrange(2),
        "country": rnd.choice(COUNTRIES),
        "bucket": f"b{number * 7919 % 300 if number % 3 else number % 20}",
        "active": rnd.random() < 0.8,
        "at": 1_700_000_000 + number * 3_600,
        "name": f'näme "{number}", with a comma',
        "note": "".join(rnd.choice("abcdefgh ") for _ in range(rnd.randrange(200))),
        "n": {"a": [number, 2**64 + number, None]},
    }
