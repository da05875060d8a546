"""A reader that plays a script: records, and between them the faults a source may have.

A crash and a resume are six lines:

    items = [{"id": 1}, {"id": 2}, Abort(), {"id": 3}]
    config = {"name": "x", "reader": {"name": "scripted", "options": {"items": items}}, "writer": …}
    with pytest.raises(SourceError):
        ozzy.run(config, registry=registry())
    ozzy.run(config, registry=registry(), resume=True)
"""

import itertools
import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, ClassVar

from ozzy import BaseReader, Batch, Rejected, SourceError, Split, option, options

MARK = "$ozzy.testing"
_serial = itertools.count(1)
_met: set[int] = set()


class Marker(dict[str, Any]):
    """A fault among the items of a script. It is a mapping, so that a config may hold it."""


class Abort(Marker):
    """Reading fails here with a SourceError, the first time this process comes by; later it is passed over."""

    def __init__(self, message: str = "the script says so") -> None:
        super().__init__({MARK: "abort", "message": message, "serial": next(_serial)})


class End(Marker):
    """The source ends here, the first time this process comes by; a later run finds what comes after it."""

    def __init__(self) -> None:
        super().__init__({MARK: "end", "serial": next(_serial)})


class Pause(Marker):
    """The source has nothing yet: an empty batch, after so many seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__({MARK: "pause", "seconds": seconds})


class Bad(Marker):
    """A row that is no record: `line` is what stood there, `message` what is wrong with it."""

    def __init__(self, line: str = "{", message: str = "a bad row of the script") -> None:
        super().__init__({MARK: "bad", "message": message, "line": line})


@options
class ScriptedOptions:
    """Options of the scripted reader."""

    items: list[dict[str, Any]] = option(default=[], help="Records, with Abort(), End(), Pause() and Bad() between them.")
    count: int = option(default=0, minimum=0, help="So many made-up records, each with an `id`, after the items.")
    batch_size: int = option(default=10, minimum=1, help="Rows in a batch, at the most.")


class ScriptedReader(BaseReader):
    """Gives the records of its script, in batches that end before each marker but `Bad`. A position is the number of items behind it."""

    Options: ClassVar[type] = ScriptedOptions

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        at = position or 0
        while at < self._length and not self._met_end(at):
            begun, records, rejected, origin = at, [], [], []
            while at < self._length and at - begun < self.options.batch_size:
                item = self._item(at)
                if item.get(MARK) == "bad":
                    rejected.append(Rejected(f"script, item {at + 1}", item["message"], item["line"].encode()))
                elif MARK in item:
                    break
                else:
                    records.append(item)
                    origin.append(at)
                at += 1
            if at == begun:
                self._pass(self._item(at))
                at += 1
            yield Batch.from_records(records, split=split.id, position=at, rejected=rejected, origin=origin)

    @property
    def _length(self) -> int:
        return len(self.options.items) + int(self.options.count)

    def _item(self, at: int) -> dict[str, Any]:
        if at < len(self.options.items):
            return deepcopy(dict(self.options.items[at]))
        number = at - len(self.options.items)
        return {"id": number, "name": f"näme {number}", "text": "x" * (number * 37 % 200), "country": ("es", "uk", "日本")[number % 3]}

    def _met_end(self, at: int) -> bool:
        return self._item(at).get(MARK) == "end" and _first_time(self._item(at))

    def _pass(self, marker: dict[str, Any]) -> None:
        if marker[MARK] == "pause":
            time.sleep(marker["seconds"])
        elif marker[MARK] == "abort" and _first_time(marker):
            raise SourceError(f"reading was aborted: {marker['message']}")


def _first_time(marker: dict[str, Any]) -> bool:
    met = marker["serial"] in _met
    _met.add(marker["serial"])
    return not met
