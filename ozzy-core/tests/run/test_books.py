import json

import pytest

from ozzy.errors import BooksError
from ozzy.run.books import Books


@pytest.fixture
def books():
    """Ten records read, one bad; two filtered; four made of each; one writer has them all, one was limited."""
    made = Books(writers=("files", "mail"))
    for stage, reshapes in (("reader", False), ("filter", False), ("transform", True), ("files", False), ("mail", False)):
        made.open(stage, reshapes=reshapes)
    made.enter("reader", 9, 9)
    made.reject("reader", "bad")
    made.enter("filter", 9, 7, "filtered")
    made.enter("transform", 7, 28)
    for writer in made.writers:
        made.stages[writer].records_in = 28
    made.stages["mail"].reasons["limited"] = 8
    made.settle("files", 25, 3)
    made.settle("mail", 20, 0)
    return made


def test_books_that_balance(books):
    books.check()

    assert books.to_dict() == {
        "reader": {"in": 10, "out": 9, "reasons": {"bad": 1}, "reshapes": False},
        "filter": {"in": 9, "out": 7, "reasons": {"filtered": 2}, "reshapes": False},
        "transform": {"in": 7, "out": 28, "reasons": {}, "reshapes": True},
        "files": {"in": 28, "out": 25, "reasons": {"ignored": 3}, "reshapes": False},
        "mail": {"in": 28, "out": 20, "reasons": {"limited": 8}, "reshapes": False},
    }


def test_empty_books_balance():
    Books().check()
    books = Books(writers=("writer",))
    books.open("reader")
    books.open("writer")
    books.check()


@pytest.mark.parametrize(
    ("stage", "field", "change", "told"),
    [
        ("reader", "records_in", 1, "reader was given 11 records and accounts for 10 (9 out + 1 bad)"),
        ("reader", "records_out", -1, "reader was given 10 records and accounts for 9 (8 out + 1 bad)"),
        ("filter", "records_in", 1, "9 records went to filter, which was given 10"),
        ("filter", "records_out", 1, "filter was given 9 records and accounts for 10 (8 out + 2 filtered)"),
        ("transform", "records_in", -1, "7 records went to transform, which was given 6"),
        ("transform", "records_out", 1, "29 records went to files, which was given 28"),
        ("files", "records_in", 1, "28 records went to files, which was given 29"),
        ("files", "records_out", -1, "files was given 28 records and accounts for 27 (24 out + 3 ignored)"),
        ("mail", "records_in", -1, "28 records went to mail, which was given 27"),
        ("mail", "records_out", 1, "mail was given 28 records and accounts for 29 (21 out + 8 limited)"),
    ],
)
def test_books_that_do_not_balance_name_the_stage(stage, field, change, told, books):
    counts = books.stages[stage]
    setattr(counts, field, getattr(counts, field) + change)
    with pytest.raises(BooksError) as caught:
        books.check()

    assert caught.value.message == f"the books do not balance: {told}"
    assert "Look at that module" in caught.value.hint


def test_a_lost_reason_is_told(books):
    books.stages["filter"].reasons["filtered"] -= 1
    with pytest.raises(BooksError, match=r"filter was given 9 records and accounts for 8 \(7 out \+ 1 filtered\)"):
        books.check()


def test_a_stage_that_keeps_everything_has_no_reason():
    books = Books()
    books.open("filter")
    books.enter("filter", 5, 5, "filtered")

    assert books.stages["filter"].to_dict()["reasons"] == {}


def test_books_go_on_where_they_were(books):
    again = Books(writers=books.writers)
    again.restore(json.loads(json.dumps(books.to_dict())))
    assert again == books

    again.open("reader")
    again.reject("reader", "bad", 2)
    again.reject("reader", "blank")
    again.check()
    assert again.to_dict()["reader"] == {"in": 13, "out": 9, "reasons": {"bad": 3, "blank": 1}, "reshapes": False}
    assert list(again.stages) == list(books.stages)


def test_settling_takes_the_count_of_the_destination(books):
    books.settle("files", 26, 2)
    books.settle("files", 26, 0)

    assert books.stages["files"].records_out == 26
    assert books.stages["files"].reasons == {"ignored": 2}
