"""Stages that remember something as they should pass their suites."""

from datetime import date

from ozzy import BaseFilter, BaseGrouper, BaseTransform
from ozzy.testing import FilterContract, GrouperContract, TransformContract


class Unseen(BaseFilter):
    """Keeps the first record of each country."""

    def __init__(self, options=None, metadata=None):
        super().__init__(options, metadata)
        self.seen = {}

    def filter(self, item):
        new = repr(item.get("country")) not in self.seen
        self.seen[repr(item.get("country"))] = date(2024, 2, 29)
        return new

    def get_state(self):
        return self.seen

    def set_state(self, state):
        self.seen = state


class TestUnseen(FilterContract):
    module = Unseen


class Numbered(BaseTransform):
    """Numbers records."""

    one_to_one = True
    count = 0

    def transform_batch(self, batch):
        for item in batch:
            self.count += 1
            yield {**item, "number": self.count}

    def get_state(self):
        return (self.count,) if self.count else None

    def set_state(self, state):
        (self.count,) = state


class TestNumbered(TransformContract):
    module = Numbered


class InTurn(BaseGrouper):
    """Three records to each of two groups in turn."""

    count = 0

    def key(self, item):
        self.count += 1
        return "ab"[(self.count - 1) // 3 % 2]

    def get_state(self):
        return self.count

    def set_state(self, state):
        self.count = state


class TestInTurn(GrouperContract):
    module = InTurn


class Rarely(BaseFilter):
    """Would keep the first million records."""

    count = 0

    def filter(self, item):
        self.count += 1
        return self.count <= 1_000_000

    def get_state(self):
        return self.count

    def set_state(self, state):
        self.count = state


class TestRarely(FilterContract):
    """Its memory never shows: the suite says that in a skip."""

    module = Rarely
