"""The first record of each key is kept, whatever is in memory, on disk, or behind a checkpoint."""

import json

import pytest

from ozzy import Batch, ConfigError, DataError, StateError
from ozzy.builtin.filters.dupe import DupeFilter
from ozzy.testing.canary import logged

MISSING = object()


@pytest.fixture
def make(tmp_path):
    """Filters with a folder for their state, closed at the end."""
    made = []

    def filter(folder="state", **options):
        made.append(DupeFilter({"name": "dupe", "options": options}))
        made[-1].state_folder = tmp_path / folder if folder else None
        return made[-1]

    yield filter
    for one in made:
        one.close()


def masks(make, *records, **options):
    """The mask of some records: from lines, from records and one by one, which all have to agree."""
    lines = [json.dumps(record).encode() for record in records]
    by_lines = list(make(**options).mask(Batch.from_lines(lines)))
    single = make(**options)

    assert all(type(one) is bool for one in by_lines)
    assert by_lines == list(make(**options).mask(Batch.from_records(list(records))))
    assert by_lines == [single.filter(record) for record in records]
    return by_lines


def keyed(*keys):
    return [{} if key is MISSING else {"_key": key} for key in keys]


def test_the_first_of_each_key_is_kept(make):
    assert masks(make, *keyed("a", "b", "a", "c", "b", "a")) == [True, True, False, True, False, False]
    assert masks(make, {"id": 1, "_key": "a"}, {"id": 1, "_key": "b"}) == [True, True]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, "1", False),
        (1, True, False),
        (0, False, False),
        (0, -0.0, True),
        (0, "0", False),
        ("é", "e\u0301", False),
        ("a", "A", False),
        (10**30, 10**30 + 1, False),
        (10**22, 1e22, True),
        (2**53, 2**53 + 1, False),
        (0.1, 0.1, True),
        (1.5, 1, False),
        ([1, "a"], [1.0, "a"], True),
        ([1], [True], False),
        ([1, 2], [2, 1], False),
        ([], {}, False),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}, True),
        ({"a": 1}, {"a": None}, False),
        ({"a": {"y": 1, "x": 2}}, {"a": {"x": 2, "y": 1}}, True),
        ([[]], [], False),
        ("[]", [], False),
        ("x" * 1000, "x" * 1000, True),
        ("x" * 1000, "x" * 999 + "y", False),
        ("\u0000", "", False),
    ],
)
def test_keys_are_equal_as_in_json(make, one, other, equal):
    if other != "":
        assert masks(make, *keyed(one, other, one, other)) == [True, not equal, False, False]
    else:
        assert masks(make, *keyed(one, other, one)) == [True, True, False]


def test_records_without_a_key_are_kept_told_once_and_counted(make):
    filter = make()
    with logged() as lines:
        assert filter.mask(Batch.from_records(keyed("a", MISSING, None, "", "a", "b"))) == [True, True, True, True, False, True]
        assert filter.mask(Batch.from_records(keyed(MISSING, "b"))) == [True, False]

    assert len([line for line in lines if "has no key" in line]) == 1
    assert filter.get_metadata("records_without_key") == 4
    assert filter.get_state()["without_key"] == 4


def test_zero_and_false_are_keys(make):
    assert masks(make, *keyed(0, False, 0, False, [], [])) == [True, True, False, False, True, False]


@pytest.mark.parametrize(
    ("options", "records", "expected"),
    [
        ({"key_field": "id"}, [{"id": 1}, {"id": 2}, {"id": 1}], [True, True, False]),
        ({"key_field": "a.b"}, [{"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, {"a.b": 1}, {"a": 5}], [True, False, True, True]),
        ({"key_field": "a/b", "nested_field_separator": "/"}, [{"a": {"b": 1}}, {"a": {"b": 1}}], [True, False]),
        ({"key_field": "a.b", "nested_field_separator": ""}, [{"a.b": 1}, {"a.b": 1}, {"a": {"b": 1}}], [True, False, True]),
        ({"keys": ["a"]}, [{"a": 1}, {"a": 1}, {"a": [1]}], [True, False, True]),
        (
            {"keys": ["a", "b.c"]},
            [{"a": 1, "b": {"c": 1}}, {"a": 1, "b": {"c": 2}}, {"a": 1.0, "b": {"c": 1}}, {"a": 1}, {"a": 1, "b": {"c": None}}, {"a": 1}],
            [True, True, False, True, True, True],
        ),
        ({"keys": ["a", "b"]}, [{"a": "x", "b": "yz"}, {"a": "xy", "b": "z"}, {"a": "yz", "b": "x"}], [True, True, True]),
        ({"key_field": 'a"\n'}, [{'a"\n': 1}, {'a"\n': 1}], [True, False]),
    ],
)
def test_what_the_key_is(make, options, records, expected):
    assert masks(make, *records, **options) == expected


def test_any_number_of_keys(make):
    filter = make(memory=1 << 16)
    for start in range(0, 10_000, 500):
        assert all(filter.mask(Batch.from_records(keyed(*range(start, start + 500)))))

    assert filter.mask(Batch.from_records(keyed(0, 10_000, 5000, 9999, 10_000))) == [False, True, False, False, False]


def test_it_goes_on_from_each_checkpoint(make):
    first, states = make(), []
    for start in range(0, 50, 10):
        first.mask(Batch.from_records(keyed(*range(start, start + 10), None)))
        states.append(json.loads(json.dumps(first.get_state())))
    first.close()
    for number, state in reversed(list(enumerate(states, 1))):
        again = make()
        again.set_state(state)

        assert again.get_state() == state
        assert again.mask(Batch.from_records(keyed(number * 10 - 1, number * 10))) == [False, True]
        again.close()


def test_without_its_folder_it_does_not_go_on(make):
    first = make()
    first.filter({"_key": 1})
    state = first.get_state()
    with pytest.raises(StateError, match="the keys that were seen are gone"):
        make("elsewhere").set_state(state)


def test_a_run_without_state_leaves_nothing(make, tmp_path):
    filter = make(None, memory=1 << 16)
    for start in range(0, 5000, 500):
        filter.mask(Batch.from_records(keyed(*range(start, start + 500))))

    assert filter.filter({"_key": 0}) is False
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", [float("nan"), [float("inf")], "\ud800", {"a": object()}])
def test_a_key_that_is_no_json_is_an_error_of_its_record(make, key):
    with pytest.raises(DataError, match="the key can't be written as JSON") as raised:
        make().mask(Batch.from_records(keyed(None, "a", key)))

    assert raised.value.row == 2


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"key_field": ""}, "key_field"),
        ({"keys": ["a", ""]}, "keys.1"),
        ({"keys": "a"}, "keys"),
        ({"memory": 1000}, "memory"),
        ({"key": "a"}, "key"),
    ],
)
def test_wrong_options(options, path):
    with pytest.raises(ConfigError) as raised:
        DupeFilter({"name": "dupe", "options": options})

    assert [problem.path for problem in raised.value.problems] == [f"filter.options.{path}"]


def test_it_tells_what_it_reads(make):
    assert make().reads == ("_key",)
    assert make(keys=["a.b", "a.c", "d"]).reads == ("a", "d")


def test_closed_unused():
    DupeFilter().close()
