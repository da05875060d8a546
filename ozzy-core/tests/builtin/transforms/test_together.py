"""Transforms in a list, in whole runs: what comes out, what the books say, what explain tells."""

import json

import pytest

import ozzy
from ozzy import ConfigError, DataError, api


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A config that reads these lines, and has these transforms."""
    monkeypatch.chdir(tmp_path)

    def config(lines, *transforms, **more):
        (tmp_path / "in.jl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return {
            "name": "together",
            "reader": {"name": "fs", "options": {"input": "in.jl"}},
            "transform": [{"name": name, "options": options} for name, options in transforms],
            "writer": {"name": "fs", "options": {"filebase": "out/all", "compression": "none"}},
            **more,
        }

    return config


def written(tmp_path):
    return "".join(path.read_text(encoding="utf-8") for path in sorted((tmp_path / "out").glob("*")))


LINES = [
    '{"id": 9007199254740993, "t":"1.50", "o":{"l":[{"n":1.0},{"n":2e3}], "mail":"a@b.c"}, "x":"\\u0061"}',
    '{"id": 2, "t":"0.10", "o":{"l":[], "mail":"d@e.f"}, "x":1E5}',
    '{"id": 3, "t":"7", "o":{"l":[{"n":5}], "mail":null}, "x":null}',
]
ALL = [
    ("jq", {"jq_filter": "select(.o.l | length > 0)"}),
    ("explode", {"field": "o.l", "index_field": "number"}),
    ("cast", {"fields": {"t": "decimal", "id": "str"}}),
    ("mask", {"fields": {"o.mail": "redact"}}),
    ("flatten", {"separator": "_"}),
    ("rename", {"fields": {"o_l_n": "n"}}),
    ("drop", {"fields": ["o_mail"]}),
    ("select", {"fields": ["id", "number", "n", "t", "x"]}),
]


def test_a_list_of_all_of_them(config, tmp_path):
    result = ozzy.run(config(LINES, *ALL))

    assert written(tmp_path) == (
        '{"id":"9007199254740993","number":0,"n":1.0,"t":"1.50","x":"a"}\n'
        '{"id":"9007199254740993","number":1,"n":2E+3,"t":"1.50","x":"a"}\n'
        '{"id":"3","number":0,"n":5,"t":"7","x":null}\n'
    )
    assert (result.records_read, result.records_written) == (3, 3)
    assert result.counts["transform.0"].reasons == {"filtered": 1}
    assert [result.counts[f"transform.{i}"].records_in for i in range(8)] == [3, 2, 3, 3, 3, 3, 3, 3]


def test_what_only_tokens_pass_through_keeps_its_bytes(config, tmp_path):
    ozzy.run(config(LINES, *[one for one in ALL if one[0] in {"explode", "rename", "drop", "mask"}]))

    assert written(tmp_path).splitlines()[1] == (
        '{"id":9007199254740993,"t":"1.50","o":{"l":{"n":2e3},"mail":"***"},"x":"\\u0061","number":1}'
    )


def test_explain_shows_what_each_asks_for(config):
    told = api.explain(config(LINES, *ALL))
    faces = {module.name: module.face for module in told.modules if "transform" in module.stage}

    assert faces == {
        "jq": "lines",
        "explode": "tokens",
        "cast": "fields t, id",
        "mask": "fields o",
        "flatten": "tokens",
        "rename": "tokens",
        "drop": "tokens",
        "select": "fields id, number, n, t, x",
    }


BAD = {
    "cast": ({"fields": {"a": "int"}}, '{"a":"x"}'),
    "explode": ({"field": "a"}, '{"a":"x"}'),
    "flatson": (
        {"flatson_schema": {"type": "object", "properties": {"a": {"type": "array", "flatson_serialize": {"method": "extract_first"}}}}},
        '{"a":"x"}',
    ),
    "flatten": ({}, '{"a":{"b":1},"a.b":2}'),
    "jq": ({"jq_filter": "{a: (.a // 0 | tonumber)}"}, '{"a":"x"}'),
    "mask": ({"fields": {"a.b": "redact"}}, '{"a":"x"}'),
    "rename": ({"fields": {"a": "b"}}, '{"a":1,"b":2}'),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_named_or_skipped(config, tmp_path, name):
    options, bad = BAD[name]
    given = config(["{}", '{"a":null}', bad, '{"z": 1.50}'], (name, options))
    with pytest.raises(DataError, match=r"in.jl, record 3: transform \("):
        ozzy.run(given)
    result = ozzy.run(given | {"errors": {"policy": "skip"}, "name": "skipping"}, fresh=True)

    counts = result.counts["transform"]
    assert (counts.records_in, counts.reasons["bad"]) == (4, 1)
    assert name == "explode" or counts.records_out == 4 - sum(counts.reasons.values())
    if name in {"cast", "flatten", "mask"}:
        assert written(tmp_path) == '{}\n{"a":null}\n{"z": 1.50}\n'


def test_all_mistakes_come_at_once(config):
    with pytest.raises(ConfigError) as raised:
        ozzy.run(config(["{}"], ("cast", {"fields": {"a": "number"}}), ("jq", {"jq_filter": "["}), ("mask", {"fields": {"a": "digest"}})))

    assert [problem.path for problem in raised.value.problems] == [
        "transform.0.options.fields.a",
        "transform.1.options.jq_filter",
        "transform.2.options.fields.a",
    ]


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("exporters.transform.jq_transform.JQTransform", {"jq_filter": "{a: .b}"}),
        (
            "exporters.transform.flatson_transform.FlatsonTransform",
            {"flatson_schema": {"type": "object", "properties": {"b": {"type": "number"}}}},
        ),
    ],
)
def test_inherited_class_paths(config, tmp_path, path, options):
    ozzy.run(config(['{"b": 1, "c": 2}'], (path, options)))

    assert list(json.loads(written(tmp_path)).values()) == [1]


def test_two_runs_with_one_key_give_the_same_digests(config, tmp_path):
    fields = {"fields": {"a": "digest"}, "key": "a key of sixteen characters"}
    ozzy.run(config(['{"a":"x"}'], ("mask", fields)))
    first = written(tmp_path)
    (tmp_path / "out").rename(tmp_path / "before")
    ozzy.run(config(['{"a":"x"}'], ("mask", fields)))

    assert written(tmp_path) == first
