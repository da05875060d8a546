"""The transform by expressions changes records in place, one by one."""

import json
from copy import deepcopy

import pytest

import ozzy
from ozzy import BaseRecord, Batch, ConfigError, DataError
from ozzy.builtin.transforms.python_exp import PythonExpTransform


def by(*texts, **options):
    return PythonExpTransform({"name": "python_exp", "options": {"python_expressions": list(texts), **options}})


def after(transform, *records):
    from_lines = transform.transform_batch(Batch.from_lines([json.dumps(record).encode() for record in records])).records

    assert from_lines == transform.transform_batch(Batch.from_records([json.loads(json.dumps(record)) for record in records])).records
    assert from_lines == transform.transform_batch(Batch.from_records([BaseRecord(record) for record in records])).records
    return from_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("item.update(b=item['a'] + 1)", {"a": 1, "l": [1], "b": 2}),
        ("item.update({'b': (1, 2)})", {"a": 1, "l": [1], "b": [1, 2]}),
        ("item.pop('a')", {"l": [1]}),
        ("item.pop('nothing', None)", {"a": 1, "l": [1]}),
        ("item.setdefault('a', 5)", {"a": 1, "l": [1]}),
        ("item.setdefault('c', [])", {"a": 1, "l": [1], "c": []}),
        ("item['l'].append({'x': item['a']})", {"a": 1, "l": [1, {"x": 1}]}),
        ("item.__setitem__('a', 2)", {"a": 2, "l": [1]}),
        ("item.__delitem__('a')", {"l": [1]}),
        ("item.clear()", {}),
        ("item['a'] * 2", {"a": 1, "l": [1]}),
        ("[item.update({key.upper(): item.pop(key)}) for key in list(item)]", {"A": 1, "L": [1]}),
        ("item.update(x=item)", {"a": 1, "l": [1], "x": {"a": 1, "l": [1]}}),
        ("item.update(m=item['l'])", {"a": 1, "l": [1], "m": [1]}),
    ],
)
def test_the_record_is_what_the_expression_leaves(text, expected):
    assert after(by(text), {"a": 1, "l": [1]}) == [expected]


def test_one_expression_after_the_other():
    assert after(by("item.update(b=item['a'] + 1)", "item.update(c=item['b'] * 2)"), {"a": 1}) == [{"a": 1, "b": 2, "c": 4}]


@pytest.mark.parametrize(
    "texts",
    [
        ["item.update(b=item['a'] * 2, a=item['a'] + 1)", "item.update(c=item['b'] + item['a'])"],
        ["item.pop('a')", "item.update(a=1, z=item.get('a'))"],
        ["item.update(n=1)", "item.pop('n')", "item.update(m=2, n='a' in item)"],
        ["item.pop('nothing', 5)", "item.update(a=round(item['a'] / 3, 2) if item.get('a') is not None else None)"],
        ["item.update(t=item['s'].upper())", "item.pop('s')"],
        ["item.update(n=str(item['l']))", "item.pop('l')"],
        ["item.update(x=item['o'])", "item.pop('o')"],
        ["item.update(a={'k': item['a']})"],
    ],
)
@pytest.mark.parametrize("blank", ["", " "])
def test_fields_that_are_set_and_dropped_alone(texts, blank):
    records = [{"s": "é", "a": 1, "l": [1, 2], "o": {"p": [None]}}, {"a": 2.5, "s": "x" * 100, "l": ["y"], "o": None}]
    found = after(by(*texts), *deepcopy(records))
    assert list(map(list, found)) == list(map(list, after(by(*texts, "item.get('a')"), *deepcopy(records))))
    line = json.dumps(records[0], separators=("," + blank, ":" + blank), ensure_ascii=False).encode()
    [kept] = by(*texts).transform_batch(Batch.from_lines([line])).lines
    assert json.loads(kept) == found[0]


def test_a_value_that_changes_another_field_is_asked_of_whole_records():
    assert after(by("item.update(n=item['l'].pop())"), {"l": [1, 2]}) == [{"l": [1], "n": 2}]


def test_a_number_out_of_range_in_another_field_is_nobodys_matter():
    lines = [b'{"a":1,"b":1e999}', b'{"a":"2","b":1}']
    [first, second] = by("item.update(c=int(item['a']))").transform_batch(Batch.from_lines(lines)).lines
    assert (first, second) == (b'{"a":1,"b":1e999,"c":1}', b'{"a":"2","b":1,"c":2}')


def test_few_steps_are_counted_record_by_record():
    with pytest.raises(DataError, match="takes more than 50 steps"):
        by("item.update(b=item['s'] * 1000)", steps=50).transform_batch(Batch.from_lines([b'{"s":"long"}'])).lines  # noqa: B018


def test_two_fields_never_share_a_value():
    assert after(by("item.update(m=item['l'])", "item['m'].append(2)"), {"l": [1]}) == [{"l": [1], "m": [1, 2]}]


def test_a_record_changes_no_other():
    assert after(by("item.update(seen=item.get('seen', 0) + 1)"), {"a": 1}, {"a": 2}) == [{"a": 1, "seen": 1}, {"a": 2, "seen": 1}]


def test_what_is_written_is_what_was_changed():
    batch = by("item.update(b='é')").transform_batch(Batch.from_lines([b'{"a": 1}']))

    assert batch.lines == ['{"a": 1,"b":"é"}'.encode()]


@pytest.mark.parametrize("text", ["item.update(a={1})", "item.update({1: 2})", "item['l'].append(len)", "item.setdefault('x', range(2))"])
def test_what_a_record_can_not_hold_is_refused(text):
    with pytest.raises(DataError) as caught:
        by(text).transform_batch(Batch.from_records([{"l": []}, {"l": []}]))

    assert caught.value.row == 0


def test_a_record_it_fails_for_is_named_by_its_row():
    with pytest.raises(DataError, match=r"item\.pop\('a'\): KeyError: the record has no 'a'") as caught:
        by("item.pop('a')").transform_batch(Batch.from_records([{"a": 1}, {"b": 2}]))

    assert caught.value.row == 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"python_expressions": ["item['a'] = 1"]}, "python_expressions.0: column 11: not an expression"),
        ({"python_expressions": ["1", "(a := 1)"]}, "python_expressions.1: column 2: an assignment is not allowed"),
        ({"python_expressions": []}, "expected list of str of at least 1"),
    ],
)
def test_what_is_wrong_is_told_at_validation(options, problem):
    with pytest.raises(ConfigError) as caught:
        PythonExpTransform({"name": "python_exp", "options": options})

    assert problem in str(caught.value)


def test_steps_are_for_all_of_them_together():
    text = "item.update(b=len([x for x in range(300)]))"
    with pytest.raises(DataError, match="1,000 steps"):
        by(text, text, steps=1000).transform_batch(Batch.from_records([{}]))
    by(text, steps=1000).transform_batch(Batch.from_records([{}, {}, {}]))


def test_bad_records_follow_the_policy(tmp_path):
    (tmp_path / "in.jl").write_text('{"n": 1}\n{"m": 1}\n{"n": 2}\n')
    config = {
        "name": "bad",
        "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl")}},
        "transform": {
            "name": "exporters.transform.pythonexp_transform.PythonexpTransform",
            "options": {"python_expressions": ["item.update(n=item['n'] * 2)"]},
        },
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out"), "compression": "none"}},
    }
    with pytest.raises(DataError, match=r"in\.jl, record 2: transform \(PythonExpTransform\): item\.update.*KeyError"):
        ozzy.run(config, state_dir=tmp_path / "state")

    result = ozzy.run({**config, "name": "skip", "errors": {"policy": "skip"}}, state_dir=tmp_path / "state")
    assert result.counts["transform"].reasons == {"bad": 1}
    assert (tmp_path / "out0000.jl").read_text() == '{"n":2}\n{"n":4}\n'
