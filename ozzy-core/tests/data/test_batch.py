"""A batch is one set of rows; each face is made once, and choosing rows keeps what there is."""

import pytest
from msgspec import Raw

from ozzy import BaseRecord, Batch, DataError, Rejected
from ozzy.data.json_text import MISSING
from ozzy.data.tokens import ABSENT

LINES = [b'{"a":1,"b":"x"}', b'{"a" : 2}', b'{"b":null}']
RECORDS = [{"a": 1, "b": "x"}, {"a": 2}, {"b": None}]


def batches():
    return [Batch.from_lines(list(LINES)), Batch.from_records([dict(record) for record in RECORDS])]


def test_an_empty_batch_has_no_rows():
    batch = Batch()

    assert len(batch) == 0
    assert batch.records == []
    assert batch.lines == []
    assert batch.select(("a",)) == []
    assert list(batch) == []
    assert (batch.split, batch.position, batch.rejected, batch.blank, batch.origin) == ("", None, (), 0, None)


def test_a_batch_says_where_it_comes_from():
    rejected = [Rejected("f, line 2", "bad", b"x")]
    batch = Batch.from_lines([b"{}"], split="f", position={"rows": 2}, rejected=rejected, blank=3, origin=[0])

    assert (batch.split, batch.position, batch.rejected, batch.blank, batch.origin) == ("f", {"rows": 2}, rejected, 3, [0])


def test_faces_are_made_once_and_kept():
    batch = Batch.from_lines(list(LINES))

    assert batch.faces == ("lines",)
    assert batch.records == RECORDS
    assert batch.faces == ("lines", "records")
    assert batch.records is batch.records
    assert batch.lines == LINES
    batch = Batch.from_records(RECORDS)
    assert batch.lines == [b'{"a":1,"b":"x"}', b'{"a":2}', b'{"b":null}']
    assert batch.lines is batch.lines


@pytest.mark.parametrize("batch", batches())
def test_fields_are_selected_from_what_there_is(batch):
    faces = batch.faces

    assert batch.select(("b", "a")) == [("x", 1), (MISSING, 2), (None, MISSING)]
    assert batch.select(()) == [(), (), ()]
    assert batch.faces == faces


@pytest.mark.parametrize("batch", batches())
def test_rows_are_chosen_in_every_face(batch):
    chosen = batch.where([True, False, True])
    taken = batch.take([2, 0, 0])

    assert chosen.faces == batch.faces
    assert chosen.records == [RECORDS[0], RECORDS[2]]
    assert taken.faces == batch.faces
    assert taken.records == [RECORDS[2], RECORDS[0], RECORDS[0]]
    assert batch.where([True, 1, "yes"]) is batch
    assert len(batch.where([False] * 3)) == 0
    assert len(batch.take([])) == 0


def test_chosen_rows_know_their_origin_split_and_position():
    batch = Batch.from_lines(list(LINES), split="f", position=5, origin=range(10, 13), blank=1, rejected=[Rejected("", "")])
    chosen = batch.where([False, True, True]).take([1])

    assert (chosen.split, chosen.position, list(chosen.origin)) == ("f", 5, [12])
    assert (chosen.blank, chosen.rejected) == (0, ())
    assert chosen.lines == [LINES[2]]


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(DataError, match="a mask of 2 for a batch of 3 rows"):
        Batch.from_lines(list(LINES)).where([True, True])


@pytest.mark.parametrize("batch", batches())
def test_iterating_gives_records_that_know_their_group(batch):
    items = list(batch)

    assert items == RECORDS
    assert all(isinstance(item, BaseRecord) for item in items)
    assert all(one is other for one, other in zip(items, batch, strict=True))
    items[0]["new"] = 1
    assert batch.records[0]["new"] == 1


def test_records_changed_in_place_are_the_only_face_left():
    batch = Batch.from_lines(list(LINES))
    for item in batch:
        item["c"] = 1

    assert batch.lines == LINES
    assert batch.changed() is batch
    assert batch.faces == ("records",)
    assert batch.lines[1] == b'{"a":2,"c":1}'
    assert Batch.from_lines(list(LINES)).changed().records == RECORDS


@pytest.mark.parametrize("record", [None, [], "x", 5])
def test_what_is_no_record_is_refused_with_its_row(record):
    with pytest.raises(DataError, match=f"a record must be a mapping, not {type(record).__name__}") as raised:
        Batch.from_records(iter([{}, record]))

    assert raised.value.row == 1


def test_a_face_that_can_not_be_made_names_the_row():
    with pytest.raises(DataError, match="number out of range") as raised:
        _ = Batch.from_lines([b"{}", b'{"a":1e999}']).records
    assert raised.value.row == 1
    with pytest.raises(DataError, match="NaN") as raised:
        _ = Batch.from_records([{}, {}, {"a": float("nan")}]).lines
    assert raised.value.row == 2
    with pytest.raises(DataError, match="number out of range") as raised:
        Batch.from_lines([b"{}", b'{"a":1e999}']).select(("a",))
    assert raised.value.row == 1


def test_a_face_is_made_of_rows_that_fail_only_once():
    class Moody(list):
        def __iter__(self):
            rows = list(super().__iter__())
            if not getattr(self, "asked", False):
                self.asked = True
                rows[0] = {"a": float("inf")}
            return iter(rows)

    assert Batch(records=Moody([{"a": 1}])).lines == [b'{"a":1}']


def test_what_was_selected_before_is_not_decoded_again_and_follows_the_rows():
    batch = Batch.from_lines([b'{"a":1,"b":2}', b'{"a":3}', b"{}"]).with_selected(("a", "b"), [(10, 20), (30, MISSING), (MISSING, MISSING)])
    assert batch.select(("a", "b")) == [(10, 20), (30, MISSING), (MISSING, MISSING)]
    assert batch.take([1, 0]).select(("b",)) == [(MISSING,), (20,)]
    assert batch.where([True, False, True]).select(("c",)) == [(MISSING,), (MISSING,)]
    assert batch.changed().select(("a",)) == [(1,), (3,), (MISSING,)]


def test_tokens_that_were_taken_before_are_not_taken_again_and_follow_the_rows():
    batch = Batch.from_lines([b'{"a":1}', b'{"b":[2]}']).with_tokens({"a": [Raw(b"1.50"), ABSENT], "b": [ABSENT, Raw(b"[3]")]})
    assert batch.column_tokens(("b",)) == [(ABSENT, Raw(b"[3]"))]
    assert batch.columns(("b", "a")) == [[MISSING, [3]], [1.5, MISSING]]
    assert batch.take([1]).select(("a", "b")) == [(MISSING, [3])]
    assert batch.where([True, False]).column_tokens(("a",)) == [(Raw(b"1.50"),)]
    assert batch.columns(("c",)) == [[MISSING, MISSING]]
    assert batch.changed().select(("a",)) == [(1,), (MISSING,)]


def test_a_token_that_can_not_be_decoded_is_an_error_of_its_row():
    lines = [b'{"a":1,"b":2}', b'{"a":1,"b":1e999}']
    batch = Batch.from_lines(lines).with_tokens({"a": [Raw(b"1"), Raw(b"1")], "b": [Raw(b"2"), Raw(b"1e999")]})
    assert batch.columns(("a",)) == [[1, 1]]
    with pytest.raises(DataError, match="number out of range") as caught:
        batch.columns(("b",))
    assert caught.value.row == 1


@pytest.mark.parametrize("batch", [Batch.from_lines([]), Batch.from_records([]), Batch.from_lines([]).with_tokens({"a": []})])
def test_columns_of_no_rows_are_empty(batch):
    assert batch.columns(("a", "b")) == [[], []]
    assert batch.select(("a",)) == []
    assert [list(column) for column in batch.column_tokens(("a",))] == [[]]


def test_columns_of_records_are_lists_of_values():
    assert Batch.from_records([{"a": 1}, {"b": 2}]).column_tokens(("a", "b")) == [[1, MISSING], [MISSING, 2]]


def test_columns_of_lines_are_tokens_and_a_bad_line_is_an_error_of_its_row():
    quoted, plain = Batch.from_lines([b'{"a":1.0,"q\\"":[ 1 ]}', b"{}"]).column_tokens(('q"', "a"))
    assert [bytes(token) for token in (*quoted, *plain)] == [b"[ 1 ]", b"", b"1.0", b""]
    assert Batch.from_lines([b"{}"]).column_tokens(()) == []
    with pytest.raises(DataError) as caught:
        Batch.from_lines([b"{}", b"{"]).column_tokens(("a",))
    assert caught.value.row == 1


def test_a_column_may_be_asked_for_twice():
    one, other = Batch.from_lines([b'{"a":1}']).column_tokens(("a", "a"))
    assert one == other
