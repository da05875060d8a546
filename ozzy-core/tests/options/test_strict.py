"""Strict values: taken as they are, parsed only where they are texts from outside, or refused with their place."""

import enum
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.options.option import ByteSize, Text, dict_list, int_list, option, options, str_list
from ozzy.options.structure import examine


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
            (str, "||", {"minimum": 1, "maximum": 1}, 'expected str of 1 in length, given "||" (str)'),
            (str | None, "||", {"minimum": 1, "maximum": 1}, 'expected str of 1 in length, or null, given "||" (str)'),
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
