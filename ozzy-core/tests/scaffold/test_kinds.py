"""Which kinds of modules a new plugin may offer."""

import pytest

from ozzy import ConfigError
from ozzy.hookspecs import KINDS
from ozzy.scaffold.kinds import NO_SAMPLE, SAMPLES, samples_of


def test_each_kind_has_a_sample_or_a_hint():
    assert list(SAMPLES) == [kind for kind in KINDS if kind not in NO_SAMPLE]


def test_kinds_come_in_the_order_of_a_pipeline_and_once():
    assert [sample.kind for sample in samples_of("writer, reader,,writer")] == ["reader", "writer"]


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("readers", "'readers'", "Did you mean reader? "),
        ("reader,decoder,stats", "'decoder', 'stats'", "Did you mean deserializer,stats_manager? "),
        ("notifier", "'notifier'", "Did you mean notifications? "),
        ("qqqq,readers", "'qqqq', 'readers'", "Kinds are reader, "),
        ("bypass", "'bypass'", "A bypass joins a reader and a writer"),
        ("engine", "'engine'", "An engine does the work of whole runs"),
        (" ,", "nothing", "Kinds are reader, "),
    ],
)
def test_what_is_no_kind_is_named_with_what_was_meant(text, told, hint):
    with pytest.raises(ConfigError) as raised:
        samples_of(text)

    assert raised.value.message == f"--kind names {told}"
    assert raised.value.hint.startswith(hint)
