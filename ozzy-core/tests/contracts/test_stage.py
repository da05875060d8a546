"""What tells a stage that remembers something from one that does not."""

import pytest

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.contracts.stage import half_stateful, stateful
from ozzy.contracts.transform import BaseTransform
from ozzy.contracts.writer import BaseWriter


class Counting(BaseFilter):
    def get_state(self):
        return 1

    def set_state(self, state):
        pass


class Heir(Counting):
    pass


class Mute(BaseTransform):
    def set_state(self, state):
        pass


class Deaf(BaseGrouper):
    def get_state(self):
        return 1


@pytest.mark.parametrize("base", [BaseFilter, BaseTransform, BaseGrouper])
def test_a_stage_remembers_nothing_unless_it_says_so(base):
    made = base()

    assert made.get_state() is None
    assert made.set_state({"n": 1}) is None
    assert (stateful(made), half_stateful(made)) == (False, None)


def test_one_that_does_is_told_as_such():
    assert (stateful(Counting()), stateful(Heir())) == (True, True)
    assert half_stateful(Heir()) is None


@pytest.mark.parametrize(("made", "missing"), [(Mute(), "get_state"), (Deaf(), "set_state")])
def test_half_of_it_is_told_by_what_is_missing(made, missing):
    assert half_stateful(made) == missing


def test_other_modules_have_states_of_their_own():
    """A writer is continued by its receipt."""
    assert (stateful(BaseWriter()), half_stateful(BaseWriter()), stateful(object())) == (False, None, False)
