"""Writer `aggregation`: which fields records have, and how many have them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import attrs
import msgspec

from ozzy.builtin.writers.summary import SummaryOptions, SummaryWriter
from ozzy.contracts.writer import GroupKey, WriterContext
from ozzy.data.batch import Batch
from ozzy.options.option import option, options

KEY = "aggregation"
_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@options
class AggregationOptions(SummaryOptions):
    """Options of the aggregation."""

    counters_limit: int = option(
        default=100_000,
        minimum=1,
        help="How many fields, those of each group counted anew, are told apart; occurrences of further ones are added up.",
    )


@attrs.define
class Counts:
    """The records of one kind, and of each field how many of them have it. `others` adds up what is beyond the limit."""

    records: int = 0
    fields: Counter[str] = attrs.field(factory=Counter, converter=Counter)
    others: int = 0

    def add(self, records: int, found: Mapping[str, int], room: int) -> int:
        """Count records and their fields; returns how many fields are new, which are at most `room`."""
        self.records += records
        new = [name for name in found if name not in self.fields]
        for name in new[room:]:
            self.others += found[name]
        passed_over = set(new[room:])
        self.fields.update({name: count for name, count in found.items() if name not in passed_over} if passed_over else found)
        return min(len(new), room)

    def told(self) -> dict[str, Any]:
        """As a user reads it: occurrences, and coverage in percent of the records."""
        fields = {name: {"occurrences": count, "coverage": _percent(count, self.records)} for name, count in self.fields.items()}
        return {"records": self.records, "fields": fields, **({"other_fields": self.others} if self.others else {})}


class AggregationWriter(SummaryWriter):
    """Counts how many records have each field at their top, and what percentage that is; with a grouper, for each group too.

    Nothing is written but the result: it is logged at the end, a field a line; it stands in what the run gives back (`summaries`), in the
    metadata of writers under `aggregation`, and in a JSON file where a `path` is given. A field that is null is there. The counts are kept
    in memory and in each checkpoint: `counters_limit` bounds them.
    """

    Options: ClassVar[type] = AggregationOptions
    face: ClassVar[str] = "names of fields"

    def start(self, context: WriterContext) -> None:
        super().start(context)
        self.all = Counts()
        self.groups: dict[GroupKey, Counts] = {}
        self._room: int = self.options.counters_limit

    def write_batch(self, batch: Batch, group_key: GroupKey | None = None) -> None:
        self.write_groups(batch, {group_key or (): range(len(batch))})

    def write_groups(self, batch: Batch, groups: Mapping[GroupKey, Sequence[int]]) -> None:
        rows: list[Iterable[str]] = list(map(_fields_of, batch.lines) if "lines" in batch.faces else batch.records)
        self._room -= self.all.add(len(rows), Counter(chain.from_iterable(rows)), self._room)
        for key, members in groups.items() if self.context.grouped else ():
            counts = self.groups.get(key)
            if counts is None:
                if self._room <= 0:
                    continue
                self._room -= 1
                counts = self.groups[key] = Counts()
            self._room -= counts.add(len(members), Counter(chain.from_iterable(rows[row] for row in members)), self._room)
        self.absorbed += len(rows)

    def finish_writing(self) -> None:
        found = self.value(self.state())
        for name, counted in found["fields"].items():
            self.logger.info("field", field=name, **counted)
        self.set_metadata(KEY, found)

    def state(self) -> Any:
        groups = [[list(key), _saved(counts)] for key, counts in self.groups.items()]
        return {"all": _saved(self.all), "groups": groups, "room": self._room, "grouped": self.context.grouped}

    def restore(self, state: Any) -> None:
        if state is not None:
            self.all = Counts(*state["all"])
            self.groups = {tuple(key): Counts(*counts) for key, counts in state["groups"]}
            self._room = state["room"]

    def value(self, state: Any) -> Any:
        told = Counts(*state["all"]).told()
        if not state["grouped"]:
            return told
        groups = [{"group": key, **Counts(*counts).told()} for key, counts in state["groups"]]
        beyond = told["records"] - sum(group["records"] for group in groups)
        return {**told, "groups": groups, **({"records_of_other_groups": beyond} if beyond else {})}


def _saved(counts: Counts) -> list[Any]:
    return [counts.records, dict(counts.fields), counts.others]


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2)
