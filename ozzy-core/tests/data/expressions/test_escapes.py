"""Nothing gets out of an expression, and nothing takes long."""

import gc
import time
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from ozzy import ConfigError, DataError
from ozzy.data.expressions.expression import Expression

CASES = yaml.safe_load(Path(__file__).with_name("escapes.yaml").read_text(encoding="utf-8"))
RECORD = {"a": 1, "l": [1, 2, 3], "s": "ab", "n": 1_000_000_000, "huge": 10**4000, "big": "x" * 200_000, "d": {}}
LONG = {
    "{deep}": "(" * 10_000 + "1" + ")" * 10_000,
    "{deep_list}": "[" * 150 + "]" * 150,
    "{minuses}": "-" * 15_000 + "1",
    "{nots}": "not " * 4_000 + "1",
    "{sum}": "+".join(["1"] * 9_000),
    "{chain}": "item" + ".a" * 9_000,
    "{calls}": "str(" * 199 + "1" + ")" * 199,
    "{long}": "'" + "a" * 30_000 + "'",
    "{parts}": "[" + ",".join("1" * 6_000) + "]",
    "{digits}": "9" * 10_000,
    "{hex_digits}": "0x" + "f" * 10_000,
}
BOUND = 5
"""Seconds of its own time after which a case is taken to have no end; each takes a few milliseconds, or for ever if nobody refuses it."""


@pytest.fixture(autouse=True)
def _quick():
    Expression("re.search('a', 'b')").of({})
    gc.disable()  # what other tests have left is not to be looked through on the time of this one
    began = time.thread_time()
    yield
    spent = time.thread_time() - began
    gc.enable()
    assert spent < BOUND


def test_there_are_enough_of_them():
    assert len(CASES["validation"]) + len(CASES["record"]) >= 60


@pytest.mark.parametrize("text", CASES["validation"])
def test_it_is_refused_before_a_record_is_seen(text):
    with pytest.raises(ConfigError) as caught:
        Expression(LONG.get(text, text))

    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("text", CASES["record"])
def test_the_record_is_refused(text):
    expression, record = Expression(text), deepcopy(RECORD)

    with pytest.raises(DataError) as caught:
        expression.settled(record)

    assert str(caught.value).startswith(text[:50])
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("text", CASES["harmless"])
def test_it_does_no_harm(text):
    Expression(text).of(deepcopy(RECORD))
