"""What a user may call a plugin, and what follows from it."""

import pytest

from ozzy import ConfigError
from ozzy.scaffold.names import LONGEST, Names, names_of


def test_everything_follows_from_the_name():
    names = names_of("tide-gauge")

    assert [names.package, names.module, names.short, names.title, names.variable] == [
        "ozzy-tide-gauge",
        "ozzy_tide_gauge",
        "tide_gauge",
        "TideGauge",
        "TIDE_GAUGE",
    ]


@pytest.mark.parametrize("text", ["weather", "ozzy-weather"])
def test_the_prefix_may_be_typed(text):
    assert names_of(text) == Names("weather")


@pytest.mark.parametrize("text", ["x", "class", "a1-2b", "x" * LONGEST])
def test_good_names(text):
    assert names_of(text).host == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "ozzy-",
        "Weather",
        "tide_gauge",
        "tide gauge",
        "2day",
        "a--b",
        "a-",
        "-a",
        "../a",
        "a/b",
        "a.b",
        "é",
        "a\n",
        "x" * (LONGEST + 1),
    ],
)
def test_bad_names_are_refused(text):
    with pytest.raises(ConfigError, match="is no name for a plugin"):
        names_of(text)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("TideGauge", "tide-gauge"),
        ("tide_gauge", "tide-gauge"),
        ("../Tide Gauge", "tide-gauge"),
        ("2day", "day"),
        ("x" * 50, "x" * LONGEST),
    ],
)
def test_a_near_name_is_told(text, near):
    with pytest.raises(ConfigError) as raised:
        names_of(text)

    assert raised.value.hint.endswith(f": {near}.")


@pytest.mark.parametrize("text", ["core", "s3", "ozzy-sql", "exporters"])
def test_names_of_ozzys_own_packages_are_refused(text):
    with pytest.raises(ConfigError, match="is a package of ozzy's own"):
        names_of(text)


def test_no_taken_name_is_proposed():
    with pytest.raises(ConfigError) as raised:
        names_of("S3")

    assert raised.value.hint.endswith("characters.")
