"""JSON texts, good and bad."""

import json

import pytest
from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["0", "-0", "-0.0", "1.0", "1e5", "1E+5", "1e-400", "1e999", "-1e999", "18446744073709551616"]),
    st.sampled_from([40, 400, 5000]).map(lambda digits: "9" * digits),
)
STRINGS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(json.dumps),
    st.sampled_from(['"\\u0061"', '"\\/"', '"\\ud83d\\ude00"', '"[{"', '"}\\\\"', '"\\""']),
)
KEYS = st.one_of(st.sampled_from(['"a"', '"b"', '"\\u0061"', '""', '"\\""', '"é"']), STRINGS)
BLANKS = st.sampled_from(["", "", "", " ", "\t", "\r", "\n"])


def _list(inner):
    return st.lists(st.tuples(BLANKS, inner, BLANKS).map("".join), max_size=3).map(lambda parts: "[" + ",".join(parts) + "]")


def _object(inner):
    pair = st.tuples(BLANKS, KEYS, BLANKS, st.just(":"), BLANKS, inner, BLANKS).map("".join)
    return st.lists(pair, max_size=4).map(lambda parts: "{" + ",".join(parts) + "}")


VALUES = st.recursive(
    st.one_of(st.sampled_from(["null", "true", "false"]), NUMBERS, STRINGS), lambda inner: _list(inner) | _object(inner), max_leaves=8
)
OBJECTS = _object(VALUES).map(str.encode)
FRAGMENTS = st.sampled_from(
    [
        b"",
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b",",
        b":",
        b"\\",
        b"\\u12",
        b"1",
        b"-",
        b".",
        b"e",
        b"\xff",
        b"\xc3",
        b"\0",
        b"\n",
        b"nul",
        b"NaN",
        b"//",
    ]
)


@st.composite
def _mutated(draw):
    line = draw(OBJECTS)
    start = draw(st.integers(0, len(line)))
    return line[:start] + draw(FRAGMENTS) + line[start + draw(st.integers(0, 3)) :]


@pytest.fixture(scope="session")
def good_lines():
    """A strategy of texts that are JSON objects, numbers out of range and duplicate keys among them."""
    return OBJECTS


@pytest.fixture(scope="session")
def any_lines():
    """A strategy of texts that may be JSON objects, nearly so, or not at all."""
    return st.one_of(OBJECTS, _mutated(), _mutated(), VALUES.map(str.encode), st.binary(max_size=10))
