"""Canaries are planted in every secret place, and found in whatever form they leave it."""

import base64
import json
import logging
from urllib.parse import quote_plus

import pytest

from ozzy import BaseNotifier, option, options
from ozzy.testing.canary import canary, leaks, logged, plant, told_by


@options
class Inner:
    user: str = option(default="ozzy", help="Who.")
    token: str = option(default="", help="What for.")


@options
class Options:
    password: str = option(default="", help="Secret by its name.")
    keys: list[str] | dict[str, str] = option(default=[], secret=True, help="Secret by its mark.")
    one: Inner | None = option(default=None, help="Nested.")
    many: list[Inner] = option(default=[], help="Nested, several.")
    host: str = option(default="", help="No secret.")


class Sample(BaseNotifier):
    Options = Options


def test_every_secret_place_that_is_there_gets_a_canary_of_its_own():
    given = {"keys": ["a", {"b": "c", "d": 1}], "one": {"token": "t"}, "many": [{"user": "x"}, {"token": "y"}], "host": "h"}

    planted = plant(Sample, given)

    assert sorted(planted.canaries) == ["keys.0", "keys.1.b", "many.0.token", "many.1.token", "one.token", "password"]
    assert len(set(planted.canaries.values())) == 6
    assert planted.options["password"] == planted.canaries["password"]
    assert planted.options["keys"][1] == {"b": planted.canaries["keys.1.b"], "d": 1}
    assert planted.options["many"][0] == {"user": "x", "token": planted.canaries["many.0.token"]}
    assert planted.options["host"] == "h"
    assert given["many"] == [{"user": "x"}, {"token": "y"}]


@pytest.mark.parametrize(
    "form",
    [
        str,
        quote_plus,
        repr,
        ascii,
        lambda text: base64.b64encode(f"ozzy:{text}".encode()).decode(),
        lambda text: base64.urlsafe_b64encode(f"oz:{text}:x".encode()).decode(),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: {"deep": [text]},
        lambda text: json.dumps(text, ensure_ascii=False),
    ],
)
def test_a_secret_is_found_in_all_its_forms(form):
    secret = canary()

    assert leaks([("a log", form(secret))], {"password": secret}) == "the value of the secret option 'password' stands in a log"


def test_another_canary_is_none_of_it():
    assert leaks([("a log", canary())], {"password": canary()}) == ""


def test_all_that_an_error_says_is_looked_at():
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ExceptionGroup("outer", [ValueError("member")]) from error
    except ExceptionGroup as error:
        error.extra = "attribute"
        error.__context__.__context__ = error
        told = " ".join(text for _, text in told_by(error))

    assert [word for word in ("inner", "outer", "member", "attribute", "Traceback") if word not in told] == []


def test_lines_of_all_loggers_are_kept_and_levels_put_back():
    level = logging.getLogger().level
    with logged() as lines:
        logging.getLogger("somebody.else").debug("said %s", "this", extra={"more": "that"})

    assert "somebody.else said this" in lines[0]
    assert "that" in lines[0]
    assert logging.getLogger().level == level
