"""The states of stages in checkpoints, and stages that remember something where records are bad."""

import json

import pytest

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.data.batch import Batch
from ozzy.errors import DataError, StateError
from ozzy.run.books import Books
from ozzy.run.error_policy import ErrorPolicy
from ozzy.run.stages import FilterStage, GroupStage
from ozzy.run.states import restore_states, saved_states


class Holds(BaseFilter):
    """Remembers whatever it is given."""

    def __init__(self, state=None):
        super().__init__()
        self.state = state

    def get_state(self):
        return self.state

    def set_state(self, state):
        self.state = state


class Unseen(BaseFilter):
    """Keeps what it has not seen; a number below zero is an error."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def filter(self, item):
        if item["n"] < 0:
            raise ValueError("below zero")
        new = item["n"] not in self.seen
        self.seen.append(item["n"])
        return new

    def get_state(self):
        return self.seen

    def set_state(self, state):
        self.seen = state


class Pairs(BaseGrouper):
    """Two records to a group."""

    count = 0

    def key(self, item):
        if item["n"] < 0:
            raise ValueError("below zero")
        self.count += 1
        return str((self.count - 1) // 2)

    def get_state(self):
        return self.count

    def set_state(self, state):
        self.count = state


def stage(module, name="filter_before"):
    return FilterStage(name, module, Books(), ErrorPolicy())


@pytest.mark.parametrize(
    "state", [None, True, 0, -1.5, "日本 \x00", [], {"a": [1, 2.0, {"b": None}], "": ""}, (1, (2,)), {1: b"x"}, list(range(10_000))]
)
def test_a_state_comes_back_as_it_was(state):
    saved = saved_states([stage(Holds(state))])
    other = stage(Holds())
    restore_states([other], json.loads(json.dumps(saved)))

    assert list(saved) == ["filter_before"]
    assert other.module.state == state


def test_what_is_saved_does_not_change_with_later_batches():
    made = stage(Holds({"seen": [1]}))
    saved = saved_states([made])
    made.module.state["seen"].append(2)

    assert saved == {"filter_before": {"seen": [1]}}


def test_a_stage_that_remembers_nothing_is_not_asked():
    class Plain(BaseFilter):
        pass

    assert saved_states([stage(Plain())]) == {}
    restore_states([stage(Plain())], {})


@pytest.mark.parametrize("state", [{1, 2}, float("nan"), [float("inf")], object(), "\ud800"], ids=lambda state: type(state).__name__)
def test_a_state_that_can_not_be_saved_names_its_stage(state):
    with pytest.raises(StateError, match=r"^what es.when \(Holds\) remembers "):
        saved_states([stage(Holds(state), "es.when")])


def test_a_stage_that_has_learnt_to_remember_or_forgotten_how_is_refused():
    with pytest.raises(StateError, match=r"holds no state of transform \(Holds\), which remembers something"):
        restore_states([stage(Holds(), "transform")], {})
    with pytest.raises(StateError, match="holds a state of transform, which remembers nothing any more"):
        restore_states([], {"transform": 1})


def batch(*numbers):
    return Batch.from_records([{"n": number} for number in numbers], split="a.jl", origin=range(len(numbers)))


def test_a_bad_record_leaves_no_trace_of_those_around_it():
    """Trying a batch again record by record would find every record seen already."""
    made = FilterStage("filter", Unseen(), Books(), ErrorPolicy("skip"))

    assert [record["n"] for record in made(batch(1, 2, -1, 2, 3)).records] == [1, 2, 3]
    assert [record["n"] for record in made(batch(3, 4)).records] == [4]
    assert made.books.to_dict()["filter"] == {"in": 7, "out": 4, "reasons": {"bad": 1, "filtered": 2}, "reshapes": False}


def test_a_grouper_counts_each_record_once():
    made = GroupStage("grouper", Pairs(), Books(), ErrorPolicy("skip"))

    assert [record["n"] for record in made(batch(1, -1, 2, 3)).records] == [1, 2, 3]
    assert list(made.keys) == [("0",), ("0",), ("1",)]


@pytest.mark.parametrize(
    "made", [FilterStage("stage", Unseen(), Books(), ErrorPolicy()), GroupStage("stage", Pairs(), Books(), ErrorPolicy())]
)
def test_a_failing_one_is_not_asked_again(made):
    """What it remembers now is of a batch that failed: which record it would fail at says nothing."""
    with pytest.raises(DataError, match=r"a.jl, records 1 to 3: stage \(\w+\): ValueError: below zero"):
        made(batch(1, 1, -1))
