"""Values set from outside reach every place of a config, and nothing else."""

from copy import deepcopy

import pytest

from ozzy.options.option import Text
from ozzy.plan.overrides import override

CONFIG = {
    "reader": "random",
    "transform": [{"name": "a", "options": {"x": 1}}, "b"],
    "writer": {"name": "fs", "options": {"filebase": "out"}},
    "nothing": None,
}


def after(**paths):
    config = deepcopy(CONFIG)
    problems = override(config, {path.replace("__", "."): value for path, value in paths.items()})
    return config, [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name", {"name": "v"}),
        ("reader", {"reader": "v"}),
        ("writer.options.filebase", {"writer": {"name": "fs", "options": {"filebase": "v"}}}),
        ("writer.options.a.b", {"writer": {"name": "fs", "options": {"filebase": "out", "a": {"b": "v"}}}}),
        ("grouper.name", {"grouper": {"name": "v"}}),
        ("reader.options.n", {"reader": {"name": "random", "options": {"n": "v"}}}),
        ("reader.name", {"reader": {"name": "v"}}),
        ("transform.0.options.x", {"transform": [{"name": "a", "options": {"x": "v"}}, "b"]}),
        ("transform.1", {"transform": [{"name": "a", "options": {"x": 1}}, "v"]}),
        ("transform.1.options.y", {"transform": [{"name": "a", "options": {"x": 1}}, {"name": "b", "options": {"y": "v"}}]}),
    ],
)
def test_a_value_is_put_at_its_path(path, expected):
    config = deepcopy(CONFIG)
    assert override(config, {path: "v"}) == []
    assert config == {**CONFIG, **expected}


def test_a_text_is_one_that_may_be_parsed():
    config, _ = after(a="5", b=5)
    assert (type(config["a"]), config["a"].origin) == (Text, "--set")
    assert type(config["b"]) is int


def test_later_values_see_earlier_ones():
    assert after(a__b="1", a__c="2")[0]["a"] == {"b": "1", "c": "2"}


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("transform.2.options.x", "transform is a list of 2, and 2 is no index in it"),
        ("transform.-1", "transform is a list of 2, and -1 is no index in it"),
        ("transform.x.y", "transform is a list of 2, and x is no index in it"),
        ("transform.²", "transform is a list of 2, and ² is no index in it"),
        ("transform.0.options.x.y", "transform.0.options.x is one value (int), so there is nothing below it"),
        ("writer.options.filebase.x.y", "writer.options.filebase is a text, so there is nothing below it"),
        ("nothing.x", "nothing is null, so there is nothing below it"),
        ("", "expected a path such as reader.options.batch_size"),
        (".a", "expected a path such as reader.options.batch_size"),
        ("a..b", "expected a path such as reader.options.batch_size"),
    ],
)
def test_a_path_that_can_not_be_followed_is_a_problem(path, problem):
    config = deepcopy(CONFIG)
    assert [(one.path, one.message) for one in override(config, {path: "v"})] == [(f"--set {path}", problem)]
    assert config == CONFIG


def test_all_problems_come_at_once():
    assert len(after(nothing__x="1", transform__9="2")[1]) == 2
