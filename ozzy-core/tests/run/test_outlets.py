import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ozzy.contracts.file_writer import BaseFileWriter
from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.writer import BaseWriter, WriterContext
from ozzy.data.batch import Batch
from ozzy.errors import DataError, DestinationError, StateError
from ozzy.run.books import Books
from ozzy.run.error_policy import ErrorPolicy
from ozzy.run.outlets import Outlet


class Kept(BaseWriter):
    """Keeps what it is given, and how; refuses negative numbers, the first one of a batch by its row."""

    def __init__(self, limit: int = 0) -> None:
        super().__init__({"options": {"items_limit": limit}})
        self.calls: list[tuple[Any, list[int]]] = []
        self.offered = 0

    def write_batch(self, batch, group_key=None):
        numbers = [record["n"] for record in batch.records]
        self.offered += len(numbers)
        for row, number in enumerate(numbers):
            if number < 0:
                raise DataError("negative", row=row)
        self.calls.append((group_key, numbers))

    @property
    def numbers(self) -> list[int]:
        return [number for _, numbers in self.calls for number in numbers]


class Old(BaseWriter):
    """An inherited writer: one argument, records that bear their group."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def write_batch(self, batch):
        self.seen += [(record["n"], record.group_membership) for record in batch]


class Words(BaseExportFormatter):
    def format(self, item):
        return item["word"] + "\n"


class Drawer(BaseFileWriter):
    def write(self, dump_path, group_key=None):
        raise AssertionError


def batch(*numbers: int) -> Batch:
    return Batch.from_records([{"n": number} for number in numbers], split="a.jl", origin=range(len(numbers)))


def outlet(writer: BaseWriter, policy: ErrorPolicy | None = None, **more: Any) -> Outlet:
    return Outlet("writer", writer, Books(), policy or ErrorPolicy(), **more)


def booked(made: Outlet) -> dict[str, Any]:
    made.settle(made.writer.prepare(final=True))
    counts = made.books.to_dict()["writer"]
    made.books.check()
    return {"in": counts["in"], "out": counts["out"], **counts["reasons"]}


def test_rows_without_a_group_are_handed_over_as_they_are():
    writer = Kept()
    made = outlet(writer)

    assert made.write(batch(1, 2), None) is None
    assert made.write(batch(), None) is None
    assert writer.calls == [((), [1, 2])]
    assert booked(made) == {"in": 2, "out": 2}
    assert made.seconds > 0


def test_rows_are_handed_over_group_by_group_in_the_order_of_their_first():
    writer = Kept()
    outlet(writer).write(batch(1, 2, 3, 4), [("b",), ("a",), ("b",), ("c", "d")])

    assert writer.calls == [(("b",), [1, 3]), (("a",), [2]), (("c", "d"), [4])]


def test_a_batch_of_one_group_stays_whole():
    seen = []

    class Looks(Kept):
        def write_batch(self, batch, group_key=None):
            seen.append(batch)

    rows = batch(1, 2)
    outlet(Looks()).write(rows, [("a",), ("a",)])

    assert seen == [rows]
    assert seen[0] is rows


def test_an_inherited_writer_is_given_records_that_bear_their_group():
    writer = Old()
    made = outlet(writer)
    made.write(batch(1, 2, 3), [("b",), ("a",), ("b",)])
    made.write(batch(4), None)

    assert writer.seen == [(1, ("b",)), (3, ("b",)), (2, ("a",)), (4, ())]


def test_what_a_writer_raises_is_blamed_on_it():
    class Broken(Kept):
        def write_batch(self, batch, group_key=None):
            raise ConnectionError("line is down")

    class Refuses(Kept):
        def write_batch(self, batch, group_key=None):
            raise StateError("mine")

    with pytest.raises(DestinationError, match=r"^writer \(Broken\) failed: ConnectionError: line is down$"):
        outlet(Broken()).write(batch(1), None)
    with pytest.raises(StateError, match=r"^mine$"):
        outlet(Refuses()).write(batch(1), None)


# limits


@pytest.mark.parametrize(("size", "taken"), [(1, [None] * 5), (2, [None, None, 1]), (3, [None, 2]), (5, [None]), (7, [5]), (100, [5])])
def test_a_limit_cuts_where_it_is_reached(size, taken):
    writer = Kept(limit=5)
    made = outlet(writer)
    numbers = list(range(100))
    seen = []
    while not made.full:
        seen.append(made.write(batch(*numbers[:size]), None))
        del numbers[:size]

    assert (writer.numbers, seen) == ([0, 1, 2, 3, 4], taken)
    given = size * len(taken)
    assert booked(made) == {"in": given, "out": 5} | ({"limited": given - 5} if given > 5 else {})


def test_what_comes_after_the_limit_is_booked():
    writer = Kept(limit=2)
    made = outlet(writer)

    assert (made.write(batch(1, 2), None), made.full) == (None, True)
    assert made.write(batch(3, 4, 5), [("a",)] * 3) == 0
    assert booked(made) == {"in": 5, "out": 2, "limited": 3}


def test_the_limit_counts_in_order_of_rows_not_of_groups():
    writer = Kept(limit=3)
    taken = outlet(writer).write(batch(1, 2, 3, 4), [("a",), ("b",), ("a",), ("b",)])

    assert (taken, writer.calls) == (3, [(("a",), [1, 3]), (("b",), [2])])


def test_bad_rows_do_not_use_up_the_limit():
    writer = Kept(limit=4)
    made = outlet(writer, ErrorPolicy("skip"))

    assert made.write(batch(1, -1, -2, 2, -3, 3, 4, 5, 6), None) == 7
    assert writer.numbers == [1, 2, 3, 4]
    assert booked(made) == {"in": 9, "out": 4, "limited": 2, "bad": 3}


# bad rows


def test_a_row_that_is_refused_ends_the_run_with_its_place():
    with pytest.raises(DataError) as caught:
        outlet(Kept()).write(batch(1, 2, -3), None)

    assert caught.value.message == "a.jl, record 3: writer: negative"


def test_rows_that_are_refused_are_skipped_and_the_others_stay_in_order():
    writer = Kept()
    policy = ErrorPolicy("skip")
    made = outlet(writer, policy)
    made.write(batch(-1, 1, -2, -3, 2, 3, -4), None)

    assert (writer.numbers, policy.rejected) == ([1, 2, 3], 4)
    assert booked(made) == {"in": 7, "out": 3, "bad": 4}


def test_the_limit_of_bad_rows_holds():
    with pytest.raises(DataError, match=r"more than 1 bad records; the last in writer: a\.jl, record 4: writer: negative"):
        outlet(Kept(), ErrorPolicy("skip", 1)).write(batch(-1, 1, 2, -2, -3), None)


def test_many_bad_rows_are_offered_no_more_than_a_few_times():
    numbers = [number if number % 3 else -1 for number in range(1, 3001)]
    writer = Kept()
    made = outlet(writer, ErrorPolicy("skip"))
    made.write(batch(*numbers), None)

    assert len(writer.numbers) == 2000

    class Counts(Drawer):
        formatted = 0

    lines: list[int] = []

    class Counting(Words):
        def format_rows(self, batch):
            rows = []
            for item in batch.records:
                lines.append(1)
                rows.append(item["word"].encode())
            return rows

    drawer = Counts()
    drawer.start(WriterContext("run", "writer", datetime.now().astimezone(), Path("unused"), Counting(), dry_run=True))
    records = [{"word": "x"} if number > 0 else {} for number in numbers]
    outlet(drawer, ErrorPolicy("skip")).write(Batch.from_records(records), None)
    assert drawer.files.written == 2000
    assert len(lines) < 5 * len(numbers)


def test_a_refusal_of_no_row_in_particular_ends_the_run():
    class Moody(Kept):
        def write_batch(self, batch, group_key=None):
            raise DataError("odd", hint="Be kind.")

    with pytest.raises(DataError) as caught:
        outlet(Moody(), ErrorPolicy("skip")).write(batch(1, 2), None)

    assert (caught.value.message, caught.value.hint) == ("a.jl, records 1 to 2: writer: odd", "Be kind.")


def test_a_writer_that_refuses_in_any_order_gets_the_rest():
    class LastFirst(Kept):
        def write_batch(self, batch, group_key=None):
            bad = [row for row, record in enumerate(batch.records) if record["n"] < 0]
            if bad:
                raise DataError("negative", row=bad[-1])
            super().write_batch(batch, group_key)

    numbers = random.Random(1).choices(range(-5, 20), k=400)
    writer = LastFirst()
    outlet(writer, ErrorPolicy("skip")).write(batch(*numbers), None)

    assert writer.numbers == [number for number in numbers if number >= 0]


# files, dry runs


def drawer(tmp_path: Path, *, dry_run: bool = False) -> Drawer:
    made = Drawer({"options": {"compression": "none"}})
    made.start(WriterContext("run", "writer", datetime.now().astimezone(), tmp_path / "staged", Words(), grouped=True, dry_run=dry_run))
    return made


def test_records_that_a_formatter_refuses_are_skipped(tmp_path):
    made = outlet(drawer(tmp_path), ErrorPolicy("skip"))
    rows = Batch.from_records([{"word": "a"}, {}, {"word": "b"}, {"word": 5}, {"word": "c"}])
    made.write(rows, [("x",), ("x",), ("y",), ("y",), ("y",)])

    assert [(entry["group"], entry["rows"]) for entry in made.writer.prepare(final=True)["closed"]] == [(["x"], 1), (["y"], 2)]
    assert booked(made) == {"in": 5, "out": 3, "bad": 2}


def test_a_record_that_a_formatter_refuses_ends_the_run(tmp_path):
    with pytest.raises(DataError, match=r"^a, record 2: writer: Words: KeyError: 'word'"):
        outlet(drawer(tmp_path)).write(Batch.from_records([{"word": "a"}, {}], split="a", origin=range(2)), None)


def test_in_a_dry_run_files_are_counted_and_other_writers_given_nothing(tmp_path):
    files, mail = drawer(tmp_path, dry_run=True), Kept(limit=2)
    made, other = outlet(files, dry_run=True), outlet(mail, dry_run=True)
    made.write(Batch.from_records([{"word": "a"}]), None)

    assert other.write(batch(1, 2, 3), None) == 2
    assert (mail.calls, booked(other)) == ([], {"in": 3, "out": 2, "limited": 1})
    assert booked(made) == {"in": 1, "out": 1}
    assert list(tmp_path.iterdir()) == []


def test_the_destination_counts():
    class Skips(Kept):
        def prepare(self, final):
            return {"written": 3, "ignored": 1}

    made = outlet(Skips())
    made.write(batch(1, 2, 3, 4), None)

    assert booked(made) == {"in": 4, "out": 3, "ignored": 1}


def test_several_writers_stand_side_by_side():
    books, policy = Books(), ErrorPolicy()
    books.open("reader")
    books.enter("reader", 3, 3)
    outlets = [Outlet(label, Kept(limit=limit), books, policy) for label, limit in (("one", 0), ("two", 2))]
    for made in outlets:
        made.write(batch(1, 2, 3), None)
        made.settle({})

    books.check()
    assert (books.writers, [made.given for made in outlets]) == (("one", "two"), [3, 2])
