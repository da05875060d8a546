"""Which records go to which writer, and how the books tell it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.writer import BaseWriter, Staging
from ozzy.data.batch import Batch
from ozzy.errors import BooksError, DataError
from ozzy.run.books import Books
from ozzy.run.error_policy import ErrorPolicy
from ozzy.run.outlets import Outlet
from ozzy.run.routing import Routing


class Below(BaseFilter):
    """Takes numbers below a bound; a negative one is an error."""

    def __init__(self, bound):
        super().__init__()
        self.bound = bound

    def filter(self, item):
        if item["n"] < 0:
            raise ValueError("below zero")
        return item["n"] < self.bound


class Kept(BaseWriter):
    staging = Staging.DURABLE

    def __init__(self, limit=0):
        super().__init__({"options": {"items_limit": limit}})
        self.calls = []

    def write_batch(self, batch, group_key=None):
        self.calls.append((group_key, [record["n"] for record in batch.records]))

    @property
    def numbers(self):
        return [number for _, numbers in self.calls for number in numbers]


class Desk:
    """Writers beside each other, those with a bound behind a filter."""

    def __init__(self, *writers, policy=None):
        self.books, self.errors = Books(), policy or ErrorPolicy()
        self.books.open("reader")
        labelled = {f"w{i}": (writer, bound) for i, (writer, bound) in enumerate(writers)}
        filters = {label: Below(bound) for label, (_, bound) in labelled.items() if bound is not None}
        self.routing = Routing(filters, labelled, self.books, self.errors)
        self.outlets = [Outlet(label, writer, self.books, self.errors) for label, (writer, _) in labelled.items()]

    def write(self, numbers, keys=None):
        batch = Batch.from_records([{"n": number} for number in numbers], split="a.jl", origin=range(len(numbers)))
        self.books.enter("reader", len(numbers), len(numbers))
        rows = self.routing(batch)
        return [outlet.write(batch, keys, rows.get(outlet.label)) for outlet in self.outlets]

    def balanced(self):
        for outlet in self.outlets:
            outlet.settle({})
        self.books.check()
        return {name: (one["in"], one["out"], one["reasons"]) for name, one in self.books.to_dict().items() if name != "reader"}


def test_each_writer_gets_what_its_filter_takes_and_the_rest_is_unrouted():
    small, smaller = Kept(), Kept()
    desk = Desk((small, 5), (smaller, 2))

    assert desk.write(range(10)) == [None, None]
    assert (small.numbers, smaller.numbers) == ([0, 1, 2, 3, 4], [0, 1])
    assert desk.balanced() == {
        "routing": (10, 5, {"unrouted": 5}),
        "w0.when": (10, 5, {"not taken": 5}),
        "w1.when": (10, 2, {"not taken": 8}),
        "w0": (5, 5, {}),
        "w1": (2, 2, {}),
    }


def test_nothing_is_unrouted_beside_a_writer_that_takes_all():
    everything, none = Kept(), Kept()
    desk = Desk((everything, None), (none, 0))
    desk.write([3, 1, 2])

    assert (everything.numbers, none.calls) == ([3, 1, 2], [])
    assert desk.balanced()["routing"] == (3, 3, {})


def test_one_writer_that_takes_all_is_handed_the_batch_as_it_is():
    seen = []

    class Looks(Kept):
        def write_batch(self, batch, group_key=None):
            seen.append(batch)

    desk = Desk((Looks(), 9))
    batch = Batch.from_lines([b'{"n": 1}', b'{"n": 2}'])
    desk.outlets[0].write(batch, None, desk.routing(batch)["w0"])

    assert seen == [batch]
    assert seen[0].lines == [b'{"n": 1}', b'{"n": 2}']


def test_rows_keep_their_groups():
    writer = Kept()
    desk = Desk((writer, 4))
    desk.write([0, 9, 1, 8, 2], [("a",), ("b",), ("b",), ("a",), ("a",)])

    assert writer.calls == [(("a",), [0, 2]), (("b",), [1])]


def test_a_limit_cuts_in_terms_of_the_whole_batch():
    """The run ends after the last row that a writer took; what was not for it is passed over."""
    desk = Desk((Kept(limit=2), 5))

    assert desk.write([9, 1, 9, 2, 9, 3, 9]) == [4]
    assert desk.outlets[0].full
    assert desk.write([4, 9]) == [0]
    assert desk.write([9, 9]) == [0]
    assert desk.balanced()["w0"] == (4, 2, {"limited": 2})
    assert desk.balanced()["routing"] == (11, 4, {"unrouted": 7})


def test_a_writer_that_is_not_full_is_done_with_a_batch_it_takes_nothing_of():
    assert Desk((Kept(limit=2), 5)).write([9, 9]) == [None]


def test_a_bad_record_of_a_filter_fails_with_its_place():
    desk = Desk((Kept(), 5), (Kept(), None))
    with pytest.raises(DataError, match=r"a.jl, record 2: w0.when \(Below\): ValueError: below zero"):
        desk.write([1, -1])


def test_a_bad_record_of_one_filter_is_none_of_other_writers():
    told, picky, other = [], Kept(), Kept()
    policy = ErrorPolicy("skip", on_reject=lambda stage, rejected: told.append((stage, rejected.where)))
    desk = Desk((picky, 5), (other, None), policy=policy)
    desk.write([1, -1, 2, 9])

    assert (picky.numbers, other.numbers) == ([1, 2], [1, -1, 2, 9])
    assert told == [("w0.when", "a.jl, record 2")]
    assert desk.balanced()["w0.when"] == (4, 2, {"bad": 1, "not taken": 1})
    assert desk.balanced()["routing"] == (4, 4, {})


def test_a_bad_record_that_nobody_takes_is_unrouted():
    desk = Desk((Kept(), 5), policy=ErrorPolicy("skip"))
    desk.write([1, -1, 9])

    assert desk.balanced()["routing"] == (3, 1, {"unrouted": 2})


def test_a_filter_that_answers_for_too_few_is_caught():
    desk = Desk((Kept(), 5))
    desk.routing.routes["w0"].module.mask = lambda batch: [True]
    with pytest.raises(DataError, match=r"w0.when \(Below\) gave a mask of 1 for 3 records"):
        desk.write([1, 2, 3])


@settings(max_examples=60, deadline=None)
@given(
    bounds=st.lists(st.one_of(st.none(), st.integers(0, 20)), min_size=1, max_size=4),
    batches=st.lists(st.lists(st.integers(-2, 20), max_size=12), max_size=5),
)
def test_books_balance_whatever_is_routed(bounds, batches):
    writers = [(Kept(), bound) for bound in bounds]
    if all(bound is None for bound in bounds):
        bounds[0] = 10
        writers[0] = (writers[0][0], 10)
    desk = Desk(*writers, policy=ErrorPolicy("skip"))
    for numbers in batches:
        desk.write(numbers)
    numbers = [number for batch in batches for number in batch]
    taken = [number for number in numbers if any(bound is None or 0 <= number < bound for bound in bounds)]
    routed = desk.balanced()["routing"]

    assert (routed[0], routed[1], routed[2].get("unrouted", 0)) == (len(numbers), len(taken), len(numbers) - len(taken))
    for writer, bound in writers:
        assert writer.numbers == [number for number in numbers if bound is None or 0 <= number < bound]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda books: books.enter("w0", 1, 1), "2 records went to w0, which was given 3"),
        (lambda books: books.enter("w0.when", 1, 1), "3 records went to w0.when, which was given 4"),
        (lambda books: books.enter("routing", 1, 1), "3 records went to routing, which was given 4"),
        (lambda books: books.stages["routing"].reasons.clear(), "routing was given 3 records and accounts for 2"),
    ],
)
def test_books_that_do_not_balance_name_the_stage(change, message):
    desk = Desk((Kept(), 5))
    desk.write([1, 2, 9])
    desk.balanced()
    change(desk.books)
    with pytest.raises(BooksError, match=message):
        desk.books.check()


@pytest.mark.parametrize(("routed", "unrouted"), [(1, 2), (3, 0)])
def test_what_was_routed_lies_between_what_one_writer_and_all_took(routed, unrouted):
    desk = Desk((Kept(), 5), (Kept(), 0))
    desk.write([1, 2, 9])
    desk.balanced()
    desk.books.stages["routing"].records_out = routed
    desk.books.stages["routing"].reasons["unrouted"] = unrouted
    with pytest.raises(BooksError, match=f"routing has {routed} records for some writer, and the writers took 2 and 0"):
        desk.books.check()


def test_time_is_told_for_each_route():
    desk = Desk((Kept(), 5), (Kept(), None))
    desk.write(random.Random(1).choices(range(9), k=2000))

    assert list(desk.routing.seconds()) == ["w0.when"]
    assert desk.routing.seconds()["w0.when"] > 0
