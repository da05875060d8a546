"""Calls that may pass are tried again, those that cannot succeed are not."""

import logging
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozzy.log import reason, remember
from ozzy.retry import ONCE, Retries, call, retry_after


class Service:
    """Fails with each of these in turn, then answers."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0
        self.waits = []

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def asked(self, transient=lambda error: isinstance(error, OSError), **more):
        return call(self, what="asking", transient=transient, sleep=self.waits.append, **more)


def test_an_answer_is_taken_at_once():
    service = Service()

    assert service.asked() == "answer"
    assert service.calls == 1
    assert service.waits == []


def test_what_may_pass_is_tried_until_it_works():
    service = Service(OSError("gone"), OSError("gone"))

    assert service.asked() == "answer"
    assert service.calls == 3
    assert len(service.waits) == 2


def test_what_cannot_succeed_is_not_tried_again():
    service = Service(ValueError("no such key"))

    with pytest.raises(ValueError, match="no such key") as caught:
        service.asked()

    assert service.calls == 1
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_the_end_of_the_program_is_never_tried_again(error):
    service = Service(error)

    with pytest.raises(type(error)):
        service.asked(transient=lambda error: True)

    assert service.calls == 1


def test_the_last_error_is_raised_and_says_how_often_it_was_tried():
    service = Service(*[OSError(f"gone {i}") for i in range(9)])

    with pytest.raises(OSError, match="gone 2") as caught:
        service.asked(retries=Retries(tries=3))

    assert service.calls == 3
    assert reason(caught.value) == "OSError: gone 2 (tried 3 times)"


def test_nothing_is_tried_again_where_retries_are_off():
    service = Service(OSError("gone"))

    with pytest.raises(OSError, match="gone"):
        service.asked(retries=ONCE)

    assert service.calls == 1


def test_a_service_that_names_a_wait_is_given_it():
    service = Service(OSError("busy"), OSError("busy"))

    service.asked(transient=lambda error: 7.5)

    assert service.waits == [7.5, 7.5]


def test_a_wait_of_nothing_is_no_wait():
    service = Service(OSError("busy"))

    assert service.asked(transient=lambda error: 0) == "answer"
    assert service.waits == [0.0]


def test_a_wait_longer_than_is_left_ends_it_at_once():
    service = Service(OSError("busy"))

    with pytest.raises(OSError, match="busy"):
        service.asked(transient=lambda error: 3600.0, retries=Retries(seconds=60))

    assert service.calls == 1
    assert service.waits == []


@given(failed=st.integers(1, 10_000), first=st.floats(0.001, 100), longest=st.floats(0.001, 1000))
def test_waits_grow_to_the_longest_and_are_spread(failed, first, longest):
    retries = Retries(first=first, longest=longest)

    waited = retries.wait(failed)

    full = min(longest, first * 2 ** min(failed - 1, 60))
    assert full / 2 <= waited <= full


@pytest.mark.parametrize("wrong", [{"tries": 0}, {"seconds": -1}, {"first": 0}, {"longest": 0}])
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Retries(**wrong)


def test_each_wait_is_told_without_secrets(caplog):
    from ozzy.log import logger

    remember("tr0mbone-key")
    service = Service(OSError("key tr0mbone-key is busy"))
    with caplog.at_level(logging.WARNING):
        service.asked(logger=logger("test"), retries=Retries(tries=4, first=2, longest=2))

    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("asking failed, trying again in ")
    assert "tries=1 of 4" in line
    assert "tr0mbone" not in line
    assert "key *** is busy" in line


NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Wed, 01 May 2024 12:01:30 GMT", 90.0),
        ("Wed, 01 May 2024 12:01:30 -0000", 90.0),
        ("Wed, 01 May 2024 11:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after(value, NOW) == seconds


def test_retry_after_counts_from_now():
    assert retry_after("Fri, 01 Jan 2100 00:00:00 GMT") > 0
