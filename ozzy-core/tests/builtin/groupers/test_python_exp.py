"""Groups are the values of expressions, as texts."""

import json

import pytest

import ozzy
from ozzy import BaseRecord, Batch, ConfigError, DataError
from ozzy.builtin.groupers.python_exp import PythonExpGrouper


def by(*texts, **options):
    return PythonExpGrouper({"name": "python_exp", "options": {"python_expressions": list(texts), **options}})


def groups(grouper, *records):
    keys = list(grouper.keys(Batch.from_lines([json.dumps(record).encode() for record in records])))

    assert keys == list(grouper.keys(Batch.from_records(list(records))))
    assert keys == [grouper.key(record) for record in records]
    assert keys == [record.group_membership for record in grouper.group_batch([BaseRecord(record) for record in records])]
    return keys


def test_one_value_for_each_expression():
    records = [{"date": "2024-03-01", "n": 1}, {"date": "2024-04-01", "n": 12}]

    assert groups(by("item['date'][:7]", "item['n'] // 10"), *records) == [("2024-03", "0"), ("2024-04", "1")]
    assert by("item['date'][:7]").reads == ("date",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("None", "unknown"),
        ("item.get('nothing')", "unknown"),
        ("True", "true"),
        ("1.5", "1.5"),
        ("''", ""),
        ("'é'", "é"),
        ("[1, 'a']", '[1,"a"]'),
        ("(1, 2)", "[1,2]"),
        ("datetime.date(2024, 1, 2)", '"2024-01-02"'),
    ],
)
def test_any_value_becomes_a_text(text, expected):
    assert groups(by(text), {"a": 1}) == [(expected,)]


def test_what_is_no_value_of_a_record_is_refused():
    with pytest.raises(DataError, match="set can't be a part of a record") as caught:
        by("{1}").keys(Batch.from_records([{}]))

    assert caught.value.row == 0


def test_a_record_it_fails_for_is_named_by_its_row():
    with pytest.raises(DataError, match="KeyError") as caught:
        by("item['a']").keys(Batch.from_records([{"a": 1}, {"b": 1}]))

    assert caught.value.row == 1


def test_it_changes_nothing():
    batch = Batch.from_records([{"a": [1]}])
    by("item['a'].append(2)", "item.pop('a')[0]").keys(batch)

    assert batch.records == [{"a": [1]}]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"python_expressions": ["1", "item["]}, "options.python_expressions.1: column 5: not an expression"),
        ({"python_expressions": []}, "options.python_expressions: expected list of str of at least 1"),
        ({"python_expressions": ["open('a')"]}, "python_expressions.0: column 1: the name open is not known"),
    ],
)
def test_what_is_wrong_is_told_at_validation(options, problem):
    with pytest.raises(ConfigError) as caught:
        PythonExpGrouper({"name": "python_exp", "options": options})

    assert problem in str(caught.value)


def test_steps_are_for_all_of_them_together():
    with pytest.raises(DataError, match="1,000 steps"):
        by(*["len([x for x in range(item['n'])])"] * 4, steps=1000).key({"n": 200})
    assert by("len([x for x in range(item['n'])])", steps=1000).key({"n": 200}) == ("200",)


def test_names_of_files_are_checked_by_the_number_of_expressions(tmp_path):
    config = {
        "name": "too many",
        "reader": {"name": "random"},
        "grouper": {"name": "python_exp", "options": {"python_expressions": ["item['country_code']"]}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "{groups[1]}")}},
    }
    with pytest.raises(ConfigError, match="groups"):
        ozzy.run(config, state_dir=tmp_path / "state")


def test_a_file_for_each_group(tmp_path):
    config = {
        "name": "grouped",
        "reader": {"name": "random", "options": {"number_of_items": 20, "seed": 1}},
        "grouper": {
            "name": "exporters.groupers.python_exp_grouper.PythonExpGrouper",
            "options": {"python_expressions": ["'even' if item['key'] % 2 == 0 else 'odd'"]},
        },
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "{groups[0]}"), "compression": "none"}},
    }
    ozzy.run(config, state_dir=tmp_path / "state")

    assert [len(path.read_text().splitlines()) for path in sorted(tmp_path.glob("*.jl"))] == [10, 10]
