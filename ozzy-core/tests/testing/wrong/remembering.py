"""Stages that remember something in a wrong way, each in one way."""
# ruff: noqa: E501, RUF012

import itertools
from pathlib import Path

from ozzy import BaseFilter, BaseGrouper, BaseTransform
from ozzy.testing import FilterContract, GrouperContract, TransformContract


class Counting(BaseTransform):
    """Numbers records."""

    count = 0

    def transform_batch(self, batch):
        for item in batch:
            self.count += 1
            yield {**item, "number": self.count}

    def get_state(self):
        return self.count

    def set_state(self, state):
        self.count = state


class NotRestored(Counting):
    """Ignores what it is given back."""

    def set_state(self, state):
        """Nothing."""


class TestNotRestored(TransformContract):
    module = NotRestored
    says = {
        "test_restored_it_goes_on_as_if_never_interrupted": r"NotRestored: restored after record 1, row 1 of the rest is .*\"number\": 1\}.* instead of .*\"number\": 2\}.*: what it remembers is not all in get_state\(\), set_state\(\) does not take it back"
    }


class HalfOfIt(BaseFilter):
    """Its state is half of what it remembers."""

    count = 0
    last = None

    def filter(self, item):
        self.count += 1
        kept = self.count % 3 != 0 or item.get("country") != self.last
        self.last = item.get("country")
        return kept

    def get_state(self):
        return self.last

    def set_state(self, state):
        self.last = state


class TestHalfOfIt(FilterContract):
    module = HalfOfIt
    records = [{"id": number, "country": "es"} for number in range(8)]
    says = {"test_restored_it_goes_on_as_if_never_interrupted": r"HalfOfIt: restored after record 1, row \d of the rest is"}


class NotRolledBack(BaseFilter):
    """Keeps what it has seen on disk, and its state says only where."""

    def filter(self, item):
        file = Path(self.metadata.working_folder) / "seen"
        seen = file.read_text().split() if file.exists() else []
        if str(item.get("id")) in seen:
            return False
        file.write_text(" ".join([*seen, str(item.get("id"))]))
        return True

    def get_state(self):
        return "seen"

    def set_state(self, state):
        """It is on disk."""


class TestNotRolledBack(FilterContract):
    module = NotRolledBack
    says = {
        "test_restored_it_goes_on_as_if_never_interrupted": r"NotRolledBack: restored after record 1, row 1 of the rest is .*or it is kept where a new module finds what came later"
    }


class InItsClass(BaseGrouper):
    """Counts in its class."""

    counter = itertools.count()

    def key(self, item):
        return str(next(self.counter) // 5)

    def get_state(self):
        return 0

    def set_state(self, state):
        """Nothing."""


class TestInItsClass(GrouperContract):
    module = InItsClass
    says = {"test_restored_it_goes_on_as_if_never_interrupted": r"InItsClass: restored after record 1, row 1 of the rest is"}


class ASet(Counting):
    """Its state is a set."""

    def get_state(self):
        return {self.count}


class TestASet(TransformContract):
    module = ASet
    says = {"test_what_it_remembers_can_be_saved": r"ASet: after 1 records its state holds a set, which can't be saved"}


class CountsQuestions(Counting):
    """Asking for its state changes it."""

    def get_state(self):
        self.count += 1
        return self.count


class TestCountsQuestions(TransformContract):
    module = CountsQuestions
    says = {
        "test_what_it_remembers_can_be_saved": r"CountsQuestions: after 0 records get_state\(\) gives another state when it is asked again"
    }


class ResetByQuestions(Counting):
    """Asked for its state, it forgets it."""

    def get_state(self):
        self.count, self.before = 0, self.count or getattr(self, "before", 0)
        return self.before


class TestResetByQuestions(TransformContract):
    module = ResetByQuestions
    says = {"test_what_it_remembers_can_be_saved": r"record 2 comes out as .* instead of .*, because get_state\(\) was called before"}


class OneMore(Counting):
    """Restored, it is not where it was."""

    def set_state(self, state):
        self.count = state + 1


class TestOneMore(TransformContract):
    module = OneMore
    says = {"test_a_state_is_not_changed_by_what_comes_later": r"OneMore: restored from .*12.*, get_state\(\) gives 13"}


class OnlyGives(BaseFilter):
    """Has a state and can't take it back."""

    def filter(self, item):
        return True

    def get_state(self):
        return 1


class TestOnlyGives(FilterContract):
    module = OnlyGives
    says = {"test_a_memory_is_given_and_taken": r"OnlyGives: it has no set_state\(\)"}
