"""Expressions of a module are asked of batches, each record for itself."""

from datetime import UTC, datetime

import pytest

from ozzy import Batch, DataError
from ozzy.data.expressions.evaluation import Evaluation

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_what_is_read_is_what_all_of_them_read():
    assert Evaluation(["item['b']", "item['a']"], START).reads == ("a", "b")
    assert Evaluation(["item['b']", "item"], START).reads is None
    assert Evaluation(["1"], START).reads == ()
    assert Evaluation(["random.random() < item['a']"], START).reads is None


@pytest.mark.parametrize("text", ["1", "item.get('a')", "item"])
def test_an_empty_batch(text):
    assert Evaluation([text], START).looking(Batch.from_lines([]), lambda item: item) == []


def test_who_reads_nothing_decodes_nothing():
    evaluation = Evaluation(["1"], START)
    assert evaluation.looking(Batch.from_lines([b"no JSON", b"at all"]), evaluation.expressions[0].of) == [1, 1]


def test_who_changes_records_is_given_them():
    evaluation = Evaluation(["item.update(a=1)"], START)
    batch = Batch.from_records([{}, {}])
    evaluation.changing(batch, evaluation.expressions[0].of)

    assert batch.records == [{"a": 1}, {"a": 1}]


def test_the_budget_is_whole_again_for_each_record():
    evaluation = Evaluation(["len([x for x in range(item['n'])])"], START, steps=1000)
    assert evaluation.looking(Batch.from_records([{"n": 200}] * 20), evaluation.expressions[0].of) == [200] * 20


def test_an_error_has_its_row():
    evaluation = Evaluation(["item['a']"], START)
    with pytest.raises(DataError) as caught:
        evaluation.looking(Batch.from_lines([b'{"a": 1}', b"{}"]), evaluation.expressions[0].of)
    assert caught.value.row == 1


def test_draws_differ_by_split_place_salt_and_start():
    def drawn(split="s", origin=(0,), salt="filter", start=START):
        evaluation = Evaluation(["random.random()"], start, salt=salt)
        return evaluation.looking(Batch.from_records([{}], split=split, origin=origin), evaluation.expressions[0].of)[0]

    draws = [drawn(), drawn(split="t"), drawn(origin=(1,)), drawn(salt="transform"), drawn(start=datetime(2024, 1, 2, tzinfo=UTC))]
    assert len(set(draws)) == 5
    assert drawn() == draws[0]
