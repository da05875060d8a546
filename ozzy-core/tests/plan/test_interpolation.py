"""Environment variables in the texts of a config."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.log import redact
from ozzy.options.option import Text
from ozzy.plan.interpolation import interpolate

ENVIRON = {"A": "1", "EMPTY": "", "WORDS": "ü ${A}", "_x9": "y"}


def text(written):
    value, problems = interpolate(written, ENVIRON)
    assert problems == []
    return value


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("${A}", "1"),
        ("a${A}b${A}", "a1b1"),
        ("${EMPTY}", ""),
        ("${_x9}", "y"),
        ("${NONE:-2}", "2"),
        ("${NONE:-}", ""),
        ("${EMPTY:-2}", "2"),
        ("${A:-2}", "1"),
        ("${NONE:-a:-b}", "a:-b"),
        ("${NONE:-ñ /x}", "ñ /x"),
        ("${WORDS}", "ü ${A}"),
        ("${A}$${A}", "1${A}"),
        ("{A} $A $$ }", "{A} $A $$ }"),
    ],
)
def test_variables_are_put_in(written, expected):
    assert text(written) == expected


def test_what_comes_of_a_variable_is_a_text_with_its_origin():
    assert [(type(one), one.origin) for one in map(text, ["${A}", "a${A}", "${NONE:-1}", "${A}${A}"])] == [
        (Text, "env A"),
        (Text, ""),
        (Text, ""),
        (Text, ""),
    ]
    assert text(Text("${A}", "--set")).origin == "--set"


def test_a_text_without_variables_stays_what_it_is():
    assert type(text("abc")) is str
    assert type(text("$${A}")) is str
    assert text("$${A}") == "${A}"
    literal = text(Text("$${A}", "--set"))
    assert (type(literal), literal.origin, literal) == (Text, "--set", "${A}")


def test_every_text_is_looked_at_and_nothing_else():
    config = {"${A}": ["${A}", ("${A}", 5, None, True)], "b": {"c": "${A}"}}
    assert interpolate(config, ENVIRON) == ({"${A}": ["1", ("1", 5, None, True)], "b": {"c": "1"}}, [])
    assert config["b"] == {"c": "${A}"}


def test_all_missing_variables_are_told_with_their_places():
    config = {"a": "${X}", "b": [{"c": "${Y}-${Z}"}], "d": "${A}"}
    value, problems = interpolate(config, ENVIRON)
    assert [str(problem) for problem in problems] == [
        "a: the environment variable X is not set (set it, or give a default: ${X:-…})",
        "b.0.c: the environment variable Y is not set (set it, or give a default: ${Y:-…})",
        "b.0.c: the environment variable Z is not set (set it, or give a default: ${Z:-…})",
    ]
    assert value == {"a": "${X}", "b": [{"c": "${Y}-${Z}"}], "d": "1"}


def test_a_text_or_a_list_alone():
    assert interpolate("${X}", {}, "p")[1][0].path == "p"
    assert interpolate(["${X}"], {})[1][0].path == "0"


@pytest.mark.parametrize("written", ["${", "${}", "${1}", "a${A-b}", "${A", "${A:b}", "${ A }", "${ü}"])
def test_what_looks_like_a_reference_and_is_none_is_told(written):
    value, problems = interpolate(written, ENVIRON, "p")
    assert value == written
    (problem,) = problems
    assert (problem.path, problem.message) == ("p", "a ${ begins a reference to an environment variable, and this is none")
    assert problem.hint == "write ${NAME} or ${NAME:-default}, or $${ for a literal ${"


def test_what_a_variable_called_like_a_secret_holds_is_never_shown():
    interpolate("x${MY_PASSWORD}", {"MY_PASSWORD": "swordfish-and-chips"})
    assert redact("it was swordfish-and-chips") == "it was ***"


@settings(max_examples=100)
@given(st.text())
def test_a_text_with_its_references_escaped_comes_out_as_it_was(written):
    value, problems = interpolate(written.replace("${", "$${"), {})
    assert not problems
    assert value == written
