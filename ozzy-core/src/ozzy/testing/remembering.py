"""What stages that remember something from batch to batch promise: what they remember is all in their state, and comes back from it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ozzy import StateError
from ozzy.contracts.stage import half_stateful, stateful
from ozzy.data.positions import pack, unpack
from ozzy.testing.batches import BatchContract, Record
from ozzy.testing.verdict import as_text, shown


class RememberingContract(BatchContract):
    """The base of the suites for filters, groupers and transforms: the part about `get_state` and `set_state`.

    It is skipped for modules that have neither. The samples are given twice over, so that a module that looks for what it has seen finds
    some; where what it remembers makes no difference even then, give `records` with which it does.
    """

    def test_a_memory_is_given_and_taken(self) -> None:
        """Who has `get_state` has `set_state` too."""
        if missing := half_stateful(self.make()):
            self.broken(f"it has no {missing}(): a module that remembers something has both get_state() and set_state(state)")

    def test_what_it_remembers_can_be_saved(self) -> None:
        """After any number of records, as JSON or what else a position may hold; asking for it changes nothing."""
        self._needs_memory()
        asked, unasked = self.make(), self.make()
        for number, record in enumerate(self._records(), 1):
            self._saved(asked, number)
            if as_text(asked.get_state()) != as_text(asked.get_state()):
                self.broken(f"after {number - 1} records get_state() gives another state when it is asked again")
            wanted, got = self._given(unasked, [record], number - 1), self._given(asked, [record], number - 1)
            if as_text(wanted) != as_text(got):
                self.broken(
                    f"record {number} comes out as {shown(got)} instead of {shown(wanted)}, because get_state() was called before it"
                )

    def test_restored_it_goes_on_as_if_never_interrupted(self) -> None:
        """After every record: a new module that is given the state makes of the rest what the old one makes of it.

        The old one does the rest first, as a run does that is killed before its next checkpoint.
        """
        self._needs_memory()
        records = self._records()
        matters = False
        for number in range(1, len(records)):
            folder = self.folder / f"remembered-{number}"
            old = self._at_work(folder)
            self._given(old, records[:number], 0)
            state = self._saved(old, number)
            expected = self._given(old, records[number:], number)
            old.close()
            new = self._at_work(folder)
            if state is not None:
                new.set_state(unpack(json.loads(json.dumps(state))))
            self._compare(expected, self._given(new, records[number:], number), number)
            matters = matters or as_text(expected) != as_text(self._given(self.make(), records[number:], number))
        if not matters:
            pytest.skip("what it remembers makes no difference to the samples: give `records` with which it does")

    def test_a_state_is_not_changed_by_what_comes_later(self) -> None:
        """What was saved stays as it was, and a restored module does not write into what it was given."""
        self._needs_memory()
        records = self._records()
        half = len(records) // 2
        folder = self.folder / "remembered"
        old = self._at_work(folder)
        self._given(old, records[:half], 0)
        saved = as_text(self._saved(old, half))
        given = unpack(json.loads(saved))
        old.close()
        new = self._at_work(folder)
        if given is not None:
            new.set_state(given)
        if as_text(self._saved(new, half)) != saved:
            self.broken(f"restored from {shown(saved)}, get_state() gives {shown(self._saved(new, half))}")

    def _needs_memory(self) -> None:
        if not stateful(self.make()):
            pytest.skip("it remembers nothing: it has no get_state()")

    def _at_work(self, folder: Path) -> Any:
        """A new module with a folder of its own, as a run gives it one; the next one finds there what this one leaves."""
        module = self.make()
        module.state_folder = folder
        return module

    def _records(self) -> list[Record]:
        return [*self.samples, *self.samples]

    def _given(self, module: Any, records: Sequence[Record], first: int) -> Sequence[Any]:
        return list(self.outcome(module, self.batch(records, first=first)))

    def _saved(self, module: Any, number: int) -> Any:
        try:
            return pack(module.get_state(), "its state")
        except StateError as error:
            self.broken(f"after {number} records {error}")

    def _compare(self, expected: Sequence[Any], got: Sequence[Any], number: int) -> None:
        if as_text(list(expected)) == as_text(list(got)):
            return
        for row, (one, other) in enumerate(zip(expected, got, strict=False), 1):
            if as_text(one) != as_text(other):
                what = f"row {row} of the rest is {shown(other)} instead of {shown(one)}"
                break
        else:
            what = f"there are {len(got)} rows of the rest instead of {len(expected)}"
        self.broken(
            f"restored after record {number}, {what}: what it remembers is not all in get_state(), set_state() does not take it back, "
            "or it is kept where a new module finds what came later"
        )
