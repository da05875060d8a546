"""A secret is never shown in a problem, whatever is wrong with it."""

import enum
from typing import Any, Literal

import pytest

from ozzy.errors import ConfigError, Problem
from ozzy.options.option import ByteSize, Text, option, options
from ozzy.options.structure import examine, structured


def field(kind, **details):
    """A module with one option `x` of a type."""

    @options
    class One:
        x: kind = option(**details)

    return One


def refused(kind, value, **details):
    found = examine(field(kind, **details), {"x": value}, environ={})
    return [str(problem) for problem in found.problems]


@options
class Inner:
    a: int = option(minimum=1)
    password: str = option(env="INNER_PASSWORD")


class Level(enum.Enum):
    LOW = "low"


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
