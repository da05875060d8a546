"""Structuring tells all problems at once, and where each value came from."""

# ruff: noqa: RUF012 - inherited modules declare their options like this

import os
import subprocess
import sys

import attrs
import pytest

from ozzy.errors import ConfigError, Problem
from ozzy.options.option import Text, option, options
from ozzy.options.structure import Origin, examine, nearest, structured


def field(kind, **details):
    """A module with one option `x` of a type."""

    @options
    class One:
        x: kind = option(**details)

    return One


@options
class Inner:
    a: int = option(minimum=1)
    password: str = option(env="INNER_PASSWORD")


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


def test_near_names_are_proposed():
    known = ["batch_size", "host", "port"]
    assert nearest("batchsize", known) == "did you mean batch_size?"
    assert nearest("HOST", known) == "did you mean host?"
    assert nearest("zzz", known) == "known: batch_size, host, port"
    assert nearest("zzz", []) == "it takes none"
    assert nearest("zzz", known, limit=1) == "known: batch_size, …"


def test_importing_options_brings_no_heavy_library():
    code = (
        "import ozzy.options.option, ozzy.options.structure, sys; print([m for m in ('cattrs', 'structlog', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.strip() == "[]"
