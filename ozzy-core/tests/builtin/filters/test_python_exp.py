"""The filter by an expression keeps what it is true for, and never changes a record."""

import json

import pytest

import ozzy
from ozzy import Batch, ConfigError, DataError, Metadata
from ozzy.builtin.filters.python_exp import PythonExpFilter

RECORDS = [{"n": 1, "tags": ["a"]}, {"n": 2, "tags": []}, {"n": 3, "tags": ["b", "c"], "x": None}]


def by(text, metadata=None, **options):
    return PythonExpFilter({"name": "python_exp", "options": {"python_expression": text, **options}}, metadata)


def kept(filter, *records):
    lines = Batch.from_lines([json.dumps(record).encode() for record in records])
    mask = list(filter.mask(lines))

    assert mask == list(filter.mask(Batch.from_records(list(records))))
    assert mask == [filter.filter(record) for record in records]
    assert all(type(truth) is bool for truth in mask)
    return mask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("item['n'] > 1", [False, True, True]),
        ("item['tags']", [True, False, True]),
        ("item.get('x', 5) is None", [False, False, True]),
        ("'x' in item", [False, False, True]),
        ("len(item) == 3", [False, False, True]),
        ("True", [True, True, True]),
        ("0", [False, False, False]),
        ("item['tags'] and item['tags'].pop()", [True, False, True]),
        ("any(re.match('[bc]', tag) for tag in item['tags'])", [False, False, True]),
    ],
)
def test_a_record_is_kept_where_the_expression_is_true(text, expected):
    assert kept(by(text), *RECORDS) == expected


def test_of_lines_only_the_fields_that_are_read_are_decoded():
    batch = Batch.from_lines([b'{"n": 1, "other": 1e999}', b'{"n": 5}'])

    assert list(by("item['n'] > 1").mask(batch)) == [False, True]
    assert batch.faces == ("lines",)
    assert by("item['n'] > item.get('m', 0)").reads == ("m", "n")
    assert by("len(item)").reads is None


def test_what_it_changes_is_forgotten():
    records = [{"tags": ["a"], "n": 1}]
    batch = Batch.from_records(records)
    by("[item['tags'].append('b'), item.update(n=2), item.pop('n')]").mask(batch)

    assert batch.records == [{"tags": ["a"], "n": 1}]


def test_a_record_it_fails_for_is_named_by_its_row():
    with pytest.raises(DataError, match=r"item\['n'\] > 1: KeyError: the record has no 'n'") as caught:
        by("item['n'] > 1").mask(Batch.from_records([{"n": 1}, {"m": 1}]))

    assert caught.value.row == 1


def test_imports_need_to_be_allowed():
    with pytest.raises(ConfigError, match=r"filter\.options\.imports runs code of the config's own"):
        by("unicodedata.name(item['a']) == 'X'", imports={"unicodedata": "unicodedata"})


def test_imports_that_are_allowed():
    allowed = by("'ACUTE' in names.name(item['a'])", Metadata(allow_code=True), imports={"names": "unicodedata"})

    assert kept(allowed, {"a": "é"}, {"a": "e"}) == [True, False]


def test_what_can_not_be_imported():
    with pytest.raises(ConfigError, match=r"imports\.x: no_such_module_at_all can't be imported"):
        by("x", Metadata(allow_code=True), imports={"x": "no_such_module_at_all"})


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"python_expression": "item['a'"}, "options.python_expression: column 5: not an expression: '[' was never closed"),
        ({"python_expression": "os.system('ls')"}, "options.python_expression: column 1: the name os is not known"),
        ({"python_expression": "1", "imports": {"a b": "os"}}, "options.imports.a b: expected a name for the expression"),
        ({"python_expression": "1", "imports": {"item": "os"}}, "options.imports.item: expected a name for the expression"),
        ({"python_expression": "1", "steps": 0}, "options.steps: expected int of at least 1"),
        ({}, "options.python_expression: missing"),
    ],
)
def test_what_is_wrong_is_told_at_validation(options, problem):
    with pytest.raises(ConfigError) as caught:
        PythonExpFilter({"name": "python_exp", "options": options})

    assert problem in str(caught.value)


def test_steps():
    with pytest.raises(DataError, match="it takes more than 1,000 steps"):
        by("[x for x in range(item['n'])]", steps=1000).filter({"n": 1000})
    assert by("[x for x in range(item['n'])]", steps=10_000).filter({"n": 1000})


def test_random_numbers_depend_on_the_place_of_the_record():
    start = Metadata()
    records = [{"a": 1}] * 200
    first = list(by("random.random() < 0.5", start).mask(Batch.from_records(list(records), split="s", origin=range(200))))
    halves = [
        *by("random.random() < 0.5", start).mask(Batch.from_records(list(records[:50]), split="s", origin=range(50))),
        *by("random.random() < 0.5", start).mask(Batch.from_records(list(records[50:]), split="s", origin=range(50, 200))),
    ]

    assert first == halves
    assert 60 < sum(first) < 140


def test_random_numbers_of_rows_without_a_place_depend_on_the_record():
    chosen = by("random.random() < 0.5")
    records = [{"n": number, "text": "é"} for number in range(100)]
    mask = kept(chosen, *records)

    assert 20 < sum(mask) < 80
    assert mask[50:] == kept(chosen, *records[50:])


@pytest.mark.parametrize("stage", ["filter", "filter_after", "when"])
def test_it_stands_wherever_a_filter_stands(stage, tmp_path):
    section = {"name": "python_exp", "options": {"python_expression": "item['key'] % 2 == 0"}}
    writer = {"name": "fs", "options": {"filebase": str(tmp_path / "out"), "compression": "none"}}
    config = {"name": "even", "reader": {"name": "random", "options": {"number_of_items": 10, "batch_size": 3}}, "writer": writer}
    config = {**config, "writer": {**writer, "when": section}} if stage == "when" else {**config, stage: section}

    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert result.records_written == 5
    assert [json.loads(line)["key"] for line in (tmp_path / "out0000.jl").read_text().splitlines()] == [0, 2, 4, 6, 8]


def test_the_inherited_class_path_works(tmp_path):
    config = {
        "name": "inherited",
        "reader": {"name": "exporters.readers.random_reader.RandomReader", "options": {"number_of_items": 4}},
        "filter": {
            "name": "exporters.filters.pythonexp_filter.PythonexpFilter",
            "options": {"python_expression": "item['key'] in [1, 2]", "imports": {}},
        },
    }
    assert [record["key"] for record in ozzy.read(config)] == [1, 2]


@pytest.mark.parametrize(("policy", "written"), [("skip", 3), ("fail", None)])
def test_bad_records_follow_the_policy(policy, written, tmp_path):
    (tmp_path / "in.jl").write_text('{"n": 1}\n{"m": 1}\n{"n": "x"}\n{"n": 2}\n{"n": 3}\n')
    config = {
        "name": "bad",
        "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl")}},
        "filter": {"name": "python_exp", "options": {"python_expression": "item['n'] > 0"}},
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out"), "compression": "none"}},
        "errors": {"policy": policy},
    }
    if written is None:
        with pytest.raises(DataError, match=r"in\.jl, record 2: filter_before \(PythonExpFilter\): item\['n'\] > 0: KeyError"):
            ozzy.run(config, state_dir=tmp_path / "state")
        return
    result = ozzy.run(config, state_dir=tmp_path / "state")

    assert result.records_written == written
    assert result.counts["filter_before"].reasons == {"bad": 2}
