from typing import Any, ClassVar

import pytest

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.contracts.transform import BaseTransform
from ozzy.data.batch import Batch, Rejected
from ozzy.errors import BooksError, DataError, OzzyError, SourceError
from ozzy.run.books import Books
from ozzy.run.error_policy import ErrorPolicy
from ozzy.run.stages import FilterStage, GroupStage, Stage, TransformStage, between, refused_row, where


class Positive(BaseFilter):
    def filter(self, item):
        return item["n"] > 0


class Half(BaseTransform):
    one_to_one = True

    def transform_batch(self, batch):
        for item in batch:
            yield {"n": 10 // item["n"]}


class Twice(BaseTransform):
    def transform_batch(self, batch):
        for item in batch:
            yield {"n": item["n"] // 1}
            if item["n"]:
                yield {"n": -item["n"]}


class Ready(BaseTransform):
    """Gives a batch back; a list of lines."""

    def transform_batch(self, batch):
        return Batch.from_lines([b'{"n":1}', b'{"n":2}'])


class ByNumber(BaseGrouper):
    def key(self, item):
        return 10 // item["n"]


def batch(*numbers: Any, first: int = 0) -> Batch:
    records = [{"n": number} for number in numbers]
    return Batch.from_records(records, split="in/a.jl", position={"row": 9}, origin=range(first, first + len(numbers)))


def numbers(batch: Batch) -> list[Any]:
    return [record["n"] for record in batch.records]


@pytest.fixture
def books():
    return Books()


def skipping(limit: int | None = None) -> ErrorPolicy:
    return ErrorPolicy("skip", limit)


# the policy


def test_failing_is_the_default():
    with pytest.raises(DataError) as caught:
        ErrorPolicy().reject("reader", Rejected("a.jl, record 3", "not JSON"))

    assert caught.value.message == "a.jl, record 3: not JSON"
    assert "`errors: {policy: quarantine}`" in caught.value.hint


def test_a_place_that_is_not_known_is_left_out():
    with pytest.raises(DataError) as caught:
        ErrorPolicy().reject("reader", Rejected("", "not JSON"))

    assert caught.value.message == "not JSON"


def test_skipping_counts_tells_and_stops_beyond_the_limit():
    told = []
    policy = ErrorPolicy("skip", 2, on_reject=lambda stage, rejected: told.append((stage, rejected.message)))
    policy.reject("reader", Rejected("a", "one"))
    policy.reject("filter", Rejected("b", "two"))
    with pytest.raises(DataError) as caught:
        policy.reject("transform", Rejected("c", "three"))

    assert caught.value.message == "more than 2 bad records; the last in transform: c: three"
    assert told == [("reader", "one"), ("filter", "two"), ("transform", "three")]
    assert policy.rejected == 3


def test_a_limit_of_none_bears_with_everything():
    policy = skipping()
    for _ in range(1000):
        policy.reject("reader", Rejected("", ""))

    assert policy.rejected == 1000


# filters


def test_a_filter_chooses(books):
    stage = FilterStage("filter_before", Positive(), books, ErrorPolicy())
    passed = stage(batch(1, 0, 2, -1))

    assert (numbers(passed), passed.origin, passed.split, passed.position) == ([1, 2], [0, 2], "in/a.jl", {"row": 9})
    assert books.to_dict()["filter_before"] == {"in": 4, "out": 2, "reasons": {"filtered": 2}, "reshapes": False}
    assert stage.seconds > 0


def test_an_empty_batch_is_not_given_to_a_module(books):
    class Never(BaseFilter):
        def mask(self, batch):
            raise AssertionError

    empty = batch()

    assert FilterStage("filter_before", Never(), books, ErrorPolicy())(empty) is empty


def test_a_filter_that_fails_names_the_record(books):
    with pytest.raises(DataError) as caught:
        FilterStage("filter_before", Positive(), books, ErrorPolicy())(batch(1, 2, "x", "y", first=100))

    assert caught.value.message.startswith("in/a.jl, record 103: filter_before (Positive): TypeError: ")
    assert isinstance(caught.value.__cause__, TypeError)
    assert books.to_dict()["filter_before"]["in"] == 0


def test_a_filter_that_fails_for_no_record_in_particular_names_the_batch(books):
    class Moody(BaseFilter):
        def mask(self, batch):
            if len(batch) > 1:
                raise ValueError("moody")
            return [True]

    with pytest.raises(DataError, match=r"^in/a.jl, records 1 to 3: filter_before \(Moody\): ValueError: moody"):
        FilterStage("filter_before", Moody(), books, ErrorPolicy())(batch(1, 2, 3))


def test_bad_records_of_a_filter_are_skipped(books):
    stage = FilterStage("filter_before", Positive(), books, skipping())
    passed = stage(batch(1, "x", 0, 2, None))

    assert (numbers(passed), passed.origin) == ([1, 2], [0, 3])
    assert books.to_dict()["filter_before"] == {"in": 5, "out": 2, "reasons": {"bad": 2, "filtered": 1}, "reshapes": False}
    books.check()


def test_a_filter_with_a_wrong_mask_is_told(books):
    class Short(BaseFilter):
        def mask(self, batch):
            return []

    for policy in (ErrorPolicy(), skipping()):
        with pytest.raises(DataError, match=r"^filter_before \(Short\) gave a mask of 0 for 2 records\nMend the module: "):
            FilterStage("filter_before", Short(), books, policy)(batch(1, 2))


def test_errors_of_services_are_no_bad_records(books):
    class Down(BaseFilter):
        def filter(self, item):
            raise SourceError("the list of customers can't be reached")

    for policy in (ErrorPolicy(), skipping()):
        with pytest.raises(SourceError, match="can't be reached"):
            FilterStage("filter_before", Down(), books, policy)(batch(1))
    assert books.to_dict()["filter_before"]["in"] == 0


# transforms


def test_a_transform_of_one_to_one_keeps_the_places(books):
    made = TransformStage("transform", Half(), books, ErrorPolicy())(batch(1, 2, 5, first=7))

    assert (numbers(made), list(made.origin), made.split, made.position) == ([10, 5, 2], [7, 8, 9], "in/a.jl", {"row": 9})
    assert books.to_dict()["transform"] == {"in": 3, "out": 3, "reasons": {}, "reshapes": False}


def test_a_transform_that_makes_records_of_its_own_loses_the_places(books):
    made = TransformStage("transform", Twice(), books, ErrorPolicy())(batch(1, 0, 2))

    assert (numbers(made), made.origin, made.position) == ([1, -1, 0, 2, -2], None, {"row": 9})
    assert books.to_dict()["transform"] == {"in": 3, "out": 5, "reasons": {}, "reshapes": True}


def test_a_transform_may_give_a_batch(books):
    made = TransformStage("transform", Ready(), books, ErrorPolicy())(batch(5))

    assert (made.lines, made.split, made.position) == ([b'{"n":1}', b'{"n":2}'], "in/a.jl", {"row": 9})


@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_a_transform_may_change_records_in_place_and_give_the_batch_back(policy, books):
    class Louder(BaseTransform):
        one_to_one = True

        def transform_batch(self, batch):
            for item in batch:
                item["n"] += 1
            return batch

    lines = Batch.from_lines([b'{"n": 1}', b'{"n": 2}'], split="a", position=7, origin=range(2))
    made = TransformStage("transform", Louder(), books, ErrorPolicy(policy))(lines)

    assert (made.lines, list(made.origin), made.position) == ([b'{"n":2}', b'{"n":3}'], [0, 1], 7)


def test_lines_of_a_batch_that_a_transform_only_passed_on_stay_as_they_are(books):
    class Passes(BaseTransform):
        one_to_one = True

        def transform_batch(self, batch):
            return batch

    class Looks(Passes):
        writes = ()

        def transform_batch(self, batch):
            assert [item["n"] for item in batch] == [1]
            return batch

    for transform in (Passes(), Looks()):
        lines = Batch.from_lines([b'{"n": 1}'], origin=range(1))
        assert TransformStage("transform", transform, books, ErrorPolicy())(lines).lines == [b'{"n": 1}']


def test_a_transform_that_breaks_its_word_is_found_in_the_books(books):
    class Drops(Half):
        def transform_batch(self, batch):
            yield {"n": 1}

    made = TransformStage("transform", Drops(), books, ErrorPolicy())(batch(1, 2))
    assert made.origin is None
    with pytest.raises(OzzyError, match="transform was given 2 records and accounts for 1"):
        books.check()


def test_a_transform_that_fails_names_the_record_where_it_can(books):
    with pytest.raises(DataError, match=r"^in/a.jl, record 13: transform \(Half\): ZeroDivisionError"):
        TransformStage("transform", Half(), books, ErrorPolicy())(batch(1, 2, 0, 4, first=10))
    with pytest.raises(DataError, match=r"^in/a.jl, records 11 to 13: transform \(Twice\): TypeError"):
        TransformStage("transform", Twice(), books, ErrorPolicy())(batch(1, 2, None, first=10))


def test_a_transform_that_decodes_a_bad_line_names_its_record(books):
    lines = Batch.from_lines([b'{"n":1}', b'{"n":2}', b'{"n":1e999}'], split="a", origin=range(3))
    with pytest.raises(DataError, match=r"^a, record 3: transform \(Twice\): "):
        TransformStage("transform", Twice(), books, ErrorPolicy())(lines)


def test_a_transform_that_makes_no_mapping_is_told(books):
    class Odd(BaseTransform):
        def transform_batch(self, batch):
            return [{"n": 1}] * 5 + [7]

    with pytest.raises(DataError, match=r"^in/a.jl, records 1 to 2: transform \(Odd\): a record must be a mapping, not int"):
        TransformStage("transform", Odd(), books, ErrorPolicy())(batch(1, 2))


def test_bad_records_of_a_transform_are_skipped_whole(books):
    made = TransformStage("transform", Twice(), books, skipping())(batch(1, None, 2))

    assert (numbers(made), made.origin) == ([1, -1, 2, -2], None)
    assert books.to_dict()["transform"] == {"in": 3, "out": 4, "reasons": {"bad": 1}, "reshapes": True}


def test_places_are_known_after_a_bad_record(books):
    stage = TransformStage("transform", Half(), books, skipping())
    made = stage(batch(1, 0, 2, first=5))

    assert (numbers(made), list(made.origin)) == ([10, 5], [5, 7])
    assert books.to_dict()["transform"] == {"in": 3, "out": 2, "reasons": {"bad": 1}, "reshapes": False}
    books.check()


# groupers


def test_a_grouper_gives_each_row_a_key(books):
    stage = GroupStage("grouper", ByNumber(), books, ErrorPolicy())
    same = batch(1, 5)

    assert stage(same) is same
    assert stage.keys == [("10",), ("2",)]
    assert books.to_dict()["grouper"] == {"in": 2, "out": 2, "reasons": {}, "reshapes": False}


def test_a_grouper_that_fails_names_the_record(books):
    with pytest.raises(DataError, match=r"^in/a.jl, record 2: grouper \(ByNumber\): ZeroDivisionError"):
        GroupStage("grouper", ByNumber(), books, ErrorPolicy())(batch(1, 0))


def test_bad_records_of_a_grouper_are_skipped(books):
    stage = GroupStage("grouper", ByNumber(), books, skipping())
    grouped = stage(batch(0, 1, 0, 5))

    assert (numbers(grouped), stage.keys) == ([1, 5], [("10",), ("2",)])
    assert books.to_dict()["grouper"] == {"in": 4, "out": 2, "reasons": {"bad": 2}, "reshapes": False}
    books.check()


def test_a_batch_of_bad_records_leaves_nothing(books):
    stage = GroupStage("grouper", ByNumber(), books, skipping())

    assert (len(stage(batch(0, 0))), stage.keys) == (0, [])


def test_a_grouper_that_loses_a_record_is_told(books):
    class Loses(BaseGrouper):
        def keys(self, batch):
            return [("a",)]

    with pytest.raises(DataError, match=r"^grouper \(Loses\) gave 1 groups for 2 records\nMend the module: "):
        GroupStage("grouper", Loses(), books, ErrorPolicy())(batch(1, 2))


# places


def test_a_stage_without_work_is_no_stage(books):
    with pytest.raises(NotImplementedError):
        Stage("x", Positive(), books, ErrorPolicy()).apply(batch(1))


def test_the_place_of_a_row():
    known, unknown = batch(1, 2, first=4), Batch.from_records([{"n": 1}], split="s")

    assert (where(known, 1), between(known), where(unknown, 0), between(unknown), between(batch())) == (
        "in/a.jl, record 6",
        "in/a.jl, records 5 to 6",
        "s",
        "s",
        "in/a.jl",
    )


def test_a_batch_of_one_has_the_place_of_its_row():
    assert between(batch(1, first=4)) == "in/a.jl, record 5"


def test_the_line_of_a_row_where_it_is_at_hand():
    lines = Batch.from_lines([b'{"n":1}'])

    assert (refused_row(lines, 0, "odd").line, refused_row(batch(1), 0, "odd").line) == (b'{"n":1}', None)


def test_refused_rows_come_with_their_line(books):
    seen = []
    policy = ErrorPolicy("skip", on_reject=lambda stage, rejected: seen.append((stage, rejected)))
    lines = Batch.from_lines([b'{"n":1}', b'{"n":"x"}'], split="a", origin=range(2))
    FilterStage("filter_before", Positive(), books, policy)(lines)

    [(stage, rejected)] = seen
    assert (stage, rejected.where, rejected.line) == ("filter_before", "a, record 2", b'{"n":"x"}')
    assert rejected.message.startswith("filter_before (Positive): TypeError")


# transforms that leave what they are given as it is


class Positives(BaseTransform):
    """Drops what is not positive; fails for texts."""

    at_most_one = True
    leaves_input = True
    calls: ClassVar[list[int]] = []

    def transform_batch(self, batch):
        self.calls.append(len(batch))
        return batch.where([n > 0 for (n,) in batch.select(("n",))])


def of_lines(*lines: str) -> Batch:
    return Batch.from_lines([line.encode() for line in lines], split="in/a.jl", position=9, origin=range(len(lines)))


def test_a_transform_of_at_most_one_counts_the_others_as_filtered(books):
    made = TransformStage("transform", Positives(), books, ErrorPolicy())(batch(1, 0, 2, first=5))

    assert (numbers(made), made.origin) == ([1, 2], [5, 7])
    assert books.to_dict()["transform"] == {"in": 3, "out": 2, "reasons": {"filtered": 1}, "reshapes": False}
    books.check()


def test_a_transform_of_at_most_one_can_not_make_records(books):
    class Doubles(BaseTransform):
        at_most_one = True

        def transform_batch(self, batch):
            for item in batch:
                yield item
                yield dict(item)

    TransformStage("transform", Doubles(), books, ErrorPolicy())(batch(1, 2))

    with pytest.raises(BooksError):
        books.check()


def test_while_bad_records_are_skipped_it_is_given_whole_batches_until_one_is_bad(books):
    Positives.calls.clear()
    stage = TransformStage("transform", Positives(), books, skipping())
    good = stage(of_lines('{"n": 1}', '{"n": 0}', '{"n": 2.50}'))
    mixed = stage(of_lines('{"n": 1}', '{"n": "x"}', '{"n": 0}', '{"n": 2.50}'))

    assert Positives.calls == [3, 4, 1, 1, 1, 1]
    assert (good.lines, good.origin) == ([b'{"n": 1}', b'{"n": 2.50}'], [0, 2])
    assert (mixed.lines, mixed.origin, mixed.split, mixed.position) == ([b'{"n": 1}', b'{"n": 2.50}'], [0, 3], "in/a.jl", 9)
    assert books.to_dict()["transform"] == {"in": 7, "out": 4, "reasons": {"filtered": 2, "bad": 1}, "reshapes": False}
    books.check()


def test_a_batch_in_which_all_are_bad_is_empty_then(books):
    made = TransformStage("transform", Positives(), books, skipping())(of_lines('{"n": "x"}'))

    assert (len(made), made.split, made.position) == (0, "in/a.jl", 9)


def test_a_transform_that_changes_what_it_is_given_gets_records_one_by_one(books):
    class Counts(BaseTransform):
        one_to_one = True

        def transform_batch(self, batch):
            assert len(batch) == 1
            for item in batch:
                item["n"] += 1
            return batch

    made = TransformStage("transform", Counts(), books, skipping())(batch(1, "x", 2))

    assert (numbers(made), made.origin) == ([2, 3], [0, 2])
