"""Dicts as Python 2 showed them are read; whatever else Python would evaluate is not."""

import math

import pytest

from ozzy.builtin.persistence import python2_text
from ozzy.builtin.persistence.python2_text import value_of
from ozzy.errors import StateError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (r"{u'a': u'caf\xe9', 'b': 'caf\xc3\xa9', u'c': u'\u65e5'}", {"a": "café", "b": "café", "c": "日"}),
        (r"{'raw': '\xff\xfe'}", {"raw": "\xff\xfe"}),
        ("{u'n': 10L, u't': u'10L', u'd': \"it's 5L\", u'm': -3L}", {"n": 10, "t": "10L", "d": "it's 5L", "m": -3}),
        ("[None, True, False, 1.5, -2.5, (1, 2)]", [None, True, False, 1.5, -2.5, (1, 2)]),
        ("  inf  ", math.inf),
    ],
)
def test_values(text, value):
    assert value_of(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch evil')", "{'a': open('x')}", "{**{}}", "[x for x in ()]", "1 + 1", "f'{1}'", "b'x'", "1j", "{1, 2}",
        "not an expression", "(" * 5000, "-'x'", "-True", "{[]: 1}", "x", "lambda: 1", "a.b", "", "{", "'\x00",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StateError, match="no dict as Python 2 shows it"):
        value_of(text)
    assert list(tmp_path.iterdir()) == []


def test_a_huge_text_is_not_read(monkeypatch):
    monkeypatch.setattr(python2_text, "LIMIT", 10)
    with pytest.raises(StateError, match="has 11 characters"):
        value_of("x" * 11)
