"""Structuring is strict, parses only texts from outside, and tells all problems at once."""

# ruff: noqa: RUF012 - inherited modules declare their options like this

import copy
import enum
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.errors import ConfigError, Problem
from ozzy.options.option import ByteSize, Text, dict_list, int_list, option, options, str_list
from ozzy.options.structure import Origin, examine, nearest, structured


def field(kind, **details):
    """A module with one option `x` of a type."""

    @options
    class One:
        x: kind = option(**details)

    return One


def look(kind, value, **details):
    """What becomes of a value for one option: itself, or its problems as texts."""
    found = examine(field(kind, **details), {"x": value}, environ={})
    return [str(problem) for problem in found.problems] or found.value.x


def refused(kind, value, **details):
    found = examine(field(kind, **details), {"x": value}, environ={})
    return [str(problem) for problem in found.problems]


@options
class Inner:
    a: int = option(minimum=1)
    password: str = option(env="INNER_PASSWORD")


@attrs.frozen
class Plain:
    a: int
    b: list[str] = attrs.Factory(list)


class Point(NamedTuple):
    x: int
    y: int


class Shape(TypedDict):
    sides: int


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.Enum):
    LOW = "low"


EXACT = [
    (int, 5),
    (int, 0),
    (int, 10**400),
    (str, ""),
    (str, "ñ\N{SNOWMAN}"),
    (bool, True),
    (bool, False),
    (float, 1.5),
    (None | int, None),
    (str | None, "x"),
    (list, []),
    (list, [1, "a", None]),
    (list[Any], [1, "a"]),
    (list[str], ["a", "b"]),
    (list[list[int]], [[1], []]),
    (dict, {"a": 1}),
    (dict[str, Any], {"a": [1]}),
    (dict[str, int], {}),
    (dict[str, list[int]], {"a": [1]}),
    (str | dict[str, Any] | list[str], "x"),
    (str | dict[str, Any] | list[str], {"x": 1}),
    (str | dict[str, Any] | list[str], ["x"]),
    (int | str, 5),
    (int | str, "5"),
    (float | int, 5),
    (int | bool, True),
    (list[int] | list[str], ["a"]),
    (Literal["a", "b"], "b"),
    (Literal[1, True], True),
    (Literal["a"] | int, 3),
    (Any, {"a": (1, 2)}),
    (object, "x"),
    (Any | int, "x"),
    (str_list, ["a", 1]),
    (int_list, ["1", 2, 3.5]),
    (dict_list, [{"a": 1}, [["b", 2]]]),
    (Path | None, None),
]


@pytest.mark.parametrize(("kind", "value"), EXACT)
def test_a_value_of_its_type_stays_as_it_is(kind, value):
    found = look(kind, value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (float, 5, 5.0),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple, [1], (1,)),
        (tuple[Any, ...], [1], (1,)),
        (set[str], ["a", "a"], {"a"}),
        (Path, "a/b", Path("a/b")),
        (Path | str, "a/b", "a/b"),
        (Sequence[int], [1], [1]),
        (frozenset[int], [1, 1], frozenset({1})),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (Point, [1, 2], Point(1, 2)),
        (Shape, {"sides": 3}, {"sides": 3}),
        (Path, Path("c"), Path("c")),
        (ByteSize, 5, 5),
        (ByteSize, "1 KiB", 1024),
        (ByteSize | None, "1 KiB", 1024),
        (Plain, {"a": 1}, Plain(1)),
        (Plain, Plain(2), Plain(2)),
        (list[Plain], [{"a": 1, "b": ["x"]}], [Plain(1, ["x"])]),
        (dict[str, Plain], {"k": {"a": 1}}, {"k": Plain(1)}),
        (Plain | None, {"a": 1}, Plain(1)),
        (Plain | str, "x", "x"),
        (Colour, "red", Colour.RED),
        (Level, "low", Level.LOW),
    ],
)
def test_a_value_becomes_what_its_type_makes_of_it(kind, value, expected):
    assert look(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (int, True, "x: expected int, given true (bool)"),
        (int, 3.0, "x: expected int, given 3.0 (float)"),
        (int, "5", 'x: expected int, given "5" (str)'),
        (int, None, "x: expected int, given null"),
        (bool, "false", 'x: expected true or false, given "false" (str)'),
        (bool, 1, "x: expected true or false, given 1 (int)"),
        (str, 5, "x: expected str, given 5 (int) (write it in quotes)"),
        (str, True, "x: expected str, given true (bool) (write it in quotes)"),
        (str, ["a"], 'x: expected str, given ["a"] (list)'),
        (float, "1.5", 'x: expected number, given "1.5" (str)'),
        (float, False, "x: expected number, given false (bool)"),
        (float, float("nan"), "x: expected finite number, given NaN (float)"),
        (float, float("-inf"), "x: expected finite number, given -Infinity (float)"),
        (list[str], "abc", 'x: expected list of str, given "abc" (str)'),
        (list[str], {"a": 1}, 'x: expected list of str, given {"a": 1} (dict)'),
        (list, "abc", 'x: expected list, given "abc" (str)'),
        (list[str], ["a", 1], "x.1: expected str, given 1 (int) (write it in quotes)"),
        (list[list[int]], [[1], [1, "2"]], 'x.1.1: expected int, given "2" (str)'),
        (tuple[int, str], [1], "x: expected list of 2 members, given [1] (list)"),
        (dict[str, int], [("a", 1)], 'x: expected dict of int, given [["a", 1]] (list)'),
        (dict[str, int], {"a": "1"}, 'x.a: expected int, given "1" (str)'),
        (dict[str, int], {1: 1}, "x.1: expected str, given 1 (int) (write it in quotes)"),
        (str | list[str], 5, "x: expected str or list of str, given 5 (int)"),
        (str | list[int], ["a"], 'x.0: expected int, given "a" (str)'),
        (list[int] | list[str], [1, "a"], 'x: expected list of int or list of str, given [1, "a"] (list)'),
        (int | None, "x", 'x: expected int or null, given "x" (str)'),
        (Literal["a", "b"], "c", 'x: expected one of "a", "b", given "c" (str)'),
        (Literal[1], True, "x: expected one of 1, given true (bool)"),
        (Literal["a"] | int, "b", 'x: expected one of "a" or int, given "b" (str)'),
        (Path, "", 'x: expected path, given "" (str)'),
        (Path, 5, "x: expected path, given 5 (int)"),
        (Path, "a\0b", 'x: expected path, given "a\\u0000b" (str)'),
        (ByteSize, "lots", 'x: expected size in bytes, such as 1000 or 64 MiB, given "lots" (str)'),
        (ByteSize, 1.5, "x: expected int, given 1.5 (float)"),
        (ByteSize | None, "lots", 'x: expected size in bytes, such as 1000 or 64 MiB, given "lots" (str)'),
        (Plain, 5, "x: expected dict, given 5 (int)"),
        (Plain, {"a": "1", "c": 3}, 'x.c: unknown option (known: a, b)|x.a: expected int, given "1" (str)'),
        (Plain, {"a": 1, "b": [2]}, "x.b.0: expected str, given 2 (int) (write it in quotes)"),
        (list[Plain], [{}], "x.0.a: missing; expected int"),
        (Plain | str, {"a": "1"}, 'x.a: expected int, given "1" (str)'),
        (str_list, "a", 'x: expected list of str, given "a" (str)'),
        (int_list, [1, "z"], 'x.1: expected something that can be cast to int, given "z" (str)'),
        (dict_list, [1, {}], "x.0: expected something that can be cast to dict, given 1 (int)"),
        (Level, "high", 'x: expected one of "low", given "high" (str)'),
        (list[Level], ["low", "high"], 'x.1: expected one of "low"'),
        (Colour, "blue", 'x: expected one of "red", given "blue" (str)'),
        (tuple[int, str], ["a", 1], 'x.0: expected int, given "a" (str)|x.1: expected str, given 1 (int) (write it in quotes)'),
        (Shape, {"sides": 3, "colour": 1}, "x.colour: unknown key"),
        (complex, "1", 'x: expected complex, given "1" (str)'),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_place(kind, value, expected):
    assert refused(kind, value) == [f"options.{line}" for line in expected.split("|")]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (int, "5", 5),
        (int, " -5 ", -5),
        (bool, "true", True),
        (bool, "FALSE", False),
        (float, "1.5", 1.5),
        (float, "-1e3", -1000.0),
        (float, "5", 5.0),
        (str, "5", "5"),
        (str, "", ""),
        (Any, "5", "5"),
        (list[str], "a, b,c", ["a", "b", "c"]),
        (list[str], "", []),
        (list[str], "  ", []),
        (list[str], '["a,b", "c"]', ["a,b", "c"]),
        (list[int], "1,2", [1, 2]),
        (list[int], "[1, 2]", [1, 2]),
        (list, "a,b", ["a", "b"]),
        (tuple[int, ...], "1,2", (1, 2)),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (Plain, '{"a": 1}', Plain(1)),
        (list[Plain], '[{"a": 1}]', [Plain(1)]),
        (Plain | None, '{"a": 1}', Plain(1)),
        (int | None, "null", None),
        (int | None, "5", 5),
        (float | int, "5", 5),
        (int | float, "5.5", 5.5),
        (str | None, "null", "null"),
        (int | str, "5", "5"),
        (str | list[str], "a,b", "a,b"),
        (str | list[str], '["a"]', ["a"]),
        (str | dict[str, Any], '{"a": 1}', {"a": 1}),
        (str | dict[str, Any], "{not json", "{not json"),
        (str | int, "[1]", "[1]"),
        (Path | list[str], "a", Path("a")),
        (Path, "a", Path("a")),
        (ByteSize, "1 KiB", ByteSize(1024)),
        (ByteSize, "7", ByteSize(7)),
        (tuple[int, str], "1,b", (1, "b")),
        (Literal["a", "b"], "a", "a"),
        (Literal[1, 2], "2", 2),
        (Literal[True], "True", True),
        (str_list, "a,1", ["a", "1"]),
        (int_list, "1,2", [1, 2]),
        (dict_list, '[{"a": 1}]', [{"a": 1}]),
        (Colour, "red", Colour.RED),
    ],
)
def test_a_text_from_outside_is_parsed(kind, text, expected):
    found = look(kind, Text(text, "--set"))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (int, "3.7", "x: expected int, given"),
        (int, "1_000", "x: expected int, given"),
        (int, "٣", "x: expected int, given"),
        (bool, "yes", "x: expected true or false, given"),
        (bool, "", "x: expected true or false, given"),
        (float, "nan", "x: expected number, given"),
        (float, "1e999", "x: expected finite number, given"),
        (list[int], "1,a", "x.1: expected int, given"),
        (list[str], "[1", "x: expected list of str as JSON, given"),
        (list[Plain], "a,b", "x: expected list of dict as JSON, given"),
        (dict[str, int], "a=1", "x: expected dict of int as JSON, given"),
        (dict[str, int], "[1]", "x: expected dict of int, given"),
        (dict[str, int], "[" * 100_000, "x: expected dict of int as JSON, given"),
        (Plain, "{", "x: expected dict as JSON, given"),
        (int | None, "x", "x: expected int or null, given"),
        (Literal["a"], "b", 'x: expected one of "a", given'),
        (dict_list, "a", "x: expected list of dict as JSON, given"),
        (str | list[int], '["a"]', "x.0: expected int, given"),
    ],
)
def test_a_text_that_can_not_be_parsed_is_told_with_its_origin(kind, text, expected):
    (problem,) = refused(kind, Text(text, "--set"))
    assert problem.startswith(f"options.{expected}")
    if "as JSON" in expected or text in ("3.7", "yes"):
        assert problem.endswith("(str) from --set")


def test_texts_inside_a_free_value_lose_their_origin():
    found = look(dict[str, Any], {"a": [Text("1", "--set")], "b": (Text("x"),)})
    assert found == {"a": ["1"], "b": ("x",)}
    assert type(found["a"][0]) is str


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_a_value_is_taken_as_it_is_or_refused_and_never_changed(value):
    for kind in (int, str, bool, list[int], dict[str, str], int | None, str | list[str]):
        found = examine(field(kind), {"x": value}, environ={})
        if not found.problems:
            assert (found.value.x, type(found.value.x)) == (value, type(value))


class TestLimits:
    @pytest.mark.parametrize(
        ("kind", "value", "details", "expected"),
        [
            (int, 0, {"minimum": 1}, "expected int of at least 1, given 0 (int)"),
            (int, 9, {"maximum": 5}, "expected int of at most 5, given 9 (int)"),
            (int | None, 0, {"minimum": 1}, "expected int of at least 1, or null, given 0 (int)"),
            (float, 0.5, {"minimum": 1, "maximum": 2}, "expected float from 1 to 2, given 0.5 (float)"),
            (str, "", {"minimum": 1}, 'expected str of at least 1 in length, given "" (str)'),
            (list[int], [1, 2], {"maximum": 1}, "expected list of int of at most 1 in length, given [1, 2] (list)"),
            (dict[str, int], {}, {"minimum": 1}, "expected dict of int of at least 1 in length, given {} (dict)"),
            (ByteSize, "1 B", {"minimum": 2}, 'expected size in bytes of at least 2, given "1 B" (str)'),
            (str, "gzz", {"choices": ("gz", "none")}, 'expected one of "gz", "none", given "gzz" (str) (did you mean gz?)'),
            (str, "x", {"choices": ("gz", "none")}, 'expected one of "gz", "none", given "x" (str)'),
        ],
    )
    def test_what_lies_beyond_is_refused(self, kind, value, details, expected):
        assert refused(kind, value, **details) == [f"options.x: {expected}"]

    @pytest.mark.parametrize(
        ("kind", "value", "details"),
        [
            (int, 1, {"minimum": 1, "maximum": 1}),
            (int | None, None, {"minimum": 1}),
            (str | None, None, {"choices": ("a",)}),
            (str, "ab", {"minimum": 2, "maximum": 2}),
            (list[str], ["a", "a"], {"choices": ("a", "b")}),
            (bool, True, {"minimum": 5}),
            (int, 1, {"choices": (1, 2)}),
        ],
    )
    def test_what_lies_within_is_taken(self, kind, value, details):
        assert look(kind, value, **details) == value

    def test_each_member_of_a_list_is_one_of_the_choices(self):
        assert refused(list[str], ["a", "c", "d"], choices=("a", "b")) == [
            'options.x.1: expected one of "a", "b", given "c" (str)',
            'options.x.2: expected one of "a", "b", given "d" (str)',
        ]

    def test_true_is_not_the_choice_one(self):
        assert refused(Any, True, choices=(1, 2)) == ["options.x: expected one of 1, 2, given true (bool)"]


@options
class Several:
    n: int = option(minimum=1)
    host: str = option(env="HOST")
    inner: Inner | None = option(default=None)
    inners: list[Inner] = option(default=[])
    size: int = option(default=7)


class Module:
    Options = Several


class TestWhole:
    def test_all_problems_come_at_once(self):
        with pytest.raises(ConfigError) as raised:
            structured(
                Module,
                {"n": 0, "inners": [{"a": 0, "password": 5}, {"a": 1, "b": 2}], "sise": 1},
                path="reader.options",
                environ={},
            )
        assert str(raised.value).splitlines() == [
            "Module has 7 problems in its options",
            "  reader.options.sise: unknown option (did you mean size?)",
            "  reader.options.host: missing; expected str (give it here or set the environment variable HOST)",
            "  reader.options.n: expected int of at least 1, given 0 (int)",
            "  reader.options.inners.0.a: expected int of at least 1, given 0 (int)",
            "  reader.options.inners.0.password: expected str, given a value of type int, not shown because it is secret",
            "  reader.options.inners.1.b: unknown option (known: a, password)",
            "  reader.options.inners.1.password: missing; expected str (give it here or set the environment variable INNER_PASSWORD)",
        ]
        assert [problem.path for problem in raised.value.problems][:2] == ["reader.options.sise", "reader.options.host"]

    def test_a_missing_choice_names_the_choices(self):
        (problem,) = examine(field(str, choices=("a", "b")), {}, environ={}).problems
        assert str(problem) == 'options.x: missing; expected one of "a", "b"'

    def test_a_single_problem_is_told_as_one(self):
        with pytest.raises(ConfigError, match=r"^Several has a problem in its options\n"):
            structured(Several, {}, environ={"HOST": "h"})

    def test_options_that_are_right_come_structured(self):
        found = structured(Module, {"n": 5, "inner": {"a": 1}}, environ={"HOST": "h", "INNER_PASSWORD": "pppp"})
        assert (found.n, found.host, found.size, found.inners) == (5, "h", 7, [])
        assert found.inner == Inner(a=1, password="pppp")

    def test_what_is_structured_already_is_given_back(self):
        made = Several(n=1, host="h")
        assert structured(Module, made) is made
        assert structured(Several, made) is made

    def test_a_nested_instance_is_given_back(self):
        inner = Inner(a=1, password="x")
        assert structured(Several, {"n": 1, "host": "h", "inner": inner}, environ={}).inner is inner

    @pytest.mark.parametrize("values", ["abc", 5, None, [1]])
    def test_options_that_are_no_mapping_are_refused(self, values):
        (problem,) = examine(Module, values, environ={}).problems
        assert problem.path == "options"
        assert problem.message.startswith("expected dict of options, given ")

    def test_the_environment_is_that_of_the_process_by_default(self, monkeypatch):
        monkeypatch.setenv("HOST", "from outside")
        assert structured(Several, {"n": 1}).host == "from outside"

    def test_an_empty_path_is_no_path(self):
        assert examine(field(int), {"x": "a"}, path="", environ={}).problems[0].path == "x"

    def test_no_options_at_all(self):
        class Empty:
            pass

        assert structured(Empty, {}, environ={}) == {}
        assert [str(one) for one in examine(Empty, {"a": 1}).problems] == ["options.a: unknown option (it takes none)"]

    def test_an_option_named_like_a_word_of_python(self):
        @options
        class Mail:
            from_: str = option()

        assert structured(Mail, {"from": "me"}, environ={}).from_ == "me"
        assert [one.path for one in examine(Mail, {"from_": "me"}, environ={}).problems] == ["options.from_", "options.from"]

    def test_a_recursive_type(self):
        assert structured(Tree, {"below": [{"below": []}]}, environ={}) == Tree(below=[Tree(below=[])])
        assert [str(one) for one in examine(Tree, {"below": [{"below": [5]}]}, environ={}).problems] == [
            "options.below.0.below.0: expected dict, given 5 (int)"
        ]


@options
class Tree:
    below: "list[Tree]" = option(default=[])


class TestOrigins:
    def values(self, values, environ, **details):
        found = examine(field(str, **details), values, environ=environ)
        return found.problems or (found.value.x, str(found.origins["x"]))

    def test_order_is_set_config_environment_default(self):
        environ = {"X": "from env"}
        details = {"default": "from default", "env": "X"}
        assert self.values({"x": Text("from set", "--set")}, environ, **details) == ("from set", "--set")
        assert self.values({"x": "from config"}, environ, **details) == ("from config", "config")
        assert self.values({}, environ, **details) == ("from env", "env X")
        assert self.values({}, {}, **details) == ("from default", "default")

    def test_a_text_with_variables_comes_from_the_config(self):
        assert self.values({"x": Text("ab")}, {}) == ("ab", "config")

    def test_a_variable_named_in_the_config_wins_where_it_is_set(self):
        assert self.values({"x": "config", "from_env": {"x": "V"}}, {"V": "env"}) == ("env", "env V")
        assert self.values({"x": "config", "from_env": {"x": "V"}}, {}) == ("config", "config")
        assert self.values({"from_env": {"x": "V"}}, {"V": ""}) == ("", "env V")

    def test_what_is_set_from_outside_wins_over_a_named_variable(self):
        assert self.values({"x": Text("set", "--set"), "from_env": {"x": "V"}}, {"V": "env"}) == ("set", "--set")

    def test_an_empty_variable_wins_over_the_default(self):
        assert self.values({}, {"X": ""}, default="d", env="X") == ("", "env X")

    def test_a_missing_option_names_every_variable_that_may_give_it(self):
        (problem,) = self.values({"from_env": {"x": "V"}}, {}, env="X")
        assert str(problem) == (
            "options.x: missing; expected str (give it here or set the environment variable V or set the environment variable X)"
        )

    @pytest.mark.parametrize(
        ("from_env", "expected"),
        [
            ("V", 'options.from_env: expected dict of option to environment variable, given "V" (str)'),
            ({"y": "V"}, "options.from_env.y: unknown option (known: x)"),
            ({"x": 5}, "options.from_env.x: expected name of an environment variable, given 5 (int)"),
            ({"x": ""}, 'options.from_env.x: expected name of an environment variable, given "" (str)'),
        ],
    )
    def test_variables_are_named_strictly(self, from_env, expected):
        assert expected in [str(one) for one in examine(field(str, default=""), {"from_env": from_env}, environ={}).problems]

    def test_an_option_of_that_name_is_the_modules_own(self):
        @options
        class Own:
            from_env: str = option()

        assert structured(Own, {"from_env": "x"}, environ={}).from_env == "x"

    def test_origins_can_be_printed(self):
        assert str(Origin("env A")) == "env A"


class TestChecks:
    def test_checks_over_several_options_come_with_their_place(self):
        class Range:
            Options = field(int)

            @classmethod
            def check_options(cls, options):
                yield "low is above high"
                yield Problem("x", "too much", "less")
                yield Problem("", "whole")

        found = examine(Range, {"x": 5}, path="p", environ={})
        assert found.value is None
        assert [str(one) for one in found.problems] == ["p: low is above high", "p.x: too much (less)", "p: whole"]

    def test_they_are_asked_when_the_options_are_right_and_may_say_nothing(self):
        asked = []

        class Silent:
            Options = field(int)

            @classmethod
            def check_options(cls, options):
                asked.append(options.x)

        assert examine(Silent, {"x": "a"}, environ={}).problems
        assert not asked
        assert structured(Silent, {"x": 5}, environ={}).x == 5
        assert asked == [5]

    def test_an_inherited_module_is_checked_with_a_dict(self):
        class Old:
            supported_options = {"a": {"type": int}}

            @classmethod
            def check_options(cls, options):
                if options["a"] > 1:
                    yield "a is above 1"

        assert [str(one) for one in examine(Old, {"a": 2}).problems] == ["options: a is above 1"]

    def test_a_check_that_fails_is_a_problem(self):
        class Broken:
            Options = field(int)

            @classmethod
            def check_options(cls, options):
                raise KeyError("oops")

        assert [str(one) for one in examine(Broken, {"x": 5}, environ={}).problems] == ["options: KeyError: 'oops'"]

    def test_a_validator_of_the_class_is_a_problem(self):
        @options
        class Validated:
            x: int = attrs.field(validator=attrs.validators.instance_of(int))

            def __attrs_post_init__(self):
                if self.x > 1:
                    raise ValueError("x is above 1")
                if self.x < 0:
                    raise ValueError

        assert [str(one) for one in examine(Validated, {"x": 5}, environ={}).problems] == ["options: x is above 1"]
        assert [str(one) for one in examine(Validated, {"x": -5}, environ={}).problems] == ["options: ValueError: "]


class TestSecrets:
    SECRET = "hunter2-and-more"

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (int, SECRET),
            (int, Text(SECRET, "env PW")),
            (list[int], [SECRET]),
            (dict[str, int], {"a": SECRET}),
            (Literal["a"], SECRET),
            (bool, Text(SECRET)),
            (ByteSize, SECRET),
            (dict[str, int], Text(SECRET)),
            (str, {"a": SECRET}),
            (Level, SECRET),
        ],
    )
    def test_a_wrong_value_of_a_secret_is_never_shown(self, kind, value):
        with pytest.raises(ConfigError) as raised:
            structured(field(kind, secret=True), {"x": value}, environ={})
        self.is_hidden(raised.value)

    @pytest.mark.parametrize("details", [{"choices": ("a",)}, {"maximum": 3}])
    def test_limits_do_not_show_it(self, details):
        with pytest.raises(ConfigError) as raised:
            structured(field(str, secret=True, **details), {"x": self.SECRET}, environ={})
        self.is_hidden(raised.value)

    def is_hidden(self, error):
        assert self.SECRET not in str(error)
        assert "not shown because it is secret" in str(error)
        assert error.__cause__ is None
        assert error.__context__ is None

    def test_nor_in_the_place_of_something_that_holds_one(self):
        for value in (self.SECRET, [self.SECRET], Text(self.SECRET)):
            (problem,) = refused(Inner, value)
            assert self.SECRET not in problem
        (problem,) = refused(list[Inner], self.SECRET)
        assert self.SECRET not in problem

    def test_nor_options_that_are_one_text(self):
        (problem,) = examine(Inner, self.SECRET, environ={}).problems
        assert self.SECRET not in str(problem)

    def test_nor_below_a_key_that_is_called_like_one(self):
        (problem,) = refused(str, {"ssl": {"password": "pw1"}})
        assert problem == 'options.x: expected str, given {"ssl": {"password": "***"}} (dict)'

    @pytest.mark.parametrize("secret", ["pw", "hunter2-and-more"])
    def test_nor_in_what_a_check_says(self, secret):
        class Talkative:
            Options = Inner

            @classmethod
            def check_options(cls, options):
                yield f"bad {options.password}"
                yield Problem("a", f"bad {options.password}", f"not {options.password}")
                raise ValueError(options.password)

        found = examine(Talkative, {"a": 1, "password": secret}, environ={})
        assert [str(one) for one in found.problems] == ["options: bad ***", "options.a: bad *** (not ***)", "options: ***"]

    def test_nor_in_what_a_validator_says(self):
        @options
        class Validated:
            password: str = option()
            more: dict[str, Any] = option(default={})

            def __attrs_post_init__(self):
                raise ValueError(f"{self.password} or {self.more}")

        found = examine(Validated, {"password": "pw", "more": {"token": "tik"}}, environ={})
        assert [str(one) for one in found.problems] == ["options: *** or {'token': '***'}"]

    def test_a_secret_that_is_missing_can_be_told(self):
        (problem,) = examine(Inner, {"a": 1}, environ={}).problems
        assert problem.path == "options.password"


@options
class OldOptions:
    pass


def old(**supported):
    return type("Old", (), {"supported_options": supported})


class TestInheritedModules:
    @pytest.mark.parametrize(
        ("declared", "value"),
        [
            ({"type": str}, "a"),
            ({"type": int}, 5),
            ({"type": float}, 5),
            ({"type": bool}, True),
            ({"type": list}, ["a", 1]),
            ({"type": dict}, {"a": 1}),
            ({"type": tuple}, ["a"]),
            ({"type": object}, 3.5),
            ({"type": object}, True),
            ({"type": Any}, True),
            ({}, None),
            ({"type": (str, list, dict)}, {"a": 1}),
            ({"type": (str, list, tuple), "default": None}, None),
            ({"type": int, "default": None}, None),
            ({"type": dict, "default": []}, []),
            ({"type": str_list}, ["a", 1, None]),
            ({"type": int_list}, ["1", 2.5]),
            ({"type": dict_list}, [{}, [("a", 1)]]),
            ({"type": (str, str_list)}, ["a"]),
            ({"type": (str, str_list)}, "a"),
        ],
    )
    def test_values_stay_raw(self, declared, value):
        assert structured(old(x=declared), {"x": value}, environ={}) == {"x": value}

    @pytest.mark.parametrize(
        ("declared", "value", "expected"),
        [
            ({"type": str}, 5, "expected str, given 5 (int)"),
            ({"type": int}, "5", 'expected int, given "5" (str)'),
            ({"type": int}, True, "expected int, given true (bool)"),
            ({"type": int}, 3.7, "expected int, given 3.7 (float)"),
            ({"type": bool}, 1, "expected bool, given 1 (int)"),
            ({"type": float}, False, "expected float, given false (bool)"),
            ({"type": list}, "abc", 'expected list, given "abc" (str)'),
            ({"type": dict}, [], "expected dict, given [] (list)"),
            ({"type": str}, None, "expected str, given null"),
            ({"type": int, "default": 1}, True, "expected int, given true (bool)"),
            ({"type": (str, list)}, 5, "expected str or list, given 5 (int)"),
            ({"type": str_list}, "abc", 'expected list of str, given "abc" (str)'),
            ({"type": str, "choices": ["a"]}, "b", 'expected one of "a", given "b" (str)'),
            ({"type": int, "minimum": 1}, 0, "expected int of at least 1, given 0 (int)"),
            ({"type": str, "secret": True}, 5, "expected str, given a value of type int, not shown because it is secret"),
        ],
    )
    def test_other_types_are_refused(self, declared, value, expected):
        assert [str(one) for one in examine(old(x=declared), {"x": value}, environ={}).problems] == [f"options.x: {expected}"]

    def test_each_member_that_can_not_be_cast_is_told(self):
        found = examine(old(x={"type": int_list}), {"x": [1, "a", None]}, environ={})
        assert [str(one) for one in found.problems] == [
            'options.x.1: expected something that can be cast to int, given "a" (str)',
            "options.x.2: expected something that can be cast to int, given null",
        ]

    @pytest.mark.parametrize(
        ("kind", "text", "expected"),
        [
            (str, "5", "5"),
            (int, "5", 5),
            (float, "1.5", 1.5),
            (bool, "true", True),
            (list, "a,b", ["a", "b"]),
            (list, '[1, "a"]', [1, "a"]),
            (dict, '{"a": 1}', {"a": 1}),
            (object, "5", "5"),
            ((int, str), "5", "5"),
            ((object, str), "5", "5"),
            ((str, dict), '{"a": 1}', {"a": 1}),
            ((int, float), "1.5", 1.5),
            (str_list, "a,b", ["a", "b"]),
            (int_list, "1,2", [1, 2]),
            (dict_list, '[{"a": 1}]', [{"a": 1}]),
        ],
    )
    def test_a_variable_is_parsed(self, kind, text, expected):
        found = examine(old(x={"type": kind, "env_fallback": "X"}), {}, environ={"X": text})
        assert found.problems == []
        assert found.value == {"x": expected}
        assert type(found.value.x) is type(expected)
        assert found.origins == {"x": Origin("env X")}

    @pytest.mark.parametrize(
        ("kind", "text", "expected"),
        [
            (int, "abc", 'options.x: expected int, given "abc" (str) from env X'),
            ((int, float), "abc", 'options.x: expected int or float, given "abc" (str) from env X'),
            (int_list, "1,a", 'options.x.1: expected something that can be cast to int, given "a" (str) from env X'),
        ],
    )
    def test_a_variable_that_can_not_be_parsed_is_told(self, kind, text, expected):
        found = examine(old(x={"type": kind, "env_fallback": "X"}), {}, environ={"X": text})
        assert [str(one) for one in found.problems] == [expected]

    def test_required_and_unknown_options(self):
        found = examine(old(a={"type": int}, b={"type": str, "env_fallback": "B"}, c={"default": 1}), {"aa": 1}, environ={})
        assert [str(one) for one in found.problems] == [
            "options.aa: unknown option (did you mean a?)",
            "options.a: missing; expected int",
            "options.b: missing; expected str (give it here or set the environment variable B)",
        ]

    def test_defaults_are_not_shared(self):
        module = old(a={"type": list, "default": []})
        structured(module, {}, environ={})["a"].append(1)
        assert structured(module, {}, environ={}) == {"a": []}

    def test_options_are_attributes_too(self):
        found = structured(old(a={"type": int}), {"a": 1}, environ={})
        assert found.a == 1
        with pytest.raises(AttributeError):
            _ = found.b
        assert repr(found) == "Values(a)"
        assert copy.deepcopy(found) == pickle.loads(pickle.dumps(found)) == found

    def test_structured_options_can_be_structured_again(self):
        module = old(a={"type": int_list}, b={"type": dict, "default": None}, c={"type": str, "default": "x"})
        once = structured(module, {"a": Text("1,2")}, environ={})
        assert structured(module, once, environ={}) == once


def test_near_names_are_proposed():
    known = ["batch_size", "host", "port"]
    assert nearest("batchsize", known) == "did you mean batch_size?"
    assert nearest("HOST", known) == "did you mean host?"
    assert nearest("zzz", known) == "known: batch_size, host, port"
    assert nearest("zzz", []) == "it takes none"
    assert nearest("zzz", known, limit=1) == "known: batch_size, …"


def test_importing_options_brings_no_heavy_library():
    import subprocess
    import sys

    code = (
        "import ozzy.options.option, ozzy.options.structure, sys; print([m for m in ('cattrs', 'structlog', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.strip() == "[]"
