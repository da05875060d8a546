"""Filters that are joined judge as one; each is asked only where the answer still depends on it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.builtin.filters.key_value import KeyValueFilter
from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.filter_chain import FilterChain, called
from ozzy.contracts.stage import half_stateful, stateful
from ozzy.data.batch import Batch
from ozzy.errors import DataError, DestinationError, StateError


class Divisible(BaseFilter):
    """Keeps numbers that a divisor divides, and notes what it is asked."""

    reads = ("n",)

    def __init__(self, divisor):
        super().__init__()
        self.divisor = divisor
        self.asked = []

    def mask(self, batch):
        numbers = [number for (number,) in batch.select(("n",))]
        self.asked += numbers
        return [number % self.divisor == 0 for number in numbers]


class Unseen(BaseFilter):
    def __init__(self):
        super().__init__()
        self.seen = []

    def filter(self, item):
        new = item["n"] not in self.seen
        self.seen.append(item["n"])
        return new

    def get_state(self):
        return self.seen or None

    def set_state(self, state):
        self.seen = state


class Failing(BaseFilter):
    def __init__(self, error):
        super().__init__()
        self.error = error
        self.closed = False

    def mask(self, batch):
        raise self.error

    def close(self):
        self.closed = True
        raise self.error


def joined(word, *members):
    return FilterChain(word, [(f"{word}.{number}", member) for number, member in enumerate(members)])


def batch(*numbers):
    return Batch.from_lines([json.dumps({"n": number}).encode() for number in numbers])


def test_and_asks_of_what_all_before_have_kept():
    two, three, five = Divisible(2), Divisible(3), Divisible(5)

    assert joined("and", two, three, five).mask(batch(1, 2, 6, 30, 15)) == [False, False, False, True, False]
    assert (two.asked, three.asked, five.asked) == ([1, 2, 6, 30, 15], [2, 6, 30], [6, 30])


def test_or_asks_of_what_none_before_has_kept():
    two, three, five = Divisible(2), Divisible(3), Divisible(5)

    assert joined("or", two, three, five).mask(batch(1, 2, 9, 30, 25)) == [False, True, True, True, True]
    assert (two.asked, three.asked, five.asked) == ([1, 2, 9, 30, 25], [1, 9, 25], [1, 25])


def test_not_keeps_what_its_member_does_not():
    assert joined("not", Divisible(2)).mask(batch(1, 2, 3)) == [True, False, True]


def test_nobody_is_asked_of_nothing():
    last = Divisible(1)
    assert joined("and", Divisible(7), last).mask(batch(1, 2)) == [False, False]
    assert joined("or", Divisible(1), last).mask(batch(1, 2)) == [True, True]
    assert last.asked == []


def test_one_record():
    chain = joined("or", Divisible(2), joined("not", Divisible(3)))

    assert [chain.filter({"n": number}) for number in (1, 2, 3, 6)] == [True, True, False, True]


class Total(Divisible):
    total = True


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["and", "or"]),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.lists(st.integers(0, 60), min_size=1, max_size=30),
)
def test_members_that_judge_anything_are_asked_of_all_and_it_comes_to_the_same(word, divisors, numbers):
    apart, at_once = ([kind(divisor) for divisor in divisors] for kind in (Divisible, Total))

    assert joined(word, *at_once).mask(batch(*numbers)) == joined(word, *apart).mask(batch(*numbers))
    assert [member.asked for member in at_once] == [numbers] * len(divisors)
    assert joined(word, *at_once).total
    assert not joined(word, *at_once, *apart).total


def test_a_value_that_nobody_has_to_look_at_need_not_be_one():
    members = [KeyValueFilter({"options": {"keys": [{"name": name, "value": 1}]}}) for name in ("a", "b")]
    lines = [b'{"a":1,"b":1e999}', b'{"a":2,"b":1}']

    assert joined("or", *members).mask(Batch.from_lines(lines)) == [True, True]
    with pytest.raises(DataError, match=r"or.1 \(KeyValueFilter\): number out of range") as caught:
        joined("or", *members).mask(Batch.from_lines([lines[1], b'{"a":0,"b":1e999}']))
    assert caught.value.row == 1


def test_lines_stay_lines():
    rows = batch(1, 2, 3, 4)
    joined("and", Divisible(2), Divisible(4)).mask(rows)

    assert rows.faces == ("lines",)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.lists(st.integers(0, 60), max_size=30))
def test_any_tree_says_what_its_members_say(data, numbers):
    def tree(depth):
        word = data.draw(st.sampled_from(["and", "or", "not", "leaf"] if depth else ["leaf"]))
        if word == "leaf":
            divisor = data.draw(st.integers(1, 6))
            return Divisible(divisor), lambda number: number % divisor == 0
        below = [tree(depth - 1) for _ in range(1 if word == "not" else data.draw(st.integers(1, 3)))]
        tests = [test for _, test in below]
        told = {
            "and": lambda number: all(test(number) for test in tests),
            "or": lambda number: any(test(number) for test in tests),
            "not": lambda number: not tests[0](number),
        }
        return joined(word, *[member for member, _ in below]), told[word]

    chain, expected = tree(3)
    assert list(chain.mask(batch(*numbers))) == [expected(number) for number in numbers]


def test_what_it_reads_is_what_its_members_read():
    class Other(Divisible):
        reads = ("m", "n")

    class Any(BaseFilter):
        pass

    assert joined("and", Divisible(1), Other(1)).reads == ("n", "m")
    assert joined("and", Divisible(1), Any()).reads is None


def test_it_remembers_if_a_member_does():
    plain = joined("and", Divisible(1), joined("not", Divisible(2)))
    remembering = joined("and", Divisible(1), joined("not", Unseen()))

    assert (stateful(plain), stateful(remembering)) == (False, True)
    assert (half_stateful(plain), half_stateful(remembering)) == (None, None)
    assert plain.get_state() is None


def test_states_of_members_are_kept_by_place():
    chain = joined("or", Divisible(2), joined("and", Unseen(), Unseen()), Unseen())
    assert chain.mask(batch(1, 2, 3, 1)) == [True, True, True, True]
    state = json.loads(json.dumps(chain.get_state()))

    assert state == {"or.1": {"and.0": [1, 3, 1], "and.1": [1, 3]}, "or.2": [1]}
    again = joined("or", Divisible(2), joined("and", Unseen(), Unseen()), Unseen())
    again.set_state(state)
    assert again.get_state() == state
    assert again.mask(batch(3, 5)) == [True, True]
    assert again.members["or.2"].seen == [1, 3]


def test_a_state_of_a_place_that_is_not_there_is_refused():
    with pytest.raises(StateError, match=r"a state of or.7, where no filter is"):
        joined("or", Unseen()).set_state({"or.7": [1]})


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no number"), "or.1 (Failing): ValueError: no number"),
        (DataError("is bad"), "or.1 (Failing): is bad"),
    ],
)
def test_an_error_names_the_place_of_its_member(error, message):
    with pytest.raises(DataError) as raised:
        joined("or", Divisible(2), Failing(error)).mask(batch(1, 2))

    assert raised.value.message.startswith(message.partition("ValueError")[0])
    assert "no number" in raised.value.message or "is bad" in raised.value.message
    assert raised.value.__cause__ is error


def test_the_row_of_an_error_is_that_of_the_whole():
    chain = joined("or", Divisible(2), joined("and", Divisible(3), Failing(DataError("is bad", row=1, hint="Mend it."))))
    with pytest.raises(DataError) as raised:
        chain.mask(batch(2, 3, 4, 5, 9))

    assert (raised.value.message, raised.value.row, raised.value.hint) == ("or.1.and.1 (Failing): is bad", 4, "Mend it.")


def test_other_errors_pass():
    error = DestinationError("no room")
    with pytest.raises(DestinationError) as raised:
        joined("not", Failing(error)).mask(batch(1))
    assert raised.value is error


def test_a_mask_of_another_length_is_refused():
    class Short(BaseFilter):
        def mask(self, batch):
            return [True]

    with pytest.raises(DataError, match=r"^and.1 \(Short\): gave a mask of 1 for 2 records$"):
        joined("and", Divisible(1), Short()).mask(batch(1, 2))


def test_every_member_is_closed():
    several = [Failing(ValueError(str(number))) for number in range(3)]
    with pytest.raises(ValueError, match=r"^0$"):
        joined("and", *several).close()
    assert all(one.closed for one in several)
    joined("and", Divisible(1)).close()


def test_it_is_called_by_its_members():
    chain = joined(
        "and", Divisible(2), joined("or", Unseen(), joined("not", Divisible(3))), joined("not", joined("and", Unseen(), Unseen()))
    )

    assert called(chain) == "Divisible and (Unseen or not Divisible) and not (Unseen and Unseen)"
    assert called(Unseen()) == "Unseen"
