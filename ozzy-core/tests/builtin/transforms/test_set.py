"""The transform `set` puts the values of expressions into fields."""

import json
from datetime import datetime

import pytest

import ozzy
from ozzy import Batch, ConfigError, DataError, Metadata
from ozzy.builtin.readers.random import RandomReader
from ozzy.builtin.transforms.set import SetTransform
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.run.listener import Listener, Stop
from ozzy.run.runs import StateFolder


def by(fields, metadata=None, **options):
    return SetTransform({"name": "set", "options": {"fields": fields, **options}}, metadata)


def after(transform, *records):
    made = transform.transform_batch(Batch.from_lines([json.dumps(record).encode() for record in records])).records

    assert made == transform.transform_batch(Batch.from_records([json.loads(json.dumps(record)) for record in records])).records
    return made


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"total": "round(item['price'] * 1.21, 2)"}, {"price": 10, "a": {"b": 1}, "total": 12.1}),
        ({"price": "str(item['price'])"}, {"price": "10", "a": {"b": 1}}),
        ({"x": "1", "y": "item['x'] + 1"}, {"price": 10, "a": {"b": 1}, "x": 1, "y": 2}),
        ({"a.b": "2", "a.c": "item['a']['b']"}, {"price": 10, "a": {"b": 2, "c": 2}}),
        ({"n.e.w": "None"}, {"price": 10, "a": {"b": 1}, "n": {"e": {"w": None}}}),
        ({"é": "(1, 'é')"}, {"price": 10, "a": {"b": 1}, "é": [1, "é"]}),
        ({"copy": "item['a']"}, {"price": 10, "a": {"b": 1}, "copy": {"b": 1}}),
        ({"x": "item.pop('price')"}, {"a": {"b": 1}, "x": 10}),
    ],
)
def test_fields_are_set_one_after_the_other(fields, expected):
    (made,) = after(by(fields), {"price": 10, "a": {"b": 1}})

    assert list(made.items()) == list(expected.items())


def test_a_copy_shares_nothing():
    assert after(by({"b": "item['a']", "c": "item['b'].append(2)"}), {"a": [1]}) == [{"a": [1], "b": [1, 2], "c": None}]


def test_it_says_what_it_reads_and_writes():
    made = by({"total": "item['a'] + item['b']", "x.y": "1"})
    assert (made.reads, made.writes) == (("a", "b", "x"), ("total", "x"))
    assert by({"x": "item.pop('a')"}).writes is None
    assert by({"x": "len(item)"}).reads is None


def test_a_value_on_the_way_that_is_no_mapping():
    with pytest.raises(DataError, match=r"^a\.b is no mapping, so a\.b\.c can't be set") as caught:
        by({"a.b.c": "1"}).transform_batch(Batch.from_records([{}, {"a": {"b": 5}}]))

    assert caught.value.row == 1


def test_a_record_it_fails_for_is_named_by_its_row():
    with pytest.raises(DataError, match=r"item\['n'\]: KeyError: the record has no 'n'") as caught:
        by({"a": "item['n']"}).transform_batch(Batch.from_records([{"n": 1}, {}]))

    assert caught.value.row == 1


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "options.fields: expected dict of str of at least 1"),
        ({"a": "1", "b": "1 +"}, "options.fields.b: column 4: not an expression"),
        ({"a..b": "1"}, "options.fields: expected names with dots between them, given 'a..b'"),
        ({"": "1"}, "options.fields: expected names with dots between them, given ''"),
        ({"a": 1}, "options.fields.a: expected str"),
    ],
)
def test_what_is_wrong_is_told_at_validation(fields, problem):
    with pytest.raises(ConfigError) as caught:
        by(fields)

    assert problem in str(caught.value)


def test_steps():
    with pytest.raises(DataError, match="1,000 steps"):
        by({"a": "len([x for x in range(item['n'])])"}, steps=1000).transform_batch(Batch.from_records([{"n": 10_000}]))


def test_a_run_that_is_resumed_has_the_same_now_and_the_same_random_numbers(tmp_path):
    fields = {"lot": "random.random()", "at": "datetime.datetime.now()"}
    config = {
        "name": "lots",
        "reader": {"name": "random", "options": {"number_of_items": 40, "batch_size": 7, "seed": 1}},
        "transform": [{"name": "set", "options": {"fields": fields}}],
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out"), "compression": "none"}},
    }
    stop = Stop()

    class AfterTwo(Listener):
        seen = 0

        def batch_done(self, progress):
            self.seen += 1
            if self.seen == 2:
                stop.set()

    with pytest.raises(ozzy.Interrupted) as caught:
        ozzy.run(config, state_dir=tmp_path / "state", stop=stop, listener=AfterTwo())
    ozzy.run(config, state_dir=tmp_path / "state", resume=True)

    run = StateFolder(tmp_path / "state").find(caught.value.run_id)
    start = datetime.fromisoformat(run.facts["started"])
    written = [json.loads(line) for line in (tmp_path / "out0000.jl").read_text().splitlines()]
    assert {record["at"] for record in written} == {start.replace(tzinfo=None).isoformat()}
    assert len({record["lot"] for record in written}) == 40
    (split,) = [split.id for split in RandomReader(config["reader"]).splits()]
    records = [{key: value for key, value in record.items() if key not in fields} for record in written]
    undisturbed = by(fields, Metadata(start_time=start)).transform_batch(Batch.from_records(records, split=split, origin=range(40)))
    assert [record["lot"] for record in undisturbed.records] == [record["lot"] for record in written]


def test_expressions_of_a_module_draw_numbers_of_their_own():
    evaluation = Evaluation(["random.random()", "random.random()"], Metadata().start_time)
    (drawn,) = evaluation.looking(Batch.from_records([{}]), lambda item: [one.of(item) for one in evaluation.expressions])

    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
    ("fields", "face"),
    [
        ({"total": "round(item['price'] * 1.21, 2)"}, "fields price"),
        ({"total": "1"}, "lines"),
        ({"a.b": "1"}, "records"),
        ({"all": "len(item)"}, "records"),
        ({"drawn": "random.random()"}, "records"),
    ],
)
def test_it_tells_what_it_asks_a_batch_for(fields, face):
    assert by(fields).face == face


def test_lines_are_extended_and_all_that_stands_in_them_stays():
    made = by({"total": "item['price'] * 2", "more": "item['total'] + 1"}).transform_batch(Batch.from_lines([b'{"price": 1.50,"n":1e999}']))
    assert made.lines == [b'{"price": 1.50,"n":1e999,"total":3.0,"more":4.0}']


def test_a_field_that_is_set_keeps_its_place():
    made = by({"a": "item['b']"}).transform_batch(Batch.from_lines([b'{"a":1,"b":2}', b'{"b":3}']))
    assert made.lines == [b'{"a":2,"b":2}', b'{"b":3,"a":3}']
