"""Made-up records are the same for the same seed, wherever reading begins."""

import pytest

from ozzy import ConfigError, Split
from ozzy.builtin.readers.random import RandomReader


def reader(**options):
    return RandomReader({"name": "random", "options": options})


def records_of(reader, split=None, position=None):
    split = split or next(iter(reader.splits()))
    return [record for batch in reader.read(split, position) for record in batch.records]


def test_defaults_give_a_thousand_records_in_hundreds():
    one = reader()
    batches = list(one.read(next(iter(one.splits())), None))

    assert [len(batch) for batch in batches] == [100] * 10
    assert [record["key"] for batch in batches for record in batch.records] == list(range(1000))
    assert [index for batch in batches for index in batch.origin] == list(range(1000))


def test_records_look_as_promised():
    records = records_of(reader(seed=1))

    assert {tuple(record) for record in records} == {("key", "country_code", "state", "city", "value")}
    assert {record["country_code"] for record in records} == {"es", "uk", "us"}
    assert any(not record["state"].isascii() for record in records)
    assert {tuple(record["city"]) for record in records} == {("name", "district")}
    assert all(type(record["value"]) is int and 0 <= record["value"] <= 10_000 for record in records)
    assert len({record["value"] for record in records}) > 900


@pytest.mark.parametrize("sizes", [(1, 7), (3, 100), (100, 1000)])
def test_records_do_not_depend_on_batches(sizes):
    one, other = (records_of(reader(seed=5, number_of_items=50, batch_size=size)) for size in sizes)

    assert one == other


@pytest.mark.parametrize("seed", [0, -1, 2**80])
def test_the_same_seed_gives_the_same_records(seed):
    assert records_of(reader(seed=seed)) == records_of(reader(seed=seed))
    assert records_of(reader(seed=seed)) != records_of(reader(seed=7))


def test_a_seed_is_drawn_once_a_run_and_kept():
    one, other = reader(), reader()
    first, second = next(iter(one.splits())), next(iter(other.splits()))
    [batch, *_] = one.read(first, None)

    assert first.fingerprint != second.fingerprint
    assert records_of(one, first) == records_of(other, first)
    assert batch.position == {"last_read": 99, "seed": int(first.fingerprint)}
    assert records_of(one, first)[100:] == records_of(other, Split(), batch.position)


def test_reading_goes_on_after_any_batch():
    one = reader(seed=3, number_of_items=45, batch_size=10)
    split = next(iter(one.splits()))
    batches = list(one.read(split, None))
    for done, batch in enumerate(batches, 1):
        rest = list(one.read(split, batch.position))

        assert [each.records for each in batches[done:]] == [each.records for each in rest]
        assert [each.position for each in batches[done:]] == [each.position for each in rest]
        assert [list(each.origin) for each in batches[done:]] == [list(each.origin) for each in rest]


def test_no_items_are_no_batches():
    assert records_of(reader(number_of_items=0)) == []


def test_get_next_batch_works_by_hand():
    one = reader(number_of_items=150)
    one.set_last_position(None)
    keys = []
    while not one.is_finished():
        keys += [record["key"] for record in one.get_next_batch()]

    assert keys == list(range(150))


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"number_of_items": -1}, {"seed": "x"}, {"sed": 1}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ConfigError):
        reader(**options)
